"""All conditional orders of USD-M: kept by id, shown every price, and turned into ordinary orders when their trigger is reached."""

from collections.abc import Callable

from foxtrot.domain.enums import OrderType, PositionSide, TimeInForce
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.events import OrderEvent, PositionChanged
from foxtrot.exchange.wire.binance.usdm_algo_order import PRICED, AlgoOrder, algo_event
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, OrderNote, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import refused
from foxtrot.exchange.wire.binance.usdm_order_terms import TIMES_IN_FORCE
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_params import PREVENTIONS

FIRST_ID = 2_000_000_000_000
_KEPT = 10_000
_CONTRACT, _MARK = "CONTRACT_PRICE", "MARK_PRICE"


class AlgoBook:
    """Conditional orders, waiting and past.

    Prices are noted as they are heard; `fire` acts on them when the command that made them has been told in full. Money is
    looked at only then, as Binance does.

    Thread: exchange-io.

    Args:
        desk: the venue.
        tell: takes (account, payload) of an ALGO_UPDATE.
    """

    def __init__(self, desk: UsdmDesk, tell: Callable[[str, Row], None]) -> None:
        self._desk = desk
        self._tell = tell
        self._next_id = FIRST_ID
        self.orders: dict[int, AlgoOrder] = {}
        self._waiting: dict[str, dict[int, AlgoOrder]] = {}
        self._working: dict[int, AlgoOrder] = {}
        self._marked: set[str] = set()
        self._reached: dict[int, AlgoOrder] = {}

    def take_id(self) -> int:
        """Return the next id; conditional orders count apart from ordinary ones.

        Source: Binance USDⓈ-M Futures, New Algo Order, algoId.
        """
        self._next_id += 1
        return self._next_id

    def waiting(self, account: str, instrument_id: str = "") -> list[AlgoOrder]:
        """Return an account's waiting orders, oldest first.

        Source: Binance USDⓈ-M Futures, Current All Algo Open Orders.
        """
        books = [self._waiting.get(instrument_id, {})] if instrument_id else self._waiting.values()
        found = [one for book in books for one in book.values() if one.account == account]
        return sorted(found, key=lambda one: one.algo_id)

    def add(self, algo: AlgoOrder) -> None:
        """Let a new order wait.

        Source: Binance USDⓈ-M Futures, Event: Algo Order Update, X NEW.
        """
        self.orders[algo.algo_id] = algo
        self._waiting.setdefault(algo.instrument.instrument_id, {})[algo.algo_id] = algo
        if len(self.orders) > _KEPT:
            self._forget()
        self.change(algo, "NEW")

    def end(self, algo: AlgoOrder, status: str, reason: str = "") -> None:
        """Take a waiting order out.

        Source: Binance USDⓈ-M Futures, Event: Algo Order Update, X CANCELED, EXPIRED, REJECTED.
        """
        self._waiting[algo.instrument.instrument_id].pop(algo.algo_id, None)
        self._reached.pop(algo.algo_id, None)
        algo.reason = reason
        self.change(algo, status)

    def change(self, algo: AlgoOrder, status: str) -> None:
        """Note and tell a new status.

        Source: Binance USDⓈ-M Futures, Event: Algo Order Update.
        """
        algo.status, algo.updated_ns = status, self._desk.venue.time_ns
        self._tell(algo.account, algo_event(algo, algo.updated_ns // MS_NS))

    def price_of(self, algo: AlgoOrder) -> int:
        """Return the price now that an order watches, 0 when there is none yet.

        Source: Binance USDⓈ-M Futures, New Algo Order, workingType.
        """
        ticker = self._desk.venue.ticker(algo.instrument.instrument_id)
        return ticker.mark_price if algo.working_type == _MARK else ticker.last_price

    def hear_trade(self, instrument_id: str, price: int) -> None:
        """Note a trade; it is the mark price too while none was set.

        Source: Binance USDⓈ-M Futures, New Algo Order, workingType CONTRACT_PRICE.
        """
        if self._waiting.get(instrument_id):
            self._show(instrument_id, price, _CONTRACT)
            if instrument_id not in self._marked:
                self._show(instrument_id, price, _MARK)

    def hear_mark(self, instrument_id: str, price: int) -> None:
        """Note a mark price.

        Source: Binance USDⓈ-M Futures, New Algo Order, workingType MARK_PRICE.
        """
        self._marked.add(instrument_id)
        self._show(instrument_id, price, _MARK)

    def fire(self) -> None:
        """Enter the ordinary orders of all conditional ones whose trigger was reached, oldest first.

        Source: Binance USDⓈ-M Futures, Event: Algo Order Update, X TRIGGERING, TRIGGERED.
        """
        while self._reached:
            algo = self._reached.pop(min(self._reached))
            self._spawn(algo)

    def expire(self, now_ms: int) -> None:
        """End the waiting orders whose time is over.

        Source: Binance USDⓈ-M Futures, New Algo Order, goodTillDate.
        """
        for book in self._waiting.values():
            for algo in [one for one in book.values() if 0 < one.good_till_ms <= now_ms]:
                self.end(algo, "EXPIRED")

    def hear_order(self, event: OrderEvent, has_ended: bool) -> None:
        """Follow the ordinary order that came of a conditional one.

        Source: Binance USDⓈ-M Futures, Event: Algo Order Update, X FINISHED with ap and aq.
        """
        algo = self._working.get(event.order_id)
        if algo is None:
            return
        algo.filled, algo.cost = event.filled, event.cost
        if has_ended:
            del self._working[event.order_id]
            self.change(algo, "FINISHED")

    def hear_closed(self, event: PositionChanged) -> None:
        """End the waiting orders that live only as long as the position that was just closed.

        Source: Binance USDⓈ-M Futures, New Algo Order, timeInForce GTE_GTC.
        """
        for algo in self.waiting(event.account, event.instrument_id):
            if algo.time_in_force == "GTE_GTC" and algo.position_side is event.position_side:
                self.end(algo, "EXPIRED")

    def _show(self, instrument_id: str, price: int, working_type: str) -> None:
        for algo in self._waiting.get(instrument_id, {}).values():
            if algo.working_type == working_type and algo.is_reached(price):
                self._reached[algo.algo_id] = algo

    def _spawn(self, algo: AlgoOrder) -> None:
        del self._waiting[algo.instrument.instrument_id][algo.algo_id]
        algo.triggered_ns = self._desk.venue.time_ns
        self.change(algo, "TRIGGERING")
        quantity = self._closing(algo) if algo.close_position else algo.quantity
        if not quantity:
            algo.reason = "There is no position to close."
            self.change(algo, "EXPIRED")
            return
        result = self._desk.execute(self._order(algo, quantity))
        if not result.ok:
            algo.reason = refused(result, algo.instrument).msg
            self.change(algo, "REJECTED")
            return
        algo.order_id = result.order_id
        note = OrderNote(algo.prevention, algo.good_till_ms, 0, algo.algo_id, algo.close_position, algo.working_type)
        self._desk.write_note(algo.order_id, note)
        self._working[algo.order_id] = algo
        self.change(algo, "TRIGGERED")

    def _order(self, algo: AlgoOrder, quantity: int) -> PlaceOrder:
        priced = algo.order_type in PRICED
        time_in_force, post_only = TIMES_IN_FORCE.get(algo.time_in_force, (TimeInForce.GTC, False))
        lasts = priced and time_in_force is TimeInForce.GTD
        netting = algo.position_side is PositionSide.NET
        return PlaceOrder(
            self._desk.side.now_ns(),
            algo.account,
            algo.instrument.instrument_id,
            algo.client_algo_id,
            algo.side,
            OrderType.LIMIT if priced else OrderType.MARKET,
            quantity,
            algo.price,
            0,
            time_in_force if priced else TimeInForce.GTC,
            algo.reduce_only or (algo.close_position and netting),
            post_only and priced,
            algo.position_side,
            expire_time_ns=algo.good_till_ms * MS_NS if lasts else 0,
            stp=None if algo.prevention == "NONE" else PREVENTIONS[algo.prevention],
        )

    def _closing(self, algo: AlgoOrder) -> int:
        held, _ = self._desk.venue.position_basis(algo.account, algo.instrument.instrument_id, algo.position_side)
        return max(0, -held if algo.is_buy else held)

    def _forget(self) -> None:
        for algo_id, algo in self.orders.items():
            if algo.status not in ("NEW", "TRIGGERED"):
                del self.orders[algo_id]
                return
