"""Recorded spot depth and trades drive the market-making sample; what it sees and what it gets is checked on the raw frames.

The check reads the captures by itself: frames as JSON, a book as two dicts, event times moved to the receiver's clock by the
least difference of the two.
"""

import json
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from foxtrot.adapter.binance.archive import read_frames
from foxtrot.backtest.depth_capture import DepthCapture, read_depth
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Liquidity, Product, Side
from foxtrot.domain.market import DepthData, Level, MarketTrade
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.samples.market_making import MarketMaking
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import StrategySettings

NAMES = ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz")
EVERY = 5
LATENCY_NS = 5_000_000


class Watching(MarketMaking):
    """The sample, noting the book it sees after every fifth change, and when its orders were accepted."""

    def on_init(self) -> None:
        super().on_init()
        self.depths = 0
        self.seen: list[tuple[int, tuple[Level, Level]]] = []
        self.accepted_ns: dict[str, int] = {}

    def on_depth(self, depth: DepthData) -> None:
        super().on_depth(depth)
        self.depths += 1
        book = self.book()
        assert book is not None
        if self.depths > 1 and (self.depths - 1) % EVERY == 0:
            self.seen.append((book.update_id, (book.bids[0], book.asks[0])))

    def on_order(self, order: OrderData) -> None:
        super().on_order(order)
        if order.venue_order_id:
            self.accepted_ns.setdefault(order.order_id, order.venue_time_ns)


class Taker(Strategy):
    """Buys and sells at the market in turn, after every five hundredth print."""

    def on_init(self) -> None:
        self.prints = 0

    def on_market_trade(self, trade: MarketTrade) -> None:
        self.prints += 1
        if self.prints % 500 == 0:
            send = self.buy if self.prints % 1_000 else self.sell
            send(0.5)


class Recorded:
    """The raw frames: prints, tickers and the changing book, each at its moment by the receiver's clock."""

    def __init__(self, folder: Path) -> None:
        frames = [(at, json.loads(frame)) for name in NAMES for at, frame in read_frames(folder / name)]
        timed = [(at, self.event_ms(frame)) for at, frame in frames]
        offset = min(at - ms * 10**6 for at, ms in timed if ms)
        self.tickers: list[tuple[int, tuple[Level, Level]]] = []
        self.moments: list[tuple[int, str, dict[str, str]]] = []
        self.copies: dict[int, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]] = {}
        latency = 0
        for at, frame in frames:
            ms = self.event_ms(frame)
            latency = at - ms * 10**6 - offset if ms else latency
            self.moments.append((at - latency, self.kind(frame), frame.get("data", frame)))
        for _, kind, data in self.moments:
            if kind == "ticker":
                tops = ((float(data["b"]), float(data["B"])), (float(data["a"]), float(data["A"])))
                self.tickers.append((int(data["u"]), tops))
        self.moments.sort(key=lambda moment: moment[0])

    @staticmethod
    def event_ms(frame: dict[str, dict[str, int]]) -> int:
        data = frame.get("data", {})
        return data.get("T") or data.get("E") or 0

    @staticmethod
    def kind(frame: dict[str, dict[str, str]]) -> str:
        if "lastUpdateId" in frame:
            return "snapshot"
        return {"depthUpdate": "depth", "trade": "trade"}.get(frame["data"].get("e", ""), "ticker")

    def ticker_at(self, update_id: int) -> tuple[Level, Level]:
        return self.tickers[bisect_right(self.tickers, update_id, key=lambda ticker: ticker[0]) - 1][1]

    def prints(self) -> list[tuple[int, Decimal, Decimal, Side]]:
        return [
            (at, Decimal(data["p"]), Decimal(data["q"]), Side.SELL if data["m"] else Side.BUY)
            for at, kind, data in self.moments
            if kind == "trade"
        ]

    def best(self) -> Iterator[tuple[int, Decimal, Decimal]]:
        """Best bid and ask of each ticker."""
        for at, kind, data in self.moments:
            if kind == "ticker":
                yield at, Decimal(data["b"]), Decimal(data["a"])

    def books(self, wanted: set[int]) -> dict[int, tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]]:
        """Copies of bids and asks as they stood at the wanted moments, the last ticker put over them if it is younger."""
        sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]] = ({}, {})
        top: dict[str, str] = {}
        copies = self.copies
        due = sorted(wanted - copies.keys())
        early: list[dict[str, str]] = []
        live = False
        for at, kind, data in self.moments if due else ():
            while due and at > due[0]:
                copies[due.pop(0)] = self.with_top(sides, top)
            if kind == "ticker":
                top = data
            elif kind == "snapshot":
                live, top = True, {}
                self.put(sides, data["bids"], data["asks"])
                for change in early:
                    if int(change["u"]) > int(data["lastUpdateId"]):
                        self.put(sides, change["b"], change["a"])
            elif kind == "depth" and not live:
                early.append(data)
            elif kind == "depth":
                top = {}
                self.put(sides, data["b"], data["a"])
        return copies

    @staticmethod
    def put(sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]], *changes: str) -> None:
        for side, levels in zip(sides, changes, strict=True):
            side.update({Decimal(price): Decimal(size) for price, size in levels})

    @staticmethod
    def with_top(
        sides: tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]], top: dict[str, str]
    ) -> tuple[dict[Decimal, Decimal], dict[Decimal, Decimal]]:
        bids = {price: size for price, size in sides[0].items() if size}
        asks = {price: size for price, size in sides[1].items() if size}
        if top:
            bid, ask = Decimal(top["b"]), Decimal(top["a"])
            bids = {**{p: s for p, s in bids.items() if p < bid}, bid: Decimal(top["B"])}
            asks = {**{p: s for p, s in asks.items() if p > ask}, ask: Decimal(top["A"])}
        return bids, asks


@pytest.fixture(scope="module")
def capture(data_dir: Path) -> DepthCapture:
    return read_depth(*(data_dir / "binance" / name for name in NAMES))


@pytest.fixture(scope="module")
def recorded(data_dir: Path) -> Recorded:
    return Recorded(data_dir / "binance")


def run(capture: DepthCapture, strategy: type[Strategy]) -> tuple[BacktestResult, Strategy]:
    settings = StrategySettings(
        strategy_id="maker", class_name="market_making", account=ACCOUNT, symbols=(capture.instrument_id,)
    )
    instrument = instrument_for(capture, InstrumentTerms(product=Product.SPOT))
    backtest = Backtest(
        BacktestSettings(
            strategies=((settings, strategy),), depth=(capture,), instruments=(instrument,), latency_ns=LATENCY_NS
        )
    )
    return backtest.run(), backtest.line.strategies.hosts["maker"].strategy


@pytest.fixture(scope="module")
def making(capture: DepthCapture) -> tuple[BacktestResult, Watching]:
    result, strategy = run(capture, Watching)
    assert isinstance(strategy, Watching)
    return result, strategy


@pytest.mark.slow
def test_the_book_the_strategy_sees_is_the_recorded_ticker_at_every_sampled_id(
    making: tuple[BacktestResult, Watching], recorded: Recorded
) -> None:
    _, strategy = making
    equal = sum(recorded.ticker_at(update_id) == top for update_id, top in strategy.seen)
    assert (equal, len(strategy.seen)) == (1_298, 1_298)


@pytest.mark.slow
def test_the_sample_is_filled_as_a_maker_and_nothing_fails(making: tuple[BacktestResult, Watching]) -> None:
    result, _ = making
    assert result.failures == ()
    assert result.warnings == ()
    assert len(result.trades) >= 20
    assert {trade.liquidity for trade in result.trades} == {Liquidity.MAKER}
    assert {trade.side for trade in result.trades} == {Side.BUY, Side.SELL}
    assert result.trades[0].side is Side.BUY


@pytest.mark.slow
def test_no_resting_fill_is_better_than_the_recorded_quotes_and_trades_allow(
    making: tuple[BacktestResult, Watching], recorded: Recorded
) -> None:
    result, strategy = making
    assert unjustified(result.trades, strategy.accepted_ns, recorded) == []


@pytest.mark.slow
def test_fills_a_step_better_an_event_earlier_or_twice_as_large_are_noticed(
    making: tuple[BacktestResult, Watching], recorded: Recorded
) -> None:
    result, strategy = making
    replace = msgspec.structs.replace
    better = [replace(trade, price=round(trade.price - 0.01 * trade.side.sign * 500, 2)) for trade in result.trades]
    earlier = [replace(trade, venue_time_ns=trade.venue_time_ns - 1_000_000_000) for trade in result.trades]
    larger = [replace(trade, quantity=trade.quantity * 50) for trade in result.trades]
    for wrong in (better, earlier, larger):
        assert len(unjustified(wrong, strategy.accepted_ns, recorded)) > len(wrong) / 10


@pytest.mark.slow
def test_market_orders_walk_the_recorded_levels(capture: DepthCapture, recorded: Recorded) -> None:
    result, _ = run(capture, Taker)
    assert result.failures == ()
    by_order: dict[str, list[TradeData]] = defaultdict(list)
    for trade in result.trades:
        by_order[trade.order_id].append(trade)
    assert len(by_order) == result.orders >= 30
    assert max(map(len, by_order.values())) > 5
    books = recorded.books({trades[0].venue_time_ns for trades in by_order.values()})
    for trades in by_order.values():
        bids, asks = books[trades[0].venue_time_ns]
        buys = trades[0].side is Side.BUY
        levels = sorted(asks.items()) if buys else sorted(bids.items(), reverse=True)
        assert [(exact(t.price), exact(t.quantity)) for t in trades] == walk(levels, Decimal("0.5"))


def unjustified(
    trades: tuple[TradeData, ...] | list[TradeData], accepted_ns: dict[str, int], recorded: Recorded
) -> list[TradeData]:
    """Fills for which the recording shows neither a quote that reached their price nor enough printed there at that moment."""
    prints: dict[int, list[tuple[Decimal, Decimal, Side]]] = defaultdict(list)
    for at, price, size, side in recorded.prints():
        prints[at].append((price, size, side))
    quotes = list(recorded.best())
    quote_times = [at for at, _, _ in quotes]
    diffs = sorted({at for at, kind, _ in recorded.moments if kind == "depth"})
    books = recorded.books(
        {t.venue_time_ns for t in trades if diffs[max(0, bisect_right(diffs, t.venue_time_ns) - 1)] == t.venue_time_ns}
    )
    used: dict[int, Decimal] = defaultdict(Decimal)
    wrong = []
    for trade in trades:
        at, price, sign = trade.venue_time_ns, exact(trade.price), trade.side.sign
        _, bid, ask = quotes[bisect_right(quote_times, at) - 1]
        if at in books:
            bid, ask = max(books[at][0]), min(books[at][1])
        reached = (ask if sign > 0 else bid) * sign <= price * sign
        through = sum(
            size
            for printed, size, taker in prints[at]
            if printed * sign < price * sign or (printed == price and taker is not trade.side)
        )
        used[at] += exact(trade.quantity)
        if at < accepted_ns[trade.order_id] or not (reached or used[at] <= through):
            wrong.append(trade)
    return wrong


def walk(levels: list[tuple[Decimal, Decimal]], left: Decimal) -> list[tuple[Decimal, Decimal]]:
    rows = []
    for price, size in levels:
        rows.append((price, min(size, left)))
        left -= size
        if left <= 0:
            break
    return rows


def exact(value: float) -> Decimal:
    return Decimal(repr(value))
