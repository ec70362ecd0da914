"""What goes wrong at Binance, in our own tree."""

from foxtrot.domain.errors import AdapterError

VENUE = "binance"


class PermitClosed(AdapterError):
    """The send permit did not let the order leave: not one byte of it did."""

    def __init__(self, reason: str) -> None:
        super().__init__(VENUE, "send_permit", reason)
        self.reason = reason


class UnknownOutcome(AdapterError):
    """The order may be live: ask for it by its own id before anything else is done."""
