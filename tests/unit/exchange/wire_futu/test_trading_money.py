"""Funds, positions and what more could be traded, against the venue's own books."""

from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest

from tests.support.futu_trade_rig import BOB, HK, REAL, SELL, US, TradeRig

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")


@pytest.fixture
def rig() -> TradeRig:
    one = TradeRig(fees=True)
    one.unlock()
    return one


def funds(rig: TradeRig, currency: int = 0, market: int = HK, acc_id: int = REAL) -> Any:
    c2s = rig.asked(2101, acc_id, market)
    if currency:
        c2s.currency = currency
    return rig.send(2101, c2s).funds


def test_each_currency_is_told_by_itself_as_the_venue_has_it(rig: TradeRig) -> None:
    rig.place(BOB, trdSide=SELL)
    rig.place()
    rig.place(price=390)
    rig.place(code="AAPL")
    told = {row.currency: row for row in funds(rig).cashInfoList}
    balances = rig.venue.balances("alice")
    for currency, asset in ((1, "HKD"), (2, "USD")):
        total, locked = balances[asset]
        assert (told[currency].cash, told[currency].availableBalance) == (float(total), float(total - locked))
    assert told[1].cash < 960_000
    assert told[2].availableBalance < 998_000


def test_sums_are_in_the_currency_asked_for(rig: TradeRig) -> None:
    hkd, usd = funds(rig, 1), funds(rig, 2)
    assert (hkd.currency, hkd.cash, hkd.power) == (1, 8_800_000, 1_000_000)
    assert usd.currency == 2
    assert usd.cash == pytest.approx(8_800_000 / 7.8)
    assert usd.power == 1_000_000
    assert funds(rig, market=US).currency == 2, "without a currency it is the market's"
    assert funds(rig, 1).HasField("securitiesAssets")


def test_stocks_count_at_their_last_price(rig: TradeRig) -> None:
    rig.place(BOB, trdSide=SELL)
    rig.place()
    told = funds(rig, 1)
    assert (told.marketVal, told.longMv, told.shortMv) == (40_000, 40_000, 0)
    assert told.totalAssets == told.cash + 40_000
    assert [(row.trdMarket, row.assets) for row in told.marketInfoList] == [
        (1, float(rig.venue.balances("alice")["HKD"][0]) + 40_000),
        (2, 1_000_000),
    ]


def positions(rig: TradeRig, acc_id: int = REAL, **fields: Any) -> list[Any]:
    c2s = rig.asked(2102, acc_id)
    for name, value in fields.items():
        target = c2s if name.startswith("filterPL") else c2s.filterConditions
        if isinstance(value, list):
            getattr(target, name).extend(value)
        else:
            setattr(target, name, value)
    return list(rig.send(2102, c2s).positionList)


def test_a_position_is_what_the_venue_holds_less_what_is_for_sale(rig: TradeRig) -> None:
    rig.place(BOB, trdSide=SELL, qty=300)
    rig.place(qty=300)
    rig.place(trdSide=SELL, price=420)
    (row,) = positions(rig)
    assert (row.code, row.qty, row.canSellQty, row.positionSide) == ("00700", 300, 200, 0)
    assert (row.costPrice, row.averageCostPrice, row.price, row.val) == (400, 400, 400, 120_000)
    assert (row.currency, row.secMarket, row.trdMarket, row.plVal) == (1, 1, 1, 0)
    rig.place(BOB, price=410)
    rig.place(trdSide=SELL, price=410)
    (row,) = positions(rig)
    assert (row.qty, row.price, row.plVal, row.realizedPL) == (200, 410, 2_000, 1_000)
    assert row.plRatio == pytest.approx(0.025)


def test_a_position_tells_what_was_traded_of_it_today(rig: TradeRig) -> None:
    rig.place(BOB, trdSide=SELL, qty=300)
    rig.place(qty=300)
    rig.go_to(rig.now_ns + 20 * 3600 * 10**9)
    rig.place(BOB, price=410, qty=200)
    rig.place(trdSide=SELL, price=410)
    (row,) = positions(rig)
    told = (row.td_buyQty, row.td_buyVal, row.td_sellQty, row.td_sellVal, row.td_trdVal)
    assert told == (300, 120_000, 100, 41_000, 161_000)
    rig.go_to(rig.now_ns + 5 * 3600 * 10**9)
    (row,) = positions(rig)
    assert (row.td_buyQty, row.td_sellQty, row.td_trdVal) == (0, 100, 41_000)


def test_positions_are_filtered(rig: TradeRig) -> None:
    for code in ("00700", "AAPL"):
        rig.place(BOB, code, trdSide=SELL)
        rig.place(code=code)
    first, second = positions(rig)
    assert [row.code for row in positions(rig, codeList=["AAPL"])] == ["AAPL"]
    assert [row.code for row in positions(rig, filterMarket=1)] == ["00700"]
    assert [row.code for row in positions(rig, idList=[second.positionID])] == ["AAPL"]
    assert first.positionID != second.positionID
    rig.place(BOB, trdSide=SELL, price=420)
    rig.place(price=420)
    assert [row.code for row in positions(rig, filterPLRatioMin=0.02)] == ["00700"]
    assert [row.code for row in positions(rig, filterPLRatioMax=0.02)] == ["AAPL"]


def test_a_short_position_is_told_as_one() -> None:
    rig = TradeRig(allow_short=True)
    rig.unlock()
    rig.place(BOB)
    rig.place(trdSide=SELL)
    (row,) = positions(rig)
    assert (row.positionSide, row.qty, row.val) == (1, 100, -40_000)
    assert funds(rig, 1).shortMv == -40_000


def test_a_position_that_was_closed_is_gone(rig: TradeRig) -> None:
    rig.place(BOB, trdSide=SELL)
    rig.place()
    rig.place(BOB)
    rig.place(trdSide=SELL)
    assert positions(rig) == []


def most(rig: TradeRig, price: float = 400, acc_id: int = REAL, **fields: Any) -> Any:
    c2s = rig.asked(2111, acc_id)
    c2s.orderType, c2s.code, c2s.price, c2s.secMarket = 1, "00700", price, 1
    for name, value in fields.items():
        setattr(c2s, name, value)
    return rig.send(2111, c2s).maxTrdQtys


def test_the_most_that_can_be_bought_is_taken_and_a_lot_more_is_not(rig: TradeRig) -> None:
    told = most(rig)
    assert told.maxCashBuy == told.maxCashAndMarginBuy == 2400
    assert "购买力不足" in rig.refused(qty=2500)
    rig.place(qty=2400)
    assert most(rig).maxCashBuy == 0


def test_the_most_that_can_be_sold_is_what_is_free_in_whole_lots(rig: TradeRig) -> None:
    rig.place(BOB, trdSide=SELL, qty=300)
    assert most(rig, acc_id=BOB).maxPositionSell == 999_700
    assert most(rig).maxPositionSell == 0
    assert most(rig).maxSellShort == 0


def test_an_order_that_is_to_be_modified_frees_what_it_holds(rig: TradeRig) -> None:
    order_id = rig.place(qty=1000)
    assert most(rig).maxCashBuy == 1400
    assert most(rig, orderIDEx=order_id).maxCashBuy == 2400
    assert rig.venue.balances("alice")["HKD"][1] > Decimal(400_000)


def test_a_market_order_is_judged_at_the_last_price(rig: TradeRig) -> None:
    assert most(rig, price=0, orderType=2).maxCashBuy == 0
    rig.place(BOB, trdSide=SELL)
    rig.place()
    assert most(rig, price=0, orderType=2).maxCashBuy == 2300
