"""Brackets that rest as one order list, over Binance's own protocol: parts, triggers, restarts, lost answers and the kill switch."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.core.commands import KillSwitch
from foxtrot.core.notices import ProtectionChanged, RequestFailed, StrategyLog
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderData
from foxtrot.exchange.reports import OrderReport
from foxtrot.trading.protection_cover import Cover
from foxtrot.trading.protection_state import ProtectionTerms
from tests.support.binance_platform import ACCOUNT
from tests.support.pair_scene import START_S, PairScene
from tests.support.protected_platform import ProtectedPlatform
from tests.support.waiting import wait_until

PLACE = "POST */orderList/oco"
Pair = tuple[OrderReport, OrderReport]


@pytest.fixture
def platform() -> Iterator[ProtectedPlatform]:
    with ProtectedPlatform("spot") as made:
        made.open()
        yield made


def pairs(platform: ProtectedPlatform) -> list[Pair]:
    """The stop and the limit of each order list at the exchange; every order of ours there is one of the two, and both are open."""
    rows = platform.server.call(lambda server: list(server.host.venue.open_orders(ACCOUNT)))
    rows = [row for row in rows if row.side is Side.SELL]
    stops = {row.pair: row for row in rows if row.order_type is OrderType.STOP}
    limits = {row.pair: row for row in rows if row.order_type is OrderType.LIMIT}
    assert 0 not in {*stops, *limits}, "an order alone"
    assert stops.keys() == limits.keys()
    assert len(rows) == 2 * len(stops)
    return [(stops[number], limits[number]) for number in sorted(stops)]


def sizes(platform: ProtectedPlatform) -> list[float]:
    """How much each pair would sell."""
    return [platform.instrument.quantity(stop.quantity) for stop, _ in pairs(platform)]


def is_whole(platform: ProtectedPlatform) -> bool:
    """Tell whether pairs at the exchange would sell all that can be sold, and nothing is on its way."""
    settled = all(order.status is OrderStatus.ACCEPTED for order in platform.resting() if order.side is Side.SELL)
    resting = platform.server.call(lambda server: list(server.host.venue.open_orders(ACCOUNT)))
    alone = any(not row.pair for row in resting if row.side is Side.SELL)
    return settled and not alone and abs(sum(sizes(platform)) - platform.sellable) < 1e-9


def locked(platform: ProtectedPlatform) -> Decimal:
    """How much of the base asset the exchange holds for open orders."""
    found = platform.server.call(lambda server: server.host.venue.balances(ACCOUNT))
    return found["BTC"][1]


def sold(platform: ProtectedPlatform) -> float:
    """How much the exchange has sold for us."""
    fills = platform.server.call(lambda server: list(server.host.venue.fills(ACCOUNT)))
    return sum(platform.instrument.quantity(fill.quantity) for fill in fills if fill.side is Side.SELL)


def lists_received(platform: ProtectedPlatform) -> int:
    """How many requests for an order list have come to the exchange."""
    return int(platform.server.call(lambda server: server.traffic.requests["spot POST /api/v3/orderList/oco"]))


def is_flat(platform: ProtectedPlatform) -> bool:
    """Tell whether less than a lot is held: spot takes its fee in the base asset."""
    return abs(platform.position) < 0.001


def alarms(platform: ProtectedPlatform) -> list[str]:
    return [log.text for log in platform.of(StrategyLog) if log.level in ("WARNING", "ERROR")]


def bracket(platform: ProtectedPlatform, quantity: float = 1.0) -> Pair:
    """Buy at 100 with a stop at 95 and a take-profit at 110, and wait for the pair."""
    platform.enter(quantity, 100.0, stop=95.0, take_profit=110.0)
    platform.maker(Side.SELL, quantity, 100.0)
    platform.wait(lambda: platform.position > quantity * 0.99 and is_whole(platform))
    platform.settle()
    (found,) = pairs(platform)
    return found


def ended(platform: ProtectedPlatform) -> None:
    """Wait until the position is flat and check that nothing is left of it anywhere."""
    platform.wait(lambda: is_flat(platform))
    platform.settle()
    assert platform.at_venue() == []
    assert platform.resting() == []
    assert platform.line.protections.view(platform.key) is None
    assert locked(platform) == 0
    assert platform.of(RequestFailed) == []


def last(platform: ProtectedPlatform, order_id: str) -> OrderData:
    found = platform.line.desk.order(order_id)
    assert found is not None
    return found


def test_a_bracket_is_one_order_list_and_the_asset_is_locked_once(platform: ProtectedPlatform) -> None:
    stop, limit = bracket(platform)
    assert (stop.trigger_price, limit.price) == tuple(map(platform.instrument.price_units, (95.0, 110.0)))
    assert stop.quantity == limit.quantity
    assert float(locked(platform)) == pytest.approx(platform.sellable)
    assert lists_received(platform) == 1
    assert platform.line.protections.cover(platform.key).protection == "at the venue"
    assert {order.order_id for order in platform.resting()} == {stop.client_order_id, limit.client_order_id}
    assert alarms(platform) == []


def test_the_take_profit_sells_at_the_venue_and_nothing_is_left(platform: ProtectedPlatform) -> None:
    stop, limit = bracket(platform)
    platform.quote(110.5, 111.0)
    ended(platform)
    assert last(platform, limit.client_order_id).status is OrderStatus.FILLED
    assert last(platform, stop.client_order_id).status is OrderStatus.EXPIRED
    assert platform.of(ProtectionChanged)[-1].protection == ""
    assert alarms(platform) == []


def test_the_stop_is_triggered_and_the_limit_is_gone(platform: ProtectedPlatform) -> None:
    stop, limit = bracket(platform)
    platform.quote(94.0, 96.0)
    platform.maker(Side.SELL, 0.1, 94.0)
    ended(platform)
    assert last(platform, stop.client_order_id).status is OrderStatus.FILLED
    assert last(platform, limit.client_order_id).status is OrderStatus.EXPIRED
    assert sold(platform) == pytest.approx(platform.instrument.quantity(stop.quantity))
    assert alarms(platform) == []


def test_each_part_of_the_entry_gets_a_pair_and_a_fourth_is_joined(platform: ProtectedPlatform) -> None:
    platform.enter(1.0, 100.0, stop=95.0, take_profit=110.0)
    bought = 0.0
    for part, count in ((0.2, 1), (0.3, 2), (0.2, 3), (0.3, 3)):
        platform.maker(Side.SELL, part, 100.0)
        bought += part
        platform.wait(lambda least=bought: platform.position > least * 0.99 and is_whole(platform))  # type: ignore[misc]
        assert len(sizes(platform)) == count
        assert float(locked(platform)) == pytest.approx(platform.sellable)
    assert platform.line.protections.cover(platform.key).protection == "at the venue"
    platform.quote(110.5, 111.0)
    ended(platform)
    assert alarms(platform) == []


def sell_in_part(platform: ProtectedPlatform) -> None:
    """Let somebody buy 0.4 at the take-profit."""
    platform.quote(109.0, 111.0)
    platform.maker(Side.BUY, 0.4, 110.0)


def is_stop_alone(platform: ProtectedPlatform) -> bool:
    """Tell whether one stop at the exchange would sell all that can be sold, and no other order is there."""
    return platform.at_venue() == [("sell", "stop", pytest.approx(platform.sellable), 95.0)]


def go_away(platform: ProtectedPlatform) -> None:
    """Let the market leave the take-profit, and stay away for a while."""
    platform.quote(104.0, 106.0)
    platform.maker(Side.SELL, 0.1, 104.0)
    for _ in range(11):
        platform.settle()
    platform.quote(104.5, 106.0)


def test_a_part_of_the_take_profit_ends_the_stop_and_the_rest_is_paired_once_the_market_is_away(
    platform: ProtectedPlatform,
) -> None:
    stop, limit = bracket(platform)
    sell_in_part(platform)
    platform.wait(lambda: platform.position < 0.61 and is_stop_alone(platform))
    platform.settle()
    assert last(platform, stop.client_order_id).status is OrderStatus.EXPIRED
    assert last(platform, limit.client_order_id).status is OrderStatus.CANCELLED
    assert last(platform, limit.client_order_id).filled_quantity == 0.4
    assert platform.line.protections.cover(platform.key).protection == "at the venue"
    assert lists_received(platform) == 1, "the last price is the limit's: the venue would take no pair"
    go_away(platform)
    platform.wait(lambda: is_whole(platform))
    platform.settle()
    assert sizes(platform) == [pytest.approx(platform.sellable)]
    platform.quote(110.5, 112.0)
    ended(platform)
    assert lists_received(platform) == 2
    assert alarms(platform) == []


def test_what_a_part_of_the_take_profit_leaves_is_sold_when_the_market_meets_it(platform: ProtectedPlatform) -> None:
    bracket(platform)
    sell_in_part(platform)
    platform.wait(lambda: platform.position < 0.61 and is_stop_alone(platform))
    platform.quote(110.5, 112.0)
    ended(platform)
    assert lists_received(platform) == 1
    assert alarms(platform) == []


def test_the_strategy_may_move_it_and_close_it(platform: ProtectedPlatform) -> None:
    bracket(platform)
    platform.line.protections.protect(platform.key, ProtectionTerms(stop=96.0, take_profit=112.0))
    moved = tuple(map(platform.instrument.price_units, (96.0, 112.0)))
    platform.wait(
        lambda: is_whole(platform) and [(stop.trigger_price, limit.price) for stop, limit in pairs(platform)] == [moved]
    )
    platform.line.protections.close(platform.key)
    ended(platform)
    assert alarms(platform) == []


def test_a_dropped_process_leaves_both_and_the_next_one_places_none(platform: ProtectedPlatform) -> None:
    before = bracket(platform)
    platform.drop()
    platform.live_again()
    platform.settle()
    assert pairs(platform) == [before]
    assert lists_received(platform) == 1
    assert platform.line.protections.cover(platform.key).protection == "at the venue"
    stop, limit = (platform.line.desk.index.all[row.client_order_id] for row in before)
    assert stop.partner is limit
    platform.quote(110.5, 111.0)
    ended(platform)


def test_what_the_take_profit_sold_in_part_while_nobody_lived_is_protected_anew(platform: ProtectedPlatform) -> None:
    bracket(platform)
    platform.drop()
    sell_in_part(platform)
    platform.live_again()
    platform.wait(lambda: platform.position < 0.61 and is_stop_alone(platform))
    go_away(platform)
    platform.wait(lambda: is_whole(platform))
    assert lists_received(platform) == 2


def test_a_refused_pair_leaves_the_stop_alone_and_the_take_profit_to_us(platform: ProtectedPlatform) -> None:
    platform.fault("error_code", endpoint=PLACE, code=-1013, msg="OCO is not allowed here.", count=1)
    platform.enter(1.0, 101.0, stop=95.0, take_profit=110.0)
    platform.wait(lambda: platform.position > 0.99 and is_stop_alone(platform))
    platform.settle()
    assert platform.line.protections.cover(platform.key).protection == "at the venue"
    (told,) = alarms(platform)
    assert "the venue takes no such pair" in told
    platform.quote(110.5, 111.0)
    ended(platform)
    assert lists_received(platform) == 1


@pytest.mark.parametrize("kind", ["ack_lost", "http_status"])
def test_a_lost_answer_brings_no_second_pair(platform: ProtectedPlatform, kind: str) -> None:
    platform.enter(1.0, 100.0, stop=95.0, take_profit=110.0)
    faulty = {"status": 503} if kind == "http_status" else {}
    platform.fault(kind, endpoint=PLACE, count=1, **faulty)
    platform.fault("go_silent", connection="user", after=2)
    platform.fault("http_status", endpoint="GET */order", status=503, count=0)
    platform.maker(Side.SELL, 1.0, 100.0)
    platform.wait(lambda: OrderStatus.UNKNOWN in {order.status for order in platform.resting()})
    seen = Counter(order.status for order in platform.resting())
    assert seen == {OrderStatus.UNKNOWN: 2}
    assert lists_received(platform) == 1
    assert platform.line.protections.cover(platform.key) == Cover("naked", "it is unknown what became of its stop")
    platform.server.clear_faults()
    platform.wait(lambda: platform.position > 0.99 and is_whole(platform))
    platform.settle()
    assert len(pairs(platform)) == 1
    assert lists_received(platform) == (1 if kind == "ack_lost" else 2)
    assert platform.line.protections.cover(platform.key).protection == "at the venue"


def kill(platform: ProtectedPlatform, *, flatten: bool) -> None:
    """Throw the switch as a person does: the gate at once, then the command."""
    platform.line.gate.close("all is lost", "Ann", lasting=True, killed=True)
    platform.dispatcher.put(KillSwitch("all is lost", "Ann", flatten=flatten))


def test_a_kill_leaves_the_pair_and_one_that_flattens_withdraws_it_and_sells_once(platform: ProtectedPlatform) -> None:
    before = bracket(platform)
    platform.enter(0.5, 99.0, stop=95.0, take_profit=110.0)
    kill(platform, flatten=False)
    platform.wait(lambda: all(order.side is Side.SELL for order in platform.resting()))
    platform.settle()
    assert pairs(platform) == [before]
    kill(platform, flatten=True)
    platform.wait(lambda: is_flat(platform))
    platform.settle()
    assert platform.at_venue() == []
    assert locked(platform) == 0
    assert sold(platform) == pytest.approx(platform.instrument.quantity(before[0].quantity))


def test_on_contracts_the_stop_rests_and_the_take_profit_is_watched() -> None:
    with ProtectedPlatform("usdm") as platform:
        platform.open()
        platform.enter(1.0, 100.0, stop=95.0, take_profit=110.0)
        platform.maker(Side.SELL, 1.0, 100.0)
        platform.wait(lambda: [row[:3] for row in platform.at_venue()] == [("sell", "stop", 1.0)])
        platform.quote(110.5, 111.0)
        platform.wait(lambda: is_flat(platform))
        platform.settle()
        assert platform.at_venue() == []


@pytest.mark.timeout(180)
def test_a_killed_platform_leaves_both_orders_and_the_next_one_goes_on_with_them(tmp_path: Path) -> None:
    with PairScene(tmp_path) as scene:
        scene.quote(99.0, 101.0)
        with scene.running("run", "platform.toml") as platform:
            scene.await_pair()
            before = scene.resting()
            platform.kill()
            platform.wait()
        assert scene.resting() == before
        with scene.running("run", "platform.toml"):
            wait_until(lambda: scene.protection() == ["at the venue"], START_S)
            assert scene.resting() == before
            assert scene.lists_received() == 1
            scene.quote(110.5, 111.0)
            wait_until(lambda: scene.resting() == [] and scene.protection() in ([], [""]), START_S)
            assert scene.sold() == [scene.instrument.quantity(before[0].quantity)]


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_the_verb_kill_leaves_the_pair_and_with_flatten_sells_once(tmp_path: Path) -> None:
    with PairScene(tmp_path) as scene:
        scene.quote(99.0, 101.0)
        with scene.running("run", "platform.toml"):
            scene.await_pair()
            before = scene.resting()
            assert scene.ask("kill", "--why", "all is lost")
            assert scene.resting() == before
            assert scene.ask("kill", "--flatten", "--why", "all is lost")
            wait_until(lambda: scene.resting() == [], START_S)
            assert scene.sold() == [scene.instrument.quantity(before[0].quantity)]
            assert scene.lists_received() == 1


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_flattening_without_a_platform_withdraws_the_pair_and_sells_once(tmp_path: Path) -> None:
    with PairScene(tmp_path) as scene:
        scene.quote(99.0, 101.0)
        with scene.running("run", "platform.toml") as platform:
            scene.await_pair()
            before = scene.resting()
            platform.kill()
            platform.wait()
        assert scene.ask("kill", "platform.toml", "--why", "all is lost")
        assert scene.resting() == before
        found = scene.ask("kill", "platform.toml", "--flatten", "--why", "all is lost")
        assert found["flatten"]["left"] == []
        assert scene.resting() == []
        assert scene.sold() == [scene.instrument.quantity(before[0].quantity)]
