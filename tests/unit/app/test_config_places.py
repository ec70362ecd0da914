"""What shows only when a configuration is used is told with file and line of the key that is to be changed."""

from pathlib import Path

import pytest

from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.account_venues import account_venue
from foxtrot.app.config import Config, load_config
from foxtrot.app.config_places import placed
from foxtrot.app.main_engine import MainEngine
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError
from tests.support.recorder import Recorder

STRATEGY = """\
[account.a]
adapter = "simulated"
[strategy.s]
class = "{name}"
account = "a"
symbols = ["BTCUSDT.BINANCE"]
params = {{ {params} }}
"""


def written(tmp_path: Path, text: str) -> Config:
    path = tmp_path / "c.toml"
    path.write_text(text, "utf-8")
    return load_config(path)


def refused(config: Config, environment: "dict[str, str] | None" = None) -> str:
    made = AccountAdapters(config, Recorder(), SendPermit(), ManualClock(), environment or {})
    with pytest.raises(ConfigError) as raised:
        made.make("x")
    return str(raised.value)


@pytest.mark.parametrize(
    ("account", "settings", "line", "said"),
    [
        ("", "# a comment\nrotate_hours = 24", 5, "[account.x.settings] rotate_hours = 24: it is a whole number"),
        ("", "prot = 5", 4, "[account.x.settings] prot = 5: a Binance account has no such setting; did you mean port?"),
        ('environment = "tesnet"\n', "port = 5", 3, "[account.x] environment = 'tesnet'"),
        (
            "",
            'api_key_env = "FOXTROT_NOT_SET"',
            4,
            "[account.x.settings] environment variable FOXTROT_NOT_SET is not set",
        ),
        ("", 'apiSecret = "SEKRIT"', 4, "[account.x.settings] apiSecret = ***: a secret does not stand"),
        ('environment = "loopback"\n', 'port_file = "/no/where"', 5, "[account.x.settings] port_file = '/no/where'"),
    ],
)
def test_a_wrong_setting_is_told_with_its_line(
    tmp_path: Path, account: str, settings: str, line: int, said: str
) -> None:
    config = written(tmp_path, f'[account.x]\nadapter = "binance"\n{account}[account.x.settings]\n{settings}\n')
    text = refused(config)
    assert text.startswith(f"{tmp_path / 'c.toml'}:{line}: {said}")
    assert "SEKRIT" not in text


def test_a_secret_that_the_venue_does_not_know_is_at_its_variable(tmp_path: Path) -> None:
    text = '[account.x]\nadapter = "binance"\n[account.x.settings]\napi_kee_env = "FOXTROT_KEY"\n'
    said = refused(written(tmp_path, text), {"FOXTROT_KEY": "SEKRIT"})
    assert "c.toml:4: [account.x.settings] api_kee = ***" in said
    assert "did you mean api_key?" in said
    assert "SEKRIT" not in said


def test_a_table_in_one_line_is_its_line(tmp_path: Path) -> None:
    text = '[account.x]\nadapter = "simulated"\nsettings = { balances = "USDT", seed = 2 }\n'
    assert "c.toml:3: [account.x.settings] balances 'USDT' must be like" in refused(written(tmp_path, text))


def test_an_adapter_that_is_not_known_is_told_with_its_line(tmp_path: Path) -> None:
    config = written(tmp_path, '[account.x]\n\nadapter = "binanse"\n')
    with pytest.raises(
        ConfigError, match=r"c.toml:3: \[account.x\] adapter binanse is not known; did you mean binance"
    ):
        account_venue(config, "x")


@pytest.mark.parametrize(
    ("name", "params", "said"),
    [
        ("duble_ma", "", r"c.toml:4: \[strategy.s\] strategy duble_ma is not known; did you mean double_ma"),
        ("double_ma", "fsat = 5", r"c.toml:7: \[strategy.s.params\] DoubleMa has no parameter fsat; did you mean fast"),
    ],
)
def test_a_wrong_strategy_is_told_with_its_line(tmp_path: Path, name: str, params: str, said: str) -> None:
    config = written(tmp_path, STRATEGY.format(name=name, params=params))
    with pytest.raises(ConfigError, match=said):
        MainEngine(config, tmp_path / "home")


def test_a_file_that_is_gone_leaves_the_error_as_it_is(tmp_path: Path) -> None:
    config = written(tmp_path, '[account.x]\nadapter = "simulated"\n')
    config.source.unlink()
    error = ConfigError("account x: agents = 5: too many", key="agents")
    assert placed(config, ("account", "x"), error) is error
    assert placed(Config(), ("account", "x"), error) is error
