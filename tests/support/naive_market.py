"""One instrument of the naive venue: what its units are worth, what it charges, what traded."""

from fractions import Fraction

from foxtrot.domain.enums import Product
from foxtrot.exchange import commands as c

ONE = 10**18


class NaiveMarket:
    """One instrument."""

    def __init__(self, command: c.AddInstrument) -> None:
        self.instrument = command.instrument
        price, quantity = self.instrument.price_grid.step, self.instrument.quantity_grid.step
        self.unit_value = int(Fraction(price) * Fraction(quantity) * Fraction(self.instrument.multiplier) * ONE)
        self.quantity_value = int(Fraction(quantity) * ONE)
        self.perpetual = self.instrument.product is Product.PERPETUAL
        self.base, self.quote = self.instrument.base_asset, self.instrument.quote_asset
        self.pro_rata = command.matching == "pro_rata"
        self.received = command.fee_asset_mode == "received"
        tier = command.fees.items[0].tiers[0] if command.fees and command.fees.items else None
        self.maker, self.taker = (Fraction(tier.maker), Fraction(tier.taker)) if tier else (Fraction(0), Fraction(0))
        self.last = 0
        self.prints: list[int] = []
        self.next_trade = 1
        self.trades: list[tuple[int, int, int]] = []

    def forget_trades(self) -> None:
        """Forget trades that somebody has looked at."""
        self.trades.clear()


def fee_of(money: int, rate: Fraction) -> int:
    """Return a fee, rounded half-even to 8 decimals."""
    return round(money * rate / 10**10) * 10**10
