"""Conversion between currencies by named pairs; a missing or old rate gives None, never 1:1."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.core.clock import Clock
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.trading.market_view import MarketView

MAX_AGE_S = 3600.0


class Rate(msgspec.Struct, frozen=True):
    """How much of one asset another is worth, how old that is and where it came from."""

    value: Decimal
    age_s: float
    source: str


class RateTable:
    """Rates from named instruments ("EUR/USD" = "EURUSD.IDEALPRO") or fixed by a person ("USDT/USD" = 1.0).

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        view: MarketView,
        instruments: InstrumentTable,
        clock: Clock,
        pairs: Mapping[str, str | float | int] | None = None,
    ) -> None:
        self._view = view
        self._instruments = instruments
        self._clock = clock
        self._pairs = {tuple(name.split("/")): source for name, source in (pairs or {}).items()}

    def rate(self, asset: str, into: str) -> Rate | None:
        """Return the rate of one asset in another, straight, inverted, or None when there is no young one."""
        if asset == into:
            return Rate(Decimal(1), 0.0, "same")
        straight = self._named(asset, into)
        if straight is not None:
            return straight
        inverse = self._named(into, asset)
        if inverse is not None and inverse.value:
            return Rate(1 / inverse.value, inverse.age_s, f"1/{inverse.source}")
        return None

    def convert(self, amount: Decimal, asset: str, into: str) -> Decimal | None:
        """Return an amount in another asset, or None when there is no rate."""
        if asset == into:
            return amount
        if not amount:
            return Decimal(0)
        found = self.rate(asset, into)
        return None if found is None else amount * found.value

    def _named(self, asset: str, into: str) -> Rate | None:
        source = self._pairs.get((asset, into))
        if isinstance(source, int | float):
            return Rate(Decimal(str(source)), 0.0, "fixed")
        instrument_id = source or self._spot_instrument(asset, into)
        if instrument_id is None:
            return None
        reference = self._view.reference(instrument_id)
        if reference is None:
            return None
        age_s = (self._clock.now_ns() - reference.time_ns) / 1e9
        if age_s > MAX_AGE_S:
            return None
        return Rate(Decimal(repr(reference.price)), age_s, instrument_id)

    def _spot_instrument(self, asset: str, into: str) -> str | None:
        for instrument in self._instruments.all():
            if (
                instrument.base_asset == asset
                and instrument.quote_asset == into
                and not instrument.product.is_derivative
            ):
                return instrument.instrument_id
        return None
