"""Who hears what: one subscription, and the route of one class of events through all of them."""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import TypeVar

from foxtrot.core.lanes import KEY_FIELD

Event = TypeVar("Event")
Handler = Callable[[Event], None]
Tap = Callable[[int, object], None]


class Subscription:
    """One handler of one owner for one class of events; the class `object` stands for every class.

    Thread: the dispatcher's.
    """

    __slots__ = ("active", "core", "event_class", "failures", "handler", "key", "name", "owner", "tap")

    def __init__(self, event_class: type, handler: Handler[object], owner: str, key: str, *, core: bool) -> None:
        self.event_class = event_class
        self.handler = handler
        self.owner = owner
        self.key = key
        self.core = core
        self.active = True
        self.failures = 0
        self.tap: Tap | None = None
        self.name = name_of(handler)

    def hears(self, event_class: type) -> bool:
        """Tell whether events of a class come here, for some key."""
        return self.active and (self.event_class is event_class or self.event_class is object)


class Route:
    """Where the events of one class go, and how many went.

    Kept for the life of the dispatcher, so that the count is; its tuples are replaced, never changed, so an event on its
    way goes on along the one it started on.

    Thread: the dispatcher's; the count may be read from any.
    """

    __slots__ = ("by_key", "common", "event_class", "handled", "key_of")

    def __init__(self, event_class: type) -> None:
        self.event_class = event_class
        self.key_of: Callable[[object], object] = attrgetter(KEY_FIELD.get(event_class, "__class__"))
        self.handled = 0
        self.common: tuple[Subscription, ...] = ()
        self.by_key: dict[object, tuple[Subscription, ...]] | None = None

    def rebuild(self, subscriptions: Sequence[Subscription]) -> None:
        """Take the active subscriptions that concern this class, in their order, taps first."""
        mine = [s for s in subscriptions if s.hears(self.event_class)]
        mine.sort(key=lambda subscription: subscription.tap is None)
        self.common = tuple(s for s in mine if not s.key)
        keys = {s.key for s in mine if s.key}
        self.by_key = {key: tuple(s for s in mine if s.key in ("", key)) for key in keys} or None

    def select(self, event: object) -> tuple[Subscription, ...]:
        """Return who hears this event."""
        if self.by_key is None:
            return self.common
        return self.by_key.get(self.key_of(event), self.common)


def name_of(handler: object) -> str:
    """Return the name a handler or tap is spoken of by."""
    return str(getattr(handler, "__qualname__", type(handler).__qualname__))
