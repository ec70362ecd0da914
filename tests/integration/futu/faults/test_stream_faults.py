"""What goes wrong with OpenD and its connections: everything is as at the venue afterwards, no order is doubled and none lost.

Each case does one thing to the adapter while it streams and an order rests. What must hold is in tests/support/futu_fault_rig.py, the
same for all; the rows stand in docs/venues/futu_faults.md.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from foxtrot.domain.enums import AdapterState
from foxtrot.exchange.faults import FUTU as FUTU_FAULTS
from foxtrot.exchange.faults import KINDS, Scope
from tests.support.fault_document import FUTU, STREAMS
from tests.support.futu_fault_rig import FutuFaultRig
from tests.support.waiting import wait_until

pytestmark = pytest.mark.usefixtures("futu_sdk")
Cause = Callable[[FutuFaultRig], float | None]
"""Does it and returns when it is over: with how long the adapter took to notice, where that is part of the recovery."""
REAL, PAPER = True, False
NOTICE, BOOK, PRINT = "Notify", "Qot_UpdateOrderBook", "Qot_UpdateTicker"


class Case(msgspec.Struct, frozen=True):
    """One fault: its name in the document, the kind it is made of, what does it, how long the recovery may take."""

    fault: str
    kind: str
    cause: Cause
    bound_s: float
    link_stays: bool = False
    accounts: tuple[bool, ...] = (REAL,)
    slow: bool = True
    prints_stay_away: bool = False


def once(kind: str, **terms: Any) -> Cause:
    """Set a fault that acts and is over."""
    return lasting(0.5, (kind, terms))


def lasting(seconds: float, *faults: tuple[str, dict[str, Any]]) -> Cause:
    """Set faults together, and remove them after some seconds, once all that act a number of times have done so."""

    def cause(rig: FutuFaultRig) -> None:
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
    """Let OpenD be bad until the adapter gives the link up; return how long that took."""

    def cause(rig: FutuFaultRig) -> float:
        passed_s = 0.0
        rig.inject(kind, **terms)
        while AdapterState.LOST not in rig.link_states():
            assert passed_s < 60, "the adapter does not notice"
            rig.step()
            passed_s += 0.1
        rig.over()
        return passed_s

    return cause


def mute_for_a_while(rig: FutuFaultRig) -> float:
    """Answer nothing for five seconds: what was asked meanwhile is never answered, which costs the link; return when, from the end on."""
    rig.inject("mute")
    rig.pass_s(5)
    rig.server.clear_faults()
    passed_s = 0.0
    while AdapterState.LOST not in rig.link_states():
        assert passed_s < 60, "the adapter does not notice"
        rig.step()
        passed_s += 0.1
    rig.over()
    return passed_s


def lost(kind: str, **terms: Any) -> Cause:
    """Break connections, and wait until that is noticed, which takes no time by the clock."""

    def cause(rig: FutuFaultRig) -> None:
        rig.inject(kind, **terms)
        rig.pulse()
        wait_until(lambda: AdapterState.LOST in rig.link_states(), deadline_s=10)
        rig.over()

    return cause


def refused(seconds: float) -> Cause:
    """Break the connections and refuse InitConnect for a time."""

    def cause(rig: FutuFaultRig) -> None:
        rig.inject("refuse_websockets", msg="not yet")
        rig.inject("reset")
        wait_until(lambda: AdapterState.LOST in rig.link_states(), deadline_s=10)
        rig.pass_s(seconds)
        assert 1 <= rig.acted("refuse_websockets") <= 20, f"{rig.acted('refuse_websockets')} times in {seconds} s"
        rig.over()

    return cause


def restarted(down_s: float) -> Cause:
    """Let OpenD be gone for a time, and come back with the same orders on the same port."""

    def cause(rig: FutuFaultRig) -> None:
        rig.inject("restart", down_s=down_s)
        wait_until(lambda: AdapterState.LOST in rig.link_states(), deadline_s=10)
        rig.pass_s(down_s)
        rig.wait_for_port()
        rig.over()

    return cause


def flapping(rig: FutuFaultRig) -> None:
    """Be there for two seconds and gone for two, for a minute."""
    for _ in range(15):
        rig.inject("restart", down_s=2)
        rig.pass_s(2)
        rig.wait_for_port()
        rig.pass_s(2)
    assert rig.link_states().count(AdapterState.CONNECTING) < 60
    rig.over()


CASES = (
    Case("FIN on both connections", "close", lost("close"), 1.0, accounts=(REAL, PAPER), slow=False),
    Case("RST on both connections", "reset", lost("reset"), 1.0, accounts=(REAL, PAPER), slow=False),
    Case("RST on the connection of quotes", "reset", lost("reset", connection="quote"), 1.0),
    Case("RST on the connection of trading", "reset", lost("reset", connection="trade"), 1.0),
    Case("the socket closes without a word", "close_without_frame", lost("close_without_frame"), 1.0),
    Case("cut in the middle of a frame", "cut_mid_frame", lost("cut_mid_frame", stream=BOOK), 1.0),
    Case("OpenD restarts, gone for 10 s", "restart", restarted(10), 1.0),
    Case("OpenD is there for 2 s and gone for 2, for a minute", "restart", flapping, 2.0),
    Case("InitConnect refused, three times", "refuse_handshake",
         lasting(0.5, ("reset", {}), ("refuse_handshake", {"count": 3, "msg": "not yet"})), 10.0),
    Case("InitConnect refused for 20 s", "refuse_websockets", refused(20), 31.0),
    Case("OpenD answers nothing for 5 s", "mute", mute_for_a_while, 16.0),
    Case("OpenD answers nothing for good", "mute", until_lost("mute"), 20.0, slow=False),
    Case("both sockets half open", "half_open", until_lost("half_open"), 20.0),
    Case("upstream lost for 5 s", "upstream_lost", lasting(5, ("upstream_lost", {})), 1.0, slow=False),
    Case("upstream of quotes lost for 5 s", "upstream_lost", lasting(5, ("upstream_lost", {"connection": "quote"})), 1.0),
    Case("upstream of trading lost for 5 s", "upstream_lost", lasting(5, ("upstream_lost", {"connection": "trade"})), 1.0),
    Case("upstream lost for 10 s, and no notice of it", "upstream_lost",
         lasting(10, ("go_silent", {"stream": NOTICE}), ("upstream_lost", {})), 4.0),
    Case("a push of the book is lost", "gap", once("gap", stream=BOOK), 2.0, True),
    Case("a push of a print is lost", "gap", once("gap", stream=PRINT), 1.0, True, prints_stay_away=True),
    Case("no pushes for 5 s", "go_silent", lasting(5, ("go_silent", {})), 4.0, True, prints_stay_away=True),
    Case("no pushes of the book for 30 s", "go_silent", lasting(30, ("go_silent", {"stream": BOOK})), 4.0, True),
    Case("a push whose SHA-1 is wrong", "malformed_frame", once("malformed_frame", stream=BOOK), 2.0, True),
    Case("we read slowly for 5 s", "slow_reader", lasting(5, ("slow_reader", {})), 1.0, True, slow=False),
    Case("one byte at a time for 3 s", "one_byte_writes", lasting(3, ("one_byte_writes", {})), 1.0, True),
    Case("OpenD's time is 90 s ahead for 10 s", "clock_skew", lasting(10, ("clock_skew", {"skew_ms": 90_000})), 1.0, True),
    Case("Qot_Sub refused twice after an RST", "error_code",
         lasting(0.5, ("reset", {}), ("error_code", {"endpoint": "Qot_Sub", "count": 2})), 10.0),
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
def test_everything_is_as_at_the_venue_after(case: Case, real: bool) -> None:
    with FutuFaultRig(real=real) as rig:
        rig.begin()
        noticed_s = case.cause(rig) or 0.0
        recovered_s = round(noticed_s + rig.recovered_s(case.bound_s), 1)
        if case.prints_stay_away:
            rig.give_up_prints()
        if case.link_stays:
            assert rig.link_states() == []
        else:
            assert AdapterState.LOST in rig.link_states()
        rig.check()
        rig.record(STREAMS, case.fault, recovered_s, case.bound_s)


def test_every_kind_of_fault_of_pushes_and_connections_has_a_case() -> None:
    ours = (Scope.HANDSHAKE, Scope.FRAME, Scope.CONNECTION, Scope.STATE)
    kinds = {name for name, kind in KINDS.items() if kind.scope in ours and FUTU_FAULTS in kind.venues}
    assert kinds - {"duplicate_fills"} | {"restart"} <= {case.kind for case in CASES}


def test_every_documented_row_has_a_case() -> None:
    assert FUTU.documented(STREAMS) == {(case.fault, _name_of(real)) for case in CASES for real in case.accounts}
