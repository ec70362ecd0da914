"""Promise 4, of pairs: two orders of which one ends the other leave together or not at all, and each comes back by its own id."""

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import msgspec
import pytest

from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, Side
from foxtrot.domain.order import ApprovedOrder, OrderData, TradeData
from foxtrot.domain.order_state import TERMINAL, may_move
from tests.support.contract_rig import ContractRig

S = OrderStatus
REFUSED = {S.REJECTED, S.DENIED}


class Pair(NamedTuple):
    """A stop and a post-only limit around the last price; sold below 9 850 or at 10 050 unless said otherwise."""

    stop: ApprovedOrder
    limit: ApprovedOrder

    @property
    def ids(self) -> tuple[str, str]:
        """The id of the stop and that of the limit."""
        return self.stop.order_id, self.limit.order_id


def made(rig: ContractRig, side: Side = Side.SELL, stop: int = 9_850, limit: int = 10_050, **both: object) -> Pair:
    """Make a pair; anything can be changed of both."""
    terms = {"order_type": OrderType.STOP, "trigger_units": stop, "price": 0} | both
    return Pair(rig.order(side, **terms), rig.order(side, price=limit, post_only=True, **both))  # type: ignore[arg-type]


def sent(rig: ContractRig, pair: Pair, *, limit_first: bool = False) -> Pair:
    """Send a pair and wait for what that brings."""
    rig.adapter.send_pair(*(reversed(pair) if limit_first else pair))
    rig.settle()
    return pair


def resting(rig: ContractRig, side: Side = Side.SELL, stop: int = 9_850, limit: int = 10_050) -> Pair:
    """Connect and send a pair that rests; skip where the venue keeps none."""
    rig.require("oco")
    rig.connect()
    return sent(rig, made(rig, side, stop, limit))


def lasts(rig: ContractRig, pair: Pair) -> list[OrderStatus]:
    """The last status told of the stop and of the limit."""
    return [rig.heard.reports(one)[-1].status for one in pair.ids]


def filled(rig: ContractRig, order_id: str) -> int:
    """How much of an order was told to be filled, in thousandths."""
    return sum(round(fill.quantity * 1000) for fill in rig.heard.fills(order_id))


def check_told(rig: ContractRig, pair: Pair) -> None:
    """Check that each life is a legal one, ends once, and that no more than one of the two has traded."""
    for order_id in pair.ids:
        statuses = [S.SUBMITTED] + [order.status for order in rig.heard.reports(order_id)]
        assert all(a is b or may_move(a, b) for a, b in pairwise(statuses))
        assert sum(status in TERMINAL for status in statuses) <= 1
        counted = rig.heard.reports(order_id)[-1].filled_quantity
        assert filled(rig, order_id) == round(counted * 1000)
    assert 0 in [filled(rig, one) for one in pair.ids]
    assert {order.order_id for order in rig.heard.of(OrderData)} == set(pair.ids)
    traded = [(fill.trade_id, fill.order_id) for fill in rig.heard.of(TradeData)]
    assert traded == [(trade_id, order_id) for trade_id, order_id, _, _ in rig.fills()]


# --- both or none ---------------------------------------------------------------------------------------------------


def test_4_a_pair_is_taken_where_the_venue_keeps_pairs_and_denied_for_both_elsewhere(rig: ContractRig) -> None:
    rig.connect()
    pair = sent(rig, made(rig))
    reports = [rig.heard.reports(one) for one in pair.ids]
    if rig.capabilities.oco:
        assert [[order.status for order in told] for told in reports] == [[S.ACCEPTED], [S.ACCEPTED]]
        assert rig.open_orders() == set(pair.ids)
        assert sorted(rig.received()) == sorted(pair.ids)
    else:
        assert [[(order.status, order.rule) for order in told] for told in reports] == [[(S.DENIED, "no_oco")]] * 2
        assert rig.received() == []


@pytest.mark.parametrize("limit_first", [False, True])
@pytest.mark.parametrize(("side", "stop", "limit"), [(Side.SELL, 9_850, 10_050), (Side.BUY, 10_150, 9_950)])
def test_4_a_pair_of_either_side_is_told_with_the_terms_of_each_whichever_comes_first(
    rig: ContractRig, side: Side, stop: int, limit: int, limit_first: bool
) -> None:
    rig.require("oco")
    rig.connect()
    pair = sent(rig, made(rig, side, stop, limit, quantity=1_234), limit_first=limit_first)
    (of_stop,), (of_limit,) = (rig.heard.reports(one) for one in pair.ids)
    assert (of_stop.order_type, of_stop.trigger_price, of_stop.quantity) == (OrderType.STOP, stop / 100, 1.234)
    assert (of_limit.order_type, of_limit.price, of_limit.quantity) == (OrderType.LIMIT, limit / 100, 1.234)
    assert (of_stop.side, of_limit.side, of_limit.post_only) == (side, side, True)
    assert of_stop.venue_order_id not in ("", of_limit.venue_order_id)
    check_told(rig, pair)


def test_4_what_a_pair_sells_is_held_once(rig: ContractRig) -> None:
    rig.require("oco")
    rig.connect()
    pair = sent(rig, made(rig, quantity=6_000))
    assert lasts(rig, pair) == [S.ACCEPTED, S.ACCEPTED]
    assert rig.balances()["BTC"][1] == 6
    rig.cancel(pair.stop.order_id)
    assert rig.balances()["BTC"][1] == 0


@pytest.mark.parametrize(
    ("side", "stop", "limit"),
    [
        (Side.SELL, 10_050, 9_950),
        (Side.SELL, 9_850, 9_800),
        (Side.SELL, 10_000, 10_050),
        (Side.BUY, 9_950, 10_050),
        (Side.BUY, 10_000, 9_950),
    ],
)
def test_4_a_pair_on_the_wrong_sides_of_the_market_is_refused_for_both(
    rig: ContractRig, side: Side, stop: int, limit: int
) -> None:
    rig.require("oco")
    rig.connect()
    pair = sent(rig, made(rig, side, stop, limit))
    for order_id in pair.ids:
        (told,) = rig.heard.reports(order_id)
        assert told.status in REFUSED
        assert told.rule
        assert told.reason
    assert rig.open_orders() == set()
    check_told(rig, pair)


@pytest.mark.parametrize(
    "change",
    [
        {"order_type": OrderType.LIMIT, "price_units": 9_850, "trigger_units": 0},
        {"order_type": OrderType.TAKE_PROFIT},
        {"side": Side.BUY},
        {"quantity_units": 500},
    ],
    ids=str,
)
def test_4_two_orders_that_are_no_pair_are_refused_for_both(rig: ContractRig, change: dict[str, object]) -> None:
    rig.require("oco")
    rig.connect()
    pair = made(rig)
    stop = msgspec.structs.replace(pair.stop, **change)
    sent(rig, Pair(stop, pair.limit))
    assert set(lasts(rig, pair)) <= REFUSED
    assert rig.open_orders() == set()


def test_4_a_pair_that_the_account_cannot_cover_is_refused_for_both_with_one_reason(rig: ContractRig) -> None:
    rig.require("oco")
    rig.connect()
    pair = sent(rig, made(rig, quantity=11_000))
    assert lasts(rig, pair) == [S.REJECTED, S.REJECTED]
    told = [rig.heard.reports(one)[-1] for one in pair.ids]
    assert told[0].reason
    assert (told[0].rule, told[0].reason) == (told[1].rule, told[1].reason)
    assert rig.balances()["BTC"][1] == 0


def test_4_a_pair_is_never_sent_twice(rig: ContractRig) -> None:
    pair = resting(rig)
    sent(rig, pair)
    sent(rig, pair, limit_first=True)
    assert sorted(rig.received()) == sorted(pair.ids)
    assert lasts(rig, pair) == [S.ACCEPTED, S.ACCEPTED]
    assert len(rig.heard.of(RequestFailed)) == 4


def test_4_a_pair_of_which_one_was_sent_before_does_not_leave(rig: ContractRig) -> None:
    rig.require("oco")
    rig.connect()
    pair = made(rig)
    rig.adapter.send_order(pair.limit)
    rig.settle()
    sent(rig, pair)
    assert rig.received() == [pair.limit.order_id]
    assert rig.open_orders() == {pair.limit.order_id}


# --- one ends the other ---------------------------------------------------------------------------------------------


def test_4_the_limit_of_a_pair_fills_and_the_stop_has_ended_with_its_first_part(rig: ContractRig) -> None:
    pair = resting(rig)
    rig.take(Side.BUY, 400)
    rig.settle()
    assert lasts(rig, pair) == [S.EXPIRED, S.PARTIALLY_FILLED]
    rig.take(Side.BUY, 600)
    rig.settle()
    assert lasts(rig, pair) == [S.EXPIRED, S.FILLED]
    assert [filled(rig, one) for one in pair.ids] == [0, 1_000]
    assert rig.open_orders() == set()
    check_told(rig, pair)


def test_4_the_trigger_of_the_stop_of_a_pair_ends_the_limit_and_the_stop_fills(rig: ContractRig) -> None:
    pair = resting(rig)
    rig.take(Side.SELL, 6_000)
    rig.settle()
    assert lasts(rig, pair) == [S.FILLED, S.EXPIRED]
    assert [filled(rig, one) for one in pair.ids] == [1_000, 0]
    assert rig.open_orders() == set()
    check_told(rig, pair)


def test_4_a_pair_of_buys_fills_by_one_alone(rig: ContractRig) -> None:
    pair = resting(rig, Side.BUY, 10_150, 9_950)
    rig.take(Side.SELL, 1_000)
    rig.settle()
    assert lasts(rig, pair) == [S.EXPIRED, S.FILLED]
    rig.take(Side.BUY, 6_000)
    rig.settle()
    assert [filled(rig, one) for one in pair.ids] == [0, 1_000]
    check_told(rig, pair)


@pytest.mark.parametrize("sides", [(Side.BUY, Side.SELL), (Side.SELL, Side.BUY)])
def test_4_a_market_that_goes_through_both_prices_fills_one_of_a_pair(
    rig: ContractRig, sides: tuple[Side, Side]
) -> None:
    pair = resting(rig)
    for side in sides:
        rig.take(side, 6_000)
    rig.settle()
    assert sorted(filled(rig, one) for one in pair.ids) == [0, 1_000]
    assert set(lasts(rig, pair)) == {S.FILLED, S.EXPIRED}
    check_told(rig, pair)


@pytest.mark.parametrize("which", [0, 1])
def test_4_the_cancel_of_either_of_a_pair_is_told_as_the_end_of_both(rig: ContractRig, which: int) -> None:
    pair = resting(rig)
    rig.cancel(pair.ids[which])
    assert lasts(rig, pair) == [S.CANCELLED, S.CANCELLED]
    assert rig.open_orders() == set()
    rig.take(Side.SELL, 6_000)
    rig.settle()
    assert rig.fills() == []
    check_told(rig, pair)


def test_4_what_is_left_of_the_limit_is_cancelled_alone_once_the_stop_has_ended(rig: ContractRig) -> None:
    pair = resting(rig)
    rig.take(Side.BUY, 400)
    rig.settle()
    rig.cancel(pair.limit.order_id)
    assert lasts(rig, pair) == [S.EXPIRED, S.CANCELLED]
    assert filled(rig, pair.limit.order_id) == 400
    check_told(rig, pair)


# --- the permit -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("parked", [False, True])
def test_4_neither_of_a_pair_leaves_once_the_permit_is_closed(rig: ContractRig, parked: bool) -> None:
    rig.require("oco")
    rig.connect()
    pair = made(rig)
    if parked:
        with rig.held():
            rig.adapter.send_pair(*pair)
            rig.permit.close("kill switch")
    else:
        rig.permit.close("kill switch")
        rig.adapter.send_pair(*pair)
    rig.settle()
    rig.permit.allow(GateState.ACTIVE)
    rig.advance(2)
    for order_id in pair.ids:
        (told,) = rig.heard.reports(order_id)
        assert (told.status, told.rule) == (S.DENIED, "send_permit")
        assert "kill switch" in told.reason
    assert rig.received() == []


@pytest.mark.parametrize(("stop_reduces", "limit_reduces"), [(True, True), (True, False), (False, True)])
def test_4_a_pair_passes_while_only_reducing_is_allowed_when_both_reduce(
    rig: ContractRig, stop_reduces: bool, limit_reduces: bool
) -> None:
    rig.require("oco")
    rig.connect()
    rig.permit.allow(GateState.REDUCING, "loss limit")
    pair = made(rig)
    stop = msgspec.structs.replace(pair.stop, reduces=stop_reduces)
    limit = msgspec.structs.replace(pair.limit, reduces=limit_reduces)
    sent(rig, Pair(stop, limit))
    passes = stop_reduces and limit_reduces
    assert lasts(rig, pair) == [S.ACCEPTED if passes else S.DENIED] * 2
    assert sorted(rig.received()) == sorted(pair.ids) * passes


# --- the link -------------------------------------------------------------------------------------------------------


def test_4_sending_a_pair_returns_while_the_venue_does_not_answer(rig: ContractRig) -> None:
    rig.require("oco")
    rig.connect()
    before = len(rig.heard)
    pair = made(rig)
    with rig.held():
        assert rig.returns(lambda: rig.adapter.send_pair(*pair))
        assert rig.heard.events(before) == []
    rig.settle()
    assert lasts(rig, pair) == [S.ACCEPTED, S.ACCEPTED]


def _never(_rig: ContractRig) -> None:
    """Leave it as it was made."""


def _closed(rig: ContractRig) -> None:
    rig.connect()
    rig.adapter.close()


def _lost(rig: ContractRig) -> None:
    rig.connect()
    rig.lose_link("cable pulled")


@pytest.mark.parametrize("state", [_never, _closed, _lost])
def test_4_a_pair_sent_without_a_connection_is_denied_for_both_and_does_not_leave_later(
    rig: ContractRig, state: Callable[[ContractRig], None]
) -> None:
    state(rig)
    pair = sent(rig, made(rig))
    rule = "not_connected" if rig.capabilities.oco else "no_oco"
    assert [(told.status, told.rule) for one in pair.ids for told in rig.heard.reports(one)] == [(S.DENIED, rule)] * 2
    rig.restore_link()
    rig.advance(2)
    assert rig.received() == []


def test_4_what_became_of_a_pair_while_the_link_was_lost_is_told_by_each_id_when_asked(rig: ContractRig) -> None:
    pair = resting(rig)
    rig.lose_link("cable pulled")
    rig.take(Side.SELL, 6_000)
    rig.restore_link()
    for order_id in pair.ids:
        rig.adapter.query_order(order_id, rig.spot.instrument_id)
    rig.settle()
    assert lasts(rig, pair) == [S.FILLED, S.EXPIRED]
    assert {order_id for _, order_id, _, _ in rig.fills()} == {pair.stop.order_id}


def test_4_a_pair_of_an_earlier_run_is_found_by_each_id_and_one_that_never_left_is_denied(rig: ContractRig) -> None:
    pair = resting(rig)
    rig.adapter.close()
    rig.take(Side.SELL, 6_000)
    adapter = rig.new_adapter()
    rig.connect()
    absent, before, since_ns = made(rig), len(rig.heard), rig.clock.now_ns()
    for order in (*pair, *absent):
        adapter.recover_order(order, since_ns)
    rig.settle()
    rig.advance(rig.capabilities.unknown_bound_s + 40)
    told = {order.order_id: order.status for order in rig.heard.of(OrderData, before)}
    assert [told[one] for one in pair.ids] == [S.FILLED, S.EXPIRED]
    assert [told[one] for one in absent.ids] == [S.DENIED, S.DENIED]
    sent(rig, pair)
    assert sorted(rig.received()) == sorted(pair.ids)


def test_4_a_pair_without_an_answer_is_unknown_for_both_until_each_is_found(rig: ContractRig) -> None:
    rig.require("oco")
    rig.require("network")
    rig.connect()
    with rig.silence():
        pair = made(rig)
        rig.adapter.send_pair(*pair)
        rig.advance(60)
        assert lasts(rig, pair) == [S.UNKNOWN, S.UNKNOWN]
    rig.restore_link(60)
    assert lasts(rig, pair) == [S.ACCEPTED, S.ACCEPTED]
    assert sorted(rig.received()) == sorted(pair.ids)
