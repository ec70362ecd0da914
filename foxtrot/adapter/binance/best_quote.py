"""The best bid and ask as the stream of quotes told them last, with exact figures; pure."""

from decimal import Decimal

from foxtrot.adapter.base_adapter import BestBidOffer
from foxtrot.adapter.binance.frames import BookTickerFrame
from foxtrot.domain.errors import OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import STREAM

Heard = tuple[BookTickerFrame, int]
"""A quote and when it was heard (UTC ns): one value, which any thread may read while the next one takes its place."""


def best_quote(heard: Heard | None, instrument: Instrument, now_ns: int) -> BestBidOffer | None:
    """Return the best prices of a quote; None without one, or when a side is empty, crossed or off the grid."""
    if heard is None:
        return None
    frame, heard_ns = heard
    if not 0 < frame.b < frame.a:
        return None
    try:
        bid, ask = _exact(frame.b, frame.B, instrument), _exact(frame.a, frame.A, instrument)
    except OffGrid:
        return None
    return BestBidOffer(instrument.instrument_id, *bid, *ask, STREAM, max(0, now_ns - heard_ns) / 1e6)


def _exact(price: float, size: float, instrument: Instrument) -> tuple[Decimal, Decimal]:
    prices, sizes = instrument.price_grid, instrument.quantity_grid
    return prices.to_decimal(prices.from_float(price)), sizes.to_decimal(sizes.from_float(size))
