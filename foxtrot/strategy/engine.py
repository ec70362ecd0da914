"""The strategy engine: starts, stops and isolates strategies, and lets their exit policies be applied."""

from collections.abc import Callable
from difflib import get_close_matches
from functools import partial

import msgspec

from foxtrot.core.commands import ReloadStrategy, SetParameters, StartStrategy, StopStrategy, StrategyStep
from foxtrot.core.notices import GateChanged, HandlerFailed, OrderChanged, StrategyStatus, TradeBooked
from foxtrot.domain.errors import ConfigError, FoxtrotError, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.strategy.bar_feed import BarFeed
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.denial_guard import REFUSED
from foxtrot.strategy.exits import Exits
from foxtrot.strategy.host import Stage, StrategyHost
from foxtrot.strategy.loader import load_strategy
from foxtrot.strategy.parameters import set_parameters
from foxtrot.strategy.seat import Seat, TradingParts
from foxtrot.strategy.settings import StrategySettings, check_strategy_name
from foxtrot.strategy.strategy_view import StrategyView, view_of
from foxtrot.strategy.streams import Streams
from foxtrot.strategy.variables import VariableStore

OWNER = "strategy_engine"


class StrategyEngine:
    """All strategies of a platform, by id.

    Thread: the dispatcher's; other threads put commands.
    """

    def __init__(
        self, parts: TradingParts, bar_feed: BarFeed | None = None, variables: VariableStore | None = None
    ) -> None:
        self._parts = parts
        self._dispatcher = dispatcher = parts.dispatcher
        self._variables = variables
        self._streams = Streams(parts.adapters, bar_feed)
        self.exits = Exits(dispatcher)
        self.hosts: dict[str, StrategyHost] = {}
        self.forbids: Callable[[str], str] = _allow
        """Tells why a strategy may not start now, "" when it may."""
        self.on_disabled: Callable[[str, str, str], None] = _keep_nothing
        """Hears which strategy was disabled until a person re-arms it, by which rule and why."""
        self._held_back: set[str] = set()
        dispatcher.subscribe(TradeBooked, self.on_trade_booked, owner=OWNER, core=True)
        dispatcher.subscribe(GateChanged, self.on_gate_changed, owner=OWNER, core=True)
        dispatcher.subscribe(HandlerFailed, self.on_handler_failed, owner=OWNER, core=True)
        dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER, core=True)
        dispatcher.subscribe(StartStrategy, self.on_start_strategy, owner=OWNER, core=True)
        dispatcher.subscribe(StopStrategy, self.on_stop_strategy, owner=OWNER, core=True)
        dispatcher.subscribe(SetParameters, self.on_set_parameters, owner=OWNER, core=True)
        dispatcher.subscribe(_Retire, self.on_retire, owner=OWNER, core=True)
        dispatcher.subscribe(ReloadStrategy, self.on_reload_strategy, owner=OWNER, core=True)

    @property
    def leaving(self) -> frozenset[str]:
        """Return the strategies that have ended and whose positions are still being closed."""
        return self.exits.leaving

    def add(self, settings: StrategySettings, strategy_class: type[Strategy] | None = None) -> StrategyHost:
        """Make a strategy; it does nothing until it is started.

        Raises:
            ConfigError: the id is taken or reserved, class, account, interval or parameters are wrong, or the strategy's
                constructor raises.
        """
        name = settings.strategy_id
        check_strategy_name(name)
        if name in self.hosts:
            raise ConfigError(f"strategy {name} exists twice; give each its own name")
        if settings.account not in self._parts.adapters:
            known = ", ".join(sorted(self._parts.adapters)) or "none"
            raise ConfigError(f"strategy {name}: account {settings.account} is not configured; there are: {known}")
        self._parts.desk.strategy_ids.add(name)
        seat = Seat(self._parts, name, settings.account, settings.symbols, settings.interval)
        host = StrategyHost(seat, strategy_class or load_strategy(settings.class_name), settings, self._variables)
        seat.throttle.on_runaway = partial(self._disable, host)
        self.hosts[name] = host
        self._parts.portfolio.capital[name] = settings.capital
        return host

    def start(self, strategy_id: str) -> None:
        """Initialise a strategy and start it when its warm-up is done; what forbids it becomes its reason to have failed.

        While the kill switch stands it is held back, and started when a person has resumed.

        Raises:
            ConfigError: there is no such strategy.
        """
        host = self._host(strategy_id)
        why = self.forbids(strategy_id)
        if why:
            self._held_back.add(strategy_id)
            host.say(f"not started: {why}")
            return
        if strategy_id in self.exits.leaving:
            host.say("its position is still being closed; start it again when that is done")
            return
        host.auto_start = True
        if host.stage is Stage.READY:
            self._dispatcher.put(StrategyStep(strategy_id, "start"))
        elif host.stage in (Stage.LOADED, Stage.STOPPED, Stage.FAILED):
            try:
                self._attach(host)
            except FoxtrotError as error:
                host.fail(str(error))
                return
            self._dispatcher.resume(strategy_id)
            self._dispatcher.put(StrategyStep(strategy_id, "init"))

    def stop(self, strategy_id: str, occasion: str = "on_stop") -> None:
        """Stop a strategy: on_stop, then its exit policy; one that does not run is only marked stopped.

        Raises:
            ConfigError: there is no such strategy.
        """
        host = self._host(strategy_id)
        self._held_back.discard(strategy_id)
        host.auto_start = False
        if host.stage in (Stage.STOPPED, Stage.FAILED):
            return
        if host.stage is Stage.RUNNING:
            self._dispatcher.put(StrategyStep(strategy_id, "stop"))
        self._dispatcher.put(_Retire(strategy_id, occasion))

    def stop_all(self, occasion: str) -> None:
        """Stop every strategy."""
        for strategy_id in self.hosts:
            self.stop(strategy_id, occasion)

    def views(self) -> tuple[StrategyView, ...]:
        """Return what is shown of every strategy."""
        return tuple(view_of(host) for host in self.hosts.values())

    # --- commands and failures --------------------------------------------------------------------------------------

    def on_gate_changed(self, _changed: GateChanged) -> None:
        """Start what was held back and may start now."""
        for strategy_id in [name for name in sorted(self._held_back) if not self.forbids(name)]:
            self._held_back.discard(strategy_id)
            self.start(strategy_id)

    def on_start_strategy(self, command: StartStrategy) -> None:
        """Start a strategy by command."""
        if self._known(command.strategy_id):
            self.start(command.strategy_id)

    def on_stop_strategy(self, command: StopStrategy) -> None:
        """Stop a strategy by command."""
        if self._known(command.strategy_id):
            self.stop(command.strategy_id, command.occasion)

    def on_set_parameters(self, command: SetParameters) -> None:
        """Set parameters of a strategy that does not run, for good; a wrong one leaves all as they were and is published."""
        if not self._known(command.strategy_id):
            return
        host = self.hosts[command.strategy_id]
        if not self._is_at_rest(host):
            host.answer("parameters are set while a strategy is stopped; stop it first")
            return
        try:
            set_parameters(host.strategy, dict(command.values))
        except ConfigError as error:
            host.answer(str(error))
            return
        merged = {**host.settings.parameters, **dict(command.values)}
        host.settings = msgspec.structs.replace(host.settings, parameters=merged)
        host.answer("parameters set: " + ", ".join(f"{name} = {value}" for name, value in command.values))

    def on_reload_strategy(self, command: ReloadStrategy) -> None:
        """Load a stopped strategy's code again; if that fails the old instance stays.

        Blocks: for as long as the import of the code takes.
        """
        if not self._known(command.strategy_id):
            return
        host = self.hosts[command.strategy_id]
        if not self._is_at_rest(host):
            host.answer("code is reloaded while a strategy is stopped; stop it first")
            return
        self._dispatcher.resume(host.strategy_id)
        self._dispatcher.put(StrategyStep(host.strategy_id, "reload"))

    def on_handler_failed(self, failure: HandlerFailed) -> None:
        """Fail the strategy whose handler raised and apply its exit policy for errors."""
        host = self.hosts.get(failure.owner)
        if host is None:
            return
        storm = host.seat.denials.storm
        if storm is not None and host.stage is not Stage.FAILED:
            self.on_disabled(host.strategy_id, storm.rule, str(storm))
        if host.fail(f"{failure.handler} on {failure.event_class}: {failure.error}"):
            self._leave(host, "on_error")

    def on_order_changed(self, change: OrderChanged) -> None:
        """Count an order that was refused after it had passed risk: too many in too short a time fail their strategy."""
        if change.order.status in REFUSED:
            host = self.hosts.get(change.strategy_id)
            if host is not None and host.stage is Stage.RUNNING:
                host.seat.denials.hear(change.order)

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Count an execution of a running strategy: too many alike in too short a time disable it."""
        host = self.hosts.get(booked.strategy_id)
        if host is None or host.stage is not Stage.RUNNING:
            return
        record = self._parts.desk.index.all.get(booked.trade.order_id)
        if record is not None:
            host.seat.throttle.note_execution(booked.trade, record.terms.quantity)

    def on_retire(self, command: "_Retire") -> None:
        """Mark a strategy stopped after its on_stop has run, and apply its exit policy."""
        host = self.hosts.get(command.strategy_id)
        if host is not None and host.move(Stage.STOPPED, command.occasion):
            self._leave(host, command.occasion)

    def listen(self, instrument: Instrument, account: str) -> None:
        """Let the best prices of an instrument be heard, though no strategy trades it."""
        self._streams.open(instrument, account, SubscribeRequest(instrument.instrument_id))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _disable(self, host: StrategyHost, runaway: OrderRefused) -> None:
        """Fail a strategy that runs away, and let it start only when a person has re-armed it."""
        if host.fail(f"disabled: {runaway}"):
            self.on_disabled(host.strategy_id, runaway.rule, str(runaway))
            self._leave(host, "on_error")

    def _leave(self, host: StrategyHost, occasion: str) -> None:
        host.auto_start = False
        self.exits.begin(host.seat, host.settings.exit_policy, occasion)
        host.save_variables()

    def _attach(self, host: StrategyHost) -> None:
        host.seat.throttle.clear()
        instruments = [self._resolve(name) for name in host.settings.symbols]
        host.attach(tuple(dict.fromkeys(instrument.instrument_id for instrument in instruments)))
        interval = host.settings.interval if host.overrides("on_bar") else ""
        for instrument in instruments:
            self._streams.open(instrument, host.settings.account, host.wishes(), interval)

    def _resolve(self, name: str) -> Instrument:
        instruments = self._parts.instruments
        try:
            return instruments.resolve(name)
        except OrderRefused as error:
            known = [text for found in instruments.all() for text in (found.instrument_id, found.symbol)]
            close = get_close_matches(name, dict.fromkeys(known), n=3, cutoff=0.7)
            hint = f"; did you mean {' or '.join(close)}?" if close and name not in known else ""
            raise ConfigError(f"{error}{hint}") from None

    def _is_at_rest(self, host: StrategyHost) -> bool:
        return host.stage in (Stage.LOADED, Stage.STOPPED, Stage.FAILED)

    def _host(self, strategy_id: str) -> StrategyHost:
        host = self.hosts.get(strategy_id)
        if host is None:
            raise ConfigError(self._unknown(strategy_id))
        return host

    def _known(self, strategy_id: str) -> bool:
        """Tell whether there is such a strategy, and say so if not."""
        if strategy_id not in self.hosts:
            status = StrategyStatus(strategy_id, "unknown", self._unknown(strategy_id), self._parts.clock.now_ns())
            self._dispatcher.put(status)
        return strategy_id in self.hosts

    def _unknown(self, strategy_id: str) -> str:
        return f"there is no strategy {strategy_id}; there are: {', '.join(self.hosts) or 'none'}"


class _Retire:
    """Follows a strategy's last step: what comes after its on_stop, whether that raised or not."""

    __slots__ = ("occasion", "strategy_id")

    def __init__(self, strategy_id: str, occasion: str) -> None:
        self.strategy_id = strategy_id
        self.occasion = occasion


def _allow(_strategy_id: str) -> str:
    """Forbid nothing."""
    return ""


def _keep_nothing(_strategy_id: str, _rule: str, _reason: str) -> None:
    """Nobody keeps who was disabled."""
