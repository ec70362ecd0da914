"""Pairs where an outside fill model decides: they park, one ends the other, and what both share is there for the one that fills."""

import random
from decimal import Decimal

import pytest

from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, Side
from foxtrot.exchange.commands import CancelOrder, ExpireOrder, FillOrder, PlaceOrder, PlacePair, TriggerOrder
from foxtrot.exchange.events import OrderRejected, OrderTriggered, PairChanged
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.result import ResultCode as R
from tests.support.instruments import a_perpetual, a_spot
from tests.support.trading_floor import TradingFloor

S = OrderStatus
BOTH = [("a", "stop"), ("a", "limit")]


@pytest.fixture
def floor() -> TradingFloor:
    """A market of history with an account that has 1 BTC (1 000 units) and 70 USDT."""
    floor = TradingFloor(a_spot(), matching="external", funds={"BTC": Decimal(1), "USDT": Decimal(70)})
    floor.open("a")
    return floor


def pair(floor: TradingFloor, side: Side, stop: int, limit: int, stop_limit: int = 0) -> CommandResult:
    """Enter a pair of 600 units."""
    kind, now = OrderType.STOP_LIMIT if stop_limit else OrderType.STOP, floor.tick()
    first = PlaceOrder(now, "a", floor.name, "stop", side, kind, 600, stop_limit, stop)
    second = PlaceOrder(now, "a", floor.name, "limit", side, OrderType.LIMIT, 600, limit, post_only=True)
    return floor.venue.execute(PlacePair(now, "a", first, second))


def fill(floor: TradingFloor, order_id: int, price: int, quantity: int) -> R:
    command = FillOrder(floor.tick(), floor.name, order_id, price, quantity, Liquidity.MAKER)
    code = floor.venue.execute(command).code
    floor.venue.validate()
    return code


def ends(floor: TradingFloor) -> list[tuple[OrderStatus, str]]:
    """Status and reason of the stop and of the limit."""
    found = [floor.venue.order(account, floor.name, 0, name) for account, name in BOTH]
    return [(order.status, order.reason) for order in found if order is not None]


def test_both_park_and_what_they_sell_is_held_once(floor: TradingFloor) -> None:
    assert pair(floor, Side.SELL, 9_500, 11_000).ok
    assert ends(floor) == [(S.ACCEPTED, ""), (S.ACCEPTED, "")]
    assert floor.locked("a", "BTC") == Decimal("0.6")
    floor.venue.validate()


def test_the_first_part_of_the_limit_ends_the_stop(floor: TradingFloor) -> None:
    stop = pair(floor, Side.SELL, 9_500, 11_000).order_id
    assert fill(floor, stop + 1, 11_000, 200) is R.OK
    assert ends(floor) == [(S.EXPIRED, "oco"), (S.PARTIALLY_FILLED, "")]
    assert floor.locked("a", "BTC") == Decimal("0.4")
    assert fill(floor, stop, 9_500, 600) is R.ORDER_NOT_FOUND
    assert fill(floor, stop + 1, 11_000, 400) is R.OK
    assert floor.total("a", "BTC") == Decimal("0.4")


def test_the_trigger_of_the_stop_ends_the_limit_before_it_trades(floor: TradingFloor) -> None:
    stop = pair(floor, Side.SELL, 9_500, 11_000).order_id
    assert floor.venue.execute(TriggerOrder(floor.tick(), floor.name, stop)).ok
    assert ends(floor) == [(S.ACCEPTED, ""), (S.EXPIRED, "oco")]
    assert floor.locked("a", "BTC") == Decimal("0.6")
    assert fill(floor, stop, 9_400, 600) is R.OK
    assert floor.locked("a", "BTC") == 0


@pytest.mark.parametrize(("which", "price"), [(0, 11_500), (1, 9_000)])
def test_either_of_two_buys_pays_with_what_is_held_for_both(floor: TradingFloor, which: int, price: int) -> None:
    stop = pair(floor, Side.BUY, 11_000, 9_000, stop_limit=11_500).order_id
    assert floor.locked("a", "USDT") == Decimal(69)
    assert fill(floor, stop + which, price, 600) is R.OK
    assert floor.total("a", "BTC") == Decimal("1.6")
    assert floor.locked("a", "USDT") == 0


def test_a_limit_that_would_have_taken_ends_both(floor: TradingFloor) -> None:
    stop = pair(floor, Side.SELL, 9_500, 11_000).order_id
    assert floor.venue.execute(ExpireOrder(floor.tick(), floor.name, stop + 1, "post_only")).ok
    assert ends(floor) == [(S.EXPIRED, "oco"), (S.EXPIRED, "post_only")]
    assert floor.locked("a", "BTC") == 0


def test_cancelling_one_cancels_both(floor: TradingFloor) -> None:
    assert floor.cancel("a", pair(floor, Side.SELL, 9_500, 11_000).order_id).ok
    assert ends(floor) == [(S.CANCELLED, "cancelled"), (S.CANCELLED, "cancelled")]


def test_an_old_fill_does_not_say_where_the_market_is(floor: TradingFloor) -> None:
    fill(floor, floor.sell("a", 1, 9_000).order_id, 9_000, 1)
    assert pair(floor, Side.SELL, 9_500, 11_000).ok
    assert floor.told(OrderTriggered) == []


def test_prices_on_the_wrong_sides_of_each_other_are_refused_for_both(floor: TradingFloor) -> None:
    assert pair(floor, Side.SELL, 9_500, 9_400).code is R.ORDER_PAIR
    assert [event.client_order_id for event in floor.told(OrderRejected)] == ["stop", "limit"]
    assert floor.venue.open_orders("a") == ()


def test_a_parked_pair_is_there_after_a_snapshot(floor: TradingFloor) -> None:
    stop = pair(floor, Side.SELL, 9_500, 11_000).order_id
    floor.venue.take_up(floor.venue.snapshot())
    assert fill(floor, stop + 1, 11_000, 600) is R.OK
    assert ends(floor) == [(S.EXPIRED, "oco"), (S.FILLED, "")]


def test_contracts_take_no_pairs_there_either() -> None:
    floor = TradingFloor(a_perpetual(), matching="external", funds={"USDT": Decimal(1_000)})
    floor.open("a")
    assert pair(floor, Side.SELL, 9_500, 11_000).code is R.ORDER_PAIR


@pytest.mark.parametrize("seed", range(8))
def test_whatever_is_filled_triggered_and_ended_no_two_of_a_pair_trade_and_money_adds_up(seed: int) -> None:
    pick = random.Random(seed)
    floor = TradingFloor(a_spot(), matching="external", funds={"BTC": Decimal(2), "USDT": Decimal(200)})
    floor.open("a")
    kinds: list[object] = []
    for step in range(150):
        side, price = pick.choice(list(Side)), pick.randint(9_000, 11_000)
        away = pick.randint(1, 400) * side.sign
        if pick.random() < 0.3:
            now, quantity = floor.tick(), pick.randint(1, 900)
            kind = pick.choice((OrderType.STOP, OrderType.STOP_LIMIT))
            terms = (floor.name, f"stop-{step}", side, kind, quantity, (price + away) * (kind is OrderType.STOP_LIMIT))
            first = PlaceOrder(now, "a", *terms, price + away)
            second = PlaceOrder(
                now, "a", floor.name, f"limit-{step}", side, OrderType.LIMIT, quantity, price - away, post_only=True
            )
            floor.venue.execute(PlacePair(now, "a", first, second))
        for order in floor.venue.open_orders("a"):
            deed = pick.choice(("fill", "trigger", "expire", "cancel", "", "", ""))
            left = order.quantity - order.filled
            command = {
                "fill": FillOrder(floor.tick(), floor.name, order.order_id, price, pick.randint(1, left)),
                "trigger": TriggerOrder(floor.now, floor.name, order.order_id),
                "expire": ExpireOrder(floor.now, floor.name, order.order_id, "gone"),
                "cancel": CancelOrder(floor.now, "a", floor.name, order.order_id),
            }.get(deed)
            if command is not None and floor.venue.execute(command).ok:
                kinds.append(deed)
            floor.venue.validate()
    traded = {event.order_id for event in floor.fills("a")}
    pairs = {event.pair for event in floor.told(PairChanged)}
    assert pairs
    assert {"fill", "trigger", "expire", "cancel"} == set(kinds)
    assert not [one for one in pairs if {one, one + 1} <= traded]
