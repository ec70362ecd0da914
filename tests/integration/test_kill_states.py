"""The kill in every state of a platform: before it starts, while it runs and stops, after it has stopped, and over a restart."""

from pathlib import Path

import pytest

from foxtrot.app.account_lock import AccountLocks, data_key
from foxtrot.app.config import load_config
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.life_signs import LifeSigns
from foxtrot.app.live import run_live
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.stop_signals import StopSignal
from foxtrot.core.clock import ManualClock, SystemClock
from foxtrot.core.commands import KillSwitch, ResumeTrading, SendOrder, StopStrategy
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderRequest
from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE_USDM", balances = "USDT=100000" }

[strategy.idle]
class = "idle.py:Idle"
account = "paper"
symbols = ["BTCUSDT.BINANCE_USDM"]
"""
IDLE = '''
from foxtrot.api import Strategy


class Idle(Strategy):
    """Does nothing."""
'''


class Place:
    """A home and a configuration in a folder of the test's."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        path = folder / "c.toml"
        path.write_text(CONFIG, "utf-8")
        (folder / "idle.py").write_text(IDLE, "utf-8")
        self.config = load_config(path)

    def platform(self, *, journal: bool = False) -> MainEngine:
        """A platform of this place, which has not started."""
        kept = PlatformJournal(self.config.data_dir(self.home), self.config, SystemClock()) if journal else None
        return MainEngine(self.config, self.home, journal=kept)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def stage(platform: MainEngine) -> str:
    return platform.ask(lambda: str(platform.line.strategies.hosts["idle"].stage))


def runs(platform: MainEngine) -> bool:
    return stage(platform) == "running"


def state(platform: MainEngine) -> GateState:
    return platform.line.gate.state


def kill(platform: MainEngine) -> None:
    platform.kill("all is lost", "Ann")
    platform.put(KillSwitch("all is lost", "Ann"))


def test_killed_before_it_starts_nothing_trades_and_a_person_resumes(place: Place) -> None:
    platform = place.platform()
    kill(platform)
    signs = LifeSigns(platform, guarded=False)
    platform.start()
    assert platform.all_ready.wait(10)
    assert (stage(platform), state(platform)) == ("loaded", GateState.HALTED)
    assert HaltFile(place.home).read() is not None
    platform.put(ResumeTrading("Bob", "seen to"))
    wait_until(lambda: runs(platform))
    signs.look()
    assert HaltFile(place.home).read() is None
    platform.stop()
    signs.end()


def test_killed_while_it_runs_its_entries_go(place: Place) -> None:
    platform = place.platform()
    platform.start()
    wait_until(lambda: runs(platform))
    wait_until(lambda: platform.ask(lambda: platform.line.view.reference("BTCUSDT.BINANCE_USDM")) is not None)
    price = platform.ask(lambda: platform.line.view.reference("BTCUSDT.BINANCE_USDM").price)  # type: ignore[union-attr]
    wish = OrderRequest("BTCUSDT.BINANCE_USDM", "paper", Side.BUY, OrderType.LIMIT, 0.01, round(price * 0.97, 1))
    platform.put(SendOrder(wish, "manual"))

    def statuses() -> list[OrderStatus]:
        return platform.ask(lambda: [record.status for record in platform.line.desk.records()])

    wait_until(lambda: statuses() == [OrderStatus.ACCEPTED])
    kill(platform)
    wait_until(lambda: statuses() == [OrderStatus.CANCELLED])
    assert runs(platform), "a strategy goes on hearing, and may send nothing"
    assert platform.stop().reconciled


def test_killed_while_it_stops_and_after_it_has_stopped(place: Place) -> None:
    platform = place.platform()
    platform.start()
    wait_until(lambda: runs(platform))
    platform.put(StopStrategy("idle", "on_shutdown"))
    kill(platform)
    report = platform.stop()
    assert report.summary.gate == "halted"
    HaltFile(place.home).remove()
    platform.kill("again", "Ann")
    assert HaltFile(place.home).read() is not None
    assert state(platform) is GateState.HALTED


@pytest.mark.parametrize("by", ["journal", "halt file"])
def test_killed_it_stays_so_over_a_restart_until_a_person_resumes(place: Place, by: str) -> None:
    first = place.platform(journal=True)
    first.start()
    wait_until(lambda: runs(first))
    kill(first)
    first.stop()
    if by == "journal":
        HaltFile(place.home).remove()
    second = place.platform(journal=by == "journal")
    signs = LifeSigns(second, guarded=False)
    second.start()
    assert second.all_ready.wait(10)
    killed = second.ask(lambda: second.line.gate.killed)
    assert killed is not None
    assert (killed.reason, killed.who, stage(second)) == ("all is lost", "Ann", "loaded")
    second.put(ResumeTrading("Bob", "seen to"))
    wait_until(lambda: runs(second))
    second.stop()
    signs.look()
    signs.end()
    assert HaltFile(place.home).read() is None
    third = place.platform(journal=by == "journal")
    third.start()
    wait_until(lambda: runs(third))
    third.stop()


def test_a_halt_file_that_appears_while_it_runs_is_obeyed(place: Place) -> None:
    platform = place.platform()
    signs = LifeSigns(platform, guarded=False)
    platform.start()
    wait_until(lambda: runs(platform))
    HaltFile(place.home).write(Halt("the platform was frozen", "guardian", 1))
    signs.look()
    assert (state(platform), platform.line.gate.reason) == (GateState.HALTED, "the platform was frozen")
    platform.put(ResumeTrading("Bob", "seen to"))
    wait_until(platform.resumed.is_set)
    assert HaltFile(place.home).read() is not None, "the engine does not wait for the disk"
    HaltFile(place.home).write(Halt("frozen again", "guardian", 2))
    signs.look()
    assert (state(platform), platform.line.gate.reason) == (GateState.HALTED, "frozen again")
    platform.put(ResumeTrading("Bob", "seen to"))
    wait_until(platform.resumed.is_set)
    signs.look()
    assert state(platform) is GateState.ACTIVE
    assert HaltFile(place.home).read() is None
    platform.stop()
    signs.end()


def test_a_second_platform_on_one_data_folder_is_refused(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOXTROT_LOCKS", str(tmp_path / "locks"))
    stopped = StopSignal()
    stopped.ask()
    run_live(place.config, None, False, place.home, stopped)
    with AccountLocks(tmp_path / "locks", tmp_path / "other") as first:
        first.take(*data_key(place.config.data_dir(place.home)))
        with pytest.raises(ConfigError, match=r"data folder .* is in use by the platform in .*other"):
            run_live(place.config, None, False, place.home, stopped)


class FakeGuardian:
    """A guardian that dies when it is told to."""

    def __init__(self) -> None:
        self.starts = 0
        self.dead = ""
        self.refused = False

    def start(self) -> None:
        self.starts += 1
        self.dead = ""

    def death(self) -> str:
        return self.dead

    def wait(self, _seconds: float) -> str:
        return ""


def test_a_guardian_that_dies_is_started_again_after_growing_pauses_and_one_that_refused_is_not(place: Place) -> None:
    clock = ManualClock(1)
    platform = MainEngine(place.config, place.home, clock=clock)
    signs = LifeSigns(platform, guarded=False)
    guardian = FakeGuardian()
    signs.guardian = guardian  # type: ignore[assignment]
    starts = []
    for _ in range(16):
        signs.look()
        starts.append(guardian.starts)
        guardian.dead = guardian.dead or "it ended with status 1"
        clock.advance(1_000_000_000)
    assert [starts.index(count) for count in (1, 2, 3)] == [2, 5, 10]
    guardian.refused = True
    guardian.dead = "it ended with status 2"
    known = guardian.starts
    for _ in range(200):
        signs.look()
        clock.advance(1_000_000_000)
    assert guardian.starts == known
    signs.end()
    platform.stop()
