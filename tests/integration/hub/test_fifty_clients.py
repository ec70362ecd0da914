"""Fifty clients on twenty books of the embedded venue, one of them stalled: nobody else notices, and everybody's book is the venue's."""

import gc
import os
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import msgspec
import pytest

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.core.clock import SystemClock
from foxtrot.domain.enums import BookState
from foxtrot.hub.client import HubClient
from foxtrot.hub.client_streams import KeptBook
from foxtrot.hub.client_values import HubBook
from foxtrot.hub.wire import (
    Change,
    Conflated,
    HubLimits,
    Snapshot,
    StateTold,
    SubscribeAsk,
    Subscribed,
    encode,
    read_told,
)
from tests.support.hub_scene import HubMarket, RawClient
from tests.support.waiting import wait_until

BOOKS, CLIENTS, LEVELS = 20, 50, 100
LIMITS = HubLimits(queue_bytes=131_072, patience_s=600.0)
PAGE = os.sysconf("SC_PAGE_SIZE")
MOST_GROWTH_MB = 8.0


class Slim(msgspec.Struct, frozen=True, gc=False):
    """What a reader looks at that keeps no books."""

    type: str
    stream: int = 0
    seq: int = 0
    count: int = 0
    instrument: str = ""


read_slim = msgspec.json.Decoder(Slim).decode


class Reader:
    """A client that reads every book and checks that each number follows the last; the first few keep the books too."""

    def __init__(self, *, keeps: bool) -> None:
        self.frames = 0
        self.conflated = 0
        self.wrong: list[str] = []
        self.seqs: dict[int, int] = {}
        self.names: dict[int, str] = {}
        self.kept: dict[int, KeptBook] = {}
        self.values: dict[str, HubBook] = {}
        self._keeps = keeps

    async def read(self, url: str, names: tuple[str, ...]) -> None:
        async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
            for name in names:
                await ws.send_str(encode(SubscribeAsk(instrument=name, levels=LEVELS)).decode())
            async for message in ws:
                if self._keeps:
                    self.take(read_told(message.data))
                else:
                    self.look(read_slim(message.data))

    def look(self, frame: Slim) -> None:
        """Take a frame without its levels."""
        if frame.type in ("snapshot", "change", "state"):
            self._follow(frame.stream, frame.seq)
        elif frame.type == "conflated":
            self.conflated += frame.count

    def take(self, frame: object) -> None:
        if isinstance(frame, Subscribed):
            self.names[frame.stream] = frame.instrument
            self.kept[frame.stream] = KeptBook(frame.instrument)
        elif isinstance(frame, Conflated):
            self.conflated += frame.count
        elif isinstance(frame, Snapshot | Change | StateTold):
            self._follow(frame.stream, frame.seq)
            self.values[self.names[frame.stream]] = self.kept[frame.stream].take(frame, 0)

    def _follow(self, stream: int, seq: int) -> None:
        self.frames += 1
        before = self.seqs.get(stream)
        if before is not None and seq != before + 1:
            self.wrong.append(f"{seq} after {before}")
        self.seqs[stream] = seq


class Crowd:
    """Fifty clients on one more loop: one stalled, the others reading."""

    def __init__(self, market: HubMarket) -> None:
        self.market = market
        self.bridge = AsyncBridge("test-clients", SystemClock())
        self.bridge.start()
        self.readers = [Reader(keeps=number < 3) for number in range(CLIENTS - 1)]
        self.stalled = RawClient(self.bridge, market.server.url, receive_bytes=4_096)
        for name in market.names:
            self.stalled.send({"op": "subscribe", "instrument": name, "levels": LEVELS})
        self.stalled.stall()
        self._tasks = [self.bridge.submit(reader.read(market.server.url, market.names)) for reader in self.readers]
        wait_until(lambda: all(len(reader.seqs) == BOOKS for reader in self.readers), deadline_s=60)

    def step(self, orders: int) -> None:
        """Change every book by some orders and wait until every reader has it."""
        self.market.step(orders)
        told = self._told()
        wait_until(lambda: all(reader.seqs == told for reader in self.readers), deadline_s=60)

    def _told(self) -> dict[int, int]:
        async def look() -> dict[int, int]:
            board = self.market.server._board
            return {number: one.seq for number, one in board.channels.items() if one.key[2:] == (LEVELS, 0)}

        return self.market.server._bridge.submit(look()).result(10)

    def close(self) -> None:
        """Hang up."""
        for task in self._tasks:
            task.cancel()
        self.stalled.close()
        assert self.bridge.stop() == ""


@pytest.fixture
def market() -> Iterator[HubMarket]:
    made = HubMarket(BOOKS, limits=LIMITS, levels=LEVELS)
    made.start()
    try:
        yield made
    finally:
        made.stop()


@pytest.fixture
def crowd(market: HubMarket) -> Iterator[Crowd]:
    made = Crowd(market)
    try:
        yield made
    finally:
        made.close()


def resident_mb() -> float:
    """What this process, hub, venue and clients together, has in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 1e6


def as_truth(value: HubBook) -> object:
    return value.bids, value.asks


def check_late_joiner(market: HubMarket, steps: int) -> int:
    """Join now; compare every book that comes with the venue's own at the same id. Returns how many were compared."""
    heard: list[HubBook] = []
    with HubClient(market.server.url) as client:
        feeds = [client.book(name, LEVELS, on_value=heard.append) for name in market.names]
        for feed in feeds:
            feed.wait(30)
        for _ in range(steps):
            market.step()
        for feed in feeds:
            last = max(market.truth[feed.instrument_id])
            wait_until(lambda feed=feed, last=last: feed.latest.update_id == last, deadline_s=30)  # type: ignore[misc]
        assert [feed.conflated for feed in feeds] == [0] * BOOKS
    live = [value for value in heard if value.is_live]
    assert {value.state for value in heard} <= {BookState.LIVE, BookState.EMPTY}
    for value in live:
        assert as_truth(value) == market.truth[value.instrument_id][value.update_id]
    assert len(live) >= BOOKS * (steps + 1)
    return len(live)


def wake_up(crowd: Crowd) -> tuple[int, int]:
    """Let the stalled client read all that waits for it; returns how many frames it got and how many were left out."""
    late = Reader(keeps=True)
    crowd.stalled.go_on()
    books = {name: max(books) for name, books in crowd.market.truth.items()}

    def is_there() -> bool:
        return {name: value.update_id for name, value in late.values.items() if value.is_live} == books

    while not is_there():
        frame = read_told(msgspec.json.encode(crowd.stalled.next(timeout_s=30)))
        if isinstance(frame, Conflated):
            late.kept[frame.stream].take(frame, 0)
            late.seqs.pop(frame.stream, None)
        late.take(frame)
    assert late.wrong == []
    for name, value in late.values.items():
        assert as_truth(value) == crowd.market.truth[name][value.update_id]
    return late.frames, late.conflated


def run(crowd: Crowd, rounds: int, orders: int) -> None:
    market = crowd.market
    for _ in range(rounds):
        crowd.step(orders)
    assert [reader.wrong for reader in crowd.readers] == [[]] * (CLIENTS - 1)
    assert {reader.conflated for reader in crowd.readers} == {0}
    for reader in crowd.readers[:3]:
        for name, value in reader.values.items():
            assert as_truth(value) == market.truth[name][value.update_id]
            assert value.update_id == max(market.truth[name])


def test_every_reader_sees_every_number_and_a_late_joiner_has_the_venues_book(
    crowd: Crowd, capsys: pytest.CaptureFixture[str]
) -> None:
    run(crowd, 20, orders=40)
    compared = check_late_joiner(crowd.market, 3)
    taken, left_out = wake_up(crowd)
    assert left_out > 0
    frames = sum(reader.frames for reader in crowd.readers)
    with capsys.disabled():
        print(
            f"\n{CLIENTS} clients, {BOOKS} books: {frames} frames in order; a late joiner compared at {compared} ids; "
            f"the stalled one took {taken} frames and {left_out} were left out"
        )


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_memory_stays_flat_beside_a_stalled_client(crowd: Crowd, capsys: pytest.CaptureFixture[str]) -> None:
    figures: list[float] = []
    parts, rounds = 6, 60
    for _ in range(parts):
        run(crowd, rounds, orders=6)
        crowd.market.forget()
        figures.append(resident_mb())
    compared = check_late_joiner(crowd.market, 3)
    taken, left_out = wake_up(crowd)
    frames = sum(reader.frames for reader in crowd.readers)
    with capsys.disabled():
        print(
            f"\n{CLIENTS} clients, {BOOKS} books, {parts * rounds} rounds: {frames} frames in order; resident after each {rounds}: "
            f"{', '.join(f'{one:.1f}' for one in figures)} MB; late joiner compared at {compared} ids; "
            f"the stalled one took {taken} frames and {left_out} were left out"
        )
    assert figures[-1] - figures[0] < MOST_GROWTH_MB
