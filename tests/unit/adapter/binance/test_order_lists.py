"""Two orders of which one ends the other: how they are worded, and that what becomes of the one request is heard for both."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from foxtrot.adapter.binance.errors import NotSent, UnknownOutcome
from foxtrot.adapter.binance.order_count import OrderCount
from foxtrot.adapter.binance.order_lists import ENDPOINT, pair_call, rows_of_answer
from foxtrot.adapter.binance.orders import Orders
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import OrderRefused, VenueRejected
from foxtrot.domain.order import ApprovedOrder, CancelRequest
from tests.support.scripted_binance import START_MS, Params, ScriptedSession, btcusdt, run

S = OrderStatus
SPOT, USDM = btcusdt(), btcusdt(Product.PERPETUAL)
Story = Callable[[ScriptedSession, Orders], Awaitable[None]]


def order(order_id: str, **changes: object) -> ApprovedOrder:
    made = ApprovedOrder(
        order_id, "tester", "ours", SPOT.instrument_id, Side.SELL, OrderType.LIMIT, 100_000_000, 11_000, 0,
        TimeInForce.GTC, False, True, PositionSide.NET, 0, 0, 0, 1,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def stop(order_id: str = "s-1", **changes: object) -> ApprovedOrder:
    terms = {"order_type": OrderType.STOP, "price_units": 0, "trigger_units": 9_000, "post_only": False}
    return order(order_id, **(terms | changes))


def report(order_id: str, kind: str, status: str = "NEW", **changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "symbol": "BTCUSDT", "orderId": 28 + len(kind), "orderListId": 7, "clientOrderId": order_id, "transactTime": START_MS,
        "price": "110.00", "origQty": "1.00000000", "executedQty": "0", "cummulativeQuoteQty": "0", "status": status,
        "timeInForce": "GTC", "type": kind, "side": "SELL",
    }  # fmt: skip
    return told | changes


def answer(*rows: dict[str, object]) -> dict[str, object]:
    return {"orderListId": 7, "contingencyType": "OCO", "orderReports": list(rows)}


BOTH = answer(report("s-1", "STOP_LOSS"), report("l-1", "LIMIT_MAKER"))


def play(story: Story, *replies: object, product: Product = Product.SPOT) -> ScriptedSession:
    session = ScriptedSession(product, (btcusdt(product),))
    session.reply(ENDPOINT, *(replies or (BOTH,)))  # type: ignore[arg-type]

    async def whole() -> None:
        await story(session, Orders(session.adapter, session))  # type: ignore[arg-type]
        await session.settle()
        await session.end()

    run(whole)
    return session


async def place(_session: ScriptedSession, orders: Orders) -> None:
    await orders.place_pair(stop(), order("l-1"))


def told(session: ScriptedSession) -> list[list[OrderStatus]]:
    return [[one.status for one in session.heard.reports(name)] for name in ("s-1", "l-1")]


# --- the words -----------------------------------------------------------------------------------------------------------


def test_a_selling_pair_has_its_limit_above_and_its_stop_below() -> None:
    call = pair_call(stop(), order("l-1"), SPOT)
    assert (call.endpoint, call.params) == (
        ENDPOINT,
        {
            "symbol": "BTCUSDT", "side": "SELL", "quantity": "1.00000000", "newOrderRespType": "RESULT",
            "aboveType": "LIMIT_MAKER", "abovePrice": "110.00", "aboveClientOrderId": "l-1",
            "belowType": "STOP_LOSS", "belowStopPrice": "90.00", "belowClientOrderId": "s-1",
        },
    )  # fmt: skip
    assert pair_call(order("l-1"), stop(), SPOT) == call


def test_a_buying_pair_has_its_stop_above_with_its_own_limit() -> None:
    above = stop(side=Side.BUY, order_type=OrderType.STOP_LIMIT, trigger_units=12_000, price_units=12_100)
    params = pair_call(above, order("l-1", side=Side.BUY), SPOT).params
    assert {name: text for name, text in params.items() if name[:5] in ("above", "below")} == {
        "aboveType": "STOP_LOSS_LIMIT", "aboveStopPrice": "120.00", "abovePrice": "121.00", "aboveTimeInForce": "GTC",
        "aboveClientOrderId": "s-1", "belowType": "LIMIT_MAKER", "belowPrice": "110.00", "belowClientOrderId": "l-1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (stop(), stop("s-2")),
        (order("l-1"), order("l-2")),
        (stop(), order("l-1", post_only=False)),
        (stop(), order("s-1")),
        (stop(), order("l-1", quantity_units=1)),
        (stop(), order("l-1", side=Side.BUY)),
        (stop(), order("l-1", account="other")),
        (stop(trigger_units=11_000), order("l-1")),
        (stop(side=Side.BUY), order("l-1", side=Side.BUY)),
        (stop(order_type=OrderType.TRAILING_STOP, trailing_offset_units=5), order("l-1")),
    ],
)
def test_what_is_no_pair_is_refused(first: ApprovedOrder, second: ApprovedOrder) -> None:
    with pytest.raises(OrderRefused) as refused:
        pair_call(first, second, SPOT)
    assert refused.value.rule == "pair"


def test_contracts_have_no_pairs() -> None:
    with pytest.raises(OrderRefused, match="spot"):
        pair_call(stop(), order("l-1"), USDM)


def test_an_answer_that_is_no_list_is_the_one_order() -> None:
    assert rows_of_answer({"orderId": 1}) == ({"orderId": 1},)
    assert rows_of_answer(BOTH) == BOTH["orderReports"]
    assert rows_of_answer({"orderReports": 5}) == (5,)


# --- what becomes of them ------------------------------------------------------------------------------------------------


def test_one_request_leaves_and_both_are_told_by_their_own_ids() -> None:
    session = play(place)
    assert len(session.asked(ENDPOINT)) == 1
    assert told(session) == [[S.ACCEPTED], [S.ACCEPTED]]


def test_silence_makes_both_unknown_and_each_is_asked_for_by_its_own_id() -> None:
    def found(params: Params) -> object:
        return report(
            params["origClientOrderId"], "STOP_LOSS" if params["origClientOrderId"] == "s-1" else "LIMIT_MAKER"
        )

    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privateGetOrder", found)
        await place(session, orders)
        assert orders.unknown == {"s-1", "l-1"}
        await session.advance(3)

    session = play(story, UnknownOutcome("binance", "silent", "no answer"))
    assert told(session) == [[S.UNKNOWN, S.ACCEPTED], [S.UNKNOWN, S.ACCEPTED]]
    assert {row["origClientOrderId"] for row in session.asked("privateGetOrder")} == {"s-1", "l-1"}
    assert len(session.asked(ENDPOINT)) == 1


def test_a_refusal_is_that_of_both() -> None:
    session = play(
        place, VenueRejected("binance", "-2010", "The relationship of the prices for the orders is not correct.")
    )
    assert told(session) == [[S.REJECTED], [S.REJECTED]]


def test_a_name_that_is_there_already_leaves_both_unknown() -> None:
    session = play(place, VenueRejected("binance", "-2010", "Duplicate order sent."))
    assert [statuses[0] for statuses in told(session)] == [S.UNKNOWN, S.UNKNOWN]


def test_neither_leaves_past_a_closed_permit_and_both_may_be_sent_later() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.permit.close("killed")
        await place(session, orders)
        assert session.asked(ENDPOINT) == []
        session.permit.allow(GateState.ACTIVE)
        await place(session, orders)

    assert told(play(story)) == [[S.DENIED, S.ACCEPTED], [S.DENIED, S.ACCEPTED]]


def test_what_cannot_be_worded_is_denied_for_both() -> None:
    async def story(_session: ScriptedSession, orders: Orders) -> None:
        await orders.place_pair(stop(), order("l-1", quantity_units=5))

    session = play(story)
    assert (told(session), session.asked(ENDPOINT)) == ([[S.DENIED], [S.DENIED]], [])


@pytest.mark.parametrize(
    "lie",
    [
        answer(report("s-1", "STOP_LOSS")),
        answer(report("s-1", "STOP_LOSS"), report("x-9", "LIMIT_MAKER")),
        answer(report("s-1", "STOP_LOSS"), report("s-1", "STOP_LOSS")),
        answer(report("s-1", "STOP_LOSS"), report("l-1", "LIMIT_MAKER", side="BUY")),
        answer(report("s-1", "LIMIT_MAKER"), report("l-1", "STOP_LOSS")),
        {"orderReports": None},
        "<html>",
    ],
)
def test_an_answer_that_speaks_of_others_makes_both_unknown(lie: object) -> None:
    assert [statuses[0] for statuses in told(play(place, lie))] == [S.UNKNOWN, S.UNKNOWN]


def test_an_id_is_never_sent_twice_alone_or_in_a_pair() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        await place(session, orders)
        await orders.place_pair(stop("s-2"), order("l-1"))
        await orders.place(order("l-1"))

    session = play(story)
    assert len(session.calls) == 1
    failed = [one.what for one in session.heard.of(RequestFailed)]
    assert failed == ["order s-2", "order l-1", "order l-1"]


def test_the_cancel_of_one_tells_the_end_of_both() -> None:
    ended = [
        report("away", kind, "CANCELED", origClientOrderId=name)
        for name, kind in (("s-1", "STOP_LOSS"), ("l-1", "LIMIT_MAKER"))
    ]

    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privateDeleteOrder", answer(*ended))
        await place(session, orders)
        await orders.cancel(CancelRequest("s-1", "ours", SPOT.instrument_id))

    assert told(play(story)) == [[S.ACCEPTED, S.CANCELLED], [S.ACCEPTED, S.CANCELLED]]


def test_a_cancel_waits_until_a_pair_under_way_is_heard_of() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        heard = asyncio.Event()

        async def later() -> object:
            await heard.wait()
            return BOTH

        session.replies[ENDPOINT] = [lambda _params: later()]
        sending = asyncio.ensure_future(place(session, orders))
        await session.settle()
        cancelling = asyncio.ensure_future(orders.cancel(CancelRequest("l-1", "ours", SPOT.instrument_id)))
        await session.settle()
        assert session.asked("privateDeleteOrder") == []
        heard.set()
        await asyncio.gather(sending, cancelling)
        assert len(session.asked("privateDeleteOrder")) == 1

    play(story)


def test_a_pair_counts_as_two_orders() -> None:
    count = OrderCount(Product.SPOT, counts=True)
    for _ in range(49):
        count.take(1)
    with pytest.raises(NotSent):
        count.take(1, 2)
    count.take(1)
    count.give_back(1, 2)
    count.take(1, 2)
    with pytest.raises(NotSent):
        count.take(1)
