"""Forms of accounts: what an adapter takes is known with its kinds and bounds; a file is replaced only by one that can be read."""

from pathlib import Path

import pytest

from foxtrot.adapter.registry import adapter_names
from foxtrot.adapter.settings_reader import SettingTerm
from foxtrot.app.account_forms import account_text, adapter_form, write_account
from foxtrot.app.config import load_config
from foxtrot.domain.errors import ConfigError


def test_what_an_adapter_takes_is_known_with_kinds_bounds_and_choices() -> None:
    form = adapter_form("binance")
    terms = {term.key: term for term in form.settings}
    assert form.environments[0] == "testnet"
    assert form.secrets == ("api_key", "api_secret")
    assert terms["max_leverage"] == SettingTerm("max_leverage", "whole", 3, 1, 125)
    assert terms["product"].allowed == ("spot", "usdm")
    assert terms["websocket"].kind == "flag"


@pytest.mark.parametrize("name", adapter_names())
def test_every_adapter_has_a_form(name: str) -> None:
    assert adapter_form(name).settings


def test_an_account_is_put_into_a_new_file_and_into_one_that_is_there(tmp_path: Path) -> None:
    path = tmp_path / "new" / "my.toml"
    write_account(path, "paper", "simulated", "", {"balances": "USDT=5"})
    config = write_account(path, "test", "binance", "testnet", {"product": "usdm", "max_leverage": 2})
    assert list(config.accounts) == ["paper", "test"]
    assert load_config(path).accounts["test"].settings == {"product": "usdm", "max_leverage": 2}
    assert [one.name for one in path.parent.iterdir()] == ["my.toml"]


@pytest.mark.parametrize(
    ("adapter", "environment", "settings", "says"),
    [
        ("binance", "testnet", {"product": "futures"}, "product"),
        ("binance", "live", {}, "REAL MONEY"),
        ("nowhere", "", {}, "nowhere"),
    ],
)
def test_what_a_start_would_refuse_is_refused_and_the_file_stays(
    tmp_path: Path, adapter: str, environment: str, settings: dict[str, str], says: str
) -> None:
    path = tmp_path / "my.toml"
    write_account(path, "paper", "simulated", "", {})
    before = path.read_bytes()
    with pytest.raises(ConfigError, match=says):
        write_account(path, "other", adapter, environment, settings)
    assert path.read_bytes() == before
    assert [one.name for one in tmp_path.iterdir()] == ["my.toml"]


def test_a_name_that_is_there_is_refused(tmp_path: Path) -> None:
    write_account(tmp_path / "my.toml", "paper", "simulated", "", {})
    with pytest.raises(ConfigError, match="already"):
        write_account(tmp_path / "my.toml", "paper", "simulated", "", {})


def test_the_table_has_no_place_for_what_was_not_given() -> None:
    assert account_text("a", "simulated", "", {}) == '\n[account.a]\nadapter = "simulated"\n'
