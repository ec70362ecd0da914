"""Protections over a venue that keeps pairs and does not do as it is told: it refuses, it is faster than a cancel, others cancel."""

import pytest

from foxtrot.core.notices import AccountReconciled, StrategyLog
from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.trading.protection_state import ProtectionTerms
from tests.support.builders import ACCOUNT, T0
from tests.support.pair_world import PairWorld
from tests.support.protection_world import AtVenue

S = OrderStatus


def tell_all(world: PairWorld) -> None:
    while world.mail:
        world.deliver()


def a_bracket() -> tuple[PairWorld, AtVenue, AtVenue]:
    """Ten lots bought at 100, with a stop at 95 and a take-profit at 110 that the venue has accepted."""
    world = PairWorld()
    world.fill(world.orders[world.enter(take=110.0)], 10)
    tell_all(world)
    stop, limit = pair_of(world)
    world.accept(stop)
    tell_all(world)
    return world, stop, limit


def pair_of(world: PairWorld) -> tuple[AtVenue, AtVenue]:
    """The one pair that may close the position, and nothing beside it."""
    (stop,) = [one for one in world.closing if one.order.order_type is OrderType.STOP]
    (limit,) = [one for one in world.closing if one.order.order_type is OrderType.LIMIT]
    assert stop.partner is limit
    assert len(world.closing) == 2
    return stop, limit


def warnings(world: PairWorld) -> list[str]:
    logs = world.floor.heard(StrategyLog)
    return [log.text for log in logs if log.level in ("WARNING", "ERROR")]  # type: ignore[attr-defined]


def sold(world: PairWorld) -> int:
    return sum(one.filled for one in world.orders.values() if one.order.side.sign < 0)


@pytest.mark.parametrize("first", [0, 1])
def test_a_refused_pair_leaves_the_stop_alone_at_once_and_the_take_profit_watched_here(first: int) -> None:
    world = PairWorld()
    world.fill(world.orders[world.enter(take=110.0)], 10)
    tell_all(world)
    world.reject(pair_of(world)[0])
    world.deliver(first)
    tell_all(world)
    (stop,) = world.closing
    assert (stop.order.order_type, stop.partner, stop.lots) == (OrderType.STOP, None, 10)
    (said,) = warnings(world)
    assert "takes no such pair" in said
    world.accept(stop)
    tell_all(world)
    assert world.protections.cover(world.key).protection == "at the venue"
    world.quote(110.5)
    world.settle()
    assert (world.position, sold(world), stop.status) == (0, 10, S.CANCELLED)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("status", [S.EXPIRED, S.DENIED])
def test_a_pair_that_comes_to_nothing_is_not_sent_again_and_again(status: OrderStatus, first: int) -> None:
    world, *pair = a_bracket() if status is S.EXPIRED else (fresh := PairWorld(), *submitted(fresh))
    world.tell(pair[first], status)
    world.pass_s(0.3)  # the news that the end of a stop promises does not come
    world.tell(pair[1 - first], status)
    world.settle()
    (stop,) = world.closing
    assert (stop.partner, stop.lots) == (None, 10)
    assert sum(1 for one in world.orders.values() if one.partner) == 2
    assert len(warnings(world)) == 1
    assert warnings(world)[0].count(str(status)) == 1


def submitted(world: PairWorld) -> tuple[AtVenue, AtVenue]:
    """The pair of ten lots just bought, of which nothing was heard yet."""
    world.fill(world.orders[world.enter(take=110.0)], 10)
    tell_all(world)
    return pair_of(world)


@pytest.mark.parametrize("first", [0, 1])
@pytest.mark.parametrize("rule", ["send_permit", "never_reached_market", "not_connected"])
def test_a_pair_that_never_came_to_its_venue_is_tried_again_as_a_pair_after_a_pause(rule: str, first: int) -> None:
    world = PairWorld()
    pair = submitted(world)
    world.tell(pair[first], S.DENIED, rule)
    world.tell(pair[1 - first], S.DENIED, rule)
    assert world.closing == []
    world.pass_s(0.3)
    again, _ = pair_of(world)
    assert again is not pair[0]
    assert warnings(world) == []
    world.settle()
    world.check_settled()


@pytest.mark.parametrize("first", [0, 1])
def test_a_pair_that_is_refused_while_it_is_to_be_replaced_says_nothing_of_its_successor(first: int) -> None:
    world = PairWorld()
    pair = submitted(world)
    world.protections.protect(world.key, ProtectionTerms(96.0, 110.0))
    world.collect()
    assert pair[0].cancel_wanted
    world.tell(pair[first], S.REJECTED)
    world.tell(pair[1 - first], S.REJECTED)
    again, _ = pair_of(world)
    assert again.order.trigger_units == 960
    assert warnings(world) == []


def test_other_terms_are_tried_as_a_pair_after_one_was_refused() -> None:
    world = PairWorld()
    world.fill(world.orders[world.enter(take=110.0)], 10)
    tell_all(world)
    world.reject(pair_of(world)[0])
    world.settle()
    assert [one.partner for one in world.closing] == [None]
    world.quote(100.0)
    world.protections.protect(world.key, ProtectionTerms(95.0, 120.0))
    world.settle()
    assert pair_of(world)[1].order.price_units == 1200


@pytest.mark.parametrize("which", [0, 1])
def test_a_stop_that_triggers_while_its_cancel_is_on_the_way_sells_once(which: int) -> None:
    """Both are asked to end for the position to be closed; the venue had triggered the stop before."""
    world, stop, limit = a_bracket()
    assert world.protections.close(world.key)
    world.collect()
    assert stop.cancel_wanted
    world.trigger(stop)
    world.deliver(which)
    world.check_never_too_much()
    world.fill(stop, 10)
    tell_all(world)
    world.settle()
    assert (world.position, sold(world), limit.status) == (0, 10, S.EXPIRED)
    world.check_settled()


def test_a_take_profit_that_fills_while_its_cancel_is_on_the_way_leaves_the_rest_to_be_sold_once() -> None:
    world, stop, limit = a_bracket()
    assert world.protections.close(world.key)
    world.collect()
    world.fill(limit, 4)
    while world.mail:
        world.deliver(1)
        world.check_never_too_much()
    assert limit.cancel_wanted  # its own cancel is asked for, for the stop's has ended nothing
    world.settle()
    assert (world.position, sold(world), stop.status) == (0, 10, S.EXPIRED)


def test_a_moved_stop_that_triggers_before_its_cancel_comes_leaves_nothing_more_than_the_rest() -> None:
    world, stop, _ = a_bracket()
    world.protections.protect(world.key, ProtectionTerms(96.0, 110.0))
    world.collect()
    world.fill(stop, 6)
    world.end(stop)  # what the triggered stop did not sell is cancelled
    while world.mail:
        world.deliver(2)
        world.check_never_too_much()
    world.settle()
    again, target = pair_of(world)
    assert (world.position, again.lots, target.lots) == (4, 4, 4)
    assert again.order.trigger_units == 960


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("told_first", [0, 1])
def test_what_somebody_cancels_of_a_pair_is_protected_again_whichever_end_is_told_first(
    which: int, told_first: int
) -> None:
    world, *pair = a_bracket()
    world.end(pair[which])
    world.deliver(told_first)
    world.check_never_too_much()
    tell_all(world)
    assert sum(one.left for one in world.closing if one.order.order_type is OrderType.STOP) == 10
    world.settle()
    world.check_settled()


def test_a_part_of_the_take_profit_leaves_a_new_pair_of_the_rest_once_it_is_withdrawn() -> None:
    world, stop, limit = a_bracket()
    world.fill(limit, 4)
    tell_all(world)
    assert stop.status is S.EXPIRED
    assert limit.cancel_wanted
    assert world.closing == [limit]  # nothing is placed beside it before it has ended
    world.end(limit)
    tell_all(world)
    again, target = pair_of(world)
    assert (again.lots, target.lots) == (6, 6)
    assert warnings(world) == []


def test_a_pair_that_never_left_is_sent_anew_as_a_pair_after_the_restart() -> None:
    world = PairWorld()
    world.fill(world.orders[world.enter(take=110.0)], 10)
    tell_all(world)
    gone = pair_of(world)
    world.crash(torn=True)
    assert all(one.order.order_id not in world.orders for one in gone)
    world.quote(100.0)
    world.pass_s(1.0)
    world.floor.put(AccountReconciled(ACCOUNT, "start", 0, "", T0))
    world.settle()
    pair_of(world)
    world.check_settled()


def test_a_restart_keeps_a_pair_that_rests_and_names_both_its_own() -> None:
    world, stop, limit = a_bracket()
    world.crash(torn=False)
    assert pair_of(world) == (stop, limit)
    view = world.protections.view(world.key)
    assert view is not None
    assert set(view.order_ids) == {stop.order.order_id, limit.order.order_id}
    assert view.protection == "at the venue"
    world.fill(limit, 10)
    tell_all(world)
    assert world.protections.view(world.key) is None
    assert sold(world) == 10


def test_a_pair_that_a_crash_left_unnamed_is_the_protections_own_in_both_its_orders() -> None:
    world, stop, limit = a_bracket()
    world.crash(torn=True)
    world.quote(100.0)
    world.settle()
    assert pair_of(world) == (stop, limit)
    assert not stop.cancel_wanted
    view = world.protections.view(world.key)
    assert view is not None
    assert set(view.order_ids) == {stop.order.order_id, limit.order.order_id}
    world.fill(limit, 4)
    world.settle()
    again, target = pair_of(world)
    assert (again.lots, target.lots) == (6, 6)
