"""USD-M account, balances and positions."""

from collections.abc import Callable
from decimal import Decimal

import msgspec

from foxtrot.domain.enums import PositionSide
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.numbers import decimal_text
from foxtrot.exchange.wire.binance.usdm_desk import UsdmDesk
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_params import Params
from foxtrot.exchange.wire.binance.usdm_positions import (
    PositionView,
    account_row,
    account_row_v2,
    position_views,
    risk_row,
    risk_row_v2,
)

_ZERO = Decimal(0)
_RowOf = Callable[[PositionView, int], Row]


class AssetView(msgspec.Struct, frozen=True):
    """The money of an account in one settle asset."""

    asset: str
    wallet: Decimal
    locked: Decimal
    unrealised: Decimal
    maintenance: Decimal
    in_positions: Decimal
    in_orders: Decimal

    @property
    def equity(self) -> Decimal:
        """Return wallet balance plus unrealised profit.

        Source: Binance USDⓈ-M Futures, Account Information, marginBalance.
        """
        return self.wallet + self.unrealised

    @property
    def available(self) -> Decimal:
        """Return what is free for new orders.

        Source: Binance USDⓈ-M Futures, Account Information, availableBalance.
        """
        return max(_ZERO, self.equity - self.in_positions - self.in_orders)

    @property
    def withdrawable(self) -> Decimal:
        """Return what may be taken out; unrealised profit may not.

        Source: Binance USDⓈ-M Futures, Account Information, maxWithdrawAmount.
        """
        return max(_ZERO, min(self.available, self.wallet - self.locked))


class UsdmAccount:
    """Answers about money and positions.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk) -> None:
        self._desk = desk
        self._changed: dict[tuple[str, str, PositionSide], int] = {}

    def hear_position(self, account: str, instrument_id: str, side: PositionSide) -> None:
        """Note when a position last changed.

        Source: Binance USDⓈ-M Futures, Position Information V3, updateTime.
        """
        self._changed[account, instrument_id, side] = self._desk.time_ms

    def account_v3(self, call: Call) -> Row:
        """Return the account: totals, assets, and the positions that are held or ordered.

        Source: Binance USDⓈ-M Futures, Account Information V3; ws-fapi v2/account.status.
        """
        views = [view for view in position_views(self._desk, call.account) if view.is_shown]
        return {**self._sums(call.account), "positions": self._rows(call.account, views, account_row)}

    def account_v2(self, call: Call) -> Row:
        """Return the account with every symbol among the positions, and what it may do.

        Source: Binance USDⓈ-M Futures, Account Information V2; ws-fapi account.status.
        """
        views = position_views(self._desk, call.account)
        rights = {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }
        return {**rights, **self._sums(call.account), "positions": self._rows(call.account, views, account_row_v2)}

    def balance(self, call: Call) -> list[Row]:
        """Return the balances.

        Source: Binance USDⓈ-M Futures, Futures Account Balance V2 and V3; ws-fapi account.balance.
        """
        return [
            {
                "accountAlias": f"F{self._desk.side.uids.get(call.account, 0)}",
                "asset": one.asset,
                "balance": decimal_text(one.wallet),
                "crossWalletBalance": decimal_text(one.wallet),
                "crossUnPnl": decimal_text(one.unrealised),
                "availableBalance": decimal_text(one.available),
                "maxWithdrawAmount": decimal_text(one.withdrawable),
                "marginAvailable": True,
                "updateTime": self._desk.time_ms,
            }
            for one in self._assets(call.account)
        ]

    def risk_v3(self, call: Call) -> list[Row]:
        """Return the positions that are held or have open orders.

        Source: Binance USDⓈ-M Futures, Position Information V3; ws-fapi v2/account.position.
        """
        views = [view for view in self._views(call) if view.is_shown]
        return self._rows(call.account, views, risk_row)

    def risk_v2(self, call: Call) -> list[Row]:
        """Return the positions of all symbols.

        Source: Binance USDⓈ-M Futures, Position Information V2; ws-fapi account.position.
        """
        return self._rows(call.account, self._views(call), risk_row_v2)

    def _views(self, call: Call) -> list[PositionView]:
        symbol = Params(call.params).text("symbol")
        if symbol:
            self._desk.side.instrument(symbol)
        return position_views(self._desk, call.account, symbol)

    def _rows(self, account: str, views: list[PositionView], row_of: _RowOf) -> list[Row]:
        rows: list[Row] = []
        for view in views:
            key = (account, view.instrument.instrument_id, view.position_side)
            otherwise = self._desk.time_ms if view.is_shown else 0
            rows.append(row_of(view, self._changed.get(key, otherwise)))
        return rows

    def _assets(self, account: str) -> list[AssetView]:
        balances, views = self._desk.venue.balances(account), position_views(self._desk, account)
        found: list[AssetView] = []
        for asset in self._desk.settle_assets():
            wallet, locked = balances.get(asset, (_ZERO, _ZERO))
            mine = [view for view in views if view.instrument.settle_asset == asset]
            sums = (
                sum((view.unrealised for view in mine), _ZERO),
                sum((view.margin.maintenance for view in mine), _ZERO),
                sum((view.margin.position for view in mine), _ZERO),
                sum((view.margin.orders for view in mine), _ZERO),
            )
            found.append(AssetView(asset, wallet, locked, *sums))
        return found

    def _sums(self, account: str) -> Row:
        assets = self._assets(account)
        figures = {
            "totalInitialMargin": sum((one.in_positions + one.in_orders for one in assets), _ZERO),
            "totalMaintMargin": sum((one.maintenance for one in assets), _ZERO),
            "totalWalletBalance": sum((one.wallet for one in assets), _ZERO),
            "totalUnrealizedProfit": sum((one.unrealised for one in assets), _ZERO),
            "totalMarginBalance": sum((one.equity for one in assets), _ZERO),
            "totalPositionInitialMargin": sum((one.in_positions for one in assets), _ZERO),
            "totalOpenOrderInitialMargin": sum((one.in_orders for one in assets), _ZERO),
            "totalCrossWalletBalance": sum((one.wallet for one in assets), _ZERO),
            "totalCrossUnPnl": sum((one.unrealised for one in assets), _ZERO),
            "availableBalance": sum((one.available for one in assets), _ZERO),
            "maxWithdrawAmount": sum((one.withdrawable for one in assets), _ZERO),
        }
        row: Row = {name: decimal_text(value) for name, value in figures.items()}
        return {**row, "assets": [_asset_row(one, self._desk.time_ms) for one in assets]}


def _asset_row(one: AssetView, time_ms: int) -> Row:
    return {
        "asset": one.asset,
        "walletBalance": decimal_text(one.wallet),
        "unrealizedProfit": decimal_text(one.unrealised),
        "marginBalance": decimal_text(one.equity),
        "maintMargin": decimal_text(one.maintenance),
        "initialMargin": decimal_text(one.in_positions + one.in_orders),
        "positionInitialMargin": decimal_text(one.in_positions),
        "openOrderInitialMargin": decimal_text(one.in_orders),
        "crossWalletBalance": decimal_text(one.wallet),
        "crossUnPnl": decimal_text(one.unrealised),
        "availableBalance": decimal_text(one.available),
        "maxWithdrawAmount": decimal_text(one.withdrawable),
        "marginAvailable": True,
        "updateTime": time_ms,
    }
