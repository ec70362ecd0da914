"""How an order meets the send permit: in the moment in which the SDK hands its finished bytes to its network thread, and no sooner.

By then the request is packed, its turn has come and the connection stands. The permit is held while the bytes go into the SDK's queue,
so that no order enters the queue once a closing of the permit has returned.

Source: seen with futu-api 10.11.7108 (open_context_base.py, `_query_sync`: `net_mgr.send` with the lock of the context held;
    network_manager.py: `send` puts into a queue and wakes the network thread).
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

from foxtrot.core.send_permit import SendPermit

Sent = tuple[int, str]
"""The SDK's answer to a hand-over: 0, or -1 and why not."""
Gate = Callable[[Callable[[], Sent]], Sent]
NOT_HANDED_OVER: Final[Sent] = (-1, "the send permit is closed")


class OrderGate:
    """One order's way through the send permit; `refused` says why it was not let through, "" while it was.

    Thread: the worker that sends.
    """

    def __init__(self, permit: SendPermit, *, reduces: bool) -> None:
        self.refused = ""
        self._permit = permit
        self._reduces = reduces

    def __call__(self, hand_over: Callable[[], Sent]) -> Sent:
        """Hand an order over if the permit lets it, and return the SDK's answer, or that it did not."""
        answers: list[Sent] = []
        if self._permit.send(lambda: answers.append(hand_over()), reduces=self._reduces):
            return answers[0]
        self.refused = self._permit.reason or "the send permit is closed"
        return NOT_HANDED_OVER


class GatedNetwork:
    """The SDK's network manager as a context sees it: what a thread sends while it has a gate goes through that.

    Thread: any; a gate belongs to the thread that set it.
    """

    def __init__(self, manager: Any) -> None:
        self._manager = manager
        self._own = threading.local()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._manager, name)

    def send(self, conn_id: int, data: bytes) -> Sent:
        """Hand bytes over, as the manager's method of this name."""
        hand_over = partial(self._manager.send, conn_id, data)
        gate: Gate | None = getattr(self._own, "gate", None)
        answer: Sent = hand_over() if gate is None else gate(hand_over)
        return answer

    @contextmanager
    def through(self, gate: Gate) -> Iterator[None]:
        """Let what the present thread sends inside the block go through a gate."""
        self._own.gate = gate
        try:
            yield
        finally:
            self._own.gate = None
