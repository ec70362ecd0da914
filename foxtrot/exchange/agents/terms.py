"""What traders must respect on an instrument: steps, lots, limits, and what a sensible order is worth."""

from fractions import Fraction

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.money import ONE, from_decimal, notional_factor, quantity_factor

_CLIP_MONEY: int = 600 * ONE
_FINEST_PIP = 2_000_000
_NO_LIMIT = 1 << 62


class Terms:
    """An instrument as traders see it, in units and money units; never changed.

    Thread: any; it is constant.
    """

    __slots__ = (
        "_clip_money",
        "_largest",
        "_smallest",
        "band_rate",
        "base_asset",
        "derivative",
        "expiry_ns",
        "initial_margin",
        "instrument",
        "instrument_id",
        "lot",
        "money_asset",
        "most_orders",
        "quantity_value",
        "unit_value",
    )

    def __init__(self, instrument: Instrument) -> None:
        self.instrument = instrument
        self.instrument_id = instrument.instrument_id
        self.derivative = instrument.product.is_derivative
        self.base_asset = instrument.base_asset
        self.money_asset = instrument.settle_asset if self.derivative else instrument.quote_asset
        self.initial_margin = Fraction(instrument.initial_margin_rate)
        self.band_rate = Fraction(instrument.price_limit_rate)
        self.unit_value = notional_factor(instrument)
        self.quantity_value = quantity_factor(instrument)
        self.expiry_ns = instrument.expiry_ns
        self.lot = instrument.lot_units
        self.most_orders = (instrument.max_open_orders or 200) * 3 // 4
        self._clip_money = max(_CLIP_MONEY, 8 * from_decimal(instrument.min_notional))
        self._smallest = 4 * max(2 * self.lot, instrument.min_quantity_units)
        largest = instrument.max_quantity_units or _NO_LIMIT
        self._largest = largest - largest % self.lot
        if instrument.max_notional:
            self._clip_money = min(self._clip_money, from_decimal(instrument.max_notional) // 64)

    def clip(self, price: int) -> int:
        """Return the size, in units, that orders at about a price are multiples and quarters of; always several lots."""
        wanted = max(self._clip_money // (price * self.unit_value), self._smallest)
        return -(-wanted // self.lot) * self.lot

    def quantity(self, wanted: int, price: int) -> int:
        """Return a legal quantity near a wish, at least a quarter of a clip."""
        wanted = max(wanted, self.clip(price) // 4)
        return min(-(-wanted // self.lot) * self.lot, self._largest)

    def pip(self, price: int) -> int:
        """Return a small distance in units: one legal step, or half a millionth of the price where that is more."""
        return max(self.instrument.step_units(price), price // _FINEST_PIP)

    def below(self, price: int) -> int:
        """Return the highest legal price at or below another, at least one step."""
        step = self.instrument.step_units(max(price, 1))
        return max(price - price % step, step)

    def above(self, price: int) -> int:
        """Return the lowest legal price at or above another, at least one step."""
        step = self.instrument.step_units(max(price, 1))
        return max(-(-price // step) * step, step)
