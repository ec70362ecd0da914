"""A desktop's desk over a platform that is not there: what is asked and sent is kept, and the test writes the answers."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import msgspec

from foxtrot.app.control_requests import Request
from foxtrot.core.notices import AdapterStatus, ContractsLoaded
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.desk import Desk
from foxtrot.gui.fact_store import FactStore
from foxtrot.gui.link import Answered
from foxtrot.gui.order_actions import OrderActions
from foxtrot.gui.settings import DesktopSettings
from foxtrot.gui.workspaces import WorkspaceFiles
from tests.support.builders import T0, a_perpetual, a_spot

Answer = msgspec.Struct | str | Callable[[Request], msgspec.Struct | str]
ACCOUNT = "main"


class ScriptedLink:
    """Keeps what is asked and sent. `answers` has by class of a request what it is answered with: a text is why it was refused; nothing
    is no answer."""

    def __init__(self, store: FactStore) -> None:
        self.store = store
        self.journal: Path | None = None
        self.asked: list[Request] = []
        self.sent: list[object] = []
        self.kills: list[tuple[str, bool, bool]] = []
        self.answers: dict[type[Request], Answer] = {}
        self.is_open = self.gate_closes = True
        self._numbers = count(1)

    def ask(self, request: Request) -> int:
        self.asked.append(request)
        number, answer = next(self._numbers), self.answers.get(type(request))
        found = answer(request) if callable(answer) and not isinstance(answer, msgspec.Struct) else answer
        if isinstance(found, str):
            self.store.hear(Answered(number, None, found))
        elif found is not None:
            self.store.hear(Answered(number, found))
        return number

    def put(self, command: object) -> bool:
        if self.is_open:
            msgspec.json.encode(command)  # all that goes over the link can be encoded
            self.sent.append(command)
        return self.is_open

    def kill(self, reason: str, *, flatten: bool = False, everything: bool = False) -> int:
        self.kills.append((reason, flatten, everything))
        return len(self.kills)

    def stands_in(self) -> str:
        return "slow.py:7 in on_tick"

    def gate_is_closed(self) -> bool:
        return self.gate_closes

    def of(self, kind: type) -> list[object]:
        """What was sent or asked of a class."""
        return [one for one in (*self.sent, *self.asked) if type(one) is kind]


class DesktopRig:
    """A desk with a bridge that flushes when the test says so, and a person whose answers are `agrees`."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.store = FactStore()
        self.bridge = Bridge(self.store)
        self.settings = DesktopSettings(**settings)  # type: ignore[arg-type]
        self.desk = Desk(self.bridge, self.settings)
        self.link = ScriptedLink(self.store)
        self.agrees = True
        self.questions: list[tuple[str, str]] = []
        self.seconds = 0.0
        self.actions = OrderActions(self.desk, self._confirm, lambda: self.seconds)
        self.files = WorkspaceFiles(folder / "workspaces")
        self.said: list[tuple[str, str]] = []
        self.desk.said.connect(lambda level, text: self.said.append((level, text)))

    def open(self, *instruments: Instrument, is_live: bool = False) -> None:
        """Open the platform with one account that is ready and trades a perpetual and a spot pair, or what is given."""
        self.desk.open(self.link, is_live=is_live)
        self.hear(
            AdapterStatus(ACCOUNT, "scripted", AdapterState.READY, "", 0, 0.0, T0),
            ContractsLoaded(ACCOUNT, instruments or (a_perpetual(), a_spot())),
        )

    def hear(self, *facts: object) -> None:
        """Let the platform tell facts, and flush."""
        for fact in facts:
            self.store.hear(fact)
        self.bridge.flush()

    def later(self, seconds: float = 1.0) -> None:
        """Let time pass for the person."""
        self.seconds += seconds

    def end(self) -> None:
        """Stop."""
        self.bridge.stop()

    def _confirm(self, title: str, text: str) -> bool:
        self.questions.append((title, text))
        return self.agrees
