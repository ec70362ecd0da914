"""A session of IB's adapter with a user that only listens, for the life of its link."""

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.ib.config import read_settings
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

CONNECTING, CONNECTED, READY = AdapterState.CONNECTING, AdapterState.CONNECTED, AdapterState.READY
LOST, BACKING_OFF, FAILED = AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.FAILED
MUTE_S = 10.0
"""Long enough for a machine that is busy."""
T = TypeVar("T")


class SessionRig:
    """A session, and what it said of its link; `opening` is done between CONNECTED and READY."""

    def __init__(
        self,
        port: int,
        environment: str = "",
        home: Path | None = None,
        clock: Clock | None = None,
        **settings: Setting,
    ) -> None:
        settings = {"port": port, "mute_after_s": MUTE_S, "reset_window": "", **settings}
        context = AdapterContext(
            "life", Recorder(), SendPermit(), clock or SystemClock(), settings, {}, environment=environment, home=home
        )
        self.permit = context.permit
        self.said: list[tuple[AdapterState, str]] = []
        self.told: list[str] = []
        self.opened = 0
        self.ended = 0
        self.session = IbSession(context, read_settings(context), random.Random(1))
        self.session.backoff = Backoff(random.Random(1), base_s=0.05, cap_s=0.2)

    # --- the user of the link ---------------------------------------------------------------------------------------

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        self.said.append((state, cause))

    async def open_link(self) -> None:
        self.opened += 1

    def link_cut(self, cause: str) -> None:
        self.told.append("cut")

    def data_lost(self) -> None:
        self.told.append("data lost")

    def link_lost(self) -> None:
        self.told.append("lost")

    # --- what a test does with it -----------------------------------------------------------------------------------

    def start(self) -> "SessionRig":
        self.session.start(self)
        return self

    def close(self, deadline_s: float = 5.0) -> str:
        return self.session.close(self._end, deadline_s)

    def do(self, job: Callable[[], Awaitable[T]], deadline_s: float = 20.0) -> T:
        """Run something on ib-io and return what it returns, or raise what it raises."""

        async def run() -> T:
            return await job()

        return self.session.bridge.submit(run()).result(deadline_s)

    def on_loop(self, function: Callable[[], T]) -> T:
        """Call something on ib-io."""

        async def call() -> T:
            return function()

        return self.do(call)

    def wait_for(self, state: AdapterState, since: int = 0, deadline_s: float = 30.0) -> str:
        """Wait until a state was told, from a position on; returns its cause."""
        try:
            wait_until(lambda: any(told is state for told, _ in self.said[since:]), deadline_s)
        except AssertionError as error:
            raise AssertionError(f"{state} was not told, but {self.said[since:]}") from error
        return next(cause for told, cause in self.said[since:] if told is state)

    def states(self, since: int = 0) -> list[AdapterState]:
        return [state for state, _ in self.said[since:]]

    def lose(self, how: Callable[[], Any]) -> str:
        """Do something that costs the link; returns the cause of the loss when the link is back."""
        mark = len(self.said)
        how()
        cause = self.wait_for(LOST, mark)
        self.wait_for(READY, mark)
        return cause

    def _end(self) -> None:
        self.ended += 1
