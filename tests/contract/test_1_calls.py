"""Promise 1: calls return at once on any thread and never raise for what the venue does; outcomes come as events."""

from collections.abc import Callable

import pytest

from foxtrot.core.notices import (
    BookLoaded,
    HistoryLoaded,
    OpenOrdersLoaded,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import CancelRequest, OrderData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from tests.support.contract_rig import ContractRig

Call = Callable[[ContractRig], object]

CALLS: dict[str, Call] = {
    "subscribe": lambda rig: rig.adapter.subscribe(SubscribeRequest(rig.spot.instrument_id, trades=True)),
    "unsubscribe": lambda rig: rig.adapter.unsubscribe(rig.spot.instrument_id),
    "send_order": lambda rig: rig.adapter.send_order(rig.order()),
    "cancel_order": lambda rig: rig.adapter.cancel_order(CancelRequest("none", rig.account, rig.spot.instrument_id)),
    "query_account": lambda rig: rig.adapter.query_account(),
    "query_positions": lambda rig: rig.adapter.query_positions(),
    "query_orders": lambda rig: rig.adapter.query_orders(),
    "query_trades": lambda rig: rig.adapter.query_trades(0),
    "query_history": lambda rig: rig.adapter.query_history(_history(rig)),
    "request_book": lambda rig: rig.adapter.request_book("b", rig.spot.instrument_id, 5),
    "request_snapshot": lambda rig: rig.adapter.request_snapshot(rig.spot.instrument_id),
}

REFUSED: dict[str, dict[str, object]] = {
    "a price off the grid": {"side": Side.SELL, "price": 20_001},
    "no price": {"price": 0, "order_type": OrderType.LIMIT},
    "less than the smallest quantity": {"quantity": 5},
    "less than the smallest value": {"quantity": 10},
    "more than the account holds": {"quantity": 5_000_000},
    "a stop without a trigger": {"price": 0, "order_type": OrderType.STOP},
    "fill or kill without enough to take": {"quantity": 50_000, "price": 10_100, "time_in_force": TimeInForce.FOK},
    "an expiry in the past": {"time_in_force": TimeInForce.GTD, "expire_time_ns": 1},
    "a position side on a net account": {"position_side": PositionSide.LONG},
}


def _history(rig: ContractRig, **changes: object) -> HistoryRequest:
    facts = {"instrument_id": rig.spot.instrument_id, "interval": "1m", "count": 10, "end_ns": rig.clock.now_ns()}
    return HistoryRequest("h", **(facts | changes))  # type: ignore[arg-type]


def test_1_connect_returns_while_the_venue_does_not_answer(rig: ContractRig) -> None:
    with rig.held():
        assert rig.returns(rig.adapter.connect)
        assert len(rig.heard) == 0


@pytest.mark.parametrize("name", list(CALLS))
def test_1_a_call_returns_and_publishes_nothing_itself_while_the_venue_does_not_answer(
    rig: ContractRig, name: str
) -> None:
    rig.connect()
    before = len(rig.heard)
    with rig.held():
        assert rig.returns(lambda: CALLS[name](rig))
        assert rig.heard.events(before) == []


def test_1_everything_is_published_on_the_adapters_own_thread(rig: ContractRig) -> None:
    rig.connect()
    rig.send()
    rig.send(side=Side.BUY, price=0)
    rig.cancel("none")
    if rig.io_thread:
        assert rig.heard.threads() == {rig.io_thread}
    assert len(rig.heard) > 10


@pytest.mark.parametrize("why", list(REFUSED))
def test_1_an_order_the_venue_refuses_comes_back_with_a_reason(rig: ContractRig, why: str) -> None:
    rig.connect()
    terms = rig.refused_terms(why, REFUSED[why])
    order_id = rig.send(**terms)
    last = rig.heard.reports(order_id)[-1]
    assert last.status in (OrderStatus.REJECTED, OrderStatus.DENIED)
    assert last.reason or last.rule
    assert last.filled_quantity == 0.0
    assert order_id not in rig.open_orders()


def test_1_an_order_for_an_unknown_instrument_comes_back_and_the_venue_goes_on(rig: ContractRig) -> None:
    rig.connect()
    lost = rig.send(instrument_id="NOPE.TEST")
    assert rig.heard.reports(lost)[-1].status in (OrderStatus.REJECTED, OrderStatus.DENIED)
    assert rig.heard.reports(rig.send())[-1].status is OrderStatus.ACCEPTED


def test_1_a_cancel_of_an_unknown_order_comes_back_as_a_failed_request(rig: ContractRig) -> None:
    rig.connect()
    rig.cancel("never-sent")
    failed = rig.heard.of(RequestFailed)
    assert len(failed) == 1
    assert "never-sent" in failed[0].what
    assert failed[0].error
    assert rig.heard.of(OrderData) == []


def test_1_a_cancel_of_an_unknown_instrument_comes_back_as_a_failed_request(rig: ContractRig) -> None:
    rig.connect()
    rig.adapter.cancel_order(CancelRequest("never-sent", rig.account, "NOPE.TEST"))
    rig.settle()
    assert len(rig.heard.of(RequestFailed)) == 1


def test_1_a_second_cancel_fails_and_changes_nothing(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    rig.cancel(order_id)
    rig.cancel(order_id)
    assert [order.status for order in rig.heard.reports(order_id)][-1] is OrderStatus.CANCELLED
    assert len(rig.heard.of(RequestFailed)) == 1


def test_1_a_cancel_of_a_filled_order_fails_and_changes_nothing(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=0)
    rig.cancel(order_id)
    assert rig.heard.reports(order_id)[-1].status is OrderStatus.FILLED
    assert len(rig.heard.of(RequestFailed)) == 1


def test_1_a_subscription_to_an_unknown_instrument_comes_back_as_a_failed_request(rig: ContractRig) -> None:
    rig.connect().subscribe(SubscribeRequest("NOPE.TEST", trades=True, depth_levels=5))
    rig.settle()
    assert "NOPE.TEST" in rig.heard.of(RequestFailed)[0].what


def test_1_a_book_of_an_unknown_instrument_comes_back_as_an_error(rig: ContractRig) -> None:
    rig.connect().request_book("b1", "NOPE.TEST", 5)
    rig.settle()
    answer = rig.heard.of(BookLoaded)[-1]
    assert (answer.request_id, answer.book) == ("b1", None)
    assert "NOPE.TEST" in answer.error
    assert rig.heard.reports(rig.send())[-1].status is OrderStatus.ACCEPTED


def test_1_unsubscribing_what_was_never_subscribed_does_nothing(rig: ContractRig) -> None:
    adapter = rig.connect()
    adapter.unsubscribe("NOPE.TEST")
    adapter.unsubscribe(rig.spot.instrument_id)
    rig.settle()
    assert rig.heard.reports(rig.send())[-1].status is OrderStatus.ACCEPTED


@pytest.mark.parametrize(
    "changes", [{"instrument_id": "NOPE.TEST"}, {"interval": "7q"}, {"interval": "100t"}, {"count": 0}]
)
def test_1_history_that_cannot_be_had_comes_back_as_an_error(rig: ContractRig, changes: dict[str, object]) -> None:
    rig.require("history")
    rig.connect().query_history(_history(rig, **changes))
    rig.settle()
    answer = rig.heard.of(HistoryLoaded)[-1]
    assert (answer.request_id, answer.bars) == ("h", ())
    assert answer.error


def test_1_history_is_the_last_closed_bars_and_never_the_open_one(rig: ContractRig) -> None:
    rig.require("history")
    rig.connect()
    for _ in range(4):
        rig.advance(60)
        rig.take(Side.BUY, 100)
    rig.adapter.query_history(_history(rig, count=2, end_ns=rig.clock.now_ns() + 10**12))
    rig.settle()
    bars = rig.heard.of(HistoryLoaded)[-1].bars
    assert len(bars) == 2
    assert max(bar.close_time_ns for bar in bars) <= rig.clock.now_ns()
    assert rig.clock.now_ns() - bars[-1].close_time_ns < 60 * 10**9
    assert [bar.close_time_ns for bar in bars] == sorted(bar.close_time_ns for bar in bars)


def test_1_history_up_to_a_time_in_the_past_still_has_its_count(rig: ContractRig) -> None:
    rig.require("history")
    rig.connect()
    for _ in range(6):
        rig.advance(60)
        rig.take(Side.BUY, 100)
    end_ns = rig.clock.now_ns() - 150 * 10**9
    rig.adapter.query_history(_history(rig, count=2, end_ns=end_ns))
    rig.settle()
    bars = rig.heard.of(HistoryLoaded)[-1].bars
    assert len(bars) == 2
    assert bars[-1].close_time_ns <= end_ns < bars[-1].close_time_ns + 60 * 10**9


@pytest.mark.parametrize("name", list(CALLS))
def test_1_a_call_before_connecting_does_not_raise(rig: ContractRig, name: str) -> None:
    CALLS[name](rig)


@pytest.mark.parametrize("name", list(CALLS))
def test_1_a_call_after_closing_does_not_raise_and_does_not_wait(rig: ContractRig, name: str) -> None:
    rig.connect().close()
    assert rig.returns(lambda: CALLS[name](rig))


def test_1_an_order_before_connecting_and_one_after_closing_come_back_denied(rig: ContractRig) -> None:
    early = rig.order()
    rig.adapter.send_order(early)
    rig.connect().close()
    late = rig.order()
    rig.adapter.send_order(late)
    for order in (early, late):
        assert [report.status for report in rig.heard.reports(order.order_id)] == [OrderStatus.DENIED]
    assert rig.received() == []


def test_1_a_cancel_and_a_query_after_closing_come_back_as_failed_requests(rig: ContractRig) -> None:
    adapter = rig.connect()
    adapter.close()
    before = len(rig.heard)
    rig.adapter.cancel_order(CancelRequest("x", rig.account, rig.spot.instrument_id))
    adapter.query_account()
    assert len(rig.heard.of(RequestFailed, before)) == 2


def test_1_orders_from_many_threads_are_all_answered(rig: ContractRig) -> None:
    rig.connect()
    batches = [[rig.order(quantity=100) for _ in range(10)] for _ in range(4)]

    def send(batch: list[object]) -> Callable[[], object]:
        return lambda: [rig.adapter.send_order(order) for order in batch]  # type: ignore[arg-type]

    with rig.together([send(batch) for batch in batches]):
        pass
    rig.settle()
    ids = {order.order_id for batch in batches for order in batch}
    assert rig.open_orders() == ids
    assert {order.order_id for order in rig.heard.of(OrderData) if order.status is OrderStatus.ACCEPTED} == ids


def test_1_the_account_asked_for_is_the_venues_to_the_last_decimal(rig: ContractRig) -> None:
    rig.connect()
    rig.send(quantity=333, price=9_950)
    rig.send(quantity=117, price=0)
    before = len(rig.heard)
    rig.adapter.query_account()
    rig.settle()
    told = rig.heard.of(AccountData, before)[-1]
    truth = rig.balances()
    assert {row.asset: (row.total, row.locked) for row in told.balances} == truth
    assert all(row.free == row.total - row.locked for row in told.balances)


def test_1_the_positions_asked_for_are_the_venues(rig: ContractRig) -> None:
    rig.require_derivative()
    rig.connect()
    rig.send(side=Side.SELL, quantity=500, price=0, instrument_id=rig.contract.instrument_id)
    before = len(rig.heard)
    rig.adapter.query_positions()
    rig.settle()
    told = rig.heard.of(PositionsLoaded, before)[-1]
    held = {(row.instrument_id, row.position_side): row.quantity for row in told.positions if row.quantity}
    assert held == rig.positions()
    assert held == {(rig.contract.instrument_id, PositionSide.NET): -0.5}


def test_1_the_orders_and_trades_asked_for_are_the_venues(rig: ContractRig) -> None:
    rig.connect()
    resting = {rig.send(), rig.send()}
    rig.send(price=0)
    before = len(rig.heard)
    rig.adapter.query_orders()
    rig.adapter.query_trades(0)
    rig.settle()
    assert {order.order_id for order in rig.heard.of(OpenOrdersLoaded, before)[-1].orders} == resting
    told = [(t.trade_id, t.order_id, t.fee, t.fee_asset) for t in rig.heard.of(TradesLoaded, before)[-1].trades]
    assert told == rig.fills()


def test_1_trades_since_a_time_include_that_time_and_nothing_older(rig: ContractRig) -> None:
    rig.connect()
    rig.send(price=0)
    rig.advance(1)
    second = rig.send(price=0)
    rig.adapter.query_trades(rig.heard.fills(second)[0].venue_time_ns)
    rig.settle()
    assert [trade.order_id for trade in rig.heard.of(TradesLoaded)[-1].trades] == [second]


@pytest.mark.parametrize("name", ["query_account", "query_positions", "query_orders", "query_trades", "cancel_order"])
def test_1_a_query_while_the_link_is_lost_comes_back_as_a_failed_request(rig: ContractRig, name: str) -> None:
    rig.connect()
    rig.lose_link("cable pulled")
    before = len(rig.heard)
    CALLS[name](rig)
    rig.settle()
    assert [type(event) for event in rig.heard.events(before)] == [RequestFailed]
