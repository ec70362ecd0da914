"""The part of a Binance adapter that sends two orders of which one ends the other: order lists, which spot alone has."""

import abc
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.orders import NOT_CONNECTED
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.trading_side import TradingSide
from foxtrot.domain.order import ApprovedOrder


class PairSending(BaseAdapter):
    """Hands pairs over to the account's side.

    Thread: any.
    """

    session: BinanceSession
    trading: TradingSide

    @abc.abstractmethod
    def _submit(self, job: Callable[[], Coroutine[Any, Any, None]], name: str) -> bool:
        """Run something on binance-io; False when the adapter does not run."""

    def send_pair(self, first: ApprovedOrder, second: ApprovedOrder) -> None:
        """Send two orders of which one ends the other; the permit is read as the last act before their bytes go to the socket."""
        if not self.capabilities.oco:
            super().send_pair(first, second)
            return
        place = partial(self.trading.orders.place_pair, first, second)
        if not self.session.settings.has_keys or not self._submit(place, first.order_id):
            for order in (first, second):
                self.trading.orders.deny(order, "not_connected", NOT_CONNECTED)
