"""What is done about a stream that has been silent for longer than it ever is: the questions in their order, and what follows.

Silence proves nothing, since the market may be quiet. So the connection is asked first, which costs a message: one that lives
answers with what it brings. Then REST is asked whether something happened that the stream did not tell. What both say together
decides:

- the connection answers, the market is quiet or cannot be asked: nothing is done, and it is asked again later;
- it answers, and the stream misses something or is not among what it brings: another connection takes its place. That stream is
  told as interrupted at once and begins anew; all others go on where they were;
- it does not answer: another takes its place, and all of its streams are told as interrupted.
"""

import enum
from collections.abc import Mapping

from foxtrot.adapter.binance.topic import Topic


class Probe(enum.Enum):
    """What a connection answers when it is asked what it brings."""

    LISTED = enum.auto()
    FORGOTTEN = enum.auto()
    """It answers, and the stream is not among what it brings."""
    UNANSWERED = enum.auto()


class Market(enum.Enum):
    """What REST says about a stream's market."""

    QUIET = enum.auto()
    MISSED = enum.auto()
    """Something happened that the stream did not tell."""
    UNKNOWN = enum.auto()


class Action(enum.Enum):
    """What is done."""

    WAIT = enum.auto()
    REPLACE = enum.auto()
    """Another connection takes the place; the stream begins anew."""
    REPLACE_ALL = enum.auto()
    """Another connection takes the place; all its streams begin anew."""


ACTIONS: Mapping[tuple[Probe, Market], Action] = {
    (Probe.LISTED, Market.QUIET): Action.WAIT,
    (Probe.LISTED, Market.UNKNOWN): Action.WAIT,
    (Probe.LISTED, Market.MISSED): Action.REPLACE,
    (Probe.FORGOTTEN, Market.QUIET): Action.REPLACE,
    (Probe.FORGOTTEN, Market.UNKNOWN): Action.REPLACE,
    (Probe.FORGOTTEN, Market.MISSED): Action.REPLACE,
    (Probe.UNANSWERED, Market.QUIET): Action.REPLACE_ALL,
    (Probe.UNANSWERED, Market.UNKNOWN): Action.REPLACE_ALL,
    (Probe.UNANSWERED, Market.MISSED): Action.REPLACE_ALL,
}
"""For every pair of answers; the market is asked only where the connection's own answer leaves something open."""


def probed(topic: Topic, symbol: str, listed: frozenset[str] | None) -> Probe:
    """Return what a connection's list of streams says about one of them; an empty list says no more than that it answers."""
    if listed is None:
        return Probe.UNANSWERED
    return Probe.FORGOTTEN if listed and topic.stream(symbol) not in listed else Probe.LISTED


def needs_market(probe: Probe) -> bool:
    """Tell whether the market must be asked too."""
    return len({ACTIONS[probe, market] for market in Market}) > 1
