"""A session of Futu's adapter with a user that only listens, for the life of its link."""

import random
from collections.abc import Callable

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.futu.config import read_settings
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

READY, LOST, BACKING_OFF = AdapterState.READY, AdapterState.LOST, AdapterState.BACKING_OFF
MUTE_S = 10.0
"""Long enough for a machine that is busy."""


class SessionRig:
    """A session, and what it said of its link; `opening` is done between CONNECTED and READY."""

    def __init__(self, port: int, environment: str = "", **settings: Setting) -> None:
        settings = {"port": port, "mute_after_s": MUTE_S, **settings}
        clock = SystemClock()
        context = AdapterContext("life", Recorder(), SendPermit(), clock, settings, {}, environment=environment)
        self.said: list[tuple[AdapterState, str]] = []
        self.losses = 0
        self.opened = 0
        self.ended = 0
        self.session = FutuSession(context, read_settings(context), random.Random(1))
        self.session.backoff = Backoff(random.Random(1), base_s=0.05, cap_s=0.2)

    # --- the user of the link ---------------------------------------------------------------------------------------

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        self.said.append((state, cause))

    async def open_link(self) -> None:
        self.opened += 1

    def link_lost(self) -> None:
        self.losses += 1

    # --- what a test does with it -----------------------------------------------------------------------------------

    def start(self) -> "SessionRig":
        self.session.start(self)
        return self

    def close(self, deadline_s: float = 5.0) -> str:
        return self.session.close(self._end, deadline_s)

    def wait_for(self, state: AdapterState, since: int = 0, deadline_s: float = 30.0) -> str:
        """Wait until a state was told, from a position on; returns its cause. The first link of a process imports the SDK."""
        try:
            wait_until(lambda: any(told is state for told, _ in self.said[since:]), deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{state} was not told, but {self.said[since:]}") from error
        return next(cause for told, cause in self.said[since:] if told is state)

    def states(self, since: int = 0) -> list[AdapterState]:
        return [state for state, _ in self.said[since:]]

    def lose(self, how: Callable[[], object]) -> str:
        """Do something that costs the link; returns the cause of the loss when the link is back."""
        mark = len(self.said)
        how()
        cause = self.wait_for(LOST, mark)
        self.wait_for(READY, mark)
        return cause

    def _end(self) -> None:
        self.ended += 1
