"""Paper mode takes accounts without real money only, whoever judges: the runner, doctor or a summary."""

from pathlib import Path

import pytest
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.app import account_adapters, account_venues
from foxtrot.app.account_venues import AccountVenue
from foxtrot.app.config import Config
from foxtrot.app.config_tables import AccountTable, PlatformTable
from foxtrot.app.live import check_mode
from foxtrot.app.verbs.doctor_plugins import config_checks
from foxtrot.domain.errors import ConfigError


class Venue(SimulatedAdapter):
    """An adapter whose environment "live" is real."""

    @classmethod
    def real_money(cls, environment: str) -> bool:
        return environment == "live"


@pytest.fixture(autouse=True)
def known_adapters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_venues, "load_adapter", {"simulated": SimulatedAdapter, "venue": Venue}.__getitem__)


def config(mode: str, environment: str) -> Config:
    accounts = {
        "paper": AccountTable(adapter="simulated"),
        "other": AccountTable(adapter="venue", environment=environment),
    }
    return Config(platform=PlatformTable(mode=mode), accounts=accounts)  # type: ignore[arg-type]


def test_an_adapter_that_says_nothing_may_spend_real_money() -> None:
    assert BaseAdapter.real_money("") is True
    assert SimulatedAdapter.real_money("") is False


@pytest.mark.parametrize("environment", ["", "testnet", "demo", "loopback"])
def test_paper_mode_takes_a_venues_own_paper_and_says_so(environment: str) -> None:
    lines: list[str] = []
    handler = logger.add(lambda message: lines.append(str(message)), format="{message}", level="INFO")
    try:
        check_mode(config("paper", environment), live=False)
    finally:
        logger.remove(handler)
    assert len(lines) == 2
    assert "no real money" in lines[1]
    assert f"environment {environment}" in lines[1] or not environment


def test_paper_mode_refuses_real_money_and_names_account_environment_and_fix() -> None:
    with pytest.raises(
        ConfigError, match=r'account other is venue, environment live, REAL MONEY.*adapter = "simulated"'
    ):
        check_mode(config("paper", "live"), live=False)


def test_real_money_needs_both_keys() -> None:
    check_mode(config("live", "live"), live=True)
    with pytest.raises(ConfigError, match="give --live as well"):
        check_mode(config("live", "live"), live=False)
    with pytest.raises(ConfigError, match="--live was given"):
        check_mode(config("paper", "testnet"), live=True)


ENVIRONMENT = {"FOXTROT_TEST_KEY": "hush-hush-1"}


def test_doctor_judges_as_the_runner_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_adapters, "make_adapter", lambda name, context: None)
    monkeypatch.setattr(account_adapters, "load_adapter", lambda name: BaseAdapter)
    path = tmp_path / "c.toml"
    text = '[account.a]\nadapter = "venue"\nenvironment = "live"\nsettings = {{ api_key_env = "FOXTROT_TEST_KEY" }}\n[platform]\nmode = "{}"\n'
    said = {}
    for mode in ("paper", "live"):
        path.write_text(text.format(mode), "utf-8")
        said[mode] = next(check for check in config_checks(path, tmp_path, ENVIRONMENT) if check.name == "account a")
    assert (said["paper"].state, said["live"].state) == ("fail", "ok")
    assert said["live"].text == "venue, environment live, REAL MONEY; 1 secrets found"
    assert "hush" not in str(said)


def test_the_safest_environment_has_no_name() -> None:
    assert AccountVenue("a", "venue", "", False).text == "venue, its safest environment, no real money"
