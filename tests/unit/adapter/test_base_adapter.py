"""What a new adapter has before it does anything itself: working defaults and one way out."""

import threading
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from loguru import logger
from msgspec.structs import replace

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, BestBidOffer, ExactBook
from foxtrot.adapter.book_paths import BookPath
from foxtrot.adapter.capabilities import BookKind, Capabilities
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus, BookLoaded, RequestFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import PositionData
from foxtrot.domain.enums import AdapterState, PositionSide
from foxtrot.domain.errors import AdapterError, InvariantBroken, VenueRejected
from foxtrot.domain.market import DepthData
from foxtrot.domain.order import ApprovedOrder, CancelRequest
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from tests.support.recorder import Recorder

if TYPE_CHECKING:
    from loguru import Message

BOOK = ExactBook(
    "X.V", 7, ((Decimal(9), Decimal(1)), (Decimal(8), Decimal(1))), ((Decimal(11), Decimal(1)),), "rest", 2.0
)


class BareAdapter(BaseAdapter):
    """Has only what must be there."""

    adapter_name = "bare"
    capabilities = Capabilities(order_types=frozenset(), times_in_force=frozenset(), book=BookKind.BEST)

    def connect(self) -> None: ...
    def close(self, deadline_s: float = 5.0) -> str:
        return ""

    def subscribe(self, request: SubscribeRequest) -> None: ...
    def unsubscribe(self, instrument_id: str) -> None: ...
    def send_order(self, order: ApprovedOrder) -> None: ...
    def cancel_order(self, request: CancelRequest) -> None: ...
    def query_account(self) -> None: ...
    def query_positions(self) -> None: ...
    def query_orders(self) -> None: ...
    def query_trades(self, since_ns: int) -> None: ...
    def query_history(self, request: HistoryRequest) -> None: ...


class RestAdapter(BareAdapter):
    """Can request a book too, and counts how often it does."""

    fetched = 0

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        self.fetched += 1
        return BOOK


class StreamAdapter(RestAdapter):
    """Has a full book in memory, when it is told so."""

    streamed: ExactBook | None = None

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        return self.streamed


def _context() -> AdapterContext:
    return AdapterContext("acc", Recorder(), SendPermit(), ManualClock(10**9), {}, {})


def _heard(adapter: BaseAdapter) -> list[object]:
    assert isinstance(adapter.context.sink, Recorder)
    return adapter.context.sink.events()


def test_a_book_that_the_venue_does_not_give_is_an_adapter_error_naming_the_capability() -> None:
    with pytest.raises(AdapterError, match=r"no order book for X\.V: capability is best"):
        BareAdapter(_context()).get_order_book_depth("X.V", 5)


def test_a_book_request_that_the_venue_does_not_take_is_answered_with_an_error() -> None:
    adapter = BareAdapter(_context())
    adapter.request_book("r", "X.V", 5)
    assert _heard(adapter) == [
        BookLoaded("r", "X.V", None, "none", 0.0, "bare gives no order book: capability is best")
    ]


def test_a_snapshot_without_a_depth_stream_is_a_failed_request() -> None:
    adapter = BareAdapter(_context())
    adapter.request_snapshot("X.V")
    assert _heard(adapter) == [RequestFailed("acc", "snapshot of X.V", "bare has no depth stream", 10**9)]


def test_there_is_no_book_in_memory() -> None:
    assert BareAdapter(_context()).get_order_book_from_websocket("X.V") is None


def test_a_requested_book_is_cut_to_the_levels_asked_for_and_remembered_whole() -> None:
    adapter = RestAdapter(_context())
    assert adapter.get_order_book_depth("X.V", 2).bids == BOOK.bids
    assert adapter.get_order_book_depth("X.V", 1).bids == BOOK.bids[:1]
    assert adapter.get_order_book_depth("X.V", 2).source == "cache"
    assert adapter.fetched == 1


def test_the_age_of_a_remembered_book_counts_from_when_it_was_true() -> None:
    adapter = RestAdapter(_context())
    adapter.get_order_book_depth("X.V", 1)
    assert isinstance(adapter.clock, ManualClock)
    adapter.clock.advance(500_000_000)
    assert adapter.get_order_book_depth("X.V", 1).age_ms == 502.0
    adapter.clock.advance(499_000_000)
    assert adapter.get_order_book_depth("X.V", 1).source == "rest"
    assert adapter.fetched == 2


def test_a_remembered_book_answers_for_its_instrument_only() -> None:
    adapter = RestAdapter(_context())
    adapter.get_order_book_depth("X.V", 1)
    adapter.get_order_book_depth("Y.V", 1)
    assert adapter.fetched == 2


def test_a_status_carries_account_adapter_and_time() -> None:
    adapter = BareAdapter(_context())
    adapter.on_status(AdapterState.LOST, "reset", 2, 0.5)
    assert _heard(adapter) == [AdapterStatus("acc", "bare", AdapterState.LOST, "reset", 2, 0.5, 10**9)]


def test_each_change_of_the_connection_is_one_structured_line_in_the_log() -> None:
    lines: list[tuple[str, str, object, object]] = []

    def keep(message: "Message") -> None:
        record = message.record
        lines.append((record["level"].name, record["message"], record["extra"]["account"], record["extra"]["attempt"]))

    sink = logger.add(keep, level="DEBUG")
    try:
        adapter = BareAdapter(_context())
        adapter.on_status(AdapterState.READY)
        adapter.on_status(AdapterState.LOST, "reset")
        adapter.on_status(AdapterState.BACKING_OFF, "reset", 2, 0.5)
        adapter.on_status(AdapterState.FAILED, "the key is refused")
        adapter.logs_status = False
        adapter.on_status(AdapterState.READY)
    finally:
        logger.remove(sink)
    assert lines == [
        ("INFO", "connection ready", "acc", 0),
        ("WARNING", "connection lost: reset", "acc", 0),
        ("WARNING", "connection backing_off: reset", "acc", 2),
        ("ERROR", "connection failed: the key is refused", "acc", 0),
    ]


def test_an_error_of_the_tree_is_told_as_its_text() -> None:
    adapter = BareAdapter(_context())
    adapter.on_request_failed("cancel of a", VenueRejected("bare", "-1", "too late"))
    assert _heard(adapter) == [RequestFailed("acc", "cancel of a", "bare -1: too late", 10**9)]


@pytest.mark.parametrize(
    "name",
    [
        "on_account", "on_positions", "on_position", "on_open_orders", "on_trades", "on_tick", "on_depth",
        "on_depth_change", "on_market_trade", "on_funding_rate", "on_order", "on_trade", "on_charge", "on_history",
    ],
)  # fmt: skip
def test_every_way_up_puts_the_fact_as_it_is(name: str) -> None:
    adapter = BareAdapter(_context())
    fact = PositionData("acc", "X.V", PositionSide.NET, 0.0, 0.0, Decimal(0), Decimal(0), 0, 0)
    getattr(adapter, name)(fact)
    assert _heard(adapter)[0] is fact


def test_an_answer_to_a_book_request_is_put_as_it_is_and_its_way_is_counted() -> None:
    adapter = BareAdapter(_context())
    depth = DepthData("X.V", 0, 0, 7, ((9.0, 1.0),), ((11.0, 1.0),))
    answers = [BookLoaded("r", "X.V", depth, "rest", 4.0), BookLoaded("r", "X.V", None, "none", 0.0, "no")]
    for answer in answers:
        adapter.on_book(answer)
    assert _heard(adapter) == answers
    figures = adapter.health().book_paths
    assert {path: found.count for path, found in figures.items()} == {BookPath.REST: 1, BookPath.FAILED: 1}
    assert figures[BookPath.REST].age.p50_ms == 4.0


def test_every_way_to_a_book_is_counted_with_its_age() -> None:
    adapter = StreamAdapter(_context())
    adapter.get_order_book_depth("X.V", 1)
    adapter.get_order_book_depth("X.V", 1)
    adapter.streamed = replace(BOOK, source="stream", age_ms=8.0)
    assert adapter.get_order_book_depth("X.V", 1).source == "stream"
    assert adapter.get_order_book_from_websocket("X.V") == adapter.streamed
    figures = adapter.health().book_paths
    assert {path: found.count for path, found in figures.items()} == {
        BookPath.REST: 1, BookPath.CACHE: 1, BookPath.STREAM: 1, BookPath.NOT_IN_MEMORY: 2, BookPath.MEMORY: 2,
    }  # fmt: skip
    assert {path: found.age.p99_ms for path, found in figures.items() if found.age.p99_ms} == {
        BookPath.REST: 2.0, BookPath.CACHE: 2.0, BookPath.STREAM: 8.0, BookPath.MEMORY: 8.0,
    }  # fmt: skip


def test_the_latency_of_a_way_is_how_long_the_caller_waited() -> None:
    class Slow(RestAdapter):
        def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
            assert isinstance(self.clock, ManualClock)
            self.clock.advance(30_000_000)
            return super().fetch_order_book(instrument_id, levels, deadline_s)

    adapter = Slow(_context())
    adapter.get_order_book_depth("X.V", 1)
    assert adapter.health().book_paths[BookPath.REST].latency.p50_ms == 30.0


def test_a_book_that_could_not_be_had_is_counted_and_one_asked_on_the_engines_thread_is_not() -> None:
    adapter = BareAdapter(_context())
    with pytest.raises(AdapterError):
        adapter.get_order_book_depth("X.V", 5)
    raised: list[type[BaseException]] = []

    def ask() -> None:
        try:
            adapter.get_order_book_depth("X.V", 5)
        except InvariantBroken as error:
            raised.append(type(error))

    caller = threading.Thread(target=ask, name="foxtrot-engine")
    caller.start()
    caller.join(5)
    assert raised == [InvariantBroken]
    assert adapter.health().book_paths[BookPath.FAILED].count == 1


def test_the_best_prices_are_those_of_the_full_book_unless_an_adapter_knows_better() -> None:
    adapter = StreamAdapter(_context())
    assert adapter.get_best_bid_offer("X.V") is None
    adapter.streamed = replace(BOOK, source="stream")
    assert adapter.get_best_bid_offer("X.V") == BestBidOffer(
        "X.V", Decimal(9), Decimal(1), Decimal(11), Decimal(1), "stream", 2.0
    )
    adapter.streamed = replace(BOOK, source="stream", asks=())
    assert adapter.get_best_bid_offer("X.V") is None
    paths = adapter.health().book_paths
    assert (paths[BookPath.BEST].count, paths[BookPath.NO_BEST].count) == (1, 2)


def test_a_change_of_the_way_is_a_line_for_everybody_and_the_same_way_again_is_not() -> None:
    levels: list[tuple[str, str]] = []
    sink = logger.add(lambda message: levels.append((message.record["level"].name, message.record["message"])), level=0)
    try:
        adapter = StreamAdapter(_context())
        adapter.get_order_book_depth("X.V", 1)
        adapter.streamed = replace(BOOK, source="stream")
        adapter.get_order_book_depth("X.V", 1)
        adapter.get_order_book_depth("X.V", 1)
    finally:
        logger.remove(sink)
    assert levels == [
        ("INFO", "book of X.V: from rest, 2 ms old"),
        ("INFO", "book of X.V: from stream, 2 ms old"),
        ("DEBUG", "book of X.V: from stream, 2 ms old"),
    ]


def test_the_link_of_every_adapter_has_a_state_and_figures() -> None:
    adapter = BareAdapter(_context())
    assert (adapter.state, adapter.health().up) == (AdapterState.DISCONNECTED, False)
    for state in (AdapterState.CONNECTING, AdapterState.CONNECTED, AdapterState.READY):
        adapter.on_status(state)
    assert (adapter.state, adapter.health().up) == (AdapterState.READY, True)
    adapter.on_status(AdapterState.LOST, "reset")
    assert (adapter.health().up, adapter.health().last_cause) == (False, "reset")
    adapter.on_status(AdapterState.READY)
    assert adapter.health().reconnects == 1


def test_a_book_that_was_requested_does_not_answer_once_the_adapter_is_closed() -> None:
    adapter = RestAdapter(_context())
    adapter.get_order_book_depth("X.V", 1)
    adapter.on_status(AdapterState.CLOSED)
    assert adapter.get_order_book_depth("X.V", 1).source == "rest"
