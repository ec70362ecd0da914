"""How long connections have brought no text, by our clock: TCP and ccxt may wait for ever on one that stands and says nothing."""

from typing import Final

SILENT_AFTER_S: Final = 30.0
LONGEST_SILENCE_S: Final = 300.0
LIVELY_AFTER_S: Final = 60.0
"""After so long without a pause the market is lively again, and its silence is judged as at first."""
LONGEST_BEAT_S: Final = 1.0
"""The most silence one beat counts for: a jump of the clock proves nothing."""


class Silence:
    """The silence of each connection.

    After one was dropped for it, the next may be silent for twice as long, until it was lively for a while: the market may just be quiet.

    Thread: belongs to whoever made it.
    """

    def __init__(self) -> None:
        self._silent_s: dict[str, float] = {}
        self._limits_s: dict[str, float] = {}
        self._lively_s: dict[str, float] = {}

    def grew(self, url: str, heard_ago_s: float, elapsed_s: float) -> float:
        """Count the time since the last beat of a connection; returns how long it has been silent when that is too long, else 0.0.

        Args:
            url: whose silence.
            heard_ago_s: how long ago it brought something.
            elapsed_s: the time since the last beat, LONGEST_BEAT_S at most.
        """
        if heard_ago_s <= elapsed_s + LONGEST_BEAT_S:
            self._silent_s[url] = 0.0
            self._lively_s[url] = self._lively_s.get(url, 0.0) + elapsed_s
            if self._lively_s[url] > LIVELY_AFTER_S:
                self._limits_s.pop(url, None)
            return 0.0
        self._lively_s[url] = 0.0
        limit_s = self._limits_s.get(url, SILENT_AFTER_S)
        silent_s = self._silent_s[url] = self._silent_s.get(url, 0.0) + elapsed_s
        if silent_s <= limit_s:
            return 0.0
        self._limits_s[url] = min(2 * limit_s, LONGEST_SILENCE_S)
        self._silent_s[url] = 0.0
        return silent_s
