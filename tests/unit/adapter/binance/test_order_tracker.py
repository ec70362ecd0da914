"""However often and in whatever order an order is told, each state and each fill comes once, forwards, with one end."""

from decimal import Decimal
from itertools import pairwise

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import may_move

S = OrderStatus
PRICES = (100.0, 100.5, 101.25, 99.75)


def order(status: OrderStatus, filled: float = 0.0, average: float = 0.0, **changes: object) -> OrderData:
    facts = OrderData(
        "t-1", "ours", "BTCUSDT.BINANCE", Side.BUY, OrderType.LIMIT, 1.0, 100.0, status, filled, average, "28", 1, 2
    )
    return msgspec.structs.replace(facts, **changes)


def trade(number: int, quantity: float = 0.25, order_id: str = "t-1") -> TradeData:
    price = PRICES[number % 4]
    return TradeData(
        str(number), order_id, "ours", "BTCUSDT.BINANCE", Side.BUY, price, quantity, Decimal("0.1"), "USDT",
        Liquidity.TAKER, "28", 1, 2,
    )  # fmt: skip


class Heard:
    def __init__(self, capacity: int = 100) -> None:
        self.events: list[OrderData | TradeData] = []
        self.tracker = OrderTracker(self.events.append, self.events.append, capacity)

    @property
    def orders(self) -> list[OrderData]:
        return [event for event in self.events if isinstance(event, OrderData)]

    @property
    def fills(self) -> list[str]:
        return [event.trade_id for event in self.events if isinstance(event, TradeData)]


def story(fills: int, end: OrderStatus) -> list[tuple[OrderData, tuple[TradeData, ...]]]:
    """What a venue tells of one order of four quarters: the stream's reports, the full answer and a late query."""
    told: list[tuple[OrderData, tuple[TradeData, ...]]] = [(order(S.ACCEPTED), ())]
    for number in range(fills):
        filled = 0.25 * (number + 1)
        status = S.FILLED if filled == 1.0 else S.PARTIALLY_FILLED
        told.append((order(status, filled, 100.0 + number), (trade(number),)))
    if fills < 4:
        told.append((order(end, 0.25 * fills, 99.0 + fills), ()))
    last = told[-1][0]
    told.append((last, tuple(trade(number) for number in range(fills))))
    told.append((last, ()))
    return told


@settings(max_examples=80)
@given(st.data())
def test_any_order_and_number_of_the_same_messages_ends_the_same_and_never_goes_backwards(data: st.DataObject) -> None:
    fills = data.draw(st.integers(0, 4))
    end = data.draw(st.sampled_from([S.CANCELLED, S.EXPIRED]))
    told = story(fills, end)
    doubled = told + data.draw(st.lists(st.sampled_from(told), max_size=6))
    shuffled = data.draw(st.permutations(doubled))
    heard = Heard()
    heard.tracker.expect("t-1")
    for report, trades in shuffled:
        heard.tracker.report(report, *trades)
    assert sorted(heard.fills) == [str(number) for number in range(fills)]
    assert (heard.orders[-1].status, heard.orders[-1].filled_quantity) == (told[-1][0].status, 0.25 * fills)
    assert not heard.tracker.lacks
    _check_told(heard)


@settings(max_examples=50)
@given(st.permutations([0, 1, 2, 3]), st.integers(0, 4))
def test_fills_without_states_wait_for_one_that_counts_them(numbers: list[int], early: int) -> None:
    heard = Heard()
    for number in numbers[:early]:
        heard.tracker.fill(trade(number))
    assert heard.fills == []
    heard.tracker.report(order(S.FILLED, 1.0))
    for number in numbers[early:]:
        heard.tracker.fill(trade(number))
    assert sorted(heard.fills) == ["0", "1", "2", "3"]
    _check_told(heard)


def _check_told(heard: Heard) -> None:
    """Each state once, forwards, the first ACCEPTED with nothing filled; every fill after a state that counts it."""
    states = [(told.status, told.filled_quantity) for told in heard.orders]
    assert states[0] == (S.ACCEPTED, 0.0)
    assert len(set(states)) == len(states)
    assert all(a.filled_quantity <= b.filled_quantity for a, b in pairwise(heard.orders))
    statuses = [told.status for told in heard.orders]
    assert all(a is b or may_move(a, b) for a, b in pairwise(statuses))
    counted = told = Decimal(0)
    for event in heard.events:
        if isinstance(event, OrderData):
            counted = Decimal(str(event.filled_quantity))
        else:
            told += Decimal(str(event.quantity))
            assert told <= counted


def test_a_full_answer_is_accepted_then_filled_then_its_fills() -> None:
    heard = Heard()
    heard.tracker.report(order(S.FILLED, 0.5, 100.25, quantity=0.5), trade(0), trade(1))
    assert [told.status for told in heard.orders] == [S.ACCEPTED, S.FILLED]
    assert heard.fills == ["0", "1"]
    assert heard.orders[0].average_price == 0.0


def test_the_average_is_exact_where_all_fills_are_known() -> None:
    heard = Heard()
    heard.tracker.report(order(S.PARTIALLY_FILLED, 0.75, 100.58), trade(0), trade(1), trade(2))
    assert heard.orders[-1].average_price == float((Decimal(100) + Decimal("100.5") + Decimal("101.25")) / 3)


def test_unknown_is_told_once_and_gives_way_to_whatever_the_venue_says() -> None:
    heard = Heard()
    heard.tracker.report(order(S.UNKNOWN))
    heard.tracker.report(order(S.UNKNOWN))
    heard.tracker.report(order(S.FILLED, 1.0))
    heard.tracker.report(order(S.UNKNOWN))
    assert [told.status for told in heard.orders] == [S.UNKNOWN, S.ACCEPTED, S.FILLED]


def test_a_refusal_needs_no_acceptance_and_stays() -> None:
    heard = Heard()
    heard.tracker.report(order(S.REJECTED, rule="-2010", reason="no money"))
    heard.tracker.report(order(S.ACCEPTED))
    assert [told.status for told in heard.orders] == [S.REJECTED]


def test_an_order_that_was_said_never_to_have_arrived_is_adopted_when_it_does() -> None:
    heard = Heard()
    heard.tracker.report(order(S.DENIED, rule="never_reached_market"))
    heard.tracker.report(order(S.PARTIALLY_FILLED, 0.25), trade(0))
    assert [told.status for told in heard.orders] == [S.DENIED, S.ACCEPTED, S.PARTIALLY_FILLED]


def test_the_reason_of_an_end_stays_when_an_older_report_comes_after_it() -> None:
    heard = Heard()
    heard.tracker.report(order(S.EXPIRED, rule="expired", reason="UNFILLED"))
    heard.tracker.report(order(S.PARTIALLY_FILLED, 0.25), trade(0))
    last = heard.orders[-1]
    assert (last.status, last.filled_quantity, last.reason) == (S.EXPIRED, 0.25, "UNFILLED")


def test_what_a_list_told_is_not_told_again() -> None:
    heard = Heard()
    heard.tracker.note_order(order(S.PARTIALLY_FILLED, 0.5))
    heard.tracker.note_fill(trade(0))
    heard.tracker.report(order(S.PARTIALLY_FILLED, 0.5), trade(0))
    assert heard.events == []
    assert not heard.tracker.lacks
    heard.tracker.report(order(S.PARTIALLY_FILLED, 0.75), trade(2))
    assert ([told.filled_quantity for told in heard.orders], heard.fills) == ([0.75], ["2"])


def test_an_id_that_another_client_uses_again_is_another_order() -> None:
    heard = Heard()
    heard.tracker.report(order(S.FILLED, 1.0, venue_order_id="1"))
    heard.tracker.report(order(S.ACCEPTED, venue_order_id="2"))
    assert [told.status for told in heard.orders] == [S.ACCEPTED, S.FILLED, S.ACCEPTED]


def test_a_late_report_of_our_own_order_is_not_another_order() -> None:
    heard = Heard()
    heard.tracker.expect("t-1")
    heard.tracker.report(order(S.FILLED, 1.0, venue_order_id="2"))
    heard.tracker.report(order(S.ACCEPTED, venue_order_id="1"))
    assert [told.status for told in heard.orders] == [S.ACCEPTED, S.FILLED]


def test_missing_fills_are_known_until_they_come() -> None:
    heard = Heard()
    heard.tracker.report(order(S.PARTIALLY_FILLED, 0.5), trade(0))
    assert [lacking.order_id for lacking in heard.tracker.lacking()] == ["t-1"]
    heard.tracker.fill(trade(1))
    assert list(heard.tracker.lacking()) == []


def test_an_order_of_an_earlier_run_lacks_what_was_filled_since_it_was_listed_and_nothing_older() -> None:
    heard = Heard()
    heard.tracker.note_order(order(S.PARTIALLY_FILLED, 0.5))
    heard.tracker.catch_up()
    assert not heard.tracker.lacks
    heard.tracker.report(order(S.FILLED, 1.0, venue_time_ns=9))
    assert heard.tracker.lacks
    for number in (0, 1):
        heard.tracker.fill(trade(number))
    for number in (2, 3):
        heard.tracker.fill(msgspec.structs.replace(trade(number), venue_time_ns=9))
    assert heard.fills == ["2", "3"]
    assert not heard.tracker.lacks


def test_fills_of_the_first_list_of_trades_are_not_counted_beside_what_was_filled_when_an_order_was_listed() -> None:
    heard = Heard()
    heard.tracker.note_order(order(S.PARTIALLY_FILLED, 0.5))
    for number in (0, 1):
        heard.tracker.note_fill(trade(number))
    heard.tracker.catch_up()
    heard.tracker.report(order(S.PARTIALLY_FILLED, 0.75))
    assert heard.tracker.lacks
    heard.tracker.fill(trade(2))
    assert (heard.fills, heard.tracker.lacks) == (["2"], False)


def test_our_own_order_that_is_listed_before_its_answer_lacks_its_fills() -> None:
    heard = Heard()
    heard.tracker.expect("t-1")
    heard.tracker.note_order(order(S.PARTIALLY_FILLED, 0.5))
    assert heard.tracker.lacks
    heard.tracker.fill(trade(0))
    heard.tracker.fill(trade(1))
    assert (heard.fills, heard.tracker.lacks) == (["0", "1"], False)


def test_an_order_that_only_a_later_list_brings_began_in_this_run_and_lacks_its_fills() -> None:
    heard = Heard()
    heard.tracker.catch_up()
    heard.tracker.note_order(order(S.PARTIALLY_FILLED, 0.25))
    assert heard.tracker.lacks
    heard.tracker.fill(trade(0))
    assert (heard.fills, heard.tracker.lacks) == (["0"], False)


def test_whoever_hears_a_fill_knows_that_another_is_missing() -> None:
    lacked: list[bool] = []
    tracker = OrderTracker(lambda _order: None, lambda _trade: lacked.append(tracker.lacks))
    tracker.report(order(S.PARTIALLY_FILLED, 0.5), trade(1))
    tracker.fill(trade(0))
    assert lacked == [True, False]


def test_memory_is_bounded_and_open_orders_stay_longest() -> None:
    heard = Heard(capacity=10)
    heard.tracker.report(order(S.ACCEPTED, order_id="open"))
    for number in range(50):
        heard.tracker.report(order(S.CANCELLED, order_id=f"done-{number}", venue_order_id=str(number)))
    assert heard.tracker.knows("open")
    assert not heard.tracker.knows("done-1")
    assert heard.tracker.knows("done-49")
    assert [told.order_id for told in heard.tracker.open_orders()] == ["open"]
    assert heard.tracker.order_id_of("BTCUSDT.BINANCE", "1") == ""
