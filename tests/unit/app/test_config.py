"""The configuration file: what is read, what is refused and in which words, and that it can be shown and documented."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.config import Config, load_config, read_config
from foxtrot.app.config_docs import configuration_markdown
from foxtrot.app.config_reader import TomlFile
from foxtrot.app.config_schema import LIMIT_DESCRIPTIONS, description_of
from foxtrot.app.config_tables import AccountTable, LogTable, PlatformTable, RecorderTable, StrategyTable
from foxtrot.app.config_text import config_object, config_text, default_config_text
from foxtrot.app.hub_tables import HubInstrument, HubTable
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.settings import OrderExit, PositionExit
from foxtrot.trading.limits import Limits

REPOSITORY = Path(__file__).resolve().parents[3]
WHOLE = """\
[platform]
mode = "paper"
day_start = "17:00"
timezone = "America/New_York"
[account.paper]
adapter = "simulated"
settings = { api_secret = "hush hush", apiSecret = "hush hush", secretKey = "hush hush", pwd = "hush hush", speed = 2 }
[account.paper.limits]
max_position = 1.5
[strategy.ma]
class = "double_ma"
account = "paper"
symbols = ["BTCUSDT.BINANCE"]
capital = 100000
orders = "cancel_all"
params = { fast = 20 }
[strategy.ma.position]
on_stop = "flatten"
[risk]
price_collar = 0.02
max_drawdown = 500
[rates]
"EUR/USD" = "EURUSD.IDEALPRO"
"USDT/USD" = 1
[hub]
port = 0
origins = ["http://localhost:3000"]
[hub.instrument."BTCUSDT.BINANCE"]
levels = 50
"""


def read(text: str) -> Config:
    return read_config(TomlFile(Path("a.toml"), text))


def refusal(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        read(text)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_a_whole_file_becomes_what_the_parts_take() -> None:
    config = read(WHOLE)
    (strategy,) = config.strategy_settings()
    assert (strategy.strategy_id, strategy.class_name, strategy.account) == ("ma", "double_ma", "paper")
    assert strategy.symbols == ("BTCUSDT.BINANCE",)
    assert strategy.capital == Decimal(100000)
    assert strategy.parameters == {"fast": 20}
    assert strategy.exit_policy.orders_on("on_error") is OrderExit.CANCEL_ALL
    assert strategy.exit_policy.position_on("on_stop") is PositionExit.FLATTEN
    assert strategy.exit_policy.position_on("on_error") is PositionExit.KEEP
    assert config.rates == {"EUR/USD": "EURUSD.IDEALPRO", "USDT/USD": 1}
    assert config.day_start.at.hour == 17


def test_an_empty_file_is_all_defaults() -> None:
    config = read("")
    assert config.platform == PlatformTable()
    assert config.limit_table().platform == Limits()
    assert config.strategy_settings() == ()


def test_scopes_take_the_built_in_rules_of_the_platform_and_keep_their_own_amounts() -> None:
    limits = read(WHOLE).limit_table()
    assert limits.accounts["paper"].price_collar == 0.02
    assert limits.accounts["paper"].max_position == 1.5
    assert limits.accounts["paper"].max_drawdown == 0
    assert limits.strategies["ma"] == Limits(price_collar=0.02)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mode =", "mod =", "a.toml:2: [platform] unknown key 'mod'; did you mean 'mode'?"),
        ('mode = "paper"', 'mode = "papr"', "a.toml:2: [platform] mode must be one of \"paper\", \"live\", not 'papr'"),
        ("= 1.5", "= nan", "a.toml:9: [account.paper.limits] max_position must be a finite number, not nan"),
        ("= 1.5", "= -1", "a.toml:9: [account.paper.limits] max_position must not be negative, not -1.0; 0 means no limit"),
        ("= 1.5", "= '1'", "a.toml:9: [account.paper.limits] max_position must be a number, not '1'"),
        ("max_position", "max_positon", "a.toml:9: [account.paper.limits] unknown key 'max_positon'; did you mean 'max_position'?"),
        ('account = "paper"', 'account = "papr"', "a.toml:12: [strategy.ma] account 'papr' has no table; did you mean 'paper'?"),
        ("[risk]", "[riks]", "a.toml:19: unknown table 'riks'; did you mean 'risk'?"),
        ("17:00", "25:00", "a.toml:1: [platform] day_start must be HH:MM such as '17:00', not '25:00'"),
        ("America/New_York", "Mars/Base", "a.toml:1: [platform] timezone 'Mars/Base' is not known; use an IANA name such as America/New_York or UTC"),
        ('"cancel_all"', '"cancel"', "a.toml:15: [strategy.ma.orders] on_stop must be one of \"cancel_entries\", \"cancel_all\", \"keep\", not 'cancel'"),
        ("100000", "-1", "a.toml:10: [strategy.ma] capital must not be negative, not -1"),
        ('adapter = "simulated"\n', "", "a.toml:5: [account.paper] key 'adapter' is missing; adapter is text in quotes, not empty"),
        ("[account.paper]\n", "[account]\n", "a.toml:6: [account] [account] needs a name: write [account.NAME] above 'adapter'"),
        ("[strategy.ma]", '[strategy."m a"]', "a.toml:10: [strategy.m a] name 'm a' must be 1 to 64 of A-Z a-z 0-9 _ -"),
        ("[strategy.ma]", "[strategy.order_desk]", "a.toml:10: [strategy.order_desk] strategy name 'order_desk' is the platform's own; rename it, such as my_order_desk"),
        ('["BTCUSDT.BINANCE"]', "[]", "a.toml:13: [strategy.ma] symbols must be a list of text in quotes, not empty, not []"),
        ("0.02", "5", "a.toml:20: [risk] price_collar is a fraction, so 5 % is 0.05, not 5.0"),
        ('"USDT/USD" = 1', '"USDT/USD" = -1', "a.toml:24: [rates] USDT/USD must be a number above 0, not -1"),
        ('"USDT/USD" = 1', '"USDTUSD" = 1', "a.toml:24: [rates] pair 'USDTUSD' must be \"ASSET/CURRENCY\" such as \"EUR/USD\""),
        ("capital = 100000", 'interval = "5min"', "a.toml:10: [strategy.ma] interval '5min' is not known; did you mean 5m?; use a number and one of s m h d w t v $"),
        ("levels = 50", "levels = 0", "a.toml:29: [hub.instrument.BTCUSDT.BINANCE] levels must be a whole number, at least 1, at most 1000, not 0"),
        ("levels = 50", "level = 50", "a.toml:29: [hub.instrument.BTCUSDT.BINANCE] unknown key 'level'; did you mean 'levels'?"),
        ("levels = 50", "account = 'papr'", "a.toml:29: [hub.instrument.BTCUSDT.BINANCE] account 'papr' has no table; did you mean 'paper'?"),
        ("[hub.instrument", "[account.two]\nadapter = 'simulated'\n[hub.instrument", "a.toml:30: [hub.instrument.BTCUSDT.BINANCE] key 'account' is missing; accounts: paper, two"),
        ("port = 0", "host = '0.0.0.0'", "a.toml:25: [hub] host '0.0.0.0' can be reached from other machines, so a token is needed: set token_env to the name of an environment variable that holds one, or host to '127.0.0.1'"),
        ("port = 0", "host = 'localhost'", "a.toml:25: [hub] host 'localhost' must be an IP address such as '127.0.0.1'"),
        ("http://localhost:3000", "*", "a.toml:25: [hub] origin '*' must be scheme, host and port of a page without a path, such as 'http://localhost:3000'"),
        ("0.02", "0.02.1", "a.toml: not valid TOML: Expected newline or end of document after a statement (at line 20, column 20)"),
    ],
)  # fmt: skip
def test_every_fault_is_one_line_with_its_place_and_the_fix(old: str, new: str, message: str) -> None:
    assert old in WHOLE
    assert refusal(WHOLE.replace(old, new, 1)) == message


def test_of_a_table_of_settings_the_wrong_one_is_named_and_not_the_table() -> None:
    text = '[account.a]\nadapter = "simulated"\n[account.a.settings]\nport = 1\nmarkets = ["HK"]\n'
    expected = "markets must be text in quotes or a whole number or a number or true or false, not ['HK']"
    assert refusal(text) == f"a.toml:5: [account.a.settings] {expected}"


def test_a_value_where_a_table_belongs_is_refused() -> None:
    assert refusal("risk = 3") == "a.toml:1: risk must be a table such as [risk], not 3"


def test_a_wrong_secret_is_not_repeated_in_the_message() -> None:
    message = refusal(WHOLE.replace('"hush hush"', '["hush hush"]'))
    assert "hush" not in message


def test_runs_are_recorded_unless_told_otherwise_and_kept_within_limits() -> None:
    assert read("").recorder == RecorderTable(enabled=True, keep_days=7.0, keep_gb=5.0, min_free_gb=1.0)
    assert "keep_gb" in refusal("[recorder]\nkeep_gb = 0")
    assert read("[recorder]\nenabled = false").recorder.enabled is False


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist; `foxtrot config init"):
        load_config(tmp_path / "none.toml")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xff\xfe[platform]")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load_config(tmp_path / "a.toml")


def test_relative_paths_start_from_the_folder_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("")
    text = WHOLE.replace('"double_ma"', '"own.py:Own"').replace('mode = "paper"', 'data_dir = "d"')
    (tmp_path / "a.toml").write_text(text)
    config = load_config(tmp_path / "a.toml")
    assert config.strategy_settings()[0].class_name == f"{tmp_path / 'own.py'}:Own"
    assert config.data_dir(Path("/home")) == tmp_path / "d"
    assert config.strategies_dir(Path("/home")) == Path("/home/strategies")
    assert config.log_file() is None


def test_the_text_of_a_configuration_reads_back_as_itself_without_its_secrets() -> None:
    text = config_text(read(WHOLE))
    assert "hush" not in text
    for name in ("api_secret", "apiSecret", "secretKey", "pwd"):
        assert f'{name} = "***"' in text
    again = read(text)
    assert config_text(again) == text
    assert config_object(again) == config_object(read(WHOLE))


def test_the_file_to_start_from_is_valid_and_says_every_key() -> None:
    text = default_config_text()
    assert read(text).platform == PlatformTable()
    uncommented = "\n".join(line.removeprefix("# ") if " = " in line else line for line in text.splitlines())
    for kind in (PlatformTable, Limits, RecorderTable, LogTable):
        assert all(f"\n{field.encode_name} = " in uncommented for field in msgspec.structs.fields(kind))


def test_every_key_is_described() -> None:
    for kind in (PlatformTable, AccountTable, StrategyTable, RecorderTable, HubTable, HubInstrument, LogTable):
        assert [field.name for field in msgspec.structs.fields(kind) if not description_of(field)] == []
    assert set(LIMIT_DESCRIPTIONS) == {field.name for field in msgspec.structs.fields(Limits)}


def test_the_document_is_the_one_the_code_makes() -> None:
    stored = (REPOSITORY / "docs" / "configuration.md").read_text("utf-8")
    assert stored == configuration_markdown(), "run: python -m foxtrot.app.config_docs docs/configuration.md"
