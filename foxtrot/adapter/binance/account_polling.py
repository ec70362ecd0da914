"""What the account's stream would tell, asked for by REST: open orders, fills by id, balances and positions.

What one round costs is counted for every second; `whole` rounds come every WHOLE_EVERY_S seconds and once when the stream is back.

    spot    of 6,000 a minute   account 20, open orders 6 per symbol with orders    1,200 + 360 per such symbol
                                whole: all open orders 80, fills 20 per symbol        320 + 80 per symbol that may have traded
    USD-M   of 2,400 a minute   account 5, positions 5, open orders 1 + 1 per symbol  600 + 120 per such symbol
                                whole: 40 + 40, fills 5 per symbol                     320 + 20 per symbol that may have traded

Fills are asked for (20; 5) besides only of symbols whose orders have traded. While the minute's weight is mostly spent, by market
data for one, balances and positions wait; orders do not.

Source: Binance spot API, rest-api (Current open orders, Account trade list, Account information); USDⓈ-M Futures, likewise named.
"""

from collections.abc import Iterable
from typing import Final

from loguru import logger

from foxtrot.adapter.binance.account import AccountAnswers
from foxtrot.adapter.binance.account_trades import is_of_symbol
from foxtrot.adapter.binance.orders import Orders
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import VenueRejected
from foxtrot.domain.order import OrderData

WHOLE_EVERY_S: Final = 15.0
MANY_SYMBOLS: Final = {Product.SPOT: 13, Product.PERPETUAL: 40}
"""With orders in more symbols, the list of all is the cheaper one."""
MOSTLY_SPENT: Final = {Product.SPOT: 4_500, Product.PERPETUAL: 1_800}


class AccountPolling:
    """Asks a round at a time, and gives the answers to those who hear the stream, so that nothing is told twice.

    Thread: binance-io.
    """

    def __init__(self, session: BinanceSession, orders: Orders, answers: AccountAnswers) -> None:
        self.rounds = 0
        self.under_way = False
        """Whether a round is not answered yet."""
        self._session = session
        self._orders = orders
        self._answers = answers
        self._whole_ns = 0
        self._skipped: set[str] = set()

    async def poll(self, *, whole: bool) -> None:
        """Ask once for what may have changed, or for everything, and tell what is new.

        Raises:
            AdapterError: something could not be had; what was told before is right.
        """
        self.rounds += 1
        self.under_way = True
        try:
            await self._round(whole=whole)
        finally:
            self.under_way = False

    async def _round(self, *, whole: bool) -> None:
        now_ns = self._session.clock.monotonic_ns()
        whole = whole or now_ns - self._whole_ns >= WHOLE_EVERY_S * 1e9
        traded = await self._poll_orders(whole=whole)
        traded |= self._symbols_of(self._orders.tracker.lacking())
        await self._poll_fills(traded | self._answers.symbols() if whole else traded)
        if whole or self._session.health.used_weight < MOSTLY_SPENT[self._session.product]:
            await self._answers.poll()
        if whole:
            self._whole_ns = now_ns

    async def _poll_orders(self, *, whole: bool) -> set[str]:
        """Ask for the open orders, and for each of ours that is open no more; returns the symbols whose orders have traded."""
        tracker, known = self._orders.tracker, self._orders.working()
        before = {order.order_id: order for order in tracker.open_orders()}
        symbols = self._symbols_of(before.values())
        one_list = whole or len(symbols) > MANY_SYMBOLS[self._session.product]
        listed, skipped = await self._open_orders([""] if one_list else sorted(symbols))
        gone = known - {order.order_id for order in listed}
        for order in before.values():
            symbol = self._symbol_of(order)
            if (
                order.order_id in gone and symbol and symbol not in skipped
            ):  # a conditional one tells which order it became, before that is told
                await self._orders.look_at(order.order_id, order.instrument_id)
        for order in listed:
            tracker.report(self._answers.told_as(order))
        return self._symbols_of(
            now
            for order_id in {*before, *(order.order_id for order in listed)}
            if (now := tracker.last(order_id)) is not None
            and now.filled_quantity > (before[order_id].filled_quantity if order_id in before else 0.0)
        )

    async def _open_orders(self, symbols: Iterable[str]) -> tuple[list[OrderData], set[str]]:
        """Return the open orders of some symbols, and the symbols of which Binance refuses to list them."""
        listed: list[OrderData] = []
        skipped: set[str] = set()
        for symbol in symbols:
            try:
                listed += await self._answers.open_orders(symbol)
                self._skipped.discard(symbol)
            except VenueRejected as refusal:
                if not symbol or not is_of_symbol(refusal):
                    raise
                skipped.add(symbol)
                self._say_skipped(symbol, str(refusal))
        return listed, skipped

    async def _poll_fills(self, symbols: set[str]) -> None:
        """Ask for the fills of some symbols and tell those that are new, after the states of their orders."""
        tracker = self._orders.tracker
        for trade in await self._answers.new_trades(symbols):
            if tracker.last(trade.order_id) is None:  # placed elsewhere, and done between two rounds
                await self._orders.look_at(trade.order_id, trade.instrument_id)
            tracker.fill(trade)

    def _symbols_of(self, orders: Iterable[OrderData]) -> set[str]:
        return {symbol for order in orders if (symbol := self._symbol_of(order))}

    def _symbol_of(self, order: OrderData) -> str:
        """Return an order's symbol, "" where Binance does not list it any more: nothing can be asked of it."""
        instrument = self._session.find_instrument(order.instrument_id)
        if instrument is None:
            self._say_skipped(order.instrument_id, "Binance does not list it")
            return ""
        return instrument.symbol

    def _say_skipped(self, name: str, why: str) -> None:
        """Log once why a symbol is left out of the rounds."""
        if name not in self._skipped:
            self._skipped.add(name)
            logger.warning("{}: the orders of {} are not asked for: {}", self._session.account, name, why)
