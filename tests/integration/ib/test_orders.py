"""Orders over the real ibapi to a tiny TWS that does as it is told: silence, refusals, ids that come back, fills without their costs."""

from collections.abc import Iterator
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AmendAnswered, OpenOrdersLoaded, OrderMissing, RequestFailed, TradesLoaded
from foxtrot.domain.account import AccountCharge, AccountData
from foxtrot.domain.enums import AdapterState, GateState, OrderStatus, Side
from foxtrot.domain.order import ApprovedAmend
from foxtrot.domain.outcome import Outcome
from tests.support.ib_order_tws import Order, OrderTws
from tests.support.ib_raw_server import RawClient
from tests.support.ib_trading_rig import TradingRig, trading
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")
S = OrderStatus
START_NS = 1_795_876_200 * 10**9  # 2026-11-28 14:30:00 UTC


@pytest.fixture
def tws() -> Iterator[OrderTws]:
    made = OrderTws()
    made.start()
    yield made
    made.server.stop()


@pytest.fixture
def rig(tws: OrderTws) -> Iterator[TradingRig]:
    with trading(tws.server.port) as made:
        yield made


@pytest.fixture
def slow(tws: OrderTws) -> Iterator[TradingRig]:
    """A rig whose time passes only when the test says so."""
    with trading(tws.server.port, clock=ManualClock(START_NS), mute_after_s=60.0) as made:
        yield made


def silence(_tws: OrderTws, _client: RawClient, _order: Order) -> None:
    """Take an order and say nothing."""


def refusing(code: int, text: str, status: str = "") -> Any:
    def refuse(tws: OrderTws, client: RawClient, order: Order) -> None:
        tws.tell_error(order.number, code, text, client)
        if status:
            order.status = status
            tws.tell_status(order, client)
        tws.orders.remove(order)

    return refuse


# --- a usual life -----------------------------------------------------------------------------------------------------


def test_an_order_is_taken_filled_and_charged(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    (order,) = tws.orders
    assert (order.ref, order.side, order.quantity, order.kind, order.price, order.account) == (
        order_id, "BUY", "100", "LMT", "189.50", "DU1000001",
    )  # fmt: skip
    tws.fill(order, "0001.01.01", 40, 189.5, 0.4)
    tws.fill(order, "0002.01.01", 60, 189.4, 0.6)
    rig.until(order_id, S.FILLED)
    wait_until(lambda: len(rig.trades()) == 2)
    assert rig.statuses(order_id) == [S.ACCEPTED, S.PARTIALLY_FILLED, S.FILLED]
    assert [(one.trade_id, one.price, one.quantity, one.fee) for one in rig.trades()] == [
        ("0001.01", 189.5, 40.0, Decimal("0.4")), ("0002.01", 189.4, 60.0, Decimal("0.6")),
    ]  # fmt: skip
    assert rig.reports(order_id)[-1].average_price == 189.44
    assert rig.reports(order_id)[-1].venue_order_id == str(order.perm_id)


def test_an_order_is_cancelled(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    rig.cancel(order_id)
    rig.until(order_id, S.CANCELLED)
    assert rig.statuses(order_id) == [S.ACCEPTED, S.CANCELLED]
    assert rig.heard.of(RequestFailed) == []


def test_a_cancel_never_overtakes_its_order(tws: OrderTws, rig: TradingRig) -> None:
    names = [rig.send() for _ in range(10)]
    for name in names:
        rig.cancel(name)
    for name in names:
        rig.until(name, S.CANCELLED)
    assert rig.heard.of(RequestFailed) == []


def test_fractions_and_exact_prices_go_as_decimals(tws: OrderTws, rig: TradingRig) -> None:
    rig.send(price=1, quantity=1_000_000)
    wait_until(lambda: len(tws.placed) == 1)
    assert (tws.placed[0][17], tws.placed[0][19]) == ("1000000", "0.01")


def test_no_order_has_the_old_flags_that_tws_refuses(tws: OrderTws, rig: TradingRig) -> None:
    rig.until(rig.send(), S.ACCEPTED)
    assert tws.placed[0][53:55] == ["0", "0"]  # eTradeOnly, firmQuoteOnly


# --- refused and held -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "text", "status"),
    [
        (201, "Order rejected - reason:no money", ""),
        (201, "Order rejected - reason:no money", "Inactive"),
        (201, "Order rejected - reason:no money", "Cancelled"),
        (200, "No security definition", ""),
        (110, "The price does not conform", ""),
    ],
)
def test_a_refusal_ends_an_order(tws: OrderTws, rig: TradingRig, code: int, text: str, status: str) -> None:
    tws.on_place = refusing(code, text, status)
    order_id = rig.send()
    told = rig.until(order_id, S.REJECTED)
    assert (told.rule, told.reason) == ("venue", f"{code}: {text}")
    rig.beat()
    assert rig.statuses(order_id) == [S.REJECTED]


def test_a_refusal_after_it_was_taken_ends_it_too(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    tws.tell_error(tws.orders[0].number, 201, "Order rejected - reason:exchange closed")
    rig.until(order_id, S.REJECTED)


@pytest.mark.parametrize("code", [399, 2109])
def test_a_warning_ends_nothing(tws: OrderTws, rig: TradingRig, code: int) -> None:
    def warn(tws: OrderTws, client: RawClient, order: Order) -> None:
        tws.tell_error(order.number, code, "be aware", client)
        tws.tell_order(order, client)

    tws.on_place = warn
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    rig.beat()
    assert rig.statuses(order_id) == [S.ACCEPTED]


def test_an_error_that_is_not_listed_leaves_an_order_unknown_until_a_list_has_it(
    tws: OrderTws, rig: TradingRig
) -> None:
    def puzzle(tws: OrderTws, client: RawClient, order: Order) -> None:
        tws.tell_error(order.number, 10_999, "something new", client)

    tws.on_place = puzzle
    order_id = rig.send()
    rig.until(order_id, S.UNKNOWN)
    rig.until(order_id, S.ACCEPTED)
    assert rig.statuses(order_id) == [S.UNKNOWN, S.ACCEPTED]
    assert len(tws.placed) == 1


def test_inactive_alone_is_no_end_and_is_told_as_held_when_a_list_has_it(tws: OrderTws, slow: TradingRig) -> None:
    def hold(tws: OrderTws, client: RawClient, order: Order) -> None:
        order.status = "Inactive"
        tws.tell_order(order, client)

    tws.on_place = hold
    order_id = slow.send()
    slow.pass_time(30, lambda: slow.last(order_id) is S.ACCEPTED)
    assert "Inactive" in slow.reports(order_id)[-1].reason
    assert not {S.REJECTED, S.CANCELLED} & set(slow.statuses(order_id))


def test_inactive_that_is_completed_is_refused(tws: OrderTws, slow: TradingRig) -> None:
    def refuse(tws: OrderTws, client: RawClient, order: Order) -> None:
        tws.end(order, "Inactive", "")
        tws.tell_status(order, client)

    tws.on_place = refuse
    order_id = slow.send()
    slow.pass_time(30, lambda: slow.last(order_id) is S.REJECTED)


def test_a_duplicate_number_is_a_refusal_and_what_comes_under_it_is_another_orders(
    tws: OrderTws, rig: TradingRig
) -> None:
    tws.on_place = refusing(103, "Duplicate order id")
    order_id = rig.send()
    rig.until(order_id, S.REJECTED)
    number = int(tws.placed[0][1])
    other = tws.add("of-another-run", number, 1)
    tws.tell_order(other)
    other.status = "Filled"
    other.filled, other.average = 100.0, 1.0
    tws.tell_status(other)
    rig.until("of-another-run", S.FILLED)
    assert rig.statuses(order_id) == [S.REJECTED]


# --- silence ----------------------------------------------------------------------------------------------------------


def test_silence_is_unknown_until_the_list_of_open_orders_has_it(tws: OrderTws, slow: TradingRig) -> None:
    tws.on_place, tws.silent = silence, frozenset({"16"})
    order_id = slow.send()
    wait_until(lambda: len(tws.placed) == 1)
    slow.pass_time(15, lambda: slow.last(order_id) is S.UNKNOWN)
    tws.silent = frozenset()
    slow.pass_time(60, lambda: slow.last(order_id) is S.ACCEPTED)
    assert slow.statuses(order_id) == [S.UNKNOWN, S.ACCEPTED]
    assert len(tws.placed) == 1


def test_an_order_that_no_list_has_never_reached_the_market_but_only_after_the_bound(
    tws: OrderTws, slow: TradingRig
) -> None:
    tws.silent = frozenset({"3"})
    order_id, sent_ns = slow.send(), slow.clock.monotonic_ns()
    wait_until(lambda: len(tws.placed) == 1)
    slow.pass_time(15, lambda: slow.last(order_id) is S.UNKNOWN)
    slow.pass_time(90, lambda: slow.last(order_id) is S.DENIED)
    assert slow.clock.monotonic_ns() - sent_ns >= 30 * 10**9
    told = slow.reports(order_id)[-1]
    assert told.rule == "never_reached_market"
    assert "never reached the market" in told.reason


def test_the_lists_of_a_young_link_prove_no_absence(tws: OrderTws, slow: TradingRig) -> None:
    tws.silent = frozenset({"3"})
    order_id = slow.send()
    wait_until(lambda: len(tws.placed) == 1)
    slow.pass_time(15, lambda: slow.last(order_id) is S.UNKNOWN)
    linked_ns = slow.adapter.session.linked_since_ns
    tws.silent = frozenset({"3", "16"})  # nobody asks successfully before the loss
    for _ in range(20):
        slow.clock.advance(10**9)
        slow.beat()
    tws.client.fin()
    tws.silent = frozenset({"3"})
    slow.pass_time(10, lambda: slow.heard.states().count(AdapterState.READY) == 2, 0.1)
    young_ns = slow.adapter.session.linked_since_ns
    assert young_ns > linked_ns
    slow.pass_time(90, lambda: slow.last(order_id) is S.DENIED)
    assert slow.clock.monotonic_ns() - young_ns >= 30 * 10**9


def test_while_a_list_cannot_be_had_an_order_stays_unknown(tws: OrderTws, slow: TradingRig) -> None:
    tws.silent = frozenset({"3", "99"})
    order_id = slow.send()
    wait_until(lambda: len(tws.placed) == 1)
    slow.pass_time(15, lambda: slow.last(order_id) is S.UNKNOWN)
    for _ in range(120):
        slow.clock.advance(10**9)
        slow.beat()
    assert slow.statuses(order_id) == [S.UNKNOWN]


def test_a_link_over_which_one_list_never_ends_is_renewed_though_all_else_is_answered(
    tws: OrderTws, slow: TradingRig
) -> None:
    tws.silent = frozenset({"16"})
    mark = len(slow.heard.states())
    slow.pass_time(120, lambda: AdapterState.LOST in slow.heard.states()[mark:])
    tws.silent = frozenset()
    slow.pass_time(60, lambda: slow.heard.states()[-1] is AdapterState.READY)
    order_id = slow.send()
    slow.until(order_id, S.ACCEPTED)


def test_an_order_that_was_filled_in_silence_is_found_with_its_fills(tws: OrderTws, slow: TradingRig) -> None:
    tws.on_place = silence
    order_id = slow.send()
    wait_until(lambda: len(tws.orders) == 1)
    tws.fill(tws.orders[0], "0001.01.01", 100, 189.4, told=False)
    slow.pass_time(60, lambda: slow.last(order_id) is S.FILLED)
    slow.pass_time(10, lambda: len(slow.trades()) == 1)
    assert (slow.reports(order_id)[-1].average_price, slow.trades()[0].price) == (189.4, 189.4)
    assert slow.trades()[0].fee == Decimal(1)


def test_an_order_of_an_earlier_day_that_no_list_has_stays_unknown_for_a_person(
    tws: OrderTws, slow: TradingRig
) -> None:
    order = slow.order("t-old")
    slow.adapter.recover_order(order, START_NS - 20 * 3_600 * 10**9)
    slow.pass_time(5, lambda: slow.last("t-old") is S.UNKNOWN)
    for _ in range(120):
        slow.clock.advance(10**9)
        slow.beat()
    assert slow.statuses("t-old") == [S.UNKNOWN]
    assert tws.placed == []


def test_an_order_of_an_earlier_run_is_found_and_never_sent(tws: OrderTws, slow: TradingRig) -> None:
    tws.add("t-1", 4, 1)
    slow.adapter.recover_order(slow.order("t-1"), START_NS - 10**9)
    slow.pass_time(20, lambda: slow.last("t-1") is S.ACCEPTED)
    slow.adapter.send_order(slow.order("t-1"))
    wait_until(lambda: bool(slow.heard.of(RequestFailed)))
    assert tws.placed == []


def test_an_order_that_nobody_has_is_missing_only_past_the_bound(tws: OrderTws, slow: TradingRig) -> None:
    slow.adapter.query_order("nobody", "AAPL.NASDAQ")
    wait_until(lambda: bool(slow.heard.of(RequestFailed)))
    assert slow.heard.of(OrderMissing) == []
    for _ in range(31):
        slow.clock.advance(10**9)
        slow.beat()
    slow.adapter.query_order("nobody", "AAPL.NASDAQ")
    wait_until(lambda: bool(slow.heard.of(OrderMissing)))


# --- not sent ---------------------------------------------------------------------------------------------------------


def test_nothing_leaves_past_a_closed_permit_and_cancels_do(tws: OrderTws, rig: TradingRig) -> None:
    resting = rig.send()
    rig.until(resting, S.ACCEPTED)
    rig.permit.close("kill switch")
    told = rig.until(rig.send(), S.DENIED)
    assert (told.rule, told.reason) == ("send_permit", "kill switch")
    rig.cancel(resting)
    rig.until(resting, S.CANCELLED)
    assert len(tws.placed) == 1


def test_while_only_reducing_is_allowed_reducing_orders_leave(tws: OrderTws, rig: TradingRig) -> None:
    rig.permit.allow(GateState.REDUCING, "loss limit")
    rig.until(rig.send(side=Side.SELL, reduces=True), S.ACCEPTED)
    rig.until(rig.send(), S.DENIED)
    assert len(tws.placed) == 1


def test_a_read_only_account_sends_nothing_and_answers_questions(tws: OrderTws) -> None:
    with trading(tws.server.port, read_only=True) as rig:
        told = rig.until(rig.send(), S.DENIED)
        assert told.rule == "read_only"
        assert "read_only" in told.reason
        before = len(rig.heard)
        rig.adapter.query_account()
        wait_until(lambda: bool(rig.heard.of(AccountData, before)))
    assert tws.placed == []


def test_one_order_too_many_of_a_contract_and_side_is_denied_here(tws: OrderTws, rig: TradingRig) -> None:
    names = [rig.send() for _ in range(20)]
    for name in names:
        rig.until(name, S.ACCEPTED)
    told = rig.until(rig.send(), S.DENIED)
    assert told.rule == "active_orders"
    rig.until(rig.send(side=Side.SELL), S.ACCEPTED)
    rig.cancel(names[0])
    rig.until(names[0], S.CANCELLED)
    rig.until(rig.send(), S.ACCEPTED)


# --- cancels and changes ----------------------------------------------------------------------------------------------


def test_an_order_of_another_client_is_told_and_its_cancel_says_whose_it_is(tws: OrderTws, rig: TradingRig) -> None:
    tws.tell_order(tws.add("web-7", -4, 3))
    rig.until("web-7", S.ACCEPTED)
    rig.cancel("web-7")
    wait_until(lambda: bool(rig.heard.of(RequestFailed)))
    assert "client id 3" in rig.heard.of(RequestFailed)[-1].error
    assert tws.cancelled == []


@pytest.mark.parametrize("code", [10147, 161])
def test_a_cancel_that_is_refused_is_told_and_the_order_asked_for(tws: OrderTws, rig: TradingRig, code: int) -> None:
    def refuse(tws: OrderTws, client: RawClient, order: Order) -> None:
        tws.fill(order, "0001.01.01", 100, 189.5, told=False)
        tws.tell_error(order.number, code, "too late", client)

    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    tws.on_cancel = refuse
    rig.cancel(order_id)
    rig.until(order_id, S.FILLED)
    wait_until(lambda: len(rig.trades()) == 1)
    assert str(code) in rig.heard.of(RequestFailed)[-1].error


def test_a_cancel_without_an_answer_is_told_while_the_order_is_still_open(tws: OrderTws, slow: TradingRig) -> None:
    order_id = slow.send()
    slow.until(order_id, S.ACCEPTED)
    tws.silent = frozenset({"4"})
    slow.cancel(order_id)
    slow.pass_time(15, lambda: bool(slow.heard.of(RequestFailed)))
    assert "still open" in slow.heard.of(RequestFailed)[-1].error
    assert slow.last(order_id) is S.ACCEPTED


def _amend(rig: TradingRig, order_id: str, **changes: Any) -> AmendAnswered:
    before = len(rig.heard)
    amend = ApprovedAmend(1, msgspec.structs.replace(rig.order(order_id), **changes))
    rig.adapter.amend_order(amend)
    wait_until(lambda: bool(rig.heard.of(AmendAnswered, before)))
    return rig.heard.of(AmendAnswered, before)[0]


def test_a_change_keeps_the_number_and_is_confirmed_after_the_new_terms(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    assert _amend(rig, order_id, quantity_units=80, price_units=18_900).outcome is Outcome.CONFIRMED
    assert [(fields[1], fields[17], fields[19]) for fields in tws.placed] == [
        (tws.placed[0][1], "100", "189.50"), (tws.placed[0][1], "80", "189.00"),
    ]  # fmt: skip
    assert (rig.reports(order_id)[-1].quantity, rig.reports(order_id)[-1].price) == (80.0, 189.0)


@pytest.mark.parametrize("code", [105, 201])
def test_a_change_that_is_refused_leaves_the_order_as_it_was(tws: OrderTws, rig: TradingRig, code: int) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)

    def refuse(tws: OrderTws, client: RawClient, order: Order) -> None:
        order.quantity, order.price = "100", "189.50"
        tws.tell_error(order.number, code, "no", client)

    tws.on_place = refuse
    answer = _amend(rig, order_id, price_units=18_900)
    assert (answer.outcome, str(code) in answer.reason) == (Outcome.REFUSED, True)
    assert rig.statuses(order_id) == [S.ACCEPTED]


def test_a_change_past_a_closed_permit_does_not_leave(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    rig.permit.close("kill switch")
    answer = _amend(rig, order_id, price_units=18_900)
    assert (answer.outcome, answer.rule, answer.reason) == (Outcome.DENIED_LOCALLY, "send_permit", "kill switch")
    assert len(tws.placed) == 1


# --- fills ------------------------------------------------------------------------------------------------------------


def test_a_fill_whose_commission_is_late_is_told_and_charged_when_it_comes(tws: OrderTws, slow: TradingRig) -> None:
    order_id = slow.send()
    slow.until(order_id, S.ACCEPTED)
    tws.tells_commissions = False
    tws.fill(tws.orders[0], "0001.01.01", 100, 189.5, 1.25)
    fills, tws.fills = tws.fills, []
    slow.pass_time(10, lambda: len(slow.trades()) == 1, 0.25)
    assert slow.trades()[0].fee == 0
    tws.client.tell(59, *fills[0][1])
    tws.client.tell(59, *fills[0][1])
    wait_until(lambda: len(slow.heard.of(AccountCharge)) == 1)
    charge = slow.heard.of(AccountCharge)[0]
    assert (charge.kind, charge.amount, charge.asset) == ("commission", Decimal("-1.25"), "USD")
    tws.fills = fills
    before = len(slow.heard)
    slow.adapter.query_trades(0)
    wait_until(lambda: bool(slow.heard.of(TradesLoaded, before)))
    assert [one.fee for one in slow.heard.of(TradesLoaded)[-1].trades] == [Decimal(0)]
    assert len(slow.heard.of(AccountCharge)) == 1


def test_messages_told_twice_or_thrice_change_nothing(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    order = tws.orders[0]
    for _ in range(3):
        tws.tell_order(order)
    tws.fill(order, "0001.01.01", 100, 189.5)
    for execution, commission in tws.fills * 3:
        tws.client.tell(11, -1, *execution)
        tws.client.tell(59, *commission)
        tws.tell_order(order)
    rig.until(order_id, S.FILLED)
    wait_until(lambda: len(rig.trades()) == 1)
    rig.beat()
    assert rig.statuses(order_id) == [S.ACCEPTED, S.FILLED]
    assert len(rig.trades()) == 1
    assert rig.heard.of(AccountCharge) == []


def test_a_message_that_cannot_be_is_left_out_and_the_link_survives(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)
    order = tws.orders[0]
    tws.client.tell(3, order.number, "Filled", "1e40", 0, 1.0, order.perm_id, 0, 0, 1, "", 0)
    tws.client.tell(3, order.number, "Filled", 60, 40, 1.0, order.perm_id, 0, 0, 1, "", 0)
    tws.client.tell(3, order.number)
    tws.fill(order, "0001.01.01", 100, 189.5)
    rig.until(order_id, S.FILLED)
    assert rig.statuses(order_id) == [S.ACCEPTED, S.FILLED]
    assert len(rig.heard.of(RequestFailed)) == 2


# --- lists ------------------------------------------------------------------------------------------------------------


def test_lists_come_in_the_promised_order_and_hold_orders_of_all_clients(tws: OrderTws) -> None:
    tws.add("t-9", 4, 1)
    tws.add("", 0, 0)
    tws.add("web-7", -2, 3, account="DU1000002")
    tws.positions = [["DU1000001", 265598, "AAPL", "STK", "", 0, "", "", "", "USD", "AAPL", "NMS", 10, 150.5]]
    with trading(tws.server.port) as rig:
        (listed,) = rig.heard.of(OpenOrdersLoaded)
        assert {one.order_id for one in listed.orders} == {"t-9", f"venue{tws.orders[1].perm_id}"}
        rig.cancel("t-9")
        rig.until("t-9", S.CANCELLED)
        assert tws.cancelled == [4]
