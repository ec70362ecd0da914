"""Protections on a real line over a real venue: where each leg rests, how it follows the position, what is said of it."""

import msgspec
import pytest

from foxtrot.core.notices import ProtectionChanged
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, PositionMode, PositionSide, Side
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.order import OrderData
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.settings import ExitPolicy, OrderExit, PositionExit
from tests.support.builders import an_order
from tests.support.instruments import a_perpetual, a_spot
from tests.support.line_rig import LineRig
from tests.support.protection_world import KEY, ProtectionWorld

NET = PositionSide.NET
CASES = pytest.mark.parametrize("instrument", [a_spot(), a_perpetual()], ids=["spot", "perpetual"])


def keeps_pairs(instrument: object) -> bool:
    """Whether the venue keeps stop and take-profit of this instrument as a pair."""
    return instrument == a_spot()


class Trader(Strategy):
    """Does what the test tells it."""


def rig_of(instrument: object, **settings: object) -> tuple[LineRig, Strategy]:
    rig = LineRig(instrument)  # type: ignore[arg-type]
    trader = rig.start(Trader, **settings)
    rig.quote(99.0, 101.0)
    return rig, trader


def stops(trader: Strategy) -> list[OrderData]:
    return [order for order in trader.open_orders() if order.order_type is not OrderType.LIMIT]


def words(rig: LineRig) -> list[str]:
    return [notice.protection for notice in rig.told(ProtectionChanged)]


@CASES
def test_a_bracket_protects_from_the_first_partial_fill_on(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, 100.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    assert stops(trader) == []
    rig.hit(Side.SELL, 0.4, 100.0)
    assert [(o.quantity, o.trigger_price) for o in stops(trader)] == [(0.4, 95.0)]
    rig.hit(Side.SELL, 0.6, 100.0)
    assert sorted((o.quantity, o.trigger_price) for o in stops(trader)) == [(0.4, 95.0), (0.6, 95.0)]
    view = trader.protection()
    assert view is not None
    assert view.protection == "at the venue"
    assert words(rig)[-1] == "at the venue"


@CASES
def test_more_pieces_than_a_venue_bears_are_joined(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, 100.0, stop_loss=95.0)
    for _ in range(5):
        rig.settle()
        rig.hit(Side.SELL, 0.2, 100.0)
    assert len(stops(trader)) <= 3
    assert sum(o.quantity for o in stops(trader)) == pytest.approx(1.0)


@CASES
def test_a_touched_take_profit_sells_and_takes_the_stop_with_it(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    assert trader.position == 1.0
    assert len(stops(trader)) == 1
    rig.quote(110.5, 111.0)
    rig.settle()
    assert trader.position == 0.0
    assert trader.open_orders() == []
    assert trader.protection() is None
    assert words(rig)[-1] == ""
    assert min(order.price for order in rig.told(OrderData) if order.order_type is OrderType.LIMIT) == 110.0


@CASES
def test_a_stop_at_the_venue_ends_the_protection_with_the_position(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    rig.quote(93.0, 96.0)
    rig.trade(94.0)
    rig.settle()
    assert trader.position == 0.0
    assert trader.open_orders() == []
    assert trader.protection() is None


@CASES
def test_a_take_profit_that_finds_too_little_leaves_the_rest_protected(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    rig.quote(110.5, 111.0, size=0.3)
    rig.settle()
    assert trader.position == pytest.approx(0.7)
    assert [o.quantity for o in stops(trader)] == [0.7]
    assert words(rig)[-1] == "at the venue"


@CASES
def test_a_local_stop_is_watched_here_and_sells_at_market(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0)
    rig.settle()
    trader.protect(stop=95.0, local=True)
    rig.settle()
    assert stops(trader) == []
    assert trader.protection().protection == "while this process lives"  # type: ignore[union-attr]
    rig.quote(94.0, 96.0)
    assert trader.position == 1.0  # a wide spread touches nothing
    rig.quote(94.0, 94.9)
    rig.settle()
    assert trader.position == 0.0
    assert trader.protection() is None


@CASES
def test_a_local_trailing_stop_follows_the_best_price(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=90.0, trailing_stop=5.0)
    rig.settle()
    for bid in (103.0, 108.0, 104.0):
        rig.quote(bid, bid + 2.0)
    assert trader.protection().trailing_stop == 103.0  # type: ignore[union-attr]
    assert trader.position == 1.0
    rig.quote(102.5, 102.9)
    rig.settle()
    assert trader.position == 0.0
    assert trader.open_orders() == []


@CASES
def test_a_trailing_stop_alone_rests_at_a_venue_that_has_it(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, trailing_stop=5.0)
    rig.settle()
    assert [o.order_type for o in stops(trader)] == [OrderType.TRAILING_STOP]
    assert trader.protection().protection == "at the venue"  # type: ignore[union-attr]


@CASES
def test_a_take_profit_alone_rests_at_the_venue_and_leaves_the_position_naked(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, take_profit=110.0)
    rig.settle()
    assert [(o.order_type, o.price) for o in trader.open_orders()] == [(OrderType.LIMIT, 110.0)]
    view = trader.protection()
    assert view is not None
    assert (view.protection, view.reason) == ("naked", "it has a take-profit and no stop")


@CASES
def test_a_moved_stop_replaces_the_old_one(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    with pytest.raises(OrderRefused, match=r"take_profit above the stop 95\.0"):
        trader.protect(take_profit=94.0)
    trader.protect(stop=97.0)
    rig.settle()
    assert [(o.quantity, o.trigger_price) for o in stops(trader)] == [(1.0, 97.0)]


@CASES
def test_a_protected_position_is_closed_by_its_protection(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    assert trader.close_position() == ""
    rig.settle()
    assert trader.position == 0.0
    assert trader.open_orders() == []
    assert trader.protection() is None


@CASES
def test_unprotecting_takes_the_orders_away(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    assert trader.unprotect()
    rig.settle()
    assert trader.open_orders() == []
    assert trader.protection() is None
    assert not trader.unprotect()
    assert words(rig)[-1] == "naked"


@CASES
def test_what_the_strategy_cancels_spares_the_protection(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    (stop,) = stops(trader)
    trader.buy(0.5, 90.0)
    rig.settle()
    assert trader.cancel_all() == 1
    assert not trader.cancel(stop.order_id)
    rig.settle()
    assert not trader.is_pending()
    assert [o.order_id for o in trader.open_orders()] == [stop.order_id]


def test_an_exit_of_the_strategy_itself_is_made_room_for() -> None:
    rig, trader = rig_of(a_perpetual())
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    trader.sell(0.4)
    rig.settle()
    assert trader.position == pytest.approx(0.6)
    assert [o.quantity for o in stops(trader)] == [0.6]


@CASES
def test_a_stop_that_somebody_cancels_is_placed_again(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    (stop,) = stops(trader)
    rig.line.desk.cancel(stop.order_id)
    rig.settle()
    rig.wait(1.0)
    (again,) = stops(trader)
    assert again.order_id != stop.order_id
    assert again.quantity == 1.0


@CASES
def test_a_halted_gate_leaves_what_rests_at_the_venue(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    (stop,) = stops(trader)
    rig.line.gate.block("main", "", GateState.HALTED, "a test")
    trader.protect(stop=96.0)
    if not keeps_pairs(instrument):  # where the venue keeps the take-profit too, it does its work there
        rig.quote(110.5, 111.0)
    rig.settle()
    assert [o.order_id for o in stops(trader)] == [stop.order_id]
    assert len(trader.open_orders()) == (2 if keeps_pairs(instrument) else 1)
    assert words(rig)[-1] == "at the venue"
    rig.line.gate.block("main", "", GateState.ACTIVE, "a test")
    rig.settle()
    assert [o.trigger_price for o in stops(trader)] == [96.0]


@CASES
def test_what_a_halted_gate_refuses_is_naked_aloud_and_tried_again_when_it_opens(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0)
    rig.settle()
    rig.line.gate.block("main", "", GateState.HALTED, "a test")
    trader.protect(stop=96.0)
    rig.settle()
    assert (words(rig)[-1], stops(trader)) == ("naked", [])
    assert sum("naked" in line for line in rig.lines()) == 1
    rig.line.gate.block("main", "", GateState.REDUCING, "a test")
    rig.settle()
    assert [o.trigger_price for o in stops(trader)] == [96.0]
    assert words(rig)[-1] == "at the venue"


@CASES
def test_a_stop_that_the_market_has_passed_sells_at_once(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    trader.buy(1.0)
    rig.settle()
    trader.protect(stop=101.0)
    rig.settle()
    assert trader.position == 0.0
    assert trader.protection() is None


@CASES
def test_a_strategy_that_stops_leaves_its_protection(instrument: object) -> None:
    rig, trader = rig_of(instrument, exit_policy=ExitPolicy(orders={"on_stop": OrderExit.CANCEL_ALL}))
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    rig.stop()
    rig.settle()
    assert len(stops(trader)) == 1
    rig.quote(110.5, 111.0)
    rig.settle()
    assert trader.position == 0.0


@CASES
def test_flattening_takes_the_protection_away_first(instrument: object) -> None:
    rig, trader = rig_of(instrument, exit_policy=ExitPolicy(position={"on_stop": PositionExit.FLATTEN}))
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    rig.stop()
    for _ in range(3):
        rig.settle()
    assert trader.position == 0.0
    assert trader.open_orders() == []


def test_a_short_position_is_protected_above() -> None:
    rig, trader = rig_of(a_perpetual())
    trader.short(1.0, stop_loss=105.0, take_profit=90.0)
    rig.settle()
    assert [(o.side, o.trigger_price) for o in stops(trader)] == [(Side.BUY, 105.0)]
    rig.quote(88.0, 89.5)
    rig.settle()
    assert trader.position == 0.0
    assert trader.open_orders() == []


@CASES
def test_a_denied_entry_leaves_no_protection(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    order_id = trader.buy(1e12, 100.0, stop_loss=95.0)
    rig.settle()
    assert trader.order(order_id).status is OrderStatus.DENIED  # type: ignore[union-attr]
    assert trader.protection() is None


@CASES
def test_a_cancelled_entry_leaves_no_protection(instrument: object) -> None:
    rig, trader = rig_of(instrument)
    order_id = trader.buy(1.0, 90.0, stop_loss=85.0)
    rig.settle()
    assert trader.protection() is not None
    trader.cancel(order_id)
    rig.settle()
    assert trader.protection() is None


@CASES
def test_wrong_terms_of_an_entry_are_heard_as_its_refusal(instrument: object) -> None:
    rig, trader = rig_of(instrument)

    def reason(order_id: str) -> str:
        order = trader.order(order_id)
        assert order is not None
        assert order.status is OrderStatus.DENIED
        return order.reason

    assert "a take_profit above the entry at 100.0" in reason(trader.buy(1.0, stop_loss=95.0, take_profit=94.0))
    assert "95.001 is off the grid" in reason(trader.buy(1.0, stop_loss=95.001))
    assert "opens or adds" in reason(trader.sell(1.0, stop_loss=95.0))
    assert "finite" in reason(trader.buy(1.0, stop_loss=float("nan")))
    assert "a stop_loss below the entry at 98.0" in reason(trader.buy(1.0, 98.0, stop_loss=99.0))
    assert "a take_profit above the entry at 98.0" in reason(trader.buy(1.0, 98.0, take_profit=97.0))
    assert "a stop_loss below the entry at 100.0" in reason(trader.buy(1.0, stop_loss=100.0))
    rig.settle()
    assert trader.open_orders() == []
    assert trader.protection() is None
    with pytest.raises(OrderRefused, match="position to protect"):
        trader.protect(stop=95.0)
    with pytest.raises(ConfigError, match="stop_loss must be a number"):
        trader.buy(1.0, stop_loss="95")


def test_an_entry_that_a_stopped_strategy_tries_leaves_no_protection() -> None:
    rig, trader = rig_of(a_spot())
    rig.stop()
    with pytest.raises(OrderRefused, match="stopped"):
        trader.buy(1.0, stop_loss=95.0)
    assert trader.protection() is None


def test_the_two_sides_of_a_hedging_account_are_protected_apart() -> None:
    rig = LineRig(a_perpetual(), mode=PositionMode.HEDGING)
    trader = rig.start(Trader)
    rig.quote(99.0, 101.0)
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    trader.short(0.5, stop_loss=120.0)
    rig.settle()
    assert sorted((o.position_side, o.quantity, o.trigger_price) for o in stops(trader)) == [
        (PositionSide.LONG, 1.0, 95.0),
        (PositionSide.SHORT, 0.5, 120.0),
    ]
    rig.quote(110.5, 111.0)
    rig.settle()
    assert [(o.position_side, o.quantity) for o in stops(trader)] == [(PositionSide.SHORT, 0.5)]
    trader.close_position()
    rig.settle()
    assert trader.open_orders() == []
    assert trader.position == 0.0


def test_an_unknown_stop_is_said_to_be_unknown_and_not_placed_twice() -> None:
    world = ProtectionWorld()
    entry = world.enter()
    world.fill(world.orders[entry], 10)
    while world.mail:
        world.deliver()
    (stop,) = world.closing
    world.floor.put(an_order(stop.order.order_id, OrderStatus.UNKNOWN, side=Side.SELL, order_type=OrderType.STOP))
    world.pass_s(60.0)
    cover = world.protections.cover(KEY)
    assert (cover.protection, cover.reason) == ("naked", "it is unknown what became of its stop")
    assert world.closing == [stop]


def test_a_closing_order_that_would_meet_an_own_entry_takes_that_away() -> None:
    rig, trader = rig_of(a_perpetual())
    trader.buy(1.0)
    trader.buy(1.0, 96.0)
    rig.settle()
    trader.protect(stop=97.0, local=True)
    rig.quote(95.0, 96.9)
    rig.settle()
    rig.wait(0.5)
    assert trader.position == 0.0
    assert trader.open_orders() == []
    assert [order.rule for order in rig.line.desk.denied.values()] == ["self_cross"]


def test_a_trailing_stop_that_the_venue_refuses_trails_here() -> None:
    world = ProtectionWorld()
    entry = world.enter(stop=0.0, trailing=5.0)
    world.fill(world.orders[entry], 10)
    while world.mail:
        world.deliver()
    (trailing,) = world.closing
    assert trailing.order.order_type is OrderType.TRAILING_STOP
    world.reject(trailing)
    world.deliver()
    assert world.protections.cover(KEY).protection == "while this process lives"
    world.quote(103.9)
    assert world.protections.view(KEY).trailing_stop == 98.9  # type: ignore[union-attr]
    world.quote(98.5)
    world.settle()
    assert world.position == 0


@pytest.mark.parametrize(("rule", "moves"), [("outside_session", False), ("venue", True)])
def test_a_stop_that_comes_at_the_wrong_time_is_naked_aloud_and_never_moves(rule: str, moves: bool) -> None:
    """A market that is closed for a night would otherwise bring a stop half-way to the market, one try after another."""
    world = ProtectionWorld()
    world.fill(world.orders[world.enter(stop=95.0)], 10)
    said = set()
    for _ in range(12):
        while world.mail:
            world.deliver()
        for one in world.closing:
            if one.status is OrderStatus.SUBMITTED:
                one.status = OrderStatus.DENIED
                told = msgspec.structs.replace(world.report(one), rule=rule, reason="not now")
                world.floor.put(told)
        said.add(world.protections.cover(KEY).protection)
        world.pass_s(31.0)
    triggers = {one.order.trigger_units for one in world.orders.values() if one.order.order_type is OrderType.STOP}
    assert (len(triggers) > 1) is moves
    assert said == {"naked"}
