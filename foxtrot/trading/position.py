"""One position in exact integers: quantity, average cost, realised profit and cash flow from fills alone."""

from bisect import bisect_left, insort
from decimal import Context, Decimal

from foxtrot.domain.instrument import Instrument

MONEY_DECIMALS = 18
"""Cost and realised profit are counted to this many decimals, or to as many as price times quantity needs."""

EXACT = Context(prec=100)
ZERO = Decimal(0)

Fill = tuple[int, int, str, int, int]
"""(venue time ns, length of the trade id, trade id, signed units, price units), which sorts as fills happened."""


class Position:
    """What fills made of nothing, or of what was found when the account was first seen.

    `quantity` is in quantity units, `flow`, `turnover` and `found_value` in price units times quantity units; `cost` and
    `realised` are money of the quote asset in 10**-`decimals`. Average cost: a reduction takes its share of the cost,
    rounded down; what rounding leaves stays in the cost, so realised profit plus remaining cost is always exact.
    Average cost depends on the order of fills: they count in the order in which they happened, so one that is heard late is
    put in its place, among those since `base` (quantity, cost and realised profit) where a restart began. `found` are units that
    no fill of ours brought. Fees (paid) and funding (received) are kept by asset.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "base", "cost", "decimals", "fees", "fills", "flow", "found", "found_value", "funding", "history", "instrument", "quantity", "realised",
        "turnover", "unit_money",
    )  # fmt: skip

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.decimals, self.unit_money = _unit_money(instrument)
        self.quantity = 0
        self.cost = 0
        self.realised = 0
        self.flow = 0
        self.turnover = 0
        self.fills = 0
        self.found = 0
        self.found_value = 0
        self.base = (0, 0, 0)
        self.history: list[Fill] = []
        self.fees: dict[str, Decimal] = {}
        self.funding: dict[str, Decimal] = {}

    def apply(self, fill: Fill) -> None:
        """Apply a fill; positive units buy."""
        signed_units, price_units = fill[3], fill[4]
        value = signed_units * price_units
        self.flow -= value
        self.turnover += value if value > 0 else -value
        self.fills += 1
        history = self.history
        if not history or history[-1] < fill:
            history.append(fill)
            self._cost_of(signed_units, price_units)
            return
        insort(history, fill)
        self.quantity, self.cost, self.realised = self.base
        for *_, units, price in history:
            self._cost_of(units, price)

    def _cost_of(self, signed_units: int, price_units: int) -> None:
        """Let a fill change quantity and cost, and realise what it closes."""
        held = self.quantity
        self.quantity = held + signed_units
        if held == 0 or (held > 0) == (signed_units > 0):
            self.cost += signed_units * price_units * self.unit_money
            return
        closed = min(held, -signed_units) if held > 0 else max(held, -signed_units)
        released = self.cost * closed // held
        self.cost += (signed_units + closed) * price_units * self.unit_money - released
        self.realised += closed * price_units * self.unit_money - released

    def base_at(self, since_ns: int) -> tuple[tuple[int, int, int], tuple[Fill, ...]]:
        """Return the base that the fills before a time make of the base, and the fills since."""
        first = bisect_left(self.history, since_ns, key=lambda fill: fill[0])
        made = Position(self.instrument)
        made.quantity, made.cost, made.realised = self.base
        for *_, units, price in self.history[:first]:
            made._cost_of(units, price)
        return (made.quantity, made.cost, made.realised), tuple(self.history[first:])

    def find(self, units: int, value: int) -> None:
        """Take in what was there before any fill of ours; `value` is its cost in price units times quantity units."""
        quantity, cost, realised = self.base
        self.base = (quantity + units, cost + value * self.unit_money, realised)
        self.quantity += units
        self.found += units
        self.found_value += value
        self.flow -= value
        self.cost += value * self.unit_money

    def charge(self, asset: str, amount: Decimal) -> None:
        """Add a fee (negative is a rebate)."""
        if amount:
            self.fees[asset] = self.fees.get(asset, ZERO) + amount

    def pay(self, asset: str, amount: Decimal) -> None:
        """Add funding or another charge on the position (negative is paid)."""
        self.funding[asset] = EXACT.add(self.funding.get(asset, ZERO), amount)

    @property
    def exact_quantity(self) -> Decimal:
        """Return what is held: fills less the fees that were taken in the base asset itself."""
        instrument = self.instrument
        quantity = instrument.quantity_grid.to_decimal(self.quantity)
        if self.fees and not instrument.product.is_derivative:
            quantity = EXACT.subtract(quantity, self.fees.get(instrument.base_asset, ZERO))
        return quantity

    @property
    def whole_units(self) -> int:
        """Return what is held in whole quantity units, rounded towards zero where a fee took a part of one."""
        instrument = self.instrument
        if not self.fees or instrument.product.is_derivative or instrument.base_asset not in self.fees:
            return self.quantity
        return instrument.quantity_grid.round(self.exact_quantity, "to_zero")

    @property
    def average_price(self) -> float:
        """Return the average entry price; 0.0 when flat."""
        if self.quantity == 0:
            return 0.0
        grid = self.instrument.price_grid
        return self.cost * grid.numerator / (self.quantity * self.unit_money * grid.denominator)

    def money(self, product_units: int) -> Decimal:
        """Return price units times quantity units as money of the quote asset, exactly."""
        return _to_decimal(product_units * self.unit_money, self.decimals)

    def realised_profit(self) -> Decimal:
        """Return realised profit before fees, in the quote asset."""
        return _to_decimal(self.realised, self.decimals)

    def unrealised_profit(self, mark: Decimal) -> Decimal:
        """Return the profit of closing at a price, before fees, in the quote asset."""
        return EXACT.subtract(self._value(mark), self.held_cost())

    def profit(self, mark: Decimal) -> Decimal:
        """Return realised and unrealised profit before fees at a price: cash flow plus value, exact."""
        return EXACT.add(self.money(self.flow), self._value(mark))

    def flows(self) -> dict[str, Decimal]:
        """Return what fills and their fees did to the balances of whoever holds the position, by asset."""
        instrument = self.instrument
        if instrument.product.is_derivative:
            totals = {instrument.settle_asset: self.realised_profit()}
        else:
            totals = {instrument.quote_asset: self.money(self.flow + self.found_value)}
            bought = instrument.quantity_grid.to_decimal(self.quantity - self.found)
            add_amount(totals, instrument.base_asset, bought)
        for asset, fee in self.fees.items():
            add_amount(totals, asset, -fee)
        return totals

    def virtual_flows(self) -> dict[str, Decimal]:
        """Return the same with a derivative counted as if it had been paid for, which alone adds up over owners.

        Two owners on opposite sides each wait for their profit, while their account has realised it: payments sum to the
        account's, realised profits do not.
        """
        totals = self.flows()
        if self.instrument.product.is_derivative:
            add_amount(totals, self.instrument.settle_asset, self.held_cost().copy_negate())
        return totals

    def held_cost(self) -> Decimal:
        """Return the cost of what is held, in the quote asset; negative for a short position."""
        return _to_decimal(self.cost, self.decimals)

    def _value(self, mark: Decimal) -> Decimal:
        instrument = self.instrument
        quantity = instrument.quantity_grid.to_decimal(self.quantity)
        return EXACT.multiply(EXACT.multiply(quantity, mark), instrument.multiplier)


def add_amount(totals: dict[str, Decimal], asset: str, amount: Decimal) -> None:
    """Add an amount of an asset to totals by asset, exactly."""
    totals[asset] = EXACT.add(totals.get(asset, ZERO), amount)


def _to_decimal(amount: int, decimals: int) -> Decimal:
    """Return money exactly, without zeros at its end."""
    whole, rest = divmod(amount, 10**decimals)
    return EXACT.scaleb(Decimal(amount), -decimals).normalize(EXACT) if rest else Decimal(whole)


def _unit_money(instrument: Instrument) -> tuple[int, int]:
    """Return the decimals money is counted to, and the money of one price unit times one quantity unit."""
    price, quantity = instrument.price_grid, instrument.quantity_grid
    numerator, denominator = instrument.multiplier.as_integer_ratio()
    places = -int(instrument.multiplier.normalize().as_tuple().exponent)
    decimals = max(MONEY_DECIMALS, price.decimals + quantity.decimals + max(0, places))
    scale: int = 10 ** (decimals - price.decimals - quantity.decimals)
    return decimals, price.numerator * quantity.numerator * numerator * scale // denominator
