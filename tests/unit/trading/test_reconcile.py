"""Reconciliation of an account: when it runs, what it keeps back, what it learns and what it does about a difference."""

from decimal import Decimal

import pytest

from foxtrot.core.commands import ReconcileNow, SettleDifference
from foxtrot.core.notices import (
    AccountAdjusted,
    AccountReconciled,
    DifferenceFound,
    OpenOrdersLoaded,
    OrderChanged,
    PositionsLoaded,
    RequestFailed,
    TimerFired,
    TradeBooked,
    TradesLoaded,
)
from foxtrot.domain.account import EXTERNAL, AccountCharge, AccountData
from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.exchange.commands import SetMarkPrice
from foxtrot.storage.journal_records import Adjusted, DifferenceSettled
from foxtrot.trading.reconcile_runs import DEADLINE_NS
from tests.support.builders import a_perpetual, a_spot, changed
from tests.support.reconcile_rig import ACCOUNT, OWNER, ReconcileRig

PERP, SPOT = a_perpetual(), a_spot()
BUY, SELL = Side.BUY, Side.SELL


@pytest.fixture
def rig() -> ReconcileRig:
    return ReconcileRig(PERP)


@pytest.fixture
def spot() -> ReconcileRig:
    return ReconcileRig(SPOT)


def lose(rig: ReconcileRig, *kinds: type) -> None:
    """Let the link lose events of some kinds from now on."""
    rig.link.fate = lambda event: 0 if isinstance(event, kinds) else 1


def heal(rig: ReconcileRig) -> None:
    rig.link.fate = lambda _event: 1


# --- when -----------------------------------------------------------------------------------------------------------


def test_who_asks_again_for_the_same_cause_gives_up_nothing_that_runs(rig: ReconcileRig) -> None:
    rig.link.deaf = (PositionsLoaded,)
    rig.put(ReconcileNow("", "a lapse"))
    for _ in range(5):
        rig.wait(5.0)
        rig.put(ReconcileNow("", "a lapse", again=True))
    assert rig.told(AccountReconciled)[-1].cause != "a lapse"
    rig.wait(DEADLINE_NS / 1e9 - 24.0)
    ended = rig.told(AccountReconciled)[-1]
    assert (ended.cause, "no answer in time" in ended.error) == ("a lapse", True)


def test_no_order_leaves_before_the_first_run_is_complete() -> None:
    rig = ReconcileRig(PERP, connect=False)
    assert rig.blocked() == "not reconciled yet"
    rig.link.deaf = (PositionsLoaded,)
    rig.connect()
    order = rig.order(BUY, 1.0, 99.0)
    assert (order.status, order.rule) == (OrderStatus.DENIED, "gate")
    assert not rig.reconciler.is_reconciled(ACCOUNT)
    rig.link.deaf = ()
    rig.wait(DEADLINE_NS / 1e9 + 2)
    first, second = rig.told(AccountReconciled)
    assert first.error == "no answer in time for positions"
    assert (second.cause, second.error, second.differences) == ("another attempt", "", 0)
    assert rig.blocked() == ""
    assert rig.order(BUY, 1.0, 99.0).status is OrderStatus.ACCEPTED


def test_the_log_in_itself_is_the_first_look(rig: ReconcileRig) -> None:
    (ended,) = rig.told(AccountReconciled)
    assert (ended.cause, ended.error) == ("start", "")
    assert rig.reconciler.is_reconciled(ACCOUNT)


def test_a_lost_link_blocks_until_the_next_complete_run(rig: ReconcileRig) -> None:
    rig.adapter.drop_link("cable pulled", 5.0)
    rig.settle()
    assert "cable pulled" in rig.blocked()
    assert rig.order(BUY, 1.0, 99.0).status is OrderStatus.DENIED
    rig.wait(6)
    assert rig.told(AccountReconciled)[-1].cause == "reconnect"
    assert rig.blocked() == ""


def test_a_cancel_passes_while_the_account_is_not_reconciled(rig: ReconcileRig) -> None:
    order = rig.order(BUY, 1.0, 90.0)
    rig.link.deaf = (PositionsLoaded,)
    rig.adapter.drop_link("cable pulled", 0.0)
    rig.wait(1)
    assert rig.blocked()
    assert rig.line.desk.cancel(order.order_id)
    rig.settle()
    assert rig.line.desk.order(order.order_id).status is OrderStatus.CANCELLED  # type: ignore[union-attr]


def test_it_looks_at_orders_and_less_often_at_money_by_itself() -> None:
    rig = ReconcileRig(PERP, enabled=True)
    rig.events.clear()
    rig.wait(61)
    asked = [type(event) for event in rig.events if isinstance(event, OpenOrdersLoaded | PositionsLoaded)]
    assert (asked.count(OpenOrdersLoaded), asked.count(PositionsLoaded)) == (6, 2)
    assert {ended.cause for ended in rig.told(AccountReconciled)} == {"regular"}


def test_fills_are_asked_for_last_so_that_whatever_the_other_answers_count_is_told_by_them(rig: ReconcileRig) -> None:
    rig.events.clear()
    rig.reconcile()
    asked = [
        type(e) for e in rig.events if isinstance(e, OpenOrdersLoaded | PositionsLoaded | AccountData | TradesLoaded)
    ]
    assert asked == [OpenOrdersLoaded, PositionsLoaded, AccountData, TradesLoaded]


def test_a_venue_whose_limits_are_mostly_spent_is_asked_less_often_but_not_never() -> None:
    rig = ReconcileRig(PERP, enabled=True)
    rig.adapter.capabilities = changed(rig.adapter.capabilities, network=True, weight_per_minute=100.0)  # type: ignore[assignment]
    rig.adapter.link.used_weight = 90
    rig.events.clear()
    rig.wait(85)
    assert len(rig.told(AccountReconciled)) == 2


# --- orders ---------------------------------------------------------------------------------------------------------


def test_an_order_that_ended_unheard_is_asked_for_singly(rig: ReconcileRig) -> None:
    order = rig.order(BUY, 1.0, 90.0)
    lose(rig, OrderData)
    rig.cancel_elsewhere(order)
    heal(rig)
    rig.reconcile()
    assert rig.line.desk.order(order.order_id).status is OrderStatus.CANCELLED  # type: ignore[union-attr]
    assert rig.differences() == []


def test_an_order_of_which_the_venue_knows_nothing_ends_with_a_name(rig: ReconcileRig) -> None:
    order = rig.order(BUY, 1.0, 90.0)
    rig.cancel_elsewhere(order)
    ghost = OrderData(
        "F-manual-0000000009-1", ACCOUNT, PERP.instrument_id, BUY, order.order_type, 1.0, 90.0, OrderStatus.ACCEPTED, 0.0, 0.0,
        "77", rig.clock.now_ns(), rig.clock.now_ns(),
    )  # fmt: skip
    rig.put(ghost)
    assert rig.line.desk.open_count == 1
    assert rig.reconcile().error == ""
    ended = rig.line.desk.order(ghost.order_id)
    assert ended is not None
    assert (ended.status, ended.rule) == (OrderStatus.EXPIRED, "forgotten_by_venue")
    (told,) = rig.told(AccountAdjusted)
    assert (told.cause, told.what) == ("forgotten_by_venue", f"order {ghost.order_id} has ended")


def test_somebody_elses_order_is_adopted_and_left_alone(rig: ReconcileRig) -> None:
    lose(rig, OrderData)
    name = rig.elsewhere(BUY, 1.0, 90.0)
    heal(rig)
    rig.reconcile()
    (record,) = rig.line.desk.open_records(account=ACCOUNT)
    assert (record.terms.order_id, record.owner) == (name, EXTERNAL)
    rig.line.desk.cancel_all()
    rig.settle()
    assert rig.line.desk.open_count == 1
    assert rig.differences() == []


def test_an_order_that_could_not_be_counted_blocks_until_it_is_gone_and_all_agrees(rig: ReconcileRig) -> None:
    order = rig.order(BUY, 1.0, 90.0)
    rig.put(changed(order, order_id="web_9", instrument_id="nowhere", status=OrderStatus.ACCEPTED))
    assert rig.line.gate.blocked(ACCOUNT, "") is not None
    rig.reconcile()
    assert rig.line.gate.blocked(ACCOUNT, "") is None


# --- fills ----------------------------------------------------------------------------------------------------------


def test_a_lost_fill_is_booked_for_its_owner_and_counts_once(rig: ReconcileRig) -> None:
    lose(rig, TradeData)
    rig.order(BUY, 1.0)
    heal(rig)
    assert rig.differences()
    assert rig.reconcile().differences == 0
    assert rig.differences() == []
    held = rig.line.portfolio.position(OWNER, ACCOUNT, PERP.instrument_id)
    assert held is not None
    assert held.quantity == 1000
    for event in rig.link.lost:
        rig.put(event)
    assert held.quantity == 1000
    assert rig.told(DifferenceFound) == []


def test_a_fill_whose_order_was_never_heard_of_goes_to_the_owner_by_its_id(rig: ReconcileRig) -> None:
    rig.line.desk.strategy_ids.add("alpha")
    lose(rig, OrderData, TradeData)
    rig.order(BUY, 1.0, owner="alpha")
    rig.reconcile()
    assert rig.differences() == []
    (booked,) = rig.told(TradeBooked)
    assert booked.strategy_id == "alpha"


def test_running_it_twice_changes_nothing(rig: ReconcileRig) -> None:
    lose(rig, TradeData, AccountCharge)
    rig.order(BUY, 1.0)
    rig.move_money("USDT", "25")
    rig.reconcile()
    before = len(rig.told(AccountAdjusted)), len(rig.told(TradeBooked)), rig.line.portfolio.balances(ACCOUNT)
    rig.reconcile()
    assert (len(rig.told(AccountAdjusted)), len(rig.told(TradeBooked)), rig.line.portfolio.balances(ACCOUNT)) == before


def test_a_liquidation_is_a_fill_of_the_venues_own_order_and_no_difference() -> None:
    contract = a_perpetual(maintenance_margin_rate=Decimal("0.05"))
    rig = ReconcileRig(contract)
    rig.order(BUY, 1.0)
    total = rig.session.venue.balances(ACCOUNT)["USDT"][0]
    rig.move_money("USDT", f"-{total - 30}")
    lose(rig, OrderData, TradeData, AccountCharge)
    rig.execute(SetMarkPrice(rig.clock.now_ns(), contract.instrument_id, contract.price_units(65.0)))
    rig.wait(1)
    heal(rig)
    assert rig.reconcile().differences == 0
    assert rig.differences() == []
    booked = rig.told(TradeBooked)[-1]
    assert (booked.strategy_id, booked.trade.order_id.partition("-")[0]) == (EXTERNAL, "liquidation")
    net = rig.line.portfolio.net_position(ACCOUNT, contract.instrument_id)
    assert net is not None
    assert net.quantity == 0


# --- balances -------------------------------------------------------------------------------------------------------


def test_money_that_moved_unheard_is_named_adjusted_for_nobody_of_ours_and_halts_nothing(rig: ReconcileRig) -> None:
    lose(rig, AccountCharge)
    rig.move_money("USDT", "25")
    heal(rig)
    ended = rig.reconcile()
    assert (ended.error, ended.differences) == ("", 0)
    (told,) = rig.told(AccountAdjusted)
    assert (told.what, told.who) == ("25 USDT", "reconcile")
    assert told.cause == "balance moved outside: unexplained by fills"
    (record,) = [one for one in rig.line.journal.records if isinstance(one, Adjusted)]  # type: ignore[attr-defined]
    assert (record.adjustment_id, record.owner, record.amount) == (told.adjustment_id, EXTERNAL, Decimal(25))
    assert rig.differences() == []
    assert not rig.told(TradeBooked)
    assert rig.order(BUY, 1.0).status is OrderStatus.FILLED


def test_the_same_money_may_move_in_and_out_and_in_again(rig: ReconcileRig) -> None:
    lose(rig, AccountCharge)
    for amount in ("25", "-25", "25"):
        rig.move_money("USDT", amount)
        rig.reconcile()
        assert rig.differences() == []
    told = rig.told(AccountAdjusted)
    assert [one.what for one in told] == ["25 USDT", "-25 USDT", "25 USDT"]
    assert len({one.adjustment_id for one in told}) == 3


def test_a_charge_that_comes_between_two_looks_needs_no_adjustment(rig: ReconcileRig) -> None:
    rig.link.held = []
    rig.move_money("USDT", "25")
    held, rig.link.held = rig.link.held, None
    rig.dispatcher.set_timer("test", "late charge", 1_000_000_000)
    rig.dispatcher.subscribe(TimerFired, lambda _: rig.link.tell(held), owner="test", key="test")
    rig.reconcile()
    assert rig.told(AccountAdjusted) == []
    assert rig.differences() == []


def test_what_strategies_own_and_the_account_no_longer_holds_halts_its_instrument(spot: ReconcileRig) -> None:
    bought = spot.order(BUY, 2.0)
    assert bought.status is OrderStatus.FILLED
    lose(spot, AccountCharge)
    total = spot.session.venue.balances(ACCOUNT)["BTC"][0]
    spot.move_money("BTC", f"-{total - 1}")
    heal(spot)
    ended = spot.reconcile()
    assert ended.differences == 1
    (found,) = spot.told(DifferenceFound)
    assert (found.kind, found.subject, Decimal(found.ours), Decimal(found.venue)) == ("holding", "BTC", 2, 1)
    assert spot.told(AccountAdjusted) == []
    assert spot.blocked(SPOT)
    assert spot.order(BUY, 1.0).rule == "gate"
    spot.move_money("BTC", "5")
    assert spot.reconcile().differences == 0
    assert spot.blocked(SPOT) == ""


def test_a_holding_may_be_adopted_for_the_strategy_that_no_longer_has_it(spot: ReconcileRig) -> None:
    spot.order(BUY, 2.0)
    lose(spot, AccountCharge)
    total = spot.session.venue.balances(ACCOUNT)["BTC"][0]
    spot.move_money("BTC", f"-{total - 1}")
    heal(spot)
    spot.reconcile()
    (found,) = spot.reconciler.differences()
    spot.put(SettleDifference(found.difference_id, "adopt", "ann", "sold by hand", OWNER))
    held = spot.line.portfolio.position(OWNER, ACCOUNT, SPOT.instrument_id)
    assert held is not None
    assert held.exact_quantity == 1
    assert spot.reconcile().differences == 0
    assert spot.differences() == []
    assert spot.blocked(SPOT) == ""


# --- positions ------------------------------------------------------------------------------------------------------


def displaced(rig: ReconcileRig) -> str:
    """Let our position be another than the venue's without any fill, and return the name of the difference."""
    rig.order(BUY, 1.0)
    rig.line.portfolio.adjust((OWNER, ACCOUNT, PERP.instrument_id, "net"), 500, 500_000)  # type: ignore[arg-type]
    assert rig.reconcile().differences == 1
    (found,) = rig.told(DifferenceFound)
    assert (found.kind, found.subject, found.ours, found.venue, found.halts) == (
        "position", PERP.instrument_id, "1.5", "1", True,
    )  # fmt: skip
    return found.difference_id


def test_an_unexplained_position_halts_its_instrument_alone_and_no_fill_is_invented() -> None:
    other = a_perpetual("ETHUSDT")
    rig = ReconcileRig(PERP, other)
    displaced(rig)
    assert rig.blocked() == ""
    assert "1.5 here, 1 at the venue" in rig.blocked(PERP)
    assert rig.order(SELL, 1.0).rule == "gate"
    assert rig.order(BUY, 1.0, instrument=other).status is OrderStatus.FILLED
    assert len(rig.told(TradeBooked)) == 2


def test_a_difference_is_told_once_though_it_is_found_again(rig: ReconcileRig) -> None:
    displaced(rig)
    assert rig.reconcile().differences == 1
    assert len(rig.told(DifferenceFound)) == 1


def test_a_difference_that_is_gone_lifts_its_block(rig: ReconcileRig) -> None:
    displaced(rig)
    rig.line.portfolio.adjust((OWNER, ACCOUNT, PERP.instrument_id, "net"), -500, -500_000)  # type: ignore[arg-type]
    assert rig.reconcile().differences == 0
    assert rig.blocked(PERP) == ""


@pytest.mark.parametrize("owner", [EXTERNAL, OWNER])
def test_an_adopted_position_is_the_venues_and_lifts_the_block(rig: ReconcileRig, owner: str) -> None:
    name = displaced(rig)
    rig.put(SettleDifference(name, "adopt", "ann", "closed by hand", owner))
    assert rig.reconciler.differences() == ()
    assert rig.blocked(PERP) == ""
    assert rig.differences() == []
    held = rig.line.portfolio.position(owner, ACCOUNT, PERP.instrument_id)
    assert held is not None
    assert held.quantity == (1000 if owner == OWNER else -500)
    settled = [one for one in rig.line.journal.records if isinstance(one, DifferenceSettled)]  # type: ignore[attr-defined]
    assert [(one.decision, one.who, one.why) for one in settled] == [("adopt", "ann", "closed by hand")]
    (record,) = [one for one in rig.line.journal.records if isinstance(one, Adjusted)]  # type: ignore[attr-defined]
    assert (record.owner, record.quantity_units, record.who) == (owner, -500, "ann")
    assert rig.reconcile().differences == 0


def test_an_ignored_difference_is_not_told_again_while_it_stays_the_same(rig: ReconcileRig) -> None:
    name = displaced(rig)
    rig.put(SettleDifference(name, "ignore", "ann", "a known hedge"))
    assert rig.blocked(PERP) == ""
    rig.order(BUY, 1.0)
    assert rig.reconcile().differences == 0
    assert len(rig.told(DifferenceFound)) == 1
    rig.line.portfolio.adjust((OWNER, ACCOUNT, PERP.instrument_id, "net"), 1, 1_000)  # type: ignore[arg-type]
    assert rig.reconcile().differences == 1
    assert len(rig.told(DifferenceFound)) == 2


def test_a_decision_about_nothing_is_refused_with_what_there_is(rig: ReconcileRig) -> None:
    name = displaced(rig)
    rig.put(SettleDifference("none_such", "adopt", "ann", ""))
    rig.put(SettleDifference(name, "forget", "ann", ""))
    first, second = rig.told(RequestFailed)
    assert f"there are: {name}" in first.error
    assert "adopt or ignore, not 'forget'" in second.error
    assert rig.blocked(PERP)


def test_strategies_hear_of_an_order_that_ended_unheard(rig: ReconcileRig) -> None:
    order = rig.order(BUY, 1.0, 90.0)
    lose(rig, OrderData)
    rig.cancel_elsewhere(order)
    heal(rig)
    rig.reconcile()
    assert rig.told(OrderChanged)[-1].order.status is OrderStatus.CANCELLED
