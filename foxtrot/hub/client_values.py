"""What a HubClient gives: books and tickers with exact prices and sizes, frozen, so that any thread may keep them."""

from decimal import Decimal

import msgspec

from foxtrot.domain.enums import BookState

ExactLevel = tuple[Decimal, Decimal]
"""One price level: (price, size)."""


class HubBook(msgspec.Struct, frozen=True, kw_only=True):
    """An order book at one moment, best first. While it is not LIVE it has no levels, so that nobody believes them by mistake.

    Bids below `lowest_known` and asks above `highest_known` may exist: nobody told the hub.
    """

    instrument_id: str
    state: BookState
    seq: int = 0
    update_id: int = 0
    venue_time_ns: int = 0
    local_time_ns: int = 0
    bids: tuple[ExactLevel, ...] = ()
    asks: tuple[ExactLevel, ...] = ()
    lowest_known: Decimal | None = None
    highest_known: Decimal | None = None
    source: str = ""
    cause: str = ""

    @property
    def is_live(self) -> bool:
        """Tell whether it may be believed."""
        return self.state is BookState.LIVE

    @property
    def best_bid(self) -> ExactLevel | None:
        """Return the highest bid."""
        return self.bids[0] if self.bids else None

    @property
    def best_ask(self) -> ExactLevel | None:
        """Return the lowest ask."""
        return self.asks[0] if self.asks else None


class HubTicker(msgspec.Struct, frozen=True, kw_only=True):
    """A ticker at one moment; None is what nobody told. While it is not LIVE it has no prices."""

    instrument_id: str
    state: BookState
    seq: int = 0
    venue_time_ns: int = 0
    local_time_ns: int = 0
    bid: Decimal | None = None
    bid_size: Decimal | None = None
    ask: Decimal | None = None
    ask_size: Decimal | None = None
    last: Decimal | None = None
    last_size: Decimal | None = None
    volume: Decimal | None = None
    source: str = ""
    cause: str = ""

    @property
    def is_live(self) -> bool:
        """Tell whether it may be believed."""
        return self.state is BookState.LIVE
