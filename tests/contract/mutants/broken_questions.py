"""Adapters that break promise 9, about what a reconciliation asks; each says what it does wrong."""

import msgspec

from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.core.notices import OpenOrdersLoaded, TradesLoaded
from foxtrot.domain.order import OrderData
from foxtrot.trading.order_ids import is_ours
from tests.contract.mutants.broken_promises import breaks


@breaks(9)
class KnowsOpenOrdersOnly(SimulatedAdapter):
    """An order that has ended is told as one that never was."""

    def query_order(self, order_id: str, instrument_id: str) -> None:
        opened = {order.client_order_id for order in self.session.venue.open_orders(self.account)}
        if order_id in opened:
            super().query_order(order_id, instrument_id)
        else:
            self.on_order_missing(order_id, instrument_id)


@breaks(9)
class TellsNewsOnly(SimulatedAdapter):
    """An order that was asked for is told only when something of it has changed."""

    _last: OrderData | None = None

    def on_order(self, order: OrderData) -> None:
        known, self._last = self._last, msgspec.structs.replace(order, local_time_ns=0, source="")
        if known is None or (known.order_id, known.status) != (order.order_id, order.status):
            super().on_order(order)


@breaks(9)
class SaysNothingOfAbsence(SimulatedAdapter):
    """That there is no such order is kept to itself."""

    def on_order_missing(self, order_id: str, instrument_id: str) -> None:
        self._missing = (order_id, instrument_id)


@breaks(9)
class ListsItsOwnOrdersOnly(SimulatedAdapter):
    """What somebody else placed is left out of the list of open orders."""

    def on_open_orders(self, orders: OpenOrdersLoaded) -> None:
        mine = tuple(order for order in orders.orders if is_ours(order.order_id) or order.order_id.startswith("t-"))
        super().on_open_orders(msgspec.structs.replace(orders, orders=mine))


@breaks(9)
class LeavesTheCursorOut(SimulatedAdapter):
    """The fill of the cursor's own moment is taken as known."""

    def on_trades(self, trades: TradesLoaded) -> None:
        later = tuple(trade for trade in trades.trades if trade.venue_time_ns > trades.since_ns)
        super().on_trades(msgspec.structs.replace(trades, trades=later))
