"""The account's stream while it is refused, ends, breaks or falls silent: what happened meanwhile is told once, and nothing else."""

from collections.abc import Iterator

import pytest

from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState, OrderStatus, Product, Side
from foxtrot.exchange.faults import Fault
from tests.support import order_truth as truth
from tests.support.trading_scene import PRODUCTS, TradingScene

S = OrderStatus


@pytest.fixture(params=list(PRODUCTS))
def scene(request: pytest.FixtureRequest) -> Iterator[TradingScene]:
    """A connected adapter of each product."""
    yield from _scene(PRODUCTS[request.param])


@pytest.fixture
def spot() -> Iterator[TradingScene]:
    """A connected adapter of spot."""
    yield from _scene(Product.SPOT)


@pytest.fixture
def usdm() -> Iterator[TradingScene]:
    """A connected adapter of USD-M."""
    yield from _scene(Product.PERPETUAL)


# --- it breaks ------------------------------------------------------------------------------------------------------


BREAKS = {
    "closed with 1001": Fault(kind="close", connection="user", code=1001),
    "closed with 1008": Fault(kind="close", connection="user", code=1008),
    "closed by FIN": Fault(kind="close_without_frame", connection="user"),
    "closed by RST": Fault(kind="reset", connection="user"),
    "cut in the middle of a message": Fault(kind="cut_mid_frame", connection="user"),
}


@pytest.mark.parametrize("how", list(BREAKS))
def test_what_happened_while_the_stream_was_gone_is_told_once(scene: TradingScene, how: str) -> None:
    rig = scene.rig
    first, second, third = rig.send(), rig.send(price=9_940), rig.send(price=9_930)
    with scene.fault(BREAKS[how]):
        rig.take(Side.SELL, 400)  # the message that is cut, where one is
        rig.settle()
        rig.take(Side.SELL, 700)
        rig.cancel_elsewhere(third)
        rig.place_elsewhere("web-1", Side.BUY, 9_900, 500)
        scene.pass_s(2)
    scene.recover(f"user stream {how}", 10)
    assert AdapterState.LOST in rig.heard.states()
    assert [scene.last(one).status for one in (first, second, third)] == [S.FILLED, S.PARTIALLY_FILLED, S.CANCELLED]
    assert scene.last("web-1").status is S.ACCEPTED


def test_a_stream_that_is_half_open_is_found_by_its_pongs(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(Fault(kind="half_open", connection="user"), frozen=True):
        rig.take(Side.SELL, 400)
        _until_lost(scene, 45)
    scene.recover("user stream half-open", 10)
    assert scene.last(order_id).status is S.PARTIALLY_FILLED


def test_a_silent_stream_is_found_by_what_it_does_not_tell(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    scene.pass_s(31)
    with scene.fault(Fault(kind="go_silent", connection="user")):
        rig.take(Side.SELL, 400)
        _until_lost(scene, 66)
    scene.recover("user stream silent, pongs come, a fill", 10)
    assert scene.last(order_id).status is S.PARTIALLY_FILLED


def test_a_silent_stream_is_found_by_our_own_next_order(scene: TradingScene) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="go_silent", connection="user")):
        order_id = rig.send(price=0, quantity=500)
        _until_lost(scene, 6)
    scene.recover("user stream silent, pongs come, an order of ours", 10)
    assert scene.statuses(order_id) == [S.ACCEPTED, S.FILLED]
    assert len(rig.received()) == 1


def test_a_stream_that_breaks_again_and_again_leaves_nothing_behind(scene: TradingScene) -> None:
    rig = scene.rig
    rig.send()
    for _ in range(5):
        with scene.fault(Fault(kind="reset", connection="user")):
            rig.take(Side.SELL, 100)
            scene.pass_s(1)
        scene.pass_s(6)
    scene.recover("user stream closed by RST five times", 10)


# --- it ends by the venue's word ------------------------------------------------------------------------------------


def test_a_subscription_that_is_terminated_is_made_anew(spot: TradingScene) -> None:
    rig = spot.rig
    order_id = rig.send()
    with spot.fault(Fault(kind="terminate_user_stream", account=rig.account)):
        rig.take(Side.SELL, 400)
        rig.settle()
    rig.take(Side.SELL, 100)
    spot.recover("eventStreamTerminated", 10)
    assert spot.last(order_id).filled_quantity == 0.5


@pytest.mark.parametrize("kind", ["expire_listen_key", "rotate_listen_key"])
def test_a_listen_key_that_ends_is_had_anew(usdm: TradingScene, kind: str) -> None:
    rig = usdm.rig
    order_id = rig.send()
    with usdm.fault(Fault(kind=kind, account=rig.account)):
        rig.take(Side.SELL, 400)
        rig.settle()
    rig.take(Side.SELL, 100)
    usdm.recover("listenKeyExpired" if kind == "expire_listen_key" else "listen key rotated", 10)
    assert usdm.last(order_id).filled_quantity == 0.5


@pytest.mark.parametrize(
    ("how", "fault"),
    [
        ("-1125", Fault(kind="error_code", endpoint="PUT */listenKey", code=-1125)),
        ("502 page", Fault(kind="http_status", endpoint="PUT */listenKey", status=502)),
        ("no answer", Fault(kind="ack_lost", endpoint="PUT */listenKey", hang=True)),
    ],
    ids=["-1125", "502 page", "no answer"],
)
def test_a_listen_key_that_cannot_be_renewed_is_renewed_later_or_had_anew(
    usdm: TradingScene, how: str, fault: Fault
) -> None:
    rig = usdm.rig
    order_id = rig.send()
    with usdm.fault(fault, silent=fault.hang):
        for _ in range(23):
            rig.clock.advance(60 * 10**9)
            rig.server.step()
            rig._arrive()
    rig.take(Side.SELL, 400)
    usdm.recover(f"listen key not renewed ({how})", 90)
    assert usdm.last(order_id).filled_quantity == 0.4


# --- it is refused --------------------------------------------------------------------------------------------------


def test_a_subscription_refused_for_the_key_ends_in_failed(scene: TradingScene) -> None:
    rig = scene.rig
    refused = (
        Fault(kind="reject_user_stream", code=-2015, count=0)
        if rig.product is Product.SPOT
        else Fault(kind="error_code", endpoint="POST */listenKey", code=-2015, count=0)
    )
    with scene.fault(refused):
        rig.lose_link("cut")
        rig.restore_link(6)
        assert rig.heard.states()[-1] is AdapterState.FAILED
        assert "key" in rig.heard.of(AdapterStatus)[-1].cause
        before = truth.requests(rig)
        scene.pass_s(60)
        assert truth.requests(rig) == before
        denied = rig.send()
        assert scene.statuses(denied) == [S.DENIED]
    assert rig.received() == []


@pytest.mark.parametrize("how", ["handshake refused", "subscription not answered", "internal error"])
def test_a_stream_that_cannot_be_had_is_tried_again(scene: TradingScene, how: str) -> None:
    rig = scene.rig
    spot = rig.product is Product.SPOT
    order_id = rig.send()
    faults = {
        "handshake refused": Fault(kind="refuse_handshake", connection="user", count=2),
        "subscription not answered": Fault(kind="ack_lost", endpoint="userDataStream*", hang=True)
        if spot
        else Fault(kind="ack_lost", endpoint="POST */listenKey", hang=True),
        "internal error": Fault(kind="reject_user_stream", code=-1000, count=2)
        if spot
        else Fault(kind="error_code", endpoint="POST */listenKey", code=-1000, count=2),
    }
    with scene.fault(faults[how], silent=True):
        rig.lose_link("cut")
        rig.take(Side.SELL, 400)
        scene.pass_s(40)
    scene.recover(f"user stream: {how}", 20)
    assert scene.last(order_id).filled_quantity == 0.4


def test_a_key_that_is_withdrawn_while_running_refuses_the_order_and_says_so(scene: TradingScene) -> None:
    rig = scene.rig
    resting = rig.send()
    with scene.fault(Fault(kind="error_code", endpoint="*", code=-2015, count=0)):
        refused = rig.send()
        assert scene.statuses(refused) == [S.REJECTED]
        assert rig.heard.reports(refused)[-1].rule == "-2015"
        rig.lose_link("cut")
        rig.restore_link(6)
        assert rig.heard.states()[-1] is AdapterState.FAILED
        scene.pass_s(30)
    assert rig.open_orders() == {resting}
    assert scene.statuses(resting) == [S.ACCEPTED]


# --- it speaks nonsense ---------------------------------------------------------------------------------------------


NONSENSE = {
    "broken JSON": Fault(kind="malformed_frame", connection="user"),
    "a list in place of an event": Fault(kind="malformed_frame", connection="user", text="[]"),
    "a number that is none": Fault(kind="malformed_number", connection="user", text="NaN"),
    "a number without an end": Fault(kind="malformed_number", connection="user", text="1e999999999"),
    "text in place of a number": Fault(kind="malformed_number", connection="user", text="many"),
}


@pytest.mark.parametrize("how", list(NONSENSE))
def test_a_message_that_cannot_be_read_is_asked_after(scene: TradingScene, how: str) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(NONSENSE[how]):
        rig.take(Side.SELL, 400)
        rig.settle()
    scene.recover(f"user stream: {how}", 35)
    assert scene.last(order_id).filled_quantity == 0.4


def _scene(product: Product) -> Iterator[TradingScene]:
    made = TradingScene(product)
    try:
        yield made
    finally:
        made.rig.discard()


def _until_lost(scene: TradingScene, bound_s: int) -> None:
    for _ in range(bound_s):
        scene.pass_s(1)
        if scene.rig.heard.states()[-1] is not AdapterState.READY:
            return
    raise AssertionError(f"the link was not given up within {bound_s} s")
