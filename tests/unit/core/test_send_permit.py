"""The send permit: nothing starts after it is closed."""

import threading

import pytest

from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState


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
