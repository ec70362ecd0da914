"""The line in one thread: manual clock, dispatcher, real trading state and strategies, a real venue with price-time matching."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from foxtrot.adapter.base_adapter import AdapterContext, EventSink
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import RequestFailed, StrategyLog, StrategyStatus
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderType, PositionMode, Side
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import AddInstrument, CancelAll, Deposit, OpenAccount, PlaceOrder
from foxtrot.storage.journal import InMemoryJournal, Journal
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.host import StrategyHost
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.strategy.settings import StrategySettings
from foxtrot.strategy.variables import VariableStore
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.reconcile_settings import ReconcileSettings

S = 1_000_000_000
T0 = 1_700_006_400 * S  # midnight UTC
RUN_ID = "run0000001"
CROWD = ("crowd1", "crowd2")
RICH = Decimal(1_000_000_000)
LIMITS = LimitTable(platform=Limits(quote_age_s=0.0, messages_per_s=0, duplicate_window_s=0.0, price_collar=0.0))
Event = TypeVar("Event")


class LineRig:
    """Accounts of ours trade through the line, a crowd trades at the venue directly; nothing is mocked and nothing waits."""

    def __init__(
        self,
        *instruments: Instrument,
        accounts: tuple[str, ...] = ("main",),
        start_ns: int = T0,
        mode: PositionMode = PositionMode.NETTING,
        limits: LimitTable = LIMITS,
        variables: VariableStore | None = None,
        connect: bool = True,
        reconcile: ReconcileSettings | None = None,
        make_journal: Callable[[Dispatcher], Journal] = InMemoryJournal,
        make_link: Callable[[Dispatcher], EventSink] = lambda dispatcher: dispatcher,
        fees: FeeSchedule | None = None,
    ) -> None:
        self.clock = ManualClock(start_ns)
        self.dispatcher = Dispatcher(self.clock)
        self.session = SimulatedSession(self.clock, threaded=False)
        self.events: list[object] = []
        self.dispatcher.add_tap(lambda _, event: self.events.append(event))
        self.instruments = instruments
        self._orders = 0
        for instrument in instruments:
            assert self.session.execute(AddInstrument(start_ns, instrument, fees=fees, fee_asset_mode="received")).ok
        for name in (*accounts, *CROWD):
            self._open_account(name, mode)
        permit = SendPermit()
        modes = dict.fromkeys(accounts, mode)
        settings = LineSettings(run_id=RUN_ID, limits=limits, modes=modes, reconcile=reconcile)
        self.line = Line(self.dispatcher, permit, settings, make_journal=make_journal, variables=variables)
        for name in accounts:
            context = AdapterContext(name, make_link(self.dispatcher), permit, self.clock, {}, {})
            self.line.add_adapter(SimulatedAdapter(context, self.session))
        if connect:
            self.connect()

    def connect(self) -> None:
        """Connect every account, so that contracts and balances are known."""
        for adapter in self.line.adapters.values():
            adapter.connect()
        self.dispatcher.drain()

    # --- strategies -------------------------------------------------------------------------------------------------

    def add(self, strategy_class: type[Strategy] | None, strategy_id: str = "one", **settings: object) -> StrategyHost:
        """Add a strategy on the first account and instrument unless told otherwise."""
        given = {
            "class_name": strategy_class.__name__ if strategy_class else "",
            "account": next(iter(self.line.adapters)),
            "symbols": (self.instruments[0].instrument_id,),
        } | settings
        made = StrategySettings(strategy_id=strategy_id, **given)  # type: ignore[arg-type]
        return self.line.strategies.add(made, strategy_class)

    def start(self, strategy_class: type[Strategy], strategy_id: str = "one", **settings: object) -> Strategy:
        """Add a strategy, start it and return it."""
        host = self.add(strategy_class, strategy_id, **settings)
        self.line.strategies.start(strategy_id)
        self.dispatcher.drain()
        return host.strategy

    def stop(self, strategy_id: str = "one", occasion: str = "on_stop") -> None:
        """Stop a strategy."""
        self.line.strategies.stop(strategy_id, occasion)
        self.dispatcher.drain()

    def put(self, event: object) -> None:
        """Put an event and let it be handled."""
        self.dispatcher.put(event)
        self.dispatcher.drain()

    # --- the market -------------------------------------------------------------------------------------------------

    def quote(self, bid: float, ask: float, size: float = 10.0, instrument: Instrument | None = None) -> None:
        """Let the crowd show one bid and one ask instead of what it showed before."""
        for account in CROWD:
            self.session.execute(CancelAll(self.clock.now_ns(), account))
        self._place(CROWD[0], Side.BUY, size, bid, instrument)
        self._place(CROWD[0], Side.SELL, size, ask, instrument)
        self.settle()

    def trade(self, price: float, size: float = 1.0, instrument: Instrument | None = None) -> None:
        """Let the crowd trade with itself at a price, or with whoever rests there."""
        self._place(CROWD[0], Side.SELL, size, price, instrument)
        self._place(CROWD[1], Side.BUY, size, price, instrument)
        self.settle()

    def hit(self, side: Side, size: float, price: float, instrument: Instrument | None = None) -> None:
        """Let the crowd send one limit order."""
        self._place(CROWD[1], side, size, price, instrument)
        self.settle()

    def settle(self) -> None:
        """Publish what changed at the venue and handle everything."""
        self.dispatcher.drain()
        self.session.step(self.clock.now_ns())
        self.dispatcher.drain()

    def wait(self, seconds: float) -> None:
        """Let time pass, stopping at every timer on the way."""
        until_ns = self.clock.now_ns() + int(seconds * 1e9)
        while self.dispatcher.timers.next_due_ns <= until_ns:
            self.clock.move_to(max(self.clock.now_ns(), self.dispatcher.timers.next_due_ns))
            self.settle()
            self.dispatcher.fire_timers(self.clock.now_ns())
        self.clock.move_to(until_ns)
        self.settle()

    # --- reading ----------------------------------------------------------------------------------------------------

    def told(self, kind: type[Event]) -> list[Event]:
        """Return the events of a class, oldest first."""
        return [event for event in self.events if type(event) is kind]

    def stages(self, strategy_id: str = "one") -> list[str]:
        """Return the stages a strategy went through."""
        return [status.state for status in self.told(StrategyStatus) if status.strategy_id == strategy_id]

    def lines(self) -> list[str]:
        """Return what strategies and the engine wrote to the log, and which requests failed."""
        return [line.text for line in self.told(StrategyLog)] + [
            f"{r.what}: {r.error}" for r in self.told(RequestFailed)
        ]

    def net(self, instrument: Instrument | None = None) -> Mapping[str, float]:
        """Return the venue's own positions of our accounts in an instrument."""
        name = (instrument or self.instruments[0]).instrument_id
        return {
            account: (instrument or self.instruments[0]).quantity(row.quantity)
            for account in self.line.adapters
            for row in self.session.venue.positions(account)
            if row.instrument_id == name and row.quantity
        }

    def _place(self, account: str, side: Side, size: float, price: float, instrument: Instrument | None) -> None:
        found = instrument or self.instruments[0]
        self._orders += 1
        command = PlaceOrder(
            self.clock.now_ns(), account, found.instrument_id, f"c{self._orders}", side, OrderType.LIMIT,
            found.quantity_units(size), found.price_units(price),
        )  # fmt: skip
        assert self.session.execute(command).ok

    def _open_account(self, name: str, mode: PositionMode) -> None:
        now_ns = self.clock.now_ns()
        checked = name not in CROWD
        assert self.session.execute(OpenAccount(now_ns, name, mode if checked else PositionMode.NETTING, checked)).ok
        assets = {asset for i in self.instruments for asset in (i.base_asset, i.settle_asset, i.quote_asset)}
        for asset in sorted(assets):
            assert self.session.execute(Deposit(now_ns, name, asset, RICH)).ok
