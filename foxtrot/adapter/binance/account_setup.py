"""What an account is set to at Binance and what its key may do: read at each connect, changed only where the settings say so."""

import asyncio
from collections.abc import Callable
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.binance.errors import VENUE, NotSetUp
from foxtrot.adapter.binance.key_rights import KeyCheck
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.domain.enums import PositionMode, Product
from foxtrot.domain.errors import BadMessage, VenueRejected

NO_CHANGE: Final = frozenset({"-4046", "-4059"})
"""Refusals that say that it is so already.

Source: USDⓈ-M Futures, Error Codes, -4046 NO_NEED_TO_CHANGE_MARGIN_TYPE, -4059 NO_NEED_TO_CHANGE_POSITION_SIDE.
"""


class AccountSetup:
    """Compares the account with its settings.

    Thread: binance-io.

    Args:
        session: of the account.
        mode: the position mode it is to have.
        on_leverage: told the symbol and the leverage it was set to.
        warn: told what was looked at and what is wrong with it, where trading goes on all the same.
    """

    def __init__(
        self,
        session: BinanceSession,
        mode: PositionMode,
        on_leverage: Callable[[str, int], None],
        warn: Callable[[str, str], None],
    ) -> None:
        self._session = session
        self._settings = session.settings
        self._mode = mode
        self._on_leverage = on_leverage
        self.key = KeyCheck(session, warn)
        self._done: set[str] = set()
        self._kept: set[str] = set()  # have a position: not looked at again over this link
        self._turns: dict[str, asyncio.Lock] = {}

    async def check(self) -> None:
        """Look at the key's rights and, for USD-M, at the position mode.

        Raises:
            NotSetUp: the key may withdraw, or the account's position mode is another one and may not be changed.
            AdapterError: it cannot be asked.
        """
        self._kept.clear()
        await self.key.check()
        if self._session.product is not Product.SPOT:
            await self._check_mode()

    async def prepare(self, symbol: str) -> None:
        """Set a symbol's leverage and margin type as the settings say, unless it has a position or nothing is said.

        One that has a position is looked at again over the next link. Who asks while it is being set waits for that.

        Raises:
            AdapterError: Binance refuses, or does not answer.
        """
        wanted = self._settings.leverage or self._settings.margin_type
        if self._session.product is Product.SPOT or not wanted:
            return
        async with self._turns.setdefault(symbol, asyncio.Lock()):
            if symbol not in self._done | self._kept:
                await self._set(symbol)

    async def _set(self, symbol: str) -> None:
        row = _first(await self._session.request("fapiPrivateGetSymbolConfig", {"symbol": symbol}), symbol)
        changes = self._changes(symbol, row)
        if changes and await self._has_position(symbol):
            logger.warning("{} has a position in {}: leverage and margin type stay as they are", self._account, symbol)
            self._kept.add(symbol)
            return
        for endpoint, params in changes:
            await self._change(endpoint, params)
            if "leverage" in params:
                self._on_leverage(symbol, self._settings.leverage)
        self._done.add(symbol)

    @property
    def _account(self) -> str:
        return self._session.account

    def _changes(self, symbol: str, row: dict[str, Any]) -> list[tuple[str, dict[str, str]]]:
        changes = []
        margin_type, leverage = self._settings.margin_type.upper(), self._settings.leverage
        if margin_type and margin_type != str(row.get("marginType", "")).upper():
            changes.append(("fapiPrivatePostMarginType", {"symbol": symbol, "marginType": margin_type}))
        if leverage and leverage != row.get("leverage"):
            changes.append(("fapiPrivatePostLeverage", {"symbol": symbol, "leverage": str(leverage)}))
        return changes

    async def _change(self, endpoint: str, params: dict[str, str]) -> None:
        logger.info("{} sets {}", self._account, ", ".join(f"{key} = {value}" for key, value in params.items()))
        try:
            await self._session.request(endpoint, params)
        except VenueRejected as refusal:
            if refusal.code not in NO_CHANGE:
                raise

    async def _has_position(self, symbol: str = "") -> bool:
        rows = await self._session.request("fapiPrivateV3GetPositionRisk", {"symbol": symbol} if symbol else {})
        return any(float(row["positionAmt"]) for row in _rows(rows))

    async def _check_mode(self) -> None:
        answer = await self._session.request("fapiPrivateGetPositionSideDual", {})
        dual = answer.get("dualSidePosition") if isinstance(answer, dict) else None
        if not isinstance(dual, bool):
            raise BadMessage(VENUE, "position_mode", "the answer says no dualSidePosition")
        has = PositionMode.HEDGING if dual else PositionMode.NETTING
        if has is self._mode:
            return
        fix = f'set position_mode = "{has}" for it, or set_position_mode = true to have it changed'
        if not self._settings.set_position_mode:
            raise NotSetUp(f"account {self._account} is in position mode {has} at Binance, not {self._mode}: {fix}")
        if await self._has_position():
            raise NotSetUp(f"account {self._account} has positions: its position mode {has} stays; close them first")
        wanted = "true" if self._mode is PositionMode.HEDGING else "false"
        await self._change("fapiPrivatePostPositionSideDual", {"dualSidePosition": wanted})


def _rows(answer: Any) -> list[dict[str, Any]]:
    if not isinstance(answer, list):
        raise BadMessage(VENUE, "rows", "the answer is not a list")
    return [row for row in answer if isinstance(row, dict)]


def _first(answer: Any, symbol: str) -> dict[str, Any]:
    return next((row for row in _rows(answer) if row.get("symbol") == symbol), {})
