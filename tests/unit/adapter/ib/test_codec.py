"""IB's numbers of market data as facts, in the shapes of ibapi 9.81 and of 10.x."""

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from foxtrot.adapter.ib import codec
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BadMessage
from foxtrot.domain.market import MarketTrade
from foxtrot.exchange.listings import listing

SNAP = PriceSnap(listing("AAPL.NASDAQ"))
UNSET = [2147483647, Decimal(2**127 - 1), 1.7976931348623157e308, -1, Decimal(-1)]


@pytest.mark.parametrize("value", [189.5, Decimal("189.5"), "189.5", 189.50000000000003])
def test_a_price_of_any_shape_is_the_float_of_its_grid_point(value: Any) -> None:
    assert codec.price_of(value, SNAP) == 189.5


@pytest.mark.parametrize("value", [-1, -1.0, Decimal(-1), 1.7976931348623157e308, float("nan")])
def test_what_stands_for_no_price_is_none(value: Any) -> None:
    assert codec.price_of(value, SNAP) == 0.0


@pytest.mark.parametrize("value", [300, 300.0, Decimal(300), "300"])
def test_a_size_of_any_shape_is_a_float(value: Any) -> None:
    assert codec.size_of(value) == 300.0
    assert codec.size_of(value, 100.0) == 30_000.0


@pytest.mark.parametrize("value", UNSET)
def test_what_stands_for_no_size_is_none(value: Any) -> None:
    assert codec.size_of(value) == 0.0


@pytest.mark.parametrize("read", [codec.size_of, codec.seconds_ns, lambda value: codec.price_of(value, SNAP)])
@pytest.mark.parametrize("value", ["half", None, object()])
def test_what_is_no_number_is_a_bad_message(read: Any, value: Any) -> None:
    with pytest.raises(BadMessage):
        read(value)


def test_a_time_in_seconds_is_utc_ns_and_one_in_milliseconds_is_none() -> None:
    assert codec.seconds_ns("1641535089") == 1_641_535_089_000_000_000
    with pytest.raises(BadMessage, match="no time in seconds"):
        codec.seconds_ns(1_641_535_089_505_592)


def test_rt_volume_is_a_print_with_its_time_in_ms_and_one_without_a_price_has_none() -> None:
    found = codec.rt_volume("701.28;1;1348075471534;67854;701.46918464;true", SNAP)
    assert found == codec.RtTrade(701.28, 1.0, 1_348_075_471_534_000_000, 67_854.0)
    assert codec.rt_volume(";0;1348075471534;67854;701.46918464;false", SNAP).price == 0.0


@pytest.mark.parametrize("text", ["", "701.28;1", "a;1;1348075471534;67854;701;true", "701.28;1;soon;67854;701;true"])
def test_rt_volume_with_other_fields_is_a_bad_message(text: str) -> None:
    with pytest.raises(BadMessage):
        codec.rt_volume(text, SNAP)


def _print(price: float, side: Side) -> MarketTrade:
    return MarketTrade("AAPL.NASDAQ", 0, 0, "1", price, 1.0, side)


@pytest.mark.parametrize(
    ("price", "before", "side"),
    [
        (101.0, None, Side.BUY),
        (102.0, None, Side.BUY),
        (99.0, None, Side.SELL),
        (100.0, _print(99.5, Side.SELL), Side.BUY),
        (100.0, _print(100.5, Side.BUY), Side.SELL),
        (100.0, _print(100.0, Side.SELL), Side.SELL),
    ],
)
def test_who_took_liquidity_follows_from_the_quote_and_within_it_from_the_move(
    price: float, before: MarketTrade | None, side: Side
) -> None:
    assert codec.side_of(price, 99.0, 101.0, before) is side


def test_a_bar_has_the_same_figures_with_both_versions_of_ibapi() -> None:
    old = SimpleNamespace(open=1.0, high=2.5, low=0.5, close=2.0, volume=40, average=1.5, barCount=7)
    new = SimpleNamespace(open=1.0, high=2.5, low=0.5, close=2.0, volume=Decimal(40), wap=Decimal("1.5"), barCount=7)
    found = codec.bar_of(old, SNAP)
    assert found == codec.bar_of(new, SNAP)
    assert (found.open, found.high, found.low, found.close) == (1.0, 2.5, 0.5, 2.0)
    assert (found.volume, found.turnover, found.trade_count) == (40.0, 60.0, 7)


def test_a_bar_of_currencies_has_no_volume_and_no_count() -> None:
    row = SimpleNamespace(open=1.1, high=1.2, low=1.0, close=1.1, volume=-1, average=-1.0, barCount=-1)
    found = codec.bar_of(row, SNAP)
    assert (found.volume, found.turnover, found.trade_count) == (0.0, 0.0, 0)
    assert not codec.is_no_bar(row)


def test_a_bar_whose_price_is_none_is_a_bad_message() -> None:
    with pytest.raises(BadMessage, match="no price of a bar"):
        codec.bar_of(
            SimpleNamespace(open=1.7976931348623157e308, high=1, low=1, close=1, volume=1, average=1, barCount=1), SNAP
        )


@pytest.mark.parametrize(
    ("live", "late"), [(0, 69), (1, 66), (2, 67), (3, 70), (4, 68), (5, 71), (6, 72), (7, 73), (8, 74), (9, 75)]
)
def test_delayed_ticks_are_those_of_live_ones_marked(live: int, late: int) -> None:
    name, delayed = codec.tick_name(live) or ("", True)
    assert not delayed
    assert codec.tick_name(late) == (name, True)
    assert codec.tick_name(9_999) is None
