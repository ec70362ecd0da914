"""A platform of one account in a process of its own, to be frozen: `python -m tests.support.frozen_platform FOLDER`.

It says on stdout what becomes of the orders that it tries to send all the time, and reconciles when a line comes on stdin.
"""

import sys
import threading
from pathlib import Path

from foxtrot.app import standstill
from foxtrot.core.notices import AccountReconciled, AdapterStatus, PartFailed, TimerFired
from foxtrot.domain.enums import AdapterState
from tests.support.supervised_rig import PAPER, SupervisedRig

LEASE_S = 1.0


def say(*words: object) -> None:
    print(*words, flush=True)


def main(folder: Path) -> None:
    """Run until stdin ends."""
    standstill.LEASE_S = LEASE_S
    rig = SupervisedRig(folder)
    rig.events.dispatcher.set_timer("test", "often", 10_000_000, 10_000_000)
    ended, asked = threading.Event(), threading.Event()

    def read() -> None:
        for _ in sys.stdin:
            asked.set()
        ended.set()

    def try_to_send() -> None:
        before = None
        while not ended.wait(0.005):
            now = "sent" if rig.sends() else f"refused: {rig.permit.reason}"
            if now != before:
                say(now)
            before = now

    threads = [threading.Thread(target=read), threading.Thread(target=try_to_send)]
    for thread in threads:
        thread.start()
    while not ended.wait(0.1):
        rig.supervisor.look()
        if asked.is_set() and rig.permit.lapsed:  # again and again: a busy machine may let it stand still once more
            reconcile(rig)
    for thread in threads:
        thread.join()
    rig.close()


def reconcile(rig: SupervisedRig) -> None:
    """Say that the account is known again, once its link is a new one."""
    failed = max(place for place, event in enumerate(rig.heard) if isinstance(event, PartFailed))
    rig.look_until(lambda: _is_back(rig.heard[failed:]), 20.0)
    say("heard:", rig.heard[failed].part, "fires at once:", _most_at_once(rig.heard))
    rig.events.put(AccountReconciled(PAPER, "connected again", 0, "", rig.clock.now_ns()))


def _is_back(heard: list[object]) -> bool:
    states = [one.state for one in heard if isinstance(one, AdapterStatus) and one.account == PAPER]
    return bool(states) and states[-1] is AdapterState.READY


def _most_at_once(heard: list[object]) -> int:
    """Return how many of the timer's events fell into the same two milliseconds."""
    times = [event.now_ns for event in heard if isinstance(event, TimerFired) and event.name == "often"]
    most, first = 0, 0
    for place, time_ns in enumerate(times):
        while time_ns - times[first] >= 2_000_000:
            first += 1
        most = max(most, place - first + 1)
    return most


if __name__ == "__main__":
    main(Path(sys.argv[1]))
