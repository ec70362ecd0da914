"""Messages recorded from a served exchange, read by ibapi's own decoder, as rows and facts of the account."""

import inspect
from datetime import UTC
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.ib.account_codec import AccountValue, account_data, cash_of, margin_of, position_data
from foxtrot.adapter.ib.config import REFUSE, SEND, IbSettings
from foxtrot.adapter.ib.order_hours import check_hours, may_fill_outside
from foxtrot.adapter.ib.report_codec import commission_row, fill_row, gateway_zone, order_row, status_row
from foxtrot.adapter.ib.trading_hours import VenueHours
from foxtrot.domain.enums import OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.order import ApprovedOrder

FRAMES = Path(__file__).with_name("frames") / "orders.txt"
ACCOUNT = "DU1000001"
AAPL = Instrument(
    instrument_id="AAPL.NASDAQ", symbol="AAPL", venue="NASDAQ", product=Product.STOCK, base_asset="AAPL", quote_asset="USD",
    settle_asset="USD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("1"), calendar="XNYS",
)  # fmt: skip
ES = msgspec.structs.replace(
    AAPL, instrument_id="ESZ6.CME", product=Product.FUTURE, base_asset="ES", multiplier=Decimal(50), calendar="CMES"
)
EURUSD = msgspec.structs.replace(
    AAPL, instrument_id="EURUSD.IDEALPRO", product=Product.FOREX, base_asset="EUR", calendar="FX"
)
needs_ibapi = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")


def heard() -> dict[str, list[tuple[Any, ...]]]:
    """What ibapi makes of the frames, by callback."""
    from ibapi.decoder import Decoder
    from ibapi.wrapper import EWrapper

    told: dict[str, list[tuple[Any, ...]]] = {}

    def hear(name: str) -> Any:
        return lambda *arguments: told.setdefault(name, []).append(arguments)

    wrapper = EWrapper()
    for name in (
        "openOrder", "orderStatus", "completedOrder", "execDetails", "commissionReport", "commissionAndFeesReport", "position", "accountUpdateMulti",
    ):  # fmt: skip
        setattr(wrapper, name, hear(name))
    decoder = Decoder(wrapper, 157)
    takes_id = len(inspect.signature(decoder.interpret).parameters) > 1
    for line in FRAMES.read_text().splitlines():
        fields = [field.encode() for field in line.split("|")]
        if takes_id:
            decoder.interpret(fields[1:], int(fields[0]))
        else:
            decoder.interpret(fields)
    return told


@needs_ibapi
def test_an_open_order_and_its_status_are_read() -> None:
    told = heard()
    row = order_row(*told["openOrder"][0][1:], number=told["openOrder"][0][0])
    assert (row.ref, row.number, row.client_id, row.account, row.status) == ("t-2", 2, 1, ACCOUNT, "Submitted")
    assert (row.side, row.kind, row.time_in_force, row.quantity, row.limit) == (
        Side.BUY, OrderType.LIMIT, TimeInForce.GTC, Decimal(100), Decimal("185.0"),
    )  # fmt: skip
    status = status_row(*told["orderStatus"][0])
    assert (status.perm_id, status.number, status.client_id, status.status, status.filled) == (
        row.perm_id, 2, 1, "Submitted", Decimal(0),
    )  # fmt: skip


@needs_ibapi
def test_completed_orders_say_how_they_ended_and_how_much_was_filled() -> None:
    rows = {row.ref: row for row in (order_row(*one, is_completed=True) for one in heard()["completedOrder"])}
    assert (rows["t-1"].status, rows["t-1"].filled, rows["t-1"].quantity) == ("Filled", Decimal(100), Decimal(100))
    assert (rows["t-3"].status, rows["t-3"].filled) == ("Cancelled", Decimal(0))
    assert {rows[name].account for name in ("m1", "m2")} == {"DU1000002"}


@needs_ibapi
def test_fills_and_what_they_cost_are_read() -> None:
    told = heard()
    fills = [fill_row(contract, execution, UTC) for _, contract, execution in told["execDetails"]]
    assert [(one.quantity, one.price, one.cumulated, one.ref, one.version, one.made) for one in fills] == [
        (Decimal(60), Decimal(190), Decimal(60), "t-1", 1, True),
        (Decimal(40), Decimal(190), Decimal(100), "t-1", 1, True),
    ]
    costs = {
        row.exec_id: (row.amount, row.currency)
        for row in map(
            commission_row, (one[0] for one in told.get("commissionReport") or told["commissionAndFeesReport"])
        )
    }
    assert [costs[one.exec_id] for one in fills] == [(Decimal("1.00432"), "USD"), (Decimal("0.00288"), "USD")]
    assert all(one.trade_id == one.exec_id.removesuffix(".01") for one in fills)


@needs_ibapi
def test_money_is_told_by_currency_and_what_is_summed_up_is_not() -> None:
    values = [AccountValue(one[1], str(one[3]), str(one[4]), str(one[5])) for one in heard()["accountUpdateMulti"]]
    assert cash_of(values) == {"EUR": Decimal(100000), "HKD": Decimal(1000000), "USD": Decimal("980998.99")}
    assert margin_of(values) == (Decimal("9500.00"), Decimal("1228704.12"))
    data = account_data(values, "ours", frozenset(), 5)
    assert [(row.asset, row.total, row.free, row.locked) for row in data.balances][-1] == (
        "USD", Decimal("980998.99"), Decimal("980998.99"), Decimal(0),
    )  # fmt: skip
    assert (data.margin_used, data.margin_available, data.account) == (
        Decimal("9500.00"),
        Decimal("1228704.12"),
        "ours",
    )


@needs_ibapi
def test_a_position_is_read_with_its_average_cost() -> None:
    _, _, quantity, cost = next(one for one in heard()["position"] if one[0] == ACCOUNT)
    told = position_data(quantity, cost, "ours", AAPL, 5)
    assert told is not None
    assert (told.quantity, told.average_price, told.position_side) == (100.0, 190.010072, PositionSide.NET)


def test_the_cost_of_a_contract_is_parted_by_its_multiplier_and_a_pair_of_currencies_is_no_position() -> None:
    told = position_data(Decimal(-2), "342512.5", "ours", ES, 5)
    assert told is not None
    assert (told.quantity, told.average_price) == (-2.0, 6850.25)
    assert position_data(20_000.0, 1.1, "ours", EURUSD, 5) is None


def test_a_currency_that_is_spent_is_told_while_it_was_told_before() -> None:
    values = [AccountValue(ACCOUNT, "CashBalance", "0", "EUR"), AccountValue(ACCOUNT, "CashBalance", "-5.5", "USD")]
    assert [row.asset for row in account_data(values, "ours", frozenset(), 5).balances] == ["USD"]
    assert [row.asset for row in account_data(values, "ours", frozenset({"EUR"}), 5).balances] == ["EUR", "USD"]


# --- the gateway's clock ----------------------------------------------------------------------------------------------

NOW_NS = 1_795_876_200 * 10**9  # 2026-11-28 14:30:00 UTC


@pytest.mark.parametrize(
    ("told", "hours"),
    [
        ("20261128 09:30:00 US/Eastern", -5),
        ("20261128 14:30:00 UTC", 0),
        ("20261128 22:30:02 China Standard Time", 8),
        ("20261128 20:01:00 Some Place", 5.5),
        ("20261128 09:30:00", -5),
        ("", 0),
        ("nonsense", 0),
    ],
)
def test_the_gateways_zone_is_the_one_it_names_or_as_far_as_its_clock_is_from_ours(told: str, hours: float) -> None:
    from datetime import datetime, timedelta

    at = datetime(2026, 11, 28, 12, tzinfo=UTC)
    assert at.astimezone(gateway_zone(told, NOW_NS)).utcoffset() == timedelta(hours=hours)


# --- hours ------------------------------------------------------------------------------------------------------------

SATURDAY_NS = NOW_NS
MONDAY_NS = NOW_NS + 2 * 86_400 * 10**9 + 3_600 * 10**9
EVENING_NS = MONDAY_NS + 7 * 3_600 * 10**9
ORDER = ApprovedOrder(
    "F-1-7", "s", "ours", "AAPL.NASDAQ", Side.BUY, OrderType.LIMIT, 100, 18_950, 0, TimeInForce.GTC, False, False,
    PositionSide.NET, 0, 0, 0, 0,
)  # fmt: skip


def refused(now_ns: int, hours: VenueHours | None = None, **settings: Any) -> bool:
    try:
        check_hours(ORDER, AAPL, IbSettings(**settings), hours, now_ns)
    except OrderRefused as refusal:
        return refusal.rule == "outside_session"
    return False


def test_an_order_is_refused_while_its_market_is_closed_unless_ib_is_to_hold_it() -> None:
    assert refused(SATURDAY_NS, outside_session=REFUSE)
    assert not refused(SATURDAY_NS, outside_session=SEND)
    assert not refused(SATURDAY_NS, always_open=True)
    assert not refused(MONDAY_NS)


def test_the_hours_that_ib_tells_count_before_our_calendar() -> None:
    closed = VenueHours((), MONDAY_NS - 10**9, MONDAY_NS + 10**9)
    opened = VenueHours(((SATURDAY_NS, SATURDAY_NS + 10**9),), SATURDAY_NS, SATURDAY_NS + 10**9)
    assert refused(MONDAY_NS, closed)
    assert not refused(SATURDAY_NS, opened)
    assert refused(SATURDAY_NS, VenueHours((), 0, 0))


def test_outside_regular_hours_limit_orders_of_shares_trade_where_the_account_is_set_so() -> None:
    regular = VenueHours((), EVENING_NS - 10**9, EVENING_NS + 10**9)
    assert refused(EVENING_NS, regular)
    assert not refused(EVENING_NS, regular, outside_hours=True)
    settings = IbSettings(outside_hours=True)
    assert may_fill_outside(ORDER, AAPL, settings)
    assert not may_fill_outside(ORDER, ES, settings)
    assert not may_fill_outside(msgspec.structs.replace(ORDER, order_type=OrderType.MARKET), AAPL, settings)


def test_a_preview_reads_margins_and_commissions_of_either_version() -> None:
    from foxtrot.adapter.ib.previews import preview_of

    margins = dict.fromkeys(("initMarginChange", "maintMarginChange", "maintMarginAfter"), "1.7976931348623157E308")
    old = SimpleNamespace(
        **margins, initMarginAfter="9500.5", equityWithLoanAfter="1000", commission=1.25, minCommission=1.0, maxCommission=1.5,
        commissionCurrency="USD", warningText="",
    )  # fmt: skip
    told = preview_of(old)
    assert (told.initial_margin_after, told.initial_margin_change, told.commission, told.commission_currency) == (
        Decimal("9500.5"), None, Decimal("1.25"), "USD",
    )  # fmt: skip
    assert (told.least_commission, told.most_commission, told.equity_after) == (
        Decimal(1),
        Decimal("1.5"),
        Decimal(1000),
    )
