"""The board with compiled books tells what it tells with plain ones, and decodes where changes are followed."""

from typing import Any

import msgspec
import pytest

from foxtrot.adapter.binance import frame_levels
from foxtrot.adapter.binance.book_choice import BookChoice, check_engine
from foxtrot.adapter.binance.frame_levels import is_compiled
from foxtrot.adapter.binance.frame_stream import FrameStream
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.book_stream import BookStream
from foxtrot.books.sequence import ContiguousIds
from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import BookState
from foxtrot.domain.market import DepthChange, DepthData
from tests.support.scripted_binance import btcusdt

built = pytest.mark.skipif(not is_compiled(), reason="the compiled path was not built: scripts/setup --compiled")


def frame(first: int, last: int, price: str, size: str, symbol: str = "BTCUSDT") -> str:
    return f'{{"e":"depthUpdate","E":1700000000000,"s":"{symbol}","U":{first},"u":{last},"b":[["{price}","{size}"]],"a":[]}}'


class Publisher:
    """Keeps what is published."""

    def __init__(self) -> None:
        self.told: list[object] = []

    def on_depth(self, depth: DepthData) -> None:
        self.told.append(depth)

    def on_depth_change(self, change: DepthChange) -> None:
        self.told.append(change)

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        self.told.append((instrument_id, state, cause))


class Scene:
    """A board with one book."""

    def __init__(self, make: type[BookStream], *, changes: bool = False) -> None:
        self.publisher = Publisher()
        self.asked = 0
        self.board = StreamBoard(ManualClock(1_700_000_000_000_000_000), lambda: None)
        self.book = self.board.books["BTCUSDT"] = make(btcusdt(), ContiguousIds(), self.publisher, self.ask)
        self.board.live = True
        self.book.want(5, changes=changes)
        self.book.begin()
        self.book.load(
            DepthData("BTCUSDT.BINANCE", 1, 1, 10, ((40_000.0, 1.0),), ((40_001.0, 1.0),)), self.book.generation
        )

    def ask(self) -> None:
        self.asked += 1

    def take(self, *texts: str) -> list[bool]:
        taken = [self.board.take(text) for text in texts]
        self.board.end_batch()
        return taken


@built
@pytest.mark.parametrize("changes", [False, True])
def test_compiled_books_tell_what_plain_ones_tell(changes: bool) -> None:
    plain, compiled = Scene(BookStream, changes=changes), Scene(FrameStream, changes=changes)
    batches = [
        [frame(11, 12, "40000.00", "2.00000000"), frame(13, 13, "39999.00", "1.5")],
        [frame(14, 14, "40000.00", "0.00000000"), frame(14, 14, "40000.00", "9.0"), '{"e":"depthUpdate"}'],
        [frame(15, 15, "40002.00", "1.0"), frame(16, 16, "40002.00", "0")],
        [frame(17, 17, "1.00", "1.0", symbol="ETHUSDT"), frame(19, 19, "39998.00", "1.0")],
        [frame(20, 20, "39998.005", "1.0")],
    ]
    for texts in batches:
        assert plain.take(*texts) == compiled.take(*texts)
        assert plain.publisher.told == compiled.publisher.told
        assert plain.book.counters == compiled.book.counters
        assert plain.asked == compiled.asked
        assert plain.board.bad_frames == compiled.board.bad_frames
        assert plain.book.exact(1) == compiled.book.exact(1)
    assert plain.book.state is BookState.SYNCING
    assert any(isinstance(fact, DepthChange) for fact in compiled.publisher.told) is changes


@built
def test_a_frame_is_not_decoded_where_nobody_follows_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_text: str) -> Any:
        raise msgspec.ValidationError("decoded")

    scene = Scene(FrameStream)
    monkeypatch.setattr("foxtrot.adapter.binance.stream_board._decode_event", refuse)
    assert scene.take(frame(11, 12, "40000.00", "2.00000000")) == [True]
    assert scene.book.update_id == 12
    assert scene.board.bad_frames == 0
    scene.board.seen_by_ccxt.add("BTCUSDT")
    assert scene.take(frame(13, 13, "40000.00", "2.00000000")) == [False]
    scene.board.live = False
    assert scene.take(frame(14, 14, "40000.00", "2.00000000")) == [True]
    assert scene.book.update_id == 13


def test_the_setting_says_what_it_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    choice = BookChoice(compiled=True)
    wrong = check_engine(choice, hot_path=False)
    assert wrong is not None
    assert "hot_path" in wrong[1]
    monkeypatch.setattr(frame_levels, "COMPILED", "foxtrot.adapter.binance._not_there")
    wrong = check_engine(choice, hot_path=True)
    assert wrong is not None
    assert "scripts/setup --compiled" in wrong[1]
    assert check_engine(BookChoice(), hot_path=False) is None
