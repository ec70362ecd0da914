"""What a scripted venue says: one class per venue, which speaks the venue's own frames of one market."""

import abc
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

import msgspec

from foxtrot.domain.enums import Side

Levels = tuple[tuple[Decimal, Decimal], ...]


class Asked(msgspec.Struct, frozen=True):
    """A REST request; the first part of `path` is the venue's host: "/mainnet.zklighter.elliot.ai/api/v1/orderBooks"."""

    method: str
    path: str
    query: Mapping[str, str]
    body: Any = None


class VenueScript(abc.ABC):
    """One market of one venue, with a book that changes as it is told to.

    Every frame that is made is true of the book then. A gap is a frame that is made and not pushed.

    Thread: the server's for `rest` and `hear`, the test's for the others; they may meet, so each changes one thing at a time.
    """

    exchange: ClassVar[str]
    """ccxt's id."""
    instrument_id: ClassVar[str]
    evidence: ClassVar[str]
    """"recorded" or "documented", and where the frames are from."""
    streams: ClassVar[frozenset[str]] = frozenset({"book", "trade", "quote"})
    has_gaps: ClassVar[bool] = True
    """Whether a lost frame can be noticed; where every frame is a whole book, nothing is lost."""
    price: ClassVar[tuple[str, str]]
    """A bid and an ask near the best of the book at the start, for tests to change; on the grid."""
    size: ClassVar[tuple[str, str]]
    """Two sizes on the grid."""

    def __init__(self) -> None:
        self.bids: dict[str, str] = {}
        self.asks: dict[str, str] = {}

    @abc.abstractmethod
    def rest(self, asked: Asked) -> Any:
        """Return the answer of a request, to be sent as JSON; LookupError for what this venue does not have."""

    @abc.abstractmethod
    def hear(self, frame: Any, subscribed: set[str]) -> list[Any]:
        """Return the answers to a frame of a client, and note in `subscribed` which of `streams` its socket has now."""

    @abc.abstractmethod
    def change(self, side: Side, price: str, size: str) -> Any:
        """Change a level (size "0" removes it) and return the frame that says so."""

    @abc.abstractmethod
    def trade(self, side: Side, price: str, size: str) -> tuple[str, Any]:
        """Return the id of a new print and its frame; `side` took."""

    @abc.abstractmethod
    def quote(self) -> Any:
        """Return the frame that tells the best bid and ask."""

    def greet(self) -> list[Any]:
        """Return what the venue says when a socket opens."""
        return []

    def set_level(self, side: Side, price: str, size: str) -> None:
        """Change the book."""
        levels = self.bids if side is Side.BUY else self.asks
        if Decimal(size):
            levels[price] = size
        else:
            levels.pop(price, None)

    def sorted_levels(self) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
        """Return bids and asks as text, best first."""
        bids = sorted(self.bids.items(), key=lambda row: Decimal(row[0]), reverse=True)
        return bids, sorted(self.asks.items(), key=lambda row: Decimal(row[0]))

    def book(self) -> tuple[Levels, Levels]:
        """Return the true book, exactly, best first."""
        bids, asks = self.sorted_levels()
        return _exact(bids), _exact(asks)


def _exact(levels: list[tuple[str, str]]) -> Levels:
    return tuple((Decimal(price), Decimal(size)) for price, size in levels)
