"""`foxtrot run`: two strategies on two accounts, opposite signs on one instrument, one of them raising half-way."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from foxtrot.app.config import load_config
from foxtrot.app.live import check_mode, run_live
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_watch import PlatformWatch
from foxtrot.app.stop_signals import StopSignal
from foxtrot.app.watchdog import Watchdog
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import RunStopped
from tests.support.waiting import wait_until

STRATEGIES = '''
from pathlib import Path

from foxtrot.api import Parameter, Strategy


class Holder(Strategy):
    """Takes one position at the first price and says so in a file; raises at a tick count when told to."""

    side = Parameter("long")
    raise_at = Parameter(0)
    marker = Parameter("")

    def on_start(self):
        self.ticks = 0
        self.asked = False

    def on_tick(self, tick):
        self.ticks += 1
        if not self.asked and tick.bid_price and tick.ask_price:
            self.asked = True
            if self.side == "long":
                self.buy(0.02)
            else:
                self.short(0.03)
            # a resting entry far away, to see the exit policy at work
            far = self.round_price(tick.bid_price * 0.97 if self.side == "long" else tick.ask_price * 1.03)
            self.buy(0.01, far) if self.side == "long" else self.short(0.01, far)
        if self.asked and self.position and len(self.open_orders()) == 1 and self.marker:
            Path(self.marker).write_text(f"{self.ticks} {self.position}")
        if self.raise_at and self.ticks > self.raise_at and self.position:
            raise RuntimeError("half-way")
'''

CONFIG = """
[platform]
mode = "paper"
base_currency = "USDT"

[account.first]
adapter = "simulated"
settings = {{ instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000", fees = "binance_usdm" }}

[account.second]
adapter = "simulated"
settings = {{ balances = "USDT=100000" }}

[strategy.bull]
class = "{folder}/holders.py:Holder"
account = "first"
symbols = ["BTCUSDT.BINANCE_USDM"]
capital = 10000
params = {{ side = "long", marker = "{folder}/bull" }}

[strategy.bear]
class = "{folder}/holders.py:Holder"
account = "second"
symbols = ["BTCUSDT.BINANCE_USDM"]
capital = 20000
params = {{ side = "short", raise_at = 40, marker = "{folder}/bear" }}
orders = {{ on_error = "cancel_all" }}
position = {{ on_error = "flatten" }}
"""


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    (tmp_path / "holders.py").write_text(STRATEGIES)
    path = tmp_path / "foxtrot.toml"
    path.write_text(CONFIG.format(folder=tmp_path))
    return path


@contextmanager
def started(config_file: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    environment = {**os.environ, "FOXTROT_HOME": str(config_file.parent / "home")}
    command = [sys.executable, "-m", "foxtrot", "run", str(config_file), "--json", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def ticks_heard(marker: Path) -> int:
    text = marker.read_text().split() if marker.exists() else []
    return int(text[0]) if text else 0


def test_one_strategy_fails_and_the_other_goes_on_until_sigterm_ends_the_run_with_0(config_file: Path) -> None:
    bull, bear = config_file.parent / "bull", config_file.parent / "bear"
    with started(config_file) as process:
        wait_until(lambda: ticks_heard(bear) > 0, deadline_s=30)
        wait_until(lambda: ticks_heard(bull) > 120, deadline_s=30)  # the bear raised after its 40th tick
        process.send_signal(signal.SIGTERM)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    summary = json.loads(stdout)
    ends = {row["strategy_id"]: row for row in summary["strategies"]}
    assert ends["bull"]["stage"] == "stopped"
    assert ends["bear"]["stage"] == "failed"
    assert "half-way" in ends["bear"]["reason"]
    positions = {row["owner"]: row for row in summary["positions"]}
    assert positions["bull"]["quantity"] == 0.02
    assert positions["bull"]["account"] == "first"
    assert positions["bull"]["protection"] == "naked"
    assert "bear" not in positions, "flattened by its exit policy"
    assert summary["open_orders"] == [], "entries are cancelled by default"
    assert summary["reconciled"] is True
    assert summary["left"] == {}
    assert summary["overran"] == []


def test_a_run_of_some_seconds_ends_by_itself(config_file: Path) -> None:
    with started(config_file, "--seconds", "2") as process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["reconciled"] is True


HANG = """
import threading

from foxtrot.api import Strategy


ENTERED = threading.Event()
RELEASE = threading.Event()


class Hang(Strategy):
    def on_tick(self, tick):
        ENTERED.set()
        RELEASE.wait(60)


class Broken(Strategy):
    def on_start(self):
        raise RuntimeError("never mind")
"""


def one_strategy(config_file: Path, name: str) -> Path:
    folder = config_file.parent
    (folder / "hang.py").write_text(HANG)
    head = config_file.read_text().partition("[strategy.bull]")[0]
    path = folder / f"{name}.toml"
    path.write_text(
        f'{head}[strategy.one]\nclass = "{folder}/hang.py:{name}"\naccount = "first"\nsymbols = ["BTCUSDT.BINANCE_USDM"]\n'
    )
    return path


def test_a_strategy_that_blocks_is_named_and_the_stop_goes_on(config_file: Path) -> None:
    platform = MainEngine(load_config(one_strategy(config_file, "Hang")), config_file.parent / "home")
    platform.start()
    assert platform.all_ready.wait(10)
    plugin = sys.modules[type(platform.line.strategies.hosts["one"].strategy).__module__]
    assert plugin.ENTERED.wait(10)
    report = platform.stop(deadline_s=1.5)
    plugin.RELEASE.set()
    wait_until(lambda: not [thread for thread in threading.enumerate() if thread.name == "foxtrot-engine"])
    assert "foxtrot-engine" in report.overran
    assert not report.reconciled
    assert any("did not answer" in text for text in report.failures)
    assert not [thread for thread in threading.enumerate() if thread.name == "simulated-io"]


def test_a_run_whose_only_strategy_failed_ends_with_1(config_file: Path) -> None:
    with started(one_strategy(config_file, "Broken"), "--seconds", "2") as process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    summary = json.loads(stdout)
    assert summary["all_failed"] is True
    assert "never mind" in summary["strategies"][0]["reason"]


def test_a_strategy_that_never_came_to_run_ends_the_run_with_1(config_file: Path) -> None:
    path = one_strategy(config_file, "Hang")
    path.write_text(path.read_text().replace('BTCUSDT.BINANCE_USDM"]\n', 'NOPE.NOWHERE"]\n'))
    with started(path, "--seconds", "1") as process:
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 1, stderr
    summary = json.loads(stdout)
    assert summary["never_ran"] == ["one"]
    assert any("NOPE.NOWHERE" in text for text in summary["failures"])


def test_an_account_that_is_ready_only_while_the_platform_stops_starts_no_strategy(config_file: Path) -> None:
    platform = MainEngine(load_config(config_file), config_file.parent / "home")
    status = AdapterStatus("", "simulated", AdapterState.READY, "", 0, 0.0, 0)
    platform.stop()
    for name in platform.line.adapters:
        platform._on_adapter_status(replace(status, account=name))
    assert {str(host.stage) for host in platform.line.strategies.hosts.values()} == {"loaded"}
    assert not platform.all_ready.is_set()


def test_the_watchdog_names_the_line_that_holds_up_the_engine(config_file: Path) -> None:
    platform = MainEngine(load_config(one_strategy(config_file, "Hang")), config_file.parent / "home")
    watchdog = Watchdog(platform.events, platform.clock)
    platform.start()
    plugin = sys.modules[type(platform.line.strategies.hosts["one"].strategy).__module__]
    assert plugin.ENTERED.wait(10)

    def stalled() -> bool:
        watchdog.look()
        return bool(watchdog.stalls)

    wait_until(stalled, deadline_s=20)
    plugin.RELEASE.set()
    platform.stop()
    assert "hang.py" in watchdog.stalls[0]
    assert "on_tick" in watchdog.stalls[0]


def test_a_second_signal_during_the_stop_changes_nothing(config_file: Path) -> None:
    with started(config_file) as process:
        wait_until(lambda: ticks_heard(config_file.parent / "bull") > 0, deadline_s=30)
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 0, stderr
    assert json.loads(stdout)["reconciled"] is True


def test_what_a_question_raises_is_the_askers_and_the_next_one_is_heard(config_file: Path) -> None:
    config_file.write_text(config_file.read_text().partition("[strategy.bull]")[0])
    platform = MainEngine(load_config(config_file), config_file.parent / "home")
    platform.start()
    try:
        with pytest.raises(FoxtrotError, match="ZeroDivisionError"):
            platform.ask(lambda: 1 / 0)
        assert platform.ask(lambda: 7) == 7
    finally:
        report = platform.stop()
    assert report.failures == ()


def test_a_fault_in_watching_ends_the_platform_in_order(config_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config_file.write_text(config_file.read_text().partition("[strategy.bull]")[0])
    config, home = load_config(config_file), config_file.parent / "home"

    def look(_watch: PlatformWatch) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr(PlatformWatch, "look", look)
    with pytest.raises(RuntimeError, match="a fault of ours"):
        run_live(config, 60.0, False, home, StopSignal())
    assert "foxtrot-engine" not in [thread.name for thread in threading.enumerate()]
    *_, last = open_journal(config.data_dir(home) / "journal.db").records()
    assert isinstance(last, RunStopped)


def test_live_mode_needs_both_keys(config_file: Path) -> None:
    paper = load_config(config_file)
    with pytest.raises(ConfigError, match="--live was given"):
        check_mode(paper, live=True)
    config_file.write_text(config_file.read_text().replace('mode = "paper"', 'mode = "live"'))
    with pytest.raises(ConfigError, match="give --live as well"):
        check_mode(load_config(config_file), live=False)


@pytest.mark.parametrize("environment", ["", "testnet", "demo", "loopback"])
def test_a_paper_platform_takes_binances_own_paper(config_file: Path, environment: str) -> None:
    account = f'adapter = "binance"\nenvironment = "{environment}"'
    config_file.write_text(config_file.read_text().replace('adapter = "simulated"', account, 1))
    check_mode(load_config(config_file), live=False)


def test_a_paper_platform_refuses_real_money(config_file: Path) -> None:
    account = 'adapter = "binance"\nenvironment = "live"'
    config_file.write_text(config_file.read_text().replace('adapter = "simulated"', account, 1))
    with pytest.raises(ConfigError, match="binance, environment live, REAL MONEY, which paper mode refuses"):
        check_mode(load_config(config_file), live=False)
