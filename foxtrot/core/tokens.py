"""Tokens: what stands in a lane in place of events."""

Key = tuple[type, str]
"""Class and instrument: what is conflated or shed together."""


class Waiting:
    """One event: one whose wait is measured, or, with a key, the newest of an instrument that is conflated."""

    __slots__ = ("event", "key", "put_s")

    def __init__(self, event: object, put_s: float, key: Key | None = None) -> None:
        self.event = event
        self.put_s = put_s
        self.key = key


class Shed:
    """All events of one class and instrument that were shed at this place."""

    __slots__ = ("count", "key")

    def __init__(self, key: Key) -> None:
        self.key = key
        self.count = 0


class TimerCheck:
    """A reminder in the control lane that a timer is due; its turn comes when that lane is otherwise empty."""
