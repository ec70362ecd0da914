"""How bars are written: dates, prices on the contract's grid, volumes, and what quotes have instead of them."""

from datetime import UTC, datetime
from typing import Final

from foxtrot.exchange.wire.ib.history_terms import BarSize
from foxtrot.exchange.wire.ib.ib_contract import IbContract
from foxtrot.exchange.wire.ib.layout import Value
from foxtrot.exchange.wire.ib.price_bars import SECOND_NS, PriceBar
from foxtrot.exchange.wire.ib.quote_requests import size_of
from foxtrot.exchange.wire.ib.traded_hours import TradedHours

LOGIN_ZONE: Final = UTC
"""Where TWS was logged in: local times without a zone are of it, as is the time that the handshake tells."""
_NO_VOLUME: Final = -1
EPOCH_DATES: Final = 2
BarFigures = dict[str, Value]


def bar_figures(contract: IbContract, what: str, bar: PriceBar) -> BarFigures:
    """Return open, high, low, close, volume, average price and count of a bar.

    Quotes have -1 for the last three.

    Source: TWS API documentation, Historical Bar Data; real-time bars likewise.
    """
    units = (bar.open, bar.high, bar.low, bar.close)
    scale = 2 if what == "MIDPOINT" else 1
    grid = contract.instrument.price_grid
    prices = (grid.to_float(one) / scale for one in units)
    figures: BarFigures = dict(zip(("open", "high", "low", "close"), prices, strict=True))
    if what != "TRADES":
        return {**figures, "volume": _NO_VOLUME, "wap": float(_NO_VOLUME), "count": _NO_VOLUME}
    average = round(grid.to_float(bar.turnover) / bar.volume, 8) if bar.volume else grid.to_float(bar.close)
    return {**figures, "volume": size_of(contract, bar.volume), "wap": average, "count": bar.count}


def mean_bar(bids: PriceBar, asks: PriceBar) -> PriceBar:
    """Return the bar of BID_ASK: opens with the mean bid, closes with the mean ask, between the highest ask and the lowest bid.

    Source: TWS API documentation, Historical Data Types (BID_ASK).
    """
    opened, closed = round(bids.turnover / bids.volume), round(asks.turnover / asks.volume)
    return PriceBar(bids.open_ns, opened, asks.high, bids.low, closed, 0, 0, 0)


def bar_date(ns: int, size: BarSize, hours: TradedHours, form: int) -> str:
    """Return when a bar begins: a day, seconds since 1970, or local time of the login.

    Source: TWS API documentation, Historical Bar Data, formatDate; days are days in both forms.
    """
    if not size.length_s:
        return f"{hours.day_of(ns):%Y%m%d}"
    return str(ns // SECOND_NS) if form == EPOCH_DATES else login_text(ns)


def login_text(ns: int) -> str:
    """Return a moment in local time of the login.

    Source: TWS API documentation, Historical Bar Data; two spaces stand between date and time at server version 157.
    """
    return f"{datetime.fromtimestamp(ns // SECOND_NS, LOGIN_ZONE):%Y%m%d  %H:%M:%S}"
