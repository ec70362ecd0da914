"""The dispatcher: events in order, to handlers in subscription order. Owns no thread.

Rules:
- An event put while another is handled is handled after it, never inside it.
- The control lane is empty before a due timer is taken, and no timer is due before the market lane is touched.
- A handler that raises stops nobody else. An isolated owner hears nothing more until it is resumed; a raise of a core
  handler halts trading through `on_core_failure`, at once and without a queue.
"""

from collections import deque
from collections.abc import Callable, Iterable
from typing import cast

from foxtrot.core.clock import Clock
from foxtrot.core.dead_letters import DeadLetter, DeadLetters
from foxtrot.core.failure_text import failure_text, failure_trace
from foxtrot.core.lanes import KEY_FIELD, MARKET_LANE
from foxtrot.core.notices import HandlerFailed
from foxtrot.core.subscriptions import Event, Handler, Route, Subscription, Tap, name_of
from foxtrot.core.timers import TimerQueue
from foxtrot.domain.errors import ConfigError, QueueClosed

_NOTICES_PER_HANDLER = 100


class Dispatcher:
    """Queues, subscriptions, timers and the guard around every handler.

    Thread: one; that of whoever calls `drain`. Only `EventEngine` lets other threads in.
    """

    guarded: tuple[type[BaseException], ...] = (Exception, SystemExit, GeneratorExit)
    """What a handler may raise without ending the loop: all but a Ctrl-C, which the caller of an in-line loop means to end it."""

    current: object = None
    """The event being handled, where the loop notes it; a backtest's does not."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.timers = TimerQueue()
        self.control: deque[object] = deque()
        self.market: deque[object] = deque()
        self.dead_letters = DeadLetters()
        self.sequence = 0
        self.failures = 0
        self.traces: dict[str, str] = {}
        """Owner of a handler → the traceback of what it raised last."""
        self.on_core_failure: Callable[[str], None] = _ignore
        self._subscriptions: list[Subscription] = []
        self._routes: dict[type, Route] = {}
        self._draining = False

    def subscribe(
        self, event_class: type[Event], handler: Handler[Event], *, owner: str, key: str = "", core: bool = False
    ) -> Subscription:
        """Let a handler hear a class of events, after those subscribed before it.

        Args:
            event_class: the exact class; subclasses are not heard. `object` means every class.
            handler: called with the event on the dispatcher's thread.
            owner: who is halted together when one handler raises; a strategy id or the name of a part.
            key: only events whose key field (see lanes.KEY_FIELD) has this value; empty for all.
            core: whether a raise halts trading instead of the owner.

        Raises:
            ConfigError: the class has no key field.
        """
        if key and event_class not in KEY_FIELD:
            raise ConfigError(f"{event_class.__name__} cannot be subscribed by key; leave the key out")
        return self._add(Subscription(event_class, cast("Handler[object]", handler), owner, key, core=core))

    def unsubscribe(self, subscription: Subscription) -> None:
        """Remove a subscription; removing it twice is harmless."""
        subscription.active = False
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)
        self._rebuild()

    def unsubscribe_owner(self, owner: str) -> None:
        """Remove every subscription and timer of an owner."""
        for subscription in [s for s in self._subscriptions if s.owner == owner]:
            self.unsubscribe(subscription)
        self.timers.cancel_owner(owner)

    def add_tap(self, tap: Tap, *, owner: str = "") -> Subscription:
        """Let a callable see every event before its handlers, with its sequence number from 1.

        A tap is isolated like any handler; without an owner it has one of its own.
        """

        def hear(event: object) -> None:
            tap(self.sequence, event)

        subscription = Subscription(object, hear, owner or f"tap {name_of(tap)}", "", core=False)
        subscription.tap = tap
        subscription.name = name_of(tap)
        return self._add(subscription)

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
        """Handle everything queued, and whatever that puts; called inside a handler it does nothing.

        The body of `dispatch` is repeated here and in `dispatch_run`: a call per event would be a third of their time.
        """
        if self._draining:
            return
        self._draining = True
        control, market, routes, guarded = self.control, self.market, self._routes, self.guarded
        try:
            while control or market:
                event = control.popleft() if control else market.popleft()
                route = routes.get(type(event)) or self._route_of(type(event))
                self.sequence += 1
                by_key = route.by_key
                for subscription in route.common if by_key is None else by_key.get(route.key_of(event), route.common):
                    if subscription.active:
                        try:
                            subscription.handler(event)
                        except guarded as error:
                            self._fail(subscription, event, error)
                route.handled += 1
        finally:
            self._draining = False

    def dispatch_run(self, event_class: type[Event], key: str, events: Iterable[Event]) -> None:
        """Dispatch a run of events of one class and key, each followed by what it put, as `dispatch` and `drain` would.

        The iterable is asked for the next event only when the one before is done with: it may move the clock, fire timers
        and drain. Only for the owner of the loop, never from a handler.
        """
        control, market, guarded = self.control, self.market, self.guarded
        route = self._route_of(event_class)
        for event in events:
            self.sequence += 1
            for subscription in route.common if route.by_key is None else route.by_key.get(key, route.common):
                if subscription.active:
                    try:
                        subscription.handler(event)
                    except guarded as error:
                        self._fail(subscription, event, error)
            route.handled += 1
            if control or market:
                self.drain()

    def fire_timers(self, now_ns: int) -> None:
        """Dispatch what is queued and every timer due by `now_ns`, each followed by what it put into the control lane.

        Called inside a handler it only queues them.
        """
        if self._draining:
            self._queue_timers(now_ns)
            return
        while self.timers.next_due_ns <= now_ns:
            self._drain_control()
            fired = self.timers.pop_due(now_ns)
            if fired is not None:
                self.control.append(fired)
        self.drain()

    def dispatch(self, event: object) -> None:
        """Give one event to its handlers now; only for the owner of the loop, never from a handler."""
        self.sequence += 1
        route = self._route_of(type(event))
        for subscription in route.common if route.by_key is None else route.select(event):
            if subscription.active:
                try:
                    subscription.handler(event)
                except self.guarded as error:
                    self._fail(subscription, event, error)
        route.handled += 1

    def handled_per_class(self) -> dict[str, int]:
        """Return how many events of each class went to their handlers."""
        return {route.event_class.__name__: route.handled for route in list(self._routes.values()) if route.handled}

    def halt(self, owner: str) -> None:
        """Let an owner hear nothing more until it is resumed; core handlers hear on."""
        for subscription in self._subscriptions:
            if subscription.owner == owner and not subscription.core:
                subscription.active = False
        self._rebuild()

    def resume(self, owner: str) -> None:
        """Let a halted owner hear again."""
        for subscription in self._subscriptions:
            if subscription.owner == owner:
                subscription.active = True
        self._rebuild()

    def replay_dead_letters(self, owner: str) -> int:
        """Resume an owner, give it the events it failed on once more, and return how many it got.

        When it fails again, that event and those after it stay dead letters.
        """
        self.resume(owner)
        return self.dead_letters.replay(owner, self._subscriptions, self._redeliver)

    def _redeliver(self, subscription: Subscription, letter: DeadLetter) -> None:
        try:
            if subscription.tap is None:
                subscription.handler(letter.event)
            else:
                subscription.tap(letter.sequence, letter.event)
        except self.guarded as error:
            self._fail(subscription, letter.event, error)

    def _drain_control(self) -> None:
        self._draining = True
        try:
            while self.control:
                self.dispatch(self.control.popleft())
        finally:
            self._draining = False

    def _queue_timers(self, now_ns: int) -> None:
        while self.timers.next_due_ns <= now_ns:
            fired = self.timers.pop_due(now_ns)
            if fired is not None:
                self.put(fired)

    def _add(self, subscription: Subscription) -> Subscription:
        self._subscriptions.append(subscription)
        self._rebuild()
        return subscription

    def _rebuild(self) -> None:
        for route in self._routes.values():
            route.rebuild(self._subscriptions)

    def _route_of(self, event_class: type) -> Route:
        route = self._routes.get(event_class)
        if route is None:
            route = self._routes[event_class] = Route(event_class)
            route.rebuild(self._subscriptions)
        return route

    def _fail(self, subscription: Subscription, event: object, error: BaseException) -> None:
        self.failures += 1
        subscription.failures += 1
        text = failure_text(error)
        self.dead_letters.keep(DeadLetter(subscription.owner, subscription.name, event, text, self.sequence))
        if not subscription.core:
            self.halt(subscription.owner)
        try:
            if subscription.core:
                self.on_core_failure(f"{subscription.name} failed on {type(event).__name__}: {text}")
        finally:
            self._tell(subscription, event, text, error)

    def _tell(self, subscription: Subscription, event: object, text: str, error: BaseException) -> None:
        """Publish the failure, unless that would go round in circles or nobody listens any more."""
        if isinstance(event, HandlerFailed) or subscription.failures > _NOTICES_PER_HANDLER:
            return
        owner, name, kind = subscription.owner, subscription.name, type(event).__name__
        self.traces[owner] = failure_trace(error)
        failure = HandlerFailed(owner, name, kind, text, core=subscription.core, sequence=self.sequence)
        try:
            self.put(failure)
        except QueueClosed:  # the stop's deadline has passed; the dead letter is kept
            return


def _ignore(_reason: str) -> None:
    """Do nothing: there is no trading to halt."""
