"""A symbol halts while the link is away: its orders are listed, asked for and cancelled, new ones wait until it trades again."""

from collections.abc import Iterator

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.notices import ContractsLoaded, OpenOrdersLoaded, RequestFailed
from foxtrot.domain.enums import AdapterState, OrderStatus, Product
from foxtrot.domain.order import CancelRequest
from foxtrot.exchange.commands import SetTradingState, TradingState
from tests.support.rest_scene import Scene
from tests.support.waiting import wait_until


class Unwired(BinanceAdapter):
    """An adapter on a network without WebSockets, as the setting says."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(msgspec.structs.replace(context, settings={**context.settings, "websocket": False}))


@pytest.fixture(
    params=[(product, made) for product in (Product.SPOT, Product.PERPETUAL) for made in (BinanceAdapter, Unwired)],
    ids=["spot-streams", "spot-rest", "usdm-streams", "usdm-rest"],
)
def scene(request: pytest.FixtureRequest) -> Iterator[Scene]:
    product, adapter_class = request.param
    with Scene(product, adapter_class=adapter_class) as made:
        yield made


def set_state(scene: Scene, state: TradingState) -> None:
    """Open, halt or close trading of the scene's instrument, as the venue does."""
    scene._execute(SetTradingState(scene.clock.now_ns(), scene.spot.instrument_id, state))


def quiet_second(scene: Scene) -> None:
    """Let a second pass in which nobody trades."""
    scene.clock.advance(10**9)
    scene.server.step()
    scene._arrive()


def test_orders_of_a_symbol_that_halted_while_the_link_was_away_can_be_cancelled(scene: Scene) -> None:
    state = TradingState.HALTED if scene.product is Product.SPOT else TradingState.CLOSED  # HALT and BREAK on the wire
    name = scene.spot.instrument_id
    scene.connect_and_wait()
    scene.want()
    resting = scene.order(quantity=1_000, price=9_800)
    scene.adapter.send_order(resting)
    scene.second()
    assert scene.heard.reports(resting.order_id)[-1].status is OrderStatus.ACCEPTED

    set_state(scene, state)
    scene.binance.session.call_soon(lambda: scene.binance.session.lose("a test"))
    wait_until(lambda: scene.last_state() in (AdapterState.LOST, AdapterState.BACKING_OFF))
    scene.until_ready()
    since = len(scene.heard)
    assert name in {one.instrument_id for one in scene.heard.of(ContractsLoaded)[-1].instruments}
    assert [order.order_id for order in scene.heard.of(OpenOrdersLoaded)[-1].orders] == [resting.order_id]

    early, later = scene.order(quantity=1_000, price=9_800), scene.order(quantity=1_000, price=9_800)
    scene.adapter.send_order(early)
    scene.adapter.cancel_order(CancelRequest(resting.order_id, scene.account, name))
    for _ in range(16):  # with one round of everything among them
        quiet_second(scene)
    denied = scene.heard.reports(early.order_id)[-1]
    assert (denied.status, denied.rule) == (OrderStatus.DENIED, "instrument_halted")
    assert scene.heard.reports(resting.order_id)[-1].status is OrderStatus.CANCELLED
    assert scene.heard.of(RequestFailed, since) == []
    assert scene.last_state() is AdapterState.READY

    set_state(scene, TradingState.TRADING)
    scene.adapter.send_order(scene.order(quantity=1_000, price=9_800))  # denied, and so it is asked for
    quiet_second(scene)
    scene.adapter.send_order(later)
    quiet_second(scene)
    assert scene.heard.reports(later.order_id)[-1].status is OrderStatus.ACCEPTED
