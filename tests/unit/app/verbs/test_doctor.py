"""Doctor: every check can pass and can fail, and one failure is status 1."""

import sys
from pathlib import Path

import apsw
import pytest

from foxtrot.app.verbs.doctor import (
    FAIL,
    OK,
    clock_check,
    home_check,
    package_checks,
    port_check,
    python_check,
    room_check,
    sqlite_check,
)
from foxtrot.core.clock import ManualClock


def states(result: dict[str, object]) -> dict[str, str]:
    checks = result["checks"]
    assert isinstance(checks, list)
    return {check["name"]: check["state"] for check in checks}


def test_this_machine_is_checked_line_by_line(run, home: Path) -> None:
    _, result = run("doctor")
    found = states(result)
    for name in ("python", "foxtrot", "msgspec", "sqlite", "clock", "time zones", "home", "ports", "adapter simulated"):
        assert found[name] == OK
    assert home.is_dir()


def test_a_good_configuration_passes_and_each_fault_of_a_bad_one_is_named(run, tmp_path: Path) -> None:
    good = (
        '[account.paper]\nadapter = "simulated"\n[strategy.ma]\nclass = "double_ma"\naccount = "paper"\n'
        'symbols = ["BTCUSDT.BINANCE"]\nparams = { fast = 5 }\n'
    )
    (tmp_path / "c.toml").write_text(good, "utf-8")
    found = states(run("doctor", "c.toml")[1])
    assert (found["configuration"], found["account paper"], found["strategy ma"]) == (OK, OK, OK)
    bad = good.replace("fast = 5", "fast = 0").replace('"simulated"', '"simulatd"')
    (tmp_path / "c.toml").write_text(bad, "utf-8")
    status, result = run("doctor", "c.toml")
    found = states(result)
    assert status == 1
    assert (found["configuration"], found["account paper"], found["strategy ma"]) == (OK, FAIL, FAIL)
    (tmp_path / "c.toml").write_text("[riks]", "utf-8")
    assert states(run("doctor", "c.toml")[1])["configuration"] == FAIL


def test_a_configuration_that_is_no_file_is_bad_input(run) -> None:
    status, result = run("doctor", "nofile.toml")
    assert (status, "nofile.toml: there is no such file" in result["error"]["message"]) == (2, True)


def test_the_library_that_is_shown_is_the_journals_own() -> None:
    assert sqlite_check() == ("sqlite", OK, apsw.sqlite_lib_version())


@pytest.mark.parametrize(
    ("adapter", "settings", "said"),
    [
        ("simulated", 'balances = "USDT"', "balances 'USDT' must be like"),
        ("binance", "rotate_hours = 24", "rotate_hours = 24: it is a whole number from 0 to 23"),
        ("binance", 'port_file = "ports.json"', "port_file = 'ports.json': it cannot be read"),
        ("ccxt", 'exchnge = "okx"', "exchnge = 'okx': an account of ccxt has no such setting; did you mean exchange?"),
    ],
)
def test_settings_of_adapters_are_checked_as_a_run_does(
    run, tmp_path: Path, adapter: str, settings: str, said: str
) -> None:
    environment = "loopback" if "port_file" in settings else ""
    text = f'[account.a]\nadapter = "{adapter}"\nenvironment = "{environment}"\n[account.a.settings]\n{settings}\n'
    (tmp_path / "c.toml").write_text(text, "utf-8")
    status, result = run("doctor", "c.toml")
    assert status == 1
    (check,) = [check for check in result["checks"] if check["name"] == "account a"]
    assert check["state"] == FAIL
    assert check["text"].startswith("c.toml:5: [account.a.settings] " + said)


def test_a_secret_that_is_not_in_the_environment_fails(run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = '[account.a]\nadapter = "simulated"\nsettings = { api_key_env = "FOXTROT_TEST_KEY" }\n'
    (tmp_path / "c.toml").write_text(text, "utf-8")
    assert states(run("doctor", "c.toml")[1])["account a"] == FAIL
    monkeypatch.setenv("FOXTROT_TEST_KEY", "hush hush")
    _, result = run("doctor", "c.toml")
    assert states(result)["account a"] == OK
    assert "hush" not in str(result)


def test_a_home_that_cannot_be_written_fails(run, tmp_path: Path) -> None:
    (tmp_path / "plain").write_text("", "utf-8")
    status, result = run("doctor", "--home", tmp_path / "plain" / "home")
    assert status == 1
    assert states(result)["home"] == FAIL
    assert home_check(tmp_path / "plain" / "home").state == FAIL


def test_an_impossible_date_fails() -> None:
    assert clock_check(ManualClock(0)).state == FAIL
    assert clock_check(ManualClock(1_800_000_000 * 10**9)).state == OK


def test_an_old_python_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert python_check().state == OK
    monkeypatch.setattr(sys, "version_info", (3, 10, 0))
    assert python_check().state == FAIL


def test_a_missing_or_old_package_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = ["msgspec>=999", "no-such-package>=1.0", 'absent>=1; extra == "gui"']
    monkeypatch.setattr("importlib.metadata.requires", lambda name: wanted)
    found = {check.name: check.state for check in package_checks()}
    assert found == {"foxtrot": OK, "msgspec": FAIL, "no-such-package": FAIL}


def test_room_and_ports_of_this_machine_are_told(tmp_path: Path) -> None:
    assert "GB free" in room_check(tmp_path / "not" / "yet").text
    assert port_check().state == OK
