"""A week of 00700.SEHK and AAPL.NASDAQ by a manual clock: lunch, nights, Thanksgiving, half a day and a weekend raise no alert.

Every place that judges silence or age is asked at each step: figures of streams, the watchdog of connections, the table of accounts
with its sick books, the platform's health, the status file with what needs a person, reconciliations, failed requests, and risk.
"""

from datetime import date, datetime, time
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.watchdog import Watchdog as StreamWatchdog
from foxtrot.adapter.book_paths import BookFigures
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import StreamHealth
from foxtrot.app.config import load_config
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_watch import PlatformWatch
from foxtrot.app.run_status import StatusFile
from foxtrot.app.status_reading import read_status
from foxtrot.app.surroundings import Surroundings
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import (
    AccountReconciled,
    BookStateChanged,
    ContractsLoaded,
    DifferenceFound,
    HandlerFailed,
    OpenOrdersLoaded,
    OrderMissing,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
    VenueUnsteady,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.enums import AdapterState, BookState, OrderStatus, OrderType, Side
from foxtrot.domain.market import DepthData
from foxtrot.domain.order import OrderRequest
from foxtrot.exchange.listings import listing
from tests.support.builders import an_account
from tests.support.scripted_adapter import ScriptedAdapter

S = 1_000_000_000
ACCOUNT, TENCENT, APPLE = "stocks", "00700.SEHK", "AAPL.NASDAQ"
HONG_KONG, NEW_YORK = ZoneInfo("Asia/Hong_Kong"), ZoneInfo("America/New_York")
BEGIN = int(datetime(2026, 11, 22, 23, 0, tzinfo=ZoneInfo("UTC")).timestamp()) * S
END = BEGIN + 7 * 86_400 * S
STEP_S = 60
LOOKED_AT_EVERY = 5
"""Steps between two looks at what writes or reads a file."""
ALARMS = (VenueUnsteady, RequestFailed, DifferenceFound, OrderMissing, HandlerFailed)
CONFIG = f"""
[account.{ACCOUNT}]
adapter = "simulated"

[reconcile]
orders_s = 600
positions_s = 600
"""


def trades_now(name: str, ns: int) -> bool:
    """Say whether a market trades, by the hours as everybody knows them and not by the calendars that are tried here."""
    local = datetime.fromtimestamp(ns // S, HONG_KONG if name == TENCENT else NEW_YORK)
    if local.weekday() > 4:
        return False
    if name == TENCENT:
        return time(9, 30) <= local.time() < time(12) or time(13) <= local.time() < time(16)
    if local.date() == date(2026, 11, 26):
        return False
    return time(9, 30) <= local.time() < (time(13) if local.date() == date(2026, 11, 27) else time(16))


class Prompt(ScriptedAdapter):
    """Answers every question at once with an account that holds money and nothing else."""

    def _answer(self, query: str) -> None:
        self.answers[query] = self.fact(query)
        super()._answer(query)

    def fact(self, query: str) -> OpenOrdersLoaded | PositionsLoaded | AccountData | TradesLoaded:
        now = self.clock.now_ns()
        if query == "orders":
            return OpenOrdersLoaded(ACCOUNT, (), now)
        if query == "positions":
            return PositionsLoaded(ACCOUNT, (), now)
        if query == "trades":
            return TradesLoaded(ACCOUNT, (), now)
        return an_account({"HKD": "1000000", "USD": "1000000"}, ACCOUNT, now)


class Week:
    """A platform that is built and not started: its engine is drained here, so that a week takes seconds."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(BEGIN)
        around = Surroundings(self.clock)
        dispatcher = self.dispatcher = around.events.dispatcher
        dispatcher._outlet = partial(Dispatcher.put, dispatcher)  # no thread takes anything out of the engine's inbox
        self.adapter = Prompt(AdapterContext(ACCOUNT, dispatcher, around.permit, self.clock, {}, {}))
        around.adapters = (self.adapter,)
        config = home / "config.toml"
        config.write_text(CONFIG)
        self.home = home
        self.platform = MainEngine(load_config(config), home, around=around)
        watch = PlatformWatch(self.platform)
        self.health = watch.health
        self.status = StatusFile(self.platform, watch.supervisor.watchdog, home / "status.json", self.health)
        self.told: list[object] = []
        dispatcher.add_tap(lambda _, event: self.told.append(event) if type(event) in ALARMS else None)
        self.reconciled: list[AccountReconciled] = []
        dispatcher.subscribe(AccountReconciled, self.reconciled.append, owner="test")
        self.stale: list[str] = []
        self.watchdog = StreamWatchdog(
            AsyncBridge("unused", self.clock),
            self.adapter.link,
            lambda *_: None,
            lambda one: self.stale.append(one.name),
        )
        self.streams: dict[str, StreamHealth] = {}
        for name in (TENCENT, APPLE):
            self._stream(name)
        self.begin()

    def _stream(self, name: str) -> None:
        calendar = calendar_named(listing(name).calendar)
        stream = self.adapter.link.stream(f"book {name}", lambda text: StreamHealth(text, calendar=calendar))
        stream.up(self.clock.monotonic_ns())
        self.streams[name] = stream
        self.adapter.link.books[name] = lambda: BookFigures(
            implementation="full_snapshot", state="live" if trades_now(name, self.clock.now_ns()) else "crossed"
        )

    def begin(self) -> None:
        """Let the account log in, as an adapter does."""
        now = self.clock.now_ns()
        self.adapter.on_status(AdapterState.CONNECTED)
        self.dispatcher.put(ContractsLoaded(ACCOUNT, (listing(TENCENT), listing(APPLE))))
        for query in ("account", "positions", "orders", "trades"):
            self.dispatcher.put(self.adapter.fact(query))
        self.adapter.on_status(AdapterState.READY)
        for name in (TENCENT, APPLE):
            self.dispatcher.put(BookStateChanged(ACCOUNT, name, BookState.LIVE, "", now))
        self.dispatcher.drain()

    def hear(self, name: str) -> None:
        price = 400.0 if name == TENCENT else 200.0
        now = self.clock.now_ns()
        self.streams[name].heard(self.clock.monotonic_ns())
        self.dispatcher.put(DepthData(name, now, now, now, ((price, 1_000.0),), ((price + 0.2, 1_000.0),)))
        self.dispatcher.drain()

    def step(self, seconds: float) -> None:
        until_ns, timers = self.clock.now_ns() + int(seconds * S), self.dispatcher.timers
        while timers.next_due_ns <= until_ns:
            self.clock.move_to(max(self.clock.now_ns(), timers.next_due_ns))
            self.dispatcher.fire_timers(self.clock.now_ns())
        self.clock.move_to(until_ns)
        self.watchdog.beat(self.clock.now_ns(), seconds)

    def move_to(self, ns: int) -> None:
        """Let time pass without a beat, as nothing is asked of the line meanwhile."""
        self.clock.move_to(ns)
        self.dispatcher.fire_timers(ns)

    def needs(self) -> tuple[str, ...]:
        """Return what the status file says a person must see to."""
        self.status.path.write_bytes(msgspec.json.encode(self.status.status("running")))
        return read_status(self.home, self.clock.now_ns()).needs_person

    def buy(self, name: str) -> OrderStatus | str:
        price, lot = (400.0, 100.0) if name == TENCENT else (200.0, 1.0)
        desk = self.platform.line.desk
        order_id = desk.submit(OrderRequest(name, ACCOUNT, Side.BUY, OrderType.LIMIT, lot, price), "test")
        self.dispatcher.drain()
        order = desk.order(order_id)
        assert order is not None
        return order.rule or order.status


def at(text: str, zone: ZoneInfo) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * S


def test_a_week_raises_no_alert(tmp_path: Path) -> None:
    week, number = Week(tmp_path), 0
    while week.clock.now_ns() < END:
        now = week.clock.now_ns()
        for name in (TENCENT, APPLE):
            if trades_now(name, now):
                week.hear(name)
        rows = week.platform.connections.look()
        moment = datetime.fromtimestamp(now // S, HONG_KONG).isoformat()
        assert (week.stale, week.told, rows[0].unsteady) == ([], [], False), moment
        assert not any(stream.stale for stream in rows[0].health.streams), moment
        assert not any(sick_s > STEP_S for sick_s in rows[0].sick_books.values()), moment
        if number % LOOKED_AT_EVERY == 0:
            assert week.health.look(rows).reasons == (), moment
            assert week.needs() == (), moment
        week.step(STEP_S)
        number += 1
    assert len(week.reconciled) > 900
    assert all(not one.error and not one.differences for one in week.reconciled)


def test_silence_and_a_sick_book_of_an_open_market_are_still_told(tmp_path: Path) -> None:
    week = Week(tmp_path)
    week.move_to(at("2026-11-23 12:59:30", HONG_KONG))
    for _ in range(120):  # lunch is over, and nothing comes: 90 s of it count
        week.adapter.link.books[TENCENT] = lambda: BookFigures(implementation="full_snapshot", state="syncing")
        week.step(1)
        rows = week.platform.connections.look()
    assert week.stale == [f"book {TENCENT}"]
    assert 88 <= rows[0].sick_books[TENCENT] <= 91
    assert any(TENCENT in reason for reason in week.health.look(rows).reasons)
    assert any(TENCENT in need for need in week.needs())


def test_a_price_of_before_lunch_is_no_reference_after_it_until_a_fresh_one_comes(tmp_path: Path) -> None:
    week = Week(tmp_path)
    week.move_to(at("2026-11-23 11:59:58", HONG_KONG))
    week.hear(TENCENT)
    assert week.buy(TENCENT) is OrderStatus.SUBMITTED
    week.move_to(at("2026-11-23 12:30:00", HONG_KONG))
    assert week.buy(TENCENT) is OrderStatus.SUBMITTED, "a LIVE book vouches while the market is closed"
    week.move_to(at("2026-11-23 13:00:00", HONG_KONG))
    assert week.buy(TENCENT) == "quote_age", (
        "of a book that was last heard before the session nobody knows what it is now"
    )
    week.move_to(at("2026-11-23 13:00:30", HONG_KONG))
    assert week.buy(TENCENT) == "quote_age"
    week.hear(TENCENT)
    assert week.buy(TENCENT) is OrderStatus.SUBMITTED
    week.move_to(at("2026-11-23 13:10:00", HONG_KONG))
    assert week.buy(TENCENT) is OrderStatus.SUBMITTED, "within the session its book vouches however quiet it is"


def test_a_price_of_friday_is_no_reference_on_monday(tmp_path: Path) -> None:
    week = Week(tmp_path)
    week.move_to(at("2026-11-27 12:59:59", NEW_YORK))  # half a day
    week.hear(APPLE)
    week.move_to(at("2026-11-30 09:30:05", NEW_YORK))
    assert week.buy(APPLE) == "quote_age"
    week.hear(APPLE)
    assert week.buy(APPLE) is OrderStatus.SUBMITTED
