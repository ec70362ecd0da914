"""A run of the demo's market over Binance's protocol, recorded and run again in another process: the same order intents, byte for byte."""

import contextlib
import hashlib
import io
import json
import os
import struct
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.config import Config
from foxtrot.app.config_tables import AccountTable, OrderExits, StrategyTable
from foxtrot.app.demo_exchange import DemoExchange
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.replay import replay_run
from foxtrot.app.run_recording import RunRecording
from foxtrot.cli import main
from foxtrot.core.commands import KillSwitch, ResumeTrading
from foxtrot.core.tape import INTENT, EntryKind
from foxtrot.domain.enums import GateState
from foxtrot.domain.market import DepthData, TickData
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.storage.journal_reader import read_only
from foxtrot.storage.journal_records import FillBooked
from foxtrot.storage.run_tape import HEADER, MAGIC, Record, TapeReader, TapeWriter
from foxtrot.storage.tape_events import decode_event, encode_event
from foxtrot.strategy.settings import OrderExit
from foxtrot.trading.limits import Limits
from tests.support.canary import assert_no_canary
from tests.support.waiting import wait_until

BLOCK = struct.Struct(">4sIIII")
ACCOUNT, INSTRUMENT = "demo", "BTCUSDT.BINANCE"
CLOCKWORK = '''
from foxtrot.api import Parameter, Strategy


class Clockwork(Strategy):
    """Trades by timers, chance and the clock alone, after a warm-up: all that a tape must bring back."""

    every_s = Parameter(0.6)

    def on_init(self):
        self.load_bar(5)
        self.beats = 0

    def on_start(self):
        self.set_timer("beat", self.every_s, repeat=True)

    def on_bar(self, bar):
        if self.trading:
            self.log(f"{bar.close} {self.position}")

    def on_tick(self, tick):
        self.last = tick

    def on_timer(self, timer):
        self.beats += 1
        self.cancel_all()
        if not self.tick() or self.clock.now_ns() % 7 == 0:
            return
        offset = 1 + self.random.random() / 100 + self.beats % 3 / 1000
        price = self.round_price(self.tick().ask_price / offset)
        self.buy(self.round_quantity(0.002 + self.random.random() / 1000), price)
'''


def configuration(exchange: DemoExchange, folder: Path) -> Config:
    """Three strategies that hear quotes, books and trades, bars of seconds, and timers."""
    (folder / "clockwork.py").write_text(CLOCKWORK)
    limits = Limits(messages_per_s=50)
    account = AccountTable(adapter="binance", environment="loopback", settings=exchange.settings, limits=limits)

    def strategy(name: str, interval: str = "1s", **params: float) -> StrategyTable:
        return StrategyTable(
            class_name=name,
            account=ACCOUNT,
            symbols=(INSTRUMENT,),
            interval=interval,
            params=params,
            capital=Decimal(100_000),
            limits=limits,
            orders=OrderExits(on_shutdown=OrderExit.CANCEL_ALL),
        )

    strategies = {
        "making": strategy("market_making", size=0.04, max_position=0.4),
        "averages": strategy("double_ma", fast=2, slow=4, size=0.01),
        "clockwork": strategy(str(folder / "clockwork.py")),
    }
    return Config(accounts={ACCOUNT: account}, strategies=strategies, risk=limits)


def kill_and_resume(platform: MainEngine) -> None:
    """Close the gate from this thread while strategies trade, as `foxtrot kill` does, and open it again."""
    platform.kill("for the test", "somebody")
    platform.put(KillSwitch("for the test", "somebody"))
    wait_until(lambda: platform.ask(lambda: not any(platform.line.desk.open_records())))
    platform.put(ResumeTrading("somebody", "the test goes on"))
    wait_until(lambda: platform.ask(lambda: platform.line.gate.state is GateState.ACTIVE))


def record(
    home: Path,
    seconds: float,
    exchange: DemoExchange | None = None,
    half_way: Callable[[MainEngine], None] | None = None,
) -> Path:
    """Trade for some seconds as `foxtrot run` does, with a journal, and return the folder of the tape."""
    exchange = exchange or DemoExchange(ACCOUNT)
    exchange.start()
    try:
        config = configuration(exchange, home)
        around = RunRecording(config, home)
        journal = PlatformJournal(config.data_dir(home), config, around.clock)
        platform = MainEngine(config, home, journal=journal, environment=exchange.environment, around=around)
        platform.start()
        platform.all_ready.wait(30)
        for part in range(2):
            until_ns = platform.clock.monotonic_ns() + int(seconds * 0.5e9)
            wait_until(lambda: platform.clock.monotonic_ns() > until_ns, seconds + 10)  # noqa: B023
            if half_way is not None and part == 0:
                half_way(platform)
        platform.stop()
        assert platform.failures == []
        assert platform.ran == set(config.strategies)
        return around.folder
    finally:
        exchange.stop()


def replay(home: Path, run: str) -> tuple[int, dict[str, object]]:
    """Replay in a process of its own, where every hash of a text is another."""
    command = [sys.executable, "-m", "foxtrot", "--home", str(home), "replay", run, "--json"]
    environment = {**os.environ, "PYTHONHASHSEED": "4711"}
    ran = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=900, check=False)
    return ran.returncode, json.loads(ran.stdout)


def replay_here(tape: Path) -> tuple[int, dict[str, object]]:
    """Replay in this process, which is quicker."""
    result = replay_run(tape)
    return int(not result.equal), msgspec.to_builtins(result)


@pytest.fixture(scope="module")
def exchange() -> DemoExchange:
    """The exchange of the recorded run; its keys are what nothing may show."""
    return DemoExchange(ACCOUNT)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, exchange: DemoExchange) -> Path:
    """The tape of 20 s of trading; its home folder is three above it."""
    return record(tmp_path_factory.mktemp("home"), 20.0, exchange)


def home_of(tape: Path) -> Path:
    return tape.parents[2]


def test_a_recorded_run_makes_the_same_intents_again(recorded: Path) -> None:
    status, result = replay(home_of(recorded), "last")
    assert result["difference"] is None
    assert (status, result["equal"], result["damage"]) == (0, True, "")
    assert result["intent_hash"] == result["recorded_hash"] == stored_hash(recorded)
    assert int(str(result["intents"])) > 40
    assert int(str(result["inputs"])) > 1_000
    assert "clockwork" not in str(result["warnings"])


def test_every_event_of_the_run_is_on_its_tape(recorded: Path) -> None:
    reader = TapeReader(recorded)
    records = list(reader.entries())
    assert [one.sequence for one in records] == list(range(len(records)))
    end = reader.end
    assert end is not None
    assert (end.offered, end.stored, end.lost) == (len(records), len(records), 0)
    assert {"TimerFired", "BarData", "HistoryLoaded"} <= {one.name for one in records}


def stored_hash(tape: Path) -> str:
    reader = TapeReader(tape)
    for _ in reader.entries():
        pass
    assert reader.end is not None
    return reader.end.intent_hash


def rewritten(tape: Path, change: Callable[[Record], Record]) -> Path:
    """Write the tape anew after a change to its records, with every checksum right."""
    copy = tape.parent / f"{tape.name}-rewritten"
    reader, writer = TapeReader(tape), TapeWriter(copy)
    writer.add(Record(0, HEADER, "TapeHeader", msgspec.json.encode(reader.header), []))
    for one in reader.entries():
        writer.add(change(one))
    writer.write_block()
    writer.end_segment()
    return copy


def patched(tape: Path, before: Record, after: Record) -> Path:
    """Copy the tape with one record changed in its place; the block is packed again, and its own checksum is right."""
    copy = tape.parent / f"{tape.name}-patched"
    copy.mkdir()
    old, new = (msgspec.msgpack.encode(tuple(one)) for one in (before, after))
    assert len(old) == len(new)
    (name,) = (path.name for path in tape.iterdir())
    data, done = (tape / name).read_bytes(), bytearray(MAGIC)
    at = len(MAGIC)
    while at < len(data):
        word, count, size, packed_size, checksum = BLOCK.unpack_from(data, at)
        at += BLOCK.size + packed_size
        packed = data[at - packed_size : at]
        if size:
            packed = zlib.compress(zlib.decompress(packed).replace(old, new), 1)
            checksum = zlib.crc32(packed)
        done += BLOCK.pack(word, count, size, len(packed), checksum) + packed
    (copy / name).write_bytes(done)
    return copy


def cheaper(record: Record) -> Record:
    """The same quote or book with prices a little lower."""
    event = decode_event(record.name, record.payload)
    if isinstance(event, TickData):
        event = msgspec.structs.replace(event, bid_price=event.bid_price - 10, ask_price=event.ask_price - 10)
    elif isinstance(event, DepthData):
        bids, asks = ([(price - 10, size) for price, size in side] for side in (event.bids, event.asks))
        event = msgspec.structs.replace(event, bids=tuple(bids), asks=tuple(asks))
    return record._replace(payload=encode_event(event))


def first_that_moved_an_order(tape: Path) -> Record:
    """The first quote or book in answer to which an order was wished for."""
    return next(
        one
        for one in TapeReader(tape).entries()
        if one.name in ("TickData", "DepthData") and any(what == INTENT for what, _ in one.reads)
    )


def test_a_changed_price_is_named_by_what_it_leads_to_when_every_checksum_is_right(recorded: Path) -> None:
    chosen = first_that_moved_an_order(recorded)
    changed = rewritten(recorded, lambda one: cheaper(one) if one == chosen else one)
    status, result = replay_here(changed)
    assert (status, result["equal"], result["damage"]) == (1, False, "")
    difference = result["difference"]
    assert isinstance(difference, dict)
    assert (difference["sequence"], difference["event"]) == (chosen.sequence, chosen.name)
    assert difference["recorded"] != difference["now"]


def test_a_changed_price_is_named_itself_by_its_checksum(recorded: Path) -> None:
    chosen = next(one for one in TapeReader(recorded).entries() if one.name == "TickData" and one.sequence > 500)
    status, result = replay_here(patched(recorded, chosen, cheaper(chosen)))
    assert (status, result["equal"]) == (1, False)
    assert f"event {chosen.sequence} (TickData) in 0001.tape is not as it was written" in str(result["damage"])


def test_a_strategy_that_was_changed_is_warned_of_and_departs_at_its_first_other_order(recorded: Path) -> None:
    file = home_of(recorded) / "clockwork.py"
    before = file.read_text()
    file.write_text(before.replace("0.002 + ", "0.003 + "))
    try:
        status, result = replay_here(recorded)
    finally:
        file.write_text(before)
    assert status == 1
    assert "clockwork" in str(result["warnings"])
    difference = result["difference"]
    assert isinstance(difference, dict)
    assert (difference["event"], difference["what"]) == ("TimerFired", "an order intent")


def test_a_tape_that_was_cut_off_makes_the_same_intents_up_to_there(recorded: Path, tmp_path: Path) -> None:
    data = (recorded / "0001.tape").read_bytes()
    (tmp_path / "0001.tape").write_bytes(data[: len(data) * 2 // 3])
    status, result = replay_here(tmp_path)
    assert (status, result["difference"], result["damage"]) == (0, None, "")
    assert "cut off" in str(result["end"])
    assert 20 < int(str(result["intents"])) < int(str(replay_here(recorded)[1]["intents"]))


def test_no_fill_and_no_report_is_told_to_a_strategy_before_its_order_was_wished_for(recorded: Path) -> None:
    wished: set[str] = set()
    heard = 0
    for one in TapeReader(recorded).entries():
        if one.kind == EntryKind.INPUT and one.name in ("OrderData", "TradeData"):
            fact = decode_event(one.name, one.payload)
            assert isinstance(fact, OrderData | TradeData)
            assert fact.order_id in wished
            heard += 1
        wished |= {str(json.loads(value)["order_id"]) for what, value in one.reads if what == INTENT}  # type: ignore[arg-type]
    assert heard > 50


def test_no_such_run_is_status_2(tmp_path: Path) -> None:
    assert replay(tmp_path, "nosuchrun")[0] == 2


def foxtrot(home: Path, *arguments: str) -> dict[str, object]:
    """Run a verb in this process and return what it prints as JSON."""
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(io.StringIO()) as printed:
        patch.setattr(sys, "stdout", printed)
        assert main(["--home", str(home), *arguments, "--json"]) == 0, printed.getvalue()
    found: dict[str, object] = json.loads(printed.getvalue())
    return found


def test_the_life_of_a_filled_order_is_told_from_cause_to_cost(recorded: Path) -> None:
    with read_only(home_of(recorded) / "data" / "journal.db") as view:
        order_id = next(one.record.trade.order_id for one in view.newest_first() if isinstance(one.record, FillBooked))
    story = foxtrot(home_of(recorded), "order", order_id)
    assert story["status"] in ("filled", "partially_filled", "cancelled")
    arrival, steps, legs, slippage = story["arrival"], story["steps"], story["legs"], story["slippage"]
    assert isinstance(arrival, dict)
    assert isinstance(steps, list)
    assert isinstance(legs, list)
    assert isinstance(slippage, dict)
    assert arrival["event"] in (
        "TickData",
        "DepthData",
        "MarketTrade",
        "BarData",
        "TimerFired",
        "OrderChanged",
        "TradeBooked",
    )
    assert arrival["book_state"] == "live"
    assert 0 < arrival["bid"] < arrival["ask"]
    assert {"intent", "gate", "sent", "heard", "order", "fill"} <= {one["what"] for one in steps}
    assert {one["name"] for one in legs} >= {
        "intent to durable and handed over", "handed over to sent", "sent to acknowledged", "event to first fill",
    }  # fmt: skip
    assert all(one["ms"] > -50 for one in legs)
    assert slippage["currency"] == "USDT"
    assert slippage["touch_ticks"] <= slippage["mid_ticks"]
    messages = story["messages"]
    assert isinstance(messages, list)
    assert messages[0]["direction"] == "out"
    assert order_id in messages[0]["text"]


def test_a_bundle_replays_and_shows_no_key(recorded: Path, exchange: DemoExchange, tmp_path: Path) -> None:
    out = tmp_path / "report.zip"
    captured = foxtrot(home_of(recorded), "capture", recorded.name, "--out", str(out))
    members = captured["members"]
    assert isinstance(members, dict)
    assert {"tape/0001.tape", "journal.jsonl", "config.toml", "versions.json", "manifest.json"} <= set(members)
    assert members["journal.jsonl"] > 10_000
    assert out.stat().st_mode & 0o777 == 0o600
    keys = [value for value in exchange.environment.values() if value]
    assert_no_canary([home_of(recorded), out], keys)
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path)
        manifest = json.loads(archive.read("manifest.json"))
        assert {name: hashlib.sha256(archive.read(name)).hexdigest() for name in manifest["files"]} == manifest["files"]
    status, result = replay_here(tmp_path / "tape")
    assert (status, result["intent_hash"]) == (0, stored_hash(recorded))


def test_a_run_that_takes_over_from_a_journal_and_is_killed_and_resumed_makes_the_same_intents_again(
    tmp_path: Path,
) -> None:
    first = record(tmp_path, 1.0)
    second = record(tmp_path, 2.0, half_way=kill_and_resume)
    assert len(TapeReader(second).header.restored) > len(TapeReader(first).header.restored)
    names = {one.name for one in TapeReader(second).entries()}
    assert {"GateMovedOutside", "KillSwitch", "ResumeTrading", "Call"} <= names
    status, result = replay(tmp_path, second.name)
    assert (status, result["difference"], result["intent_hash"]) == (0, None, stored_hash(second))


@pytest.mark.slow
@pytest.mark.timeout(1_200)
def test_ten_minutes_make_the_same_intents_again(tmp_path: Path) -> None:
    tape = record(tmp_path, 600.0)
    status, result = replay(tmp_path, tape.name)
    assert (status, result["difference"], result["intent_hash"]) == (0, None, stored_hash(tape))
