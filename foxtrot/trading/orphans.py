"""Orphans: what a venue tells of other people's orders that cannot be counted here.

An order or fill in an instrument that is not listed, or finer than the instrument's grid, is no fault of the platform and must
not halt it. It is kept and told, and the account may only reduce risk until an audit finds that both sides agree.
"""

from foxtrot.adapter.base_adapter import EventSink
from foxtrot.core.clock import Clock
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import GateState
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.trading.gate import Gate
from foxtrot.trading.order_record import OrderRecord

ORPHAN_LIMIT = 10_000

Place = tuple[str, str]
"""(account, instrument id), the latter "" for the whole account"""


class Orphans:
    """Facts that could not be counted, by account and id, the latest of each, and the blocks that stand for them.

    Thread: the dispatcher's.
    """

    def __init__(self, instruments: InstrumentTable, gate: Gate, sink: EventSink, clock: Clock) -> None:
        self._instruments = instruments
        self._gate = gate
        self._sink = sink
        self._clock = clock
        self._facts: dict[tuple[str, str], OrderData | TradeData] = {}
        self._blocked: dict[Place, tuple[GateState, str]] = {}

    def keep(self, fact: OrderData | TradeData, record: OrderRecord | None, error: FoxtrotError) -> None:
        """Keep a fact that could not be counted; the first time, tell of it and let its account only reduce risk.

        Args:
            fact: what the venue told.
            record: the record it belongs to, if there is one.
            error: why it could not be counted.

        Raises:
            FoxtrotError: the error itself, when the order is one that this run sent: what it did must be counted.
        """
        if record is not None and record.approved is not None:
            raise error
        kind = f"fill {fact.trade_id} of" if isinstance(fact, TradeData) else "order"
        what = f"{kind} {fact.order_id} in {fact.instrument_id}"
        known = (fact.account, what) in self._facts
        self._facts[fact.account, what] = fact
        if len(self._facts) > ORPHAN_LIMIT:
            del self._facts[next(iter(self._facts))]
        if known:
            return
        self._sink.put(RequestFailed(fact.account, f"counting {what}", str(error), self._clock.now_ns()))
        self._block(fact.account, fact.instrument_id, f"{what} cannot be counted: {error}")

    def facts(self, account: str) -> list[OrderData | TradeData]:
        """Return what could not be counted of an account, oldest first."""
        return [fact for (name, _), fact in self._facts.items() if name == account]

    def release(self, account: str) -> None:
        """Forget an account's orphans and lift their blocks, because an audit found that nothing is amiss."""
        self._facts = {key: fact for key, fact in self._facts.items() if key[0] != account}
        for place in [place for place in self._blocked if place[0] == account]:
            if self._blocked.pop(place) == self._gate.blocked(*place):
                self._gate.block(*place, GateState.ACTIVE, "the audit found no difference")

    def _block(self, account: str, instrument_id: str, reason: str) -> None:
        """Block the instrument, or the account when it is not listed; what somebody else has blocked stays as it is."""
        place = (account, instrument_id if self._instruments.get(instrument_id) else "")
        if self._gate.blocked(*place) is None:
            self._blocked[place] = (GateState.REDUCING, reason)
            self._gate.block(*place, GateState.REDUCING, reason)
