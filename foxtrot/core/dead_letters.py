"""Dead letters: the events that a handler failed on, or that a stop could not wait for, kept to be given once more."""

from collections import deque
from collections.abc import Callable, Iterable, Sequence

import msgspec

from foxtrot.core.lanes import KEY_FIELD
from foxtrot.core.subscriptions import Subscription

DEAD_LETTER_LIMIT = 10_000


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that a handler failed on as number `sequence`, or that a stop could not wait for; it can be replayed."""

    owner: str
    handler: str
    event: object
    error: str
    sequence: int


class DeadLetters(deque[DeadLetter]):
    """Every dead letter, oldest first; of failures the latest ones.

    Thread: the dispatcher's; that of whoever stops the engine, once its loop is abandoned.
    """

    def keep(self, letter: DeadLetter) -> None:
        """Keep an event that a handler failed on; past the limit the oldest letter goes."""
        self.append(letter)
        if len(self) > DEAD_LETTER_LIMIT:
            self.popleft()

    def keep_left(self, events: Iterable[object]) -> None:
        """Keep what a stop could not wait for, all of it."""
        self.extend(DeadLetter("engine", "stop", event, "not handled in time", 0) for event in events)

    def replay(
        self, owner: str, subscriptions: Sequence[Subscription], deliver: Callable[[Subscription, DeadLetter], None]
    ) -> int:
        """Give an owner the events it failed on once more, and return how many it got.

        When it fails again, that event and those after it stay dead letters.

        Args:
            owner: who failed, resumed by now.
            subscriptions: all of the dispatcher's; looked at again before each letter, for a failure halts them.
            deliver: gives one letter to one subscription, with the dispatcher's guard around it.
        """
        replayed = 0
        for letter in [letter for letter in self if letter.owner == owner]:
            receivers = [s for s in subscriptions if _wrote(s, letter)]
            if receivers and not any(s.active for s in receivers):
                break
            self.remove(letter)
            for subscription in receivers:
                deliver(subscription, letter)
            replayed += 1
        return replayed


def _wrote(subscription: Subscription, letter: DeadLetter) -> bool:
    """Tell whether a dead letter is for this subscription; a reloaded owner gets those of its former self."""
    same = subscription.owner == letter.owner and subscription.name == letter.handler
    if not same or subscription.event_class not in (type(letter.event), object):
        return False
    field = KEY_FIELD.get(type(letter.event), "")
    return subscription.key in ("", getattr(letter.event, field, ""))
