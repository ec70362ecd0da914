"""A batch of raw frames: what the board notes of it in the figures of each stream."""

from typing import Any

from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.health import StreamHealth
from foxtrot.books.sequence import ContiguousIds
from foxtrot.core.clock import ManualClock
from tests.support.scripted_binance import btcusdt

NOW_NS = 1_700_000_000_000_000_000
SENT_MS = NOW_NS // 1_000_000 - 20
CHANGE = f'{{"e":"depthUpdate","E":{SENT_MS},"s":"BTCUSDT","U":11,"u":12,"b":[["40000.00","1.00000000"]],"a":[["40001.00","1.00000000"]]}}'


class _Nobody:
    """Hears everything and does nothing."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_facts, **_more: None


def test_a_change_of_a_book_that_has_no_snapshot_yet_tells_no_delay() -> None:
    clock = ManualClock(NOW_NS)
    board = StreamBoard(clock, lambda: None)
    book = board.books["BTCUSDT"] = BookStream(btcusdt(), ContiguousIds(), _Nobody(), lambda: None)
    book.health = StreamHealth("book")
    board.live = True
    book.begin("a new link")
    assert board.take(CHANGE)
    board.end_batch()
    figures = book.health.figures(clock.monotonic_ns())
    assert figures.messages == 1
    assert 0.0 <= figures.venue_latency.p99_ms < 1_000.0
