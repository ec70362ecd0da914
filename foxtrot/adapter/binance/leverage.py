"""What leverage each contract of a USD-M account is set to, and whether an order may open with it."""

from collections.abc import Mapping

import msgspec

from foxtrot.adapter.binance.exact import read
from foxtrot.adapter.binance.order_codec import opens
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder


class _SymbolConfig(msgspec.Struct, frozen=True):
    symbol: str
    leverage: int


class _ConfigChange(msgspec.Struct, frozen=True):
    s: str
    l: int  # noqa: E741  (the venue's name)


class Leverage:
    """Knows the leverage of each symbol and refuses orders that would open above the account's limit.

    Thread: binance-io.
    """

    def __init__(self, session: BinanceSession, most: int = 0) -> None:
        self.most = most
        self._session = session
        self._levels: dict[str, int] = {}

    async def load(self) -> None:
        """Ask for the leverage of every symbol, where a limit makes it matter.

        Raises:
            AdapterError: it cannot be had.

        Source: USDⓈ-M Futures, Account, Symbol Configuration.
        """
        if self.most and self._session.product is not Product.SPOT:
            rows = await self._session.request("fapiPrivateGetSymbolConfig", {})
            self._levels.update((row.symbol, row.leverage) for row in read(tuple[_SymbolConfig, ...], rows, "leverage"))

    async def check(self, order: ApprovedOrder, instrument: Instrument) -> None:
        """Refuse an order that may open a position while its symbol is set to more leverage than the limit.

        Raises:
            OrderRefused: it is; the fix is named.
            AdapterError: the leverage is not known and cannot be had.
        """
        if not self.most or instrument.product is Product.SPOT or not opens(order):
            return
        level = self._levels.get(instrument.symbol)
        if level is None:
            level = await self._ask(instrument.symbol)
        if level > self.most:
            fix = f"set {instrument.symbol} to {self.most}x or less (setting leverage), or raise max_leverage"
            text = f"{instrument.symbol} is set to {level}x at Binance, above max_leverage = {self.most}: {fix}"
            raise OrderRefused("max_leverage", f"{self.most}x", f"{level}x", text)

    def hear(self, event: Mapping[str, object]) -> None:
        """Take an ACCOUNT_CONFIG_UPDATE.

        Raises:
            BadMessage: it is none.

        Source: USDⓈ-M Futures, User Data Streams, Event: Account Configuration Update.
        """
        if isinstance(event.get("ac"), Mapping):
            change = read(_ConfigChange, event["ac"], "ACCOUNT_CONFIG_UPDATE")
            self._levels[change.s] = change.l

    async def _ask(self, symbol: str) -> int:
        rows = read(
            tuple[_SymbolConfig, ...],
            await self._session.request("fapiPrivateGetSymbolConfig", {"symbol": symbol}),
            "leverage",
        )
        self._levels.update((row.symbol, row.leverage) for row in rows)
        return self._levels.get(symbol, 0)
