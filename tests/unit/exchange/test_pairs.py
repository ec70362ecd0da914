"""Pairs of orders of which one ends the other: what is held, which of them ends, and that no unit of money is lost."""

import random
from decimal import Decimal

import pytest

from foxtrot.domain.enums import OrderStatus, OrderType, SelfTradePrevention, Side, TimeInForce
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange import commands as c
from foxtrot.exchange.events import OrderAccepted, OrderExpired, OrderFilled, PairChanged
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.result import ResultCode as R
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_perpetual, a_spot
from tests.support.trading_floor import TradingFloor

LAST = 10_000


@pytest.fixture
def floor() -> TradingFloor:
    """A market that last traded at 10 000, with an account that has 1 BTC (1 000 units) and 1 000 USDT."""
    floor = TradingFloor(a_spot(), funds={"BTC": Decimal(1), "USDT": Decimal(1_000)})
    trade_at(floor, LAST)
    return floor


def trade_at(floor: TradingFloor, price: int, quantity: int = 1) -> None:
    floor.sell("maker", quantity, price)
    floor.buy("taker", quantity, price, time_in_force=TimeInForce.IOC)


def pair(
    floor: TradingFloor, stop: int, limit: int, *, side: Side = Side.SELL, quantity: int = 600, **changes: object
) -> CommandResult:
    """Enter a pair for "p"; a stop price above 0 in `stop_limit` makes the stop a stop-limit."""
    if "p" not in floor.known:
        floor.open("p")
    stop_limit, stop_name = changes.pop("stop_limit", 0), str(changes.pop("stop_name", "stop"))
    kind = OrderType.STOP_LIMIT if stop_limit else OrderType.STOP
    name, now = floor.name, floor.tick()
    first = c.PlaceOrder(now, "p", name, stop_name, side, kind, quantity, stop_limit, stop)  # type: ignore[arg-type]
    terms: dict[str, object] = {
        "post_only": True,
        "client_order_id": "limit",
        "quantity": changes.pop("limit_quantity", quantity),
    } | changes
    second = c.PlaceOrder(now, "p", name, side=side, order_type=OrderType.LIMIT, price=limit, **terms)  # type: ignore[arg-type]
    return floor.venue.execute(c.PlacePair(now, "p", first, second, "mine"))


def status(floor: TradingFloor, name: str) -> tuple[OrderStatus, str]:
    found = floor.venue.order("p", floor.name, 0, name)
    assert found is not None
    return found.status, found.reason


def told_pairs(floor: TradingFloor) -> list[bool]:
    return [event.is_open for event in floor.events if isinstance(event, PairChanged)]


def test_both_orders_stand_and_the_asset_is_held_once(floor: TradingFloor) -> None:
    assert pair(floor, 9_500, 11_000).ok
    stop, limit = floor.venue.open_orders("p")
    assert (stop.pending, limit.pending) == (True, False)
    assert (stop.pair, limit.pair, stop.pair_name) == (stop.order_id, stop.order_id, "mine")
    assert floor.locked("p", "BTC") == Decimal("0.6")
    assert floor.sell("p", 401, 12_000).code is R.ACCOUNT_INSUFFICIENT_BALANCE
    assert told_pairs(floor) == [True]
    floor.venue.validate()


def test_the_first_fill_of_the_limit_ends_the_stop(floor: TradingFloor) -> None:
    pair(floor, 9_500, 11_000)
    floor.buy("b", 200, 11_000)
    assert status(floor, "stop") == (OrderStatus.EXPIRED, "oco")
    assert status(floor, "limit")[0] is OrderStatus.PARTIALLY_FILLED
    assert floor.locked("p", "BTC") == Decimal("0.4")
    assert told_pairs(floor) == [True]
    floor.venue.validate()
    floor.buy("b", 400, 11_000)
    assert told_pairs(floor) == [True, False]
    assert floor.locked("p", "BTC") == 0
    kinds = [type(event) for event in floor.events if getattr(event, "account", "") == "p"]
    assert kinds.index(OrderExpired) < kinds.index(OrderFilled)


@pytest.mark.parametrize("stop_limit", [0, 9_400])
def test_the_trigger_of_the_stop_ends_the_limit_before_anything_trades(floor: TradingFloor, stop_limit: int) -> None:
    pair(floor, 9_500, 11_000, stop_limit=stop_limit)
    floor.buy("b", 700, 9_450)
    trade_at(floor, 9_450)
    assert status(floor, "limit") == (OrderStatus.EXPIRED, "oco")
    assert status(floor, "stop")[0] is OrderStatus.FILLED
    assert floor.total("p", "BTC") == Decimal("0.4")
    assert floor.locked("p", "BTC") == 0
    assert told_pairs(floor) == [True, False]
    floor.venue.validate()


@pytest.mark.parametrize("which", [0, 1])
def test_cancelling_either_cancels_both(floor: TradingFloor, which: int) -> None:
    first = pair(floor, 9_500, 11_000).order_id
    assert floor.cancel("p", first + which).ok
    assert status(floor, "stop") == status(floor, "limit") == (OrderStatus.CANCELLED, "cancelled")
    assert (floor.locked("p", "BTC"), told_pairs(floor)) == (0, [True, False])
    assert floor.cancel("p", first + 1 - which).code is R.ORDER_NOT_FOUND
    floor.venue.validate()


def test_cancel_all_takes_both_once(floor: TradingFloor) -> None:
    pair(floor, 9_500, 11_000)
    assert floor.cancel_all("p").ok
    assert (floor.venue.open_orders("p"), told_pairs(floor)) == ((), [True, False])


def test_a_pair_of_buys_holds_what_the_dearer_one_needs_and_no_more_when_that_one_ends(floor: TradingFloor) -> None:
    assert pair(floor, 11_000, 9_000, side=Side.BUY, stop_limit=11_500).ok
    assert floor.locked("p", "USDT") == Decimal(69)
    floor.sell("s", 200, 9_000)
    assert status(floor, "stop") == (OrderStatus.EXPIRED, "oco")
    assert floor.locked("p", "USDT") == Decimal(36)
    floor.venue.validate()


def test_each_must_be_affordable_but_not_both_together(floor: TradingFloor) -> None:
    assert pair(floor, 9_500, 11_000, quantity=1_001).code is R.ACCOUNT_INSUFFICIENT_BALANCE
    assert floor.venue.open_orders("p") == ()
    assert pair(floor, 9_500, 11_000, quantity=1_000).ok


def test_self_trade_prevention_that_takes_the_limit_ends_the_stop(floor: TradingFloor) -> None:
    pair(floor, 9_500, 11_000)
    floor.buy("p", 10, 11_000, stp=SelfTradePrevention.CANCEL_OLDEST)
    assert status(floor, "limit") == (OrderStatus.CANCELLED, "self_trade")
    assert status(floor, "stop") == (OrderStatus.EXPIRED, "oco")
    floor.venue.validate()


def test_self_trade_prevention_that_lowers_the_limit_ends_the_stop(floor: TradingFloor) -> None:
    pair(floor, 9_500, 11_000, stp=SelfTradePrevention.DECREMENT)
    floor.buy("p", 10, 11_000, stp=SelfTradePrevention.DECREMENT)
    assert status(floor, "stop") == (OrderStatus.EXPIRED, "oco")
    assert floor.locked("p", "BTC") == Decimal("0.59")
    floor.venue.validate()


@pytest.mark.parametrize(
    ("stop", "limit", "changes", "code"),
    [
        (10_000, 11_000, {}, R.ORDER_PAIR),
        (9_500, 9_400, {}, R.ORDER_PAIR),
        (9_500, 11_000, {"post_only": False}, R.ORDER_PAIR),
        (9_500, 11_000, {"limit_quantity": 700}, R.ORDER_PAIR),
        (9_500, 11_000, {"client_order_id": "stop"}, R.ORDER_PAIR),
        (9_500, 11_000, {"time_in_force": TimeInForce.IOC}, R.ORDER_PAIR),
        (9_500, 9_999, {}, R.MATCHING_POST_ONLY),
    ],
)
def test_what_makes_no_pair_is_refused_and_changes_nothing(
    floor: TradingFloor, stop: int, limit: int, changes: dict[str, object], code: R
) -> None:
    floor.open("p")
    floor.buy("b", 1, 9_999)
    before = floor.venue.open_orders("p"), floor.venue.balances("p"), floor.told(OrderAccepted)
    assert pair(floor, stop, limit, **changes).code is code
    assert (floor.venue.open_orders("p"), floor.venue.balances("p"), floor.told(OrderAccepted)) == before
    assert told_pairs(floor) == []


def test_an_order_of_a_pair_is_not_amended_until_it_stands_alone(floor: TradingFloor) -> None:
    limit = pair(floor, 9_500, 11_000).order_id + 1
    assert floor.amend("p", limit, quantity=500).code is R.ORDER_NOT_AMENDABLE
    floor.buy("b", 1, 11_000)
    assert floor.amend("p", limit, quantity=500).ok


def test_a_pair_counts_twice_towards_the_most_open_orders() -> None:
    floor = TradingFloor(a_spot(max_open_orders=2), funds={"BTC": Decimal(1), "USDT": Decimal(1_000)})
    floor.sell("p", 1, 12_000)
    assert pair(floor, 9_500, 11_000).code is R.FILTER_MAX_OPEN_ORDERS


def test_derivatives_take_no_pairs() -> None:
    floor = TradingFloor(a_perpetual())
    assert pair(floor, 9_500, 11_000).code is R.ORDER_PAIR


def test_a_restored_venue_keeps_the_pair(floor: TradingFloor) -> None:
    pair(floor, 9_500, 11_000)
    floor.venue.take_up(floor.venue.snapshot())
    floor.buy("b", 600, 11_000)
    assert status(floor, "stop") == (OrderStatus.EXPIRED, "oco")
    assert told_pairs(floor) == [True, False]
    floor.venue.validate()


@pytest.mark.parametrize("seed", range(12))
def test_random_pairs_among_other_orders_lose_no_money(seed: int) -> None:
    pick = random.Random(seed)
    fees = FeeSchedule.percentage(Decimal("0.0005"), Decimal("0.001"))
    mode = pick.choice(("quote", "received"))
    floor = TradingFloor(a_spot(), funds={"BTC": Decimal(3), "USDT": Decimal(400)}, fees=fees, fee_asset_mode=mode)
    trade_at(floor, LAST)
    entered = 0
    for step in range(250):
        draw, quantity, price = pick.random(), pick.randint(1, 300), LAST + pick.randint(-40, 40)
        side = pick.choice((Side.BUY, Side.SELL))
        if draw < 0.2:
            away = pick.randint(1, 40) * (1 if side is Side.BUY else -1)
            stop_limit = pick.choice((0, price + 2 * away))
            names: dict[str, object] = {"client_order_id": f"limit-{step}", "stop_name": f"stop-{step}"}
            entered += pair(
                floor, price + away, price - away, side=side, quantity=quantity, stop_limit=stop_limit, **names
            ).ok
        elif draw < 0.3:
            of = floor.venue.open_orders("p") if "p" in floor.known else ()
            if of:
                floor.cancel("p", pick.choice(of).order_id)
        else:
            account = pick.choice(("p", "q", "r"))
            floor.place(account, side, quantity, price, time_in_force=pick.choice((TimeInForce.GTC, TimeInForce.IOC)))
        if pick.random() < 0.02:
            before = floor.venue.state_hash()
            floor.venue = Venue.restore(floor.venue.snapshot(), floor.events.append)
            assert floor.venue.state_hash() == before
        floor.venue.validate()
        for name in floor.known:
            assert all(0 <= locked <= total for total, locked in floor.venue.balances(name).values())
    assert entered
    opened = told_pairs(floor)
    assert opened.count(True) - opened.count(False) == len({o.pair for o in floor.venue.open_orders("p") if o.pair})
