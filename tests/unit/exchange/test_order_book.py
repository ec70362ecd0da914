"""The book alone, without accounts: priority, totals, changes, sharing rules; and what its checks catch."""

import pytest

from foxtrot.domain.enums import Side
from foxtrot.domain.errors import ConfigError, InvariantBroken
from foxtrot.exchange.matching import PRO_RATA, matching_rule
from foxtrot.exchange.order_book import OrderBook

BUY, SELL = Side.BUY, Side.SELL


def drawn(book: OrderBook) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
    book.validate()
    bids, asks = book.depth()
    return list(bids), list(asks)


def test_orders_meet_by_price_and_then_by_time() -> None:
    book = OrderBook()
    for order_id, price in ((1, 102), (2, 101), (3, 101)):
        assert book.place(order_id, "maker", SELL, price, 5) == []
    matches = book.place(9, "taker", BUY, 102, 12)
    assert [(m.maker.order_id, m.price, m.quantity) for m in matches] == [(2, 101, 5), (3, 101, 5), (1, 102, 2)]
    assert drawn(book) == ([], [(102, 3)])


def test_a_price_of_zero_takes_any_price_and_never_rests() -> None:
    book = OrderBook()
    book.place(1, "maker", BUY, 90, 5)
    assert [m.price for m in book.place(2, "taker", SELL, 0, 8)] == [90]
    assert drawn(book) == ([], [])


def test_a_cancelled_order_leaves_no_trace() -> None:
    book = OrderBook()
    book.place(1, "a", BUY, 90, 5)
    book.place(2, "a", BUY, 90, 7)
    assert book.cancel(1) is not None
    assert drawn(book) == ([(90, 7)], [])
    book.cancel(2)
    assert drawn(book) == ([], [])
    assert book.cancel(2) is None
    assert (book.best_bid(), book.best_ask()) == (0, 0)


def test_amending_down_keeps_the_place_and_anything_else_loses_it() -> None:
    book = OrderBook()
    book.place(1, "a", BUY, 90, 5)
    book.place(2, "b", BUY, 90, 5)
    assert book.amend(1, 90, 3) == []
    assert [order.order_id for order in book.queue(is_buy=True)] == [1, 2]
    book.amend(1, 90, 6)
    assert [order.order_id for order in book.queue(is_buy=True)] == [2, 1]
    book.place(3, "c", SELL, 95, 4)
    assert [(m.maker.order_id, m.quantity) for m in book.amend(2, 95, 5)] == [(3, 4)]
    assert drawn(book) == ([(95, 1), (90, 6)], [])
    with pytest.raises(InvariantBroken, match="order 7 does not rest"):
        book.amend(7, 90, 1)


def test_depth_is_best_first_and_limited() -> None:
    book = OrderBook()
    for order_id, (side, price) in enumerate([(BUY, 90), (BUY, 91), (BUY, 92), (SELL, 95), (SELL, 94), (SELL, 96)]):
        book.place(order_id, "a", side, price, order_id + 1)
    assert book.depth(2) == (((92, 3), (91, 2)), ((94, 5), (95, 4)))
    assert (book.best_bid(), book.best_ask()) == (92, 94)


def test_changes_are_numbered_and_told_once_with_totals() -> None:
    book = OrderBook()
    book.place(1, "a", BUY, 90, 5)
    book.place(2, "a", BUY, 90, 5)
    book.place(3, "a", SELL, 95, 5)
    assert (book.update_id, book.take_touched()) == (3, ([(90, 10)], [(95, 5)]))
    book.place(4, "b", BUY, 95, 5)
    assert (book.update_id, book.take_touched()) == (4, ([], [(95, 0)]))
    assert book.take_touched() == ([], [])


@pytest.mark.parametrize(
    ("sizes", "quantity", "shares"),
    [
        ((10, 30, 60), 50, [(0, 5), (1, 15), (2, 30)]),
        ((1, 1, 1), 2, [(0, 1), (1, 1)]),
        ((5, 5, 5), 7, [(0, 3), (1, 2), (2, 2)]),
        ((10, 30), 99, [(0, 10), (1, 30)]),
        ((1, 100), 50, [(0, 1), (1, 49)]),
    ],
)
def test_pro_rata_shares_by_size_and_gives_the_rest_to_the_oldest(
    sizes: tuple[int, ...], quantity: int, shares: list[tuple[int, int]]
) -> None:
    book = OrderBook(PRO_RATA)
    for order_id, size in enumerate(sizes):
        book.place(order_id, "maker", SELL, 100, size)
    assert [(m.maker.order_id, m.quantity) for m in book.place(9, "taker", BUY, 0, quantity)] == shares
    book.validate()


def test_an_unknown_rule_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="price_time, pro_rata"):
        matching_rule("fair")


def test_the_check_catches_a_wrong_total_a_lost_level_and_a_crossed_book() -> None:
    for damage in ("total", "level", "cross"):
        book = OrderBook()
        book.place(1, "a", BUY, 90, 5)
        book.place(2, "a", SELL, 95, 5)
        if damage == "total":
            book.bids[90].total += 1
        elif damage == "level":
            book.bid_prices.clear()
        else:
            order = book.cancel(2)
            assert order is not None
            order.price, order.leaves = 80, 5
            book.rest(order)
        with pytest.raises(InvariantBroken):
            book.validate()
