"""The portfolio: what each strategy and each account holds, from fills and charges alone."""

from collections.abc import Iterator
from decimal import Decimal

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import EXTERNAL, AccountCharge, AccountData
from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.instrument import Instrument, InstrumentTable
from foxtrot.domain.order import TradeData
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.position import Position
from foxtrot.trading.rates import RateTable

PositionKey = tuple[str, str, str, PositionSide]
"""(owner, account, instrument id, position side)"""
ZERO = Decimal(0)


class AccountBook:
    """One account as fills make it, beside what the venue last said.

    `opening` are the balances at the first connection: they and the positions found then belong to EXTERNAL.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self.opening: dict[str, Decimal] | None = None
        self.charges: dict[str, Decimal] = {}
        self.reported: AccountData | None = None
        self.reported_positions: PositionsLoaded | None = None
        self.charge_ids: set[tuple[str, str]] = set()


class Portfolio:
    """Positions by owner and by account, cash, profit and equity.

    Each strategy has virtual positions and capital; the sum over owners, EXTERNAL included, equals the account.

    Thread: the dispatcher's.
    """

    def __init__(self, instruments: InstrumentTable, view: MarketView, rates: RateTable, base_currency: str) -> None:
        self.instruments = instruments
        self.view = view
        self.rates = rates
        self.base_currency = base_currency
        self.capital: dict[str, Decimal] = {}
        self.accounts: dict[str, AccountBook] = {}
        self._owned: dict[PositionKey, Position] = {}
        self._net: dict[tuple[str, str, PositionSide], Position] = {}

    def account(self, name: str) -> AccountBook:
        """Return the book of an account, empty at first."""
        book = self.accounts.get(name)
        if book is None:
            book = self.accounts[name] = AccountBook()
        return book

    def apply_fill(self, trade: TradeData, owner: str, signed_units: int, price_units: int) -> None:
        """Count a fill once for its owner and once for its account; the caller has removed duplicates."""
        key = (owner, trade.account, trade.instrument_id, trade.position_side)
        owned = self._owned.get(key)
        if owned is None:
            owned = self._owned[key] = Position(self.instruments[trade.instrument_id])
        net = self._net.get(key[1:])
        if net is None:
            net = self._net[key[1:]] = Position(owned.instrument)
        for position in (owned, net):
            position.apply(signed_units, price_units)
            if trade.fee:
                position.charge(trade.fee_asset, trade.fee)

    def on_account(self, data: AccountData) -> None:
        """Keep what the venue says; the first time it is the opening of the account."""
        book = self.account(data.account)
        book.reported = data
        if book.opening is None:
            book.opening = {balance.asset: balance.total for balance in data.balances}

    def on_positions(self, loaded: PositionsLoaded) -> None:
        """Keep what the venue says; positions found at the first connection become EXTERNAL."""
        book = self.account(loaded.account)
        first = book.reported_positions is None
        book.reported_positions = loaded
        if not first:
            return
        for data in loaded.positions:
            instrument = self.instruments.get(data.instrument_id)
            if instrument is None or not data.quantity or not instrument.product.is_derivative:
                continue
            units = instrument.quantity_grid.round(data.quantity)
            price = instrument.price_grid.round(data.average_price)
            for position in self._external(loaded.account, instrument, data.position_side):
                position.apply(units, price)

    def on_charge(self, charge: AccountCharge) -> bool:
        """Count money that moved without a trade, once per charge id; tells whether it was new."""
        book = self.account(charge.account)
        if (charge.kind, charge.charge_id) in book.charge_ids:
            return False
        book.charge_ids.add((charge.kind, charge.charge_id))
        book.charges[charge.asset] = book.charges.get(charge.asset, ZERO) + charge.amount
        return True

    def position(
        self, owner: str, account: str, instrument_id: str, side: PositionSide = PositionSide.NET
    ) -> Position | None:
        """Return the virtual position of an owner, or None if it never traded there."""
        return self._owned.get((owner, account, instrument_id, side))

    def net_position(self, account: str, instrument_id: str, side: PositionSide = PositionSide.NET) -> Position | None:
        """Return the position of an account over all owners, or None if there never was one."""
        return self._net.get((account, instrument_id, side))

    def positions(self, owner: str = "") -> Iterator[tuple[PositionKey, Position]]:
        """Yield virtual positions, of one owner or all."""
        for key, position in self._owned.items():
            if not owner or key[0] == owner:
                yield key, position

    def net_positions(self) -> Iterator[tuple[tuple[str, str, PositionSide], Position]]:
        """Yield the positions of accounts over all owners."""
        yield from self._net.items()

    def owners(self) -> set[str]:
        """Return every owner that has capital or a position."""
        return set(self.capital) | {key[0] for key in self._owned}

    def balances(self, account: str) -> dict[str, Decimal]:
        """Return the balances of an account as opening, fills and charges make them, exactly."""
        book = self.account(account)
        totals = dict(book.opening or {})
        for asset, amount in book.charges.items():
            totals[asset] = totals.get(asset, ZERO) + amount
        for (name, _, _), position in self._net.items():
            if name == account:
                _add_position(totals, position)
        return totals

    def profit(self, position: Position) -> Decimal | None:
        """Return what a position has made in the base currency after fees, or None without a price or rate."""
        instrument = position.instrument
        mark = self.view.mark(instrument.instrument_id)
        if mark is None:
            return None if position.quantity else self._convert(position, position.money(position.flow), ZERO)
        price = Decimal(repr(mark))
        return self._convert(position, position.profit(price), price)

    def equity(self, owner: str) -> Decimal | None:
        """Return capital plus profit of an owner in the base currency, or None without a price or rate."""
        total = self.capital.get(owner, ZERO)
        for _, position in self.positions(owner):
            profit = self.profit(position)
            if profit is None:
                return None
            total += profit
        return total

    def account_profit(self, account: str) -> Decimal | None:
        """Return what all fills of an account have made in the base currency, or None without a price or rate."""
        total = ZERO
        for (name, _, _), position in self._net.items():
            if name == account:
                profit = self.profit(position)
                if profit is None:
                    return None
                total += profit
        return total

    def _convert(self, position: Position, amount: Decimal, mark: Decimal) -> Decimal | None:
        instrument = position.instrument
        total = self.rates.convert(amount, instrument.quote_asset, self.base_currency)
        for asset, fee in position.fees.items():
            if asset == instrument.base_asset and mark:
                part = self.rates.convert(fee * mark, instrument.quote_asset, self.base_currency)
            else:
                part = self.rates.convert(fee, asset, self.base_currency)
            if part is None or total is None:
                return None
            total -= part
        return total

    def _external(self, account: str, instrument: Instrument, side: PositionSide) -> tuple[Position, Position]:
        owned = self._owned.setdefault((EXTERNAL, account, instrument.instrument_id, side), Position(instrument))
        net = self._net.setdefault((account, instrument.instrument_id, side), Position(instrument))
        return owned, net


def _add_position(totals: dict[str, Decimal], position: Position) -> None:
    """Add what the fills of one position did to the balances."""
    instrument = position.instrument
    if instrument.product.is_derivative:
        profit, asset = position.realised_profit(), instrument.settle_asset
        totals[asset] = totals.get(asset, ZERO) + profit
    else:
        base, quote = instrument.base_asset, instrument.quote_asset
        held = instrument.quantity_grid.to_decimal(position.quantity)
        totals[base] = totals.get(base, ZERO) + held
        totals[quote] = totals.get(quote, ZERO) + position.money(position.flow)
    for asset, fee in position.fees.items():
        totals[asset] = totals.get(asset, ZERO) - fee


def signed(side: Side, units: int) -> int:
    """Return units with the sign of a side."""
    return units if side is Side.BUY else -units
