"""What is traded in a demo: pairs against USDT, their prices, who gets how much of the activity, and how long it has been."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.listings import listing, spot_pair


class DemoMarket(msgspec.Struct, frozen=True):
    """The instruments of the demo; None for the default listings."""

    instruments: tuple[Instrument, ...] | None = None
    prices: Mapping[str, Decimal] = {}
    shares: tuple[Decimal, ...] = ()
    past_hours: float = 0.0


PAST_HOURS = 6.0


def wide_market(past_hours: float = PAST_HOURS) -> DemoMarket:
    """Return seven pairs with some hours behind them; BTC and ETH are the busiest."""
    rows = (
        ("SOL", "0.01", "0.001", "150"),
        ("BNB", "0.01", "0.001", "600"),
        ("XRP", "0.0001", "0.1", "0.5"),
        ("DOGE", "0.00001", "1", "0.12"),
        ("ADA", "0.0001", "0.1", "0.4"),
    )
    others = tuple(spot_pair(base, step, lot) for base, step, lot, _ in rows)
    return DemoMarket(
        (listing("BTCUSDT.BINANCE"), listing("ETHUSDT.BINANCE"), *others),
        {one.instrument_id: Decimal(row[3]) for one, row in zip(others, rows, strict=True)},
        tuple(Decimal(part) / 100 for part in (36, 24, 10, 10, 8, 6, 6)),
        past_hours,
    )
