"""What a venue's streams can and cannot give through ccxt, by its row and by what ccxt says it has. No orders: market data only."""

from collections.abc import Mapping
from typing import Any, Final

from foxtrot.adapter.capabilities import BookKind, Capabilities
from foxtrot.adapter.ccxt.config import WAYS, BookWay, CcxtSettings
from foxtrot.adapter.ccxt.venue import Snapshots, Venue

ANY: Final = Capabilities(
    order_types=frozenset(),
    times_in_force=frozenset(),
    book=BookKind.PARTIAL,
    best_by_stream=True,
    market_trades=True,
    bars=True,
    history=True,
)
"""A venue that was not looked at: how much of the book its stream gives is not known, so that it counts as a part."""


def capabilities_of(venue: Venue | None, settings: CcxtSettings, has: Mapping[str, Any]) -> Capabilities:
    """Return the row of an account.

    Args:
        venue: what is known of it, None for nothing.
        settings: of the account.
        has: ccxt's word for what its class can do.
    """
    ours = venue is not None and way_for(venue, settings.book, has)[0] is BookWay.DEPTH_CACHE
    history = bool(has.get("fetchOHLCV"))
    kind = ANY.book if venue is None else venue.book
    if not settings.websocket:
        kind = BookKind.NONE
    return Capabilities(
        order_types=frozenset(),
        times_in_force=frozenset(),
        book=kind if has.get("watchOrderBook") or kind is BookKind.BEST else BookKind.NONE,
        book_levels=venue.book_levels if venue is not None and kind is not BookKind.NONE else 0,
        best_by_stream=settings.websocket and has_quotes(venue, has),
        book_checksums=ours and venue is not None and venue.checksums,
        book_interval_ms=venue.interval_ms if venue is not None else 0.0,
        snapshot_levels=venue.rest_levels if venue is not None else 0,
        snapshot_cost=venue.rest_cost if venue is not None else 0.0,
        depth_changes=ours and settings.websocket and venue is not None and venue.snapshots is not Snapshots.EVERY,
        market_trades=bool(has.get("watchTrades") or has.get("fetchTrades")),
        bars=history,
        history=history,
    )


def way_for(venue: Venue | None, wanted: BookWay, has: Mapping[str, Any]) -> tuple[BookWay, str]:
    """Return who keeps a book that is wanted in a way, and why it is another one, "" if it is not.

    What cannot be had is stood in for by the next of depth_cache, ccxt, partial; at the end by requests.
    """
    why = ""
    for way in WAYS[WAYS.index(wanted) :] if wanted in WAYS else ():
        lacks = _lacks(venue, way, has)
        if not lacks:
            return way, why
        why = why or lacks
    return BookWay.REST, why


def _lacks(venue: Venue | None, way: BookWay, has: Mapping[str, Any]) -> str:
    """Return why a way cannot be gone, "" if it can."""
    streams = bool(has.get("watchOrderBook"))
    match way:
        case BookWay.DEPTH_CACHE:
            return (
                "" if venue is not None and venue.keeps_book and streams else "no sequence rule of this venue is known"
            )
        case BookWay.CCXT:
            whole = venue is None or venue.book is BookKind.FULL or venue.snapshots is Snapshots.EVERY
            return "" if streams and whole else "ccxt has no whole book of it by stream"
        case _:
            return "" if venue is not None and venue.partial_levels and streams else "no partial book is known of it"


def has_quotes(venue: Venue | None, has: Mapping[str, Any]) -> bool:
    """Tell whether best bids and asks are streamed by themselves."""
    return bool(has.get("watchBidsAsks")) if venue is None else venue.best_by_stream
