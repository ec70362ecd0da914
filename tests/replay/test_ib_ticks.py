"""An hour of recorded IB ticks through the codec and the stream of ticks: the facts are those of a plain reading of the file."""

import gzip
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from foxtrot.adapter.ib.tick_stream import TickStream
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.market import DELAYED, TickData
from foxtrot.exchange.listings import listing

FILE = "ib/tick_data_20220107.jsonl.gz"
HK = listing("00700.SEHK")
SIZES = {1: 0, 2: 3, 4: 5}
"""The size that ibapi tells by itself after a price."""
LATE = {0: 69, 1: 66, 2: 67, 3: 70, 4: 68, 5: 71, 8: 74}


class Row(msgspec.Struct):
    """One line of the file."""

    time: datetime
    price: float
    size: float
    tickType: int  # noqa: N815  # the file's name


class Plain(NamedTuple):
    """What a reading without the codec makes of the file."""

    bid: float = 0.0
    bid_size: float = 0.0
    ask: float = 0.0
    ask_size: float = 0.0
    last: float = 0.0
    last_size: float = 0.0
    volume: float = 0.0

    def after(self, row: Row) -> "Plain":
        """What it is after a line: a price brings its size; a size alone needs a price."""
        kind, size = row.tickType, row.size
        if kind == 1:
            return self._replace(bid=row.price, bid_size=size)
        if kind == 2:
            return self._replace(ask=row.price, ask_size=size)
        if kind == 4:
            return self._replace(last=row.price, last_size=size)
        if kind == 8:
            return self._replace(volume=size)
        priced, name = {0: (self.bid, "bid_size"), 3: (self.ask, "ask_size"), 5: (self.last, "last_size")}[kind]
        return self._replace(**{name: size if priced else 0.0})


class Up:
    """Keeps ticks."""

    def __init__(self) -> None:
        self.ticks: list[TickData] = []

    def on_tick(self, tick: TickData) -> None:
        self.ticks.append(tick)


@pytest.fixture(scope="module")
def found(data_dir: Path) -> list[Row]:
    """All lines."""
    if not (data_dir / FILE).is_file():
        pytest.skip(f"{data_dir / FILE} is not here")
    decode = msgspec.json.Decoder(Row).decode
    with gzip.open(data_dir / FILE) as lines:
        return [decode(line) for line in lines]


def told(found: list[Row], *, delayed: bool = False, exact: bool = False) -> list[TickData]:
    """The facts of the lines as callbacks of ibapi, with numbers as 9.81 or as 10.x gives them."""
    up = Up()
    stream = TickStream(HK.instrument_id, up, PriceSnap(HK))
    stream.is_told = True
    for row in found:
        now_ns = int(row.time.timestamp() * 1e6) * 1_000
        kind = row.tickType
        size = Decimal(str(row.size)) if exact else int(row.size)
        if kind in SIZES:
            stream.take_price(LATE[kind] if delayed else kind, row.price, now_ns)
        number = SIZES.get(kind, kind)
        stream.take_size(LATE[number] if delayed else number, size, now_ns)
    return up.ticks


def figures(tick: TickData) -> Plain:
    """What of a tick the file has."""
    return Plain(
        tick.bid_price, tick.bid_size, tick.ask_price, tick.ask_size, tick.last_price, tick.last_size, tick.volume
    )


def test_each_line_that_changes_something_is_one_tick_with_the_figures_of_a_plain_reading(found: list[Row]) -> None:
    expected, plain = [], Plain()
    for row in found:
        after = plain.after(row)
        if after != plain:
            expected.append(after)
        plain = after
    ticks = told(found)
    assert len(found) == 14_027
    assert [figures(tick) for tick in ticks] == expected
    assert all(tick.local_time_ns == tick.venue_time_ns for tick in ticks)
    assert (ticks[0].local_time_ns, ticks[-1].volume) == (1_641_535_105_026_751_000, plain.volume)


def test_the_facts_are_the_same_with_the_decimals_of_a_later_ibapi(found: list[Row]) -> None:
    assert told(found, exact=True) == told(found)


def test_delayed_ticks_have_the_same_figures_marked_and_no_time_of_ours_for_the_venues(found: list[Row]) -> None:
    found = found[:2_000]
    late = told(found, delayed=True)
    assert [figures(tick) for tick in late] == [figures(tick) for tick in told(found)]
    assert {(tick.source, tick.venue_time_ns) for tick in late} == {(DELAYED, 0)}


def test_prices_of_the_file_are_on_the_grid_and_never_minus_one(found: list[Row]) -> None:
    for tick in told(found):
        for price in (tick.bid_price, tick.ask_price, tick.last_price):
            assert price == 0.0 or (440.0 <= price <= 446.0 and HK.price_grid.from_float(price))
