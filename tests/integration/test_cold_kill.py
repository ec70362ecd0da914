"""A kill without a platform: beside a frozen one, after a dead one, and with a venue that does not answer."""

import signal
from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app import cold_kill as cold
from foxtrot.app.cold_kill import cold_kill
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.domain.errors import ConfigError
from tests.support.kill_scene import START_S, Scene, kill_scene
from tests.support.waiting import wait_until

DEAF = """
[account.deaf]
adapter = "binance"
environment = "loopback"
settings = { port = 1, product = "usdm", api_key_env = "MARGIN_KEY", api_secret_env = "MARGIN_SECRET" }
"""


def kill(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, *, flatten: bool = False, config: str = "platform.toml"
) -> dict[str, object]:
    monkeypatch.chdir(scene.folder)
    return cold_kill(scene.folder / config, scene.home, flatten, False, "Ann", scene.environment)


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_entries_go_beside_a_frozen_platform_and_positions_after_a_dead_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with kill_scene(tmp_path) as scene:
        with scene.running("run", "platform.toml") as platform:
            wait_until(scene.holds, START_S)
            platform.send_signal(signal.SIGSTOP)
            found = kill(scene, monkeypatch)
            assert scene.resting() == ["R-"]
            assert scene.held() == Decimal("0.02")
            row = found["accounts"]["margin"]  # type: ignore[index]
            assert [len(row[part]) for part in ("cancelled", "still_open", "reducing", "foreign")] == [1, 0, 1, 0]
            assert (found["needs_person"], found["halt_file"]) == (False, "")
            platform.kill()
        halt = HaltFile(scene.home).read()
        assert halt is not None
        assert (halt.who, halt.killed) == ("Ann", True)
        (tmp_path / "two.toml").write_text(scene.config.read_text("utf-8") + DEAF, "utf-8")
        monkeypatch.setattr(cold, "DEADLINE_S", 5.0)
        found = kill(scene, monkeypatch, config="two.toml")
        assert list(found["not_done"]) == ["deaf"]  # type: ignore[call-overload]
        assert found["needs_person"] is True
        assert found["accounts"]["margin"]["listed"] is True  # type: ignore[index]
        found = kill(scene, monkeypatch, flatten=True)
        assert (scene.held(), scene.resting()) == (Decimal(0), []), found
        sold = found["flatten"]["sold"]  # type: ignore[index]
        assert {row["side"] for row in sold} == {"sell"}
        assert sum(Decimal(str(row["quantity"])) for row in sold) == Decimal("0.02")
        assert (found["needs_person"], found["not_flattened"]) == (False, "")


def test_the_reason_of_who_killed_first_stays_in_the_halt_file(tmp_path: Path) -> None:
    path, home = tmp_path / "paper.toml", tmp_path / "home"
    path.write_text('[account.paper]\nadapter = "simulated"\n', "utf-8")
    HaltFile(home).write(Halt("the market is mad", "Bob", 1))
    cold_kill(path, home, False, False, "Ann", {})
    assert HaltFile(home).read() == Halt("the market is mad", "Bob", 1)


def test_the_halt_file_stands_though_the_configuration_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        cold_kill(tmp_path / "nowhere.toml", tmp_path / "home", False, False, "Ann", {})
    assert HaltFile(tmp_path / "home").read() is not None


def test_a_paper_account_inside_the_platform_is_named_as_out_of_reach(tmp_path: Path) -> None:
    path = tmp_path / "paper.toml"
    path.write_text('[account.paper]\nadapter = "simulated"\n', "utf-8")
    found = cold_kill(path, tmp_path / "home", False, False, "Ann", {})
    assert found["without"] == {"paper": "simulated is inside the platform's own process and ends with it"}
    assert found["needs_person"] is False
