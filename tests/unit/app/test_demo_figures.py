"""What summaries tell of connections and of the demo: delays, trades that were missed, figures of streams put together."""

from decimal import Decimal

import pytest

from foxtrot.adapter.health import AdapterHealth
from foxtrot.adapter.reconnect import CircuitBreaker
from foxtrot.app.account_health import health_object
from foxtrot.app.demo_exchange import DemoExchange
from foxtrot.app.demo_figures import DemoFigures, Latencies
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import Gap, OrderChanged
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.market import DepthData, MarketTrade, TickData
from foxtrot.domain.order import OrderData

MS = 1_000_000
NOW = 1_700_000_000_000 * MS
NAME = "BTCUSDT.BINANCE"


class Heard:
    """Figures that hear what a test puts.

    Thread: the test's.
    """

    def __init__(self) -> None:
        self.clock = ManualClock(NOW)
        self.dispatcher = Dispatcher(self.clock)
        self.figures = DemoFigures(self.dispatcher, NAME)

    def put(self, event: object) -> None:
        self.dispatcher.put(event)
        self.dispatcher.drain()

    def order(self, status: OrderStatus, local_time_ns: int) -> None:
        order = OrderData(
            "o1", "demo", NAME, Side.BUY, OrderType.LIMIT, 1.0, 100.0, status, 0.0, 0.0, "", NOW, local_time_ns
        )
        self.put(OrderChanged("mm", order))


def a_trade(number: int, age_ms: int = 1) -> MarketTrade:
    return MarketTrade(NAME, NOW - age_ms * MS, NOW, str(number), 100.0, 1.0, Side.BUY)


def test_percentiles_are_of_nearest_rank_and_null_without_any() -> None:
    latencies = Latencies()
    assert latencies.summary() == {"p50": None, "p90": None, "p99": None, "count": 0}
    for delay in range(100):
        latencies.add(delay * MS)
    assert latencies.summary() == {"p50": 50.0, "p90": 90.0, "p99": 99.0, "count": 100}


def test_facts_are_measured_from_the_venues_time_and_left_out_where_it_tells_none() -> None:
    heard = Heard()
    heard.put(a_trade(1, 5))
    heard.put(DepthData(NAME, NOW - 7 * MS, NOW, 1, (), ()))
    heard.put(TickData(NAME, NOW - 9 * MS, NOW))
    heard.put(TickData(NAME, NOW, NOW))
    heard.put(MarketTrade("ETHUSDT.BINANCE", NOW - MS, NOW, "7", 1.0, 1.0, Side.BUY))
    assert heard.figures.venue_to_strategy.summary() == {"p50": 7.0, "p90": 9.0, "p99": 9.0, "count": 3}


@pytest.mark.parametrize(
    ("numbers", "printed", "missed"),
    [((), 9, 0), ((5, 6, 7), 7, 0), ((5, 7), 7, 1), ((5, 6), 9, 3), ((5, 6, 6, 5), 6, 0), ((5, 6, 8), 7, 1)],
)
def test_trades_that_were_not_heard_are_counted_by_their_ids(
    numbers: tuple[int, ...], printed: int, missed: int
) -> None:
    heard = Heard()
    for number in numbers:
        heard.put(a_trade(number))
    assert heard.figures.missed_until(printed) == missed


@pytest.mark.parametrize("answer", [OrderStatus.ACCEPTED, OrderStatus.FILLED])
def test_an_order_is_measured_once_from_the_desks_record_to_the_venues_first_word(answer: OrderStatus) -> None:
    heard = Heard()
    heard.order(OrderStatus.SUBMITTED, NOW - 3 * MS)
    heard.order(answer, NOW)
    heard.clock.advance(50 * MS)
    heard.order(OrderStatus.FILLED, NOW)
    assert heard.figures.strategy_to_ack.summary() == {"p50": 3.0, "p90": 3.0, "p99": 3.0, "count": 1}


def test_shed_facts_are_counted() -> None:
    heard = Heard()
    heard.put(Gap(NAME, "MarketTrade", 3))
    heard.put(Gap("ETHUSDT.BINANCE", "DepthChange", 2))
    assert heard.figures.shed == 5


def test_streams_are_put_together_and_the_worst_latency_is_told() -> None:
    health = AdapterHealth("demo")
    health.up(0)
    for name, delay_ms in (("one", 2.0), ("two", 8.0)):
        stream = health.stream(name)
        stream.up(0)
        stream.heard(MS, venue_ms=delay_ms)
    health.stream("two").fell_back()
    health.requests = 4
    health.breakers["user"] = CircuitBreaker(lambda: 0)
    health.breakers["user"].trip(5.0)
    told = health_object(health.snapshot(1_000 * MS))
    assert told is not None
    assert (told["messages"], told["rest_fallbacks"], told["requests"], told["reconnects"]) == (2, 1, 4, 0)
    assert (told["venue_latency_p50_ms"], told["messages_per_s"], told["uptime_s"]) == (8.0, 0.2, 1.0)
    assert told["breakers"] == {"user": "open"}
    assert health_object(None) is None


def test_the_exchange_of_the_demo_tells_the_truth_of_its_own_account_and_keeps_its_keys_to_itself() -> None:
    exchange = DemoExchange("demo")
    other = DemoExchange("demo")
    exchange.start()
    try:
        truth = exchange.truth()
        assert truth.balances == {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
        assert (truth.orders, truth.fills) == ({}, {})
        assert exchange.last_trade_id(NAME) >= 0
        assert exchange.settings["port"]
        assert exchange.environment["FOXTROT_DEMO_SECRET"] != other.environment["FOXTROT_DEMO_SECRET"]
    finally:
        assert exchange.stop() == ""
