"""One position in exact integers: quantity, average cost, realised profit and cash flow from fills alone."""

from decimal import Decimal

from foxtrot.domain.instrument import Instrument


class Position:
    """What fills made of nothing. Quantities are quantity units; money is price units times quantity units.

    Average cost: a reduction takes its share of the cost, rounded half to even; what rounding leaves stays in the cost, so
    realised profit plus remaining cost is always exact. Fees are kept by asset.

    Thread: the dispatcher's.
    """

    __slots__ = ("cost", "fees", "fills", "flow", "instrument", "quantity", "realised", "turnover")

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.quantity = 0
        self.cost = 0
        self.realised = 0
        self.flow = 0
        self.turnover = 0
        self.fills = 0
        self.fees: dict[str, Decimal] = {}

    def apply(self, signed_units: int, price_units: int) -> int:
        """Apply a fill (positive buys) and return the profit it realised, in price units times quantity units."""
        value = signed_units * price_units
        self.fills += 1
        self.flow -= value
        self.turnover += abs(value)
        quantity = self.quantity
        self.quantity = quantity + signed_units
        if quantity == 0 or (quantity > 0) == (signed_units > 0):
            self.cost += value
            return 0
        if abs(signed_units) < abs(quantity):
            removed = divide_half_even(self.cost * abs(signed_units), abs(quantity))
            closed_value = value
            self.cost -= removed
        else:
            removed = self.cost
            closed_value = -quantity * price_units
            self.cost = value - closed_value
        profit = -closed_value - removed
        self.realised += profit
        return profit

    def charge(self, asset: str, amount: Decimal) -> None:
        """Add a fee (negative is a rebate)."""
        if amount:
            self.fees[asset] = self.fees.get(asset, Decimal(0)) + amount

    @property
    def exact_quantity(self) -> Decimal:
        """Return what is held: fills less the fees that were taken in the base asset itself."""
        instrument = self.instrument
        quantity = instrument.quantity_grid.to_decimal(self.quantity)
        if self.fees and not instrument.product.is_derivative:
            quantity -= self.fees.get(instrument.base_asset, Decimal(0))
        return quantity

    @property
    def average_price(self) -> float:
        """Return the average entry price; 0.0 when flat."""
        if self.quantity == 0:
            return 0.0
        grid = self.instrument.price_grid
        return self.cost * grid.numerator / (self.quantity * grid.denominator)

    def money(self, product_units: int) -> Decimal:
        """Return price units times quantity units as money of the quote asset."""
        instrument = self.instrument
        price, quantity = instrument.price_grid, instrument.quantity_grid
        exact = Decimal(product_units * price.numerator * quantity.numerator)
        return exact.scaleb(-price.decimals - quantity.decimals) * instrument.multiplier

    def realised_profit(self) -> Decimal:
        """Return realised profit before fees, in the quote asset."""
        return self.money(self.realised)

    def unrealised_profit(self, mark: Decimal) -> Decimal:
        """Return the profit of closing at a price, before fees, in the quote asset."""
        value = self.instrument.quantity_grid.to_decimal(self.quantity) * mark * self.instrument.multiplier
        return value - self.money(self.cost)

    def profit(self, mark: Decimal) -> Decimal:
        """Return realised and unrealised profit before fees at a price: cash flow plus value, exact."""
        value = self.instrument.quantity_grid.to_decimal(self.quantity) * mark * self.instrument.multiplier
        return self.money(self.flow) + value


def divide_half_even(numerator: int, denominator: int) -> int:
    """Return an integer quotient rounded half to even; the denominator is positive."""
    quotient, rest = divmod(numerator, denominator)
    twice = 2 * rest
    if twice > denominator or (twice == denominator and quotient % 2):
        quotient += 1
    return quotient
