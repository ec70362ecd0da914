"""Frames of Binance's depth stream for every book: generated from a seed, or those of a recorded capture."""

import json
import os
import random
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import msgspec

from foxtrot.adapter.binance.archive import read_frames
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument

SEED = 20_261_127
LEVELS = 1_000
CHANGES = 20
"""Changed levels a message."""
OVERWRITE, INSERT = 0.73, 0.14
"""Shares of changes that overwrite a level and that add one; nearly all others remove one."""
REACH = 60.0
"""How many levels from the best a change lies, on average; they thin out exponentially."""
MIDDLE = 6_400_000
FIRST_ID = 10_000_000
FIRST_TIME_MS = 1_760_000_000_000
RECORDED = "binance/spot_btcusdt_20240808.gz"


@dataclass(frozen=True)
class DepthFeed:
    """A snapshot and the frames that follow it, as bytes, of one symbol of spot."""

    name: str
    snapshot: bytes
    frames: list[bytes]
    size_step: str = "0.00001"
    symbol: str = "BTCUSDT"

    def first(self, count: int) -> "DepthFeed":
        """The first frames of it."""
        return replace(self, frames=self.frames[:count])

    @cached_property
    def instrument(self) -> Instrument:
        """The instrument of the frames."""
        return Instrument(
            instrument_id=f"{self.symbol}.BINANCE", symbol=self.symbol, venue="BINANCE", product=Product.SPOT, base_asset="BTC",
            quote_asset="USDT", settle_asset="USDT", price_grid=Grid.of("0.01"), quantity_grid=Grid.of(self.size_step),
        )  # fmt: skip


def renamed(feed: DepthFeed, symbol: str) -> DepthFeed:
    """The same feed of another symbol."""
    frames = [frame.replace(b'"s":"BTCUSDT"', f'"s":"{symbol}"'.encode(), 1) for frame in feed.frames]
    return replace(feed, frames=frames, symbol=symbol)


class _Side:
    """The prices of one side in ticks from the middle, nearest first."""

    def __init__(self, draw: random.Random, away: int) -> None:
        self._draw = draw
        self._away = away
        self.ticks = sorted(draw.sample(range(1, 3 * LEVELS), LEVELS))

    def price(self, tick: int) -> str:
        units = MIDDLE + self._away * tick
        return f"{units // 100}.{units % 100:02d}000000"

    def size(self) -> str:
        units = int(self._draw.lognormvariate(9, 2)) + 1
        return f"{units // 100_000}.{units % 100_000:05d}000"

    def rows(self) -> list[list[str]]:
        return [[self.price(tick), self.size()] for tick in self.ticks]

    def change(self, used: set[int]) -> list[str]:
        """Change one level that the message has not changed yet."""
        while True:
            kind, rank = self._draw.random(), min(int(self._draw.expovariate(1 / REACH)), len(self.ticks) - 2)
            tick = self.ticks[rank] + (OVERWRITE <= kind < OVERWRITE + INSERT)
            adds = tick != self.ticks[rank]
            if tick not in used and not (adds and tick == self.ticks[rank + 1]):
                break
        used.add(tick)
        if adds:
            self.ticks.insert(rank + 1, tick)
        elif kind >= OVERWRITE + INSERT:
            del self.ticks[rank]
            return [self.price(tick), "0.00000000"]
        return [self.price(tick), self.size()]


def generated(count: int, seed: int = SEED) -> DepthFeed:
    """A book of 1,000 levels a side and messages of 20 changes: 73 % overwrite, 14 % add and 13 to 14 % remove a level."""
    draw = random.Random(seed)
    bids, asks = _Side(draw, -1), _Side(draw, 1)
    snapshot = {"lastUpdateId": FIRST_ID, "bids": bids.rows(), "asks": asks.rows()}
    frames, last = [], FIRST_ID
    for number in range(count):
        rows: dict[str, list[list[str]]] = {"b": [], "a": []}
        used: dict[str, set[int]] = {"b": set(), "a": set()}
        for _ in range(CHANGES):
            name, side = draw.choice((("b", bids), ("a", asks)))
            rows[name].append(side.change(used[name]))
        first, last = last + 1, last + draw.randrange(CHANGES, 3 * CHANGES)
        head = {"e": "depthUpdate", "E": FIRST_TIME_MS + 100 * number, "s": "BTCUSDT", "U": first, "u": last}
        frames.append(_compact({**head, **rows}))
    return DepthFeed("generated", _compact(snapshot), frames)


class _Wrapped(msgspec.Struct):
    """A frame of a combined stream, or a snapshot."""

    stream: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    lastUpdateId: int | None = None  # noqa: N815  (the venue's name)


class _Ids(msgspec.Struct):
    """The last id of a change."""

    u: int


def recorded(folder: Path | None = None) -> DepthFeed | None:
    """The recorded capture of FOXTROT_DATA, without what is older than its snapshot; None where there is none."""
    root = folder or Path(os.environ.get("FOXTROT_DATA") or Path(__file__).resolve().parents[4] / "shared" / "data")
    if not (root / RECORDED).is_file():
        return None
    frames, snapshot, base = [], b"", 0
    for _, frame in read_frames(root / RECORDED):
        head = msgspec.json.decode(frame, type=_Wrapped)
        if head.lastUpdateId is not None:
            snapshot, base = frame, head.lastUpdateId
        elif "@depth" in head.stream:
            frames.append(bytes(head.data))
    newer = [frame for frame in frames if msgspec.json.decode(frame, type=_Ids).u > base]
    return DepthFeed("recorded", snapshot, newer, "0.00000001")


def _compact(message: object) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode()
