"""Recorded frames of several venues: read from the captures, and decoded to snapshots, changes and quotes."""

import gzip
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level
from tests.support.instruments import a_spot


class Line(NamedTuple):
    """What was received: when, by which request ("" for a stream), and the text."""

    time_ns: int
    url: str
    text: str


class Quote(NamedTuple):
    """The best bid and ask that a venue tells beside its book."""

    instrument_id: str
    bid: str
    ask: str


BookFact = DepthData | DepthChange | Quote


def read_lines(path: Path) -> Iterator[Line]:
    """Yield what was received in a capture of cryptofeed: "<time in s>: <frame>", or "<url> -> <time in s>: <answer>"."""
    with gzip.open(path, "rt") as lines:
        for line in lines:
            head, _, text = line.strip().partition(": ")
            url, arrow, time = head.rpartition(" -> ")
            if "<-" not in head and text:
                yield Line(round(Decimal(time if arrow else head) * 10**9), url, text)


def instrument_of(name: str, price: str, size: str, product: Product = Product.SPOT) -> Instrument:
    """Return an instrument whose grids have the decimals of a price and a size as the venue prints them."""
    return a_spot(
        instrument_id=name,
        symbol=name,
        product=product,
        price_grid=Grid.of(_step(price)),
        quantity_grid=Grid.of(_step(size)),
    )


def _step(text: str) -> Decimal:
    return Decimal(1).scaleb(-len(text.partition(".")[2]))


def levels(rows: list[Any], price: int | str = 0, size: int | str = 1) -> tuple[Level, ...]:
    """Return levels of rows, by the names of the two columns."""
    return tuple([(float(row[price]), float(row[size])) for row in rows])


def kraken_fact(text: str, number: int) -> tuple[str, BookFact] | None:
    """Decode a frame of Kraken's book channel; ids count messages. Returns the pair, and None for other frames.

    Source: Kraken, websocket v1, book: [channel, {as, bs} or {a} and/or {b, c}, name, pair].
    """
    frame = msgspec.json.decode(text)
    if not isinstance(frame, list):
        return None
    pair, parts = frame[-1], {key: value for part in frame[1:-2] for key, value in part.items()}
    rows = [row for key in ("as", "bs", "a", "b") for row in parts.get(key, ())]
    time_ns = max([round(Decimal(row[2]) * 10**9) for row in rows], default=0)
    if "as" in parts:
        return pair, DepthData(pair, time_ns, time_ns, number, levels(parts["bs"]), levels(parts["as"]))
    bids, asks = levels(parts.get("b", [])), levels(parts.get("a", []))
    return pair, DepthChange(pair, time_ns, time_ns, number, number, number - 1, bids, asks, int(parts["c"]))


def coinbase_fact(text: str, number: int) -> BookFact | None:
    """Decode a frame of Coinbase's level2 or ticker channel; ids count messages.

    Source: Coinbase Exchange, websocket feed, level2 and ticker channels.
    """
    frame = msgspec.json.decode(text)
    name = frame.get("product_id", "")
    match frame["type"]:
        case "snapshot":
            return DepthData(name, 0, 0, number, levels(frame["bids"]), levels(frame["asks"]))
        case "l2update":
            bids = levels([row[1:] for row in frame["changes"] if row[0] == "buy"])
            asks = levels([row[1:] for row in frame["changes"] if row[0] == "sell"])
            return DepthChange(name, 0, 0, number, number, number - 1, bids, asks)
        case "ticker":
            return Quote(name, frame["best_bid"], frame["best_ask"])
    return None


def lighter_fact(text: str) -> DepthData | DepthChange | None:
    """Decode a frame of Lighter's order_book channel.

    Source: Lighter, websocket reference, order book.
    """
    frame = msgspec.json.decode(text)
    book, time_ns = frame.get("order_book"), frame.get("timestamp", 0) * 10**6
    if book is None:
        return None
    bids, asks = levels(book["bids"], "price", "size"), levels(book["asks"], "price", "size")
    nonce = book["nonce"]
    if frame["type"] == "subscribed/order_book":
        return DepthData("CRV", time_ns, time_ns, nonce, bids, asks)
    return DepthChange("CRV", time_ns, time_ns, book["begin_nonce"] + 1, nonce, book["begin_nonce"], bids, asks)
