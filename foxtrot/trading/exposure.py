"""What orders and positions could become at worst, in units, money and funds."""

from decimal import Decimal

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio

ZERO = Decimal(0)


class Exposure:
    """Worst cases over positions and open orders; an order of unknown outcome counts as wholly fillable.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._desk = desk
        self._portfolio = portfolio

    def position_units(self, owner: str, account: str, instrument_id: str) -> int:
        """Return the virtual position of an owner over position sides."""
        total = 0
        for (_, name, instrument, _), position in self._portfolio.positions(owner):
            if name == account and instrument == instrument_id:
                total += position.quantity
        return total

    def open_units(self, side: Side, owner: str, account: str, instrument_id: str) -> int:
        """Return what open orders of one side could still fill."""
        records = self._desk.open_records(owner, account, instrument_id)
        return sum(record.remaining_units for record in records if record.terms.side is side)

    def worst_units(self, candidate: Candidate, owner: str, account: str) -> int:
        """Return the largest absolute position if the candidate and all open orders on its side fill."""
        request = candidate.request
        instrument_id = candidate.instrument.instrument_id
        held = self.position_units(owner, account, instrument_id) if owner else self._net_units(account, instrument_id)
        waiting = self.open_units(request.side, owner, account, instrument_id)
        return abs(held + candidate.sign * (waiting + candidate.quantity_units))

    def total(self, owner: str, account: str) -> Decimal | None:
        """Return the worst-case value of all positions and open orders in the base currency; None without a rate."""
        total = ZERO
        for instrument, units in self._worst_by_instrument(owner, account).items():
            value = self.value(self._portfolio.instruments[instrument], units)
            if value is None:
                return None
            total += value
        return total

    def value(self, instrument: Instrument, units: int) -> Decimal | None:
        """Return what a quantity is worth in the base currency, or None without a price or rate."""
        mark = self._portfolio.view.mark(instrument.instrument_id)
        if not units:
            return ZERO
        if mark is None:
            return None
        worth = instrument.quantity_grid.to_decimal(units) * Decimal(repr(mark)) * instrument.multiplier
        return self._portfolio.rates.convert(worth, instrument.quote_asset, self._portfolio.base_currency)

    def free(self, account: str, asset: str) -> Decimal:
        """Return what an account has of an asset after what its open orders and margin positions need."""
        free = self._portfolio.balances(account).get(asset, ZERO)
        for record in self._desk.open_records(account=account):
            free -= reserved(record, asset)
        for (name, instrument_id, _), position in self._portfolio.net_positions():
            instrument = position.instrument
            if name == account and instrument.product.is_derivative and instrument.settle_asset == asset:
                mark = Decimal(repr(self._portfolio.view.mark(instrument_id) or position.average_price))
                value = abs(instrument.quantity_grid.to_decimal(position.quantity)) * mark * instrument.multiplier
                free += position.unrealised_profit(mark) - value * instrument.initial_margin_rate
        return free

    def _net_units(self, account: str, instrument_id: str) -> int:
        return sum(
            position.quantity
            for (name, instrument, _), position in self._portfolio.net_positions()
            if instrument == instrument_id and account in ("", name)
        )

    def _worst_by_instrument(self, owner: str, account: str) -> dict[str, int]:
        held: dict[str, int] = {}
        for (_, name, instrument_id, _), position in self._portfolio.positions(owner):
            if account in ("", name):
                held[instrument_id] = held.get(instrument_id, 0) + position.quantity
        buys: dict[str, int] = {}
        sells: dict[str, int] = {}
        for record in self._desk.open_records(owner, account):
            side = buys if record.terms.side is Side.BUY else sells
            side[record.terms.instrument_id] = side.get(record.terms.instrument_id, 0) + record.remaining_units
        return {
            name: max(abs(held.get(name, 0) + buys.get(name, 0)), abs(held.get(name, 0) - sells.get(name, 0)))
            for name in held.keys() | buys.keys() | sells.keys()
        }


def reserved(record: OrderRecord, asset: str) -> Decimal:
    """Return what an open order needs of an asset: quote for a buy, base for a sell, margin for a derivative."""
    instrument = record.instrument
    units = record.remaining_units
    price = record.terms.price or record.terms.trigger_price
    quantity = instrument.quantity_grid.to_decimal(units)
    worth = quantity * Decimal(repr(price)) * instrument.multiplier
    if instrument.product.is_derivative:
        counts = asset == instrument.settle_asset and not (record.approved is not None and record.approved.reduces)
        return worth * instrument.initial_margin_rate if counts else ZERO
    if record.terms.side is Side.BUY:
        return worth if asset == instrument.quote_asset else ZERO
    return quantity if asset == instrument.base_asset else ZERO
