"""Where a resting limit order stands in the queue of its price level, estimated from what a recording shows.

An order joins behind the whole size displayed at its price. Prints at the price are taken from the front, so each moves the
order forward by its size, and what a print has left over fills it. How much a shrinking level moves it is the model's opinion:
who left, somebody before or behind?
"""

from typing import Protocol

import msgspec


class QueueModel(Protocol):
    """Estimates how much stands before an order after its level changed without us.

    Thread: the backtest's; stateless.
    """

    @property
    def name(self) -> str:
        """Return what reports call the model."""
        ...

    def after_change(self, ahead: int, before: int, after: int, printed: int) -> int:
        """Return the size ahead after the displayed size of a level was set anew.

        Args:
            ahead: size ahead now, prints since the last change already taken off.
            before: displayed size before.
            after: displayed size now.
            printed: what was printed at the level since `before` was displayed.
        """
        ...


class PessimisticQueue(msgspec.Struct, frozen=True):
    """Whoever cancels stood behind us: only prints move an order forward, and the fact that no more can be ahead than is shown.

    Source: hftbacktest documentation, Order Fill, Queue Models, RiskAverseQueueModel.
    """

    name: str = "pessimistic"

    def after_change(self, ahead: int, before: int, after: int, printed: int) -> int:
        """Return the size ahead, at most what is displayed."""
        return min(ahead, after)


class ProportionalQueue(msgspec.Struct, frozen=True):
    """Whoever cancels stood anywhere: a shrinking level loses the same share before and behind us.

    Source: hftbacktest documentation, Order Fill, Queue Models, ProbQueueModel with a linear probability.
    """

    name: str = "proportional"

    def after_change(self, ahead: int, before: int, after: int, printed: int) -> int:
        """Return the size ahead, less its share of what left without a print, rounded against us."""
        standing = before - printed
        if after >= standing or standing <= 0:
            return min(ahead, after)
        return min(-(-ahead * after // standing), after)
