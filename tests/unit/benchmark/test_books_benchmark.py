"""The benchmark of books runs, and all contestants end with the same best levels; nothing is timed."""

import json
from itertools import pairwise
from pathlib import Path

import pytest

from foxtrot.adapter.binance.frame_levels import is_compiled
from tests.benchmark import books
from tests.benchmark.contestants.depth_books import (
    CcxtBook,
    CcxtLine,
    Compiled,
    Make,
    Ours,
    PythonBinanceBook,
    SortedBook,
    hand_over,
    keep_many,
    run,
)
from tests.benchmark.contestants.depth_feed import generated, recorded, renamed
from tests.benchmark.harness import measure

PEERS: list[Make] = [CcxtBook, CcxtLine, SortedBook, PythonBinanceBook, *([Compiled] if is_compiled() else [])]


@pytest.mark.parametrize("make", PEERS)
def test_a_contestant_ends_with_our_levels(make: Make) -> None:
    feed = generated(30)
    top = run(Ours, feed)[1]
    assert [len(side) for side in top] == [20, 20]
    try:
        theirs = run(make, feed)[1]
    except ImportError as error:
        pytest.skip(f"{error}: scripts/bench books has it")
    assert theirs == top


def test_the_recorded_feed_ends_the_same(data_dir: Path) -> None:
    feed = recorded(data_dir)
    assert feed is not None
    assert run(Ours, feed.first(40))[1] == run(CcxtBook, feed.first(40))[1]


def test_messages_are_as_said() -> None:
    frames = [json.loads(frame) for frame in generated(200).frames]
    rows = [row for frame in frames for row in frame["b"] + frame["a"]]
    assert len(rows) == 200 * 20
    removed = sum(float(size) == 0 for _, size in rows) / len(rows)
    assert 0.11 < removed < 0.16
    assert all(later["U"] == earlier["u"] + 1 for earlier, later in pairwise(frames))


@pytest.mark.slow
def test_every_row_can_be_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "recorded", lambda: None)
    table = [measure(row) for row in books.rows(frames=5, repeats=1, books=2, seconds=0.2)]
    assert all(measured.ours for measured in table)


def test_books_are_handed_over_and_kept_side_by_side() -> None:
    feed = generated(3)
    assert hand_over(Ours, feed) > 0
    assert keep_many([Ours(renamed(feed, "ETHUSDT")), Ours(renamed(feed, "LTCUSDT"))], per_s=100) > 0
