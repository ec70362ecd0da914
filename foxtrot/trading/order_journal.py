"""What the desk and the portfolio tell the journal: each fact once, in the words of its records."""

from collections.abc import Mapping

from foxtrot.core.clock import Clock
from foxtrot.core.lanes import MARKET_LANE
from foxtrot.core.notices import PositionsLoaded, VenueMessage
from foxtrot.domain.account import AccountCharge, AccountData
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.instrument import Instrument, InstrumentTable
from foxtrot.domain.market import DepthData, TickData
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, OrderData, TradeData
from foxtrot.domain.outcome import Outcome
from foxtrot.storage.journal import Journal
from foxtrot.storage.journal_records import (
    Adjusted,
    AmendAsked,
    AmendEnded,
    Arrival,
    BalancesFound,
    CancelAsked,
    ChargeBooked,
    FillBooked,
    Handed,
    InstrumentListed,
    Intent,
    JournalRecord,
    NotSent,
    OrderResolved,
    OrderTold,
    PositionsFound,
    Snapshot,
    VenueSaid,
)
from foxtrot.trading.decisions import Decisions
from foxtrot.trading.market_view import MarketView


class OrderJournal:
    """Writes records for desk and portfolio; a journal that keeps no reports is given intents and what became of them alone.

    `decisions` are what stands until it is decided otherwise, `strategy_hashes` the SHA-256 of the strategies' files, by strategy id.

    Thread: the dispatcher's.
    """

    def __init__(
        self, journal: Journal, clock: Clock, instruments: InstrumentTable, view: MarketView | None = None
    ) -> None:
        self.journal = journal
        self.strategy_hashes: Mapping[str, str] = {}
        self.keeps_reports = journal.keeps_reports
        self.decisions = Decisions()
        self._clock = clock
        self._instruments = instruments
        self._view = view
        self._listed: dict[str, Instrument] = {}

    def append(self, record: JournalRecord) -> None:
        """Write a record that somebody else made; a decision is kept for the next snapshot too."""
        if type(record) is Adjusted and record.instrument_id and self.keeps_reports:
            self._list(record.instrument_id)
        self.decisions.take(record)
        self.journal.append(record)
        if type(record) is Snapshot:
            self._listed.clear()  # what it does not carry no reader of what follows would know

    def close(self) -> None:
        """Commit what is left and release the storage; idempotent."""
        self.journal.close()

    def intent(self, order: ApprovedOrder, cause: object, sequence: int) -> None:
        """Write an order that may be sent once this is durable.

        Args:
            order: the order.
            cause: the event that its owner was hearing, or None.
            sequence: the number of that event.
        """
        now_ns = self._clock.now_ns()
        if not self.keeps_reports:
            self.journal.append(Intent(now_ns, order))
            return
        self._list(order.instrument_id)
        arrival = self._arrival(order, cause, sequence)
        self.journal.append(Intent(now_ns, order, self.strategy_hashes.get(order.strategy_id, ""), arrival))

    def not_sent(self, order_id: str, rule: str, reason: str, status: OrderStatus) -> None:
        """Write that an intent ended before the wire."""
        self.journal.append(NotSent(self._clock.now_ns(), order_id, rule, reason, status))

    def handed(self, order_id: str) -> None:
        """Write that an order was handed to its adapter."""
        if self.keeps_reports:
            self.journal.append(Handed(self._clock.now_ns(), order_id))

    def cancel_asked(self, order_id: str) -> None:
        """Write that a cancellation was asked for."""
        if self.keeps_reports:
            self.journal.append(CancelAsked(self._clock.now_ns(), order_id))

    def amend_asked(self, amend: ApprovedAmend) -> None:
        """Write a change of an order that may be sent once this is durable."""
        self.journal.append(AmendAsked(self._clock.now_ns(), amend))

    def amend_ended(self, order_id: str, number: int, outcome: Outcome, why: tuple[str, str]) -> None:
        """Write what became of a change of an order, by which rule and for what reason."""
        if self.keeps_reports:
            self.journal.append(AmendEnded(self._clock.now_ns(), order_id, number, outcome, *why))

    def told(self, owner: str, order: OrderData) -> None:
        """Write an order as a report has left it."""
        if self.keeps_reports:
            self._list(order.instrument_id)
            self.journal.append(OrderTold(self._clock.now_ns(), owner, order))

    def fill(self, owner: str, trade: TradeData, *, opened: bool) -> None:
        """Write a fill that was counted."""
        if self.keeps_reports:
            self._list(trade.instrument_id)
            self.journal.append(FillBooked(self._clock.now_ns(), owner, trade, opened))

    def charge(self, charge: AccountCharge) -> None:
        """Write a charge that was counted."""
        if self.keeps_reports:
            self._list(charge.instrument_id)
            self.journal.append(ChargeBooked(self._clock.now_ns(), charge))

    def balances_found(self, account: AccountData) -> None:
        """Write what an account held at its first connection."""
        if self.keeps_reports:
            self.journal.append(BalancesFound(self._clock.now_ns(), account))

    def positions_found(self, loaded: PositionsLoaded) -> None:
        """Write which positions an account had at its first connection."""
        if self.keeps_reports:
            for position in loaded.positions:
                self._list(position.instrument_id)
            self.journal.append(PositionsFound(self._clock.now_ns(), loaded.account, loaded.positions))

    def resolved(self, order_id: str, status: OrderStatus, who: str, why: str) -> None:
        """Write what a person said became of an order."""
        self.journal.append(OrderResolved(self._clock.now_ns(), order_id, status, who, why))

    def venue_said(self, message: VenueMessage) -> None:
        """Write a raw message about an order."""
        if self.keeps_reports:
            said = VenueSaid(message.local_time_ns, message.account, message.order_id, message.direction, message.text)
            self.journal.append(said)

    def note_listed(self, instrument: Instrument) -> None:
        """Know that an instrument stands in the journal already, as a restart finds it there."""
        self._listed[instrument.instrument_id] = instrument

    def _list(self, instrument_id: str) -> None:
        """Write an instrument before the first record that counts in its units, and again when its terms have changed."""
        instrument = self._instruments.get(instrument_id)
        if instrument is None or self._listed.get(instrument_id) is instrument:
            return
        if self._listed.get(instrument_id) != instrument:
            self.journal.append(InstrumentListed(self._clock.now_ns(), instrument))
        self._listed[instrument_id] = instrument

    def _arrival(self, order: ApprovedOrder, cause: object, sequence: int) -> Arrival | None:
        if self._view is None:
            return None
        tick = self._view.ticks.get(order.instrument_id)
        state = self._view.book_states.get((order.account, order.instrument_id))
        heard = cause if type(cause) in MARKET_LANE else None
        return Arrival(
            type(cause).__name__ if cause is not None else "",
            sequence,
            getattr(heard, "venue_time_ns", 0),
            getattr(heard, "local_time_ns", 0),
            *_quote(tick, self._view.depths.get(order.instrument_id)),
            str(state) if state is not None else "",
        )


def _quote(tick: TickData | None, depth: DepthData | None) -> tuple[float, float, float, int]:
    """Return bid, ask, last price and the time of the quote, which is the newer of tick and book; zeros for what is not known."""
    last = tick.last_price if tick else 0.0
    if depth is not None and depth.bids and depth.asks and (tick is None or tick.local_time_ns < depth.local_time_ns):
        return depth.bids[0][0], depth.asks[0][0], last, depth.local_time_ns
    return (tick.bid_price, tick.ask_price, last, tick.local_time_ns) if tick else (0.0, 0.0, 0.0, 0)
