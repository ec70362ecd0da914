"""The surroundings of a run that is played from its tape: no venue, no clock, no disk; all that they said is on the tape."""

from pathlib import Path

import msgspec
from typing_extensions import override

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.app.config import Config
from foxtrot.app.run_recording import MEMORY, intent_bytes
from foxtrot.app.surroundings import MakeJournal, Surroundings
from foxtrot.core.clock import SystemClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AdapterStatus, IntentDurable
from foxtrot.core.played_tape import PlayedEngine, TapeFeed
from foxtrot.core.send_permit import SendPermit
from foxtrot.core.tape import INTENT, LOOK
from foxtrot.core.taped_permit import PlayedPermit
from foxtrot.domain.enums import PositionMode
from foxtrot.domain.order import ApprovedOrder, CancelRequest
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.storage.journal import answered_id
from foxtrot.storage.journal_records import AmendAsked, Intent, JournalRecord
from foxtrot.storage.recorder import IntentHash
from foxtrot.storage.run_tape import AdapterFacts, TapeHeader
from foxtrot.strategy.parameters import Value
from foxtrot.strategy.variables import VariableStore
from foxtrot.trading.restored_state import RestoredState


class PlayedSurroundings(Surroundings):
    """Those of a replay.

    Thread: the caller's.
    """

    def __init__(self, header: TapeHeader, config: Config, feed: TapeFeed) -> None:
        super().__init__()
        self.run_id = header.run_id
        self.feed = feed
        self.intents = IntentHash()
        self.player = PlayedEngine(SystemClock(), feed)
        self.events = self.player
        self.gate_permit = PlayedPermit(feed)
        self.adapters = tuple(played_adapter(name, facts, config) for name, facts in header.adapters.items())
        self._header = header
        for adapter in self.adapters:
            adapter.on_look = self._look_again

    def _look_again(self, seen: str | int) -> str | int:
        """Return what was seen then."""
        return self.feed.number(LOOK) if isinstance(seen, int) else self.feed.text(LOOK)

    @override
    def variables(self, home: Path) -> VariableStore:
        """Return what the strategies had saved when the run began."""
        return KeptVariables(msgspec.json.decode(self._header.variables, type=dict[str, dict[str, Value]]))

    @override
    def journal(self, make_journal: MakeJournal) -> MakeJournal:
        """Return what makes a journal that compares the intents."""
        return lambda dispatcher: PlayedJournal(dispatcher, self._header, self.feed, self.intents)

    def follow(self, status: AdapterStatus) -> None:
        """Let an account's connection be as it was: whether an account is ready is asked of its adapter, not of an event."""
        for adapter in self.adapters:
            if adapter.account == status.account:
                adapter.state, adapter.cause = status.state, status.cause

    @override
    def restored(self, state: RestoredState | None) -> RestoredState | None:
        """Return what the run took over then."""
        return msgspec.json.decode(self._header.restored, type=RestoredState | None)


class KeptVariables:
    """Saved variables in memory.

    Thread: the caller's.
    """

    def __init__(self, values: dict[str, dict[str, Value]]) -> None:
        self._values = values

    def load(self, strategy_id: str) -> dict[str, Value]:
        """Return what was saved last."""
        return dict(self._values.get(strategy_id, {}))

    def save(self, strategy_id: str, values: "dict[str, Value] | object") -> None:
        """Keep what is saved, for as long as the replay lasts."""
        if isinstance(values, dict):
            self._values[strategy_id] = dict(values)


class PlayedJournal:
    """A journal that stores nothing and compares every order intent with the tape's.

    Where the run's journal answered in line, so does this one; else the answers are on the tape.

    Thread: the caller's.
    """

    def __init__(self, dispatcher: Dispatcher, header: TapeHeader, feed: TapeFeed, intents: IntentHash) -> None:
        self.keeps_reports = header.keeps_reports
        self._answers = header.journal == MEMORY
        self._dispatcher = dispatcher
        self._feed = feed
        self._intents = intents

    def append(self, record: JournalRecord) -> None:
        """Compare an intent; other records need nothing."""
        if type(record) is not Intent and type(record) is not AmendAsked:
            return
        data = intent_bytes(record)
        self._intents.add([(INTENT, data)])
        self._feed.intend(data)
        if self._answers:
            self._dispatcher.put(IntentDurable((answered_id(record),)))

    def close(self) -> None:
        """Do nothing: there is no storage."""


class PlayedAdapter(BaseAdapter):
    """An account whose venue has spoken already: it counts what it is asked, and the answers are on the tape.

    Thread: the caller's.
    """

    def __init__(self, context: AdapterContext, facts: AdapterFacts) -> None:
        self.adapter_name = facts.adapter  # type: ignore[misc]  # the class's is for all accounts
        self.capabilities = msgspec.json.decode(facts.capabilities, type=Capabilities)  # type: ignore[misc]
        self.asked: dict[str, int] = {}
        self._trades = facts.trades
        super().__init__(context)

    @property
    @override
    def trades(self) -> bool:
        """Tell whether there was an account to trade with."""
        return self._trades

    @override
    def connect(self) -> None:
        """Count it."""
        self._count("connect")

    @override
    def close(self, deadline_s: float = 5.0) -> str:
        """Count it; there is nothing to end."""
        self._count("close")
        return ""

    @override
    def subscribe(self, request: SubscribeRequest) -> None:
        """Count it."""
        self._count("subscribe")

    @override
    def unsubscribe(self, instrument_id: str) -> None:
        """Count it."""
        self._count("unsubscribe")

    @override
    def send_order(self, order: ApprovedOrder) -> None:
        """Count it."""
        self._count("send_order")

    @override
    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        """Count it."""
        self._count("send_pair")

    @override
    def cancel_order(self, request: CancelRequest) -> None:
        """Count it."""
        self._count("cancel_order")

    @override
    def query_account(self) -> None:
        """Count it."""
        self._count("query_account")

    @override
    def query_positions(self) -> None:
        """Count it."""
        self._count("query_positions")

    @override
    def query_orders(self) -> None:
        """Count it."""
        self._count("query_orders")

    @override
    def query_trades(self, since_ns: int) -> None:
        """Count it."""
        self._count("query_trades")

    @override
    def query_history(self, request: HistoryRequest) -> None:
        """Count it."""
        self._count("query_history")

    def _count(self, what: str) -> None:
        self.asked[what] = self.asked.get(what, 0) + 1


class _Unheard:
    """Takes what an adapter's defaults tell: the tape has it."""

    def put(self, event: object) -> None:
        """Take an event that the tape has already."""


def played_adapter(account: str, facts: AdapterFacts, config: Config) -> PlayedAdapter:
    """Return the adapter that stands for an account's."""
    table = config.accounts.get(account)
    mode = PositionMode.NETTING if table is None else table.position_mode
    return PlayedAdapter(AdapterContext(account, _Unheard(), SendPermit(), SystemClock(), {}, {}, "", mode), facts)
