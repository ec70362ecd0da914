"""Futu's messages of orders, fills, money and holdings as facts, and approved orders as calls of the SDK."""

from decimal import Decimal

import pytest

from foxtrot.adapter.futu.account_codec import balances_of, code_of_position, money_of, position_data
from foxtrot.adapter.futu.order_codec import OrderCall, order_call
from foxtrot.adapter.futu.report_codec import STATUSES, deal_row, order_data, order_row
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import BadMessage, OrderRefused
from foxtrot.domain.order import ApprovedOrder, OrderData
from foxtrot.exchange.listings import listing
from tests.support import futu_messages as m

HK, US = listing("00700.SEHK"), listing("AAPL.NASDAQ")
pytestmark = pytest.mark.usefixtures("futu_sdk")


def approved(**changes: object) -> ApprovedOrder:
    terms: dict[str, object] = {
        "order_id": "t-1-1", "strategy_id": "s", "account": "ours", "instrument_id": HK.instrument_id, "side": Side.BUY,
        "order_type": OrderType.LIMIT, "quantity_units": 300, "price_units": HK.price_units("400"), "trigger_units": 0,
        "time_in_force": TimeInForce.DAY, "reduce_only": False, "post_only": False, "position_side": PositionSide.NET,
        "trailing_offset_units": 0, "display_units": 0, "expire_time_ns": 0, "created_time_ns": 1, **changes,
    }  # fmt: skip
    return ApprovedOrder(**terms)  # type: ignore[arg-type]


def fact(**fields: object) -> OrderData | None:
    row = order_row(m.order_message(**fields), pushed=True)
    return order_data(row, row.remark, "ours", HK, 5)


def test_an_order_is_told_with_all_its_terms_and_its_times_are_those_of_its_market() -> None:
    told = fact()
    assert told is not None
    assert (told.order_id, told.venue_order_id, told.instrument_id) == ("t-1-1", "FT7", "00700.SEHK")
    assert (told.side, told.order_type, told.quantity, told.price) == (Side.BUY, OrderType.LIMIT, 300.0, 400.0)
    assert (told.status, told.filled_quantity, told.average_price) == (OrderStatus.ACCEPTED, 0.0, 0.0)
    assert told.venue_time_ns == 1_773_108_001_000_000_000
    assert order_row(m.order_message(), pushed=True).created_ns == 1_773_108_000_250_000_000
    stamped = m.order_message(createTimestamp=1_773_108_000.123456)
    assert order_row(stamped, pushed=True).created_ns == 1_773_108_000_123_456_000


@pytest.mark.parametrize(
    ("status", "filled", "told"),
    [
        (1, 0, OrderStatus.ACCEPTED), (2, 0, None), (4, 0, OrderStatus.UNKNOWN), (5, 100, OrderStatus.PARTIALLY_FILLED),
        (10, 100, OrderStatus.PARTIALLY_FILLED), (10, 300, OrderStatus.FILLED), (11, 300, OrderStatus.FILLED),
        (12, 100, OrderStatus.PARTIALLY_FILLED), (13, 0, OrderStatus.ACCEPTED), (14, 100, OrderStatus.CANCELLED),
        (15, 0, OrderStatus.CANCELLED), (21, 0, OrderStatus.REJECTED), (3, 0, OrderStatus.REJECTED),
        (22, 0, OrderStatus.EXPIRED), (23, 0, OrderStatus.CANCELLED),
    ],
)  # fmt: skip
def test_each_status_of_futu_is_one_of_ours(status: int, filled: int, told: OrderStatus | None) -> None:
    found = fact(orderStatus=status, fillQty=float(filled), fillAvgPrice=400.0 if filled else 0.0)
    assert (found.status if found is not None else None) is told


def test_every_status_that_the_sdk_knows_is_in_the_table(futu_sdk: object) -> None:
    words = futu_sdk.OrderStatus().load_dic()  # type: ignore[attr-defined]
    assert set(STATUSES) >= {word for word in words if word != "N/A"}


def test_a_refusal_says_why() -> None:
    told = fact(orderStatus=m.FAILED, lastErrMsg="not enough")
    assert told is not None
    assert (told.rule, told.reason) == ("venue", "not enough")


@pytest.mark.parametrize(
    "fields",
    [
        {"orderType": 77}, {"orderStatus": 77}, {"trdSide": 0}, {"secMarket": 41}, {"fillQty": 301.0, "fillAvgPrice": 1.0},
        {"fillQty": 100.0, "fillAvgPrice": 0.0}, {"qty": float("nan")}, {"orderIDEx": ""}, {"createTime": "soon"},
    ],
)  # fmt: skip
def test_an_order_that_cannot_be_is_a_bad_message(fields: dict[str, object]) -> None:
    with pytest.raises(BadMessage):
        order_row(m.order_message(**fields), pushed=True)


def test_a_fill_is_told_by_its_number_and_one_that_was_taken_back_says_so() -> None:
    row = deal_row(m.deal_message(), pushed=True)
    assert (row.deal_id, row.venue_order_id, row.code, row.quantity, row.price) == ("11", "FT7", "HK.00700", 100, 400)
    assert not row.is_void
    assert deal_row(m.deal_message(status=1), pushed=True).is_void
    with pytest.raises(BadMessage):
        deal_row(m.deal_message(price=0.0), pushed=True)


def test_a_limit_order_is_the_call_that_it_should_be() -> None:
    call = order_call(approved(), HK, real=False)
    assert call == OrderCall("HK.00700", "BUY", "NORMAL", 300.0, 400.0, "DAY", "t-1-1")
    assert call.arguments()["remark"] == "t-1-1"


@pytest.mark.parametrize(
    ("changes", "kind", "time_in_force"),
    [
        ({"time_in_force": TimeInForce.GTC}, "NORMAL", "GTC"),
        ({"time_in_force": TimeInForce.IOC}, "SPECIAL_LIMIT", "DAY"),
        ({"time_in_force": TimeInForce.FOK}, "SPECIAL_LIMIT_ALL", "DAY"),
        ({"order_type": OrderType.MARKET, "price_units": 0, "time_in_force": TimeInForce.GTC}, "MARKET", "DAY"),
        ({"order_type": OrderType.STOP, "price_units": 0, "trigger_units": 410_000}, "STOP", "DAY"),
        ({"order_type": OrderType.TAKE_PROFIT_LIMIT, "trigger_units": 410_000}, "LIMIT_IF_TOUCHED", "DAY"),
    ],
)
def test_types_and_times_in_force_in_hong_kong(changes: dict[str, object], kind: str, time_in_force: str) -> None:
    call = order_call(approved(**changes), HK, real=True)
    assert (call.kind, call.time_in_force) == (kind, time_in_force)


def test_only_us_limit_orders_fill_outside_the_session() -> None:
    units = US.price_units("200")
    limit = approved(instrument_id=US.instrument_id, price_units=units)
    assert order_call(limit, US, real=True, outside_hours=True).arguments()["fill_outside_rth"] is True
    assert "fill_outside_rth" not in order_call(approved(), HK, real=True, outside_hours=True).arguments()


@pytest.mark.parametrize(
    ("changes", "rule", "real"),
    [
        ({"time_in_force": TimeInForce.GTC}, "time_in_force", False),
        ({"order_type": OrderType.STOP, "trigger_units": 1}, "order_type", False),
        ({"order_type": OrderType.TRAILING_STOP}, "order_type", True),
        ({"time_in_force": TimeInForce.GTD}, "time_in_force", True),
        ({"post_only": True}, "post_only", True),
        ({"reduce_only": True}, "reduce_only", True),
        ({"position_side": PositionSide.LONG}, "position_side", True),
        ({"display_units": 100}, "iceberg", True),
        ({"order_id": "ü" * 33}, "order_id", True),
        ({"price_units": 0}, "price", True),
        ({"order_type": OrderType.STOP}, "trigger_price", True),
    ],
)
def test_what_futu_cannot_express_is_refused(changes: dict[str, object], rule: str, real: bool) -> None:
    with pytest.raises(OrderRefused) as refused:
        order_call(approved(**changes), HK, real=real)
    assert refused.value.rule == rule


def test_a_paper_account_says_how_a_lasting_order_is_given() -> None:
    with pytest.raises(OrderRefused, match=r"gtc is against the limit day.*TimeInForce\.DAY"):
        order_call(approved(time_in_force=TimeInForce.GTC), HK, real=False)


def test_money_is_told_by_currency_and_what_is_not_free_is_locked() -> None:
    found = money_of(m.funds_message((1, 1000.5, 800.25), (2, 50.0, 50.0), (77, 1.0, 1.0)), "HKD")
    assert found == {"HKD": (Decimal("1000.5"), Decimal("200.25")), "USD": (Decimal("50.0"), Decimal(0))}
    alone = money_of(m.funds_message(cash=70.0, frozenCash=20.0), "USD")
    assert alone == {"USD": (Decimal("70.0"), Decimal("20.0"))}
    assert money_of(m.funds_message((1, -5.0, 0.0)), "HKD") == {"HKD": (Decimal("-5.0"), Decimal(0))}
    rows = balances_of([found, alone], "ours", 9)
    assert [(row.asset, row.total, row.free, row.locked) for row in rows] == [
        ("HKD", Decimal("1000.5"), Decimal("800.25"), Decimal("200.25")),
        ("USD", Decimal("120.0"), Decimal("100.0"), Decimal("20.0")),
    ]


def test_a_holding_has_its_sign_and_its_average_price() -> None:
    long = position_data(m.position_message(averageCostPrice=400.5, costPrice=1.0), "ours", "00700.SEHK", 9)
    assert (long.quantity, long.average_price, long.unrealised_profit) == (300.0, 400.5, Decimal("300.0"))
    short = position_data(m.position_message(positionSide=1, dilutedCostPrice=2.5), "ours", "00700.SEHK", 9)
    assert (short.quantity, short.average_price) == (-300.0, 2.5)
    assert position_data(m.position_message(), "ours", "00700.SEHK", 9).average_price == 0.0
    assert code_of_position(m.position_message()) == "HK.00700"
