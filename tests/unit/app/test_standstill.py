"""The lease of a platform: renewed at each look, lapsed when nobody looked, revived when every account is known again."""

from dataclasses import dataclass, field

import pytest

from foxtrot.app.standstill import ASK_AGAIN_S, ASK_FIRST_S, LEASE_S, STOP_LEASE_S, Standstill
from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import ReconcileNow
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled, AdapterStatus, PartFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState

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
        self.standstill = Standstill(self.permit, links, self.hear, self.clock, self.clock.monotonic_ns)  # type: ignore[arg-type]
        self.standstill.subscribe(self.dispatcher)
        self.standstill.renew()
        self.standstill.renew()

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
        rig.status(account, AdapterState.LOST)
        rig.status(account, AdapterState.READY)
        rig.reconciled(account)
    assert rig.sends()


def test_a_comparison_that_began_before_the_standstill_says_nothing() -> None:
    rig = Rig(one=Link())
    rig.freeze()
    rig.reconciled("one", "every 30 s")
    assert not rig.sends()
    rig.reconciled("one", rig.links["one"].renewed[0], error="no answer")
    assert not rig.sends()
    rig.reconciled("one", rig.links["one"].renewed[0])
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
    rig.status("one", AdapterState.READY)
    rig.reconciled("one")
    assert rig.sends()


def test_a_second_standstill_begins_the_wait_anew() -> None:
    rig = Rig(one=Link(), two=Link())
    rig.freeze()
    rig.status("one", AdapterState.READY)
    rig.reconciled("one")
    rig.freeze()
    rig.status("two", AdapterState.READY)
    rig.reconciled("two")
    assert not rig.sends()
    rig.status("one", AdapterState.READY)
    rig.reconciled("one")
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
