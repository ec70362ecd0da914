"""Protections over a crash: what was written down stands again before anything else is sent."""

import pytest

from foxtrot.core.notices import AccountReconciled, ProtectionChanged
from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.errors import ConfigError
from foxtrot.storage.journal_records import ProtectionKept, decode_record
from foxtrot.trading.protection_state import ProtectionTerms, decode_protection
from tests.support.builders import ACCOUNT, OWNER, T0, a_request, an_order
from tests.support.protection_world import KEY, ProtectionWorld


def a_protected_position(**terms: float) -> ProtectionWorld:
    """Ten lots bought at 100, their stop at 95 accepted by the venue."""
    world = ProtectionWorld()
    entry = world.enter(**terms)
    world.accept(world.orders[entry])
    world.fill(world.orders[entry], 10)
    while world.mail:
        world.deliver()
    for one in world.closing:
        world.accept(one)
    while world.mail:
        world.deliver()
    return world


def kept(world: ProtectionWorld) -> list[ProtectionKept]:
    return [r for r in map(decode_record, world.lines) if isinstance(r, ProtectionKept)]


@pytest.mark.parametrize("torn", [False, True])
def test_the_stop_at_the_venue_stays_and_is_the_protections_own_again(torn: bool) -> None:
    world = a_protected_position(take=110.0)
    (stop,) = world.closing
    world.crash(torn=torn)
    assert world.closing == [stop]
    assert world.protections.view(KEY).order_ids == (stop.order.order_id,)  # type: ignore[union-attr]
    world.quote(110.5)
    world.settle()
    assert world.position == 0
    assert stop.status is OrderStatus.CANCELLED
    world.check_settled()


def test_a_local_stop_is_watched_again() -> None:
    world = a_protected_position()
    world.protections.protect(KEY, ProtectionTerms(stop=96.0, local=True))
    world.settle()
    assert world.closing == []
    world.crash(torn=False)
    assert world.protections.cover(KEY).protection == "while this process lives"
    world.quote(95.5)
    world.settle()
    assert world.position == 0
    world.check_settled()


def test_a_trailing_stop_keeps_its_water_mark() -> None:
    world = a_protected_position()
    world.protections.protect(KEY, ProtectionTerms(trailing=5.0, local=True))
    world.settle()
    world.quote(104.0)
    world.pass_s(2.0)
    world.quote(106.0)
    world.crash(torn=False)
    assert world.protections.view(KEY).trailing_stop == 101.1  # type: ignore[union-attr]


def test_a_water_mark_is_written_down_once_a_second_at_most() -> None:
    world = a_protected_position()
    world.protections.protect(KEY, ProtectionTerms(trailing=5.0, local=True))
    world.settle()
    before = len(kept(world))
    for step in range(50):
        world.quote(104.0 + step / 10)
        world.pass_s(0.05)
    assert 1 <= len(kept(world)) - before <= 4


def test_a_take_profit_that_died_between_its_two_orders_leaves_the_stop_armed() -> None:
    world = a_protected_position(take=110.0)
    (stop,) = world.closing
    world.quote(110.5)
    assert stop.cancel_wanted
    world.end(stop)  # the venue has cancelled, and nobody heard it
    world.crash(torn=False)
    world.settle()
    (again,) = world.closing
    assert (again.order.order_type, again.left) == (OrderType.STOP, 10)
    world.check_settled()


def test_a_closing_order_that_was_sent_is_waited_for_and_not_sent_twice() -> None:
    world = a_protected_position()
    world.protections.close(KEY)
    (stop,) = world.closing
    world.collect()
    world.end(stop)
    world.deliver()
    sent = [one for one in world.orders.values() if one.order.order_type is OrderType.MARKET]
    assert len(sent) == 1
    world.crash(torn=True)
    world.settle()
    assert [one.order.order_type for one in world.orders.values()].count(OrderType.MARKET) == 1
    assert world.position == 0


def test_a_position_that_became_flat_meanwhile_leaves_nothing() -> None:
    world = a_protected_position()
    (stop,) = world.closing
    world.fill(stop, 10)
    world.crash(torn=False)
    world.check_settled()
    assert kept(world)[-1].state == ""


def test_an_entry_that_waited_keeps_its_protection() -> None:
    world = ProtectionWorld()
    entry = world.enter()
    world.crash(torn=True)
    world.fill(world.orders[entry], 4)
    world.settle()
    world.check_settled()
    assert world.position == 4


@pytest.mark.parametrize("lots", [0, 10])
def test_a_second_entry_that_was_sent_and_never_named_is_protected_though_all_else_is_over_before_it_fills(
    lots: int,
) -> None:
    world = ProtectionWorld()
    first = world.orders[world.enter()]
    world.fill(first, lots)
    world.settle()
    world.quote(100.0)
    second = world.orders[world.enter(take=110.0)]
    world.crash(torn=True)
    for stop in world.closing:
        world.fill(stop, lots)
    world.end(first)
    world.settle()
    assert world.position == 0
    world.fill(second, 4)
    world.settle()
    assert world.position == 4
    world.check_settled()


def test_an_entry_that_was_named_leaves_none_to_be_looked_for() -> None:
    world = ProtectionWorld()
    entry = world.orders[world.enter()]
    world.fill(entry, 10)
    world.settle()
    assert [decode_protection(record.state).enters for record in kept(world)][:2] == [True, False]
    world.quote(100.0)
    desk = world.floor.desk
    alone = desk.submit(a_request(price=99.0), OWNER)
    world.collect()
    world.crash(torn=False)
    for stop in world.closing:
        world.fill(stop, 10)
    world.settle()
    assert world.orders[alone].left
    assert world.protections.view(KEY) is None


def test_it_is_armed_when_its_account_is_reconciled_and_says_so_until_then() -> None:
    world = a_protected_position()
    records = kept(world)
    world.end(world.closing[0])
    world.crash(torn=False)
    world.protections.release()
    world.protections.restore([records[-1]])
    assert "armed again once the account is reconciled" in world.protections.cover(KEY).reason
    world.floor.put(AccountReconciled(ACCOUNT, "start", 0, "no answer", T0))
    assert world.protections.view(KEY) is None
    world.floor.put(AccountReconciled(ACCOUNT, "start", 0, "", T0))
    assert world.protections.view(KEY) is not None


def test_without_us_counts_what_rests_at_the_venue_alone() -> None:
    world = a_protected_position()
    assert world.protections.cover_without_us(KEY).protection == "at the venue"
    world.protections.protect(KEY, ProtectionTerms(stop=96.0, local=True))
    world.settle()
    assert world.protections.cover_without_us(KEY).protection == "naked"
    assert "armed again at the next start" in world.protections.cover_without_us(KEY).reason


def test_a_refused_stop_is_tried_closer_to_the_market_then_alarmed_then_tried_again() -> None:
    world = ProtectionWorld()
    entry = world.enter()
    world.fill(world.orders[entry], 10)
    while world.mail:
        world.deliver()
    for _ in range(4):
        (stop,) = world.closing
        world.reject(stop)
        world.deliver()
        world.pass_s(0.3)
    triggers = [one.order.trigger_units for one in world.orders.values()][1:]
    assert triggers == [950, 950, 951, 952]
    told = [n for n in world.floor.heard(ProtectionChanged) if n.protection == "naked"]  # type: ignore[attr-defined]
    assert told[-1].reason == "rejected"
    assert world.closing == []
    world.pass_s(31.0)
    assert [one.order.trigger_units for one in world.closing] == [953]


def test_a_record_that_cannot_be_read_is_named() -> None:
    with pytest.raises(ConfigError, match=r"cannot be read.*nonsense"):
        decode_protection("nonsense")
    world = ProtectionWorld()
    with pytest.raises(ConfigError):
        world.protections.restore([ProtectionKept(T0, "a", OWNER, ACCOUNT, "x", "{}")])


def test_a_moved_stop_whose_cancel_was_lost_is_moved_in_the_end() -> None:
    world = a_protected_position()
    (stop,) = world.closing
    world.protections.protect(KEY, ProtectionTerms(stop=96.0))
    world.collect()
    stop.cancel_wanted = False  # it never arrived
    world.floor.put(AccountReconciled(ACCOUNT, "orders", 0, "", T0))
    world.collect()
    assert stop.cancel_wanted
    world.settle()
    assert [one.order.trigger_units for one in world.closing] == [960]


def test_a_fill_after_the_end_of_its_entry_is_protected_by_the_terms_it_had() -> None:
    world = ProtectionWorld()
    entry = world.enter(take=110.0)
    one = world.orders[entry]
    world.floor.put(an_order(entry, OrderStatus.CANCELLED))
    assert world.protections.view(KEY) is None
    world.fill(one, 4)
    world.settle()
    world.check_settled()
    assert world.position == 4
    assert world.protections.view(KEY).terms == ProtectionTerms(95.0, 110.0)  # type: ignore[union-attr]


@pytest.mark.parametrize("status", [OrderStatus.REJECTED, OrderStatus.CANCELLED])
def test_a_take_profit_that_comes_to_nothing_lets_the_stop_back_at_once(status: OrderStatus) -> None:
    world = a_protected_position(take=110.0)
    (stop,) = world.closing
    world.quote(110.5)
    world.end(stop)
    world.deliver()
    (taking,) = world.closing
    assert taking.order.order_type is OrderType.LIMIT
    taking.status = status
    world.mail.append(world.report(taking))
    world.deliver()
    assert [one.order.order_type for one in world.closing] == [OrderType.STOP]
    world.quote(110.5)
    assert [one.cancel_wanted for one in world.closing] == [False]  # not again at the same moment
    world.pass_s(1.1)
    world.quote(110.6)
    assert [one.cancel_wanted for one in world.closing] == [True]


def test_a_stop_that_is_taken_and_ended_at_once_counts_as_refused() -> None:
    world = a_protected_position()
    for _ in range(4):
        (stop,) = world.closing
        world.accept(stop)
        world.end(stop)
        while world.mail:
            world.deliver()
        world.pass_s(0.3)
    assert world.closing == []
    assert world.protections.cover(KEY).protection == "naked"
    world.pass_s(31.0)
    assert len(world.closing) == 1
