"""What is refused at once, in which words, and that nothing of it reaches the venue."""

from importlib.util import find_spec
from typing import Any

import pytest

from foxtrot.exchange.commands import SetTradingState, TradingState
from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.wire.futu.trade_limits import LIMITS, FrequencyLimit
from foxtrot.exchange.wire.futu.trade_texts import TEXTS, venue_text
from tests.support.futu_trade_rig import BOB, MODIFY, PLACE, REAL, SELL, SIMULATE, TradeRig

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")

SHORT = "Not enough position to sell, and short selling is not allowed"
ROWS: list[tuple[str, dict[str, Any], str]] = [
    ("AAPL", {"secMarket": 1}, "Unknown stock AAPL on market 1"),
    ("TSLA", {}, "Unknown stock TSLA on market 2"),
    ("00700", {"trdSide": 3}, "Trade side 3 is not supported; only Buy and Sell are"),
    ("00700", {"orderType": 6}, "Order type 6 is not supported on market 1"),
    ("00700", {"orderType": 16}, "Order type 16 is not supported on market 1"),
    ("AAPL", {"orderType": 5}, "Order type 5 is not supported on market 2"),
    ("AAPL", {"orderType": 8}, "Order type 8 is not supported on market 2"),
    ("AAPL", {"orderType": 9}, "Order type 9 is not supported on market 2"),
    ("00700", {"timeInForce": 7}, "Time in force 7 is not supported"),
    ("00700", {"timeInForce": 3}, "Expire time '' must be a day to come, as YYYY-MM-DD"),
    ("00700", {"timeInForce": 3, "expireTime": "2026-03-09"}, "Expire time '2026-03-09' must be a day to come, as YYYY-MM-DD"),
    ("AAPL", {"session": 4}, "Session 4 is not supported"),
    ("AAPL", {"orderType": 2, "fillOutsideRTH": True}, "Only limit orders are filled outside regular trading hours, not order type 2"),
    ("00700", {"remark": "一" * 22}, "Remark has 66 bytes; at most 64 in UTF-8 are allowed"),
    ("00700", {"qty": 0}, "Quantity 0.0 must be above 0 and at most 10000000000"),
    ("00700", {"qty": float("nan")}, "Quantity nan must be above 0 and at most 10000000000"),
    ("00700", {"qty": 1e300}, "Quantity 1e+300 must be above 0 and at most 10000000000"),
    ("00700", {"price": 1e15}, "Price 1000000000000000.0 must be above 0 and below 1000000000"),
    ("00700", {"qty": -100}, "Quantity -100.0 must be above 0 and at most 10000000000"),
    ("00700", {"qty": 150}, "Quantity 150 is not a multiple of the lot size 100"),
    ("00700", {"price": 0}, "Price 0.0 must be above 0 and below 1000000000"),
    ("00700", {"price": float("inf")}, "Price inf must be above 0 and below 1000000000"),
    ("00700", {"price": 400.1}, "Price 400.1 does not fit the price spread; the nearest prices are 400 and 400.2"),
    ("00700", {"price": 99.98}, "Price 99.98 does not fit the price spread; the nearest prices are 99.95 and 100"),
    ("AAPL", {"price": 200.005}, "Price 200.005 does not fit the price spread; the nearest prices are 200 and 200.01"),
    ("00700", {"orderType": 10}, "Trigger price 0.0 does not fit the order; give auxPrice on the price spread"),
    ("00700", {"orderType": 11, "auxPrice": 400.1}, "Trigger price 400.1 does not fit the order; give auxPrice on the price spread"),
    ("00700", {"orderType": 14, "trailType": 2}, "Trailing stop needs trailType and a trailValue above 0 and below 1000000000, not 0.0"),
    ("00700", {"qty": 2600}, "购买力不足"),
    ("AAPL", {"qty": 5001}, "购买力不足"),
    ("00700", {"trdSide": SELL}, SHORT),
    ("AAPL", {"trdSide": SELL}, SHORT),
]  # fmt: skip


@pytest.mark.parametrize(("code", "fields", "text"), ROWS)
def test_real_orders_that_are_refused(code: str, fields: dict[str, Any], text: str) -> None:
    rig = TradeRig()
    rig.unlock()
    rig.listen(REAL)
    rig.log.clear()
    assert rig.refused(code=code, **fields) == text
    assert rig.venue.open_orders("alice") == ()
    assert rig.log == [], "a refusal has no push"


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        (
            {"orderType": 10, "auxPrice": 410},
            "Simulated trade supports limit and market orders only, not order type 10",
        ),
        ({"orderType": 5}, "Simulated trade supports limit and market orders only, not order type 5"),
        ({"timeInForce": 1}, "Simulated trade supports DAY orders only, not time in force 1"),
        ({"timeInForce": 2}, "Simulated trade supports DAY orders only, not time in force 2"),
    ],
)
def test_simulate_takes_limit_and_market_orders_for_the_day(fields: dict[str, Any], text: str) -> None:
    rig = TradeRig()
    assert rig.refused(SIMULATE, **fields) == text
    assert rig.place(SIMULATE)
    assert rig.place(SIMULATE, orderType=2, price=0)


def test_a_remark_of_64_bytes_is_taken() -> None:
    rig = TradeRig()
    assert rig.row(rig.place(SIMULATE, remark="x" * 64), SIMULATE).remark == "x" * 64


def test_a_halted_stock_is_refused_and_its_orders_can_be_cancelled() -> None:
    rig = TradeRig()
    rig.unlock()
    order_id = rig.place()
    rig.venue.execute(SetTradingState(rig.now_ns, "00700.SEHK", TradingState.HALTED))
    assert rig.refused() == "00700 does not trade now"
    rig.cancel(order_id)


def test_every_code_of_the_venue_has_words() -> None:
    for code in ResultCode:
        told = venue_text(CommandResult(code, 0, "the venue's reason"), "00700", selling=False)
        assert told
        assert "{" not in told


def test_no_text_is_left_without_use() -> None:
    from pathlib import Path

    import foxtrot.exchange.wire.futu as package

    sources = "".join(path.read_text("utf-8") for path in Path(str(package.__path__[0])).glob("trad*.py"))
    assert [key for key in TEXTS if sources.count(f'"{key}"') < 2] == []


# --- how often --------------------------------------------------------------------------------------------------------

TWICE = {
    PLACE: FrequencyLimit("下单", 2),
    2201: FrequencyLimit("获取订单列表", 1, refreshing=True),
    2005: FrequencyLimit("解锁交易", 1),
}


def test_orders_that_come_too_often_are_refused_in_opends_words() -> None:
    rig = TradeRig(limits=TWICE)
    rig.place(SIMULATE)
    rig.now_ns += 20 * 10**9
    rig.place(SIMULATE)
    assert rig.refused(SIMULATE) == "下单频率太高，请求失败，每30秒最多2次。"
    rig.now_ns += 10 * 10**9 - 1
    assert "频率太高" in rig.refused(SIMULATE)
    rig.now_ns += 1
    rig.place(SIMULATE)
    assert "频率太高" in rig.refused(SIMULATE)


def test_accounts_are_counted_apart_and_connections_together() -> None:
    rig = TradeRig(limits=TWICE)
    for _ in range(2):
        rig.place(SIMULATE)
        rig.place(SIMULATE + 1)
    assert "频率太高" in rig.refusal(PLACE, rig.order(SIMULATE), rig.connect())


def test_a_refused_order_counts_too() -> None:
    rig = TradeRig(limits=TWICE)
    for _ in range(2):
        assert "lot size" in rig.refused(SIMULATE, qty=50)
    assert "频率太高" in rig.refused(SIMULATE)


def test_only_queries_that_refresh_the_cache_are_counted() -> None:
    rig = TradeRig(limits=TWICE)
    c2s = rig.asked(2201, SIMULATE)
    for _ in range(3):
        rig.send(2201, c2s)
    c2s.refreshCache = True
    rig.send(2201, c2s)
    assert rig.refusal(2201, c2s) == "获取订单列表频率太高，请求失败，每30秒最多1次。"


def test_what_names_no_account_is_counted_by_connection() -> None:
    rig = TradeRig(limits=TWICE)
    rig.unlock()
    c2s = rig.new(2005)
    c2s.unlock = False
    assert "频率太高" in rig.refusal(2005, c2s)
    rig.send(2005, c2s, rig.connect())
    rig.trading.closed(rig.client)
    rig.send(2005, c2s)


def test_the_limits_of_a_real_opend_stand_in_one_table() -> None:
    assert {
        proto_id: (limit.most, limit.seconds) for proto_id, limit in LIMITS.items() if proto_id in (PLACE, MODIFY)
    } == {
        PLACE: (15, 30),
        MODIFY: (20, 30),
    }


def test_bob_sells_what_he_owns() -> None:
    rig = TradeRig()
    rig.unlock()
    assert rig.place(BOB, trdSide=SELL)
