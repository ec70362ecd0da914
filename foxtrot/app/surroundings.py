"""What a platform is built among: clock, engine, permit, journal, variables. A recorded run is built among taped ones, a replay among played ones."""

from collections.abc import Callable
from pathlib import Path
from secrets import randbits

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.app.config import Config
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.send_permit import SendPermit
from foxtrot.storage.journal import Journal
from foxtrot.strategy.line import Line
from foxtrot.strategy.variables import VariableFiles, VariableStore
from foxtrot.trading.order_ids import make_run_id
from foxtrot.trading.restored_state import RestoredState

MakeJournal = Callable[[Dispatcher], Journal]


class Surroundings:
    """Those of a run that nobody records.

    `permit` is the one that adapters ask, `gate_permit` the same as the gate sees it. `adapters` are made already; where there are
    none, the configuration's accounts have theirs made.

    Thread: main.
    """

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self.run_id = make_run_id(self.clock.now_ns(), randbits(16))
        self.permit = SendPermit()
        self.gate_permit: SendPermit = self.permit
        self.events = EventEngine(self.clock)
        self.adapters: tuple[BaseAdapter, ...] = ()

    def variables(self, home: Path) -> VariableStore:
        """Return where the saved variables of strategies live."""
        return VariableFiles(home / "variables")

    def journal(self, make_journal: MakeJournal) -> MakeJournal:
        """Return what makes the journal."""
        return make_journal

    def restored(self, state: RestoredState | None) -> RestoredState | None:
        """Return what the run takes over from the one before."""
        return state

    def built(self, line: Line) -> None:
        """Hear that all is built: what is done to it until `starting` comes from outside."""

    def starting(self) -> None:
        """Hear that the platform is about to start."""

    def begin(self, config: Config, home: Path, line: Line) -> None:
        """Hear that all is built and the engine is about to start."""

    def end(self, left: int) -> str:
        """Hear that the engine has stopped and how many events it left; returns the name of a thread that overran, or ""."""
        return ""

    def told(self) -> dict[str, object]:
        """Return what the run's summary says of its recording; nothing when there is none."""
        return {}
