"""Steering a running platform from the command line: real sockets, a real engine, what happened told and not what was queued."""

import http.client
import io
import json
import os
import signal
import stat
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.control_client import ControlClient, NoPlatform, PlatformBusy, PlatformFrozen, find_platform
from foxtrot.app.control_place import PATH, ControlPlace
from foxtrot.app.control_requests import Kill, ListOrders, Orders, Step, Taken
from foxtrot.app.halt_file import HaltFile
from foxtrot.app.run_lock import RunLock
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, Side
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.order import OrderData
from foxtrot.storage.journal import InMemoryJournal
from foxtrot.storage.journal_records import SettingChanged
from foxtrot.trading.difference import POSITION, Finding
from tests.support.steered_platform import Steered, steered, write_config
from tests.support.waiting import wait_until

KILL = Kill("Ann", "the market is mad")


@pytest.fixture
def platform(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Steered]:
    with steered(tmp_path, capsys) as running:
        running.settle()
        yield running


def place_of(home: Path) -> ControlPlace:
    return find_platform(home).place


def send(place: ControlPlace, body: str, token: str = "", path: str = PATH) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", place.port, timeout=5)
    try:
        connection.request("POST", path, body, {"Authorization": f"Bearer {token or place.token}"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


# --- the server -------------------------------------------------------------------------------------------------------


def test_the_place_is_its_owner_s_alone_and_gone_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with steered(tmp_path, capsys) as running:
        path = running.home / "control.json"
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        told = json.loads(path.read_text())
        assert (set(told), told["pid"]) == ({"pid", "port", "token", "run_id"}, os.getpid())
        assert len(told["token"]) >= 43
        assert told["token"] not in repr(place_of(running.home))
    assert not path.exists()
    with pytest.raises(NoPlatform):
        find_platform(running.home)


def test_only_who_has_the_token_is_heard_and_guessing_locks_everybody_out(platform: Steered) -> None:
    place, orders = place_of(platform.home), '{"ask": "orders"}'
    assert send(place, orders)[0] == 200
    assert send(place, orders, token="guess")[0] == 401
    assert send(place, '{"ask": "kill", "who": "x", "reason": "x"}', token="guess")[0] == 401
    codes = {send(place, orders, token=f"guess {number}")[0] for number in range(30)}
    assert codes == {401, 429}
    with pytest.raises(PlatformBusy, match="too many wrong tokens"):
        platform.client.ask(ListOrders(), Orders)
    assert platform.platform.line.gate.state is GateState.ACTIVE


@pytest.mark.parametrize(
    ("body", "path", "status"),
    [
        ("{", PATH, 400),
        ('{"ask": "orders", "most": 5}', PATH, 400),
        ('{"ask": "orders"}', "/", 404),
        ('{"ask": "orders", "account": "' + "x" * 70_000 + '"}', PATH, 413),
    ],
)
def test_what_is_no_request_is_refused_in_words(platform: Steered, body: str, path: str, status: int) -> None:
    code, text = send(place_of(platform.home), body, path=path)
    assert (code, "error" in json.loads(text)) == (status, True)
    assert send(place_of(platform.home), '{"ask": "orders"}')[0] == 200


def test_a_wish_that_waited_while_the_process_stood_still_is_not_granted_any_more(platform: Steered) -> None:
    body = '{"ask": "step", "strategy_id": "holder", "step": "stop", "who": "Ann", "sent_ns": 1}'
    code, text = send(place_of(platform.home), body)
    assert (code, "too late" in text) == (503, True)
    code, _ = send(place_of(platform.home), '{"ask": "kill", "who": "Ann", "reason": "mad", "sent_ns": 1}')
    assert code == 200, "a kill is wanted however late it comes"


def test_a_stuck_engine_is_told_apart_and_the_kill_closes_the_gate_all_the_same(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with steered(tmp_path, capsys, "Hang") as running:
        plugin = sys.modules[type(running.platform.line.strategies.hosts["holder"].strategy).__module__]
        assert plugin.ENTERED.wait(10)
        running.platform.line.notes.keeps_reports = True
        try:
            with pytest.raises(PlatformFrozen, match="is stuck"):
                running.client.ask(Step("holder", "stop", "Ann"), Taken)
            with pytest.raises(PlatformFrozen, match=r"the gate was closed in .* ms, but the engine .* is stuck"):
                running.client.kill(KILL)
            assert running.platform.permit.state is GateState.HALTED
            assert running.platform.permit.reason == "the market is mad"
        finally:
            plugin.RELEASE.set()
        wait_until(lambda: running.platform.line.kill.standing() is not None)
        hosts = running.platform.ask(lambda: running.platform.line.strategies.hosts)
        assert str(hosts["holder"].stage) == "running", "what was given up on is not done later"
        journal = running.platform.line.journal
        assert isinstance(journal, InMemoryJournal)
        assert not [record for record in journal.records if isinstance(record, SettingChanged)], "nor journaled"
        assert running.ask("strategy", "stop", "holder", "--why", "enough", "--as", "Ann")[0] == 0
        (change,) = [record for record in journal.records if isinstance(record, SettingChanged)]
        assert (change.name, change.before, change.after, change.who) == ("holder", "running", "stop (enough)", "Ann")


# --- asking -----------------------------------------------------------------------------------------------------------


def test_orders_positions_trades_and_strategies_are_told(platform: Steered) -> None:
    status, found = platform.ask("orders")
    assert status == 0
    assert [(row["owner"], row["status"], row["reduces"]) for row in found["orders"]] == [  # type: ignore[attr-defined]
        ("holder", "accepted", False),
        ("holder", "accepted", True),
    ]
    status, found = platform.ask("orders", "--all")
    assert len(found["orders"]) == 3  # type: ignore[arg-type]
    assert len(platform.ask("orders", "--all", "--limit", "2")[1]["orders"]) == 2  # type: ignore[arg-type]
    assert "these are the newest 1 (--limit N)" in platform.say("orders", "--limit", "1")[1]
    status, found = platform.ask("positions")
    (held,) = found["positions"]  # type: ignore[misc]
    assert (held["owner"], held["quantity"], held["protection"]) == ("holder", 0.02, "at the venue")
    assert found["net"][0]["quantity"] == 0.02  # type: ignore[index]
    status, found = platform.ask("trades", "--strategy", "holder")
    assert sum(row["quantity"] for row in found["trades"]) == pytest.approx(0.02)  # type: ignore[attr-defined]
    status, found = platform.ask("strategy")
    assert found["strategies"][0]["stage"] == "running"  # type: ignore[index]
    status, text, _ = platform.say("report")
    assert status == 0
    assert all(
        word in text for word in ("the gate is active", "nothing is blocked", "holder", "at the venue", "fees: ")
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("orders", "--account", "papr"), "there is no account papr; did you mean paper?"),
        (("positions", "--strategy", "holdr"), "there is no strategy holdr; did you mean holder?"),
        (("trades", "--instrument", "BTCUSD"), "there is no instrument BTCUSD; did you mean BTCUSDT"),
        (("strategy", "stop", "holdre"), "there is no strategy holdre; did you mean holder?"),
        (("strategy", "stop"), "stop needs the NAME of a strategy"),
        (("strategy", "set", "holder"), "set needs k=v"),
        (("strategy", "set", "holder", "size"), "'size' must be k=v"),
        (("strategy", "set", "holder", "size=1"), "holder is running: parameters are set while it is stopped"),
        (("orders", "--cancel", "F-holder-x"), "there is no order F-holder-x; did you mean F-holder-"),
        (("resolve", "F-holder-x", "filled", "--why", "x"), "there is no order F-holder-x; did you mean F-holder-"),
        (("resolve", "F-holder-x", "filled"), "--why"),
        (("resume",), "--why"),
        (("resume", "--why", " "), "--why needs a reason"),
        (("resume", "--why", "x", "--strategy", "holder", "--account", "paper"), "--strategy stands alone"),
        (("adopt", "D-1"), "--why TEXT is needed"),
        (("ignore", "D-1", "--why", "x"), "there is no open difference D-1; there is none"),
        (("kill", "--all"), "give --flatten too"),
        (("orders", "--limit", "0"), "0 must be a whole number from 1 to 10,000"),
        (("trades", "--limit", "10001"), "10001 must be a whole number from 1 to 10,000"),
    ],
)
def test_bad_input_is_one_clear_line_with_the_nearest_name(
    platform: Steered, words: tuple[str, ...], said: str
) -> None:
    status, out, err = platform.say(*words)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert platform.platform.line.gate.state is GateState.ACTIVE


# --- steering ---------------------------------------------------------------------------------------------------------


def test_a_strategy_is_stopped_set_reloaded_and_started_and_each_answer_says_what_is(platform: Steered) -> None:
    status, out, _ = platform.say("strategy", "stop", "holder")
    assert status == 0
    assert out.startswith("holder is stopped; it leaves 0.02 BTCUSDT.BINANCE_USDM (at the venue) and ")
    assert platform.say("strategy", "stop", "holder")[1].startswith("holder was stopped already")
    status, found = platform.ask("strategy", "set", "holder", "size=0.03")
    assert (status, found["strategy"]["parameters"]) == (0, {"size": 0.03})  # type: ignore[index]
    assert platform.say("strategy", "set", "holder", "sise=1")[2].strip().endswith("did you mean size?")
    assert platform.say("strategy", "reload", "holder")[:2] == (0, "holder: reloaded Holder\n")
    assert platform.say("strategy", "start", "holder")[:2] == (0, "holder is running\n")
    assert platform.say("strategy", "start", "holder")[:2] == (0, "holder was running already\n")


def test_a_strategy_that_cannot_be_started_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with steered(tmp_path, capsys, "Broken") as running:
        wait_until(lambda: str(running.platform.line.strategies.hosts["holder"].stage) == "failed")
        status, out, _ = running.say("strategy", "start", "holder")
        assert status == 1
        assert "holder failed: " in out
        assert "no such luck" in out
        path = tmp_path / "holder.py"
        path.write_text("def half(\n")
        status, out, _ = running.say("strategy", "reload", "holder")
        assert status == 1
        assert "holder.py" in out


def test_an_order_is_cancelled_by_its_id(platform: Steered) -> None:
    entry = platform.client.ask(ListOrders(), Orders).orders[0]
    status, out, _ = platform.say("orders", "--cancel", entry.order_id)
    assert (status, out) == (0, f"order {entry.order_id} is cancelled: 0 of 0.01 filled\n")
    assert platform.say("orders", "--cancel", entry.order_id)[0] == 2


def test_a_kill_says_what_it_found_cancelled_and_left_and_resume_waits_for_the_gate(platform: Steered) -> None:
    status, found = platform.ask("kill", "--why", "mad", "--as", "Ann")
    assert status == 0
    assert [found[key] for key in ("way", "entries_found", "cancels_sent", "cancelled", "filled", "still_open")] == [
        "platform", 1, 1, 1, 0, 0,
    ]  # fmt: skip
    assert found["gate_closed_ms"] < 1_000  # type: ignore[operator]
    (stays,) = found["staying"]  # type: ignore[misc]
    assert (stays["order_type"], stays["why"]) == ("stop", "can only reduce a position: it stays until that is flat")
    (held,) = found["positions"]  # type: ignore[misc]
    assert (held["quantity"], held["protection"]) == (0.02, "at the venue")
    status, text, _ = platform.say("report")
    assert status == 3
    assert "KILLED: mad" in text
    assert "Ann" in text
    assert platform.say("strategy", "stop", "holder")[0] == 0
    status, text, _ = platform.say("strategy", "start", "holder")
    assert (status, "killed by Ann (mad); `foxtrot resume` lets it start" in text) == (3, True)
    status, found = platform.ask("resume", "--why", "it is calm again")
    assert (status, found["resumed"], found["gate"], found["blocks"]) == (0, True, "active", [])


def test_what_still_blocks_is_named_by_resume(platform: Steered) -> None:
    gate = platform.platform.line.gate
    platform.platform.ask(lambda: gate.block("paper", "", GateState.HALTED, "it has not answered", "reconcile"))
    status, out, _ = platform.say("resume", "--why", "now", "--wait", "0.3")
    assert status == 3
    assert "still blocks: paper is halted since 20" in out
    assert "by reconcile: it has not answered" in out
    status, found = platform.ask("resume", "--account", "paper", "--why", "now", "--wait", "5")
    assert (status, found["resumed"]) == (3, False)
    assert "opens by itself" in str(found["refusal"])


def test_a_strategy_that_must_be_rearmed_is_and_says_how_to_start_it(platform: Steered) -> None:
    line = platform.platform.line
    platform.platform.ask(lambda: line.halted.halt("holder", "loop", "400 orders in a second"))
    assert "400 orders in a second" in platform.say("strategy")[1]
    platform.say("strategy", "stop", "holder")
    status, out, _ = platform.say("resume", "--strategy", "holder", "--why", "the loop is fixed")
    assert status == 0
    assert "holder may trade again; it is stopped: `foxtrot strategy start holder` starts it" in out


def test_flatten_lists_what_it_closes_and_waits_until_it_is_flat(platform: Steered) -> None:
    status, found = platform.ask("kill", "--flatten", "--as", "Ann")
    assert (status, found["flatten"], found["positions"], found["needs_person"]) == (0, True, [], False)
    assert [row["owner"] for row in found["sold"]] == ["holder"]  # type: ignore[attr-defined]


def test_flatten_all_sells_nothing_unless_it_is_confirmed_but_kills_at_once(
    platform: Steered, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    status, out, err = platform.say("kill", "--flatten", "--all")
    assert status == 3
    assert "nothing was sold: that was not confirmed" in out
    assert "holder" in err
    assert "give --yes" in err
    assert platform.platform.line.gate.state is GateState.HALTED
    assert platform.platform.ask(lambda: len(platform.platform.line.desk.index.open)) == 1, "the entry is cancelled"
    status, found = platform.ask("kill", "--flatten", "--all", "--yes")
    assert (status, found["positions"]) == (0, [])


def test_an_order_of_unknown_outcome_is_named_and_resolved_by_a_person(platform: Steered) -> None:
    order_id = "F-holder-0000000000-7"
    lost = OrderData(
        order_id, "paper", "BTCUSDT.BINANCE_USDM", Side.BUY, OrderType.LIMIT, 0.01, 50_000.0, OrderStatus.UNKNOWN, 0.0, 0.0, "", 0,
        platform.platform.clock.now_ns(), reason="no answer within 10 s",
    )  # fmt: skip
    platform.platform.put(lost)
    assert "UNKNOWN since 20" in platform.say("orders")[1]
    status, text, _ = platform.say("report")
    assert (status, "no answer within 10 s" in text) == (3, True)
    entry = platform.client.ask(ListOrders(), Orders).orders[0]
    status, _, err = platform.say("resolve", entry.order_id, "filled", "--why", "x")
    assert (status, "only an order of unknown outcome" in err) == (2, True)
    status, out, _ = platform.say("resolve", order_id, "rejected", "--why", "the venue never had it", "--as", "Ann")
    assert (status, out) == (0, f"order {order_id} is rejected by your decision\n")
    assert "by Ann" in platform.say("orders", "--all")[1]


def differ(platform: Steered, ours: str, venue: str) -> str:
    """Let the position of the account differ, and return the name of that."""
    finding = Finding(
        POSITION, "paper", "BTCUSDT.BINANCE_USDM", Decimal(ours), Decimal(venue), ("BTCUSDT.BINANCE_USDM",)
    )
    reconciler = platform.platform.line.reconciler
    assert reconciler is not None
    platform.platform.ask(lambda: reconciler._book.replace("paper", [finding]))
    return finding.difference_id


def test_a_difference_is_listed_and_adopted_for_its_owner(platform: Steered) -> None:
    name = differ(platform, "0.02", "0.05")
    status, out, _ = platform.say("adopt")
    assert (status, name in out, "0.05" in out) == (0, True, True)
    status, _, err = platform.say("adopt", name[:-1], "--why", "x")
    assert (status, f"did you mean {name}?" in err) == (2, True)
    status, _, err = platform.say("adopt", name, "--owner", "holdre", "--why", "x")
    assert (status, "did you mean holder?" in err) == (2, True)
    assert "0.02 here, 0.05 at the venue" in platform.say("report")[1], "its instrument is halted for it"
    status, found = platform.ask("adopt", name, "--owner", "holder", "--why", "bought by hand", "--as", "Ann")
    assert (status, found["settled"], found["differences"], found["blocks"]) == (0, True, [], [])
    held = {row["owner"]: row["quantity"] for row in platform.ask("positions")[1]["positions"]}  # type: ignore[attr-defined]
    assert held == {"holder": 0.05}


def test_a_difference_that_is_ignored_changes_nothing_and_halts_no_more(platform: Steered) -> None:
    name = differ(platform, "0.02", "0.021")
    status, out, _ = platform.say("ignore", name, "--why", "dust")
    assert (status, "is ignored while both sides stay as they are" in out) == (0, True)
    assert platform.ask("positions")[1]["net"][0]["quantity"] == 0.02  # type: ignore[index]
    assert platform.platform.line.gate.blocks() == ()


def test_accounts_are_reconciled_before_the_report_when_that_is_wished(platform: Steered) -> None:
    before = platform.ask("report")[1]["accounts"][0]["runs"]  # type: ignore[index]
    status, found = platform.ask("report", "--reconcile", "--as", "Ann")
    assert (status, found["reconciling"]) == (0, "")
    assert found["accounts"][0]["runs"] > before  # type: ignore[index]
    assert found["accounts"][0]["cause"] == "asked for by Ann"  # type: ignore[index]


# --- platforms that do not answer -------------------------------------------------------------------------------------


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Stand in for the kill at the venues, and keep what it was asked for."""
    asked: list[tuple[object, ...]] = []

    def cold_kill(*arguments: object) -> dict[str, object]:
        asked.append(arguments)
        return {"cancelled": 2, "needs_person": False}

    module = types.ModuleType("foxtrot.app.cold_kill")
    module.cold_kill = cold_kill  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "foxtrot.app.cold_kill", module)
    return asked


Ran = Callable[..., tuple[int, str, str]]


@pytest.fixture
def say(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Ran:
    from foxtrot.cli import main

    def run(*words: str) -> tuple[int, str, str]:
        status = main([*words, "--home", str(tmp_path / "home")])
        told = capsys.readouterr()
        return status, told.out, told.err

    return run


def test_where_none_runs_it_is_said_and_a_kill_goes_to_the_venues(
    tmp_path: Path, say: Ran, cold: list[tuple[object, ...]]
) -> None:
    for verb in (("orders",), ("positions",), ("trades",), ("report",), ("strategy",), ("resume", "--why", "x")):
        status, out, err = say(*verb)
        assert (status, out) == (1, "")
        assert "no platform runs in" in err
    status, _, err = say("kill")
    assert status == 2
    assert "name it: foxtrot kill CONFIG.toml" in err
    assert (tmp_path / "home" / "halt.json").exists(), "whatever starts there is halted all the same"
    config = write_config(tmp_path)
    status, out, err = say("kill", str(config), "--flatten", "--as", "Ann")
    assert status == 0
    assert f"going straight to the venues, by {config}" in err
    assert cold == [(config, tmp_path / "home", True, False, "Ann")]
    assert "way" in out


def test_a_kill_halts_the_home_before_anything_else_can_go_wrong(
    tmp_path: Path, say: Ran, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "foxtrot.app.cold_kill", None)
    assert say("kill", str(write_config(tmp_path)), "--why", "mad", "--as", "Ann")[0] == 1
    halt = HaltFile(tmp_path / "home").read()
    assert halt is not None
    assert (halt.reason, halt.who, halt.killed) == ("mad", "Ann", True)


def test_a_frozen_process_is_named_and_a_kill_goes_to_the_venues_by_the_configuration_that_ran(
    tmp_path: Path, say: Ran, cold: list[tuple[object, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    config, home = write_config(tmp_path), tmp_path / "home"
    command = [sys.executable, "-m", "foxtrot", "run", str(config), "--json", "--home", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            wait_until(lambda: (home / "control.json").exists() and (home / "status.json").exists(), deadline_s=30)
            wait_until(lambda: "reducing" in say("orders")[1], deadline_s=30)
            fills = json.loads(say("trades", "--json")[1])["trades"]
            assert all(abs(row["slippage"]) < 1 for row in fills), (
                "its journal knows the quote at which it was wished for"
            )
            process.send_signal(signal.SIGSTOP)
            status, out, err = say("orders")
            assert (status, out) == (3, "")
            assert f"the platform (pid {process.pid}) is frozen" in err
            status, _, err = say("kill")
            assert (status, cold[0][:2]) == (0, (config, home))
            assert "is frozen" in err
            status, _, err = say("resume", "--why", "all is well", "--as", "Ann")
            assert (status, "is frozen" in err) == (3, True)
            process.send_signal(signal.SIGCONT)
            wait_until(
                lambda: "KILLED" in say("report")[1], deadline_s=30
            )  # the kill it was sent is obeyed when it wakes
            wait_until(lambda: "entry" not in say("orders")[1], deadline_s=30)
            assert "KILLED" in say("report")[1], "what was told to have failed is not done later"
        finally:
            process.kill()
            process.communicate()
    status, out, _ = say("orders")
    assert status == 0, "its journal answers"
    assert out.startswith(f"no platform runs in {home}: the last that its journal knows, ")
    known = json.loads(say("orders", "--json")[1])["orders"]
    assert all(row["reduces"] or row["cancel_asked"] for row in known), "reports are not waited for, but come soon"
    assert "reducing" in out
    assert "0.02" in say("positions")[1]
    status, _, err = say("orders", "--account", "papr")
    assert (status, err) == (2, "foxtrot: there is no account papr; did you mean paper?\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    cold.clear()
    status, _, err = say("kill", "--flatten", "--all", "--as", "Ann")
    assert (status, cold) == (3, [(config, home, False, False, "Ann")]), (
        "cancelled at once, sold only when that is confirmed"
    )
    status, _, err = say("kill", "--flatten", "--all", "--yes", "--as", "Ann")
    assert (status, cold[-1]) == (0, (config, home, True, True, "Ann"))


def test_a_platform_that_is_starting_is_told_apart_from_none(tmp_path: Path) -> None:
    stale = ControlPlace(2**22 + 1, 1, "token", "run")
    (tmp_path / "control.json").write_bytes(msgspec.json.encode(stale))
    with pytest.raises(NoPlatform, match="is gone without having ended in order"):
        find_platform(tmp_path)
    with RunLock(tmp_path), pytest.raises(PlatformFrozen, match="it is starting or stopping"):
        find_platform(tmp_path)


def test_a_file_that_says_nothing_is_named(tmp_path: Path) -> None:
    (tmp_path / "control.json").write_text("{}")
    with pytest.raises(FoxtrotError, match="does not say where a platform listens"):
        find_platform(tmp_path)
    place = ControlPlace(os.getpid(), 1, "token", "run")
    with pytest.raises(PlatformFrozen, match="does not listen any more"):
        ControlClient(place).ask(ListOrders(), Orders)
