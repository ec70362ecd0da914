"""By which way each symbol's order book is had, as the settings say: our own, ccxt's, or the venue's best twenty levels."""

import enum
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from foxtrot.adapter.binance.frame_levels import is_compiled

PARTIAL_LEVELS: Final = 20
"""How deep the venue's partial book stream is at most.

Source: Binance spot API, web-socket-streams, Partial Book Depth Streams; USDⓈ-M Futures, likewise named: 5, 10 or 20.
"""
LEAST_INTERVAL_S: Final = 1.0


class BookWay(enum.StrEnum):
    """A way to a book; what cannot be had is replaced by the next of them."""

    DEPTH_CACHE = "depth_cache"
    """Our own: a snapshot by REST and the stream of changes, each checked against the one before."""
    CCXT = "ccxt"
    """The one that ccxt.pro keeps of the same stream, copied whenever it hands it on."""
    PARTIAL = "partial"
    """The venue's stream of the best twenty levels: whole in every message, but no full book."""


class BookChoice(msgspec.Struct, frozen=True, kw_only=True):
    """What is chosen for an account: a way for all symbols, others for some, which are compared, and how often books are audited."""

    usual: BookWay = BookWay.DEPTH_CACHE
    """Without the hot path depth_cache stands for ccxt, which then keeps the books."""
    of: Mapping[str, BookWay] = MappingProxyType({})
    compared: frozenset[str] = frozenset()
    """Venue symbols whose book ccxt keeps beside ours, to be compared with it."""
    audit_interval_s: float = 300.0
    """How often each book is compared with a fresh snapshot; 0 is never."""
    compiled: bool = False
    """Whether our own books take frames by the compiled path."""

    def way(self, symbol: str) -> BookWay:
        """Return the way that is chosen for a venue symbol."""
        return self.of.get(symbol, self.usual)

    def is_compared(self, symbol: str) -> bool:
        """Tell whether ccxt keeps a symbol's book beside ours."""
        return symbol in self.compared and self.way(symbol) is BookWay.DEPTH_CACHE

    def named(self) -> frozenset[str]:
        """Return the symbols that are named."""
        return self.compared | frozenset(self.of)


def check_choice(choice: BookChoice, *, hot_path: bool) -> tuple[str, str] | None:
    """Return the setting that does not go with the others and how to mend it; None when all do."""
    if 0 < choice.audit_interval_s < LEAST_INTERVAL_S:
        return "audit_interval_s", f"it is 0 for never, or {LEAST_INTERVAL_S:g} seconds and more"
    if not hot_path and BookWay.DEPTH_CACHE in choice.of.values():
        return "book_of", 'depth_cache needs hot_path = true; without it a book is "ccxt" or "partial"'
    if not hot_path and choice.compared:
        return "compare_books", "it needs hot_path = true: without it there is no book but ccxt's to compare"
    for symbol in sorted(choice.compared):
        if choice.way(symbol) is not BookWay.DEPTH_CACHE:
            return (
                "compare_books",
                f"the book of {symbol} is {choice.way(symbol)}; only depth_cache is compared, with ccxt's",
            )
    return None


def check_engine(choice: BookChoice, *, hot_path: bool) -> tuple[str, str] | None:
    """Return the setting that keeps compiled books from being had, and how to mend it; None when nothing does."""
    if choice.compiled and not hot_path:
        return "book_engine", "compiled needs hot_path = true: without it there are no frames, but ccxt's parsed ones"
    if choice.compiled and not is_compiled():
        return "book_engine", "the compiled path was not built: run scripts/setup --compiled, or leave it plain"
    return None
