"""What the surface knows of an order beside what the venue keeps, and how both together make an order as Futu sees it."""

from collections.abc import Iterator
from typing import Final

import msgspec

from foxtrot.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.futu.trade_texts import text
from foxtrot.exchange.wire.futu.venue_side import FutuAccount, FutuSide

WAITING_SUBMIT, SUBMITTING, SUBMITTED = 1, 2, 5
FILLED_PART, FILLED_ALL = 10, 11
CANCELLING_PART, CANCELLING_ALL, CANCELLED_PART, CANCELLED_ALL = 12, 13, 14, 15
FAILED = 21
OPEN: Final = frozenset({WAITING_SUBMIT, SUBMITTING, SUBMITTED, FILLED_PART, CANCELLING_PART, CANCELLING_ALL})
"""Order statuses (Trd_Common.OrderStatus), and those of orders that may still trade."""
DAY, GTC, IOC, GTD = 0, 1, 2, 3
"""Times in force (Trd_Common.TimeInForce)."""

_FIRST_ID: Final = 5_615_000_000_000_000_000
_FIRST_WAITING_ID: Final = 5_715_000_000_000_000_000
_ENTERED, _HELD = "FT", "FW"
_KEPT: Final = 20_000
_DAY_NS: Final = 86_400 * 1_000_000_000
_TYPES: Final = {
    OrderType.LIMIT: 1, OrderType.MARKET: 2, OrderType.STOP: 10, OrderType.STOP_LIMIT: 11, OrderType.TAKE_PROFIT: 12,
    OrderType.TAKE_PROFIT_LIMIT: 13, OrderType.TRAILING_STOP: 14,
}  # fmt: skip
_TIMES: Final = {TimeInForce.GTC: GTC, TimeInForce.IOC: IOC, TimeInForce.FOK: DAY, TimeInForce.DAY: DAY}
_MARK: Final = "~"
"""Stands between a remark and what makes it different from that of another open order."""


class OrderState(msgspec.Struct, frozen=True, gc=False):
    """An order at one moment; prices and quantities in units, `cost` the sum of price * quantity of its fills."""

    status: int
    quantity: int
    price: int
    trigger: int
    filled: int
    cost: int
    updated_ns: int
    error: str = ""


class TradeOrder(msgspec.Struct):
    """One order. `venue_id` is 0 while it waits for its market to open, and when it failed before the venue saw it.

    `command` is what enters it at the venue; `held` how it stands while no order of the venue bears it.

    Thread: exchange-io.
    """

    account: FutuAccount
    instrument: Instrument
    order_id: int
    order_id_ex: str
    side: Side
    order_type: int
    time_in_force: int
    created_ns: int
    updated_ns: int
    remark: str = ""
    outside_hours: bool = False
    session: int = 0
    expire_time: str = ""
    trail_type: int = 0
    trail_value: float = 0.0
    venue_id: int = 0
    error: str = ""
    command: PlaceOrder | None = None
    held: OrderState | None = None
    is_entered_again: bool = False


class TradeOrders:
    """The orders of all accounts, by their ids; one that only the venue knows is taken up when it is first seen.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide) -> None:
        self._side = side
        self._by_name: dict[str, TradeOrder] = {}
        self._by_venue_id: dict[int, TradeOrder] = {}
        self._apart: dict[str, TradeOrder] = {}
        """Orders that no order of the venue bears, by their extended id."""
        self._held = self._suffix = 0
        self._replaced: set[int] = set()
        """Orders of the venue whose place another one has taken."""

    def add(self, order: TradeOrder, venue_id: int = 0) -> TradeOrder:
        """Give an order its ids and keep it.

        Source: Futu OpenAPI documentation, Place Order: orderID, orderIDEx.
        """
        if venue_id:
            order.order_id, order.order_id_ex = _FIRST_ID + venue_id, f"{_ENTERED}{venue_id:010d}"
        else:
            self._held += 1
            order.order_id, order.order_id_ex = _FIRST_WAITING_ID + self._held, f"{_HELD}{self._held:010d}"
            self._apart[order.order_id_ex] = order
        self._by_name[order.order_id_ex] = order
        if venue_id:
            self.bind(order, venue_id)
        if len(self._by_name) > _KEPT:
            self._forget(next(iter(self._by_name)))
        return order

    def bind(self, order: TradeOrder, venue_id: int) -> None:
        """Note which order of the venue bears an order.

        Source: none; Foxtrot's own book-keeping.
        """
        order.venue_id, order.held = venue_id, None
        self._apart.pop(order.order_id_ex, None)
        self._by_venue_id[venue_id] = order

    def rebind(self, order: TradeOrder, venue_id: int) -> None:
        """Note that another order of the venue bears an order from now on; what becomes of the former one is not told.

        Source: Futu OpenAPI documentation, Modify or Cancel Orders: the order keeps its id.
        """
        self._replaced.add(order.venue_id)
        self._by_venue_id.pop(order.venue_id, None)
        order.is_entered_again = True
        self.bind(order, venue_id)

    def named(self, account: FutuAccount, order_id_ex: str) -> TradeOrder | None:
        """Return an account's order by its extended id, the only one that clients send.

        Source: Futu OpenAPI documentation, Modify or Cancel Orders: orderIDEx; seen with futu-api 10.11.7108.
        """
        found = self._by_name.get(order_id_ex)
        if found is None and order_id_ex.startswith(_ENTERED) and order_id_ex[len(_ENTERED) :].isdecimal():
            found = self._unseen(account, int(order_id_ex[len(_ENTERED) :]))
        fits = found is not None and found.account == account and found.order_id_ex == order_id_ex
        return found if fits else None

    def of_venue(self, account: FutuAccount, instrument: Instrument, report: OrderReport) -> TradeOrder:
        """Return the order that an order of the venue bears, taken up if it is not known.

        Source: none; orders outlive the server in its snapshot.
        """
        return self._by_venue_id.get(report.order_id) or self._take_up(account, instrument, report)

    def by_venue_id(self, account: FutuAccount, instrument: Instrument, venue_id: int) -> TradeOrder | None:
        """Return the order that an order of the venue bears, by its id there; None when the venue has forgotten it.

        Source: none; orders outlive the server in its snapshot.
        """
        found = self._by_venue_id.get(venue_id)
        if found is not None or venue_id in self._replaced:
            return found
        report = self._side.venue.order(account.account, instrument.instrument_id, venue_id)
        return None if report is None else self._take_up(account, instrument, report)

    def all(self, account: FutuAccount) -> Iterator[tuple[TradeOrder, OrderState]]:
        """Return the orders of an account as they stand, those of one stock after the other, then those held back.

        Source: Futu OpenAPI documentation, Get Orders.
        """
        for instrument in self._side.stocks().values():
            for report in self._side.venue.all_orders(account.account, instrument.instrument_id):
                if report.order_id not in self._replaced:
                    order = self.of_venue(account, instrument, report)
                    yield order, _state_of(order, report)
        for order in tuple(self._apart.values()):
            if order.held is not None and order.account == account:
                yield order, order.held

    def waiting(self) -> list[TradeOrder]:
        """Return the orders that wait for their market to open, oldest first.

        Source: Futu OpenAPI documentation, OrderStatus: WAITING_SUBMIT.
        """
        return [one for one in self._apart.values() if one.held is not None and one.held.status == WAITING_SUBMIT]

    def state(self, order: TradeOrder) -> OrderState:
        """Return how an order stands.

        Source: Futu OpenAPI documentation, OrderStatus.
        """
        if order.held is not None:
            return order.held
        report = self._side.venue.order(order.account.account, order.instrument.instrument_id, order.venue_id)
        if report is None:  # ended so long ago that the venue has forgotten it
            return OrderState(CANCELLED_ALL, 0, 0, 0, 0, 0, order.updated_ns, order.error)
        return _state_of(order, report)

    def venue_name(self, account: FutuAccount, remark: str) -> str:
        """Return the id by which the venue shall know a new order: its remark, made different where one is open by that name.

        Source: Futu OpenAPI documentation, Place Order: remark is the customer's mark of an order, and need not be unique.
        """
        waiting = {one.command.client_order_id for one in self.waiting() if one.command and one.account == account}
        name = remark
        while not name or name in waiting or self._is_open(account, name):
            self._suffix += 1
            name = f"{remark}{_MARK}{self._suffix}"
        return name

    def _is_open(self, account: FutuAccount, name: str) -> bool:
        """Tell whether the account has an open order of a name, of whatever the venue lists."""
        for instrument in self._side.venue.instruments():
            report = self._side.venue.order(account.account, instrument.instrument_id, client_order_id=name)
            if report is not None and report.status in (OrderStatus.ACCEPTED, OrderStatus.PARTIALLY_FILLED):
                return True
        return False

    def _unseen(self, account: FutuAccount, venue_id: int) -> TradeOrder | None:
        for instrument in self._side.stocks().values():
            found = self.by_venue_id(account, instrument, venue_id)
            if found is not None:
                return found
        return None

    def _take_up(self, account: FutuAccount, instrument: Instrument, report: OrderReport) -> TradeOrder:
        time_in_force = _TIMES.get(report.time_in_force, GTD)
        if time_in_force == GTD and report.expire_time_ns - report.time_ns <= _DAY_NS:
            time_in_force = DAY
        remark = (
            report.client_order_id.rpartition(_MARK)[0] if _MARK in report.client_order_id else report.client_order_id
        )
        order = TradeOrder(
            account, instrument, 0, "", report.side, _TYPES[report.order_type], time_in_force, report.time_ns,
            report.time_ns, remark,
        )  # fmt: skip
        return self.add(order, report.order_id)

    def _forget(self, order_id_ex: str) -> None:
        order = self._by_name.pop(order_id_ex)
        self._apart.pop(order_id_ex, None)
        if self._by_venue_id.get(order.venue_id) is order:
            del self._by_venue_id[order.venue_id]


def ended_status(filled: int) -> int:
    """Return the status of an order that ended before all of it was filled.

    Source: Futu OpenAPI documentation, OrderStatus: CANCELLED_PART, CANCELLED_ALL.
    """
    return CANCELLED_PART if filled else CANCELLED_ALL


def end_text(reason: str) -> str:
    """Return what an order says of its end: nothing where its owner took it out or it could not rest.

    Source: Futu OpenAPI documentation, Order: lastErrMsg.
    """
    keys = {"no_liquidity": "no_liquidity", "gtd": "expired", "day": "expired"}
    if reason in keys:
        return text(keys[reason])
    return "" if reason in ("", "cancelled", "ioc", "fok") else text("refused", reason=reason)


def _state_of(order: TradeOrder, report: OrderReport) -> OrderState:
    status = _status_of(report)
    error = end_text(report.reason) if status in (CANCELLED_PART, CANCELLED_ALL) else order.error
    return OrderState(
        status, report.quantity, report.price, report.trigger_price, report.filled, report.cost, order.updated_ns, error
    )


def _status_of(report: OrderReport) -> int:
    known = {
        OrderStatus.ACCEPTED: SUBMITTED,
        OrderStatus.PARTIALLY_FILLED: FILLED_PART,
        OrderStatus.FILLED: FILLED_ALL,
    }
    return known.get(report.status) or ended_status(report.filled)
