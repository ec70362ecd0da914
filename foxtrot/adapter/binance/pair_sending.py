"""The part of a Binance adapter that sends two orders of which one ends the other: order lists, which spot alone has."""

from functools import partial

from foxtrot.adapter.binance.orders import NOT_CONNECTED
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.trading_side import TradingSide
from foxtrot.adapter.session_adapter import SessionAdapter
from foxtrot.domain.order import ApprovedOrder


class PairSending(SessionAdapter):
    """Hands pairs over to the account's side.

    Thread: any.
    """

    session: BinanceSession
    trading: TradingSide

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        """Send two orders of which one ends the other; the permit is read as the last act before their bytes go to the socket."""
        if not self.capabilities.oco:
            super().send_pair(first, second)
            return
        place = partial(self.trading.orders.place_pair, first, second)
        if not self.session.settings.has_keys or not self.submit(place, first.order_id):
            for order in (first, second):
                self.trading.orders.deny(order, "not_connected", NOT_CONNECTED)
