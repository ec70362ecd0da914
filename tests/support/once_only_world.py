"""The once-only world: the shipped desk, gate, risk, journal, restore and reconciliation, and Binance's own order code, in simulated time.

A process life is built, crashes, and is built again from its journal, while the venue's script lets one request go wrong. The strategy
on top wants one thing: one order of one BTC. Whatever happens, it must end with exactly one.
"""

import asyncio
import enum
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.binance.account import AccountAnswers
from foxtrot.adapter.binance.capabilities import SPOT, within
from foxtrot.adapter.binance.errors import NotSent, PermitClosed, UnknownOutcome
from foxtrot.adapter.binance.order_count import OrderCount
from foxtrot.adapter.binance.orders import Orders
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import IntentDurable
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, Product, Side
from foxtrot.domain.errors import FoxtrotError, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, OrderRequest, TradeData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import Intent, JournalRecord
from foxtrot.storage.journal_writer import JournalWriter
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.reconcile_settings import ReconcileSettings
from foxtrot.trading.restored_state import RestoredState, fold
from foxtrot.trading.snapshots import asked_since_ns
from tests.support.builders import a_tick
from tests.support.once_only_venue import (
    GIVEN_UP_NS,
    PRICE,
    QUANTITY,
    RECEIVE_WINDOW_NS,
    SECOND,
    Fault,
    Fill,
    Placed,
    Row,
    ScriptedVenue,
)
from tests.support.scripted_binance import btcusdt

START_NS = 1_700_000_000_000_000_000
ACCOUNT, OWNER = "ours", "wisher"
STEP_NS = SECOND // 2
DOWN_NS = 2 * SECOND
SHORTEST_S = 50
"""By then everything that a script holds has happened, and the account was reconciled once after it."""
LONGEST_S = 120
"""Every schedule must have ended by then: this is the promise of liveness."""
LIMITS = LimitTable(
    platform=Limits(
        quote_age_s=0.0, messages_per_s=0, duplicate_window_s=0.0, price_collar=0.0, market_sweep=0.0, check_funds=False
    )
)


class Crash(enum.Enum):
    """Where the process dies."""

    NEVER = "never"
    INTENT = "when the intent is on disk and nothing was sent"
    IN_FLIGHT = "when the request has left"
    ANSWERED = "when the first report was heard and nothing made of it"
    FILLED = "when the first fill was heard and nothing made of it"
    TWICE = "when the request has left, and again a second after the start"


class Schedule(NamedTuple):
    """One run of the model."""

    fault: Fault
    crash: Crash
    fill: Fill
    lag_s: int
    deaf: bool

    @property
    def name(self) -> str:
        stream = "deaf" if self.deaf else "hearing"
        return f"{self.fault.name}-{self.crash.name}-{self.fill.name}-{self.lag_s}s-{stream}"


class ModelJournal:
    """The shipped writer, committed when the world says so; what was not committed is lost in a crash."""

    keeps_reports = True

    def __init__(self, path: Path, sink: Dispatcher) -> None:
        self._writer = JournalWriter(
            path, synchronous="OFF"
        )  # a crash of the process is played here, not one of the machine
        self._sink = sink
        self._waiting: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        self._waiting.append(record)

    def commit(self) -> bool:
        """Commit what waits and answer intents; tells whether one was among them."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return False
        self._writer.write(waiting)
        ids = tuple(record.order.order_id for record in waiting if isinstance(record, Intent))
        if ids:
            self._sink.put(IntentDurable(ids))
        return bool(ids)

    def close(self) -> None:
        self._writer.abandon()


class ModelSession:
    """What Binance's order code needs of a session: requests to the scripted venue, time, tasks."""

    def __init__(self, world: "World", instrument: Instrument) -> None:
        self.product = Product.SPOT
        self.clock = world.clock
        self.account = ACCOUNT
        self.linked = False
        self.settings = SimpleNamespace(max_leverage=0)
        self.order_count = OrderCount(Product.SPOT, counts=False)
        self.instruments = {instrument.instrument_id: instrument}
        self.halted: dict[str, str] = {}
        self.permit = SendPermit()
        self.tasks: list[asyncio.Task[None]] = []
        self._world = world
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        return self.instruments.get(instrument_id)

    def market_symbol(self, instrument_id: str) -> str:
        return self.instruments[instrument_id].symbol

    def spawn(self, coroutine: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(coroutine, name=name)
        self.tasks.append(task)
        return task

    async def wait_s(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((self.clock.now_ns() + int(seconds * 1e9), waiter))
        await waiter

    def wake(self) -> None:
        """Wake who is due."""
        now_ns = self.clock.now_ns()
        due = [waiter for at_ns, waiter in self._waiters if at_ns <= now_ns]
        self._waiters = [(at_ns, waiter) for at_ns, waiter in self._waiters if at_ns > now_ns]
        for waiter in due:
            if not waiter.done():
                waiter.set_result(None)

    async def request(self, endpoint: str, params: Mapping[str, str], *, deadline_s: float = 10.0) -> object:
        """Answer a question; answers are on their way for a moment, and are then what the venue sees."""
        await asyncio.sleep(0)
        venue = self._world.venue
        match endpoint:
            case "privateGetAccount":
                return venue.account_row()
            case "privateGetOpenOrders":
                return [row for row in map(venue.row, venue.seen()) if row["status"] != "FILLED"]
            case "privateGetAllOrders":
                return [venue.row(order) for order in venue.seen()]
            case "privateGetMyTrades":
                rows = venue.trade_rows()
                return [row for row in rows if params.get("orderId", str(row["orderId"])) == str(row["orderId"])]
            case "privateGetOrder":
                for order in reversed(venue.seen()):
                    if params.get("origClientOrderId", params.get("clientOrderId")) == order.client_id:
                        return venue.row(order)
                raise VenueRejected("binance", "-2013", "Order does not exist.")
        raise AssertionError(f"the model has no {endpoint}")

    async def send_permitted(self, endpoint: str, params: Mapping[str, str], *, reduces: bool) -> object:
        """Send an order, of which the first goes wrong as the schedule says."""
        assert endpoint == "privatePostOrder", endpoint
        world = self._world
        fault = world.take_fault()
        if fault is Fault.NEVER_LEFT:
            raise NotSent("not_connected", "the connection was not there")
        if not self.permit.send(lambda: world.note_wire(params["newClientOrderId"]), reduces=reduces):
            raise PermitClosed(self.permit.reason)
        return await self._carry_out(fault, params["newClientOrderId"])

    async def _carry_out(self, fault: Fault, client_id: str) -> object:
        venue, taken = self._world.venue, list[Placed]()
        sent_ns = self.clock.now_ns()

        def take() -> None:
            if not venue.is_open(client_id) and self.clock.now_ns() - sent_ns <= RECEIVE_WINDOW_NS + 10 * SECOND:
                taken.append(venue.place(client_id))

        delays = {
            Fault.REQUEST_LOST: None,
            Fault.TOO_OLD: None,
            Fault.ARRIVES_LATE: 4 * SECOND,
            Fault.ENGINE_LATE: 9 * SECOND,
        }
        delay_ns = delays.get(fault, 0)
        if delay_ns is not None and delay_ns:
            venue.later(delay_ns, take)
        elif delay_ns is not None:
            duplicate = venue.is_open(client_id)
            take()
            if duplicate:
                raise VenueRejected("binance", "-2010", "Duplicate order sent.")
        await asyncio.sleep(0)
        return await self._hear_of(fault, taken)

    async def _hear_of(self, fault: Fault, taken: list[Placed]) -> object:
        if fault is Fault.NONE:
            return self._world.venue.answer(taken[0])
        if fault is Fault.ANSWER_LOST:
            raise UnknownOutcome("binance", "ServerDisconnectedError", "connection lost")
        if fault is Fault.ERROR_DONE:
            raise UnknownOutcome("binance", "http_503", "Unknown error, please check your request or try again later.")
        if fault is Fault.GARBAGE_DONE:
            return "<html>log in</html>"
        await self.wait_s(GIVEN_UP_NS / 1e9)
        raise UnknownOutcome(
            "binance", "-1007" if fault is Fault.ENGINE_LATE else "RequestTimeout", "no answer in time"
        )


class ModelAdapter(BaseAdapter):
    """Binance's order and account code on a model session; the log-in is in the order that every adapter promises."""

    adapter_name = "binance"
    capabilities = within(SPOT, RECEIVE_WINDOW_NS // 1_000_000)
    logs_status = False

    def __init__(self, context: AdapterContext, world: "World") -> None:
        super().__init__(context)
        self.model = ModelSession(world, btcusdt())
        self.model.permit = context.permit
        self.orders = Orders(self, self.model)  # type: ignore[arg-type]
        self.answers = AccountAnswers(self, self.model, self.orders)  # type: ignore[arg-type]
        self.answers.wanted = lambda: tuple(self.model.instruments)
        self._world = world

    def connect(self) -> None:
        self.model.spawn(self._log_in(), "log in")

    async def _log_in(self) -> None:
        self.on_status(AdapterState.CONNECTED)
        self.on_contracts(tuple(self.model.instruments.values()))
        self.model.linked = True
        await self.answers.tell_account()
        await self.answers.tell_positions()
        await self.answers.tell_orders()
        await self.answers.tell_trades(self.context.fills_since_ns)
        self.orders.tracker.catch_up()
        self.on_status(AdapterState.READY)
        await self.orders.resolve_unknown()

    def close(self, deadline_s: float = 5.0) -> str:
        return ""

    def send_order(self, order: ApprovedOrder) -> None:
        self.model.spawn(self.orders.place(order), order.order_id)

    def recover_order(self, order: ApprovedOrder, sent_ns: int) -> None:
        self.orders.recover(order, sent_ns)

    def cancel_order(self, request: CancelRequest) -> None:
        self.model.spawn(self.orders.cancel(request), f"cancel of {request.order_id}")

    def query_account(self) -> None:
        self._ask("account", self.answers.tell_account)

    def query_positions(self) -> None:
        self._ask("positions", self.answers.tell_positions)

    def query_orders(self) -> None:
        self._ask("orders", self.answers.tell_orders)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        self._ask(f"order {order_id}", partial(self.orders.look_up.tell, order_id, instrument_id))

    def query_trades(self, since_ns: int) -> None:
        self._ask("trades", partial(self.answers.tell_trades, since_ns, asked_ns=since_ns))

    def query_history(self, request: HistoryRequest) -> None:
        raise AssertionError("nobody asks the model for bars")

    def subscribe(self, request: SubscribeRequest) -> None:
        raise AssertionError("nobody subscribes in the model")

    def unsubscribe(self, instrument_id: str) -> None:
        raise AssertionError("nobody subscribes in the model")

    def on_order(self, order: OrderData) -> None:
        self._world.hear(order)
        super().on_order(order)

    def on_trade(self, trade: TradeData) -> None:
        self._world.hear(trade)
        super().on_trade(trade)

    def _ask(self, what: str, question: Callable[[], Awaitable[object]]) -> None:
        async def ask() -> None:
            try:
                await question()
            except FoxtrotError as error:
                self.on_request_failed(what, error)

        self.model.spawn(ask(), what)


class Life:
    """One process, from its start to its crash; `gives_up_on` are the ends after which its strategy sends a new order."""

    gives_up_on = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED, OrderStatus.EXPIRED})

    def __init__(self, world: "World", number: int) -> None:
        self.dispatcher = Dispatcher(world.clock)
        permit = SendPermit()
        restored = world.take_over()
        settings = LineSettings(run_id=f"life{number:06d}", limits=LIMITS, reconcile=ReconcileSettings())
        self.journal = ModelJournal(world.path, self.dispatcher)
        self.line = Line(self.dispatcher, permit, settings, make_journal=lambda _: self.journal, restored=restored)
        since_ns = asked_since_ns(restored, ACCOUNT) if restored is not None else 0
        context = AdapterContext(ACCOUNT, self.dispatcher, permit, world.clock, {}, {}, fills_since_ns=since_ns)
        self.adapter = ModelAdapter(context, world)
        self.line.add_adapter(self.adapter)
        self.line.start_housekeeping()
        self.adapter.connect()
        self.dispatcher.put(a_tick("BTCUSDT.BINANCE", at=world.clock.now_ns()))
        self.next_wish_ns = 0

    def wish(self, now_ns: int) -> bool:
        """Send the one order, if none of ours is on its way, in the market or filled; a refused wish is tried again a second later.

        Tells whether it was sent.
        """
        reconciler = self.line.reconciler
        if now_ns < self.next_wish_ns or reconciler is None or not reconciler.is_reconciled(ACCOUNT):
            return False
        over = self.gives_up_on
        if any(record.status not in over for record in self.line.desk.records() if record.owner == OWNER):
            return False
        self.next_wish_ns = now_ns + SECOND
        request = OrderRequest("BTCUSDT.BINANCE", ACCOUNT, Side.BUY, OrderType.LIMIT, QUANTITY, float(PRICE))
        self.line.desk.submit(request, OWNER)
        return True

    async def end(self) -> None:
        """Die: nothing that was not committed is left."""
        self.journal.close()
        tasks = self.adapter.model.tasks
        while tasks:  # what is cancelled may begin something more, as no process that was killed could
            dying = tasks.copy()
            tasks.clear()
            for task in dying:
                task.cancel()
            await asyncio.gather(*dying, return_exceptions=True)


class World:
    """The venue, the clock, the disk, and the lives of one process on them."""

    def __init__(self, schedule: Schedule, path: Path) -> None:
        self.schedule = schedule
        self.path = path
        self.clock = ManualClock(START_NS)
        self.venue = ScriptedVenue(self.clock, schedule.fill, schedule.lag_s * SECOND)
        self.venue.tell = self._on_event
        self.wire: list[str] = []
        self.early: list[str] = []
        self.lives = 0
        self._fault_taken = False
        self._crash = False
        self._crashes_left = {Crash.NEVER: 0, Crash.TWICE: 2}.get(schedule.crash, 1)
        self._born_ns = START_NS
        self._durable: set[str] = set()
        self.life: Life | None = None

    # --- what the parts tell ----------------------------------------------------------------------------------------

    def take_fault(self) -> Fault:
        """The fault of this request: the schedule's for the first, none for others."""
        taken, self._fault_taken = self._fault_taken, True
        return Fault.NONE if taken else self.schedule.fault

    def note_wire(self, client_id: str) -> None:
        """Hear that an order's bytes leave; its intent is on disk by then."""
        if client_id not in self._intents_on_disk():
            self.early.append(client_id)
        self.wire.append(client_id)
        if self.schedule.crash in (Crash.IN_FLIGHT, Crash.TWICE):
            self.crash_now()

    def hear(self, fact: OrderData | TradeData) -> None:
        """Hear what the adapter tells, before anybody handles it."""
        if self.schedule.crash is Crash.FILLED and isinstance(fact, TradeData):
            self.crash_now()
        if (
            self.schedule.crash is Crash.ANSWERED
            and isinstance(fact, OrderData)
            and fact.status is not OrderStatus.UNKNOWN
        ):
            self.crash_now()

    def crash_now(self) -> None:
        """Let the process die before it does anything more."""
        if self._crashes_left:
            self._crashes_left -= 1
            self._crash = True

    def take_over(self) -> RestoredState | None:
        """Read the journal as a start does."""
        opening = open_journal(self.path)
        return fold(opening.records()) if opening.count else None

    # --- time -------------------------------------------------------------------------------------------------------

    async def run(self) -> Life:
        """Run the schedule to its end and return the last life."""
        self.life = life = self._start()
        while self.clock.now_ns() < START_NS + LONGEST_S * SECOND:
            await self._settle(life)
            if self._crash or self._dies_again():
                life = await self._restart(life)
            if life.wish(self.clock.now_ns()):
                await self._settle(life)
                if self._crash:
                    life = await self._restart(life)
            self.clock.advance(STEP_NS)
            self.venue.step()
            life.adapter.model.wake()
            life.dispatcher.fire_timers(self.clock.now_ns())
            if self._is_over(life):
                break
        await self._settle(life)
        await life.end()
        return life

    def _is_over(self, life: Life) -> bool:
        """Tell whether nothing can happen any more and all is well; what is not well is given time until the longest is over."""
        since_s = (self.clock.now_ns() - START_NS) // SECOND
        quiet = since_s >= SHORTEST_S and self.clock.now_ns() - self._born_ns >= 35 * SECOND
        return quiet and since_s % 5 == 0 and not judge(self, life).faults

    async def _settle(self, life: Life) -> None:
        quiet = 0
        while quiet < 2 and not self._crash:
            before = life.dispatcher.sequence
            life.dispatcher.drain()
            if life.journal.commit() and self.schedule.crash is Crash.INTENT:
                self.crash_now()
                return
            for _ in range(4):
                await asyncio.sleep(0)
                if self._crash:
                    return
            quiet = quiet + 1 if life.dispatcher.sequence == before and not life.dispatcher.control else 0

    def _dies_again(self) -> bool:
        """Tell whether the process of a schedule that dies twice does so now."""
        again = self.schedule.crash is Crash.TWICE and self.lives == 2
        if again and self.clock.now_ns() - self._born_ns >= SECOND and self._crashes_left:
            self.crash_now()
        return self._crash

    def _start(self) -> Life:
        self.lives += 1
        self._born_ns = self.clock.now_ns()
        return Life(self, self.lives)

    async def _restart(self, life: Life) -> Life:
        await life.end()
        self._crash = False
        for _ in range(DOWN_NS // STEP_NS):
            self.clock.advance(STEP_NS)
            self.venue.step()
        self.life = fresh = self._start()
        return fresh

    def _on_event(self, event: Row) -> None:
        if self.life is not None and not self.schedule.deaf and self.life.adapter.model.linked:
            self.life.adapter.orders.hear(event)

    def _intents_on_disk(self) -> set[str]:
        opening = open_journal(self.path)
        return {record.order.order_id for record in opening.records() if isinstance(record, Intent)}


class Verdict(msgspec.Struct, frozen=True):
    """What is wrong at the end of a schedule; nothing when all is as it should be."""

    faults: tuple[str, ...]


def judge(world: World, life: Life) -> Verdict:
    """Compare the venue's truth with what the last life holds."""
    faults = []
    placed, filled = len(world.venue.orders), world.venue.total_filled()
    position = life.line.portfolio.position(OWNER, ACCOUNT, "BTCUSDT.BINANCE")
    held = float(position.exact_quantity) if position is not None else 0.0
    if placed != 1:
        faults.append(f"{placed} orders at the venue, one was wanted")
    if held != filled:
        faults.append(f"we hold {held}, the venue filled {filled}")
    records = [record for record in life.line.desk.records() if record.owner == OWNER]
    unknown = [record.terms.order_id for record in records if record.status is OrderStatus.UNKNOWN]
    if unknown:
        faults.append(f"still unknown: {unknown}")
    trades = [trade_id for record in records for trade_id in record.fills]
    if len(trades) != len(set(trades)) or len(trades) != sum(len(order.trades) for order in world.venue.orders):
        faults.append(f"fills {trades}")
    if len(set(world.wire)) != len(world.wire):
        faults.append(f"an id was sent twice: {world.wire}")
    if world.early:
        faults.append(f"left before its intent was on disk: {world.early}")
    reconciler = life.line.reconciler
    if reconciler is None or not reconciler.is_reconciled(ACCOUNT) or reconciler.differences():
        faults.append(f"not reconciled: {reconciler.differences() if reconciler is not None else None}")
    return Verdict(tuple(faults))


def play(schedule: Schedule, folder: Path) -> Verdict:
    """Play one schedule in a folder of its own and judge it."""
    folder.mkdir(parents=True)
    world = World(schedule, folder / "journal.db")
    life = asyncio.run(world.run())
    return judge(world, life)
