"""Which bars are seen: panning, zooming, and following the newest."""

from typing import Final

LEAST_BARS: Final = 8.0
MARGIN: Final = 0.06
"""How much of the width stays free on the right of the newest bar."""
MOST_MARGIN: Final = 0.36
"""So much of it at most stays free for words at the axis."""


class ViewRange:
    """From which place to which bars are seen; places count from the oldest bar.

    Thread: the desktop's.
    """

    def __init__(self) -> None:
        self.left = 0.0
        self.right = 120.0
        self._count = 0
        self._margin = MARGIN

    @property
    def width(self) -> float:
        """Return how many bars there is room for."""
        return self.right - self.left

    @property
    def follows(self) -> bool:
        """Tell whether the newest bar is seen, so that the view goes on with it."""
        return self.right >= self._count - 0.5

    def show_newest(self, count: int, bars: float | None = None) -> None:
        """Show the newest bars, so many or as many as now."""
        width = max(LEAST_BARS, self.width if bars is None else bars)
        self._count = count
        self.right = count - 0.5 + width * self._margin
        self.left = self.right - width

    def free(self, share: float, *, shrinks: bool = False) -> None:
        """Keep a share of the width free on the right of the newest bar, within bounds; the view moves if it stands there.

        What is free stays free until `shrinks` is given, so that bars do not jump to and fro with each order.
        """
        margin = min(MOST_MARGIN, max(MARGIN, share))
        if margin > self._margin or (shrinks and margin != self._margin):
            stands = abs(self.right - (self._count - 0.5 + self.width * self._margin)) < 1e-6
            self._margin = margin
            if stands:
                self.show_newest(self._count)

    def take_count(self, count: int) -> None:
        """Take how many bars there are; the newest stays seen if it was."""
        if self.follows and count > self._count:
            self._shift(count - self._count)
        self._count = count

    def take_older(self, bars: int) -> None:
        """So many bars were put before the first one: the same bars stay seen."""
        self._count += bars
        self._shift(bars)

    def pan(self, bars: float) -> None:
        """Look at older bars with a negative figure, at newer ones with a positive; some bars stay seen."""
        most = self._count - LEAST_BARS / 2 - self.left
        least = LEAST_BARS / 2 - self.right
        self._shift(min(max(bars, least), max(most, 0.0)))

    def zoom(self, factor: float, at: float) -> None:
        """Show `factor` times as many bars; the bar `at` stays where it is, or the newest where that is seen."""
        width = min(max(self.width * factor, LEAST_BARS), max(self._count * 1.1, 60.0))
        if self.follows:
            edge = self._count - 0.5
            at = min(self.right, edge)
        share = (at - self.left) / self.width
        self.left = at - share * width
        self.right = self.left + width

    def _shift(self, bars: float) -> None:
        self.left += bars
        self.right += bars
