"""The send permit: nothing starts after it is closed."""

import threading

import pytest

from foxtrot.core.clock import ManualClock, suspend_aware_ns
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState
from foxtrot.trading.gate import Gate

S = 1_000_000_000


@pytest.mark.parametrize(
    ("state", "reduces", "leaves"),
    [
        (GateState.ACTIVE, False, True),
        (GateState.ACTIVE, True, True),
        (GateState.REDUCING, False, False),
        (GateState.REDUCING, True, True),
        (GateState.HALTED, False, False),
        (GateState.HALTED, True, False),
    ],
)
def test_the_state_decides_what_leaves(state: GateState, reduces: bool, leaves: bool) -> None:
    permit, sent = SendPermit(), []
    permit.allow(state, "test")
    assert permit.send(lambda: sent.append(1), reduces=reduces) is leaves
    assert bool(sent) is leaves
    assert (permit.state, permit.reason) == (state, "test")


def test_no_hand_over_starts_after_close_has_returned() -> None:
    for _ in range(50):
        permit, closed = SendPermit(), threading.Event()
        started_late: list[bool] = []
        sending = threading.Barrier(5)

        def keep_sending(
            permit: SendPermit = permit,
            closed: threading.Event = closed,
            late: list[bool] = started_late,
            begin: threading.Barrier = sending,
        ) -> None:
            begin.wait()
            while permit.send(lambda: late.append(closed.is_set()), reduces=False):
                pass

        senders = [threading.Thread(target=keep_sending) for _ in range(4)]
        for sender in senders:
            sender.start()
        sending.wait()
        permit.close("kill")
        closed.set()
        for sender in senders:
            sender.join()
        assert True not in started_late


def test_close_waits_for_the_hand_over_in_progress() -> None:
    permit, inside, go_on = SendPermit(), threading.Event(), threading.Event()
    steps: list[str] = []

    def hand_over() -> None:
        inside.set()
        assert go_on.wait(5)
        steps.append("sent")

    sender = threading.Thread(target=permit.send, args=(hand_over,), kwargs={"reduces": False})
    sender.start()
    assert inside.wait(5)
    closer = threading.Thread(target=lambda: (permit.close("kill"), steps.append("closed")))
    closer.start()
    closer.join(0.02)
    assert closer.is_alive()
    go_on.set()
    sender.join(5)
    closer.join(5)
    assert steps == ["sent", "closed"]


def test_a_hand_over_that_fails_may_close_the_permit_itself_and_lets_go_of_it() -> None:
    permit = SendPermit()

    def breaks() -> None:
        permit.close("the socket broke")
        raise OSError("broken pipe")

    with pytest.raises(OSError, match="broken pipe"):
        permit.send(breaks, reduces=False)
    other = threading.Thread(target=permit.allow, args=(GateState.ACTIVE,))
    other.start()
    other.join(5)
    assert permit.state is GateState.ACTIVE


class Leased:
    """A permit whose clock a test moves."""

    def __init__(self) -> None:
        self.now_ns = 10 * S
        self.permit = SendPermit(lambda: self.now_ns)

    def renew(self) -> None:
        self.permit.allow_until(self.now_ns + 2 * S)

    def sends(self, *, reduces: bool = False) -> bool:
        sent: list[bool] = []
        assert self.permit.send(lambda: sent.append(True), reduces=reduces) is bool(sent)
        return bool(sent)


def test_without_a_lease_it_never_lapses() -> None:
    leased = Leased()
    leased.now_ns += 10**18
    assert leased.sends()
    assert (leased.permit.lapsed, leased.permit.lapses) == ("", 0)


def test_a_lease_that_is_renewed_holds_and_one_that_is_given_up_does_not_lapse() -> None:
    leased = Leased()
    for _ in range(20):
        leased.renew()
        leased.now_ns += 2 * S
        assert leased.sends()
    leased.permit.allow_until(None)
    leased.now_ns += 100 * S
    assert leased.sends()


@pytest.mark.parametrize("renewed_first", [True, False])
def test_a_lapsed_lease_lets_nothing_leave_until_it_is_revived_whoever_finds_it(renewed_first: bool) -> None:
    leased = Leased()
    leased.renew()
    leased.now_ns += 3_200_000_000
    if renewed_first:
        leased.renew()
    assert not leased.sends()
    assert not leased.sends(reduces=True)
    leased.renew()
    assert not leased.sends(reduces=True)
    assert leased.permit.state is GateState.HALTED
    assert leased.permit.allowed is GateState.ACTIVE
    assert "this process stood still for 3.2 s" in leased.permit.reason
    assert leased.permit.revive(leased.permit.lapses)
    assert leased.sends()
    assert (leased.permit.state, leased.permit.reason) == (GateState.ACTIVE, "")


def test_a_lapse_since_the_accounts_were_asked_for_is_not_revived() -> None:
    leased = Leased()
    leased.renew()
    leased.now_ns += 3 * S
    leased.renew()
    asked = leased.permit.lapses
    leased.now_ns += 5 * S
    assert not leased.permit.revive(asked)
    assert not leased.sends()
    leased.renew()
    assert "5.0 s" in leased.permit.reason
    assert leased.permit.revive(leased.permit.lapses)
    assert leased.sends()


def test_reviving_what_has_not_lapsed_changes_nothing() -> None:
    leased = Leased()
    leased.renew()
    assert leased.permit.revive(0)
    assert leased.sends()


def test_what_was_closed_during_a_lapse_is_closed_after_it() -> None:
    leased = Leased()
    leased.renew()
    leased.now_ns += 3 * S
    gate = Gate(leased.permit, Dispatcher(ManualClock()), ManualClock())
    gate.close("kill switch", "a person")
    assert leased.permit.reason == "kill switch"
    leased.renew()
    assert leased.permit.revive(leased.permit.lapses)
    assert not leased.sends(reduces=True)
    gate.reopen("a person")
    assert leased.sends()


def test_reopening_a_gate_does_not_revive_a_lease() -> None:
    leased = Leased()
    leased.renew()
    leased.now_ns += 3 * S
    leased.permit.allow(GateState.ACTIVE)
    assert not leased.sends()


def test_a_hand_over_that_is_stuck_is_found_without_waiting_for_it() -> None:
    permit, inside, go_on = SendPermit(), threading.Event(), threading.Event()
    sender = threading.Thread(
        target=permit.send, args=(lambda: (inside.set(), go_on.wait(5)),), kwargs={"reduces": False}
    )
    sender.start()
    assert inside.wait(5)
    assert not permit.is_free(0.01)
    go_on.set()
    sender.join(5)
    assert permit.is_free(0.01)


def test_time_goes_on_by_the_clock_of_leases() -> None:
    first = suspend_aware_ns()
    assert 0 < first <= suspend_aware_ns()
