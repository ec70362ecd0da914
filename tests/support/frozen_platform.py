"""A platform of one account in a process of its own, to be frozen: `python -m tests.support.frozen_platform FOLDER`.

It says on stdout what becomes of the orders that it tries to send all the time, and each lapse of which it is told. Its account
answers whoever asks for it, as a reconciler does, but not between the lines "hold" and "go on" on stdin. A busy machine may let
it stand still whenever it likes.
"""

import sys
import threading
from pathlib import Path

from foxtrot.core.commands import ReconcileNow
from foxtrot.core.notices import AccountReconciled, AdapterStatus, PartFailed, TimerFired
from foxtrot.domain.enums import AdapterState
from tests.support.supervised_rig import PAPER, SupervisedRig

PATIENCE_S = 60.0
"""How long a part may be silent: what a busy machine does to the engine is no matter here."""


def say(*words: object) -> None:
    print(*words, flush=True)


class Reconciled:
    """Answers for the account: after each log-in, and when it is asked for while its link stands."""

    def __init__(self, rig: SupervisedRig) -> None:
        self._rig = rig
        self._allowed = True
        dispatcher = rig.events.dispatcher
        dispatcher.subscribe(ReconcileNow, self._on_asked, owner="test")
        dispatcher.subscribe(AdapterStatus, self._on_status, owner="test")
        dispatcher.subscribe(PartFailed, lambda failed: say("told:", failed.reason), owner="test")

    def obey(self, line: str) -> None:
        """Hold every answer back, or give them again; what was asked for meanwhile is answered then."""
        self._allowed = line == "go on"
        if self._allowed and self._rig.paper.state is AdapterState.READY:
            self._tell("reconnect")

    def _on_asked(self, asked: ReconcileNow) -> None:
        if self._rig.paper.state is AdapterState.READY:
            self._tell(asked.cause)

    def _on_status(self, status: AdapterStatus) -> None:
        if status.account == PAPER and status.state is AdapterState.READY:
            self._tell("reconnect")

    def _tell(self, cause: str) -> None:
        if self._allowed:
            self._rig.events.put(AccountReconciled(PAPER, cause, 0, "", self._rig.clock.now_ns()))


def main(folder: Path) -> None:
    """Run until stdin ends."""
    rig = SupervisedRig(folder, PATIENCE_S)
    rig.events.dispatcher.set_timer("test", "often", 10_000_000, 10_000_000)
    reconciled, ended = Reconciled(rig), threading.Event()

    def read() -> None:
        for line in sys.stdin:
            reconciled.obey(line.strip())
            say("obeyed", line.strip())
        ended.set()

    def try_to_send() -> None:
        before = None
        while not ended.wait(0.005):
            now = "sent" if rig.sends() else "refused"
            if now != before:
                say(now)
            before = now

    threads = [threading.Thread(target=read), threading.Thread(target=try_to_send)]
    for thread in threads:
        thread.start()
    while not ended.wait(0.1):
        rig.supervisor.look()
    for thread in threads:
        thread.join()
    say("fired at once:", _most_at_once(rig.heard))
    rig.close()


def _most_at_once(heard: list[object]) -> int:
    """Return how many of the timer's events were due at the same moment, or before the one that fired before them."""
    times = [event.now_ns for event in heard if isinstance(event, TimerFired) and event.name == "often"]
    most, first = 0, 0
    for place, time_ns in enumerate(times):
        while time_ns - times[first] >= 2_000_000:
            first += 1
        most = max(most, place - first + 1)
    return most


if __name__ == "__main__":
    main(Path(sys.argv[1]))
