"""The strategy engine: starts, stops and isolates strategies, and applies their exit policies."""

from foxtrot.core.commands import ReloadStrategy, SetParameters, StartStrategy, StopStrategy, StrategyStep
from foxtrot.core.notices import HandlerFailed, StrategyStatus
from foxtrot.domain.enums import OrderType, PositionSide, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderRequest
from foxtrot.strategy.bar_feed import BarFeed
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.host import Stage, StrategyHost
from foxtrot.strategy.loader import load_strategy, reload_strategy
from foxtrot.strategy.parameters import set_parameters
from foxtrot.strategy.seat import Seat, TradingParts
from foxtrot.strategy.settings import OrderExit, PositionExit, StrategySettings
from foxtrot.trading.position import Position


class StrategyEngine:
    """All strategies of a platform, by id.

    Thread: the dispatcher's; other threads put commands.
    """

    def __init__(self, parts: TradingParts, bar_feed: BarFeed | None = None) -> None:
        self._parts = parts
        self._dispatcher = parts.dispatcher
        self._bar_feed = bar_feed
        self.hosts: dict[str, StrategyHost] = {}
        dispatcher = parts.dispatcher
        dispatcher.subscribe(HandlerFailed, self.on_handler_failed, owner="strategy_engine", core=True)
        dispatcher.subscribe(StartStrategy, self.on_start_strategy, owner="strategy_engine", core=True)
        dispatcher.subscribe(StopStrategy, self.on_stop_strategy, owner="strategy_engine", core=True)
        dispatcher.subscribe(SetParameters, self.on_set_parameters, owner="strategy_engine", core=True)
        dispatcher.subscribe(_Retire, self.on_retire, owner="strategy_engine", core=True)
        dispatcher.subscribe(ReloadStrategy, self.on_reload_strategy, owner="strategy_engine", core=True)

    def add(self, settings: StrategySettings, strategy_class: type[Strategy] | None = None) -> StrategyHost:
        """Make a strategy and its subscriptions; it does nothing until it is started.

        Raises:
            ConfigError: the id is taken, or class, account, symbols or parameters are wrong.
        """
        name = settings.strategy_id
        if name in self.hosts:
            raise ConfigError(f"strategy {name} exists twice; give each its own name")
        if settings.account not in self._parts.adapters:
            known = ", ".join(sorted(self._parts.adapters)) or "none"
            raise ConfigError(f"strategy {name}: account {settings.account} is not configured; there are: {known}")
        host = self._make(settings, strategy_class or load_strategy(settings.class_name))
        self._parts.portfolio.capital[name] = settings.capital
        return host

    def start(self, strategy_id: str) -> None:
        """Initialise a strategy and start it when its warm-up is done."""
        host = self.hosts[strategy_id]
        host.auto_start = True
        self._dispatcher.resume(strategy_id)
        if host.stage is Stage.READY:
            self._dispatcher.put(StrategyStep(strategy_id, "start"))
        elif host.stage in (Stage.LOADED, Stage.STOPPED, Stage.FAILED):
            self._open_streams(host)
            self._dispatcher.put(StrategyStep(strategy_id, "init"))

    def stop(self, strategy_id: str, occasion: str = "on_stop") -> None:
        """Stop a strategy: on_stop, then its exit policy; one that does not run is only marked stopped."""
        host = self.hosts[strategy_id]
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

    # --- commands and failures --------------------------------------------------------------------------------------

    def on_start_strategy(self, command: StartStrategy) -> None:
        """Start a strategy by command."""
        if command.strategy_id in self.hosts:
            self.start(command.strategy_id)

    def on_stop_strategy(self, command: StopStrategy) -> None:
        """Stop a strategy by command."""
        if command.strategy_id in self.hosts:
            self.stop(command.strategy_id, command.occasion)

    def on_set_parameters(self, command: SetParameters) -> None:
        """Set parameters of a strategy that is not running; a wrong one leaves all as they were and is published."""
        host = self.hosts.get(command.strategy_id)
        if host is None:
            return
        if host.stage is Stage.RUNNING:
            self._say(host, "parameters are set while a strategy is stopped; stop it first")
            return
        try:
            set_parameters(host.strategy, dict(command.values))
        except ConfigError as error:
            self._say(host, str(error))

    def on_reload_strategy(self, command: ReloadStrategy) -> None:
        """Load a stopped strategy's code again; if that fails the old instance stays."""
        host = self.hosts.get(command.strategy_id)
        if host is None:
            return
        if host.stage is Stage.RUNNING:
            self._say(host, "code is reloaded while a strategy is stopped; stop it first")
            return
        try:
            fresh = reload_strategy(host.settings.class_name, type(host.strategy))
            self._dispatcher.unsubscribe_owner(host.strategy_id)
            del self.hosts[host.strategy_id]
            self._make(host.settings, fresh)
        except ConfigError as error:
            self.hosts[host.strategy_id] = host
            self._say(host, str(error))

    def on_handler_failed(self, failure: HandlerFailed) -> None:
        """Fail the strategy whose handler raised and apply its exit policy for errors."""
        host = self.hosts.get(failure.owner)
        if host is not None and host.move(Stage.FAILED, f"{failure.handler} on {failure.event_class}: {failure.error}"):
            host.auto_start = False
            self._leave(host, "on_error")

    def on_retire(self, command: "_Retire") -> None:
        """Mark a strategy stopped after its on_stop has run, and apply its exit policy."""
        host = self.hosts.get(command.strategy_id)
        if host is not None and host.move(Stage.STOPPED, command.occasion):
            self._dispatcher.timers.cancel_owner(host.strategy_id)
            self._leave(host, command.occasion)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _make(self, settings: StrategySettings, strategy_class: type[Strategy]) -> StrategyHost:
        seat = Seat(self._parts, settings.strategy_id, settings.account, settings.symbols, settings.interval)
        host = StrategyHost(seat, strategy_class, settings)
        host.subscribe()
        self.hosts[settings.strategy_id] = host
        self._parts.desk.strategy_ids.add(settings.strategy_id)
        return host

    def _open_streams(self, host: StrategyHost) -> None:
        adapter = self._parts.adapters[host.settings.account]
        wishes = host.wishes()
        for instrument_id in host.seat.symbols:
            fields = (wishes.ticks, wishes.trades, wishes.depth_levels, wishes.depth_changes)
            adapter.subscribe(type(wishes)(instrument_id, *fields))
            if self._bar_feed is not None and host.overrides("on_bar"):
                self._bar_feed.add(instrument_id, host.settings.interval, adapter)

    def _leave(self, host: StrategyHost, occasion: str) -> None:
        policy = host.settings.exit_policy
        orders = policy.orders_on(occasion)
        if orders is not OrderExit.KEEP:
            host.seat.cancel_all(keep_reducing=orders is OrderExit.CANCEL_ENTRIES)
        if policy.position_on(occasion) is PositionExit.FLATTEN:
            for (_, account, _, side), position in list(self._parts.portfolio.positions(host.strategy_id)):
                if position.quantity:
                    self._flatten(host, account, side, position)

    def _flatten(self, host: StrategyHost, account: str, place: PositionSide, position: Position) -> None:
        instrument = position.instrument
        units = instrument.round_quantity_units(abs(position.exact_quantity))
        if not units:
            return
        side = Side.SELL if position.quantity > 0 else Side.BUY
        request = OrderRequest(
            instrument.instrument_id, account, side, OrderType.MARKET, instrument.quantity(units), reduce_only=True,
            position_side=place,
        )  # fmt: skip
        self._parts.desk.submit(request, host.strategy_id)

    def _say(self, host: StrategyHost, reason: str) -> None:
        now_ns = self._parts.clock.now_ns()
        self._dispatcher.put(StrategyStatus(host.strategy_id, str(host.stage), reason, now_ns))


class _Retire:
    """Follows a strategy's last step: what comes after its on_stop, whether that raised or not."""

    __slots__ = ("occasion", "strategy_id")

    def __init__(self, strategy_id: str, occasion: str) -> None:
        self.strategy_id = strategy_id
        self.occasion = occasion
