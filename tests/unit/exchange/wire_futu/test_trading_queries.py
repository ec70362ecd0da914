"""Lists of orders and fills with their filters, and what orders cost."""

from collections.abc import Sequence
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest

from tests.support.futu_trade_rig import BOB, HONG_KONG, REAL, SELL, SIMULATE, TradeRig, local

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")

HOUR_NS = 3600 * 10**9


@pytest.fixture
def rig() -> TradeRig:
    one = TradeRig(fees=True)
    one.unlock()
    return one


def listed(
    rig: TradeRig, proto_id: int = 2201, statuses: Sequence[int] = (), acc_id: int = REAL, **fields: Any
) -> list[str]:
    c2s = rig.asked(proto_id, acc_id)
    for name, value in fields.items():
        if isinstance(value, list):
            getattr(c2s.filterConditions, name).extend(value)
        else:
            setattr(c2s.filterConditions, name, value)
    if proto_id in (2221, 2222):
        c2s.filterConditions.beginTime = fields.get("beginTime", "2026-01-01 00:00:00")
        c2s.filterConditions.endTime = fields.get("endTime", "2026-12-31 00:00:00")
    if statuses:
        c2s.filterStatusList.extend(statuses)
    s2c = rig.send(proto_id, c2s)
    rows = s2c.orderList if proto_id in (2201, 2221) else s2c.orderFillList
    return [row.orderIDEx for row in rows]


def test_the_list_of_orders_passes_what_all_filters_let_pass(rig: TradeRig) -> None:
    tencent, apple = rig.place(), rig.place(code="AAPL")
    rig.now_ns += HOUR_NS
    gone = rig.place(price=390)
    rig.cancel(gone)
    assert listed(rig) == [tencent, apple, gone]
    assert listed(rig, codeList=["00700"]) == [tencent, gone]
    assert listed(rig, filterMarket=2) == [apple]
    assert listed(rig, filterMarket=0, orderIDExList=[gone, apple]) == [apple, gone]
    assert listed(rig, idList=[rig.row(apple).orderID]) == [apple]
    assert listed(rig, statuses=[15]) == [gone]
    assert listed(rig, statuses=[5], codeList=["00700"]) == [tencent]
    assert listed(rig, beginTime="2026-03-10 10:30:00") == [gone], "Apple's order is of 22:00 the evening before there"
    assert listed(rig, endTime="2026-03-10 10:30:00") == [tencent, apple]
    assert listed(rig, acc_id=BOB) == []
    assert "beginTime" in rig.refusal(2201, _asked_with(rig, beginTime="yesterday"))


def _asked_with(rig: TradeRig, **fields: str) -> Any:
    c2s = rig.asked(2201)
    rig.place()
    for name, value in fields.items():
        setattr(c2s.filterConditions, name, value)
    return c2s


def test_old_orders_leave_the_list_and_stay_in_the_history(rig: TradeRig) -> None:
    still, gone = rig.place(timeInForce=1), rig.place(price=390)
    rig.cancel(gone)
    assert listed(rig, 2221) == [gone], "an open order has no history yet"
    rig.go_to(rig.now_ns + 30 * HOUR_NS)
    assert listed(rig) == [still]
    assert listed(rig, 2221) == [gone]
    assert listed(rig, 2221, statuses=[11]) == []
    assert listed(rig, 2221, beginTime="2026-03-10 10:00:01") == []
    assert listed(rig, 2221, endTime="2026-03-10 10:00:00") == [gone]
    c2s = rig.asked(2221)
    c2s.filterConditions.beginTime = "2026-03-10 10:00:00"
    assert rig.refusal(2221, c2s) == "beginTime and endTime must be YYYY-MM-DD HH:MM:SS"


def test_fills_are_listed_for_real_accounts_only(rig: TradeRig) -> None:
    rig.place(BOB, trdSide=SELL, qty=300)
    first = rig.place(qty=100)
    rig.place(SIMULATE, qty=100)
    assert listed(rig, 2211) == [first]
    assert len(listed(rig, 2211, acc_id=BOB)) == 2
    assert listed(rig, 2211, codeList=["AAPL"]) == []
    for proto_id in (2211, 2222):
        asked = rig.asked(proto_id, SIMULATE)
        asked.filterConditions.beginTime = asked.filterConditions.endTime = "2026-03-10 10:00:00"
        assert rig.refusal(proto_id, asked) == "Simulated trade does not support deal list"
    rig.now_ns += 30 * HOUR_NS
    assert listed(rig, 2211) == []
    assert listed(rig, 2222) == [first]


def test_a_fill_says_which_order_it_is_of_and_when(rig: TradeRig) -> None:
    rig.listen(REAL)
    rig.place(BOB, trdSide=SELL)
    order_id = rig.place()
    (row,) = rig.send(2211, rig.asked(2211)).orderFillList
    (pushed,) = rig.told(2218)
    assert row == pushed.orderFill, "one fill is the same in the push and in the list"
    assert (row.orderIDEx, row.orderID, row.code, row.qty, row.price, row.trdSide) == (
        order_id, rig.row(order_id).orderID, "00700", 100, 400, 1,
    )  # fmt: skip
    assert (row.secMarket, row.trdMarket, row.status, row.createTime) == (1, 1, 0, "2026-03-10 10:00:00.000")


def test_the_fees_of_an_order_are_what_was_charged_to_the_cent(rig: TradeRig) -> None:
    before = rig.venue.balances("alice")["HKD"][0]
    order_id = rig.place(qty=300)
    for qty in (100, 200):
        rig.place(BOB, trdSide=SELL, qty=qty)
    c2s = rig.asked(2225)
    c2s.orderIdExList.append(order_id)
    (row,) = rig.send(2225, c2s).orderFeeList
    paid = before - rig.venue.balances("alice")["HKD"][0] - 120_000
    assert Decimal(str(row.feeAmount)) == paid
    items = {item.title: item.value for item in row.feeList}
    assert items == {
        "Commission": 36.0, "Platform Fee": 15.0, "Settlement Fee": 5.04, "Stamp Duty": 120.0, "Trading Fee": 6.78,
        "SFC Transaction Levy": 3.24, "AFRC Transaction Levy": 0.18,
    }  # fmt: skip
    assert row.feeAmount == pytest.approx(sum(items.values()))


def test_us_sales_pay_the_regulators(rig: TradeRig) -> None:
    order_id = rig.place(BOB, "AAPL", trdSide=SELL, qty=100)
    rig.place(code="AAPL", qty=100)
    c2s = rig.asked(2225, BOB)
    c2s.orderIdExList.append(order_id)
    (row,) = rig.send(2225, c2s).orderFeeList
    items = {item.title: item.value for item in row.feeList}
    assert items == {
        "Commission": 0.99, "Platform Fee": 1.0, "Settlement Fee": 0.3, "SEC Fee": 0.56, "Trading Activity Fee": 0.02,
    }  # fmt: skip
    assert row.feeAmount == pytest.approx(2.87)


def test_fees_of_unknown_orders_and_of_simulate_are_refused(rig: TradeRig) -> None:
    c2s = rig.asked(2225)
    c2s.orderIdExList.append("FT0000000099")
    assert rig.refusal(2225, c2s) == "Order FT0000000099 does not exist"
    assert rig.refusal(2225, rig.asked(2225, SIMULATE)) == "Simulated trade is not supported"
    order_id = rig.place()
    c2s = rig.asked(2225)
    c2s.orderIdExList.append(order_id)
    (row,) = rig.send(2225, c2s).orderFeeList
    assert (row.feeAmount, len(row.feeList)) == (0, 0)


def test_times_are_the_markets_own(rig: TradeRig) -> None:
    assert rig.now_ns == local(HONG_KONG, "2026-03-10 10:00:00")
    rig.now_ns += 123_000_000
    assert rig.row(rig.place()).createTime == "2026-03-10 10:00:00.123"
