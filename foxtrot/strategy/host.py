"""The host of one strategy: its subscriptions, its life, its warm-up.

Life: loaded → initialising → ready → running → stopped; failed from anywhere. Every call into the strategy goes through a
subscription of its own, so that whatever it raises halts it and nobody else.
"""

import enum
from operator import attrgetter

from foxtrot.core.commands import StrategyStep
from foxtrot.core.notices import (
    AmendAnswered,
    BookLoaded,
    HistoryLoaded,
    OrderChanged,
    StrategyStatus,
    TimerFired,
    TradeBooked,
)
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.strategy.bar_facts import BarCorrection
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.early_corrections import EarlyCorrections
from foxtrot.strategy.hearing import hear, overrides, tell_past, wishes_of
from foxtrot.strategy.kept_variables import KeptVariables
from foxtrot.strategy.loader import make_strategy, reload_strategy
from foxtrot.strategy.parameters import set_parameters
from foxtrot.strategy.seat import Seat
from foxtrot.strategy.settings import StrategySettings
from foxtrot.strategy.variables import VariableStore
from foxtrot.strategy.warm_up import WarmUp


class Stage(enum.StrEnum):
    """Where a strategy stands in its life."""

    LOADED = "loaded"
    INITIALISING = "initialising"
    READY = "ready"
    RUNNING = "running"
    STOPPED = "stopped"
    FAILED = "failed"


NEXT: dict[Stage, frozenset[Stage]] = {
    Stage.LOADED: frozenset({Stage.INITIALISING, Stage.STOPPED, Stage.FAILED}),
    Stage.INITIALISING: frozenset({Stage.READY, Stage.STOPPED, Stage.FAILED}),
    Stage.READY: frozenset({Stage.RUNNING, Stage.STOPPED, Stage.FAILED}),
    Stage.RUNNING: frozenset({Stage.STOPPED, Stage.FAILED}),
    Stage.STOPPED: frozenset({Stage.INITIALISING, Stage.FAILED}),
    Stage.FAILED: frozenset({Stage.INITIALISING, Stage.STOPPED}),
}
"""Stage → the stages that may follow it."""


class StrategyHost:
    """Connects one strategy to the dispatcher.

    Thread: the dispatcher's.
    """

    def __init__(
        self,
        seat: Seat,
        strategy_class: type[Strategy],
        settings: StrategySettings,
        variables: VariableStore | None = None,
    ) -> None:
        self.seat = seat
        self.settings = settings
        self.strategy_id = settings.strategy_id
        self.stage = Stage.LOADED
        self.reason = ""
        self.auto_start = False
        self.strategy = make_strategy(strategy_class, seat)
        set_parameters(self.strategy, settings.parameters)
        self._variables = KeptVariables(seat, variables)
        self._interval = Interval.parse(settings.interval).text
        self._running = self.starting = False  # starting: on_start may yet raise, and it is not told as running
        self._introduced = False
        self._warm_up: WarmUp | None = None
        self._history: Subscription | None = None
        self._rounds = 0
        self._held: list[BarData] = []
        self._last_open: dict[str, int] = {}
        self._corrects = False
        self._early = EarlyCorrections()
        self._subscriptions: list[Subscription] = []
        self.seat.dispatcher.subscribe(StrategyStep, self.on_step, owner=self.strategy_id, key=self.strategy_id)

    def overrides(self, method: str) -> bool:
        """Tell whether the strategy's class defines a handler of its own."""
        return overrides(self.strategy, method)

    def wishes(self) -> SubscribeRequest:
        """Return what the strategy needs streamed of each of its symbols."""
        return wishes_of(self.strategy, self.settings.depth_levels)

    def attach(self, symbols: tuple[str, ...]) -> None:
        """Give the strategy its instrument ids, and let it hear what it has handlers for."""
        self.seat.symbols = self.strategy.symbols = symbols
        for subscription in self._subscriptions:
            self.seat.dispatcher.unsubscribe(subscription)
        self._corrects = self.overrides("on_bar_correction")
        self._subscriptions = hear(self, symbols)

    def move(self, stage: Stage, reason: str = "") -> bool:
        """Go to a stage if the table allows it, and publish it."""
        if stage not in NEXT[self.stage]:
            return False
        self.stage, self.reason = stage, reason
        self._running = self.starting = stage is Stage.RUNNING
        self.seat.may_trade, self.seat.state = self._running, str(stage)
        if stage in (Stage.STOPPED, Stage.FAILED):
            self._end_warm_up()
            self.seat.timers.cancel()
        self.say(reason)
        return True

    def fail(self, reason: str) -> bool:
        """Go to FAILED, or say why it failed again; tells whether the stage changed."""
        changed = self.move(Stage.FAILED, reason)
        if not changed:
            self.reason = reason
            self.say(reason)
        return changed

    def say(self, reason: str) -> None:
        """Publish stage and reason."""
        self.seat.dispatcher.put(StrategyStatus(self.strategy_id, str(self.stage), reason, self.seat.clock.now_ns()))

    def answer(self, text: str) -> None:
        """Publish what came of a command that leaves the stage as it is; why a strategy failed stays what it was."""
        stage = f"still {self.stage}" if self.stage is Stage.FAILED else str(self.stage)
        self.seat.dispatcher.put(StrategyStatus(self.strategy_id, stage, text, self.seat.clock.now_ns()))

    # --- life -------------------------------------------------------------------------------------------------------

    def on_step(self, step: StrategyStep) -> None:
        """Take a step in the strategy's life; whatever the strategy raises leaves from here."""
        if step.step == "init" and self.move(Stage.INITIALISING):
            self._initialise()
        elif step.step == "start" and self.move(Stage.RUNNING):
            self.strategy.on_start()
            self.starting = False
            self._release_held()
        elif step.step == "stop" and self.stage is Stage.RUNNING:
            self.strategy.on_stop()
        elif step.step == "reload" and self.stage is not Stage.RUNNING:
            self._reload()

    def on_history(self, loaded: HistoryLoaded) -> None:
        """Take an answer to load_bar; with the last one, deliver all warm-up bars in the order in which they closed.

        Raises:
            StrategyFailed: the bars cannot be had.
        """
        warm_up = self._warm_up
        if warm_up is None:
            return
        text = warm_up.take(loaded)
        if text:
            self.seat.log(text, "WARNING")
        if warm_up.is_complete:
            self._end_warm_up()
            for bar in warm_up.bars():
                self._last_open[bar.instrument_id] = bar.open_time_ns
                self._early.after(bar)
                self.strategy.on_bar(bar)
            self._become_ready()

    def save_variables(self) -> None:
        """Keep the strategy's variables, once it has any to speak of."""
        if self._introduced:
            self._variables.save(self.strategy)

    def _initialise(self) -> None:
        self._held.clear()
        self._last_open.clear()
        self._early.clear()
        self.seat.warm_up.clear()
        self.seat.denials.clear()
        self._variables.give_back(self.strategy)
        self._introduced = True
        self.seat.in_on_init = True
        try:
            self.strategy.on_init()
        finally:
            self.seat.in_on_init = False
        if self.seat.warm_up:
            self._begin_warm_up()
        else:
            self._become_ready()

    def _begin_warm_up(self) -> None:
        self._rounds += 1
        request_id = f"{self.strategy_id}#{self._rounds}"
        dispatcher = self.seat.dispatcher
        self._history = dispatcher.subscribe(HistoryLoaded, self.on_history, owner=self.strategy_id, key=request_id)
        self._warm_up = WarmUp(self.seat, request_id, self._interval)
        self._warm_up.ask()

    def _end_warm_up(self) -> None:
        if self._warm_up is not None and self._history is not None:
            self._warm_up.cancel_deadline()
            self.seat.dispatcher.unsubscribe(self._history)
        self._warm_up = self._history = None

    def _reload(self) -> None:
        """Put an instance of the present code in the place of the old one, which stays if anything goes wrong."""
        try:
            fresh = make_strategy(reload_strategy(self.settings.class_name, type(self.strategy)), self.seat)
            set_parameters(fresh, self.settings.parameters)
        except FoxtrotError as error:
            self.answer(str(error))
            return
        self.strategy, self._introduced = fresh, False
        self.answer(f"reloaded {type(fresh).__name__}")

    def _become_ready(self) -> None:
        self.move(Stage.READY)
        if self.auto_start:
            self.seat.dispatcher.put(StrategyStep(self.strategy_id, "start"))

    def _release_held(self) -> None:
        held, self._held = sorted(self._held, key=attrgetter("close_time_ns")), []
        for bar in held:
            self.on_bar(bar)

    # --- market and orders ------------------------------------------------------------------------------------------

    def on_bar(self, bar: BarData) -> None:
        """Deliver a live bar: once, in order, and after the warm-up."""
        if bar.interval != self._interval:
            return
        if self._running:
            if self._last_open:
                if bar.open_time_ns <= self._last_open.get(bar.instrument_id, -1):
                    return
                self._last_open.pop(bar.instrument_id, None)
            if bar.backfilled:
                tell_past(self.seat, self.strategy, bar)
            else:
                self.strategy.on_bar(bar)
            if self._corrects:
                for correction in self._early.after(bar):
                    self.strategy.on_bar_correction(correction)
        elif self.stage in (Stage.INITIALISING, Stage.READY):
            self._held.append(bar)

    def on_bar_correction(self, correction: BarCorrection) -> None:
        """Deliver a correction of one of its bars, after that bar: the bar may still wait in the market lane."""
        bar = correction.bar
        if not self._running or bar.interval != self._interval or bar.instrument_id not in self.seat.symbols:
            return
        if not self._early.is_early(correction):
            self.strategy.on_bar_correction(correction)

    def on_tick(self, tick: TickData) -> None:
        """Deliver a tick."""
        if self._running:
            self.strategy.on_tick(tick)

    def on_depth(self, depth: DepthData) -> None:
        """Deliver a depth snapshot."""
        if self._running:
            self.strategy.on_depth(depth)

    def on_depth_change(self, change: DepthChange) -> None:
        """Deliver a depth change."""
        if self._running:
            self.strategy.on_depth_change(change)

    def on_market_trade(self, trade: MarketTrade) -> None:
        """Deliver a public print."""
        if self._running:
            self.strategy.on_market_trade(trade)

    def on_order_changed(self, change: OrderChanged) -> None:
        """Deliver a change of one of its orders; also after it stopped, since its orders may outlive it."""
        if self._introduced:
            self.strategy.on_order(change.order)

    def on_amend_answered(self, answer: AmendAnswered) -> None:
        """Deliver what became of a change of one of its orders; also after it stopped."""
        if self._introduced and self.seat.is_own(answer.order_id):
            self.strategy.on_amend(answer)

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Deliver a fill; also after it stopped."""
        if self._introduced:
            self.strategy.on_trade(booked.trade)

    def on_timer(self, timer: TimerFired) -> None:
        """Deliver a timer.

        Raises:
            StrategyFailed: it is the deadline of the warm-up.
        """
        if self._warm_up is not None:
            self._warm_up.check_deadline(timer)
        self.seat.timers.hear(timer)
        if self._running:
            self.strategy.on_timer(timer)

    def on_book(self, book: BookLoaded) -> None:
        """Deliver the answer to a book request."""
        if self._running:
            self.strategy.on_book(book)
