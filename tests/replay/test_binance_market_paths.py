"""Recorded frames give the same facts by the hot path and by ccxt, and the same books at every id."""

from pathlib import Path
from typing import Any

import ccxt.pro
import msgspec
import pytest

from foxtrot.adapter.binance import ccxt_facts
from foxtrot.adapter.binance.archive import read_frames
from foxtrot.adapter.binance.book_rules import RULES
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.binance.tick_stream import TickStream
from foxtrot.adapter.book_stream import BookStream
from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.market import DepthData, MarketTrade, TickData
from tests.support.instruments import Grid, a_perpetual, a_spot

FRAMES = 3_000
CAPTURES = {
    Product.SPOT: ("spot_btcusdt_20240808.gz", a_spot(quantity_grid=Grid.of("0.00000001"))),
    Product.PERPETUAL: ("usdm_btcusdt_20240808.gz", a_perpetual()),
}


class Heard:
    """A way up that keeps everything."""

    def __init__(self) -> None:
        self.facts: list[Any] = []
        self.states: list[BookState] = []

    def on_tick(self, tick: TickData) -> None:
        self.facts.append(tick)

    def on_market_trade(self, trade: MarketTrade) -> None:
        self.facts.append(trade)

    def on_gap(self, gap: object) -> None:
        raise AssertionError(gap)

    def on_depth(self, depth: DepthData) -> None:
        self.facts.append(depth)

    def on_depth_change(self, change: object) -> None:
        raise AssertionError(change)

    def on_book_state(self, _instrument_id: str, state: BookState, _cause: str = "") -> None:
        self.states.append(state)


class Client:
    """A connection of ccxt's, as far as its handlers look at one."""

    def __init__(self, product: Product) -> None:
        self.url = (
            "wss://stream.binance.com/stream" if product is Product.SPOT else "wss://fstream.binance.com/public/ws"
        )
        self.subscriptions: dict[str, Any] = {}

    def resolve(self, *_result: object) -> None:
        """Nobody waits."""

    def reject(self, error: Exception, _key: str) -> None:
        raise error


def _ccxt(product: Product) -> Any:
    exchange: Any = ccxt.pro.binance() if product is Product.SPOT else ccxt.pro.binanceusdm()
    spot = product is Product.SPOT
    exchange.options["crossMarginPairsData"] = exchange.options["isolatedMarginPairsData"] = []
    row = {
        "symbol": "BTCUSDT",
        "status": "TRADING",
        "baseAsset": "BTC",
        "quoteAsset": "USDT",
        "filters": [],
        "orderTypes": [],
    }
    contract = {"marginAsset": "USDT", "contractType": "PERPETUAL", "pair": "BTCUSDT", "deliveryDate": 4133404800000}
    exchange.set_markets([exchange.parse_market(row if spot else row | contract)])
    return exchange


def _board(product: Product) -> tuple[StreamBoard, Heard, BookStream]:
    heard = Heard()
    board = StreamBoard(ManualClock(1), lambda: None)
    board.live = True
    ticks = TickStream("BTC", heard, lambda stream, _first, _last: stream.fill([]))
    ticks.ticks = ticks.trades = True
    book = BookStream(CAPTURES[product][1], RULES[product](), heard, lambda: None)
    board.ticks["BTCUSDT"] = ticks
    board.books["BTCUSDT"] = book
    return board, heard, book


@pytest.mark.parametrize("product", CAPTURES)
def test_the_hot_path_and_ccxt_keep_the_same_book_and_tell_the_same_facts(data_dir: Path, product: Product) -> None:
    exchange, client, symbol = _ccxt(product), Client(product), next(iter(_symbols(product)))
    board, heard, book = _board(product)
    slow_board, slow_heard, _ = _board(product)
    codec, compared = MarketCodec(product), 0
    waiting: list[Any] = []
    book.begin()
    for number, (_received, frame) in enumerate(read_frames(data_dir / "binance" / CAPTURES[product][0])):
        if number == FRAMES:
            break
        message = msgspec.json.decode(frame)
        message = message.get("data", message)
        if "lastUpdateId" in message:
            book.load(codec.snapshot(message, 1, "BTCUSDT"), book.generation)
            exchange.orderbooks[symbol] = exchange.order_book(
                exchange.parse_order_book(message, symbol) | {"nonce": message["lastUpdateId"]}, 1000
            )
            for early in waiting:
                exchange.handle_order_book(client, early)
            continue
        assert board.take(frame.decode())
        board.end_batch()
        if message.get("e") == "depthUpdate":
            if symbol not in exchange.orderbooks:
                waiting.append(message)
            else:
                exchange.handle_order_book(client, message)
                compared += number % 10 == 0
                theirs = exchange.orderbooks[symbol].limit()
                if number % 10 == 0:
                    assert book.book.update_id == theirs["nonce"]
                    _same(book, theirs)
        elif message.get("e") == "trade":
            slow_board.trade(
                ccxt_facts.trade_frame(exchange.parse_ws_trade(message, exchange.market(symbol)), "BTCUSDT")
            )
        elif "A" in message:
            ticker = exchange.parse_ws_ticker(message, "spot" if product is Product.SPOT else "contract")
            slow_board.quote(ccxt_facts.quote_frame(ticker, "BTCUSDT"))
        slow_board.end_batch()
    assert compared > 20
    assert _of(heard, MarketTrade) == _of(slow_heard, MarketTrade)
    assert _of(heard, TickData) == _of(slow_heard, TickData)
    assert board.bad_frames == 0


def _symbols(product: Product) -> tuple[str, ...]:
    return ("BTC/USDT",) if product is Product.SPOT else ("BTC/USDT:USDT",)


def _same(book: BookStream, theirs: Any) -> None:
    ours = book.book.depth(100)
    for side, rows in (("bids", ours.bids), ("asks", ours.asks)):
        assert rows == tuple((level[0], level[1]) for level in theirs[side][:100])


def _of(heard: Heard, kind: type) -> list[Any]:
    return [fact for fact in heard.facts if isinstance(fact, kind)]


@pytest.mark.parametrize("name", ["BINANCE.ws.1.0.gz", "BINANCE_FUTURES.ws.1.0.gz"])
def test_every_recorded_frame_of_other_symbols_can_be_read(data_dir: Path, name: str) -> None:
    import gzip

    product = Product.PERPETUAL if "FUTURES" in name else Product.SPOT
    board, heard, _ = _board(product)
    with gzip.open(data_dir / "exchange_captures" / name, "rt") as lines:
        frames = [line.partition(": ")[2].strip() for line in lines if line[:1].isdigit()]
    taken = [board.take(frame) for frame in frames]
    assert len(taken) > 200
    assert board.bad_frames == 0
    assert heard.facts == []
