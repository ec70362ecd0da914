"""When something is due that is due every so often."""


class Pace:
    """Slots of a fixed length; due once in each. A clock that was set back or forward makes it due at once, never stuck.

    Thread: exchange-io.
    """

    __slots__ = ("_slot", "interval_ns")

    def __init__(self, interval_ms: int) -> None:
        self.interval_ns = interval_ms * 1_000_000
        self._slot = -1

    def is_due(self, now_ns: int) -> bool:
        """Tell whether the present slot was not served yet, and count it as served; no interval is always due.

        Source: Binance spot API, WebSocket Streams, Update Speed.
        """
        if not self.interval_ns:
            return True
        slot = now_ns // self.interval_ns
        if slot == self._slot:
            return False
        self._slot = slot
        return True
