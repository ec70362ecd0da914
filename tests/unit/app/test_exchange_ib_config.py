"""The configuration of an exchange that serves TWS's protocol: its table, its listings, and what accounts begin with."""

from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app.exchange_config import ExchangeConfig, account_setup, load_exchange_config
from foxtrot.app.exchange_opening import VenueOpening
from foxtrot.app.exchange_tables import ExchangeAccount, ExchangeTable, IbTable
from foxtrot.core.clock import ManualClock
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import ServerPorts, ServerSettings

START_NS = 1_795_826_000_000_000_000  # 2026-11-28


def test_every_key_of_the_table_is_read(tmp_path: Path) -> None:
    path = tmp_path / "exchange.toml"
    path.write_text(
        "[ib]\nalways_open = false\nlimits = false\nnewest_version = 178\nread_only = true\nhas_quotes = false\nfees = 'tiered'\n"
        "refuses_old_attributes = false\ndepth_lines = 30\ndelay_s = 60\n"
    )
    told = load_exchange_config(path, {}).ib
    assert told == IbTable(
        always_open=False, limits=False, newest_version=178, read_only=True, has_quotes=False, fees="tiered",
        refuses_old_attributes=False, depth_lines=30, delay_s=60,
    )  # fmt: skip
    assert ExchangeConfig().ib == IbTable()


@pytest.mark.parametrize(
    ("line", "message"),
    [("newest_version = 170", "newest_version"), ("fees = 'free'", "fees"), ("always = true", "always")],
)
def test_a_value_that_is_wrong_is_named(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "exchange.toml"
    path.write_text(f"[ib]\n{line}\n")
    with pytest.raises(ConfigError, match=message):
        load_exchange_config(path, {})


def test_an_account_whose_balances_nobody_told_has_dollars_euros_and_hong_kong_dollars() -> None:
    setup = account_setup("main", ExchangeAccount(), ("ib",))
    assert {asset: setup.balances[asset] for asset in ("USD", "EUR", "HKD")} == dict.fromkeys(
        ("USD", "EUR", "HKD"), Decimal(1_000_000)
    )
    assert "EUR" not in account_setup("main", ExchangeAccount(), ("futu",)).balances
    assert "EUR" not in ExchangeAccount().balances


def opened(**ports: int) -> ExchangeServer:
    server = ExchangeServer(ServerSettings(ports=ServerPorts(**ports), instruments=()), ManualClock(START_NS))
    VenueOpening(server, ExchangeConfig(exchange=ExchangeTable(agents=0))).open(
        (account_setup("main", ExchangeAccount(), tuple(ports)),), None, None
    )
    return server


def test_with_ib_shares_currencies_the_front_two_futures_and_options_are_listed_at_ib_s_fees() -> None:
    host = opened(ib=0).host
    names = [one.instrument_id for one in host.venue.instruments()]
    assert {"AAPL.NASDAQ", "00700.SEHK", "EURUSD.IDEALPRO", "ESZ6.CME", "ESH7.CME", "AAPL261218C00200000.OPRA"} <= set(
        names
    )
    assert not any("BINANCE" in name for name in names)
    fees = {name: host.venue.fees(name, "main-ib").name for name in names}
    assert fees["AAPL.NASDAQ"] == "ib_us_fixed"
    assert fees["00700.SEHK"] == "ib_hk_fixed"
    assert fees["EURUSD.IDEALPRO"] == "ib_forex"
    assert fees["ESZ6.CME"] == "ib_us_futures"
    assert fees["AAPL261218C00200000.OPRA"] == "ib_us_options"


def test_ib_s_and_futu_s_clients_trade_the_same_share_at_fees_of_their_own() -> None:
    host = opened(ib=0, futu=0).host
    assert host.venue.fees("AAPL.NASDAQ", "main").name == "futu_us"
    assert host.venue.fees("AAPL.NASDAQ", "main-ib").name == "ib_us_fixed"
    assert host.venue.balances("main-ib")["USD"] == host.venue.balances("main")["USD"]


def test_without_ib_nothing_of_it_is_listed() -> None:
    names = [one.instrument_id for one in opened(futu=0).host.venue.instruments()]
    assert names == ["00700.SEHK", "AAPL.NASDAQ"]
