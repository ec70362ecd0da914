"""Books that are asked for, as facts: levels that are added up of orders, and how much of a full list is known."""

from decimal import Decimal
from typing import Any

import pytest

from foxtrot.adapter.ccxt import ccxt_facts

ORDERS = [[100.0, 1.0], [100.0, 2.0], [100.0, 4.0], [99.0, 5.0], [99.0, 6.0], [98.0, 1.0]]


def book(bids: list[list[float]]) -> dict[str, Any]:
    return {"nonce": None, "timestamp": None, "bids": bids, "asks": [[101.0, 1.0]]}


def bids_of(listed: list[list[float]], levels: int, orders: int) -> list[tuple[float, float]]:
    exact = ccxt_facts.exact_of(book(listed), "X", levels, orders)
    return [(float(price), float(size)) for price, size in exact.bids]


def test_orders_of_one_price_are_one_level() -> None:
    assert bids_of(ORDERS, 10, 250) == [(100.0, 7.0), (99.0, 11.0), (98.0, 1.0)]
    assert bids_of(ORDERS, 1, 250) == [(100.0, 7.0)]


def test_the_last_level_of_a_full_list_is_left_out() -> None:
    assert bids_of(ORDERS[:5], 10, 5) == [(100.0, 7.0)]
    depth = ccxt_facts.polled_depth(book(ORDERS[:5]), "X", 7, 5)
    assert (depth.bids, depth.asks) == (((100.0, 7.0),), ((101.0, 1.0),))


def test_a_full_list_of_one_price_says_no_size() -> None:
    with pytest.raises(ValueError, match="one price"):
        bids_of(ORDERS[:3], 10, 3)


def test_levels_are_as_they_are() -> None:
    exact = ccxt_facts.exact_of(book([[99.0, 5.0], [98.0, 1.0]]), "X", 1)
    assert exact.bids == ((Decimal("99.0"), Decimal("5.0")),)
