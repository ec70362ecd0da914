"""What Binance tells of an account, as facts: balances, positions and money that moved without a trade, all exact."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.adapter.binance.codec import VENUE_OF_PRODUCT
from foxtrot.adapter.binance.exact import Exact, number, read, read_with
from foxtrot.adapter.binance.frames import Symbol, Time, to_ns
from foxtrot.adapter.binance.report_codec import POSITION_SIDES
from foxtrot.domain.account import AccountCharge, AccountData, BalanceData, PositionData
from foxtrot.domain.enums import PositionSide, Product

ZERO = Decimal(0)

CHARGE_KINDS: dict[str, str] = {
    "FUNDING_FEE": "funding",
    "DEPOSIT": "deposit",
    "WITHDRAW": "withdrawal",
    "WITHDRAW_REJECT": "withdrawal_rejected",
    "INSURANCE_CLEAR": "insurance",
    "ADMIN_DEPOSIT": "deposit",
    "ADMIN_WITHDRAW": "withdrawal",
    "ASSET_TRANSFER": "transfer",
    "MARGIN_TRANSFER": "margin_transfer",
}
"""Why a USD-M balance changed → kind of charge; the others are told by their own name in small letters.

Source: USDⓈ-M Futures, User Data Streams, Event: Balance and Position Update (event reason type).
"""
TRADING = frozenset({"ORDER", "MARGIN_TYPE_CHANGE", "AUTO_EXCHANGE"})
"""Reasons that move no money beside what fills and fees say."""


class SpotBalance(Exact, frozen=True):
    """One asset of a spot account."""

    asset: str
    free: Decimal
    locked: Decimal


class SpotAccount(msgspec.Struct, frozen=True):
    """A spot account.

    Source: Binance spot API, rest-api, Account information.
    """

    balances: tuple[SpotBalance, ...]
    updateTime: Time = 0  # noqa: N815  (the venue's name)


class UsdmAsset(Exact, frozen=True):
    """One asset of a USD-M account."""

    asset: str
    walletBalance: Decimal  # noqa: N815  (the venue's name)
    initialMargin: Decimal = ZERO  # noqa: N815
    availableBalance: Decimal = ZERO  # noqa: N815
    updateTime: Time = 0  # noqa: N815


class UsdmAccount(Exact, frozen=True):
    """A USD-M account.

    Source: USDⓈ-M Futures, Account, Account Information V3.
    """

    assets: tuple[UsdmAsset, ...]
    totalInitialMargin: Decimal = ZERO  # noqa: N815  (the venue's name)
    availableBalance: Decimal = ZERO  # noqa: N815


class PositionRow(Exact, frozen=True):
    """One position.

    Source: USDⓈ-M Futures, Trade, Position Information V3.
    """

    symbol: Symbol
    positionAmt: Decimal  # noqa: N815  (the venue's name)
    entryPrice: Decimal = ZERO  # noqa: N815
    unRealizedProfit: Decimal = ZERO  # noqa: N815
    liquidationPrice: Decimal = ZERO  # noqa: N815
    positionSide: str = "BOTH"  # noqa: N815
    updateTime: Time = 0  # noqa: N815


class AssetPosition(Exact, frozen=True):
    """One asset of an outboundAccountPosition: what is free and what is locked of it now."""

    a: str
    f: Decimal
    l: Decimal  # noqa: E741  (the venue's name)


class OutboundPosition(msgspec.Struct, frozen=True):
    """The balances that an event touched.

    Source: Binance spot API, user-data-stream, Account Update.
    """

    E: Time
    u: Time
    B: tuple[AssetPosition, ...]


class BalanceUpdate(Exact, frozen=True):
    """A deposit, withdrawal or transfer of a spot account.

    Source: Binance spot API, user-data-stream, Balance Update.
    """

    E: Time
    a: str
    d: Decimal
    T: Time


class WalletChange(Exact, frozen=True):
    """One asset of an ACCOUNT_UPDATE: the wallet, and its change except for profit and fees."""

    a: str
    wb: Decimal
    bc: Decimal = ZERO


class PositionChange(Exact, frozen=True):
    """One position of an ACCOUNT_UPDATE."""

    s: Symbol
    pa: Decimal
    ep: Decimal = ZERO
    cr: Decimal = ZERO
    up: Decimal = ZERO
    ps: str = "BOTH"


class AccountChange(msgspec.Struct, frozen=True):
    """What an ACCOUNT_UPDATE says, and why (`m`)."""

    m: str
    B: tuple[WalletChange, ...] = ()
    P: tuple[PositionChange, ...] = ()


class AccountUpdate(msgspec.Struct, frozen=True):
    """A change of a USD-M account.

    Source: USDⓈ-M Futures, User Data Streams, Event: Balance and Position Update.
    """

    E: Time
    T: Time
    a: AccountChange


class AccountCodec:
    """Translates balances, positions and charges of one account of one product.

    Thread: stateless, any thread.
    """

    def __init__(self, product: Product, account: str) -> None:
        self.product = product
        self.account = account
        self._venue = VENUE_OF_PRODUCT[product]

    def account_data(self, raw: object, local_time_ns: int) -> AccountData:
        """Return all balances; on USD-M `locked` is what orders and positions hold of an asset's wallet as margin.

        Raises:
            BadMessage: it is no account.

        Source: Binance spot API, rest-api, Account information; USDⓈ-M Futures, Account, Account Information V3.
        """
        if self.product is Product.SPOT:
            return self._spot_account(read(SpotAccount, raw, "account"), local_time_ns)
        return self._usdm_account(read(UsdmAccount, raw, "account"), local_time_ns)

    def positions(self, raw: object, local_time_ns: int) -> tuple[PositionData, ...]:
        """Return the positions of a list; flat ones, which stand there for their orders, are left out.

        Raises:
            BadMessage: it is no list of positions.

        Source: USDⓈ-M Futures, Trade, Position Information V3.
        """
        rows = read(tuple[PositionRow, ...], raw, "positions")
        held = [row for row in rows if row.positionAmt]
        return read_with(lambda: tuple(self._position_row(row, local_time_ns) for row in held), "positions")

    def balances_changed(self, raw: Mapping[str, object], local_time_ns: int) -> tuple[BalanceData, ...]:
        """Return the spot balances that an outboundAccountPosition touched.

        Raises:
            BadMessage: it is none.

        Source: Binance spot API, user-data-stream, Account Update.
        """
        event = read(OutboundPosition, raw, "outboundAccountPosition")
        time_ns = to_ns(event.u)
        return tuple(
            BalanceData(self.account, row.a, row.f + row.l, row.f, row.l, time_ns, local_time_ns) for row in event.B
        )

    def balance_update(self, raw: Mapping[str, object], local_time_ns: int) -> AccountCharge:
        """Return a deposit or withdrawal of a spot account, transfers between one's accounts included.

        Raises:
            BadMessage: it is none.

        Source: Binance spot API, user-data-stream, Balance Update.
        """
        event = read(BalanceUpdate, raw, "balanceUpdate")
        kind = "deposit" if event.d > 0 else "withdrawal"
        charge_id = f"{event.T}:{event.a}:{event.d.normalize():f}"
        return AccountCharge(self.account, kind, event.a, event.d, "", charge_id, to_ns(event.T), local_time_ns)

    def account_update(self, raw: Mapping[str, object]) -> AccountUpdate:
        """Return an ACCOUNT_UPDATE.

        Raises:
            BadMessage: it is none.

        Source: USDⓈ-M Futures, User Data Streams, Event: Balance and Position Update.
        """
        return read(AccountUpdate, raw, "ACCOUNT_UPDATE")

    def positions_changed(
        self, update: AccountUpdate, liquidation: Mapping[tuple[str, PositionSide], float], local_time_ns: int
    ) -> tuple[PositionData, ...]:
        """Return the positions that an ACCOUNT_UPDATE touched; it tells no liquidation price, so the last known stands.

        Args:
            update: the event.
            liquidation: the liquidation prices that were told last, by instrument id and side.
            local_time_ns: when it came.

        Raises:
            BadMessage: a position is on a side that does not exist.

        Source: USDⓈ-M Futures, User Data Streams, Event: Balance and Position Update.
        """
        time_ns = to_ns(update.T)
        return read_with(
            lambda: tuple(
                PositionData(
                    self.account, *place, number(row.pa), number(row.ep) if row.pa else 0.0, row.up, row.cr, time_ns,
                    local_time_ns, liquidation.get(place, 0.0) if row.pa else 0.0,
                )
                for row in update.a.P
                for place in [(self._instrument_id(row.s), POSITION_SIDES[row.ps])]
            ),
            "ACCOUNT_UPDATE",
        )  # fmt: skip

    def charges(self, update: AccountUpdate, local_time_ns: int) -> tuple[AccountCharge, ...]:
        """Return the money of an ACCOUNT_UPDATE that moved without a trade: funding, deposits, transfers and the like.

        Funding of a crossed position names no symbol; that of an isolated one does. Charges of one moment and amount are told
        apart by their positions and by what they leave in the wallet, which an event that comes twice repeats.

        Source: USDⓈ-M Futures, User Data Streams, Event: Balance and Position Update.
        """
        change = update.a
        if change.m in TRADING:
            return ()
        kind = CHARGE_KINDS.get(change.m, change.m.lower())
        symbols = {row.s for row in change.P}
        name = self._instrument_id(symbols.pop()) if kind == "funding" and len(symbols) == 1 else ""
        places = ",".join(f"{row.s}/{row.ps}" for row in change.P)
        return tuple(
            AccountCharge(
                self.account, kind, row.a, row.bc, name,
                f"{update.T}:{row.a}:{places}:{row.bc.normalize():f}:{row.wb.normalize():f}", to_ns(update.T), local_time_ns,
            )
            for row in change.B
            if row.bc
        )  # fmt: skip

    def _instrument_id(self, symbol: str) -> str:
        return f"{symbol}.{self._venue}"

    def _spot_account(self, account: SpotAccount, local_ns: int) -> AccountData:
        time_ns = to_ns(account.updateTime) or local_ns
        rows = tuple(
            BalanceData(self.account, row.asset, row.free + row.locked, row.free, row.locked, time_ns, local_ns)
            for row in account.balances
        )
        return AccountData(self.account, rows, time_ns, local_ns)

    def _usdm_account(self, account: UsdmAccount, local_ns: int) -> AccountData:
        rows = tuple(
            BalanceData(
                self.account, row.asset, row.walletBalance, row.walletBalance - row.initialMargin, row.initialMargin,
                to_ns(row.updateTime) or local_ns, local_ns,
            )
            for row in account.assets
        )  # fmt: skip
        time_ns = max((row.venue_time_ns for row in rows), default=local_ns)
        return AccountData(self.account, rows, time_ns, local_ns, account.totalInitialMargin, account.availableBalance)

    def _position_row(self, row: PositionRow, local_ns: int) -> PositionData:
        return PositionData(
            self.account, self._instrument_id(row.symbol), POSITION_SIDES[row.positionSide], number(row.positionAmt),
            number(row.entryPrice), row.unRealizedProfit, ZERO, to_ns(row.updateTime) or local_ns, local_ns,
            number(row.liquidationPrice),
        )  # fmt: skip
