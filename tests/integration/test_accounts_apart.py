"""One account with a bad key keeps its own strategies from starting, and nobody else's."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger
from msgspec.structs import replace

from foxtrot.app.config import load_config
from foxtrot.app.main_engine import MainEngine
from foxtrot.core.notices import AccountReconciled, AdapterStatus, VenueUnsteady
from foxtrot.domain.enums import AdapterState
from foxtrot.strategy.host import Stage
from tests.support.waiting import wait_until

QUIET = """
from foxtrot.api import Strategy


class Quiet(Strategy):
    pass
"""
HEAD = """
[account.good]
adapter = "simulated"
settings = {{ venue = "one", instruments = "BTCUSDT.BINANCE", agents = 0 }}

[account.bad]
adapter = "simulated"
settings = {{ venue = "two", instruments = "ETHUSDT.BINANCE", agents = 0 }}
"""
STRATEGY = """
[strategy.{name}]
class = "{folder}/quiet.py:Quiet"
account = "{account}"
symbols = ["{symbol}"]
"""
STATUS = AdapterStatus("", "simulated", AdapterState.READY, "", 0, 0.0, 0)


@pytest.fixture
def platform(tmp_path: Path) -> Iterator[MainEngine]:
    """Four strategies on two accounts; the account `bad` never comes to connect, a test says what becomes of it."""
    (tmp_path / "quiet.py").write_text(QUIET)
    rows = (
        ("own", "good", "BTCUSDT.BINANCE"),
        ("bare", "good", "BTCUSDT"),
        ("across", "good", "ETHUSDT.BINANCE"),
        ("theirs", "bad", "ETHUSDT.BINANCE"),
    )
    path = tmp_path / "foxtrot.toml"
    text = HEAD.format() + "".join(
        STRATEGY.format(name=name, account=account, symbol=symbol, folder=tmp_path) for name, account, symbol in rows
    )
    path.write_text(text)
    made = MainEngine(load_config(path), tmp_path / "home")
    made.line.adapters["bad"].connect = lambda: None  # type: ignore[method-assign]
    made.start()
    yield made
    made.stop()


def stages(platform: MainEngine) -> dict[str, Stage]:
    return platform.ask(lambda: {name: host.stage for name, host in platform.line.strategies.hosts.items()})


def say(platform: MainEngine, account: str, state: AdapterState, cause: str = "") -> None:
    platform.put(replace(STATUS, account=account, state=state, cause=cause))


def test_a_strategy_starts_with_its_own_account_and_does_not_wait_for_the_others(platform: MainEngine) -> None:
    wait_until(lambda: stages(platform)["own"] is Stage.RUNNING)
    assert stages(platform) == {
        "own": Stage.RUNNING, "bare": Stage.LOADED, "across": Stage.LOADED, "theirs": Stage.LOADED,
    }  # fmt: skip
    assert not platform.all_ready.is_set()


def test_what_trades_on_an_account_that_failed_stays_stopped_and_says_why(platform: MainEngine) -> None:
    wait_until(lambda: stages(platform)["own"] is Stage.RUNNING)
    say(platform, "bad", AdapterState.FAILED, "the key is refused")
    wait_until(lambda: stages(platform)["bare"] is Stage.RUNNING)
    found = stages(platform)
    assert (found["own"], found["theirs"]) == (Stage.RUNNING, Stage.STOPPED)
    reasons = platform.ask(lambda: {name: host.reason for name, host in platform.line.strategies.hosts.items()})
    assert reasons["theirs"] == "account bad failed: the key is refused"
    assert "theirs was not started: account bad failed: the key is refused" in platform.failures
    assert found["across"] is Stage.FAILED, "its instrument will not be known any more"
    assert "ETHUSDT.BINANCE" in reasons["across"]
    assert "theirs" not in platform.ran


def test_an_account_that_is_ready_after_all_starts_what_waited_for_it(platform: MainEngine) -> None:
    wait_until(lambda: stages(platform)["own"] is Stage.RUNNING)
    say(platform, "bad", AdapterState.FAILED, "the key is refused")
    wait_until(lambda: stages(platform)["theirs"] is Stage.STOPPED)
    instruments = platform.line.adapters["bad"].session.venue.instruments()  # type: ignore[attr-defined]
    platform.line.adapters["bad"].on_contracts(instruments)
    say(platform, "bad", AdapterState.READY)
    assert stages(platform)["theirs"] is Stage.STOPPED  # nobody has compared its orders and positions yet
    platform.put(AccountReconciled("bad", "READY", 0, "", 0))
    wait_until(lambda: stages(platform)["theirs"] is Stage.RUNNING)
    assert platform.all_ready.wait(5)


def test_a_loss_on_the_way_up_is_no_failure(platform: MainEngine) -> None:
    wait_until(lambda: stages(platform)["own"] is Stage.RUNNING)
    say(platform, "bad", AdapterState.LOST, "reset")
    say(platform, "bad", AdapterState.BACKING_OFF, "reset")
    assert stages(platform)["theirs"] is Stage.LOADED
    assert platform.failures == []


def test_a_link_that_is_lost_again_and_again_is_one_event_and_one_warning(tmp_path: Path) -> None:
    path = tmp_path / "foxtrot.toml"
    path.write_text(HEAD.format().partition("[account.bad]")[0] + "[alerts]\nreconnects = 2\nwindow_s = 60.0\n")
    platform = MainEngine(load_config(path), tmp_path / "home")
    told: list[VenueUnsteady] = []
    lines: list[str] = []
    platform.line.dispatcher.subscribe(VenueUnsteady, told.append, owner="test")
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="WARNING")
    platform.start()
    try:
        assert platform.all_ready.wait(10)
        adapter = platform.line.adapters["good"]
        platform.connections.look()
        for back in range(1, 6):
            adapter.drop_link("cable pulled")  # type: ignore[attr-defined]
            wait_until(lambda back=back: adapter.health().reconnects == back and adapter.health().up)  # type: ignore[misc]
            platform.connections.look()
        wait_until(lambda: bool(told))
        (row,) = platform.connections.look()
    finally:
        platform.stop()
        logger.remove(sink)
    assert [(one.account, one.reconnects, one.window_s, one.cause) for one in told] == [
        ("good", 3, 60.0, "cable pulled")
    ]
    assert (row.unsteady, row.alerts, row.recent.reconnects) == (True, 1, 5)
    said = [line for line in lines if "falls back often" in line]
    assert said == [
        "the connection falls back often: 0 answers by REST and 3 reconnects in 60 s; last cause: cable pulled"
    ]
