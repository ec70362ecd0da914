"""Quotes and prints of one instrument: each print once, each tick when something of it changed."""

import msgspec

from foxtrot.adapter.ccxt.quotes import REMEMBERED, QuoteStream
from foxtrot.adapter.ccxt.venue import Quote
from foxtrot.domain.enums import Side
from foxtrot.domain.market import MarketTrade, TickData

NAME = "BTCUSDT.X"


class Heard:
    def __init__(self) -> None:
        self.ticks: list[TickData] = []
        self.trades: list[MarketTrade] = []

    def on_tick(self, tick: TickData) -> None:
        self.ticks.append(tick)

    def on_market_trade(self, trade: MarketTrade) -> None:
        self.trades.append(trade)


def stream() -> tuple[QuoteStream, Heard]:
    heard = Heard()
    made = QuoteStream(NAME, heard)
    made.ticks = made.trades = True
    return made, heard


def quote(bid: float = 99.0, update_id: int = 0, ask: float = 101.0) -> Quote:
    return Quote(NAME, 5, 6, update_id, bid, 1.0, ask, 2.0)


def trade(number: int, price: float = 100.0, time_ns: int = 0) -> MarketTrade:
    return MarketTrade(NAME, time_ns or number, number, str(number) if number else "", price, 1.0, Side.BUY)


def test_a_tick_is_told_with_a_quote_and_once() -> None:
    made, heard = stream()
    made.trade(trade(1))
    made.publish(7)
    assert heard.ticks == []
    made.quote(quote())
    made.publish(7)
    made.quote(quote())
    made.publish(8)
    (tick,) = heard.ticks
    assert (tick.bid_price, tick.ask_size, tick.last_price, tick.venue_time_ns) == (99.0, 2.0, 100.0, 5)


def test_an_older_quote_is_left_out_where_ids_say_so() -> None:
    made, heard = stream()
    made.quote(quote(bid=99.0, update_id=5))
    made.quote(quote(bid=98.0, update_id=4))
    made.publish(7)
    assert heard.ticks[-1].bid_price == 99.0


def test_a_print_is_told_once_by_its_id_or_its_figures() -> None:
    made, heard = stream()
    for one in (trade(1), trade(1), trade(2), trade(0, time_ns=9), trade(0, time_ns=9), trade(0, time_ns=10)):
        made.trade(one)
    assert [one.venue_time_ns for one in heard.trades] == [1, 2, 9, 10]
    assert made.duplicates == 2


def test_past_prints_fill_a_gap_and_nothing_from_before_the_first() -> None:
    made, heard = stream()
    made.past([trade(1), trade(2)])
    assert heard.trades == []
    made.quote(quote())
    made.publish(7)
    assert heard.ticks[-1].last_price == 100.0
    made.trade(trade(3))
    made.past([trade(2), trade(3), trade(4), trade(5)])
    assert [one.trade_id for one in heard.trades] == ["3", "4", "5"]


def test_a_quote_that_is_forgotten_is_not_the_best_any_more() -> None:
    made, heard = stream()
    made.quote(quote())
    best = made.best(1_000_006)
    assert best is not None
    assert (str(best.bid), str(best.ask), best.age_ms) == ("99.0", "101.0", 1.0)
    made.forget_quote()
    made.publish(7)
    assert made.best(7) is None
    assert heard.ticks == []


def test_a_quote_with_an_empty_side_is_told_and_not_the_best() -> None:
    made, heard = stream()
    made.quote(msgspec.structs.replace(quote(), bid=0.0, bid_size=0.0))
    made.publish(7)
    assert heard.ticks[-1].bid_price == 0.0
    assert made.best(7) is None


def test_so_many_prints_are_remembered() -> None:
    made, _ = stream()
    for number in range(1, REMEMBERED + 10):
        made.trade(trade(number))
    assert len(made._known) == len(made._order) == REMEMBERED
