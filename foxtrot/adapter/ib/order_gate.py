"""How an order meets the send permit: in the moment in which its bytes go to the socket, and no sooner."""

from collections.abc import Callable

from foxtrot.core.send_permit import SendPermit


class OrderGate:
    """One order's way through the send permit; `refused` says why it was not let through, "" while it was.

    Thread: ib-send, which reads `unwanted` as the last thing; ib-io sets it, once, and reads `refused` when the sending is over.
    """

    def __init__(self, permit: SendPermit, *, reduces: bool) -> None:
        self.refused = ""
        self.unwanted = ""
        """Why the order is not to leave any more, "" while it is."""
        self._permit = permit
        self._reduces = reduces

    def __call__(self, hand_over: Callable[[], None]) -> bool:
        """Hand an order over if the permit lets it, and tell whether it did."""
        if self.unwanted:
            self.refused = self.unwanted
            return False
        if self._permit.send(hand_over, reduces=self._reduces):
            return True
        self.refused = self._permit.reason or "the send permit is closed"
        return False
