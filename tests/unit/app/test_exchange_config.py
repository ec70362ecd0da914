"""The exchange's configuration: what a file says is what is opened, and every fault is one line that names key, value and fix."""

import re
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.exchange_config import ExchangeConfig, account_setup, load_exchange_config
from foxtrot.domain.enums import PositionMode
from foxtrot.domain.errors import ConfigError
from tests.architecture.source_tree import REPOSITORY

PEM = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n"
WHOLE = """
[exchange]
limits = false
legacy_listen_key = false
strict_routing = true
agents = 3
seed = 9

[account.main]
balances = { USDT = 5000.5, BTC = 1 }
api_key_env = "X_KEY"
api_secret_env = "X_SECRET"
position_mode = "hedging"
can_withdraw = true

[account.robot]
public_key = "robot.pem"
products = ["spot"]

[[instrument]]
symbol = "SOLUSDT"
base_asset = "SOL"
price_step = 0.01
quantity_step = 0.001
price = 150

[[instrument]]
symbol = "SOLUSDT"
product = "usdm"
base_asset = "SOL"
price_step = 0.01
quantity_step = 1
price = 150

[fees]
spot = { maker = 0, taker = 0.002 }

[[fault]]
kind = "ack_lost"
endpoint = "POST /api/v3/order"
"""


def load(tmp_path: Path, text: str, **environment: str) -> ExchangeConfig:
    path = tmp_path / "exchange.toml"
    path.write_text(text, "utf-8")
    (tmp_path / "robot.pem").write_text(PEM, "utf-8")
    return load_exchange_config(path, environment)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    config = load(tmp_path, WHOLE, X_KEY="the-key", X_SECRET="the-secret")
    switches = config.exchange
    assert (switches.limits, switches.legacy_listen_key, switches.strict_routing) == (False, False, True)
    main, robot = (account_setup(name, account) for name, account in config.accounts.items())
    assert main.balances == {"USDT": Decimal("5000.5"), "BTC": Decimal(1)}
    assert main.position_mode is PositionMode.HEDGING
    (key,) = main.keys
    assert (key.api_key, key.secret, key.account, key.can_withdraw) == ("the-key", "the-secret", "main", True)
    (key,) = robot.keys
    assert (key.secret, key.public_key, len(key.api_key)) == ("", PEM, 64)
    assert robot.products == ("spot",)
    listings = config.listings()
    solana = listings["SOLUSDT.BINANCE"][0]
    assert (solana.lot_units, solana.quantity_grid.step) == (100_000, Decimal("0.00000001"))
    assert listings["SOLUSDT.BINANCE_USDM"][1] == 150
    assert {"BTCUSDT.BINANCE", "ETHUSDT.BINANCE", "BTCUSDT.BINANCE_USDM", "ETHUSDT.BINANCE_USDM"} < set(listings)
    assert config.fee_schedule(listings["AAPL.NASDAQ"][0]).name == "futu_us"
    assert config.fee_schedule(solana).items[0].tiers[0].taker == Decimal("0.002")
    assert config.fee_schedule(listings["SOLUSDT.BINANCE_USDM"][0]).name == "binance_usdm"
    assert [fault.kind for fault in config.faults] == ["ack_lost"]


def test_without_a_file_there_is_one_account_with_a_random_key() -> None:
    config = ExchangeConfig()
    first, second = (account_setup("main", config.accounts["main"]).keys[0] for _ in range(2))
    assert len(first.api_key) == len(first.secret) == 64
    assert len({first.api_key, first.secret, second.api_key, second.secret}) == 4


INSTRUMENT = '[[instrument]]\nsymbol = "SOLUSDT"\nbase_asset = "SOL"\nprice_step = 0.01\nquantity_step = 1\nprice = 1\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[exchagne]", "unknown table 'exchagne'; did you mean 'exchange'"),
        ("[exchange]\nlimit = true", r"exchange.toml:2: \[exchange\] unknown key 'limit'; did you mean 'limits'"),
        ("[exchange]\nagents = -1", "agents must be a whole number, at least 0.*not -1"),
        ("[exchange]\nlimits = 1", "limits must be true or false, not 1"),
        ('account = { main = "x" }', r"write \[account.NAME\] above 'main'"),
        ('[account."a b"]', "name 'a b' must be 1 to 64 of"),
        ("[account.a]\nbalances = { USDT = 0 }", "balances: USDT = 0 must be above 0"),
        ('[account.a]\napi_secret = "s"', "api_secret is set without api_key; add api_key"),
        ('[account.a]\napi_key = "k"\napi_key_env = "K"', "api_key and api_key_env are both set"),
        ('[account.a]\napi_key_env = "K"', "environment variable K is not set; export it"),
        ('[account.a]\npublic_key = "no.pem"', "'no.pem' is neither a readable PEM file nor its text"),
        ('[account.a]\npublic_key = "robot.pem"\napi_secret = "s"\napi_key = "k"', "public_key and api_secret are both"),
        ('[account.a]\nposition_mode = "both"', 'position_mode must be one of "netting", "hedging", not \'both\''),
        ("[account.a]\nproducts = []", "products must name"),
        ('[account.a]\napi_key = "k"\n[account.b]\napi_key = "k"', "two accounts have the same api_key"),
        ("[instrument]\nx = 1", r"instrument must be a list of tables: write \[\[instrument\]\]"),
        (INSTRUMENT + INSTRUMENT, "SOLUSDT.BINANCE is listed twice"),
        (INSTRUMENT.replace("SOLUSDT", "sol-usdt"), "symbol 'sol-usdt' must be of A-Z and 0-9"),
        (INSTRUMENT.replace("price = 1", "price = 1.005"), "price 1.005 must be a multiple of price_step 0.01"),
        (INSTRUMENT.replace("price_step = 0.01", "price_step = 0"), "price_step 0 must be above 0"),
        (INSTRUMENT.replace("quantity_step = 1", "quantity_step = 1e-9"), "quantity_step 1E-9 must be a multiple of"),
        ("[fees]\nspot = { maker = 2, taker = 0 }", "maker 2 must be a fraction between -1 and 1"),
        ("[fees.spto]\nmaker = 0\ntaker = 0", "unknown key 'spto'; known: spot, usdm"),
        ("[fees.spot]\nmaker = 0\ntaker = 0\ntkaer = 0", "unknown key 'tkaer'; did you mean 'taker'"),
        ('[[fault]]\nkind = "ack_lots"', "exchange.toml: fault 1: kind = 'ack_lots' is not known; did you mean ack_lost"),
        ("[", "not valid TOML"),
    ],
)  # fmt: skip
def test_a_fault_names_key_value_and_fix(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        load(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_no_secret_is_shown(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"api_secret must be text in quotes$"):
        load(tmp_path, "[account.a]\napi_key = 'k'\napi_secret = 12345678")
    config = load(tmp_path, WHOLE, X_KEY="the-key", X_SECRET="the-secret")
    assert "the-" not in repr(config) + repr(account_setup("main", config.accounts["main"]))
    assert "the-" not in repr(msgspec.structs.replace(config.accounts["main"], can_trade=False))


def test_the_example_of_the_documents_is_a_configuration(tmp_path: Path) -> None:
    text = (REPOSITORY / "docs" / "exchange.md").read_text("utf-8")
    example, *_ = re.findall(r"^```toml\n(.*?)^```", text, re.M | re.S)
    config = load(tmp_path, example, EXCHANGE_KEY="k", EXCHANGE_SECRET="s")
    assert (list(config.accounts), len(config.instruments), len(config.faults)) == (["main", "robot"], 1, 1)
