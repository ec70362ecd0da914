"""How long a book that is asked for is believed without an answer, and how long to wait before one that was given up is fetched."""

from typing import Final

FAILED_POLLS: Final = 3
"""After so many failures in a row, over more than as many intervals, what was asked for before is not believed any more."""
CALM_S: Final = 30.0
"""A book that was whole for so long recovers at once when it is given up."""
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0


class FailedPolls:
    """Counts requests of one book that failed in a row.

    Thread: the session's.
    """

    def __init__(self) -> None:
        self._times = 0
        self._good_ns = 0

    def answered(self, now_ns: int) -> None:
        """Note an answer."""
        self._times, self._good_ns = 0, now_ns

    def failed(self, now_ns: int, interval_s: float) -> bool:
        """Note a failure; True when the last answer is too old to be believed."""
        self._times += 1
        return self._times >= FAILED_POLLS and now_ns - self._good_ns > FAILED_POLLS * interval_s * 1e9


class Recovery:
    """Spaces the snapshots of a book that is given up again and again; one that was whole for a while is fetched at once.

    Thread: the session's.
    """

    def __init__(self) -> None:
        self.needs = 0
        """How many times in a row a snapshot was needed."""
        self._whole_ns = 0

    @property
    def pause_s(self) -> float:
        """Return how long to wait before the snapshot is fetched."""
        return 0.0 if self.needs <= 1 else min(FIRST_PAUSE_S * 2.0 ** (self.needs - 2), LONGEST_PAUSE_S)

    def whole(self, now_ns: int) -> None:
        """Note that the book has a snapshot."""
        self._whole_ns = self._whole_ns or max(1, now_ns)

    def gone(self, now_ns: int) -> None:
        """Note that the book was given up; after a calm time nothing is held against it."""
        if self._whole_ns and now_ns - self._whole_ns >= CALM_S * 1e9:
            self.needs = 0
        self._whole_ns = 0

    def need(self, now_ns: int) -> None:
        """Note that the book was given up, so that a snapshot is to be fetched."""
        self.gone(now_ns)
        self.needs += 1
