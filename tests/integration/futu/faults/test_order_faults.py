"""What goes wrong with orders, fills and requests at Futu: no order is doubled, none is lost, and every fill counts once.

What must hold afterwards is in tests/support/futu_fault_rig.py; the rows stand in docs/venues/futu_faults.md.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from foxtrot.domain.enums import AdapterState, OrderStatus, Side
from foxtrot.domain.order import CancelRequest
from foxtrot.exchange.faults import FUTU as FUTU_FAULTS
from foxtrot.exchange.faults import KINDS, Scope
from tests.support.fault_document import ACCOUNT, FUTU
from tests.support.futu_fault_rig import SHARE, FutuFaultRig
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("futu_sdk")
Cause = Callable[[FutuFaultRig], str]
"""Does it and returns, when the fault is over, the id of the order that it is about."""
REAL, PAPER = True, False
PLACE, CHANGE = "Trd_PlaceOrder", "Trd_ModifyOrder"
TOP = 9_960
"""A price above that of the order that rests, so that an order there is filled first."""


class Case(msgspec.Struct, frozen=True):
    """One fault: its name in the document, the kind it is made of, what does it, how long the recovery may take, how the order is."""

    fault: str
    kind: str
    cause: Cause
    bound_s: float
    last: OrderStatus = OrderStatus.ACCEPTED
    accounts: tuple[bool, ...] = (REAL,)
    slow: bool = True


def lost_link(rig: FutuFaultRig) -> None:
    wait_until(lambda: AdapterState.LOST in rig.link_states(), deadline_s=10)


def answer_lost(**terms: Any) -> Cause:
    """Take an order, and lose its answer with the connection."""

    def cause(rig: FutuFaultRig) -> str:
        rig.inject("ack_lost", endpoint=PLACE, **terms)
        order_id = rig.place()
        lost_link(rig)
        rig.over()
        return order_id

    return cause


def never_arrived(rig: FutuFaultRig) -> str:
    """Lose an order on its way, and the connection with it."""
    rig.inject("mute", endpoint=PLACE)
    order_id = rig.place()
    rig.pass_s(0.5)
    rig.inject("reset")
    lost_link(rig)
    rig.over()
    return order_id


def not_answered(rig: FutuFaultRig) -> str:
    """Take an order and never answer, over a connection that stands: the SDK waits for twelve seconds of real time."""
    rig.inject("mute", endpoint=PLACE, executed=True)
    rig.inject("go_silent", stream="Trd_*")
    order_id = rig.place()
    wait_until(lambda: bool(rig.heard.reports(order_id)), deadline_s=20)
    rig.over()
    return order_id


def filled_before_its_answer(rig: FutuFaultRig) -> str:
    """Fill an order whose answer is two seconds late."""
    rig.inject("delay", endpoint=PLACE, delay_s=2, executed=True)
    order_id = rig.place(price=TOP)
    wait_until(lambda: order_id in rig.received(), deadline_s=5)
    rig.take(Side.SELL, 5 * SHARE)
    rig.pass_s(2.5)
    rig.over()
    return order_id


def filled_before_its_cancel(rig: FutuFaultRig) -> str:
    """Fill an order while its cancel is on the way."""
    order_id = rig.place(price=TOP)
    rig.pass_s(0.3)
    number = rig.inject("delay", endpoint=CHANGE, delay_s=1)
    rig.adapter.cancel_order(CancelRequest(order_id, rig.account, rig.spot.instrument_id))
    wait_until(lambda: rig.acted("delay") == 1, deadline_s=5)
    rig.take(Side.SELL, 5 * SHARE)
    rig.pass_s(1.2)
    rig.server.clear_faults(number)
    rig.over()
    return order_id


def fill_told_twice(rig: FutuFaultRig) -> str:
    """Push each of two fills twice."""
    rig.inject("duplicate_fills", count=2)
    for _ in range(2):
        rig.hit_ours()
        rig.pass_s(0.3)
    rig.over()
    return rig.resting


def pushes_lost(rig: FutuFaultRig) -> str:
    """Fill a part of an order while nothing is pushed of it."""
    rig.inject("go_silent", stream="Trd_*")
    rig.hit_ours()
    rig.pass_s(0.5)
    rig.over()
    return rig.resting


def gone_meanwhile(rig: FutuFaultRig) -> str:
    """Fill a part of an order and cancel the rest elsewhere, while OpenD takes no connection."""
    rig.inject("refuse_websockets", msg="not yet")
    rig.inject("reset")
    lost_link(rig)
    rig.hit_ours()
    rig.pass_s(2)
    rig.cancel_elsewhere(rig.resting)
    rig.pass_s(2)
    rig.over()
    return rig.resting


def locked_again(rig: FutuFaultRig) -> str:
    """Lock trading as somebody at OpenD's window would, and order."""
    rig.inject("lock_trade")
    rig.over()
    order_id = rig.place()
    wait_until(lambda: bool(rig.heard.reports(order_id)), deadline_s=5)
    while rig.adapter.trading.orders.unlocking.locked:  # type: ignore[attr-defined]
        rig.step()
    return order_id


def orders_late(rig: FutuFaultRig) -> str:
    """Carry orders and changes out two seconds late, for ten seconds in which we order and cancel."""
    rig.inject("delay", endpoint="Trd_*Order", count=0, delay_s=2)
    order_id = rig.place()
    rig.pass_s(1)
    other = rig.place()
    rig.pass_s(4)
    rig.adapter.cancel_order(CancelRequest(other, rig.account, rig.spot.instrument_id))
    rig.pass_s(5)
    rig.over()
    return order_id


def asked_too_often(rig: FutuFaultRig) -> str:
    """Refuse every question about orders for ten seconds, in which a push is lost."""
    rig.inject("too_many_requests", endpoint="Trd_GetOrderList")
    rig.inject("go_silent", stream="Trd_*")
    rig.hit_ours()
    rig.pass_s(10)
    rig.over()
    return rig.resting


def refused_once(rig: FutuFaultRig) -> str:
    """Refuse an order in words that the adapter does not know."""
    rig.inject("error_code", endpoint=PLACE, code=-1, msg="no", count=1)
    order_id = rig.place()
    rig.pass_s(0.5)
    rig.over()
    return order_id


def half_an_answer(rig: FutuFaultRig) -> str:
    """Cut the answer to an order in its middle."""
    rig.inject("cut_answer", endpoint=PLACE)
    order_id = rig.place()
    lost_link(rig)
    rig.over()
    return order_id


S = OrderStatus
CASES = (
    Case("answer to an order lost with its connection", "ack_lost", answer_lost(), 2.0, accounts=(REAL, PAPER)),
    Case("RST while an order is under way", "ack_lost", answer_lost(reset=True), 2.0, slow=False),
    Case("half of the answer to an order, then FIN", "cut_answer", half_an_answer, 2.0),
    Case("order lost with its connection", "mute", never_arrived, 60.0, S.DENIED),
    Case("order taken and not answered, pushes lost", "mute", not_answered, 20.0),
    Case("order filled before its answer, which is 2 s late", "delay", filled_before_its_answer, 1.0, S.FILLED, slow=False),
    Case("order filled before its cancel arrives", "delay", filled_before_its_cancel, 1.0, S.FILLED),
    Case("each fill is pushed twice", "duplicate_fills", fill_told_twice, 1.0, S.PARTIALLY_FILLED),
    Case("pushes of orders and fills are lost", "go_silent", pushes_lost, 12.0, S.PARTIALLY_FILLED, (REAL, PAPER), slow=False),
    Case("filled and cancelled elsewhere while OpenD is away", "reset", gone_meanwhile, 5.0, S.CANCELLED, (REAL, PAPER)),
    Case("trading is locked again", "lock_trade", locked_again, 1.0, S.REJECTED, slow=False),
    Case("orders and cancels are carried out 2 s late for 10 s", "delay", orders_late, 3.0),
    Case("questions about orders refused for 10 s, pushes lost", "too_many_requests", asked_too_often, 40.0, S.PARTIALLY_FILLED),
    Case("an order is refused", "error_code", refused_once, 1.0, S.REJECTED),
)  # fmt: skip


def _name_of(real: bool) -> str:
    return "real" if real else "simulate"


def _pairs() -> Iterator[Any]:
    for case in CASES:
        for real in case.accounts:
            yield pytest.param(
                case, real, id=f"{case.fault}-{_name_of(real)}", marks=[pytest.mark.slow] * (case.slow or not real)
            )


@pytest.mark.parametrize(("case", "real"), tuple(_pairs()))
def test_no_order_is_doubled_or_lost(case: Case, real: bool) -> None:
    with FutuFaultRig(real=real) as rig:
        rig.begin()
        order_id = case.cause(rig)
        recovered_s = rig.recovered_s(case.bound_s)
        assert rig.heard.reports(order_id)[-1].status is case.last
        rig.note_order(order_id)
        rig.check()
        rig.record(ACCOUNT, case.fault, recovered_s, case.bound_s)


def test_every_kind_of_fault_of_requests_has_a_case() -> None:
    kinds = {name for name, kind in KINDS.items() if kind.scope is Scope.REQUEST and FUTU_FAULTS in kind.venues}
    assert kinds | {"lock_trade", "duplicate_fills"} <= {case.kind for case in CASES}


def test_every_documented_row_has_a_case() -> None:
    assert FUTU.documented(ACCOUNT) == {(case.fault, _name_of(real)) for case in CASES for real in case.accounts}
