"""Fills whose order was not seen yet: counted at once, and kept for the order's record until it comes."""

from foxtrot.domain.order import TradeData
from foxtrot.trading.order_record import OrderRecord

OrderKey = tuple[str, str, str]
"""(account, instrument id, order id)"""


class EarlyFills:
    """Fills by order and trade id, so that none is counted twice.

    `forgotten_until_ns` is, by account, the venue's time of the latest fill of an order that was not carried along from an
    earlier run: a fill no later than that, whose order is not known, is one that was counted then.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self.forgotten_until_ns: dict[str, int] = {}
        self._by_order: dict[OrderKey, dict[str, tuple[TradeData, int, int]]] = {}

    def add(self, trade: TradeData, quantity_units: int, price_units: int) -> bool:
        """Keep a fill; False when it is kept already, or was counted by an earlier run."""
        if trade.venue_time_ns <= self.forgotten_until_ns.get(trade.account, -1):
            return False
        fills = self._by_order.setdefault((trade.account, trade.instrument_id, trade.order_id), {})
        if trade.trade_id in fills:
            return False
        fills[trade.trade_id] = (trade, quantity_units, price_units)
        return True

    def hand_over(self, record: OrderRecord) -> None:
        """Give a new record the fills that came before it."""
        terms = record.terms
        fills = self._by_order.pop((terms.account, terms.instrument_id, terms.order_id), {})
        for trade, quantity_units, price_units in fills.values():
            record.add_fill(trade, quantity_units, price_units)

    def all(self, account: str) -> list[TradeData]:
        """Return the kept fills of an account."""
        return [trade for key, fills in self._by_order.items() if key[0] == account for trade, _, _ in fills.values()]
