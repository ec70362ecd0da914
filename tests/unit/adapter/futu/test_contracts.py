"""Instruments from static information: lots of Futu's, price steps of the market's own tables, and which are left out."""

from datetime import date
from typing import Any

import pytest

from foxtrot.adapter.futu.contracts import code_of_instrument, instruments_of
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.listings import listing
from tests.support.futu_frames import message

pytestmark = pytest.mark.usefixtures("futu_sdk")
DAY = date(2026, 3, 10)


def listed(prefix: str, *rows: dict[str, Any]) -> tuple[Instrument, ...]:
    s2c = message("Qot_GetStaticInfo").s2c
    for row in rows:
        basic = s2c.staticInfoList.add().basic
        basic.security.market, basic.security.code = row.pop("market", 1 if prefix == "HK" else 11), row.pop("code")
        known = {"id": 1, "lotSize": 100, "secType": 3, "name": "a name", "listTime": "2004-06-16"}
        for name, value in (known | row).items():
            setattr(basic, name, value)
    return instruments_of(prefix, s2c.staticInfoList, DAY)


def test_a_hong_kong_stock_has_futus_lot_and_the_exchanges_price_steps() -> None:
    (stock,) = listed("HK", {"code": "00700", "name": "TENCENT", "exchType": 1})
    assert (stock.instrument_id, stock.lot_units, stock.min_quantity_units, stock.name) == (
        "00700.SEHK",
        100,
        100,
        "TENCENT",
    )
    assert (stock.quote_asset, stock.calendar, stock.product) == ("HKD", "XHKG", Product.STOCK)
    assert stock.price_units("400.2") == 400_200
    with pytest.raises(OffGrid):
        stock.price_units("400.1")
    assert stock.price_units("19.99") == 19_990, "the table since August 2025"


def test_a_counter_in_renminbi_is_not_taken_for_one_in_hong_kong_dollars() -> None:
    rows = [{"code": code, "exchType": 1} for code in ("80700", "08888", "00700")]
    assert [one.symbol for one in listed("HK", *rows)] == ["08888", "00700"]


def test_a_stock_of_the_united_states_is_named_by_its_exchange() -> None:
    rows = [
        {"code": code, "lotSize": 1, "exchType": place}
        for code, place in (("AAPL", 5), ("IBM", 4), ("SPY", 7), ("X", 0))
    ]
    assert [one.instrument_id for one in listed("US", *rows)] == ["AAPL.NASDAQ", "IBM.NYSE", "SPY.AMEX", "X.NASDAQ"]


def test_the_exchange_and_futu_count_apple_in_the_same_units() -> None:
    (apple,) = listed("US", {"code": "AAPL", "lotSize": 1, "exchType": 5})
    theirs = listing("AAPL.NASDAQ")
    assert (apple.price_grid, apple.quantity_grid, apple.price_bands) == (
        theirs.price_grid, theirs.quantity_grid, theirs.price_bands
    )  # fmt: skip


def test_what_cannot_be_traded_here_is_left_out() -> None:
    found = listed(
        "HK", {"code": "00700"}, {"code": "00001", "delisting": True}, {"code": "02800", "secType": 4},
        {"code": "AAPL", "market": 11}, {"code": "00002", "lotSize": 0},
    )  # fmt: skip
    assert [one.symbol for one in found] == ["00700"]
    assert [one.symbol for one in listed("US", {"code": "SPY", "secType": 4})] == ["SPY"]


def test_codes_of_instruments() -> None:
    assert code_of_instrument(listing("00700.SEHK")) == "HK.00700"
    assert code_of_instrument(listing("AAPL.NASDAQ")) == "US.AAPL"
    with pytest.raises(ConfigError, match=r"BTCUSDT.BINANCE is of no market of Futu's; there are HK, US"):
        code_of_instrument(listing("BTCUSDT.BINANCE"))
