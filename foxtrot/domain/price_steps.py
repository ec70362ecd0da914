"""Legal price steps of stock markets by price band, as data with the day from which it holds.

A stock's counting unit is fixed for its life, so it is the finest step that the market knows at any price: 0.001 HKD in Hong
Kong, 0.0001 USD in the United States (a stock that trades at 200 USD may one day trade below 1), 0.01 CNY in mainland China.
The bands change when the market changes its rules; the unit does not.

Not enforced here: Hong Kong's table begins at 0.01 and ends at 9,995 HKD. United States rules name 0.005 USD for some stocks, chosen
twice a year by their spread, once the relief from that rule ends (said for November 2026, NOT VERIFIED to have happened): the
0.01 below is coarser, and so legal in any case.
"""

from datetime import date
from decimal import Decimal

import msgspec

from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid, PriceBand

HK_PRICE_GRID = Grid.of("0.001")
"""The counting unit of a price in Hong Kong."""

US_PRICE_GRID = Grid.of("0.0001")
"""The counting unit of a price in the United States."""

CN_PRICE_GRID = Grid.of("0.01")
"""The counting unit, and at every price the step, of an A share in Shanghai and Shenzhen."""

CN_LOT = 100
"""Shares of one board lot in Shanghai and Shenzhen: what is bought comes in whole lots, an odd rest can only be sold at once."""

Rows = tuple[tuple[str, str], ...]
"""(from this price on, step) in the market's currency, ascending."""


class SpreadTable(msgspec.Struct, frozen=True):
    """One table of price steps, the first day on which it holds, and who published it."""

    holds_from: date
    rows: Rows
    source: str


_HK_LOW: Rows = (("0", "0.001"), ("0.25", "0.005"))
_HK_HIGH: Rows = (
    ("100", "0.1"), ("200", "0.2"), ("500", "0.5"), ("1000", "1"), ("2000", "2"), ("5000", "5"),
)  # fmt: skip

HK_SPREADS: tuple[SpreadTable, ...] = (
    SpreadTable(
        date(2006, 7, 24),
        (*_HK_LOW, ("0.5", "0.01"), ("10", "0.02"), ("20", "0.05"), *_HK_HIGH),
        "HKEX news release of 2006-07-18, 'HKEx Sets Date for Reduction of Minimum Trading Spreads'",
    ),
    SpreadTable(
        date(2025, 8, 4),
        (*_HK_LOW, ("0.5", "0.01"), ("20", "0.02"), ("50", "0.05"), *_HK_HIGH),
        "HKEX page 'Reduction of Minimum Spreads', updated 2025-08-15: phase 1, launched 2025-08-04",
    ),
)
"""Part A of the Second Schedule of the Exchange's rules (shares, REITs and other securities; not ETPs, debt, structured products)."""

HK_ANNOUNCED: Rows = (
    *_HK_LOW, ("10", "0.01"), ("20", "0.02"), ("50", "0.05"), *_HK_HIGH,
)  # fmt: skip
"""Phase 2 as announced by HKEX on 2026-01-09 for "mid-2026, subject to approval": 0.005 from 0.5 to 10 HKD.

Its first day is NOT VERIFIED, so `hk_price_bands` never gives it: a price that the coarser table allows is legal under both.
"""

_US_ROWS: Rows = (("0", "0.0001"), ("1", "0.01"))
_CN_ROWS: Rows = (("0", "0.01"),)


def hk_price_bands(day: date) -> tuple[PriceBand, ...]:
    """Return the legal steps of a share in Hong Kong on a day, in units of `HK_PRICE_GRID`.

    Raises:
        ConfigError: the day lies before the first table known.

    Source: Rules of the Exchange, Second Schedule, Part A; see `HK_SPREADS`.
    """
    for table in reversed(HK_SPREADS):
        if table.holds_from <= day:
            return _bands(HK_PRICE_GRID, table.rows)
    raise ConfigError(f"Hong Kong's price steps are known from {HK_SPREADS[0].holds_from} on, not for {day}")


def hk_announced_bands() -> tuple[PriceBand, ...]:
    """Return the steps that Hong Kong announced without a day that was verified, in units of `HK_PRICE_GRID`.

    Source: HKEX page 'Reduction of Minimum Spreads', phase 2; see `HK_ANNOUNCED`.
    """
    return _bands(HK_PRICE_GRID, HK_ANNOUNCED)


def us_price_bands() -> tuple[PriceBand, ...]:
    """Return the legal steps of a share in the United States, in units of `US_PRICE_GRID`: finer below 1 USD.

    Source: 17 CFR 242.612, minimum pricing increment, as in force since 2006-01-31.
    """
    return _bands(US_PRICE_GRID, _US_ROWS)


def cn_price_bands() -> tuple[PriceBand, ...]:
    """Return the legal steps of an A share in Shanghai and Shenzhen, in units of `CN_PRICE_GRID`: one at every price.

    Source: SSE Trading Rules, 3.3.11, and SZSE Trading Rules, 3.3.8: 0.01 CNY for A shares. From memory, NOT VERIFIED.
    """
    return _bands(CN_PRICE_GRID, _CN_ROWS)


def _bands(grid: Grid, rows: Rows) -> tuple[PriceBand, ...]:
    return tuple(PriceBand(grid.from_decimal(Decimal(low)), grid.from_decimal(Decimal(step))) for low, step in rows)
