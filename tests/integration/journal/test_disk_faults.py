"""When the disk fails the order is not sent, the gate closes and says why, and market data goes on."""

import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import apsw
import pytest

from foxtrot.app import platform_journal
from foxtrot.app.config import load_config
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.core.clock import SystemClock
from foxtrot.core.commands import SendOrder
from foxtrot.core.notices import OrderChanged
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, Side
from foxtrot.domain.market import TickData
from foxtrot.domain.order import OrderData, OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import Intent
from tests.conftest import REPOSITORY
from tests.support.builders import OWNER, TradingFloor, a_request, a_tick
from tests.support.fault_vfs import Fault, FaultVfs, fail_on, fault_vfs, sqlite_error
from tests.support.journal_rig import Sink, an_intent, order_id, write_all
from tests.support.strace import traced, why_not
from tests.support.waiting import wait_until

DISK: dict[str, tuple[Fault, str]] = {
    "full": (
        fail_on("write", "-wal", sqlite_error(apsw.FullError, apsw.SQLITE_FULL, "database or disk is full")),
        "FULL",
    ),
    "sync": (
        fail_on("sync", "-wal", sqlite_error(apsw.IOError, apsw.SQLITE_IOERR_FSYNC, "disk I/O error")),
        "IOERR_FSYNC",
    ),
    "read-only": (
        fail_on("write", "-wal", sqlite_error(apsw.ReadOnlyError, apsw.SQLITE_READONLY, "attempt to write")),
        "READONLY",
    ),
}


@pytest.fixture
def vfs() -> Iterator[FaultVfs]:
    with fault_vfs() as made:
        yield made


class Floor:
    """The middle of the line with a journal on disk, whose answers are handled when the test says so."""

    def __init__(self, path: Path, vfs: FaultVfs) -> None:
        write_all(path)
        self.sink = Sink()
        self.journal = DurableJournal(path, self.sink, SystemClock(), vfs=vfs.name)
        self.made = TradingFloor(journal=self.journal)
        self.made.put(a_tick())
        self._heard = 0
        self._prices = 95.0

    def submit(self) -> str:
        self._prices += 1.0  # equal orders in a second are refused as duplicates
        name = self.made.desk.submit(a_request(price=self._prices), OWNER)
        self.made.dispatcher.drain()
        return name

    def hear(self, answers: int) -> None:
        """Wait until so many intents are answered and let the desk hear of it."""
        self.sink.wait_for(answers)
        events, self._heard = self.sink.events[self._heard :], len(self.sink.events)
        self.made.put(*events)

    def order(self, name: str) -> OrderData:
        found = self.made.desk.order(name)
        assert found is not None
        return found

    def sent(self) -> list[str]:
        return [order.order_id for order in self.made.adapter.sent]


@pytest.mark.parametrize("name", DISK)
def test_an_order_whose_intent_is_not_on_disk_is_not_sent_and_the_gate_says_why(
    name: str, tmp_path: Path, vfs: FaultVfs
) -> None:
    floor = Floor(tmp_path / "journal.db", vfs)
    first = floor.submit()
    assert floor.sent() == [], "sent before the intent was durable"
    floor.hear(1)
    assert floor.sent() == [first]
    vfs.fault, code = DISK[name]
    second = floor.submit()
    floor.hear(2)
    floor.made.put(a_tick(bid=101.0, ask=101.2))
    third = floor.submit()
    floor.hear(2)
    floor.journal.close()
    assert floor.sent() == [first]
    assert floor.made.gate.state is GateState.HALTED
    assert code in floor.made.gate.reason
    assert "journal.db" in floor.made.gate.reason
    assert [floor.order(each).status for each in (second, third)] == [OrderStatus.DENIED] * 2
    assert floor.order(second).rule == "journal"
    assert code in floor.order(second).reason
    reference = floor.made.view.reference("BTCUSDT.PERP")
    assert reference is not None
    assert reference.price == pytest.approx(101.1)


def test_an_order_that_waits_for_a_slow_sync_is_refused_by_its_age_and_not_sent_when_it_comes(
    tmp_path: Path, vfs: FaultVfs
) -> None:
    floor, synced, reached = Floor(tmp_path / "journal.db", vfs), threading.Event(), threading.Event()

    def slow(kind: str, file: str) -> None:
        if kind == "sync" and file.endswith("-wal"):
            reached.set()
            assert synced.wait(10)

    vfs.fault = slow
    name = floor.submit()
    assert reached.wait(10)
    floor.made.clock.advance(5_000_000_000)
    floor.made.put(a_tick(bid=101.0, ask=101.2, at=floor.made.clock.now_ns()))
    floor.made.desk.journal_wait.check()
    floor.made.dispatcher.drain()
    assert floor.made.gate.state is GateState.HALTED
    assert name in floor.made.gate.reason
    assert floor.order(name).status is OrderStatus.DENIED
    synced.set()
    floor.hear(1)
    floor.journal.close()
    assert floor.sent() == []
    assert floor.order(name).status is OrderStatus.DENIED


CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }
"""


def test_a_platform_whose_disk_fails_trades_no_more_and_still_hears_the_market(
    tmp_path: Path, vfs: FaultVfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, home = tmp_path / "foxtrot.toml", tmp_path / "home"
    config.write_text(CONFIG)
    write_all(home / "journal.db")
    monkeypatch.setattr(platform_journal, "DurableJournal", partial(DurableJournal, vfs=vfs.name))
    loaded = load_config(config)
    platform = MainEngine(loaded, home, journal=PlatformJournal(home, loaded, SystemClock()))
    orders: list[OrderData] = []
    ticks: list[TickData] = []
    platform.line.dispatcher.subscribe(OrderChanged, lambda told: orders.append(told.order), owner="test")
    platform.line.dispatcher.subscribe(TickData, ticks.append, owner="test")
    platform.start()
    try:
        assert platform.all_ready.wait(10)
        platform.ask(lambda: subscribe(platform))
        wait_until(lambda: bool(ticks))
        platform.put(SendOrder(a_resting_order(ticks[-1], 0.01), "manual"))
        wait_until(lambda: any(order.status is OrderStatus.ACCEPTED for order in orders))
        vfs.fault = DISK["sync"][0]
        seen = len(orders)
        platform.put(SendOrder(a_resting_order(ticks[-1], 0.02), "manual"))
        wait_until(lambda: len(orders) > seen)
        wait_until(lambda: platform.line.gate.state is GateState.HALTED)
        heard = len(ticks)
        wait_until(lambda: len(ticks) > heard)
        reason = platform.line.gate.reason
    finally:
        vfs.fault = lambda kind, file: None
        report = platform.stop()
    denied = [order for order in orders if order.status is OrderStatus.DENIED]
    assert [(order.rule, "IOERR_FSYNC" in order.reason) for order in denied] == [("journal", True)]
    assert "IOERR_FSYNC" in reason
    assert report.summary.denied == {"journal": 1}, "an order with an intent is counted too"
    assert report.overran == ()
    sent = [each.order.order_id for each in open_journal(home / "journal.db").records() if isinstance(each, Intent)]
    assert orders[0].order_id in sent


def subscribe(platform: MainEngine) -> None:
    platform.line.adapters["paper"].subscribe(SubscribeRequest("BTCUSDT.BINANCE_USDM"))


def a_resting_order(tick: TickData, quantity: float) -> OrderRequest:
    price = round(tick.bid_price * 0.98, 1)
    return OrderRequest("BTCUSDT.BINANCE_USDM", "paper", Side.BUY, OrderType.LIMIT, quantity, price)


# --- the real disk ------------------------------------------------------------------------------------------------------


def test_a_file_that_may_not_grow_stops_the_journal_and_leaves_it_whole(tmp_path: Path) -> None:
    path, sink = tmp_path / "journal.db", Sink()
    write_all(path, an_intent(0))
    journal = DurableJournal(path, sink, SystemClock())
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    try:
        for number in range(1, 100):
            journal.append(an_intent(number))
            sink.wait_for(number)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    journal.close()
    assert "IOERR" in journal.failed or "FULL" in journal.failed
    assert 5 < len(sink.durable) < 99
    assert len(sink.failed) == 99 - len(sink.durable)
    there = [each.order.order_id for each in open_journal(path).records() if isinstance(each, Intent)]
    assert there[1 : 1 + len(sink.durable)] == sink.durable


REAL = {"fdatasync:error=EIO:when=8+": "fdatasync", "pwrite64:error=ENOSPC:when=30+": "pwrite64"}


@pytest.mark.parametrize("inject", REAL)
def test_after_an_error_of_the_kernel_the_journal_is_neither_written_nor_synced_again(
    inject: str, tmp_path: Path
) -> None:
    if why_not():
        pytest.skip(why_not())
    path = tmp_path / "journal.db"
    write_all(path)
    command = [sys.executable, "-m", "tests.support.journal_child", str(path), "0", "12"]
    options = ("-e", "trace=pwrite64,fdatasync,fsync,ftruncate", "-e", f"inject={inject}")
    ran = traced(command, tmp_path / "calls", *options)
    assert ran.returncode == 0, ran.stderr
    answers = [line.split("\t") for line in ran.stdout.splitlines()]
    durable, failed = [a[0] for a in answers if len(a) == 1], [a for a in answers if len(a) == 2]
    assert durable
    assert len(failed) >= 2
    assert all("IOERR" in reason or "FULL" in reason for _, reason in failed)
    calls = [line for line in (tmp_path / "calls").read_text().splitlines() if re.search(r" \w+\(", line)]
    first = next(number for number, line in enumerate(calls) if "(INJECTED)" in line)
    assert calls[first + 1 :] == []
    there = [each.order.order_id for each in open_journal(path).records() if isinstance(each, Intent)]
    assert there[: len(durable)] == durable == [order_id(number) for number in range(len(durable))]


WITHOUT_RIGHTS = """
import os, sys
from pathlib import Path
from foxtrot.core.clock import SystemClock
from foxtrot.domain.errors import ConfigError
from foxtrot.storage.durable_journal import DurableJournal
if os.geteuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    DurableJournal(Path(sys.argv[1]), None, SystemClock())
except ConfigError as error:
    sys.exit(str(error))
"""


@pytest.mark.parametrize("exists", [False, True])
def test_a_folder_that_may_not_be_written_is_refused_at_the_start_with_its_reason(exists: bool) -> None:
    folder = Path(tempfile.mkdtemp())  # not under tmp_path, whose parents another user may not enter
    try:
        if exists:
            write_all(folder / "journal.db", an_intent(1))
            (folder / "journal.db").chmod(0o444)
        folder.chmod(0o555)
        ran = subprocess.run(
            [sys.executable, "-c", WITHOUT_RIGHTS, str(folder / "journal.db")],
            cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=60,
        )  # fmt: skip
        assert ran.returncode == 1
        assert f"{folder / 'journal.db'} cannot be written: " in ran.stderr
        assert re.search("Permission denied|READONLY|CANTOPEN", ran.stderr), ran.stderr
    finally:
        folder.chmod(0o700)
        shutil.rmtree(folder)
