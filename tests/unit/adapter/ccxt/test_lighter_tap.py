"""Lighter's recorded frames through its tap: one chain of nonces from the snapshot to the last change."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from foxtrot.adapter.book_stream import BookStream
from foxtrot.adapter.ccxt.venue import Confirmed, Quote, Stream
from foxtrot.adapter.ccxt.venues.lighter import VENUE, tap
from foxtrot.domain.enums import BookState, Product, Side
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade

NAME = "CRVUSDC.LIGHTER"
CONTEXT: Any = SimpleNamespace(
    now_ns=1, url="", number=1, find=lambda market_id, _product="": {"36": NAME, "1": "BTC"}.get(market_id)
)


class Publisher:
    def __init__(self) -> None:
        self.changes: list[DepthChange] = []
        self.states: list[BookState] = []

    def on_depth(self, depth: DepthData) -> None:
        """Hear a snapshot."""

    def on_depth_change(self, change: DepthChange) -> None:
        self.changes.append(change)

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        self.states.append(state)


@pytest.fixture
def frames(data_dir: Path) -> list[Any]:
    return [json.loads(line) for line in (data_dir / "lighter" / "ws_crv_book.jsonl").read_text("utf-8").splitlines()]


def a_book(publisher: Publisher) -> BookStream:
    instrument = Instrument(
        instrument_id=NAME, symbol="CRVUSDC", venue="LIGHTER", product=Product.PERPETUAL, base_asset="CRV", quote_asset="USDC",
        settle_asset="USDC", price_grid=Grid.of("0.00001"), quantity_grid=Grid.of("0.1"),
    )  # fmt: skip
    assert VENUE.rule is not None
    book = BookStream(instrument, VENUE.rule(), publisher, lambda: None)
    book.want(0, changes=True)
    book.begin()
    return book


def facts(frames: list[Any]) -> list[Any]:
    return [fact for frame in frames for fact in tap(frame, CONTEXT) or () if not isinstance(fact, Confirmed)]


def test_the_recorded_chain_is_unbroken(frames: list[Any]) -> None:
    publisher = Publisher()
    book = a_book(publisher)
    snapshot, *changes = [one for one in facts(frames) if isinstance(one, DepthData | DepthChange)]
    assert (len(snapshot.bids), len(snapshot.asks), len(changes)) == (39, 40, 6)
    assert book.replace(snapshot)
    book.publish()
    assert all(book.take(change) for change in changes)
    assert publisher.states == [BookState.SYNCING, BookState.LIVE]
    assert [one.previous_update_id for one in publisher.changes] == [
        snapshot.update_id,
        *[one.last_update_id for one in changes[:-1]],
    ]
    exact = book.exact(1)
    assert exact is not None
    assert book.update_id == 18032384785
    gone, there = {str(price) for price, _ in exact.bids}, {f"{price} {size}" for price, size in exact.bids}
    assert "0.20351" not in gone
    assert "0.20129 200.4" in there


def test_a_lost_frame_of_the_recording_is_a_gap(frames: list[Any]) -> None:
    publisher = Publisher()
    book = a_book(publisher)
    snapshot, first, _lost, later, *_ = [one for one in facts(frames) if isinstance(one, DepthData | DepthChange)]
    assert book.replace(snapshot)
    assert book.take(first)
    assert not book.take(later)
    assert publisher.states[-1] is BookState.SYNCING


def test_prints_and_quotes_of_the_recording(frames: list[Any]) -> None:
    (trade,) = [one for one in facts(frames) if isinstance(one, MarketTrade)]
    assert (trade.trade_id, trade.price, trade.size, trade.aggressor) == ("26412422124", 0.20382, 0.7, Side.BUY)
    assert trade.venue_time_ns == 1785358835916 * 1_000_000
    (quote,) = [one for one in facts(frames) if isinstance(one, Quote)]
    assert (quote.bid, quote.bid_size, quote.ask, quote.ask_size) == (63777.2, 2.4922, 63777.3, 0.0002)


def test_what_is_of_no_market_is_left_to_ccxt(frames: list[Any]) -> None:
    height = next(frame for frame in frames if frame["channel"] == "height")
    assert tap(height, CONTEXT) is None
    assert tap({"type": "ping"}, CONTEXT) is None
    assert tap({"type": "unsubscribed", "channel": "order_book:36"}, CONTEXT) is None
    assert tap({"error": {"code": 30005}}, CONTEXT) is None


def test_a_market_that_is_not_listed_says_nothing() -> None:
    assert tap({"type": "update/order_book", "channel": "order_book:77"}, CONTEXT) == ()


def test_past_prints_come_with_the_confirmation_and_in_order() -> None:
    rows = [
        {"trade_id": 2, "price": "2", "size": "1", "is_maker_ask": False, "timestamp": 2},
        {"trade_id": 1, "price": "1", "size": "1", "is_maker_ask": True, "timestamp": 1},
    ]
    found = tap({"type": "subscribed/trade", "channel": "trade:36", "trades": rows}, CONTEXT)
    assert found is not None
    confirmed, first, last = found
    assert confirmed == Confirmed(NAME, Stream.TRADE)
    assert isinstance(first, MarketTrade)
    assert isinstance(last, MarketTrade)
    assert (first.trade_id, first.aggressor, last.trade_id, last.aggressor) == ("1", Side.BUY, "2", Side.SELL)
