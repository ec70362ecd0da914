"""What an adapter raises within itself when something did not leave: not one byte of it did."""

from foxtrot.domain.errors import AdapterError, ConnectionLost


class NotSent(AdapterError):
    """An order did not leave; `rule` and `reason` say why."""

    def __init__(self, venue: str, rule: str, reason: str) -> None:
        super().__init__(venue, rule, reason)
        self.rule = rule
        self.reason = reason


class NotLinked(ConnectionLost):
    """There was no connection: nothing left."""
