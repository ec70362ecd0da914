"""Fills netted into round trips, by hand numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.backtest.round_trips import Fill, RoundTrip, match_round_trips
from foxtrot.domain.enums import Side

BUY, SELL = Side.BUY, Side.SELL


def test_a_long_trip_is_net_of_the_fees_of_both_fills() -> None:
    matched = match_round_trips([Fill(10, BUY, 100.0, 2.0, 0.5, "A"), Fill(20, SELL, 110.0, 2.0, 0.25, "A")])
    assert matched.trips == [RoundTrip("A", BUY, 10, 20, 2.0, 100.0, 110.0, 19.25, 0.75)]
    assert [fill.profit for fill in matched.fills] == [None, 20.0]
    assert matched.open_since_ns == {}


def test_a_short_trip_gains_when_the_price_falls_and_the_multiplier_counts() -> None:
    fills = [Fill(1, SELL, 50.0, 3.0, 1.0, "ES", 50.0), Fill(2, BUY, 48.0, 3.0, 1.0, "ES", 50.0)]
    (trip,) = match_round_trips(fills).trips
    assert (trip.side, trip.profit, trip.fees) == (SELL, 298.0, 2.0)


def test_entries_and_exits_in_parts_are_one_trip_at_the_average_price_held() -> None:
    fills = [Fill(1, BUY, 100.0, 1.0), Fill(2, SELL, 110.0, 0.5), Fill(3, BUY, 120.0, 0.5), Fill(4, SELL, 115.0, 1.0)]
    matched = match_round_trips(fills)
    assert [fill.profit for fill in matched.fills] == [None, 5.0, None, 5.0]
    (trip,) = matched.trips
    assert (trip.quantity, trip.profit) == (1.5, 10.0)
    assert trip.entry_price == pytest.approx(160 / 1.5)
    assert trip.exit_price == pytest.approx(170 / 1.5)


def test_a_reversal_closes_one_trip_and_opens_the_next_sharing_its_fee() -> None:
    fills = [Fill(1, BUY, 100.0, 1.0, 1.0), Fill(2, SELL, 90.0, 3.0, 3.0), Fill(3, BUY, 80.0, 2.0, 2.0)]
    matched = match_round_trips(fills)
    assert [(trip.side, trip.profit, trip.fees, trip.quantity) for trip in matched.trips] == [
        (BUY, -12.0, 2.0, 1.0),
        (SELL, 16.0, 4.0, 2.0),
    ]
    assert matched.trips[1].open_time_ns == 2


def test_instruments_are_netted_apart_and_an_open_position_is_no_trip() -> None:
    fills = [Fill(1, BUY, 1.0, 1.0, 0.0, "A"), Fill(2, SELL, 1.0, 1.0, 0.0, "B"), Fill(3, SELL, 2.0, 1.0, 0.0, "A")]
    matched = match_round_trips(fills)
    assert [trip.instrument_id for trip in matched.trips] == ["A"]
    assert matched.open_since_ns == {"B": 2}


def test_a_rest_that_is_rounding_counts_as_flat() -> None:
    fills = [Fill(1, BUY, 1.0, 0.1), Fill(2, BUY, 1.0, 0.2), Fill(3, SELL, 1.0, 0.3), Fill(4, BUY, 1.0, 0.3)]
    matched = match_round_trips(fills)
    assert len(matched.trips) == 1
    assert matched.open_since_ns == {"": 4}


@given(st.lists(st.tuples(st.sampled_from([BUY, SELL]), st.integers(1, 99), st.integers(1, 9)), max_size=30))
def test_profits_of_trips_and_fills_add_up_to_the_cash_once_all_is_flat(orders: list[tuple[Side, int, int]]) -> None:
    fills = [Fill(n, side, float(price), float(quantity), 0.5) for n, (side, price, quantity) in enumerate(orders)]
    net = sum(fill.quantity * fill.side.sign for fill in fills)
    if net:
        fills.append(Fill(99, SELL if net > 0 else BUY, 50.0, abs(net), 0.5))
    cash = -sum(fill.price * fill.quantity * fill.side.sign for fill in fills)
    matched = match_round_trips(fills)
    assert matched.open_since_ns == {}
    assert sum(fill.profit or 0.0 for fill in matched.fills) == pytest.approx(cash, abs=1e-9)
    assert sum(trip.profit for trip in matched.trips) == pytest.approx(cash - 0.5 * len(fills), abs=1e-9)
