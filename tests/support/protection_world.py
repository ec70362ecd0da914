"""A scripted venue, a platform that can die, and a protection between them: what happens is told late, twice or not at all."""

from foxtrot.core.notices import IntentDurable, OpenOrdersLoaded, TradesLoaded
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, OrderData, TradeData
from foxtrot.storage.journal_records import Intent, JournalRecord, ProtectionKept, decode_record, encode_record
from foxtrot.trading.protection import Protections
from foxtrot.trading.protection_state import ProtectionTerms
from foxtrot.trading.restore import Restore
from foxtrot.trading.restored_state import fold
from tests.support.builders import ACCOUNT, OWNER, T0, TradingFloor, a_request, a_tick, a_trade, an_order, changed

NAME = "BTCUSDT.PERP"
KEY = (OWNER, ACCOUNT, NAME, PositionSide.NET)
S = OrderStatus
LOTS = 10
"""Lots of 0.1 in one entry."""


class KeptJournal:
    """Keeps records as the disk would, and answers intents at once."""

    keeps_reports = True

    def __init__(self, lines: list[bytes]) -> None:
        self.lines = lines
        self.floor: TradingFloor | None = None

    def append(self, record: JournalRecord) -> None:
        self.lines.append(encode_record(record))
        if isinstance(record, Intent):
            assert self.floor is not None
            self.floor.dispatcher.put(IntentDurable((record.order.order_id,)))

    def close(self) -> None:
        return


class AtVenue:
    """One order as the venue has it; quantities in lots."""

    def __init__(self, order: ApprovedOrder, instrument: Instrument) -> None:
        self.order = order
        self.lots = round(instrument.quantity(order.quantity_units) * 10)
        self.filled = 0
        self.status = S.SUBMITTED
        self.cancel_wanted = False
        self.triggered = False
        self.partner: AtVenue | None = None

    @property
    def left(self) -> int:
        """What may still trade."""
        return self.lots - self.filled if self.status in (S.SUBMITTED, S.ACCEPTED, S.PARTIALLY_FILLED) else 0


class ProtectionWorld:
    """One owner with one instrument: entries, their protection, and a venue that the test plays."""

    floor_class = TradingFloor

    def __init__(self, instrument: Instrument | None = None) -> None:
        self.instruments = () if instrument is None else (instrument,)
        self.name = NAME if instrument is None else instrument.instrument_id
        self.key = (OWNER, ACCOUNT, self.name, PositionSide.NET)
        self.lines: list[bytes] = []
        self.orders: dict[str, AtVenue] = {}
        self.trades: list[TradeData] = []
        self.mail: list[OrderData | TradeData] = []
        self.told: list[OrderData | TradeData] = []
        self.runs = 0
        self._begin()

    def _begin(self) -> None:
        self.runs += 1
        journal = KeptJournal(self.lines)
        self.floor = self.floor_class(*self.instruments, journal=journal, run_id=f"{self.runs:010d}")
        self.instrument = self.floor.instruments[self.name]
        journal.floor = self.floor
        self.floor.put(a_tick(self.name))
        self.protections = Protections(self.floor.dispatcher, self.floor.desk, self.floor.portfolio)
        self._sent = self._cancelled = 0

    # --- what the owner does ----------------------------------------------------------------------------------------

    def enter(self, stop: float = 95.0, take: float = 0.0, trailing: float = 0.0) -> str:
        """Send an entry of ten lots with its protection."""
        request = a_request(quantity=LOTS / 10, price=100.0, instrument_id=self.name)
        terms = ProtectionTerms(stop, take, trailing)
        desk = self.floor.desk
        order_id = self.protections.enter(self.key, long=True, terms=terms, send=lambda: desk.submit(request, OWNER))
        self.collect()
        return order_id

    def collect(self) -> None:
        """Let what was sent arrive at the venue."""
        self.floor.dispatcher.drain()
        adapter = self.floor.adapter
        for order in adapter.sent[self._sent :]:
            self.orders[order.order_id] = AtVenue(order, self.instrument)
        for request in adapter.cancels[self._cancelled :]:
            self.orders[request.order_id].cancel_wanted = True
        self._sent, self._cancelled = len(adapter.sent), len(adapter.cancels)

    # --- what the venue does ----------------------------------------------------------------------------------------

    def accept(self, one: AtVenue) -> None:
        if one.status is S.SUBMITTED:
            self._move(one, S.ACCEPTED)

    def reject(self, one: AtVenue) -> None:
        if one.status is S.SUBMITTED:
            self._move(one, S.REJECTED)

    def end(self, one: AtVenue) -> None:
        """End an order, because it was asked for or because the venue does."""
        if one.left:
            self._move(one, S.CANCELLED)

    def trigger(self, one: AtVenue) -> None:
        """Let the market reach a stop."""
        one.triggered = one.triggered or (bool(one.left) and one.order.order_type is OrderType.STOP)

    def fill(self, one: AtVenue, lots: int) -> None:
        lots = min(lots, one.left)
        if lots <= 0:
            return
        one.filled += lots
        terms = {
            "side": one.order.side,
            "instrument_id": self.name,
            "venue_order_id": "v" + one.order.order_id,
            "venue_time_ns": T0 + len(self.trades),
        }
        price = 100.0 if one.order.side is Side.BUY else 95.0
        trade = a_trade(one.order.order_id, f"t{len(self.trades)}", lots / 10, price, **terms)
        self.trades.append(trade)
        self.mail.append(trade)
        self._move(one, S.FILLED if one.filled == one.lots else S.PARTIALLY_FILLED)

    def _move(self, one: AtVenue, status: OrderStatus) -> None:
        one.status = status
        self.mail.append(self.report(one))

    def report(self, one: AtVenue) -> OrderData:
        order, price, trigger = one.order, self.instrument.price(one.order.price_units), one.order.trigger_units
        return an_order(
            order.order_id, one.status, one.filled / 10, 100.0 if one.filled else 0.0, side=order.side,
            instrument_id=self.name, order_type=order.order_type, quantity=one.lots / 10, price=price, venue_order_id="v" + order.order_id,
            trigger_price=self.instrument.price(trigger) if trigger else 0.0, time_in_force=order.time_in_force,
        )  # fmt: skip

    # --- what is heard ----------------------------------------------------------------------------------------------

    def deliver(self, index: int = 0) -> None:
        """Tell one of the messages that wait."""
        if self.mail:
            message = self.mail.pop(index % len(self.mail))
            self.told.append(message)
            self.floor.put(message)
            self.collect()

    def repeat(self, index: int) -> None:
        """Tell a message again."""
        if self.told:
            self.floor.put(self.told[index % len(self.told)])
            self.collect()

    def quote(self, bid: float) -> None:
        """Move the market."""
        self.floor.put(a_tick(self.name, bid=bid, ask=bid + 0.2, at=self.floor.clock.now_ns()))
        self.collect()

    def pass_s(self, seconds: float) -> None:
        """Let timers fire."""
        self.floor.clock.move_to(self.floor.clock.now_ns() + int(seconds * 1e9))
        self.floor.dispatcher.fire_timers(self.floor.clock.now_ns())
        self.collect()

    def crash(self, *, torn: bool) -> None:
        """Lose the process and all messages on their way; the next run reads the journal, asks the venue, and arms again.

        What is `torn` lacks all that was written after the last intent: the order left, for its intent was on disk.
        """
        records = [decode_record(line) for line in self.lines]
        while torn and not isinstance(records[-1], Intent):
            records.pop()
        self.lines[len(records) :] = []
        self.mail.clear()
        self._begin()
        Restore(self.floor.desk, self.floor.portfolio).put(fold(records))
        self.protections.restore(r for r in records if isinstance(r, ProtectionKept))
        for one in self.orders.values():
            if one.status is S.SUBMITTED:
                one.status = S.ACCEPTED
        live = tuple(self.report(one) for one in self.orders.values() if one.left)
        self.floor.put(OpenOrdersLoaded(ACCOUNT, live, T0), TradesLoaded(ACCOUNT, tuple(self.trades), T0))
        self.floor.put(*(self.report(one) for one in self.orders.values() if not one.left))
        self.floor.put(*self.never_sent())
        self.protections.rearm(ACCOUNT)
        self.collect()

    def never_sent(self) -> list[OrderData]:
        """What the adapter finds out about orders that the journal has and the venue has not."""
        lost = [record for record in self.floor.desk.open_records() if record.key not in self.orders]
        return [
            changed(record.to_order(), status=S.DENIED, rule="never_reached_market", reason="not there")  # type: ignore[misc]
            for record in lost
        ]

    def settle(self, rounds: int = 40) -> None:
        """Let the venue do what it is asked, tell everything, and let every pause pass, three seconds a round."""
        for _ in range(rounds):
            self.collect()
            for one in list(self.orders.values()):
                self.accept(one)
                if one.cancel_wanted:
                    self.end(one)
                elif one.triggered or one.order.order_type is OrderType.MARKET or one.order.time_in_force == "ioc":
                    self.fill(one, one.left)
            while self.mail:
                self.deliver()
            self.pass_s(3.0)

    # --- what is true -----------------------------------------------------------------------------------------------

    @property
    def position(self) -> int:
        """Lots that the venue's fills come to."""
        return sum(round(t.quantity * 10) * t.side.sign for t in self.trades)

    @property
    def closing(self) -> list[AtVenue]:
        """Orders of the venue that may still close the position."""
        return [one for one in self.orders.values() if one.order.side is Side.SELL and one.left]

    @property
    def at_worst(self) -> int:
        """Lots that may still close; of two orders of which one ends the other, those of one."""
        alone = sum(one.left for one in self.closing if one.partner is None)
        both = {frozenset((one.order.order_id, one.partner.order.order_id)): one for one in self.closing if one.partner}
        return alone + sum(max(one.left, one.partner.left) for one in both.values() if one.partner is not None)

    def check_never_too_much(self) -> None:
        """All that may close is never more than the position, whatever arrives first."""
        assert self.at_worst <= max(0, self.position), self.story()

    def check_settled(self) -> None:
        """What is true once nothing is on its way any more: a position is wholly protected by stops or says why not; a flat one has nothing left."""
        cover = self.protections.cover(self.key)
        if not self.position:
            entries = any(one.left for one in self.orders.values())
            assert self.closing == [], self.story()
            assert cover.protection == ""
            assert entries or self.protections.view(self.key) is None
            return
        stops = [one for one in self.closing if one.order.order_type is OrderType.STOP]
        assert sum(one.left for one in stops) == self.position, (cover, self.story())
        assert {one.order.trigger_units for one in stops} <= {950, 951, 952, 953}, self.story()
        assert cover.protection == "at the venue", (cover, self.story())

    def story(self) -> list[str]:
        """Every order at the venue, for a failed test."""
        return [
            f"{name} {o.order.side} {o.order.order_type} {o.filled}/{o.lots} {o.status}"
            for name, o in self.orders.items()
        ]
