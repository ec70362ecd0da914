"""The portfolio: what each strategy and each account holds, from fills and charges alone."""

from collections.abc import Iterator
from decimal import Decimal

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import EXTERNAL, AccountCharge, AccountData
from foxtrot.domain.enums import PositionSide, Product, Side
from foxtrot.domain.instrument import Instrument, InstrumentTable
from foxtrot.domain.order import TradeData
from foxtrot.trading.account_book import AccountBook
from foxtrot.trading.charges import share_out
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.position import ZERO, Position, add_amount
from foxtrot.trading.rates import RateTable

PositionKey = tuple[str, str, str, PositionSide]
"""(owner, account, instrument id, position side)"""


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

    def apply_fill(
        self, trade: TradeData, owner: str, signed_units: int, price_units: int, *, opened: bool = False
    ) -> None:
        """Count a fill once for its owner and once for its account; the caller has removed duplicates.

        Args:
            trade: the fill.
            owner: a strategy id or EXTERNAL.
            signed_units: quantity, positive for a buy.
            price_units: price.
            opened: the fill is part of the account's opening already, so that it only moves from EXTERNAL to its owner. On a
                spot market EXTERNAL has balances and no position: there the opening becomes what it was before the fill.
        """
        key = (owner, trade.account, trade.instrument_id, trade.position_side)
        owned = self._owned.get(key)
        if owned is None:
            owned = self._owned[key] = Position(self.instruments[trade.instrument_id])
        fill = (trade.venue_time_ns, len(trade.trade_id), trade.trade_id, signed_units, price_units)
        owned.apply(fill)
        book = self.account(trade.account)
        if opened and owner != EXTERNAL and owned.instrument.product.is_balance and book.opening is not None:
            _take_back(book.opening, owned, trade, signed_units, price_units)
            opened = False
        if opened:
            other = self._external(trade.account, owned.instrument, trade.position_side)
        else:
            other = self._net.get(key[1:]) or self._net_of(trade.account, owned.instrument, trade.position_side)
        other.apply((*fill[:3], -signed_units, price_units) if opened else fill)
        if trade.fee:
            owned.charge(trade.fee_asset, trade.fee)
            other.charge(trade.fee_asset, -trade.fee if opened else trade.fee)

    def owned(self, key: PositionKey) -> Position:
        """Return the virtual position of a key, made if there is none yet."""
        found = self._owned.get(key)
        if found is None:
            found = self._owned[key] = Position(self.instruments[key[2]])
        return found

    def net(self, account: str, instrument_id: str, side: PositionSide) -> Position:
        """Return the position of an account over all owners, made if there is none yet."""
        return self._net_of(account, self.instruments[instrument_id], side)

    def is_in_opening(self, trade: TradeData) -> bool:
        """Tell whether a fill happened no later than the opening balances of its account were told."""
        book = self.account(trade.account)
        return book.opening is not None and trade.venue_time_ns <= book.opening_time_ns

    def on_account(self, data: AccountData) -> bool:
        """Keep what the venue says; the first time, which is told, it is the opening of the account."""
        book = self.account(data.account)
        book.reported = data
        if book.opening is not None:
            return False
        book.opening = {balance.asset: balance.total for balance in data.balances}
        book.opening_time_ns = data.venue_time_ns
        return True

    def on_positions(self, loaded: PositionsLoaded) -> bool:
        """Keep what the venue says; positions found at the first connection, which is told, become EXTERNAL.

        What is owned on a spot market, and of a forex pair, is a balance, not a position.
        """
        book = self.account(loaded.account)
        first, book.positions_found = not book.positions_found, True
        book.reported_positions = loaded
        if not first:
            return False
        for data in loaded.positions:
            instrument = self.instruments.get(data.instrument_id)
            if instrument is None or not data.quantity or instrument.product.is_balance:
                continue
            units = instrument.quantity_grid.from_float(data.quantity)
            value = round(Decimal(repr(data.average_price)) * units / instrument.price_grid.step)
            self._external(loaded.account, instrument, data.position_side).find(units, value)
            self._net_of(loaded.account, instrument, data.position_side).find(units, value)
            if instrument.product in (Product.STOCK, Product.OPTION) and book.opening is not None:
                book.opening.setdefault(instrument.base_asset, instrument.quantity_grid.to_decimal(units))
        return True

    def on_charge(self, charge: AccountCharge) -> bool:
        """Count money that moved without a trade, once per charge id; tells whether it was counted now.

        What a position caused (funding, a dividend, a liquidation fee) is shared out over those who hold the position.
        """
        book = self.account(charge.account)
        if not book.charge(charge):
            return False
        holders = self._holders(charge.account, charge.instrument_id) if charge.instrument_id else []
        if not holders:
            add_amount(book.unshared, charge.asset, charge.amount)
        nets = [p for (name, i, _), p in self._net.items() if name == charge.account and i == charge.instrument_id]
        for shared in (holders, nets):
            for position, part in share_out(charge.amount, shared):
                position.pay(charge.asset, part)
        return True

    def adjust(self, key: PositionKey, units: int, value: int) -> None:
        """Move a position without a fill, its owner's and the account's; `value` is as in Position.find."""
        _, account, instrument_id, side = key
        instrument = self.instruments[instrument_id]
        self._owned.setdefault(key, Position(instrument)).find(units, value)
        self._net_of(account, instrument, side).find(units, value)

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
        _add_all(totals, book.charges)
        for (name, _, _), position in self._net.items():
            if name == account:
                _add_all(totals, position.flows())
        return totals

    def virtual_balances(self, owner: str, account: str) -> dict[str, Decimal]:
        """Return an owner's part of the balances of an account, by asset.

        Derivatives count as if they were paid for: over all owners, EXTERNAL included, the parts sum to the balances of the
        account less the cost of its net derivative positions.
        """
        totals: dict[str, Decimal] = {}
        for (_, name, _, _), position in self.positions(owner):
            if name == account:
                _add_all(totals, position.virtual_flows(), position.funding)
        if owner == EXTERNAL:
            book = self.account(account)
            _add_all(totals, book.opening or {}, book.unshared)
        return totals

    def cash(self, owner: str) -> dict[str, Decimal]:
        """Return the virtual cash of an owner by asset: its capital and what fills, fees and funding moved."""
        totals = {self.base_currency: self.capital[owner]} if owner in self.capital else {}
        for _, position in self.positions(owner):
            _add_all(totals, position.flows(), position.funding)
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
        """Return an amount of the quote asset less fees, plus funding, in the base currency."""
        instrument, into = position.instrument, self.base_currency
        total = self.rates.convert(amount, instrument.quote_asset, into)
        for asset, fee in position.fees.items():
            if asset == instrument.base_asset and mark:
                part = self.rates.convert(fee * mark, instrument.quote_asset, into)
            else:
                part = self.rates.convert(fee, asset, into)
            if part is None or total is None:
                return None
            total -= part
        for asset, paid in position.funding.items():
            part = self.rates.convert(paid, asset, into)
            if part is None or total is None:
                return None
            total += part
        return total

    def _holders(self, account: str, instrument_id: str) -> list[Position]:
        return [
            position
            for (_, name, instrument, _), position in self._owned.items()
            if name == account and instrument == instrument_id
        ]

    def _external(self, account: str, instrument: Instrument, side: PositionSide) -> Position:
        return self._owned.setdefault((EXTERNAL, account, instrument.instrument_id, side), Position(instrument))

    def _net_of(self, account: str, instrument: Instrument, side: PositionSide) -> Position:
        return self._net.setdefault((account, instrument.instrument_id, side), Position(instrument))


def _add_all(totals: dict[str, Decimal], *parts: dict[str, Decimal]) -> None:
    for amounts in parts:
        for asset, amount in amounts.items():
            add_amount(totals, asset, amount)


def _take_back(opening: dict[str, Decimal], position: Position, trade: TradeData, units: int, price_units: int) -> None:
    """Take out of opening balances what a fill on a spot market and its fee had done to them."""
    instrument = position.instrument
    add_amount(opening, instrument.base_asset, instrument.quantity_grid.to_decimal(-units))
    add_amount(opening, instrument.quote_asset, position.money(units * price_units))
    if trade.fee:
        add_amount(opening, trade.fee_asset, trade.fee)


def signed(side: Side, units: int) -> int:
    """Return units with the sign of a side."""
    return units if side is Side.BUY else -units
