"""What is heard of orders and fills: whatever is lost, doubled or out of order, the facts at the end are the same."""

from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.adapter.ib.order_names import OrderNames
from foxtrot.adapter.ib.reports import Reports
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.core.clock import ManualClock
from foxtrot.domain.account import AccountCharge
from foxtrot.domain.enums import Liquidity, OrderStatus, OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.order import ApprovedOrder, OrderData, TradeData

ACCOUNT, CLIENT, CON_ID = "DU1000001", 7, 265598
UNSET = 1.7976931348623157e308
AAPL = Instrument(
    instrument_id="AAPL.NASDAQ", symbol="AAPL", venue="NASDAQ", product=Product.STOCK, base_asset="AAPL", quote_asset="USD",
    settle_asset="USD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("1"), calendar="XNYS",
)  # fmt: skip
MSFT = Instrument(
    instrument_id="MSFT.NASDAQ", symbol="MSFT", venue="NASDAQ", product=Product.STOCK, base_asset="MSFT", quote_asset="USD",
    settle_asset="USD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("1"), calendar="XNYS",
)  # fmt: skip
START_NS = 1_795_876_200 * 10**9  # 2026-11-28 14:30:00 UTC


class World:
    """Reports with a tracker, and everything that they told."""

    def __init__(self) -> None:
        self.clock, self.account, self.told = ManualClock(START_NS), "ours", []  # type: list[Any]
        self.failed: list[tuple[str, str]] = []
        self.doubted: list[str] = []
        self.tracker = OrderTracker(self.told.append, self.told.append)
        self.names = OrderNames(CLIENT)
        contracts = {CON_ID: AAPL, 272093: MSFT}
        by_id = {one.instrument_id: one for one in contracts.values()}
        adapter: Any = self
        market: Any = SimpleNamespace(instrument_of=contracts.get)
        self.reports = Reports(adapter, market, by_id.get, self.tracker, self.names)
        self.reports.account = ACCOUNT
        self.reports.doubt = self.doubted.append

    def on_charge(self, charge: AccountCharge) -> None:
        self.told.append(charge)

    def on_request_failed(self, what: str, error: object) -> None:
        self.failed.append((what, str(error)))

    def send(self, name: str = "t-1", number: int = 5, quantity: int = 100, **changes: Any) -> ApprovedOrder:
        terms = {"side": Side.BUY, "instrument_id": "AAPL.NASDAQ", "tif": TimeInForce.GTC, "expires": 0} | changes
        order = ApprovedOrder(
            name, "tester", "ours", terms["instrument_id"], terms["side"], OrderType.LIMIT, quantity, 18_950, 0, terms["tif"],
            False, False, PositionSide.NET, 0, 0, terms["expires"], START_NS,
        )  # fmt: skip
        self.tracker.expect(name)
        self.reports.facts.expect(order)
        self.names.begin(number, name)
        return order

    def orders(self) -> list[OrderData]:
        return [one for one in self.told if isinstance(one, OrderData)]

    def trades(self) -> list[TradeData]:
        return [one for one in self.told if isinstance(one, TradeData)]

    def charges(self) -> list[AccountCharge]:
        return [one for one in self.told if isinstance(one, AccountCharge)]


def contract(con_id: int = CON_ID) -> Any:
    return SimpleNamespace(conId=con_id)


def order(status: str, ref: str = "t-1", perm: int = 900, number: int = 5, **changes: Any) -> tuple[Any, ...]:
    """The arguments of an openOrder."""
    told = SimpleNamespace(
        lmtPrice=189.5, auxPrice=0.0, orderType="LMT", trailStopPrice=UNSET, permId=perm, orderId=number, clientId=CLIENT,
        orderRef=ref, account=ACCOUNT, action="BUY", tif="GTC", totalQuantity=100.0, goodTillDate="", whatIf=False,
        filledQuantity=UNSET,
    )  # fmt: skip
    for name, value in changes.items():
        setattr(told, name, value)
    return number, contract(), told, SimpleNamespace(status=status, warningText="", completedStatus="")


def status(
    word: str, filled: float = 0.0, average: float = 0.0, perm: int = 900, number: int = 5, client: int = CLIENT
) -> tuple[Any, ...]:
    return number, word, filled, 100.0 - filled, average, perm, 0, 0.0, client, "", 0.0


def fill(
    exec_id: str = "0001.01.01", shares: float = 100.0, price: float = 189.5, total: float = 100.0, **changes: Any
) -> tuple[Any, ...]:
    told = SimpleNamespace(
        execId=exec_id, permId=900, orderId=5, clientId=CLIENT, orderRef="t-1", acctNumber=ACCOUNT, side="BOT", shares=shares,
        price=price, cumQty=total, avgPrice=price, time="20261128  14:30:00", lastLiquidity=2,
    )  # fmt: skip
    for name, value in changes.items():
        setattr(told, name, value)
    return contract(), told


def commission(exec_id: str = "0001.01.01", amount: float = 1.0) -> Any:
    return SimpleNamespace(execId=exec_id, commission=amount, currency="USD")


# --- the usual course -------------------------------------------------------------------------------------------------


def test_an_order_is_accepted_filled_and_its_fill_told_with_its_commission() -> None:
    world = World()
    world.send()
    reports = world.reports
    reports.hear_open(*order("PreSubmitted"))
    reports.hear_status(*status("PreSubmitted"))
    reports.hear_open(*order("Submitted"))
    reports.hear_fill(*fill())
    reports.hear_open(*order("Filled"))
    reports.hear_status(*status("Filled", 100.0, 189.5))
    assert world.trades() == []
    reports.hear_commission(commission())
    assert [(one.status, one.filled_quantity) for one in world.orders()] == [
        (OrderStatus.ACCEPTED, 0.0),
        (OrderStatus.FILLED, 100.0),
    ]
    (trade,) = world.trades()
    assert (trade.trade_id, trade.order_id, trade.fee, trade.fee_asset) == ("0001.01", "t-1", Decimal(1), "USD")
    assert (trade.liquidity, trade.venue_order_id) == (Liquidity.TAKER, "900")


@pytest.mark.parametrize("word", ["ApiPending", "PendingSubmit", "Inactive", "SomethingNew"])
def test_a_status_that_judges_nothing_ends_nothing_and_is_asked_after(word: str) -> None:
    world = World()
    world.send()
    world.reports.hear_open(*order(word))
    world.reports.hear_status(*status(word))
    assert world.told == []
    assert set(world.doubted) == {"t-1"}


@pytest.mark.parametrize(
    ("word", "filled", "told"),
    [
        ("PendingCancel", 0.0, OrderStatus.ACCEPTED),
        ("PreSubmitted", 0.0, OrderStatus.ACCEPTED),
        ("Submitted", 0.0, OrderStatus.ACCEPTED),
        ("Submitted", 40.0, OrderStatus.PARTIALLY_FILLED),
        ("ApiCancelled", 0.0, OrderStatus.CANCELLED),
        ("Cancelled", 0.0, OrderStatus.CANCELLED),
        ("Cancelled", 40.0, OrderStatus.CANCELLED),
        ("Filled", 100.0, OrderStatus.FILLED),
    ],
)
def test_each_status_is_told_as_what_it_is(word: str, filled: float, told: OrderStatus) -> None:
    world = World()
    world.send()
    world.reports.hear_status(*status(word, filled, 189.5 if filled else 0.0))
    assert (world.orders()[-1].status, world.orders()[-1].filled_quantity) == (told, filled)


def test_filled_by_openorder_alone_is_asked_after_for_it_does_not_say_at_what_price() -> None:
    world = World()
    world.send()
    world.reports.hear_open(*order("Filled"))
    assert (world.told, world.doubted) == ([], ["t-1"])


def test_a_cancellation_at_an_orders_own_end_is_an_expiry() -> None:
    world = World()
    world.send(tif=TimeInForce.GTD, expires=START_NS + 10**10)
    world.reports.hear_open(*order("Submitted", tif="GTD", goodTillDate="20261128 14:30:10 UTC"))
    world.clock.advance(10**10)
    world.reports.hear_status(*status("Cancelled"))
    assert world.orders()[-1].status is OrderStatus.EXPIRED


@pytest.mark.parametrize(
    ("word", "filled", "reason", "told"),
    [
        ("Filled", 100.0, "Filled Size: 100", OrderStatus.FILLED),
        ("Cancelled", 0.0, "Cancelled by Trader", OrderStatus.CANCELLED),
        ("Cancelled", 0.0, "Rejected by Exchange", OrderStatus.REJECTED),
        ("Cancelled", 40.0, "Cancelled by Trader", OrderStatus.CANCELLED),
        ("Cancelled", 0.0, "Expired", OrderStatus.EXPIRED),
        ("ApiCancelled", 0.0, "", OrderStatus.CANCELLED),
        ("Inactive", 0.0, "", OrderStatus.REJECTED),
    ],
)
def test_a_completed_order_has_ended_as_the_list_says(word: str, filled: float, reason: str, told: OrderStatus) -> None:
    world = World()
    world.send()
    _, one, terms, state = order(word, number=0, totalQuantity=0.0, filledQuantity=filled)
    state.completedStatus = reason
    world.reports.hear_completed(one, terms, state)
    assert (world.orders()[-1].status, world.orders()[-1].filled_quantity) == (told, filled)


# --- whose it is ------------------------------------------------------------------------------------------------------


def test_a_number_that_came_back_after_a_rollback_is_not_shared_by_two_orders() -> None:
    world = World()
    world.send("t-1", 5)
    world.reports.hear_open(*order("Submitted", "t-1", 900, 5))
    world.reports.hear_open(*order("Submitted", "t-2", 901, 5))  # the gateway was set back
    world.reports.hear_status(*status("Cancelled", perm=901, number=5))
    assert {(one.order_id, one.status) for one in world.orders()} == {
        ("t-1", OrderStatus.ACCEPTED), ("t-2", OrderStatus.ACCEPTED), ("t-2", OrderStatus.CANCELLED),
    }  # fmt: skip
    assert world.names.number_of("t-1") == 5


def test_a_status_alone_under_a_number_that_came_back_is_not_our_orders() -> None:
    world = World()
    world.send("t-1", 5)
    world.reports.hear_status(*status("Submitted", perm=900, number=5))
    assert world.reports.hear_status(*status("Cancelled", perm=901, number=5)) == ""
    assert world.reports.hear_fill(*fill(orderRef="", permId=901, orderId=5)) == "venue901"
    assert [one.status for one in world.orders()] == [OrderStatus.ACCEPTED]


def test_filled_without_a_quantity_is_asked_after() -> None:
    world = World()
    world.send()
    assert world.reports.hear_status(5, "Filled", 0.0, 0.0, 0.0, 900, 0, 0.0, CLIENT, "", 0.0) == "t-1"
    assert (world.told, world.doubted) == ([], ["t-1"])


@pytest.mark.parametrize("pushed", [True, False])
def test_filled_with_a_part_of_the_fills_known_waits_for_the_others(pushed: bool) -> None:
    world = World()
    world.send()
    world.reports.hear_open(*order("Submitted"))
    world.reports.hear_fill(*fill("0001.01.01", 40.0, total=40.0))
    world.reports.hear_open(*order("Filled"), pushed=pushed)
    assert (world.orders()[-1].status, world.doubted) == (OrderStatus.PARTIALLY_FILLED, ["t-1"] * pushed)
    world.reports.hear_fill(*fill("0001.02.01", 60.0, total=100.0))
    assert (world.orders()[-1].status, world.orders()[-1].filled_quantity) == (OrderStatus.FILLED, 100.0)
    assert [one.filled_quantity for one in world.orders() if one.status is OrderStatus.FILLED] == [100.0]


def test_numbers_say_nothing_over_another_link() -> None:
    world = World()
    world.send("t-1", 5)
    world.reports.hear_status(*status("Submitted", perm=900))
    world.names.lost()
    world.reports.hear_status(*status("Cancelled", perm=901, number=5))
    world.reports.hear_status(*status("Cancelled", perm=0, number=5))
    assert [one.status for one in world.orders()] == [OrderStatus.ACCEPTED]
    world.reports.hear_status(*status("Cancelled", perm=900, number=0))
    assert world.orders()[-1].status is OrderStatus.CANCELLED


@pytest.mark.parametrize("number", [0, -3])
def test_an_order_of_a_person_or_another_client_is_told_under_a_name_of_its_own(number: int) -> None:
    world = World()
    world.reports.hear_open(*order("Submitted", "", 950, number, clientId=3))
    world.reports.hear_open(*order("Submitted", "", 951, number, clientId=3))
    world.reports.hear_status(*status("Cancelled", perm=951, number=number, client=3))
    assert [(one.order_id, one.status) for one in world.orders()] == [
        ("venue950", OrderStatus.ACCEPTED), ("venue951", OrderStatus.ACCEPTED), ("venue951", OrderStatus.CANCELLED),
    ]  # fmt: skip


def test_the_same_number_of_another_client_is_not_ours() -> None:
    world = World()
    world.send("t-1", 5)
    assert world.reports.hear_status(*status("Filled", 100.0, 1.0, perm=0, number=5, client=3)) == ""
    assert world.reports.hear_status(*status("Filled", 100.0, 1.0, perm=950, number=5, client=3)) == ""
    assert world.told == []


def test_an_orderref_that_another_order_has_already_names_no_second_one() -> None:
    world = World()
    world.send("t-1", 5)
    world.reports.hear_open(*order("Submitted", "t-1", 900, 5))
    world.reports.hear_open(*order("Filled", "t-1", 999, 0, clientId=3))
    world.reports.hear_status(*status("Cancelled", perm=999, number=0, client=3))
    assert {one.order_id for one in world.orders()} == {"t-1"}
    assert world.orders()[-1].status is OrderStatus.ACCEPTED


def test_what_comes_under_our_id_with_another_side_is_not_our_order() -> None:
    world = World()
    world.send("t-1", 5)
    world.reports.hear_open(*order("Submitted", "t-1", 999, 5, action="SELL"))
    assert [one.order_id for one in world.orders()] == ["venue999"]
    assert world.failed[0][0] == "report of t-1"


def test_another_accounts_orders_and_fills_are_left_out() -> None:
    world = World()
    assert world.reports.hear_open(*order("Submitted", "x", 901, 9, account="DU1000002")) == ""
    assert world.reports.hear_fill(*fill(acctNumber="DU1000002", permId=901)) == ""
    assert world.reports.hear_status(*status("Filled", 100.0, 1.0, perm=901, number=9)) == ""
    assert world.told == []


def test_a_what_if_is_no_order() -> None:
    world = World()
    assert world.reports.hear_open(*order("Submitted", "t-9", 0, 9, whatIf=True)) == ""
    assert world.told == []


# --- fills ------------------------------------------------------------------------------------------------------------


def test_a_fill_without_its_commission_is_told_after_a_while_and_charged_later() -> None:
    world = World()
    world.send()
    world.reports.hear_fill(*fill())
    world.reports.fills.tell_waiting(world.clock.monotonic_ns() - 1)
    assert world.trades() == []
    world.reports.fills.tell_waiting(world.clock.monotonic_ns())
    assert [(one.fee, one.trade_id) for one in world.trades()] == [(Decimal(0), "0001.01")]
    for _ in range(2):
        world.reports.hear_commission(commission(amount=1.25))
    (charge,) = world.charges()
    assert (charge.kind, charge.asset, charge.amount, charge.instrument_id) == (
        "commission", "USD", Decimal("-1.25"), "AAPL.NASDAQ",
    )  # fmt: skip
    assert [one.fee for one in world.reports.fills.told()] == [Decimal(0)]


def test_a_corrected_price_replaces_the_fill_before_it_is_told_and_moves_money_after() -> None:
    early, late = World(), World()
    for world in (early, late):
        world.send()
        world.reports.hear_fill(*fill("0001.01.01"))
    early.reports.hear_fill(*fill("0001.01.02", price=189.4))
    early.reports.hear_commission(commission("0001.01.01"))
    early.reports.hear_commission(commission("0001.01.02"))
    assert [(one.price, one.trade_id) for one in early.trades()] == [(189.4, "0001.01")]
    assert early.charges() == []
    late.reports.hear_commission(commission("0001.01.01"))
    for _ in range(2):
        late.reports.hear_fill(*fill("0001.01.02", price=189.4))
    late.reports.hear_fill(*fill("0001.01.01"))
    assert [(one.price, one.trade_id) for one in late.trades()] == [(189.5, "0001.01")]
    assert [(one.kind, one.amount) for one in late.charges()] == [("correction", Decimal("10.0"))]


def test_a_corrected_quantity_is_told_to_a_person() -> None:
    world = World()
    world.send()
    world.reports.hear_fill(*fill("0001.01.01"))
    world.reports.hear_commission(commission())
    world.reports.hear_fill(*fill("0001.01.02", shares=90.0, total=90.0))
    assert [what for what, _ in world.failed] == ["fill 0001.01 of AAPL.NASDAQ"]
    assert len(world.trades()) == 1


def test_a_fill_of_an_order_that_nobody_told_is_asked_after_and_waits_for_it() -> None:
    world = World()
    world.reports.hear_fill(*fill(orderRef="web-7", permId=950, orderId=0, clientId=3))
    world.reports.hear_commission(commission())
    assert (world.told, world.doubted) == ([], ["web-7"])
    _, one, terms, state = order("Filled", "web-7", 950, 0, filledQuantity=100.0)
    world.reports.hear_completed(one, terms, state)
    assert [one.order_id for one in world.told] == ["web-7"] * 3


# --- any order of messages --------------------------------------------------------------------------------------------

Step = Callable[[Reports], object]
STORY: tuple[Step, ...] = (
    lambda r: r.hear_open(*order("PreSubmitted")),
    lambda r: r.hear_status(*status("PreSubmitted")),
    lambda r: r.hear_open(*order("Submitted")),
    lambda r: r.hear_status(*status("Submitted")),
    lambda r: r.hear_fill(*fill("0001.01.01", 40.0, 189.5, 40.0, avgPrice=189.5)),
    lambda r: r.hear_status(*status("Submitted", 40.0, 189.5)),
    lambda r: r.hear_commission(commission("0001.01.01", 0.4)),
    lambda r: r.hear_fill(*fill("0002.01.01", 60.0, 189.4, 100.0, avgPrice=189.44)),
    lambda r: r.hear_open(*order("Filled")),
    lambda r: r.hear_status(*status("Filled", 100.0, 189.44)),
    lambda r: r.hear_commission(commission("0002.01.01", 0.6)),
)
KEPT = (4, 6, 7, 10)
"""Executions and commissions: a lost one is asked for, so that each comes at least once."""


def _facts(world: World) -> object:
    last = world.orders()[-1]
    trades = {(one.trade_id, one.price, one.quantity, one.fee, one.order_id) for one in world.trades()}
    return (last.status, last.filled_quantity, last.average_price, last.venue_order_id), trades, len(world.trades())


def _told(steps: list[Step]) -> World:
    world = World()
    world.send()
    for step in steps:
        step(world.reports)
    return world


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_lost_doubled_or_out_of_order_the_facts_are_the_same(data: st.DataObject) -> None:
    lost = data.draw(st.sets(st.sampled_from([n for n in range(len(STORY)) if n not in KEPT])))
    again = data.draw(st.lists(st.sampled_from(range(len(STORY))), max_size=6))
    numbers = data.draw(st.permutations([n for n in range(len(STORY)) if n not in lost] + again))
    world = _told([STORY[number] for number in numbers])
    assert _facts(world) == _facts(_told(list(STORY)))
    statuses = [one.status for one in world.orders()]
    assert statuses[0] is OrderStatus.ACCEPTED
    assert [one.filled_quantity for one in world.orders()] == sorted(one.filled_quantity for one in world.orders())
