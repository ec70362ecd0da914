"""Backtests keep to sessions: no bar spans a lunch, a night or a weekend, and what is sent outside waits for the market."""

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
import pytest

from foxtrot.backtest.columns import BarColumns, QuoteColumns, TradeColumns
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import BacktestSettings, History, InstrumentTerms
from foxtrot.domain.enums import OrderStatus, OrderType, Product, TimeInForce
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.scripted import on_bars, settings_of

HONG_KONG = ZoneInfo("Asia/Hong_Kong")
ID = "00700.SEHK"
S = 1_000_000_000
TERMS = InstrumentTerms(product=Product.PERPETUAL, tick=Decimal("0.2"), lot=Decimal(100), currency="HKD")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=HONG_KONG).timestamp()) * S


def said(ns: int) -> str:
    return datetime.fromtimestamp(int(ns) // S, HONG_KONG).strftime("%d %H:%M")


def bars_of(interval: str, length_s: int, *opens: str, name: str = ID) -> BarColumns:
    times = np.array([at(text) for text in opens], dtype=np.int64)
    flat = np.full(len(opens), 400.0)
    return BarColumns(
        instrument_id=name, interval=interval, open_time_ns=times, close_time_ns=times + length_s * S, open=flat,
        high=flat + 1, low=flat - 1, close=flat, volume=flat,
    )  # fmt: skip


def prints_of(*moments: str, price: float = 400.0) -> TradeColumns:
    number = len(moments)
    return TradeColumns(
        instrument_id=ID, time_ns=np.array([at(text) for text in moments], dtype=np.int64), price=np.full(number, price),
        size=np.full(number, 1_000.0), side=np.ones(number, dtype=np.int8), id=np.arange(number), price_decimals=1,
    )  # fmt: skip


def quotes_of(*rows: tuple[str, float]) -> QuoteColumns:
    asks = np.array([ask for _, ask in rows])
    size = np.full(len(rows), 1_000.0)
    return QuoteColumns(
        instrument_id=ID, time_ns=np.array([at(text) for text, _ in rows], dtype=np.int64), bid=asks - 0.2, ask=asks,
        bid_size=size, ask_size=size, price_decimals=1,
    )  # fmt: skip


def run(
    strategy: type[Strategy], history: History, interval: str = "5m", **terms: str
) -> tuple[BacktestResult, Strategy]:
    kind = {BarColumns: "bars", TradeColumns: "trades", QuoteColumns: "quotes"}[type(history)]
    heard = history.interval if isinstance(history, BarColumns) else interval
    settings = msgspec.structs.replace(settings_of(strategy, history.instrument_id), interval=heard)
    instrument = instrument_for(history, msgspec.structs.replace(TERMS, **terms))
    backtest = Backtest(
        BacktestSettings(strategies=((settings, strategy),), instruments=(instrument,), **{kind: (history,)})  # type: ignore[arg-type]
    )
    result = backtest.run()
    assert result.failures == ()
    return result, backtest.line.strategies.hosts["test"].strategy


def spans(strategy: Strategy) -> list[tuple[str, str]]:
    return [(said(bar.open_time_ns), said(bar.close_time_ns)) for bar in strategy.events]  # type: ignore[attr-defined]


def test_bars_of_a_file_are_cut_to_their_session_and_what_lies_outside_is_left_out() -> None:
    opens = [f"2026-11-27 {hour:02d}:00" for hour in range(8, 17)]
    result, strategy = run(on_bars({}), bars_of("1h", 3_600, *opens))
    assert spans(strategy) == [
        ("27 09:30", "27 10:00"), ("27 10:00", "27 11:00"), ("27 11:00", "27 12:00"), ("27 13:00", "27 14:00"),
        ("27 14:00", "27 15:00"), ("27 15:00", "27 16:00"),
    ]  # fmt: skip
    assert "3 bars outside the sessions of XHKG are left out" in result.warnings[0]
    assert "1 bars are cut to the sessions of XHKG" in result.warnings[1]


def test_the_last_bar_before_lunch_and_before_the_weekend_closes_with_its_session() -> None:
    opens = ("2026-11-27 09:30", "2026-11-27 11:30", "2026-11-27 15:30", "2026-11-30 09:30")
    _, strategy = run(on_bars({}), bars_of("2h", 7_200, *opens))
    assert spans(strategy) == [
        ("27 09:30", "27 11:30"), ("27 11:30", "27 12:00"), ("27 15:30", "27 16:00"), ("30 09:30", "30 11:30"),
    ]  # fmt: skip


@pytest.mark.parametrize("midnight", ["00:00", "08:00"], ids=["of Hong Kong", "of UTC"])
def test_bars_of_days_are_heard_at_the_close_of_their_day(midnight: str) -> None:
    opens = [f"2026-12-{day} {midnight}" for day in ("23", "24", "25", "28")]
    result, strategy = run(on_bars({}), bars_of("1d", 86_400, *opens))
    assert spans(strategy) == [("23 09:30", "23 16:00"), ("24 09:30", "24 12:00"), ("28 09:30", "28 16:00")]
    assert "1 bars outside" in result.warnings[0]


def test_a_file_whose_times_fit_no_session_is_refused_with_the_fix() -> None:
    with pytest.raises(ConfigError, match=r"no bar of 00700.SEHK lies in a session of XHKG.*offset.*24x7"):
        run(on_bars({}), bars_of("5m", 300, "2026-11-27 17:30", "2026-11-27 17:35"))
    with pytest.raises(ConfigError, match=r"00700.SEHK: calendar XHKG knows .* such as 24x7"):
        run(on_bars({}), bars_of("5m", 300, "2005-11-28 10:30", "2005-11-28 10:35"))
    with pytest.raises(ConfigError, match="did you mean XHKG"):
        run(on_bars({}), bars_of("5m", 300, "2026-11-27 10:30"), calendar="HKG")


def test_a_calendar_that_never_closes_leaves_a_file_as_it_is() -> None:
    _, strategy = run(on_bars({}), bars_of("1h", 3_600, "2026-11-28 11:30", "2026-11-28 12:30"), calendar="24x7")
    assert spans(strategy) == [("28 11:30", "28 12:30"), ("28 12:30", "28 13:30")]


@pytest.mark.parametrize(
    ("interval", "expected"),
    [
        ("5m", [("27 11:55", "27 12:00"), ("27 13:00", "27 13:05"), ("27 15:55", "27 16:00"), ("30 09:30", "30 09:35")]),
        ("1h", [("27 11:30", "27 12:00"), ("27 13:00", "27 14:00"), ("27 15:00", "27 16:00"), ("30 09:30", "30 10:30")]),
        ("1d", [("27 09:30", "27 16:00"), ("30 09:30", "30 16:00")]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("kind", ["prints", "quotes"])
def test_bars_built_from_ticks_never_span_a_lunch_or_a_weekend(
    kind: str, interval: str, expected: list[tuple[str, str]]
) -> None:
    moments = (
        "2026-11-27 09:00", "2026-11-27 11:59", "2026-11-27 12:30", "2026-11-27 13:00", "2026-11-27 15:59",
        "2026-11-27 16:08", "2026-11-28 11:00", "2026-11-30 09:30", "2026-11-30 18:00",
    )  # fmt: skip
    history = prints_of(*moments) if kind == "prints" else quotes_of(*((moment, 400.0) for moment in moments))
    _, strategy = run(on_bars({}), history, interval)
    assert spans(strategy) == expected


def order_at(moment: str, **terms: object) -> type[Strategy]:
    """A strategy that buys once a timer of that moment fires, or at the first tick after it."""

    class Once(Strategy):
        sent = False

        def on_init(self) -> None:
            self.orders: list[object] = []

        def on_tick(self, tick: object) -> None:
            if not self.sent and self.clock.now_ns() >= at(moment):
                self.sent = True
                self.buy(100.0, **terms)  # type: ignore[arg-type]

        def on_order(self, order: object) -> None:
            self.orders.append(order)

    return Once


QUOTES = (
    ("2026-11-27 11:59", 400.0), ("2026-11-27 12:10", 390.0), ("2026-11-27 12:20", 390.0), ("2026-11-27 13:00", 402.0),
    ("2026-11-27 13:01", 404.0),
)  # fmt: skip


@pytest.mark.parametrize(
    "terms",
    [{}, {"price": 405.0}, {"price": 405.0, "time_in_force": TimeInForce.IOC}],
    ids=["market", "limit", "ioc"],
)
def test_an_order_sent_at_lunch_waits_for_the_first_quote_of_the_afternoon(terms: dict[str, object]) -> None:
    result, _ = run(order_at("2026-11-27 12:10", **terms), quotes_of(*QUOTES))
    (trade,) = result.trades
    assert (said(trade.venue_time_ns), trade.price) == ("27 13:00", 402.0)


def test_quotes_outside_the_session_fill_nothing_that_rests_and_set_nothing_off() -> None:
    resting, _ = run(order_at("2026-11-27 11:59", price=395.0), quotes_of(*QUOTES))
    assert resting.trades == ()
    stop = order_at("2026-11-27 11:59", order_type=OrderType.TAKE_PROFIT, trigger_price=395.0)
    assert run(stop, quotes_of(*QUOTES))[0].trades == ()


def test_a_day_order_ends_with_its_trading_day_and_one_sent_at_night_counts_for_the_next() -> None:
    moments = ("2026-11-27 15:58", "2026-11-27 15:59", "2026-11-27 16:30", "2026-11-30 09:30", "2026-11-30 16:10")
    quotes = quotes_of(*((moment, 400.0) for moment in moments))
    ends = []
    for sent in ("2026-11-27 15:58", "2026-11-27 16:30"):
        _, strategy = run(order_at(sent, price=390.0, time_in_force=TimeInForce.DAY), quotes)
        last = strategy.orders[-1]  # type: ignore[attr-defined]
        assert last.status is OrderStatus.EXPIRED
        ends.append(said(last.venue_time_ns))
    assert ends == ["27 16:00", "30 16:00"]
