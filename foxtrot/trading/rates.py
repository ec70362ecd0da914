"""Conversion between currencies by named pairs; a missing or old rate gives None, never 1:1."""

from collections.abc import Mapping
from contextlib import suppress
from decimal import Decimal
from math import isfinite

import msgspec

from foxtrot.core.clock import Clock
from foxtrot.domain.calendar_presets import ALWAYS_OPEN, calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.domain.sessions import traded_time
from foxtrot.trading.market_view import MarketView

MAX_AGE_S = 3600.0


class Rate(msgspec.Struct, frozen=True):
    """How much of one asset another is worth, how old that is by the hours of its market, and where it came from."""

    value: Decimal
    age_s: float
    source: str


class RateTable:
    """Rates from named instruments ("EUR/USD" = "EURUSD.IDEALPRO") or fixed by a person ("USDT/USD" = 1.0).

    A pair that nobody named is taken from the spot instrument of that pair, if there is one. Nothing is chained: a rate over
    a third currency needs a name.

    Raises (when made):
        ConfigError: a name is not two assets, or a fixed rate is not positive.

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        view: MarketView,
        instruments: InstrumentTable,
        clock: Clock,
        pairs: Mapping[str, str | float | int] | None = None,
        max_age_s: float = MAX_AGE_S,
    ) -> None:
        self._view = view
        self._instruments = instruments
        self._clock = clock
        self._max_age_s = max_age_s
        self._pairs = {_read_pair(name, source): source for name, source in (pairs or {}).items()}
        self._found: dict[tuple[str, str], str | None] = {}
        self._known = 0

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
        age_s = self._age_s(instrument_id, reference.time_ns)
        if age_s > self._max_age_s:
            return None
        return Rate(Decimal(repr(reference.price)), age_s, instrument_id)

    def _age_s(self, instrument_id: str, time_ns: int) -> float:
        """Return for how long the market of a price has traded since it was heard: over a weekend a rate does not age."""
        instrument, now_ns = self._instruments.get(instrument_id), self._clock.now_ns()
        if instrument is not None and instrument.calendar != ALWAYS_OPEN.name and now_ns > time_ns:
            with suppress(ConfigError):
                return traded_time(calendar_named(instrument.calendar), time_ns, now_ns)[0] / 1e9
        return (now_ns - time_ns) / 1e9

    def _spot_instrument(self, asset: str, into: str) -> str | None:
        """Return the first instrument that trades one asset for the other; looked for again when instruments are added."""
        if len(self._instruments) != self._known:
            self._known = len(self._instruments)
            self._found.clear()
        pair = (asset, into)
        if pair not in self._found:
            self._found[pair] = next(
                (
                    instrument.instrument_id
                    for instrument in self._instruments.all()
                    if (instrument.base_asset, instrument.quote_asset) == pair and not instrument.product.is_derivative
                ),
                None,
            )
        return self._found[pair]


def _read_pair(name: str, source: str | float) -> tuple[str, str]:
    base, slash, quote = name.partition("/")
    if not (base and slash and quote) or "/" in quote:
        raise ConfigError(f"rate {name!r} must name two assets, such as EUR/USD")
    if not isinstance(source, str) and not (isfinite(source) and source > 0):
        raise ConfigError(f"rate {name} = {source} must be above 0, or the id of an instrument")
    return base, quote
