"""The [futu] table of an exchange's configuration, and what accounts have where stocks are served."""

from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app.exchange_config import ExchangeConfig, account_setup, load_exchange_config
from foxtrot.app.exchange_tables import ExchangeAccount
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import ServerPorts, ServerSettings
from foxtrot.exchange.wire.futu import message_types
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_keys import rsa_pem


def load(folder: Path, text: str, **environment: str) -> ExchangeConfig:
    """Read a configuration."""
    path = folder / "exchange.toml"
    path.write_text(text, "utf-8")
    return load_exchange_config(path, environment)


def test_password_and_key_are_taken_in_and_never_shown(tmp_path: Path) -> None:
    (tmp_path / "futu.key").write_text(rsa_pem())
    text = '[futu]\nalways_open = false\nlimits = false\ntrade_password_env = "PW"\nrsa_key = "futu.key"\n'
    table = load(tmp_path, text, PW="sesame").futu
    assert (table.always_open, table.limits, table.trade_password, table.rsa_key) == (False, False, "sesame", rsa_pem())
    assert "sesame" not in repr(table)
    assert "PRIVATE" not in repr(table)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[futu]\nrsa_key = "none.key"\n', "rsa_key 'none.key' is neither a readable PEM file nor its text"),
        ('[futu]\ntrade_password_env = "NOT_THERE"\n', "NOT_THERE"),
        ('[futu]\ntrade_password = "a"\ntrade_password_env = "B"\n', "both set; keep one of them"),
        ("[futu]\nalways_opn = true\n", "always_opn"),
        ('[fees.futu]\nmaker = 0.1\ntaker = 0.1\n', "unknown key 'futu'; known: spot, usdm"),
        ('[account.main]\nproducts = ["hk"]\n', "products"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_money_of_stock_markets_comes_by_default_only(tmp_path: Path) -> None:
    default = account_setup("main", ExchangeAccount(), ("futu",))
    assert (default.balances["HKD"], default.balances["USD"], default.balances["BTC"]) == (1_000_000, 1_000_000, 10)
    assert "HKD" not in account_setup("main", ExchangeAccount()).balances
    told = load(tmp_path, "[account.main]\nbalances = { USDT = 5 }\n").accounts["main"]
    assert account_setup("main", told, ("futu",)).balances == {"USDT": Decimal(5)}


def test_a_key_of_the_wrong_size_is_refused_before_anything_listens() -> None:
    pytest.importorskip("google.protobuf")
    with pytest.raises(ConfigError, match="has 2048 bits"):
        ExchangeServer(ServerSettings(ports=ServerPorts(futu=0), futu=FutuSettings(rsa_key=rsa_pem(2048))))


def test_without_the_sdk_the_server_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    message_types.messages.cache_clear()
    monkeypatch.setattr(message_types, "find_spec", lambda _: None)
    try:
        with pytest.raises(ConfigError, match=r"pip install 'foxtrot\[futu\]'"):
            ExchangeServer(ServerSettings(ports=ServerPorts(futu=0)))
    finally:
        message_types.messages.cache_clear()


STOCKS = """
[[stock]]
symbol = "00005"
venue = "SEHK"
lot = 400
price = 100
name = "HSBC HOLDINGS"
[[stock]]
symbol = "BRK.B"
venue = "NASDAQ"
price = 480.25
"""


def test_more_stocks_have_the_steps_of_their_venue(tmp_path: Path) -> None:
    listings = load(tmp_path, STOCKS).listings()
    bank, price = listings["00005.SEHK"]
    assert (bank.lot_units, price, bank.calendar, bank.settle_asset) == (400, 100, "XHKG", "HKD")
    assert bank.step_units(bank.price_units(Decimal("49.98"))) < bank.step_units(bank.price_units(Decimal(100)))
    assert listings["BRK.B.NASDAQ"][0].symbol == "BRK.B"
    assert "00700.SEHK" in listings


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('symbol = "5"\nvenue = "SEHK"\nprice = 100', "five digits"),
        ('symbol = "aapl"\nvenue = "NASDAQ"\nprice = 100', "must be of A-Z"),
        ('symbol = "60051"\nvenue = "SSE"\nprice = 100\nlot = 100', "six digits"),
        ('symbol = "600519"\nvenue = "SSE"\nprice = 100', "lot 1 must be 100"),
        ('symbol = "00005"\nvenue = "NYSE"\nprice = 100', "NYSE"),
        ('symbol = "00005"\nvenue = "SEHK"\nprice = 100.01', "100.01"),
        ('symbol = "00005"\nvenue = "SEHK"\nprice = 0', "above 0"),
        ('symbol = "00005"\nvenue = "SEHK"\nprice = 100\nlot = 0', "lot"),
    ],
)
def test_a_stock_that_cannot_be_is_refused(tmp_path: Path, line: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, f"[[stock]]\n{line}\n")
    assert said in str(refused.value)


def test_shares_of_the_mainland_are_listed_when_asked_in_lots_of_a_hundred_and_cost_no_fees(tmp_path: Path) -> None:
    text = '[[stock]]\nsymbol = "{}"\nvenue = "{}"\nprice = 1500.01\nlot = 100\n'
    config = load(tmp_path, text.format("600519", "SSE") + text.format("000001", "SZSE"))
    for name in ("600519.SSE", "000001.SZSE"):
        share, _ = config.listings()[name]
        assert (share.lot_units, share.calendar, share.settle_asset) == (100, "XSHG", "CNH")
        assert config.fee_schedule(share) == FeeSchedule.zero()


def test_a_stock_is_listed_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"00005.SEHK is listed twice; remove one \[\[stock\]\]"):
        load(tmp_path, STOCKS + STOCKS)
