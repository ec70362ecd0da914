"""What goes wrong with orders and their answers at TWS: each is at the venue once, and ends as the venue has it.

The rows stand in docs/venues/ib_faults.md; tests/integration/ib/test_recovery.py has more of what must hold.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from foxtrot.domain.enums import AdapterState
from tests.support.fault_document import ACCOUNT, IB
from tests.support.ib_fault_rig import IbFaultRig
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")
Cause = Callable[[IbFaultRig], str]
"""Does it, and returns the id of the order that it is about."""


class Case(msgspec.Struct, frozen=True):
    """One fault: its name in the document, what does it, how long the recovery may take."""

    fault: str
    cause: Cause
    bound_s: float
    slow: bool = True


def answer_lost(**how: Any) -> Cause:
    """Take an order and lose what TWS says of it."""

    def cause(rig: IbFaultRig) -> str:
        rig.inject("ack_lost", endpoint="placeOrder", **how)
        order_id = rig.place()
        rig.pass_s(0.5)
        rig.over()
        return order_id

    return cause


def told_twice(kind: str) -> Cause:
    """Tell reports twice."""

    def cause(rig: IbFaultRig) -> str:
        rig.inject(kind, count=0)
        order_id = rig.place()
        rig.pass_s(0.5)
        rig.hit_ours()
        rig.pass_s(1)
        rig.over()
        return order_id

    return cause


def filled_in_the_window(code: int) -> Cause:
    """Fill a share of the resting order while TWS is cut off from IB, so that nobody tells."""

    def cause(rig: IbFaultRig) -> str:
        rig.inject("upstream_lost", code=code)
        rig.pass_s(1)
        assert AdapterState.LOST in rig.link_states()
        rig.hit_ours()
        rig.pass_s(4)
        rig.over()
        return rig.resting

    return cause


def filled_while_away(rig: IbFaultRig) -> str:
    """Fill a share of the resting order while TWS is gone."""
    rig.inject("restart", down_s=5)
    wait_until(lambda: AdapterState.LOST in rig.link_states(), deadline_s=10)
    rig.hit_ours()
    rig.pass_s(5)
    rig.wait_for_port()
    rig.over()
    return rig.resting


def refused(rig: IbFaultRig) -> str:
    """Refuse an order."""
    rig.inject("error_code", endpoint="placeOrder", code=201, msg="Order rejected - reason:not today")
    order_id = rig.place()
    rig.pass_s(0.5)
    rig.over()
    return order_id


CASES = (
    Case("an order is refused (201)", refused, 2.0),
    Case("the answer to an order is lost with the connection", answer_lost(reset=True), 5.0, slow=False),
    Case("each execution is told twice", told_twice("duplicate_fills"), 2.0),
    Case("each openOrder is told twice", told_twice("duplicate_orders"), 2.0),
    Case("filled in a 1100 window, then 1101", filled_in_the_window(1101), 3.0, slow=False),
    Case("filled in a 1100 window, then 1102", filled_in_the_window(1102), 3.0),
    Case("filled while TWS is gone for 5 s", filled_while_away, 10.0),
)


def _marked() -> Iterator[Any]:
    for case in CASES:
        yield pytest.param(case, id=case.fault, marks=[pytest.mark.slow] * case.slow)


@pytest.mark.parametrize("case", tuple(_marked()))
def test_every_order_ends_as_the_venue_has_it(case: Case) -> None:
    with IbFaultRig() as rig:
        rig.begin()
        order_id = case.cause(rig)
        recovered_s = rig.recovered_s(case.bound_s)
        rig.note_order(order_id)
        rig.check()
        rig.record(ACCOUNT, case.fault, recovered_s, case.bound_s)


def test_every_documented_row_has_a_case() -> None:
    assert {fault for fault, _ in IB.documented(ACCOUNT)} == {case.fault for case in CASES}
