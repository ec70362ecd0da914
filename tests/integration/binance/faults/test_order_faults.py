"""Orders while requests and their answers go wrong: none is doubled, lost or called rejected for silence."""

from collections.abc import Iterator

import msgspec
import pytest

from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus, OrderType, Product, Side
from foxtrot.domain.order import CancelRequest
from foxtrot.exchange.faults import Fault
from tests.support.binance_rig import BinanceRig
from tests.support.trading_scene import PRODUCTS, TradingScene

S = OrderStatus
PLACE, CANCEL = "POST */order", "DELETE */order"


@pytest.fixture(params=list(PRODUCTS))
def scene(request: pytest.FixtureRequest) -> Iterator[TradingScene]:
    """A connected adapter of each product."""
    made = TradingScene(PRODUCTS[request.param])
    try:
        yield made
    finally:
        made.rig.discard()


# --- the order was taken, its answer was not heard ------------------------------------------------------------------


LOST = {
    "hang": Fault(kind="ack_lost", endpoint=PLACE, hang=True),
    "cut connection": Fault(kind="ack_lost", endpoint=PLACE),
    "-1007": Fault(kind="ack_lost", endpoint=PLACE, code=-1007),
    "-1006": Fault(kind="ack_lost", endpoint=PLACE, code=-1006),
    "-1000": Fault(kind="ack_lost", endpoint=PLACE, code=-1000),
    "502 page": Fault(kind="http_status", endpoint=PLACE, status=502, executed=True),
    "503 page": Fault(kind="http_status", endpoint=PLACE, status=503, executed=True),
    "504 page": Fault(kind="http_status", endpoint=PLACE, status=504, executed=True),
    "page with 200": Fault(kind="html", endpoint=PLACE, executed=True),
    "truncated": Fault(kind="cut_answer", endpoint=PLACE),
}


UNHEARD = ("hang", "cut connection", "503 page")


@pytest.mark.parametrize(
    ("how", "stream"), [*((how, "heard") for how in LOST), *((how, "not heard") for how in UNHEARD)]
)
def test_an_order_whose_answer_is_lost_is_found_and_never_sent_again(
    scene: TradingScene, how: str, stream: str
) -> None:
    rig = scene.rig
    deaf = [Fault(kind="go_silent", connection="user")] if stream == "not heard" else []
    with scene.fault(LOST[how], *deaf, silent=how == "hang"):
        order_id = rig.send()
        scene.pass_s(11 if how == "hang" else 2)
        assert S.REJECTED not in scene.statuses(order_id)
        assert rig.received() == [order_id]
    scene.recover(f"answer to an order lost ({how}), user stream {stream}", 20)
    assert scene.statuses(order_id)[-1] is S.ACCEPTED
    assert rig.received() == [order_id]
    rig.take(Side.SELL, 400)
    rig.settle()
    scene.check()


@pytest.mark.parametrize("how", ["hang", "cut connection", "-1007", "truncated"])
def test_an_order_that_filled_while_its_answer_was_lost_has_its_fills_once(scene: TradingScene, how: str) -> None:
    rig = scene.rig
    with scene.fault(LOST[how], silent=how == "hang"):
        order_id = rig.send(price=10_200, quantity=6_000)
        scene.pass_s(11 if how == "hang" else 1)
    scene.recover(f"answer to an order that filled lost ({how})", 5)
    assert scene.statuses(order_id)[-1] is S.FILLED
    assert rig.received() == [order_id]


# --- the order was never taken --------------------------------------------------------------------------------------


NEVER = {
    "-1007": Fault(kind="error_code", endpoint=PLACE, code=-1007),
    "-1006": Fault(kind="error_code", endpoint=PLACE, code=-1006),
    "502 page": Fault(kind="http_status", endpoint=PLACE, status=502),
    "503 page": Fault(kind="http_status", endpoint=PLACE, status=503),
    "page with 200": Fault(kind="html", endpoint=PLACE),
}


@pytest.mark.parametrize("how", list(NEVER))
def test_an_order_that_never_arrived_is_denied_after_the_bound_and_not_before(scene: TradingScene, how: str) -> None:
    rig = scene.rig
    with scene.fault(NEVER[how]):
        order_id = rig.send()
    scene.pass_s(rig.capabilities.unknown_bound_s - 1)
    assert scene.statuses(order_id) == [S.UNKNOWN]
    scene.recover(f"order lost on its way ({how})", 40)
    assert scene.statuses(order_id) == [S.UNKNOWN, S.DENIED]
    assert rig.heard.reports(order_id)[-1].rule == "never_reached_market"
    assert rig.received() == [order_id]


REFUSALS = {
    "-1008": Fault(kind="error_code", endpoint=PLACE, code=-1008),
    "503 overloaded": Fault(kind="error_code", endpoint=PLACE, code=-1008, status=503),
    "-2010": Fault(kind="error_code", endpoint=PLACE, code=-2010),
}


@pytest.mark.parametrize("how", list(REFUSALS))
def test_a_documented_refusal_is_told_as_one_and_not_tried_again(scene: TradingScene, how: str) -> None:
    rig = scene.rig
    with scene.fault(REFUSALS[how]):
        order_id = rig.send()
    scene.pass_s(1)
    assert scene.statuses(order_id) == [S.REJECTED]
    assert rig.received() == [order_id]
    scene.recover(f"order refused ({how})", 5)


@pytest.mark.parametrize(
    "text", ["Unknown error, please check your request or try again later.", "Service Unavailable."]
)
def test_a_503_with_words_of_binances_own_leaves_the_order_unknown(scene: TradingScene, text: str) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="http_status", endpoint=PLACE, status=503, code=-1000, msg=text)):
        order_id = rig.send()
        assert scene.statuses(order_id) == [S.UNKNOWN]
    scene.recover(f"503: {text}", 40)
    assert scene.statuses(order_id) == [S.UNKNOWN, S.DENIED]


# --- late -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("executed", [True, False], ids=["executed at once", "executed late"])
def test_an_answer_after_the_deadline_finds_its_order(scene: TradingScene, executed: bool) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="delay", endpoint=PLACE, delay_s=13, executed=executed), silent=True):
        order_id = rig.send()
        scene.pass_s(11)
        assert scene.statuses(order_id)[-1] is (S.ACCEPTED if executed else S.UNKNOWN)
        scene.pass_s(4)
    scene.recover(f"answer to an order after 13 s, {'executed at once' if executed else 'executed late'}", 40)
    assert rig.received() == [order_id]
    # An order that arrives later than its receive window is refused there by its age.
    assert scene.statuses(order_id)[-1] is (S.ACCEPTED if executed else S.DENIED)


def test_an_order_that_is_two_seconds_late_is_accepted_once(scene: TradingScene) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="delay", endpoint="*", delay_s=2, count=0, for_s=30), silent=True):
        order_id = rig.send(price=10_200, quantity=6_000)
        scene.pass_s(31)
    scene.recover("every answer takes 2 s", 10)
    assert scene.statuses(order_id)[-1] is S.FILLED


# --- fills ----------------------------------------------------------------------------------------------------------


def test_a_fill_told_twice_counts_once(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(Fault(kind="duplicate_fills", count=0)):
        for quantity in (200, 300, 500):
            rig.take(Side.SELL, quantity)
        rig.settle()
        assert [fill.quantity for fill in rig.heard.fills(order_id)] == [0.2, 0.3, 0.5]
        rig.send(price=10_200, quantity=6_000)
        scene.recover("every fill told twice", 5)


def test_fills_told_in_another_order_are_all_counted(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(Fault(kind="reorder_fills", count=2)):
        for quantity in (200, 300, 100, 400):
            rig.take(Side.SELL, quantity)
        scene.pass_s(3)
    reports = rig.heard.reports(order_id)
    assert [report.filled_quantity for report in reports] == sorted(report.filled_quantity for report in reports)
    assert reports[-1].status is S.FILLED
    scene.recover("fills told in another order", 5)


def test_a_fill_is_heard_before_the_answer_to_its_order(scene: TradingScene) -> None:
    rig = scene.rig
    with scene.fault(Fault(kind="delay", endpoint=PLACE, delay_s=3, executed=True), silent=True):
        order_id = rig.send(price=10_200, quantity=6_000)
        assert scene.statuses(order_id)[-1] is S.FILLED
        scene.pass_s(4)
    scene.recover("fills before the answer to their order", 5)


def test_a_fill_that_the_stream_keeps_back_is_had_by_asking(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(Fault(kind="gap", stream="fills", count=1)):
        rig.take(Side.SELL, 300)
        rig.settle()
    scene.recover("a fill that the user stream does not tell", 35)
    assert [fill.quantity for fill in rig.heard.fills(order_id)] == [0.3]
    rig.take(Side.SELL, 700)
    rig.settle()
    assert [fill.quantity for fill in rig.heard.fills(order_id)] == [0.3, 0.7]
    scene.check()


@pytest.mark.parametrize("then", ["stream goes on", "link lost"])
@pytest.mark.parametrize("product", list(PRODUCTS))
def test_a_fill_of_an_order_of_an_earlier_run_is_had_by_asking(product: str, then: str) -> None:
    scene = TradingScene(PRODUCTS[product], _leave_an_order)
    rig = scene.rig
    try:
        with scene.fault(Fault(kind="gap", stream="fills", count=1)):
            rig.take(Side.SELL, 1_000)
            scene.pass_s(1)
        rig.take(Side.SELL, 500)  # heard, and later than the one that is missing
        rig.settle()
        assert [fill.quantity for fill in rig.heard.fills("earlier")] == [0.5]
        if then == "link lost":
            rig.lose_link("cable pulled")
        scene.recover(f"a fill of an earlier run's order that the user stream does not tell, {then}", 35)
    finally:
        rig.discard()


def _leave_an_order(rig: BinanceRig) -> None:
    rig.place_elsewhere("earlier", Side.BUY, 9_960, 3_000)
    rig.take(Side.SELL, 200)
    rig.advance(5)


# --- cancels --------------------------------------------------------------------------------------------------------


LOST_CANCELS = {
    "hang": Fault(kind="ack_lost", endpoint=CANCEL, hang=True),
    "cut connection": Fault(kind="ack_lost", endpoint=CANCEL),
    "-1007": Fault(kind="ack_lost", endpoint=CANCEL, code=-1007),
    "truncated": Fault(kind="cut_answer", endpoint=CANCEL),
    "503 page": Fault(kind="http_status", endpoint=CANCEL, status=503, executed=True),
}


@pytest.mark.parametrize(
    ("how", "stream"), [*((how, "heard") for how in LOST_CANCELS), ("hang", "not heard"), ("503 page", "not heard")]
)
def test_a_cancel_whose_answer_is_lost_is_found_done(scene: TradingScene, how: str, stream: str) -> None:
    rig = scene.rig
    order_id = rig.send()
    deaf = [Fault(kind="go_silent", connection="user")] if stream == "not heard" else []
    with scene.fault(LOST_CANCELS[how], *deaf, silent=how == "hang"):
        rig.cancel(order_id)
        scene.pass_s(11 if how == "hang" else 1)
        assert scene.statuses(order_id) == [S.ACCEPTED, S.CANCELLED]
    scene.recover(f"answer to a cancel lost ({how}), user stream {stream}", 40)


def test_a_cancel_that_never_arrived_says_that_the_order_is_open(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(Fault(kind="http_status", endpoint=CANCEL, status=502)):
        before = len(rig.heard)
        rig.cancel(order_id)
        assert len(rig.heard.of(RequestFailed, before)) == 1
    assert rig.open_orders() == {order_id}
    rig.cancel(order_id)
    assert scene.statuses(order_id) == [S.ACCEPTED, S.CANCELLED]
    scene.recover("a cancel lost on its way", 5)


@pytest.mark.parametrize("seen", ["answer late", "stream late"])
def test_a_cancel_that_crosses_a_fill_ends_filled(scene: TradingScene, seen: str) -> None:
    rig = scene.rig
    order_id = rig.send()
    faults = {
        "answer late": Fault(kind="delay", endpoint=CANCEL, delay_s=1),
        "stream late": Fault(kind="reorder_fills", count=1, delay_s=2),
    }
    with scene.fault(faults[seen], silent=seen == "answer late"):
        if seen == "answer late":
            rig.adapter.cancel_order(CancelRequest(order_id, rig.account, rig.spot.instrument_id))
            rig.settle()
        rig.take(Side.SELL, 1_000)
        if seen == "stream late":
            rig.cancel(order_id)
        scene.pass_s(5)
    assert scene.statuses(order_id)[-1] is S.FILLED
    assert sum(fill.quantity for fill in rig.heard.fills(order_id)) == 1.0
    scene.recover(f"a cancel crosses a fill, {seen}", 5)


def test_a_cancel_told_before_the_fill_it_followed_keeps_the_fill(scene: TradingScene) -> None:
    rig = scene.rig
    order_id = rig.send()
    with scene.fault(Fault(kind="reorder_fills", count=1, delay_s=1)):
        rig.take(Side.SELL, 400)
        rig.cancel(order_id)
        scene.pass_s(5)
    last = rig.heard.reports(order_id)[-1]
    assert (last.status, last.filled_quantity) == (S.CANCELLED, 0.4)
    assert len(rig.heard.fills(order_id)) == 1
    scene.recover("a cancel told before the fill it followed", 5)


# --- somebody else --------------------------------------------------------------------------------------------------


def test_orders_of_another_client_are_told_under_their_own_ids(scene: TradingScene) -> None:
    rig = scene.rig
    own = rig.send()
    common = {"account": rig.account, "symbol": "BTCUSDT", "quantity": "0.5"}
    resting = Fault(kind="other_order", side="BUY", price="99.40", **common)
    with scene.fault(resting, Fault(kind="other_order", side="SELL", **common)):
        rig.settle()
    others = rig.open_orders() - {own}
    assert len(others) == 1
    rig.cancel(others.pop())
    assert rig.received() == [own]
    scene.recover("another client trades on the account", 5)


def test_an_order_in_flight_while_the_venue_restarts_is_found_again(scene: TradingScene) -> None:
    rig = scene.rig
    resting = rig.send(quantity=300)
    lost = Fault(kind="ack_lost", endpoint=PLACE, hang=True)
    with scene.fault(lost, Fault(kind="restart", down_s=4, at_s=1), silent=True):
        order_id = rig.send()
        scene.pass_s(10)
    scene.recover("the venue restarts while an order is under way", 30)
    assert rig.received() == [resting, order_id]
    assert rig.open_orders() == {resting, order_id}
    assert scene.statuses(order_id)[-1] is S.ACCEPTED
    rig.take(Side.SELL, 700)
    rig.settle()
    scene.check()


# --- orders that wait for their trigger -----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["hang", "cut connection", "503 page"])
def test_a_stop_whose_answer_is_lost_is_found_and_triggers_once(scene: TradingScene, how: str) -> None:
    rig = scene.rig
    place = PLACE if rig.product is Product.SPOT else "POST */algoOrder"
    with scene.fault(msgspec.structs.replace(LOST[how], endpoint=place), silent=how == "hang"):
        order_id = rig.send(price=0, order_type=OrderType.STOP, trigger_units=10_100)
        scene.pass_s(11 if how == "hang" else 1)
    scene.recover(f"answer to a stop lost ({how})", 20)
    assert scene.statuses(order_id)[-1] is S.ACCEPTED
    rig.take(Side.BUY, 100)
    rig.settle()
    assert scene.statuses(order_id)[-1] is S.FILLED
    assert rig.received() == [order_id]
    scene.check()
