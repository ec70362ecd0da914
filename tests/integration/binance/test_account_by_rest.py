"""An account without its stream: what happens between two rounds of questions is told once, in order, whoever did it."""

from collections.abc import Callable, Iterator

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.notices import AdapterStatus, PositionsLoaded
from foxtrot.core.secret import Secret
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, Product, Side
from foxtrot.domain.market import REST
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.exchange.faults import Fault
from tests.support.rest_scene import Scene
from tests.support.waiting import wait_until

SPOT, USDM = Product.SPOT, Product.PERPETUAL
MINUTE_NS = 60_000_000_000


class Unwired(BinanceAdapter):
    """An adapter on a network without WebSockets, as the setting says."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(msgspec.structs.replace(context, settings={**context.settings, "websocket": False}))


class Stranger(BinanceAdapter):
    """An adapter whose secret is wrong."""

    def __init__(self, context: AdapterContext) -> None:
        secrets = {**context.secrets, "api_secret": Secret("not-the-secret")}
        super().__init__(msgspec.structs.replace(context, secrets=secrets))


Made = Callable[..., Scene]


@pytest.fixture
def made() -> Iterator[Made]:
    scenes: list[Scene] = []

    def make(product: Product, **terms: type[BinanceAdapter]) -> Scene:
        scenes.append(Scene(product, **terms))  # type: ignore[arg-type]
        return scenes[-1]

    yield make
    for scene in scenes:
        scene.discard()


@pytest.fixture(params=[SPOT, USDM], ids=["spot", "usdm"])
def scene(request: pytest.FixtureRequest, made: Made) -> Scene:
    opened = made(request.param, adapter_class=Unwired)
    opened.connect_and_wait()
    return opened


def statuses(scene: Scene, order_id: str) -> list[tuple[OrderStatus, float]]:
    """Return what was told of an order."""
    return [(told.status, told.filled_quantity) for told in scene.heard.reports(order_id)]


def test_no_socket_is_opened_where_the_setting_forbids_it(scene: Scene) -> None:
    assert scene.status().cause == "by REST: the setting websocket is false"
    for _ in range(15):
        scene.second()
    assert scene.server.call(lambda server: server._doors.shared.traffic.connections.total()) == 0


def test_an_order_that_fills_in_parts_is_told_part_by_part(scene: Scene) -> None:
    order = scene.order(quantity=5_000, price=9_950)
    scene.adapter.send_order(order)
    scene.second()
    for quantity in (1_000, 1_500, 2_500):
        scene.take(Side.SELL, quantity)
        scene.second()
    size = scene.spot.quantity(order.quantity_units)
    parts, partly = [0.2 * size, 0.5 * size], OrderStatus.PARTIALLY_FILLED
    assert statuses(scene, order.order_id) == [
        (OrderStatus.ACCEPTED, 0.0),
        (partly, parts[0]),
        (partly, parts[1]),
        (OrderStatus.FILLED, size),
    ]
    fills = scene.heard.fills(order.order_id)
    assert [fill.quantity for fill in fills] == [0.2 * size, 0.3 * size, 0.5 * size]
    events = [event for event in scene.heard.events() if isinstance(event, OrderData | TradeData)]
    counted = 0.0
    for event in events:  # a state comes before the fill that it counts
        if isinstance(event, OrderData):
            counted = event.filled_quantity
        else:
            assert counted > 0
    assert sum(fill.quantity for fill in fills) == size


def test_orders_placed_elsewhere_are_found(scene: Scene) -> None:
    scene.place_elsewhere("elsewhere", Side.BUY, 9_950, 1_000)
    for _ in range(16):
        scene.second()
    assert [status for status, _ in statuses(scene, "elsewhere")] == [OrderStatus.ACCEPTED]
    scene.take(Side.SELL, 1_000)
    scene.second()
    assert [status for status, _ in statuses(scene, "elsewhere")] == [OrderStatus.ACCEPTED, OrderStatus.FILLED]
    assert len(scene.heard.fills("elsewhere")) == 1
    scene.place_elsewhere("brief", Side.BUY, 10_100, 500)  # done before anybody asks
    for _ in range(16):
        scene.second()
    assert [status for status, _ in statuses(scene, "brief")] == [OrderStatus.ACCEPTED, OrderStatus.FILLED]
    assert [fill.source for fill in scene.heard.fills("brief")] == [REST] * len(scene.heard.fills("brief"))
    assert scene.heard.fills("brief")


def test_balances_and_positions_are_told_when_they_change(scene: Scene) -> None:
    scene.second()
    since = len(scene.heard)
    scene.second()
    assert scene.heard.of(AccountData, since) == []
    assert scene.heard.of(PositionsLoaded, since) == []
    scene.place_elsewhere("bought", Side.BUY, 10_100, 500)
    scene.second()
    told = {row.asset: row.total for row in scene.heard.of(AccountData, since)[-1].balances}
    true = scene.balances()
    assert {asset: told[asset] for asset in true} == {asset: total for asset, (total, _) in true.items()}
    if scene.product is USDM:
        (position,) = scene.heard.of(PositionsLoaded, since)[-1].positions
        assert position.quantity == scene.spot.quantity(500)


def test_a_stop_that_is_triggered_goes_on_under_its_own_id(made: Made) -> None:
    scene = made(USDM, adapter_class=Unwired)
    scene.connect_and_wait()
    stop = scene.order(Side.BUY, quantity=1_000, price=10_150, order_type=OrderType.STOP_LIMIT, trigger_units=10_200)
    scene.adapter.send_order(stop)
    scene.second()
    assert [status for status, _ in statuses(scene, stop.order_id)] == [OrderStatus.ACCEPTED]
    scene.take(Side.BUY, 6_000)  # up to 10,200
    scene.second()
    scene.second()
    scene.take(Side.SELL, 1_000)
    scene.second()
    scene.second()
    assert {told.order_id for told in scene.heard.of(OrderData)} == {stop.order_id}
    told = statuses(scene, stop.order_id)
    assert (told[0][0], told[-1][0], len(set(told))) == (OrderStatus.ACCEPTED, OrderStatus.FILLED, len(told))
    fills = [fill.trade_id for fill in scene.heard.fills(stop.order_id)]
    assert sorted(fills) == sorted(trade_id for trade_id, *_ in scene.fills())


@pytest.mark.parametrize("product", [SPOT, USDM])
def test_a_stream_that_the_venue_refuses_does_not_keep_the_account_from_trading(made: Made, product: Product) -> None:
    scene = made(product)
    way = "userDataStream.subscribe*" if product is SPOT else "POST /fapi/v1/listenKey"
    scene.server.inject(Fault(kind="error_code", endpoint=way, code=-1000, msg="not today", count=0))
    scene.connect_and_wait()
    assert scene.status().cause.startswith("by REST: ")
    assert len(scene.heard.of(AdapterStatus)) > 4, "it was not tried again"
    scene.server.clear_faults()
    for _ in range(12):
        scene.second()
    assert (scene.last_state(), scene.status().cause) == (AdapterState.READY, "")


def test_an_account_that_nothing_can_be_learnt_of_loses_its_link(scene: Scene) -> None:
    scene.server.inject(Fault(kind="http_status", endpoint="GET *", status=503, count=0))
    order = scene.order()
    scene.adapter.send_order(order)  # so that there is something to ask for
    for _ in range(8):
        scene.second()
    assert AdapterState.LOST in scene.heard.states()
    assert "neither by its stream nor by REST" in next(
        told.cause for told in scene.heard.of(AdapterStatus) if told.state is AdapterState.LOST
    )
    scene.server.clear_faults()
    scene.until_ready()


def test_a_minute_costs_what_is_documented(scene: Scene) -> None:
    scene.adapter.send_order(scene.order())
    scene.second()
    minute, weight = scene.clock.now_ns() // MINUTE_NS, scene.adapter.health().used_weight
    for _ in range(45):
        scene.second()
    assert scene.clock.now_ns() // MINUTE_NS == minute, "Binance counts anew every minute"
    spent = (scene.adapter.health().used_weight - weight) / 45 * 60
    documented = 1_520 + 440 if scene.product is SPOT else 920 + 140
    assert 0.8 * documented < spent <= documented


@pytest.mark.parametrize("product", [SPOT, USDM])
def test_refused_credentials_are_told_where_no_stream_can_be_had_too(made: Made, product: Product) -> None:
    scene = made(product, adapter_class=Stranger)
    scene.refuse()
    scene.adapter.connect()
    wait_until(lambda: scene.heard.states()[-1:] == [AdapterState.FAILED])
    assert "credentials" in scene.status().cause
