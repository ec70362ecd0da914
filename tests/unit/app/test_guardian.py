"""The guardian without processes: what it cancels, when, what it leaves, and what it refuses."""

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from foxtrot.adapter.capabilities import Countdown
from foxtrot.app.account_sweep import AccountSweep
from foxtrot.app.config import Config, load_config
from foxtrot.app.config_tables import AccountTable, GuardianTable
from foxtrot.app.guardian import Guardian, GuardianProcess, check_countdown, guard, guarded_config
from foxtrot.app.halt_file import HaltFile
from foxtrot.app.heartbeat_file import HeartbeatFile
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus, OpenOrdersLoaded, RequestFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderData
from tests.support.builders import ACCOUNT, an_order
from tests.support.scripted_adapter import ScriptedAdapter

S = 1_000_000_000
ENTRY, STOP, FOREIGN = "F-one-run0000001-1", "R-one-run0000001-2", "somebody"


class Nowhere:
    """A sink that forgets."""

    def put(self, event: object) -> None:
        """Forget."""


class Scene:
    """A guardian with one scripted account, and the heartbeat of this very process."""

    def __init__(self, home: Path) -> None:
        self.clock = ManualClock(S)
        self.home = home
        self.heartbeat = HeartbeatFile(home)
        self.adapter = ScriptedAdapter.of(ACCOUNT, Nowhere(), SendPermit(), self.clock)
        self.sweep = AccountSweep(self.adapter)
        self.guardian = Guardian({ACCOUNT: self.sweep}, home, self.clock)
        self.status(AdapterState.READY)
        self.tell_open(ENTRY, STOP, FOREIGN)

    def status(self, state: AdapterState, cause: str = "") -> None:
        self.guardian.take(AdapterStatus(ACCOUNT, "scripted", state, cause, 0, 0.0, 0))

    def tell_open(self, *names: str) -> None:
        orders = tuple(an_order(name, OrderStatus.ACCEPTED) for name in names)
        self.guardian.take(OpenOrdersLoaded(ACCOUNT, orders, 0))

    def tell(self, name: str, status: OrderStatus) -> None:
        order: OrderData = an_order(name, status)
        self.guardian.take(order)

    def wait(self, seconds: float, *, beats: bool = False) -> list[bool]:
        """Let time pass, and tell what each look said."""
        told = []
        for _ in range(round(seconds * 10)):
            self.clock.advance(S // 10)
            if beats:
                self.heartbeat.beat()
            told.append(self.guardian.look())
        return told

    def cancels(self) -> list[str]:
        return [request.order_id for request in self.adapter.cancels]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    made = Scene(tmp_path)
    yield made
    made.heartbeat.end()


def test_while_the_platform_beats_nothing_is_done(scene: Scene) -> None:
    assert not any(scene.wait(60, beats=True))
    assert (scene.cancels(), scene.guardian.acts, HaltFile(scene.home).read()) == ([], [], None)


def test_two_seconds_of_silence_cancel_the_entry_alone_and_leave_a_halt(scene: Scene) -> None:
    scene.wait(1, beats=True)
    scene.wait(1.9)
    assert scene.cancels() == []
    scene.wait(0.3)
    assert scene.cancels() == [ENTRY]
    halt = HaltFile(scene.home).read()
    assert halt is not None
    assert halt.who == "guardian"
    scene.tell(ENTRY, OrderStatus.CANCELLED)
    scene.tell_open(STOP, FOREIGN)
    report = scene.guardian.reports()[ACCOUNT]
    assert (report.done, report.cancelled, report.reducing, report.foreign) == (True, (ENTRY,), (STOP,), (FOREIGN,))
    scene.wait(60)
    assert scene.cancels() == [ENTRY]


def test_it_acts_again_when_an_entry_appears_while_the_platform_is_silent(scene: Scene) -> None:
    scene.wait(1, beats=True)
    scene.wait(3)
    scene.tell_open(STOP)
    scene.tell_open(STOP, "F-one-run0000001-9")
    scene.wait(1)
    assert scene.cancels()[-1] == "F-one-run0000001-9"


def test_the_venue_is_asked_for_its_list_often_while_something_is_open_and_seldom_after(scene: Scene) -> None:
    scene.wait(1, beats=True)
    scene.wait(2.1)
    known = scene.adapter.asked.count("orders")
    scene.wait(10)
    assert scene.adapter.asked.count("orders") - known == 5
    scene.tell_open(STOP)
    known = scene.adapter.asked.count("orders")
    scene.wait(60)
    assert scene.adapter.asked.count("orders") - known in (6, 7)


def test_a_cancel_that_fails_is_told_and_tried_again_with_growing_pauses(scene: Scene) -> None:
    scene.wait(1, beats=True)
    scene.wait(2.2)
    scene.guardian.take(RequestFailed(ACCOUNT, f"cancel of {ENTRY}", "the venue is busy", 0))
    assert scene.guardian.reports()[ACCOUNT].still_open == {ENTRY: "the venue is busy"}
    scene.wait(8)
    assert scene.cancels() == [ENTRY] * 5


def test_an_account_that_is_not_connected_is_done_when_it_is(scene: Scene) -> None:
    scene.wait(1, beats=True)
    scene.status(AdapterState.LOST, "cable")
    scene.wait(3)
    assert scene.cancels() == []
    assert scene.guardian.reports()[ACCOUNT].still_open == {ENTRY: "not asked: the account is lost cable"}
    scene.status(AdapterState.READY)
    scene.wait(0.2)
    assert scene.cancels() == [ENTRY]


def test_it_goes_back_to_watching_when_the_platform_goes_on(scene: Scene) -> None:
    scene.wait(1, beats=True)
    scene.wait(3)
    scene.wait(5, beats=True)
    known = len(scene.cancels())
    scene.wait(5, beats=True)
    assert (len(scene.cancels()), scene.guardian.silent) == (known, "")
    scene.wait(3)
    assert len(scene.cancels()) > known
    assert len(scene.guardian.acts) == 2


def test_it_ends_when_the_platform_has_ended_in_order(scene: Scene) -> None:
    scene.wait(1, beats=True)
    scene.heartbeat.end()
    assert scene.wait(0.1) == [True]
    assert scene.guardian.acts == []


def test_what_an_earlier_run_left_behind_is_not_watched(tmp_path: Path) -> None:
    (tmp_path / "heartbeat").write_bytes(b'{"pid": 4194305, "start": "", "beat": 7, "silent_s": 2.0, "ended": false}')
    clock = ManualClock(S)
    guardian = Guardian({}, tmp_path, clock)
    other = Guardian({}, tmp_path, clock, pid=4194305)
    for _ in range(40):
        clock.advance(S // 10)
        assert not guardian.look()
        other.look()
    assert (guardian.acts, len(other.acts)) == ([], 1)


def test_keys_of_its_own_stand_in_for_the_accounts(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(
        '[account.main]\nadapter = "binance"\nsettings = { product = "spot", api_key_env = "A" }\n'
        '[guardian.keys.main]\napi_key_env = "B"\n',
        "utf-8",
    )
    settings = guarded_config(load_config(path)).accounts["main"].settings
    assert settings == {"product": "spot", "api_key_env": "B"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ('[guardian.keys.mian]\napi_key_env = "B"', "did you mean 'main'"),
        ('[guardian.keys.main]\napi_key = "B"', "takes names of environment variables"),
        ("[guardian]\nenabeld = true", "enabled"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path: Path, text: str, fault: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(f'[account.main]\nadapter = "simulated"\n{text}\n', "utf-8")
    with pytest.raises(ConfigError, match=fault):
        load_config(path)


@pytest.mark.parametrize(
    ("countdown", "why"),
    [
        (Countdown.NONE, "has no countdown"),
        (Countdown.EVERYTHING, "would cancel protective orders and those of others too"),
    ],
)
def test_a_countdown_that_does_harm_is_refused_with_the_reason(scene: Scene, countdown: Countdown, why: str) -> None:
    config = Config(accounts={ACCOUNT: AccountTable(adapter="scripted")}, guardian=GuardianTable(venue_countdown=True))
    row = msgspec.structs.replace(scene.adapter.capabilities, countdown=countdown)
    scene.adapter.capabilities = row  # type: ignore[misc]
    with pytest.raises(ConfigError, match=f"refused for account {ACCOUNT}: scripted {why}"):
        check_countdown(config, {ACCOUNT: scene.adapter})
    check_countdown(Config(), {ACCOUNT: scene.adapter})


def test_without_an_account_to_guard_it_says_why(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('[account.paper]\nadapter = "simulated"\n', "utf-8")
    with pytest.raises(ConfigError, match="paper: simulated is inside the platform's own process"):
        guard(load_config(path), tmp_path, ManualClock(S), lambda _seconds: True)


def test_a_guardian_that_was_not_started_is_not_dead(tmp_path: Path) -> None:
    process = GuardianProcess(tmp_path / "c.toml", tmp_path)
    assert (process.death(), process.pid, process.wait(0.0)) == ("", 0, "")
    assert list(tmp_path.iterdir()) == []


def test_it_says_when_it_watches_and_what_it_waits_for(scene: Scene) -> None:
    scene.wait(0.1)
    sign = scene.guardian.sign()
    assert sign is not None
    assert (sign.pid, sign.watched, sign.waiting) == (os.getpid(), os.getpid(), {})
    scene.status(AdapterState.LOST, "no route")
    sign = scene.guardian.sign()
    assert sign is not None
    assert sign.waiting == {ACCOUNT: "lost no route"}


def test_a_platform_that_starts_may_be_silent_for_a_minute(scene: Scene) -> None:
    scene.heartbeat.starting()
    scene.wait(50)
    assert scene.guardian.silent == ""
    scene.heartbeat.beat()
    scene.wait(3)
    assert "no sign of life" in scene.guardian.silent
