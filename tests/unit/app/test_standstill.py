"""The lease of a platform: renewed at each look, lapsed when nobody looked, revived when every account is known again."""

import threading
from dataclasses import dataclass, field

import pytest

from foxtrot.app.pace import STEP_S, THREAD, Pace
from foxtrot.app.standstill import (
    ASK_AGAIN_S,
    ASK_FIRST_S,
    HOPELESS_S,
    LEASE_S,
    STOP_LEASE_S,
    Standstill,
)
from foxtrot.core.clock import ManualClock, suspend_aware_ns
from foxtrot.core.commands import ReconcileNow
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, PartFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from tests.support.waiting import wait_until

S = 1_000_000_000


@dataclass
class Link:
    """As much of an adapter as a standstill sees."""

    state: AdapterState = AdapterState.READY
    trades: bool = True
    renewed: list[str] = field(default_factory=list)

    def renew_link(self, cause: str) -> None:
        self.renewed.append(cause)


class Rig:
    def __init__(self, **links: Link) -> None:
        self.clock = ManualClock(10 * S)
        self.permit = SendPermit(self.clock.monotonic_ns)
        self.dispatcher = Dispatcher(self.clock)
        self.put: list[object] = []
        self.links = links
        self.moves = False
        self.standstill = Standstill(self.permit, links, self.hear, self.clock, self.clock.monotonic_ns, self.pause)  # type: ignore[arg-type]
        self.standstill.subscribe(self.dispatcher)
        self.standstill.renew()
        self.standstill.renew()

    def pause(self, since_ns: int, now_ns: int) -> int:
        return 0 if self.moves else now_ns - since_ns

    def hear(self, event: object) -> None:
        self.put.append(event)
        self.dispatcher.put(event)

    def freeze(self, seconds: float = 5.0) -> None:
        self.clock.advance(int(seconds * S))
        self.standstill.renew()
        self.dispatcher.drain()

    def status(self, account: str, state: AdapterState, attempt: int = 0) -> None:
        self.hear(AdapterStatus(account, "test", state, "", attempt, 0.0, 0))
        self.dispatcher.drain()

    def back(self, account: str) -> None:
        """An account that connects anew and is reconciled over its new link."""
        for state in (AdapterState.LOST, AdapterState.CONNECTED, AdapterState.READY):
            self.status(account, state)
        self.reconciled(account)

    def cause(self) -> str:
        """The cause with which accounts are asked for, once they are."""
        return next(event.cause for event in reversed(self.put) if isinstance(event, ReconcileNow))

    def reconciled(self, account: str, cause: str = "connected", error: str = "") -> None:
        self.hear(AccountReconciled(account, cause, 0, error, 0))
        self.dispatcher.drain()

    def sends(self) -> bool:
        return self.permit.send(lambda: None, reduces=True)

    def asked(self) -> int:
        return sum(isinstance(event, ReconcileNow) for event in self.put)


def test_as_long_as_somebody_looks_orders_leave() -> None:
    rig = Rig(one=Link())
    for _ in range(20):
        rig.clock.advance(int(LEASE_S * S))
        assert rig.standstill.renew() == ""
        assert rig.sends()
    assert rig.put == []


def test_a_standstill_is_told_once_every_link_is_renewed_and_every_account_reconciled() -> None:
    rig = Rig(one=Link(), two=Link(), prices=Link(trades=False))
    rig.freeze(5.0)
    assert not rig.sends()
    assert isinstance(rig.put[0], PartFailed)
    assert "stood still for 5.0 s" in rig.put[0].reason
    assert [len(link.renewed) for link in rig.links.values()] == [1, 1, 1]
    rig.standstill.renew()
    assert len(rig.put) == 1
    rig.clock.advance(int(ASK_FIRST_S * S))
    rig.standstill.renew()
    rig.standstill.renew()
    assert rig.asked() == 1
    for account in ("one", "two"):
        assert not rig.sends()
        rig.back(account)
    assert rig.sends()


def test_a_comparison_that_began_before_the_standstill_says_nothing() -> None:
    rig = Rig(one=Link())
    rig.freeze()
    rig.reconciled("one", "every 30 s")
    assert not rig.sends()
    rig.clock.advance(int(ASK_FIRST_S * S))
    rig.standstill.renew()
    rig.reconciled("one", rig.cause(), error="no answer")
    assert not rig.sends()
    rig.reconciled("one", rig.cause())
    assert rig.sends()


@pytest.mark.parametrize(
    ("state", "attempt", "revived"),
    [
        (AdapterState.FAILED, 0, True),
        (AdapterState.CLOSED, 0, True),
        (AdapterState.BACKING_OFF, 1, False),
        (AdapterState.BACKING_OFF, 3, True),
        (AdapterState.LOST, 0, False),
    ],
)
def test_an_account_that_does_not_come_back_holds_up_nobody_else(
    state: AdapterState, attempt: int, revived: bool
) -> None:
    rig = Rig(one=Link())
    rig.freeze()
    rig.status("one", state, attempt)
    assert rig.sends() is revived


def test_accounts_that_were_not_ready_before_are_not_waited_for() -> None:
    rig = Rig(one=Link(AdapterState.BACKING_OFF))
    rig.freeze()
    assert rig.sends()


def test_an_account_that_became_ready_since_the_last_look_is_waited_for() -> None:
    rig = Rig(one=Link(AdapterState.CONNECTING))
    rig.links["one"].state = AdapterState.READY
    rig.freeze()
    assert not rig.sends()
    rig.back("one")
    assert rig.sends()


def test_a_second_standstill_begins_the_wait_anew() -> None:
    rig = Rig(one=Link(), two=Link())
    rig.freeze()
    rig.back("one")
    rig.freeze()
    rig.back("two")
    assert not rig.sends()
    rig.back("one")
    assert rig.sends()


def test_accounts_are_asked_for_again_as_long_as_they_are_not_known() -> None:
    rig = Rig(one=Link())
    rig.freeze()
    for _ in range(int(2 * ASK_AGAIN_S) + 1):
        rig.clock.advance(S)
        rig.standstill.renew()
    assert rig.asked() == 3


def test_a_platform_that_is_being_stopped_may_send_for_as_long_as_that_takes() -> None:
    rig = Rig(one=Link())
    rig.standstill.extend()
    rig.clock.advance(int(STOP_LEASE_S * S))
    assert rig.sends()
    rig.clock.advance(1)
    assert not rig.sends()


def test_a_main_thread_that_was_late_alone_costs_no_link_and_is_over_when_the_accounts_are_reconciled() -> None:
    rig = Rig(one=Link())
    rig.moves = True
    rig.freeze()
    assert not rig.sends()
    assert "the main thread was late by 5.0 s" in rig.permit.lapsed
    assert rig.links["one"].renewed == []
    rig.standstill.renew()
    rig.reconciled("one", "regular")
    assert not rig.sends()
    rig.reconciled("one", rig.cause())
    assert rig.sends()


def test_an_account_that_failed_before_the_lapse_is_told_is_not_waited_for() -> None:
    rig = Rig(one=Link(), two=Link())
    rig.links["one"].state = AdapterState.FAILED
    rig.status("one", AdapterState.FAILED)
    rig.freeze()
    rig.back("two")
    assert rig.sends()


def test_who_is_waited_for_and_why_is_said_by_the_permit() -> None:
    rig = Rig(one=Link(), two=Link())
    rig.freeze()
    rig.back("two")
    for _ in range(7):
        rig.clock.advance(S)
        rig.standstill.renew()
        rig.dispatcher.drain()
    rig.reconciled("one", rig.cause(), error="no answer in time for orders")
    for _ in range(6):
        rig.clock.advance(S)
        rig.standstill.renew()
    assert rig.permit.lapsed.endswith("until every account is reconciled: one (no answer in time for orders)")


def test_an_account_whose_link_breaks_again_and_again_is_waited_for_a_minute() -> None:
    rig = Rig(one=Link())
    rig.freeze()
    rig.status("one", AdapterState.LOST)
    for _ in range(int(HOPELESS_S)):
        rig.clock.advance(S)
        rig.standstill.renew()
        rig.status("one", AdapterState.BACKING_OFF, 1)
    assert not rig.sends()
    rig.clock.advance(S)
    rig.standstill.renew()
    rig.status("one", AdapterState.BACKING_OFF, 1)
    assert rig.sends()


def test_accounts_are_asked_again_without_giving_up_what_runs() -> None:
    rig = Rig(one=Link())
    rig.freeze()
    for _ in range(int(2 * ASK_AGAIN_S) + 1):
        rig.clock.advance(S)
        rig.standstill.renew()
    assert [event.again for event in rig.put if isinstance(event, ReconcileNow)] == [False, True, True]


def test_the_pace_tells_the_longest_pause_between_two_times_and_all_of_it_when_it_does_not_run() -> None:
    pace = Pace()
    assert pace.longest_pause_ns(3, 10) == 7
    since_ns = suspend_aware_ns()
    pace.start()
    try:
        assert THREAD in {thread.name for thread in threading.enumerate()}
        wait_until(lambda: len(pace._steps) >= 3)
        first, second, third = pace._steps[:3]
        assert pace.longest_pause_ns(first, third + 1) == max(second - first, third - second)
        assert pace.longest_pause_ns(since_ns, first + 10 * S) >= 9 * S
        assert second - first >= int(STEP_S * S * 0.9)
        assert pace.death() == ""
    finally:
        pace.stop()
    assert pace.death() == ""
