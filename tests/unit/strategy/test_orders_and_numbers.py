"""What a strategy can do: the four verbs, cancels, sizes, positions of both sides, prices, logs."""

import pytest

from foxtrot.api import (
    AmendAnswered,
    ConfigError,
    OffGrid,
    OrderRefused,
    OrderStatus,
    OrderType,
    Outcome,
    PositionMode,
    PositionSide,
    Side,
    TradeData,
)
from foxtrot.core.notices import StrategyLog
from tests.support.instruments import a_future, a_perpetual, a_spot
from tests.support.line_rig import LineRig
from tests.support.recording import Recording


def trading(mode: PositionMode = PositionMode.NETTING) -> tuple[LineRig, Recording]:
    rig = LineRig(a_perpetual(), a_spot(), mode=mode)
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording)
    rig.settle()
    assert isinstance(strategy, Recording)
    return rig, strategy


@pytest.mark.parametrize(
    ("verb", "side", "place"),
    [
        ("buy", Side.BUY, PositionSide.LONG),
        ("sell", Side.SELL, PositionSide.LONG),
        ("short", Side.SELL, PositionSide.SHORT),
        ("cover", Side.BUY, PositionSide.SHORT),
    ],
)
def test_each_verb_has_its_side_and_place(verb: str, side: Side, place: PositionSide) -> None:
    for mode, expected in ((PositionMode.NETTING, PositionSide.NET), (PositionMode.HEDGING, place)):
        rig, strategy = trading(mode)
        order = strategy.order(getattr(strategy, verb)(1.0, 50.0 if side is Side.BUY else 150.0))
        assert order is not None
        assert (order.side, order.order_type, order.position_side) == (side, OrderType.LIMIT, expected)
        assert order.strategy_id == "one"
        rig.settle()


def test_a_refusal_is_heard_with_rule_and_reason() -> None:
    _, strategy = trading()
    order_id = strategy.buy(1.0, 90.001)
    rig_order = strategy.order(order_id)
    assert rig_order is not None
    assert (rig_order.status, rig_order.rule) == (OrderStatus.DENIED, "price_grid")
    assert "90.00 or 90.01" in rig_order.reason


def test_it_cancels_its_own_orders_and_nobody_elses() -> None:
    rig, strategy = trading()
    other = rig.start(Recording, "two")
    first, second = strategy.buy(1.0, 90.0), strategy.buy(1.0, 91.0)
    foreign = other.buy(1.0, 92.0)
    rig.settle()
    assert (strategy.cancel(foreign), strategy.cancel("F-none"), strategy.cancel(first)) == (False, False, True)
    rig.settle()
    assert [order.order_id for order in strategy.open_orders()] == [second]
    assert strategy.cancel_all() == 1
    rig.settle()
    assert (strategy.open_orders(), len(other.open_orders()), strategy.cancel(first)) == ([], 1, False)


def amends(strategy: Recording) -> list[AmendAnswered]:
    return [fact for _, fact, _ in strategy.heard if isinstance(fact, AmendAnswered)]


def test_it_changes_its_own_orders_and_nobody_elses() -> None:
    rig, strategy = trading()
    other = rig.start(Recording, "two")
    mine, foreign = strategy.buy(1.0, 90.0), other.buy(1.0, 92.0)
    rig.settle()
    assert (strategy.amend(foreign, price=91.0), strategy.amend("F-none", price=91.0)) == (False, False)
    assert strategy.amend(mine, price=91.0, quantity=2.0)
    rig.settle()
    [order] = strategy.open_orders()
    assert (order.order_id, order.quantity, order.price) == (mine, 2.0, 91.0)
    assert [(one.order_id, one.outcome) for one in amends(strategy)] == [(mine, Outcome.CONFIRMED)]
    assert not strategy.amend(mine, price=91.0)
    rig.settle()
    assert [(one.number, one.outcome, one.rule) for one in amends(strategy)[1:]] == [
        (0, Outcome.DENIED_LOCALLY, "amend")
    ]
    assert amends(other) == []


def test_the_position_comes_from_fills_and_is_closed_whole() -> None:
    rig, strategy = trading()
    strategy.buy(3.0)
    rig.settle()
    assert (strategy.position, strategy.average_price(), strategy.is_flat) == (3.0, 101.0, False)
    order_id = strategy.close_position()
    rig.settle()
    assert (strategy.order(order_id or "").status, strategy.position, strategy.is_flat) == (
        OrderStatus.FILLED,
        0.0,
        True,
    )
    assert (strategy.close_position(), strategy.average_price()) == (None, 0.0)


def test_in_a_hedging_account_both_sides_are_held_and_closed() -> None:
    rig, strategy = trading(PositionMode.HEDGING)
    strategy.buy(3.0)
    strategy.short(1.0)
    rig.settle()
    name = strategy.symbols[0]
    assert [strategy.position_of(name, side) for side in PositionSide] == [2.0, 3.0, -1.0]
    assert strategy.average_price(side=PositionSide.SHORT) == 99.0
    strategy.close_position()
    rig.settle()
    assert [strategy.position_of(name, side) for side in PositionSide] == [0.0, 0.0, 0.0]


def test_positions_of_two_strategies_on_one_account_are_their_own() -> None:
    rig, strategy = trading()
    other = rig.start(Recording, "two")
    strategy.buy(2.0)
    rig.settle()
    other.sell(2.0)
    rig.settle()
    assert (strategy.position, other.position, rig.net()) == (2.0, -2.0, {})


@pytest.mark.parametrize(
    ("wish", "expected"),
    [
        ({"notional": 1000.0}, 10.0),
        ({"notional": 1000.0, "price": 90.0}, 11.111),
        ({"risk": 100.0, "stop": 95.0}, 20.0),
        ({"risk": 100.0, "stop": 107.0}, 14.285),
        ({"notional": 0.05}, 0.0),
    ],
)
def test_quantities_for_money_are_legal_and_never_cost_more(wish: dict[str, float], expected: float) -> None:
    _, strategy = trading()
    assert strategy.quantity_for(**wish) == expected


@pytest.mark.parametrize(
    "wish",
    [
        {}, {"notional": 1.0, "risk": 1.0, "stop": 95.0}, {"risk": 100.0}, {"risk": 100.0, "stop": 100.0}, {"risk": 1.0, "stop": -5.0},
        {"notional": float("inf")}, {"notional": float("nan")}, {"risk": 100.0, "stop": float("nan")}, {"notional": -5.0},
    ],
)  # fmt: skip
def test_sizes_that_cannot_be_meant_are_refused(wish: dict[str, float]) -> None:
    _, strategy = trading()
    with pytest.raises(OrderRefused):
        strategy.quantity_for(**wish)


def test_a_multiplier_counts_in_sizes() -> None:
    contract = a_future(expiry_ns=0)
    rig = LineRig(contract)
    rig.quote(4000.0, 4001.0)
    strategy = rig.start(Recording)
    rig.settle()
    assert strategy.quantity_for(notional=1_000_000.0) == 4.0
    assert strategy.quantity_for(risk=1000.0, stop=3990.5) == 2.0


def test_without_a_price_there_is_no_size() -> None:
    rig = LineRig(a_perpetual())
    strategy = rig.start(Recording)
    with pytest.raises(OrderRefused, match="none yet"):
        strategy.quantity_for(notional=100.0)


def test_prices_and_quantities_are_rounded_to_legal_ones() -> None:
    _, strategy = trading()
    assert [strategy.round_price(1.006, how) for how in ("nearest", "down", "up")] == [1.01, 1.0, 1.01]
    assert (strategy.round_quantity(0.0019), strategy.round_quantity(-0.0019)) == (0.001, -0.001)
    assert strategy.round_quantity(0.0019, "nearest", strategy.symbols[0]) == 0.002
    with pytest.raises(OffGrid):
        strategy.round_price(float("nan"))


def test_a_second_instrument_is_named_in_the_order() -> None:
    rig, strategy = trading()
    spot = rig.instruments[1]
    rig.quote(9.0, 11.0, instrument=spot)
    rig.line.adapters["main"].subscribe(type(rig.line.strategies.hosts["one"].wishes())(spot.instrument_id))
    rig.settle()
    strategy.buy(1.0, 8.0, instrument=spot.instrument_id)
    rig.settle()
    assert [order.instrument_id for order in strategy.open_orders(spot.instrument_id)] == ["BTCUSDT.TEST"]
    with pytest.raises(OrderRefused, match="fits several instruments"):
        strategy.buy(1.0, 8.0, instrument="BTCUSDT")


def test_what_it_writes_is_a_line_with_its_id() -> None:
    rig, strategy = trading()
    strategy.log("all is well", "WARNING")
    rig.settle()
    (line,) = rig.told(StrategyLog)
    assert (line.strategy_id, line.level, line.text) == ("one", "WARNING", "all is well")
    with pytest.raises(ConfigError, match="log level 'LOUD'"):
        strategy.log("x", "LOUD")


@pytest.mark.parametrize(
    ("seconds", "repeat"), [(-1.0, False), (0.0, True), (float("nan"), False), (float("inf"), True)]
)
def test_a_timer_that_cannot_be_meant_is_refused(seconds: float, repeat: bool) -> None:
    _, strategy = trading()
    with pytest.raises(ConfigError, match="seconds above 0"):
        strategy.set_timer("x", seconds, repeat=repeat)


def test_timers_repeat_until_they_are_cancelled() -> None:
    rig, strategy = trading()
    timer_id = strategy.set_timer("beat", 10.0, repeat=True)
    rig.wait(35)
    strategy.cancel_timer(timer_id)
    rig.wait(35)
    assert [timer.name for timer in strategy.facts("on_timer")] == ["beat"] * 3


def test_the_difference_to_a_wish_is_exact_where_floats_are_not() -> None:
    rig, strategy = trading()
    strategy.buy(0.1)
    rig.settle()
    assert 0.3 - strategy.position != 0.2
    assert [strategy.quantity_to(wish) for wish in (0.3, 0.1, 0.0, -0.2, 0.1009)] == [0.2, 0.0, -0.1, -0.3, 0.0]
    assert strategy.quantity_to(0.5, "BTCUSDT.TEST") == 0.5


def test_an_order_whose_fill_has_not_come_is_pending_and_not_open() -> None:
    rig, strategy = trading()
    adapter = rig.line.adapters["main"]
    held_back: list[TradeData] = []
    deliver, adapter.on_trade = adapter.on_trade, held_back.append  # type: ignore[method-assign]
    order_id = strategy.buy(1.0)
    rig.settle()
    order = strategy.order(order_id)
    assert order is not None
    assert (order.status, strategy.open_orders(), strategy.position) == (OrderStatus.FILLED, [], 0.0)
    assert (strategy.is_pending(), strategy.is_pending("BTCUSDT.TEST")) == (True, False)
    for trade in held_back:
        deliver(trade)
    rig.settle()
    assert (strategy.is_pending(), strategy.position) == (False, 1.0)
