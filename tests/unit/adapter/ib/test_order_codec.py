"""Approved orders in IB's words, and what is refused before it leaves; the errors that end an order, and those that do not."""

from decimal import Decimal
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.ib.errors import IbError
from foxtrot.adapter.ib.figures import amount, figure, whole
from foxtrot.adapter.ib.order_codec import KINDS, TIMES, good_till, order_terms, write_order
from foxtrot.adapter.ib.order_errors import REFUSALS, outcome_of
from foxtrot.adapter.ib.report_codec import commission_row, fill_row, order_row, status_row, time_ns, zone_named
from foxtrot.domain.enums import OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import BadMessage, OrderRefused
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.order import ApprovedOrder
from foxtrot.domain.outcome import Outcome

EURUSD = Instrument(
    instrument_id="EURUSD.IDEALPRO", symbol="EURUSD", venue="IDEALPRO", product=Product.FOREX, base_asset="EUR",
    quote_asset="USD", settle_asset="USD", price_grid=Grid.of("0.00005"), quantity_grid=Grid.of("1"), calendar="FX",
)  # fmt: skip
AAPL = msgspec.structs.replace(
    EURUSD, instrument_id="AAPL.NASDAQ", symbol="AAPL", venue="NASDAQ", product=Product.STOCK, base_asset="AAPL",
    price_grid=Grid.of("0.01"), calendar="XNYS",
)  # fmt: skip
DOUBLE_MAX = 1.7976931348623157e308
LIMIT = ApprovedOrder(
    "F-1-7", "s", "ours", "AAPL.NASDAQ", Side.BUY, OrderType.LIMIT, 100, 18_950, 0, TimeInForce.GTC, False, False,
    PositionSide.NET, 0, 0, 0, 0,
)  # fmt: skip
ENDS_NS = 1_795_876_205_900_000_000  # 2026-11-28 14:30:05.9 UTC


def changed(**terms: Any) -> ApprovedOrder:
    return msgspec.structs.replace(LIMIT, **terms)


# --- out ------------------------------------------------------------------------------------------------------------

KIND_TERMS: dict[OrderType, tuple[dict[str, Any], tuple[str, str, str, str]]] = {
    OrderType.LIMIT: ({}, ("LMT", "189.50", "None", "None")),
    OrderType.MARKET: ({"price_units": 0}, ("MKT", "None", "None", "None")),
    OrderType.STOP: ({"price_units": 0, "trigger_units": 19_000}, ("STP", "None", "190.00", "None")),
    OrderType.STOP_LIMIT: ({"trigger_units": 19_000}, ("STP LMT", "189.50", "190.00", "None")),
    OrderType.TAKE_PROFIT: ({"price_units": 0, "trigger_units": 18_000}, ("MIT", "None", "180.00", "None")),
    OrderType.TAKE_PROFIT_LIMIT: ({"trigger_units": 18_000}, ("LIT", "189.50", "180.00", "None")),
    OrderType.TRAILING_STOP: (
        {"price_units": 0, "trailing_offset_units": 150, "trigger_units": 18_800},
        ("TRAIL", "None", "1.50", "188.00"),
    ),
}


@pytest.mark.parametrize("kind", list(OrderType))
def test_each_type_has_its_word_and_its_prices(kind: OrderType) -> None:
    changes, told = KIND_TERMS[kind]
    terms = order_terms(changed(order_type=kind, **changes), AAPL, "DU1")
    assert (terms.kind, str(terms.limit), str(terms.trigger), str(terms.first_stop)) == told
    assert (terms.action, terms.quantity, terms.ref, terms.account) == ("BUY", Decimal(100), "F-1-7", "DU1")


@pytest.mark.parametrize("time_in_force", list(TimeInForce))
def test_each_time_in_force_has_its_word(time_in_force: TimeInForce) -> None:
    terms = order_terms(changed(time_in_force=time_in_force, expire_time_ns=ENDS_NS), AAPL, "DU1")
    assert terms.tif == time_in_force.name == TIMES[time_in_force]
    assert terms.good_till == ("20261128 14:30:05 UTC" if time_in_force is TimeInForce.GTD else "")


def test_the_end_of_an_order_is_never_later_than_asked() -> None:
    assert good_till(ENDS_NS) == "20261128 14:30:05 UTC"


@pytest.mark.parametrize(
    ("rule", "changes"),
    [
        ("order_id", {"order_id": ""}),
        ("order_id", {"order_id": "x" * 41}),
        ("order_id", {"order_id": "Größe"}),
        ("order_id", {"order_id": "a\0b"}),
        ("time_in_force", {"order_type": OrderType.MARKET, "time_in_force": TimeInForce.FOK}),
        ("time_in_force", {"order_type": OrderType.STOP_LIMIT, "trigger_units": 1, "time_in_force": TimeInForce.FOK}),
        ("quantity", {"quantity_units": 0}),
        ("price", {"price_units": 0}),
        ("trigger_price", {"order_type": OrderType.STOP}),
        ("trailing_offset", {"order_type": OrderType.TRAILING_STOP}),
        ("expire_time", {"time_in_force": TimeInForce.GTD}),
        ("post_only", {"post_only": True}),
        ("reduce_only", {"reduce_only": True}),
        ("position_side", {"position_side": PositionSide.LONG}),
        ("iceberg", {"display_units": 10}),
    ],
)
def test_what_ib_does_not_have_is_refused_before_it_leaves(rule: str, changes: dict[str, Any]) -> None:
    with pytest.raises(OrderRefused) as refused:
        order_terms(changed(**changes), AAPL, "DU1")
    assert refused.value.rule == rule


@pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed; pip install 'foxtrot[ib]' has it")
def test_an_order_of_the_sdk_has_exact_decimals_and_none_of_the_old_flags() -> None:
    from ibapi.comm import make_field, make_field_handle_empty
    from ibapi.order import Order
    from ibapi.tag_value import TagValue

    order = changed(instrument_id="EURUSD.IDEALPRO", quantity_units=20_000_000, price_units=1, side=Side.SELL)
    made = write_order(Order(), order_terms(order, EURUSD, "DU1", outside_hours=True), TagValue)
    assert (make_field(made.totalQuantity), make_field_handle_empty(made.lmtPrice)) == ("20000000\0", "0.00005\0")
    assert make_field_handle_empty(made.auxPrice) == "\0"
    assert not getattr(made, "eTradeOnly", False)
    assert not getattr(made, "firmQuoteOnly", False)
    assert (made.action, made.orderType, made.tif, made.orderRef, made.account) == (
        "SELL",
        "LMT",
        "GTC",
        "F-1-7",
        "DU1",
    )
    assert made.outsideRth
    assert made.transmit
    assert not made.whatIf
    assert not made.algoStrategy
    assert not made.algoParams


@pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed; pip install 'foxtrot[ib]' has it")
def test_an_algorithm_goes_with_its_parameters() -> None:
    from ibapi.order import Order
    from ibapi.tag_value import TagValue

    order = changed(algo="Adaptive", algo_params=(("adaptivePriority", "Patient"),))
    made = write_order(Order(), order_terms(order, AAPL, "DU1"), TagValue)
    assert made.algoStrategy == "Adaptive"
    assert [(one.tag, one.value) for one in made.algoParams] == [("adaptivePriority", "Patient")]


# --- numbers --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unset", ["", " ", None, DOUBLE_MAX, "1.7976931348623157e+308", "1.7976931348623157E308", 2**31 - 1, 2**63 - 1,
              Decimal(2**127 - 1), "2147483647"],
)  # fmt: skip
def test_what_is_not_set_is_none_in_every_shape(unset: object) -> None:
    assert figure(unset, "x") is None
    assert amount(unset, "x") == 0
    assert whole(unset, "x") == 0


@pytest.mark.parametrize("wrong", ["nan", "inf", "-Infinity", "ten", "1e20", float("inf"), float("nan"), 10**16])
def test_what_is_no_possible_number_is_a_bad_message(wrong: object) -> None:
    with pytest.raises(BadMessage):
        figure(wrong, "x")


@pytest.mark.parametrize(
    ("told", "exact"), [(189.5, "189.5"), ("100", "100"), (Decimal("0.1"), "0.1"), (0, "0"), ("-3", "-3")]
)
def test_numbers_are_exact_in_every_shape(told: object, exact: str) -> None:
    assert figure(told, "x") == Decimal(exact)


def test_ids_of_others_may_be_negative_and_quantities_may_not() -> None:
    assert whole(-7, "orderId") == -7
    with pytest.raises(BadMessage):
        amount(-1, "shares")
    with pytest.raises(BadMessage):
        whole(1.5, "orderId")


# --- in -------------------------------------------------------------------------------------------------------------

ORDER = SimpleNamespace(
    lmtPrice=189.5, auxPrice=0.0, orderType="LMT", trailStopPrice=DOUBLE_MAX, permId=900, orderId=5, clientId=1,
    orderRef=" F-1-7 ", account="DU1", action="BUY", tif="DAY", totalQuantity=Decimal(100), goodTillDate="", whatIf=False,
    filledQuantity=DOUBLE_MAX,
)  # fmt: skip
STATE = SimpleNamespace(status="Submitted", warningText="", completedStatus="")
CONTRACT = SimpleNamespace(conId=265598)
FILL = SimpleNamespace(
    execId="0000e0d5.5f3a1c2b.01.02", permId=900, orderId=5, clientId=1, orderRef="F-1-7", acctNumber="DU1", side="SLD",
    shares=Decimal(100), price=189.5, cumQty=100.0, avgPrice=189.5, time="20261128  14:30:00", lastLiquidity=1,
)  # fmt: skip


def like(model: SimpleNamespace, **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{**model.__dict__, **changes})


@pytest.mark.parametrize("word", [*KINDS.values(), "TRAIL LIMIT", "LOC", "MOC"])
def test_each_type_that_is_sent_is_read_as_what_it_is(word: str) -> None:
    kinds = {value: key for key, value in KINDS.items()}
    extra = {"TRAIL LIMIT": OrderType.TRAILING_STOP, "LOC": OrderType.LIMIT, "MOC": OrderType.MARKET}
    row = order_row(CONTRACT, like(ORDER, orderType=word, auxPrice=180.0, trailStopPrice=188.0), STATE, number=5)
    assert row.kind is (kinds | extra)[word]
    assert row.trigger == (Decimal("188.0") if "TRAIL" in word else Decimal("180.0"))


@pytest.mark.parametrize(("price", "kind"), [(189.5, OrderType.LIMIT), (DOUBLE_MAX, OrderType.MARKET)])
def test_a_type_that_is_not_known_does_not_hide_an_order_of_another_client(price: float, kind: OrderType) -> None:
    assert order_row(CONTRACT, like(ORDER, orderType="PEG MID", lmtPrice=price), STATE).kind is kind


def test_an_order_without_a_side_is_a_bad_message() -> None:
    with pytest.raises(BadMessage, match="HOLD"):
        order_row(CONTRACT, like(ORDER, action="HOLD"), STATE)


def test_filled_with_something_left_cannot_be() -> None:
    with pytest.raises(BadMessage):
        status_row(5, "Filled", 60.0, 40.0, 189.5, 900, 0, 0.0, 1, "", 0.0)


def test_an_execution_is_named_without_the_part_that_counts_corrections() -> None:
    row = fill_row(CONTRACT, FILL, zone_named("UTC") or pytest.fail("no UTC"))
    assert (row.exec_id, row.trade_id, row.version) == ("0000e0d5.5f3a1c2b.01.02", "0000e0d5.5f3a1c2b.01", 2)
    assert (row.side, row.quantity, row.price, row.made) == (Side.SELL, Decimal(100), Decimal("189.5"), True)


@pytest.mark.parametrize(
    "changes", [{"execId": ""}, {"side": "X"}, {"time": "now"}, {"shares": 0.0, "execId": "a.b.01"}]
)
def test_an_execution_that_cannot_be_is_a_bad_message(changes: dict[str, Any]) -> None:
    with pytest.raises(BadMessage):
        fill_row(CONTRACT, like(FILL, **changes), zone_named("UTC") or pytest.fail("no UTC"))


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("20261128  09:30:00", 14),
        ("20261128 09:30:00", 14),
        ("20261128 09:30:00 US/Eastern", 14),
        ("20261128 09:30:00 Europe/London", 9),
        ("20261128 09:30:00 Nowhere/Land", 14),
        ("20261128-09:30:00", 9),
    ],
)
def test_a_time_is_of_the_zone_it_names_or_of_the_gateway(text: str, hour: int) -> None:
    zone = zone_named("America/New_York")
    assert zone is not None
    assert time_ns(text, zone) == (1_795_824_000 + hour * 3_600 + 1_800) * 10**9


def test_a_commission_is_read_by_either_name() -> None:
    old = SimpleNamespace(execId="a.01", commission=1.25, currency="USD")
    new = SimpleNamespace(execId="a.01", commissionAndFees=Decimal("1.25"), currency="USD")
    assert commission_row(old) == commission_row(new)
    with pytest.raises(BadMessage):
        commission_row(SimpleNamespace(execId="a.01", commission=DOUBLE_MAX, currency="USD"))


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_a_refusal_ends_an_order_that_ib_had_not_taken_and_201_one_that_it_had(code: int, accepted: bool) -> None:
    refused = not accepted or code in (201, 203)
    outcome = outcome_of(IbError(5, code, "no"), accepted=accepted)
    assert outcome is Outcome.REFUSED if refused else outcome is not Outcome.REFUSED


@pytest.mark.parametrize("accepted", [False, True])
@pytest.mark.parametrize("code", [399, 404, 2109, 2137, 10167, 100, 1100, 10349])
def test_a_warning_says_nothing_of_how_an_order_ended(code: int, accepted: bool) -> None:
    assert outcome_of(IbError(5, code, "hm"), accepted=accepted) is None


@pytest.mark.parametrize("code", [1, 322, 499, 777, 10_500, 99_999])
def test_an_error_that_is_not_listed_leaves_it_unknown(code: int) -> None:
    assert outcome_of(IbError(5, code, "?"), accepted=False) is Outcome.UNKNOWN
