"""The journal on disk: durable intents, what it adds to the way of an order, and how long a start reads.

Every figure names this machine's disk; what is promised by it is proved by tests/integration/journal, not by speed.
"""

import atexit
import os
import shutil
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import msgspec

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.core.clock import SystemClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import ContractsLoaded, IntentDurable
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.market import TickData
from foxtrot.domain.order import ApprovedOrder, OrderData, OrderRequest
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.storage.journal import InMemoryJournal, Journal
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import FillBooked, Handed, JournalRecord, OrderTold, Snapshot, encode_record
from foxtrot.storage.journal_writer import JournalWriter
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.restored_state import UNFOLDED, RestoredState, encode_state, fold
from tests.benchmark.harness import Row, Sample
from tests.support.builders import ACCOUNT, T0, a_perpetual, a_request, a_trade, an_order
from tests.support.journal_rig import an_intent, order_id
from tests.support.scripted_adapter import ScriptedAdapter

ALONE = 500
TOGETHER = 32
GROUPED = 10_000
ORDERS = 1_000
RECORDS = 1_000_000
OPEN = 10_000
SINCE = 20_000
ACKS = (
    "From append to the answer in another thread. Alone: each waits for the one before; the peer is a plain file of the same records "
    "with a sync after each, in one thread: the disk itself. Together: 32 wait at any time, and what comes while a group is being "
    "synced is the next group."
)
ADDED = (
    "From desk.submit to the adapter's send_order, on the running engine, one order at a time; the peer is the same line with the "
    "journal in memory, which answers in line."
)
START = (
    f"From nothing to the state that the line takes over: {RECORDS:,} records checked (database, hash chain), those since the last "
    f"snapshot read and added up, {OPEN:,} orders open. A running platform writes a snapshot when it ends, and at a start that "
    f"read more than {SINCE:,} records."
)


@contextmanager
def a_folder() -> Iterator[Path]:
    """A folder on the disk that is measured, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="foxtrot-journal-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Acks:
    """Counts durable intents and lets a producer go on as they come."""

    def __init__(self, room: int) -> None:
        self.room = threading.Semaphore(room)

    def put(self, event: object) -> None:
        """Make room for as many as became durable."""
        assert isinstance(event, IntentDurable), event
        self.room.release(len(event.order_ids))


def durable_per_second(count: int, waiting: int) -> float:
    """Durable intents a second with so many waiting at any time."""
    intents = [an_intent(number) for number in range(count)]
    with a_folder() as folder:
        acks = Acks(waiting)
        journal = DurableJournal(folder / "journal.db", acks, SystemClock())
        began = time.perf_counter()
        for intent in intents:
            acks.room.acquire()
            journal.append(intent)
        for _ in range(waiting):
            acks.room.acquire()
        took = time.perf_counter() - began
        journal.close()
        return count / took


def raw_per_second(count: int) -> float:
    """The same records appended to a plain file, each synced: what the disk itself does."""
    bodies = [encode_record(an_intent(number)) for number in range(count)]
    with a_folder() as folder, (folder / "raw").open("wb", buffering=0) as file:
        began = time.perf_counter()
        for body in bodies:
            file.write(body)
            os.fdatasync(file.fileno())
        return count / (time.perf_counter() - began)


# --- an order's way ---------------------------------------------------------------------------------------------------


class Timed(ScriptedAdapter):
    """Notes when an order is handed to it."""

    def __init__(self, context: AdapterContext) -> None:
        super().__init__(context)
        self.sent_s = 0.0
        self.handed = threading.Event()

    def send_order(self, order: ApprovedOrder) -> None:
        """Note the time; the venue says nothing."""
        self.sent_s = time.perf_counter()
        self.handed.set()


class Submit(msgspec.Struct, frozen=True):
    """Let the desk submit a request, on the engine's thread."""

    request: OrderRequest


def order_latencies(make_journal: Callable[[EventEngine], Callable[[Dispatcher], Journal]]) -> list[float]:
    """Microseconds from submission to the adapter, of orders one after the other, in order of size."""
    engine, permit, instrument = EventEngine(), SendPermit(), a_perpetual()
    none = Limits(check_funds=False, messages_per_s=0, duplicate_window_s=0.0, orders_per_minute=0, quote_age_s=0.0)
    settings = LineSettings(run_id="0000000001", limits=LimitTable(none))
    line = Line(engine.dispatcher, permit, settings, make_journal=make_journal(engine))
    adapter = Timed(AdapterContext(ACCOUNT, engine, permit, engine.clock, {}, {}))
    line.add_adapter(adapter)
    begun: list[float] = []
    priced = threading.Event()

    def submit(command: Submit) -> None:
        begun.append(time.perf_counter())
        line.desk.submit(command.request, "bench")

    engine.dispatcher.subscribe(Submit, submit, owner="bench")
    engine.dispatcher.subscribe(TickData, lambda _: priced.set(), owner="bench")
    engine.start()
    now_ns = engine.clock.now_ns()
    engine.put(ContractsLoaded(ACCOUNT, (instrument,)))
    engine.put(TickData(instrument.instrument_id, now_ns, now_ns, 99.9, 1.0, 100.1, 1.0, 100.0))
    priced.wait(10)
    waits = []
    for _ in range(ORDERS):
        adapter.handed.clear()
        engine.put(Submit(a_request(quantity=0.001, price=100.0)))
        assert adapter.handed.wait(10), [order.reason for order in line.desk.denied.values()]
        waits.append((adapter.sent_s - begun[-1]) * 1e6)
    engine.stop()
    line.journal.close()
    return sorted(waits)


class Ways:
    """Runs an order's way with either journal; what two rows show is of the same runs."""

    def __init__(self) -> None:
        self.durable: list[list[float]] = []
        self.in_memory: list[list[float]] = []

    def sample(self, runs: list[list[float]], share: float, run: Callable[[], list[float]]) -> Sample:
        """A sample that shows a percentile of the next run, which is made where there is none."""
        shown = iter(range(1_000))

        def take() -> float:
            number = next(shown)
            if number == len(runs):
                runs.append(run())
            return runs[number][int(share * ORDERS)]

        return take

    def row(self, name: str, share: float, note: str) -> Row:
        """A row of one percentile."""
        return Row(
            name=name, unit="µs", ours=self.sample(self.durable, share, with_durable), peer_name="in memory",
            peer=self.sample(self.in_memory, share, with_memory), repeats=3, higher_is_better=False, note=note,
            limit=2000.0 if share == 0.99 else None,
        )  # fmt: skip


def with_durable() -> list[float]:
    """Latencies with the journal on disk."""
    with a_folder() as folder:
        return order_latencies(lambda engine: lambda _: DurableJournal(folder / "journal.db", engine, engine.clock))


def with_memory() -> list[float]:
    """Latencies with the journal in memory."""
    return order_latencies(lambda _: InMemoryJournal)


# --- a start ----------------------------------------------------------------------------------------------------------


def records_of(number: int, *, ends: bool) -> list[JournalRecord]:
    """The four records of an order that was accepted, and filled unless it stays open."""
    name = order_id(number)
    last = FillBooked(T0, "alpha", a_trade(name, f"t{number}")) if ends else told(name, OrderStatus.ACCEPTED)
    return [an_intent(number), Handed(T0, name), told(name, OrderStatus.ACCEPTED), last]


def told(name: str, status: OrderStatus) -> OrderTold:
    """A report about an order."""
    return OrderTold(T0, "alpha", an_order(name, status))


@cache
def long_journal(*, snapshot: bool) -> Path:
    """A journal of a million records and 10,000 open orders, made once for all rows; with a snapshot near its end or none."""
    folder = Path(tempfile.mkdtemp(prefix="foxtrot-journal-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    writer = JournalWriter(folder / "journal.db")
    orders, per_group = RECORDS // 4, 500
    for start in range(0, orders, per_group):
        if snapshot and start == orders - SINCE // 4:
            writer.write([Snapshot(T0, encode_state(open_state(start)))])
        numbers = range(start, start + per_group)
        writer.write([each for number in numbers for each in records_of(number, ends=number < orders - OPEN)])
        if writer.checkpoint_overdue:
            writer.checkpoint()
    writer.close()
    return folder / "journal.db"


def open_state(before: int) -> RestoredState:
    """The state that a snapshot before an order would hold: the open ones of the last 10,000."""
    first = RECORDS // 4 - OPEN
    return fold(each for number in range(first, before) for each in records_of(number, ends=False))


def start_seconds(*, snapshot: bool) -> float:
    """Seconds to check a long journal and add up what a start needs."""
    path = long_journal(snapshot=snapshot)
    began = time.perf_counter()
    opening = open_journal(path)
    state = fold(opening.records(UNFOLDED))
    took = time.perf_counter() - began
    assert opening.count == RECORDS + snapshot
    waiting = [life for life in state.orders.values() if life.told is not None and not life.fills]
    assert len(waiting) == OPEN
    assert all(isinstance(life.told, OrderData) for life in waiting)
    return took


def check_seconds() -> float:
    """Seconds to check a long journal."""
    began = time.perf_counter()
    open_journal(long_journal(snapshot=False))
    return time.perf_counter() - began


def append_nanoseconds() -> float:
    """What an append costs the thread that makes it: median nanoseconds."""
    intents, took = [an_intent(number) for number in range(2_000)], []
    with a_folder() as folder:
        acks = Acks(1)
        journal = DurableJournal(folder / "journal.db", acks, SystemClock())
        for intent in intents:
            began = time.perf_counter_ns()
            journal.append(intent)
            took.append(time.perf_counter_ns() - began)
        journal.close(30)
    return statistics.median(took)


def rows() -> list[Row]:
    """The rows of this benchmark."""
    sys.setswitchinterval(0.0005)  # as the platform sets it
    ways = Ways()
    return [
        Row(name="durable intents, each alone", unit="intents/s", ours=lambda: durable_per_second(ALONE, 1),
            peer=lambda: raw_per_second(ALONE), peer_name="plain file", repeats=5, note=ACKS),
        Row(name=f"durable intents, {TOGETHER} waiting", unit="intents/s", ours=lambda: durable_per_second(GROUPED, TOGETHER),
            repeats=5, limit=5000.0),
        Row(name="append, for who appends", unit="ns", ours=append_nanoseconds, repeats=5, higher_is_better=False),
        ways.row("submit to the adapter, p50", 0.50, ADDED),
        ways.row("submit to the adapter, p99", 0.99, ADDED),
        Row(name="check of 1,000,000 records", unit="s", ours=check_seconds, repeats=3, higher_is_better=False),
        Row(name="start: 1,000,000 records, snapshot", unit="s", ours=lambda: start_seconds(snapshot=True), repeats=3,
            higher_is_better=False, limit=10.0, note=START),
        Row(name="start: 1,000,000 records, no snapshot", unit="s", ours=lambda: start_seconds(snapshot=False), repeats=3,
            higher_is_better=False, limit=10.0),
    ]  # fmt: skip
