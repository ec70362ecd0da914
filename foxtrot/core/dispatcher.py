"""The dispatcher: events in order, to handlers in subscription order. Owns no thread.

Rules:
- An event put while another is handled is handled after it, never inside it.
- The control lane is empty before the market lane is touched.
- A handler that raises stops nobody else. An isolated owner hears nothing more until it is resumed; a raise of a core
  handler halts trading through `on_core_failure`, at once and without a queue.
"""

from collections import deque
from collections.abc import Callable
from time import perf_counter_ns
from typing import TypeVar

import msgspec

from foxtrot.core.clock import Clock
from foxtrot.core.lanes import KEY_FIELD, MARKET_LANE
from foxtrot.core.notices import HandlerFailed
from foxtrot.core.timers import TimerQueue
from foxtrot.domain.errors import ConfigError

Event = TypeVar("Event")
Handler = Callable[[Event], None]
DEAD_LETTER_LIMIT = 10_000
SLOW_HANDLER_NS = 5_000_000


class Subscription:
    """One handler of one owner for one class of events."""

    __slots__ = ("active", "core", "event_class", "handler", "key", "name", "owner")

    def __init__(self, event_class: type, handler: Handler[object], owner: str, key: str, *, core: bool) -> None:
        self.event_class = event_class
        self.handler = handler
        self.owner = owner
        self.key = key
        self.core = core
        self.active = True
        self.name = getattr(handler, "__qualname__", type(handler).__qualname__)


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that a handler failed on, or that a stop could not wait for; it can be replayed."""

    owner: str
    handler: str
    event: object
    error: str
    sequence: int


class _Route:
    """The subscriptions of one class: those that hear all of it, and merged ones per key."""

    __slots__ = ("by_key", "common", "field")

    def __init__(
        self, field: str, common: tuple[Subscription, ...], by_key: dict[str, tuple[Subscription, ...]]
    ) -> None:
        self.field = field
        self.common = common
        self.by_key = by_key


class Dispatcher:
    """Queues, subscriptions, timers and the guard around every handler.

    Thread: one; that of whoever calls `drain`. Only `EventEngine` lets other threads in.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.timers = TimerQueue()
        self.control: deque[object] = deque()
        self.market: deque[object] = deque()
        self.dead_letters: deque[DeadLetter] = deque(maxlen=DEAD_LETTER_LIMIT)
        self.sequence = 0
        self.failures = 0
        self.slow_handlers: dict[str, float] = {}
        self.on_core_failure: Callable[[str], None] = _ignore
        self._subscriptions: list[Subscription] = []
        self._routes: dict[type, _Route] = {}
        self._taps: tuple[Callable[[int, object], None], ...] = ()
        self._draining = False

    def subscribe(
        self, event_class: type[Event], handler: Handler[Event], *, owner: str, key: str = "", core: bool = False
    ) -> Subscription:
        """Let a handler hear a class of events, after those subscribed before it.

        Args:
            event_class: the exact class; subclasses are not heard.
            handler: called with the event on the dispatcher's thread.
            owner: who is halted together when one handler raises; a strategy id or the name of a part.
            key: only events whose key field (see lanes.KEY_FIELD) has this value; empty for all.
            core: whether a raise halts trading instead of the owner.

        Raises:
            ConfigError: the class has no key field.
        """
        if key and event_class not in KEY_FIELD:
            raise ConfigError(f"{event_class.__name__} cannot be subscribed by key; leave the key out")
        subscription = Subscription(event_class, handler, owner, key, core=core)  # type: ignore[arg-type]
        self._subscriptions.append(subscription)
        self._routes.pop(event_class, None)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Remove a subscription; removing it twice is harmless."""
        subscription.active = False
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
        self._routes.pop(subscription.event_class, None)

    def unsubscribe_owner(self, owner: str) -> None:
        """Remove every subscription and timer of an owner."""
        for subscription in [s for s in self._subscriptions if s.owner == owner]:
            self.unsubscribe(subscription)
        self.timers.cancel_owner(owner)

    def add_tap(self, tap: Callable[[int, object], None]) -> None:
        """Let a callable see every event before its handlers, with its sequence number from 1."""
        self._taps = (*self._taps, tap)

    def set_timer(self, owner: str, name: str, delay_ns: int, interval_ns: int = 0) -> int:
        """Set a timer that puts TimerFired after a delay, then every interval if that is not 0; returns its id."""
        return self.timers.set(owner, name, self.clock.monotonic_ns() + delay_ns, interval_ns)

    def cancel_timer(self, timer_id: int) -> None:
        """Cancel a timer; one that has fired is ignored."""
        self.timers.cancel(timer_id)

    def put(self, event: object) -> None:
        """Queue an event; it is handled when the present one is done."""
        (self.market if type(event) in MARKET_LANE else self.control).append(event)

    def drain(self) -> None:
        """Handle everything queued, and whatever that puts; called inside a handler it does nothing."""
        if self._draining:
            return
        self._draining = True
        control, market = self.control, self.market
        try:
            while control or market:
                self.dispatch(control.popleft() if control else market.popleft())
        finally:
            self._draining = False

    def fire_timers(self, now_ns: int) -> None:
        """Dispatch every timer due by `now_ns`, each followed by what it caused."""
        while self.timers.next_due_ns <= now_ns:
            fired = self.timers.pop_due(now_ns)
            if fired is not None:
                self.control.append(fired)
                self.drain()

    def dispatch(self, event: object) -> None:
        """Give one event to its handlers now; only for the owner of the loop, never from a handler."""
        self.sequence += 1
        if self._taps:
            self._tap(event)
        route = self._routes.get(type(event)) or self._make_route(type(event))
        for subscription in route.by_key.get(getattr(event, route.field), route.common) if route.by_key else route.common:
            if subscription.active:
                try:
                    subscription.handler(event)
                except Exception as error:  # the guard: one handler never stops the line
                    self._fail(subscription, event, error)

    def dispatch_timed(self, event: object, started_ns: int) -> int:
        """Do as `dispatch`, naming handlers that take over 5 ms in `slow_handlers`; returns when it ended."""
        self.sequence += 1
        if self._taps:
            self._tap(event)
        route = self._routes.get(type(event)) or self._make_route(type(event))
        for subscription in route.by_key.get(getattr(event, route.field), route.common) if route.by_key else route.common:
            if subscription.active:
                try:
                    subscription.handler(event)
                except Exception as error:  # the guard: one handler never stops the line
                    self._fail(subscription, event, error)
                ended_ns = perf_counter_ns()
                if ended_ns - started_ns > SLOW_HANDLER_NS:
                    self._name_slow(subscription, ended_ns - started_ns)
                started_ns = ended_ns
        return started_ns

    def _name_slow(self, subscription: Subscription, took_ns: int) -> None:
        name = f"{subscription.owner}: {subscription.name}"
        self.slow_handlers[name] = max(self.slow_handlers.get(name, 0.0), took_ns / 1e6)

    def resume(self, owner: str) -> None:
        """Let a halted owner hear again."""
        for subscription in self._subscriptions:
            if subscription.owner == owner:
                subscription.active = True

    def replay_dead_letters(self, owner: str) -> int:
        """Resume an owner, give it the events it failed on once more, and return how many those were."""
        letters = [letter for letter in self.dead_letters if letter.owner == owner]
        for letter in letters:
            self.dead_letters.remove(letter)
        self.resume(owner)
        for letter in letters:
            for subscription in [s for s in self._subscriptions if s.owner == owner and s.name == letter.handler]:
                if subscription.event_class is type(letter.event) and subscription.active:
                    self._redeliver(subscription, letter.event)
        return len(letters)

    def _redeliver(self, subscription: Subscription, event: object) -> None:
        try:
            subscription.handler(event)
        except Exception as error:  # the same guard as in dispatch
            self._fail(subscription, event, error)

    def _tap(self, event: object) -> None:
        for tap in self._taps:
            try:
                tap(self.sequence, event)
            except Exception as error:  # a tap is an isolated subscriber: it is removed, the line goes on
                self._taps = tuple(other for other in self._taps if other is not tap)
                self.failures += 1
                name = getattr(tap, "__qualname__", type(tap).__qualname__)
                self.put(
                    HandlerFailed("tap", name, type(event).__name__, repr(error), core=False, sequence=self.sequence)
                )

    def _make_route(self, event_class: type) -> _Route:
        field = KEY_FIELD.get(event_class, "")
        mine = [s for s in self._subscriptions if s.event_class is event_class]
        common = tuple(s for s in mine if not s.key)
        by_key = {key: tuple(s for s in mine if s.key in ("", key)) for key in {s.key for s in mine if s.key}}
        route = _Route(field, common, by_key)
        self._routes[event_class] = route
        return route

    def _fail(self, subscription: Subscription, event: object, error: Exception) -> None:
        self.failures += 1
        text = f"{type(error).__name__}: {error}"
        self.dead_letters.append(DeadLetter(subscription.owner, subscription.name, event, text, self.sequence))
        if subscription.core:
            self.on_core_failure(f"{subscription.name} failed on {type(event).__name__}: {text}")
        else:
            for other in self._subscriptions:
                if other.owner == subscription.owner:
                    other.active = False
        name, kind = subscription.name, type(event).__name__
        failure = HandlerFailed(subscription.owner, name, kind, text, core=subscription.core, sequence=self.sequence)
        if not isinstance(event, HandlerFailed):
            self.put(failure)


def _ignore(_reason: str) -> None:
    """Do nothing: there is no trading to halt."""
