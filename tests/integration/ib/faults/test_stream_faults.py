"""What goes wrong with TWS and its connection: everything is as at the venue afterwards, no order is doubled and none lost.

Each case does one thing to the adapter while it streams and an order rests. What must hold is in tests/support/ib_fault_rig.py, the
same for all; the rows stand in docs/venues/ib_faults.md.
"""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from foxtrot.domain.enums import AdapterState
from foxtrot.exchange.faults import IB as IB_FAULTS
from foxtrot.exchange.faults import KINDS, Scope
from tests.support.fault_document import IB, STREAMS
from tests.support.ib_fault_rig import IbFaultRig
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")
Cause = Callable[[IbFaultRig], float | None]
"""Does it and returns when it is over: with how long the adapter took to notice, where that is part of the recovery."""
DEPTH, ORDER = "updateMktDepthL2", "openOrder"


class Case(msgspec.Struct, frozen=True):
    """One fault: its name in the document, the kind it is made of, what does it, how long the recovery may take."""

    fault: str
    kind: str
    cause: Cause
    bound_s: float
    link_stays: bool = False
    slow: bool = True


def lasting(seconds: float, *faults: tuple[str, dict[str, Any]]) -> Cause:
    """Set faults together, and remove them after some seconds, once all that act a number of times have done so."""

    def cause(rig: IbFaultRig) -> None:
        for kind, terms in faults:
            rig.inject(kind, **terms)
        rig.pass_s(seconds)
        for _ in range(300):
            if not rig.waiting_faults():
                break
            rig.step()
        assert rig.waiting_faults() == []
        rig.over()

    return cause


def until_lost(kind: str, **terms: Any) -> Cause:
    """Let TWS be bad until the adapter gives the link up; return how long that took."""

    def cause(rig: IbFaultRig) -> float:
        passed_s = 0.0
        rig.inject(kind, **terms)
        while AdapterState.LOST not in rig.link_states():
            assert passed_s < 60, "the adapter does not notice"
            rig.step()
            passed_s += 0.1
        rig.over()
        return passed_s

    return cause


def lost(kind: str, **terms: Any) -> Cause:
    """Break the connection, and wait until that is noticed, which takes no time by the clock."""

    def cause(rig: IbFaultRig) -> None:
        rig.inject(kind, **terms)
        rig.pulse()
        wait_until(lambda: AdapterState.LOST in rig.link_states(), deadline_s=10)
        rig.over()

    return cause


def restarted(down_s: float, lag: int = 0) -> Cause:
    """Let TWS be gone for a time, and come back with the same orders on the same port, its next order id perhaps set back."""

    def cause(rig: IbFaultRig) -> None:
        rig.inject("restart", down_s=down_s, lag=lag)
        wait_until(lambda: AdapterState.LOST in rig.link_states(), deadline_s=10)
        rig.pass_s(down_s)
        rig.wait_for_port()
        rig.over()

    return cause


CASES = (
    Case("FIN", "close", lost("close"), 3.0, slow=False),
    Case("RST", "reset", lost("reset"), 3.0, slow=False),
    Case("the socket closes without a word", "close_without_frame", lost("close_without_frame"), 3.0),
    Case("cut in the middle of a message", "cut_mid_frame", lost("cut_mid_frame", stream=DEPTH), 3.0),
    Case("TWS restarts, gone for 10 s", "restart", restarted(10), 20.0),
    Case("TWS restarts, its next order id set back by 10", "restart", restarted(2, lag=10), 5.0),
    Case("client id in use, three times after an RST (326)", "refuse_handshake",
         lasting(0.5, ("reset", {}), ("refuse_handshake", {"count": 3})), 20.0),
    Case("connections refused for 20 s", "refuse_websockets", lasting(20, ("refuse_websockets", {}), ("reset", {})), 40.0),
    Case("the version reply comes in two pieces after an RST", "split_handshake",
         lasting(0.5, ("reset", {}), ("split_handshake", {})), 5.0),
    Case("TWS says nothing at all any more", "go_silent", until_lost("go_silent"), 25.0, slow=False),
    Case("TWS answers nothing", "mute", until_lost("mute"), 25.0),
    Case("the socket is half open", "half_open", until_lost("half_open"), 25.0),
    Case("1100 for 5 s, then 1101 (data lost)", "upstream_lost", lasting(5, ("upstream_lost", {"code": 1101})), 3.0, slow=False),
    Case("1100 for 5 s, then 1102 (data kept)", "upstream_lost", lasting(5, ("upstream_lost", {"code": 1102})), 3.0, slow=False),
    Case("the nightly reset, 20 s", "nightly_reset", lasting(20, ("nightly_reset", {"code": 1102})), 20.0),
    Case("market data farm broken for 5 s (2103, 2104)", "farm_broken", lasting(5, ("farm_broken", {})), 3.0, True),
    Case("a burst whose last read has 4,096 bytes", "burst_4096", lasting(3, ("burst_4096", {})), 3.0, True),
    Case("a message that cannot be read", "malformed_frame", lasting(0.5, ("malformed_frame", {"stream": ORDER})), 3.0, True),
    Case("a number that is none", "malformed_number", lasting(0.5, ("malformed_number", {"stream": "tickPrice"})), 5.0, True),
    Case("we read slowly for 5 s", "slow_reader", lasting(5, ("slow_reader", {})), 2.0, True),
    Case("one byte at a time for 3 s", "one_byte_writes", lasting(3, ("one_byte_writes", {})), 2.0, True),
    Case("TWS's time is 90 s ahead for 10 s", "clock_skew", lasting(10, ("clock_skew", {"skew_ms": 90_000})), 2.0, True),
    Case("depth refused twice after an RST", "error_code",
         lasting(0.5, ("reset", {}), ("error_code", {"endpoint": "reqMktDepth", "count": 2})), 70.0),
    Case("requests answered after 3 s", "delay", lasting(5, ("delay", {"delay_s": 3.0, "count": 3})), 5.0, True),
)  # fmt: skip


def _marked() -> Iterator[Any]:
    for case in CASES:
        yield pytest.param(case, id=case.fault, marks=[pytest.mark.slow] * case.slow)


@pytest.mark.parametrize("case", tuple(_marked()))
def test_everything_is_as_at_the_venue_after(case: Case) -> None:
    with IbFaultRig() as rig:
        rig.begin()
        noticed_s = case.cause(rig) or 0.0
        recovered_s = round(noticed_s + rig.recovered_s(case.bound_s), 1)
        if case.link_stays:
            assert rig.link_states() == []
        else:
            assert AdapterState.LOST in rig.link_states()
        rig.check()
        rig.record(STREAMS, case.fault, recovered_s, case.bound_s)


def test_every_kind_of_fault_of_messages_and_connections_has_a_case() -> None:
    ours = (Scope.HANDSHAKE, Scope.FRAME, Scope.CONNECTION, Scope.STATE)
    kinds = {name for name, kind in KINDS.items() if kind.scope in ours and IB_FAULTS in kind.venues}
    of_orders, not_told = {"duplicate_fills", "duplicate_orders"}, {"gap"}
    assert kinds - of_orders - not_told <= {case.kind for case in CASES}


def test_every_documented_row_has_a_case() -> None:
    assert {fault for fault, _ in IB.documented(STREAMS)} == {case.fault for case in CASES}
