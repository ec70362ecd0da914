"""The host of one strategy: its subscriptions, its life, its warm-up.

Life: loaded → initialising → ready → running → stopped; failed from anywhere. Every call into the strategy goes through a
subscription of its own, so that whatever it raises halts it and nobody else.
"""

import enum

from foxtrot.core.commands import StrategyStep
from foxtrot.core.notices import BookLoaded, HistoryLoaded, OrderChanged, StrategyStatus, TimerFired, TradeBooked
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.strategy.bar_facts import BarCorrection
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.parameters import set_parameters
from foxtrot.strategy.seat import Seat
from foxtrot.strategy.settings import StrategySettings


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

    def __init__(self, seat: Seat, strategy_class: type[Strategy], settings: StrategySettings) -> None:
        self.seat = seat
        self.settings = settings
        self.strategy_id = settings.strategy_id
        self.stage = Stage.LOADED
        self.reason = ""
        self.auto_start = False
        self.strategy = strategy_class(seat)
        set_parameters(self.strategy, settings.parameters)
        self._interval = settings.interval
        self._running = False
        self._awaited: set[str] = set()
        self._held: list[BarData] = []
        self._last_open: dict[str, int] = {}

    def overrides(self, method: str) -> bool:
        """Tell whether the strategy's class defines a handler of its own."""
        return getattr(type(self.strategy), method) is not getattr(Strategy, method)

    def wishes(self) -> SubscribeRequest:
        """Return what the strategy needs streamed of each of its symbols, judged by the handlers it defines."""
        return SubscribeRequest(
            "",
            ticks=True,
            trades=self.overrides("on_market_trade") or self.overrides("on_bar"),
            depth_levels=self.settings.depth_levels if self.overrides("on_depth") else 0,
            depth_changes=self.overrides("on_depth_change"),
        )

    def subscribe(self) -> None:
        """Hear the strategy's own life, its market and its orders, each only if it has a handler for it."""
        dispatcher, me = self.seat.dispatcher, self.strategy_id
        dispatcher.subscribe(StrategyStep, self.on_step, owner=me, key=me)
        dispatcher.subscribe(HistoryLoaded, self.on_history, owner=me, key=me)
        for instrument_id in self.seat.symbols:
            if self.overrides("on_tick"):
                dispatcher.subscribe(TickData, self.on_tick, owner=me, key=instrument_id)
            if self.overrides("on_depth"):
                dispatcher.subscribe(DepthData, self.on_depth, owner=me, key=instrument_id)
            if self.overrides("on_depth_change"):
                dispatcher.subscribe(DepthChange, self.on_depth_change, owner=me, key=instrument_id)
            if self.overrides("on_market_trade"):
                dispatcher.subscribe(MarketTrade, self.on_market_trade, owner=me, key=instrument_id)
            if self.overrides("on_bar"):
                dispatcher.subscribe(BarData, self.on_bar, owner=me, key=instrument_id)
        if self.overrides("on_bar_correction"):
            dispatcher.subscribe(BarCorrection, self.on_bar_correction, owner=me)
        if self.overrides("on_order"):
            dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=me, key=me)
        if self.overrides("on_trade"):
            dispatcher.subscribe(TradeBooked, self.on_trade_booked, owner=me, key=me)
        dispatcher.subscribe(TimerFired, self.on_timer, owner=me, key=me)
        dispatcher.subscribe(BookLoaded, self.on_book, owner=me, key=me)

    def move(self, stage: Stage, reason: str = "") -> bool:
        """Go to a stage if the table allows it, and publish it."""
        if stage not in NEXT[self.stage]:
            return False
        self.stage, self.reason = stage, reason
        self._running = stage is Stage.RUNNING
        self.seat.may_trade = self._running
        self.seat.dispatcher.put(StrategyStatus(self.strategy_id, str(stage), reason, self.seat.clock.now_ns()))
        return True

    # --- life -------------------------------------------------------------------------------------------------------

    def on_step(self, step: StrategyStep) -> None:
        """Take a step in the strategy's life; whatever the strategy raises leaves from here."""
        if step.step == "init" and self.move(Stage.INITIALISING):
            self._initialise()
        elif step.step == "start" and self.move(Stage.RUNNING):
            self.strategy.on_start()
            self._release_held()
        elif step.step == "stop" and self.stage is Stage.RUNNING:
            self.strategy.on_stop()

    def on_history(self, loaded: HistoryLoaded) -> None:
        """Deliver warm-up bars; when the last answer is in, join the live bars held meanwhile."""
        if loaded.instrument_id not in self._awaited:
            return
        self._awaited.discard(loaded.instrument_id)
        if loaded.error:
            self.seat.log(f"warm-up of {loaded.instrument_id} failed: {loaded.error}", "WARNING")
        for bar in loaded.bars:
            self._last_open[bar.instrument_id] = bar.open_time_ns
            self.strategy.on_bar(bar)
        if not self._awaited:
            self._become_ready()

    def _initialise(self) -> None:
        self.seat.initialising = True
        self.seat.warm_up.clear()
        try:
            self.strategy.on_init()
        finally:
            self.seat.initialising = False
        self._awaited = set(self.seat.warm_up)
        if not self._awaited:
            self._become_ready()
            return
        adapter = self.seat.parts.adapters[self.seat.account]
        for instrument_id, count in self.seat.warm_up.items():
            end_ns = self.seat.clock.now_ns()
            adapter.query_history(HistoryRequest(self.strategy_id, instrument_id, self._interval, count, end_ns))

    def _become_ready(self) -> None:
        self.move(Stage.READY)
        if self.auto_start:
            self.seat.dispatcher.put(StrategyStep(self.strategy_id, "start"))

    def _release_held(self) -> None:
        held, self._held = self._held, []
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
            self.strategy.on_bar(bar)
        elif self.stage in (Stage.INITIALISING, Stage.READY):
            self._held.append(bar)

    def on_bar_correction(self, correction: BarCorrection) -> None:
        """Deliver a correction of one of its bars."""
        bar = correction.bar
        if self._running and bar.interval == self._interval and bar.instrument_id in self.seat.symbols:
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
        self.strategy.on_order(change.order)

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Deliver a fill; also after it stopped."""
        self.strategy.on_trade(booked.trade)

    def on_timer(self, timer: TimerFired) -> None:
        """Deliver a timer under the name the strategy gave it."""
        named = self.seat.read_timer(timer)
        if self._running:
            self.strategy.on_timer(named)

    def on_book(self, book: BookLoaded) -> None:
        """Deliver the answer to a book request."""
        if self._running:
            self.strategy.on_book(book)
