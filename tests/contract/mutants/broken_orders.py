"""Adapters that break promises 4 to 8, about orders, books, closing and the permit; each says what it does wrong."""

import threading
from decimal import Decimal

import msgspec

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.simulated import codec
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.adapter.simulated.live_bars import LiveBars
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState, OrderStatus
from foxtrot.domain.errors import InvariantBroken
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, DepthChange, DepthData, TickData
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.domain.subscription import SubscribeRequest
from tests.contract.mutants.broken_promises import breaks


@breaks(4)
class DoublesAnOrder(SimulatedAdapter):
    """Every order goes out a second time under another id, as a careless retry does."""

    def send_order(self, order: ApprovedOrder) -> None:
        super().send_order(order)
        super().send_order(msgspec.structs.replace(order, order_id=f"{order.order_id[:30]}-r"))


@breaks(4)
class SendsAnIdTwice(SimulatedAdapter):
    """Which ids were sent is forgotten."""

    def send_order(self, order: ApprovedOrder) -> None:
        self.session.submit(self._orders._sent.clear)
        super().send_order(order)


@breaks(4)
class LosesAFill(SimulatedAdapter):
    """Every second fill is lost."""

    _fills = 0

    def on_trade(self, trade: TradeData) -> None:
        self._fills += 1
        if self._fills % 2:
            super().on_trade(trade)


@breaks(4)
class DoublesAFill(SimulatedAdapter):
    """Every fill is told twice."""

    def on_trade(self, trade: TradeData) -> None:
        super().on_trade(trade)
        super().on_trade(trade)


@breaks(4)
class TellsTheFillFirst(SimulatedAdapter):
    """A fill comes before the order's state that counts it."""

    _waiting: OrderData | None = None

    def on_order(self, order: OrderData) -> None:
        if order.filled_quantity and order.status in (OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED):
            self._waiting = order
        else:
            super().on_order(order)

    def on_trade(self, trade: TradeData) -> None:
        super().on_trade(trade)
        if self._waiting is not None:
            super().on_order(self._waiting)


@breaks(4)
class CountsEachFillAlone(SimulatedAdapter):
    """The filled quantity is that of the last fill, not the sum."""

    _last = 0.0

    def on_order(self, order: OrderData) -> None:
        filled, self._last = order.filled_quantity - self._last, order.filled_quantity
        super().on_order(msgspec.structs.replace(order, filled_quantity=round(filled, 3)))


@breaks(4)
class RenamesOrders(SimulatedAdapter):
    """Reports carry the venue's id in place of the desk's."""

    def on_order(self, order: OrderData) -> None:
        super().on_order(msgspec.structs.replace(order, order_id=order.venue_order_id or order.order_id))


@breaks(4)
class LeavesOutFees(SimulatedAdapter):
    """Fills come without their fee."""

    def on_trade(self, trade: TradeData) -> None:
        super().on_trade(msgspec.structs.replace(trade, fee=Decimal(0)))


@breaks(4)
class LeavesOutATime(SimulatedAdapter):
    """Orders come without the venue's time."""

    def on_order(self, order: OrderData) -> None:
        super().on_order(msgspec.structs.replace(order, venue_time_ns=0))


@breaks(4)
class SendsAPairApart(SimulatedAdapter):
    """The two orders of a pair are sent one after the other, and nothing ties them."""

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        self.send_order(first)
        self.send_order(second)


@breaks(4)
class TellsOneOfAPair(SimulatedAdapter):
    """The end of the one that did not trade is not told."""

    def on_order(self, order: OrderData) -> None:
        if order.reason != "oco":
            super().on_order(order)


@breaks(4)
class SendsAPairThatMayAddToAPosition(SimulatedAdapter):
    """A pair passes as reducing when one of the two is."""

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        reduces = first.reduces or second.reduces
        super().send_pair(*(msgspec.structs.replace(one, reduces=reduces) for one in (first, second)))


@breaks(4)
class SendsAPairTwice(SimulatedAdapter):
    """Which pairs were sent is forgotten."""

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        self.session.submit(self._orders._sent.clear)
        super().send_pair(first, second)


@breaks(5)
class LosesADepthChange(SimulatedAdapter):
    """Every third depth change is lost and nobody is told."""

    _changes = 0

    def on_depth_change(self, change: DepthChange) -> None:
        self._changes += 1
        if self._changes % 3:
            super().on_depth_change(change)


@breaks(5)
class ChangesWithoutASnapshot(SimulatedAdapter):
    """Changes begin without the snapshot they follow."""

    def on_depth(self, depth: DepthData) -> None:
        wanted = self.market_data.wanted[depth.instrument_id]
        if not wanted.depth_changes:
            super().on_depth(depth)


class _EarlyBars(LiveBars):
    """Tells bars as soon as something has traded in them."""

    def publish(self) -> None:
        for (name, text), open_ns in list(self._next_open_ns.items()):
            interval = Interval.parse(text)
            for candle in self._session.venue.klines(name, interval.duration_ns, 1):
                if candle.open_time_ns >= open_ns:
                    bar = codec.bar_data(
                        candle, self._session.instrument(name), interval, self._publisher.clock.now_ns()
                    )
                    self._next_open_ns[name, text] = bar.close_time_ns
                    self._publisher.on_bar(bar)


@breaks(5)
class TellsTheOpenBar(SimulatedAdapter):
    """A bar is told before it has closed."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.market_data._bars = _EarlyBars(self, self.session)


@breaks(5)
class TellsABarTwice(SimulatedAdapter):
    """Every bar is told twice."""

    def on_bar(self, bar: BarData) -> None:
        super().on_bar(bar)
        super().on_bar(bar)


@breaks(5)
class LosesBarsOfTheGap(SimulatedAdapter):
    """Bars that closed while the link was lost are not told."""

    def on_bar(self, bar: BarData) -> None:
        if not bar.backfilled:
            super().on_bar(bar)


@breaks(5)
class CountsTooMuchVolume(SimulatedAdapter):
    """The volume of a bar is a little too large."""

    def on_bar(self, bar: BarData) -> None:
        super().on_bar(msgspec.structs.replace(bar, volume=bar.volume + 0.001))


@breaks(5)
class TellsTooManyLevels(SimulatedAdapter):
    """Every snapshot has all levels."""

    def subscribe(self, request: SubscribeRequest) -> None:
        levels = 100 if request.depth_levels else 0
        super().subscribe(msgspec.structs.replace(request, depth_levels=levels))


@breaks(6)
class HasFloatNoise(SimulatedAdapter):
    """The exact book is made of floats."""

    def get_order_book_from_websocket(self, instrument_id: str) -> ExactBook | None:
        book = super().get_order_book_from_websocket(instrument_id)
        if book is None:
            return None
        bids = tuple((Decimal(float(price)), Decimal(float(size))) for price, size in book.bids)
        return msgspec.structs.replace(book, bids=bids)


@breaks(6)
class WaitsOnTheEnginesThread(SimulatedAdapter):
    """get_order_book_depth answers wherever it is called."""

    def get_order_book_depth(self, instrument_id: str, levels: int, deadline_s: float = 5.0) -> ExactBook:
        try:
            return super().get_order_book_depth(instrument_id, levels, deadline_s)
        except InvariantBroken:
            return self.fetch_order_book(instrument_id, levels, deadline_s)


@breaks(6)
class ShowsAStaleBook(SimulatedAdapter):
    """The last book is given although the link is lost."""

    def get_order_book_from_websocket(self, instrument_id: str) -> ExactBook | None:
        book = super().get_order_book_from_websocket(instrument_id)
        if book is not None:
            self._kept[instrument_id] = book
        return book or self._kept.get(instrument_id)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._kept: dict[str, ExactBook] = {}


@breaks(6)
class ShowsOldBestPrices(SimulatedAdapter):
    """The last best prices are given although the link is lost."""

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        return self.market_data.best(instrument_id) or self._last_best

    def on_tick(self, tick: TickData) -> None:
        super().on_tick(tick)
        self._last_best = self.market_data.best(tick.instrument_id)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._last_best: BestBidOffer | None = None


@breaks(6)
class CallsARequestedBookTheStreams(SimulatedAdapter):
    """A book that was requested says that it came by stream."""

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        book = super().fetch_order_book(instrument_id, levels, deadline_s)
        return msgspec.structs.replace(book, source="stream")


@breaks(7)
class ClosesOnlyOnce(SimulatedAdapter):
    """A second close raises."""

    _closings = 0

    def close(self, deadline_s: float = 5.0) -> str:
        self._closings += 1
        if self._closings > 1:
            raise InvariantBroken("closed before")
        return super().close(deadline_s)


@breaks(7)
class LeaksAThread(SimulatedAdapter):
    """A thread of its own outlives close."""

    def connect(self) -> None:
        threading.Thread(target=threading.Event().wait, args=(1.0,), name="simulated-leak", daemon=True).start()
        super().connect()


@breaks(7)
class LeaksAListener(SimulatedAdapter):
    """It goes on listening to the venue after close."""

    def _end(self) -> None:
        super()._end()
        self.session.listen(self.account, self._hear)


@breaks(7)
class LeaksAHook(SimulatedAdapter):
    """Its job after each step stays."""

    def _end(self) -> None:
        super()._end()
        self.session.do_after_step(self._reports.flush)


@breaks(7)
class ReconnectsAfterClosing(SimulatedAdapter):
    """A back-off that was running when it was closed goes on."""

    def _end(self) -> None:
        come_back, self._come_back = self._come_back, None
        super()._end()
        if come_back is not None:
            self.session.do_after_step(come_back)


@breaks(8)
class SendsPastThePermit(SimulatedAdapter):
    """The permit is not asked."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.context = msgspec.structs.replace(self.context, permit=SendPermit())


@breaks(8)
class AsksThePermitEarly(SimulatedAdapter):
    """The permit is asked by the caller, before the queue, and not again."""

    def send_order(self, order: ApprovedOrder) -> None:
        asked = self.context.permit
        if asked.send(lambda: None, reduces=order.reduces):
            self.context = msgspec.structs.replace(self.context, permit=SendPermit())
        super().send_order(order)


@breaks(8)
class HoldsCancelsBack(SimulatedAdapter):
    """Cancels ask the permit too."""

    def cancel_order(self, request: CancelRequest) -> None:
        if self.context.permit.state is GateState.ACTIVE:
            super().cancel_order(request)


@breaks(8)
class HoldsReducingOrdersBack(SimulatedAdapter):
    """A reducing order is treated like any other."""

    def send_order(self, order: ApprovedOrder) -> None:
        super().send_order(msgspec.structs.replace(order, reduces=False))


@breaks(8)
class DropsWhatItMayNotSend(SimulatedAdapter):
    """An order that the permit stops is not heard of again."""

    def on_order(self, order: OrderData) -> None:
        if order.rule != "send_permit":
            super().on_order(order)
