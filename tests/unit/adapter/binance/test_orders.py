"""An order leaves once or not at all; silence is UNKNOWN until the venue is asked; answer and stream agree in any order."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from foxtrot.adapter.binance import order_queries
from foxtrot.adapter.binance.contract_codec import MarketLot
from foxtrot.adapter.binance.errors import NotSent, UnknownOutcome
from foxtrot.adapter.binance.leverage import Leverage
from foxtrot.adapter.binance.orders import Orders
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import ConnectionLost, LoginFailed, RateLimited, RequestTimedOut, VenueRejected
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, TradeData
from tests.support.scripted_binance import BOUND_S, START_MS, Params, ScriptedSession, btcusdt, run

S = OrderStatus
SPOT, USDM = btcusdt(), btcusdt(Product.PERPETUAL)
Story = Callable[[ScriptedSession, Orders], Awaitable[None]]


def approved(order_id: str = "t-1", **changes: object) -> ApprovedOrder:
    order = ApprovedOrder(
        order_id, "tester", "ours", SPOT.instrument_id, Side.BUY, OrderType.LIMIT, 100_000_000, 10_000, 0,
        TimeInForce.GTC, False, False, PositionSide.NET, 0, 0, 0, 1,
    )  # fmt: skip
    return msgspec.structs.replace(order, **changes)


def contract_order(order_id: str = "t-1", **changes: object) -> ApprovedOrder:
    return approved(order_id, instrument_id=USDM.instrument_id, quantity_units=1_000, **changes)


def stop(order_id: str = "t-1") -> ApprovedOrder:
    return contract_order(order_id, order_type=OrderType.STOP, price_units=0, trigger_units=11_000)


def row(status: str = "NEW", filled: str = "0", **changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "symbol": "BTCUSDT", "orderId": 28, "clientOrderId": "t-1", "transactTime": START_MS, "price": "100.00",
        "origQty": "1.00000000", "executedQty": filled, "cummulativeQuoteQty": str(100 * float(filled)), "status": status,
        "timeInForce": "GTC", "type": "LIMIT", "side": "BUY",
    }  # fmt: skip
    return told | changes


def fill_of(number: int, quantity: str) -> dict[str, object]:
    return {"price": "100", "qty": quantity, "commission": "0.001", "commissionAsset": "BTC", "tradeId": number}


def report(kind: str, status: str, filled: str = "0", **changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "e": "executionReport", "E": START_MS, "s": "BTCUSDT", "c": "t-1", "S": "BUY", "o": "LIMIT", "f": "GTC", "q": "1",
        "p": "100", "P": "0", "C": "", "x": kind, "X": status, "r": "NONE", "i": 28, "l": "0", "z": filled, "L": "0", "n": "0",
        "N": None, "T": START_MS, "t": -1, "m": False, "Z": str(100 * float(filled)),
    }  # fmt: skip
    return told | changes


def traded(number: int, quantity: str, filled: str) -> dict[str, object]:
    status = "FILLED" if float(filled) == 1 else "PARTIALLY_FILLED"
    return report("TRADE", status, filled, t=number, l=quantity, L="100", n="0.001", N="BTC")


def update(kind: str, status: str, filled: str = "0", **changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "s": "BTCUSDT", "c": "t-1", "S": "BUY", "o": "MARKET", "f": "GTC", "q": "1.000", "p": "0", "ap": "100", "sp": "0",
        "x": kind, "X": status, "i": 77, "l": "0", "z": filled, "L": "0", "T": START_MS, "t": 0, "m": False, "R": False,
        "ot": "MARKET", "ps": "BOTH",
    }  # fmt: skip
    return {"e": "ORDER_TRADE_UPDATE", "E": START_MS, "T": START_MS, "o": body | changes}


def algo(status: str = "NEW", became: str = "", **changes: object) -> dict[str, object]:
    body: dict[str, object] = {
        "caid": "t-1", "aid": 9, "at": "CONDITIONAL", "o": "STOP_MARKET", "s": "BTCUSDT", "S": "BUY", "ps": "BOTH", "f": "GTC",
        "q": "1.000", "X": status, "ai": became, "ap": "0", "aq": "0", "tp": "110", "p": "0", "R": False, "rm": "",
    }  # fmt: skip
    return {"e": "ALGO_UPDATE", "T": START_MS, "E": START_MS, "o": body | changes}


def algo_row(status: str = "NEW", became: str = "", **changes: object) -> dict[str, object]:
    told: dict[str, object] = {
        "algoId": 9, "clientAlgoId": "t-1", "algoType": "CONDITIONAL", "orderType": "STOP_MARKET", "symbol": "BTCUSDT",
        "side": "BUY", "quantity": "1.000", "algoStatus": status, "triggerPrice": "110", "actualOrderId": became,
        "createTime": START_MS, "updateTime": START_MS,
    }  # fmt: skip
    return told | changes


def _named(order_id: str) -> dict[str, object]:
    return row(clientOrderId=order_id, orderId=int(order_id[2:]))


def told(session: ScriptedSession, order_id: str = "t-1") -> list[OrderStatus]:
    return [order.status for order in session.heard.reports(order_id)]


def reason(session: ScriptedSession) -> str:
    return session.heard.of(OrderData)[-1].reason


def play(story: Story, product: Product = Product.SPOT, **parts: object) -> ScriptedSession:
    """Play a story with an Orders on a scripted session, then end whatever still runs."""
    session = ScriptedSession(product, (btcusdt(product),))

    async def whole() -> None:
        orders = Orders(session.adapter, session, **parts)  # type: ignore[arg-type]
        await story(session, orders)
        await session.settle()
        await session.end()

    run(whole)
    return session


# --- what does not leave ------------------------------------------------------------------------------------------------


def test_an_id_is_sent_once_however_often_and_how_closely_it_is_asked_for() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        await asyncio.gather(*(orders.place(approved()) for _ in range(3)))
        await orders.place(approved())

    session = play(story)
    assert len(session.asked("privatePostOrder")) == 1
    assert told(session) == [S.ACCEPTED]
    assert len(session.heard.of(RequestFailed)) == 3


def test_an_id_of_the_venues_list_is_not_sent_again() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        orders.note_listed((orders._queries.codec.order_row(row(), 1)[0],))
        await orders.place(approved())

    session = play(story)
    assert session.calls == []
    assert "never sent twice" in session.heard.of(RequestFailed)[0].error


def test_an_order_without_a_link_or_for_an_unknown_instrument_is_denied() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        await orders.place(approved("t-2", instrument_id="NOPE.BINANCE"))
        session.linked = False
        await orders.place(approved())

    session = play(story)
    assert [order.rule for order in session.heard.of(OrderData)] == ["instrument", "not_connected"]
    assert session.calls == []


def test_a_closed_permit_denies_with_its_reason_and_the_id_may_be_asked_for_again() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        session.permit.close("kill switch")
        await orders.place(approved())
        await orders.place(approved())

    session = play(story)
    assert [(order.status, order.rule, order.reason) for order in session.heard.of(OrderData)] == [
        (S.DENIED, "send_permit", "kill switch")
    ] * 2
    assert session.calls == []


def test_an_order_that_never_left_the_session_is_denied_by_its_rule() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", NotSent("rate_limited", "nothing is sent for 9 s"))
        await orders.place(approved())

    session = play(story)
    assert [(order.status, order.rule) for order in session.heard.of(OrderData)] == [(S.DENIED, "rate_limited")]


def test_what_binance_cannot_express_is_denied_with_its_terms() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        await orders.place(approved(time_in_force=TimeInForce.DAY))

    session = play(story)
    (denied,) = session.heard.of(OrderData)
    assert (denied.status, denied.rule, denied.quantity, denied.price) == (S.DENIED, "time_in_force", 1.0, 100.0)


def test_a_market_order_above_its_lot_is_denied() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        await orders.place(approved(order_type=OrderType.MARKET, price_units=0))

    session = play(story, market_lots={SPOT.instrument_id: MarketLot(0, 50_000_000, 1_000)})
    assert session.heard.of(OrderData)[0].rule == "market_lot"


def test_above_the_leverage_limit_only_what_reduces_may_leave() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        orders.leverage = Leverage(session, 3)  # type: ignore[arg-type]
        session.reply("fapiPrivateGetSymbolConfig", [{"symbol": "BTCUSDT", "leverage": 20}])
        session.reply("fapiPrivatePostOrder", lambda asked: _named(asked["newClientOrderId"]))
        await orders.place(contract_order())
        await orders.place(contract_order("t-2", reduces=True))
        orders.leverage.hear({"e": "ACCOUNT_CONFIG_UPDATE", "ac": {"s": "BTCUSDT", "l": 3}})
        await orders.place(contract_order("t-3"))

    session = play(story, Product.PERPETUAL)
    (denied,) = session.heard.reports("t-1")
    assert (denied.status, denied.rule) == (S.DENIED, "max_leverage")
    assert "set BTCUSDT to 3x or less" in denied.reason
    assert told(session, "t-2") == told(session, "t-3") == [S.ACCEPTED]
    assert len(session.asked("fapiPrivateGetSymbolConfig")) == 1


def test_a_trailing_stop_is_measured_by_the_last_price() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("publicGetTickerPrice", {"symbol": "BTCUSDT", "price": "100.00"})
        session.reply("privatePostOrder", row(type="STOP_LOSS", trailingDelta=100, price="0"))
        await orders.place(approved(order_type=OrderType.TRAILING_STOP, price_units=0, trailing_offset_units=100))
        await orders.place(approved("t-2", order_type=OrderType.TRAILING_STOP, price_units=0, trailing_offset_units=0))

    session = play(story)
    assert session.asked("privatePostOrder")[0]["trailingDelta"] == "100"
    assert told(session) == [S.ACCEPTED]
    assert session.heard.reports("t-2")[0].rule == "trailing_offset"


# --- what the venue answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "refusal",
    [
        VenueRejected("binance", "-2010", "Account has insufficient balance for requested action."),
        LoginFailed("binance", "-2015", "Invalid API-key, IP, or permissions for action."),
        RateLimited("binance", "-1015", "Too many new orders.", 10.0),
    ],
)
def test_a_refusal_is_rejected_with_code_and_words(refusal: VenueRejected) -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", refusal)
        await orders.place(approved())

    session = play(story)
    (rejected,) = session.heard.of(OrderData)
    assert (rejected.status, rejected.rule) == (S.REJECTED, refusal.code)
    assert rejected.reason.startswith(refusal.text)


ANSWER = row("FILLED", "1", fills=[fill_of(1, "0.2"), fill_of(2, "0.8")])
EVENTS = [report("NEW", "NEW"), traded(1, "0.2", "0.2"), traded(2, "0.8", "1")]


@pytest.mark.parametrize("before", range(4))
def test_answer_and_stream_tell_a_fill_once_whichever_comes_first(before: int) -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        def answer(_asked: Params) -> object:
            for event in EVENTS[:before]:
                orders.hear({"subscriptionId": 0, "event": event})
            return ANSWER

        session.reply("privatePostOrder", answer)
        await orders.place(approved())
        for event in EVENTS[before:] + EVENTS:
            orders.hear(event)

    session = play(story)
    told_filled = [order.filled_quantity for order in session.heard.reports("t-1")]
    assert told_filled == ([0.0, 1.0] if before < 2 else [0.0, 0.2, 1.0])
    assert (told(session)[0], told(session)[-1]) == (S.ACCEPTED, S.FILLED)
    assert [fill.trade_id for fill in session.heard.of(TradeData)] == ["1", "2"]


def test_partial_fills_of_the_stream_are_told_one_by_one() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        await orders.place(approved())
        for event in (traded(1, "0.2", "0.2"), traded(2, "0.3", "0.5"), traded(3, "0.5", "1")):
            orders.hear(event)

    session = play(story)
    assert [order.filled_quantity for order in session.heard.reports("t-1")] == [0.0, 0.2, 0.5, 1.0]
    assert told(session) == [S.ACCEPTED, S.PARTIALLY_FILLED, S.PARTIALLY_FILLED, S.FILLED]


def test_fills_that_the_stream_does_not_bring_are_asked_for() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostOrder", row("FILLED", "1", type="MARKET", price="0"))
        listed = {
            "symbol": "BTCUSDT", "id": 5, "orderId": 28, "price": "100", "qty": "1", "commission": "0.04",
            "commissionAsset": "USDT", "time": START_MS, "buyer": True, "maker": False,
        }  # fmt: skip
        session.reply("fapiPrivateGetUserTrades", [listed])
        await orders.place(contract_order(order_type=OrderType.MARKET, price_units=0))
        assert session.asked("fapiPrivateGetUserTrades") == []
        await session.advance(2.5)

    session = play(story, Product.PERPETUAL)
    assert session.asked("fapiPrivateGetUserTrades") == [{"symbol": "BTCUSDT", "orderId": "28", "limit": "1000"}]
    assert [fill.trade_id for fill in session.heard.of(TradeData)] == ["5"]


def test_the_fills_of_an_order_with_many_are_asked_for_page_by_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order_queries, "FILLS_PAGE", 2)
    listed = [
        {
            "symbol": "BTCUSDT", "id": number, "orderId": 28, "price": "100", "qty": "0.2", "commission": "0.01",
            "commissionAsset": "USDT", "time": START_MS, "buyer": True, "maker": False,
        }
        for number in (3, 5, 6, 8, 9)
    ]  # fmt: skip

    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostOrder", row("FILLED", "1", type="MARKET", price="0"))
        newest, pages = listed[-2:], (listed[:2], listed[2:4], listed[4:])
        session.reply("fapiPrivateGetUserTrades", newest, *pages)
        await orders.place(contract_order(order_type=OrderType.MARKET, price_units=0))
        await session.advance(2.5)

    session = play(story, Product.PERPETUAL)
    firsts = [asked.get("fromId") for asked in session.asked("fapiPrivateGetUserTrades")]
    assert firsts == [None, "1", "6", "9"]
    assert [fill.trade_id for fill in session.heard.of(TradeData)] == ["3", "5", "6", "8", "9"]


def test_an_order_of_another_client_is_told_with_its_own_id() -> None:
    async def story(_session: ScriptedSession, orders: Orders) -> None:
        orders.hear(report("NEW", "NEW", c="web-7"))
        orders.hear({**traded(1, "1", "1"), "c": "web-7"})
        assert orders.hear({"e": "balanceUpdate"}) is False

    session = play(story)
    assert told(session, "web-7") == [S.ACCEPTED, S.FILLED]
    assert session.heard.fills("web-7")[0].trade_id == "1"


def test_an_event_that_cannot_be_read_is_reported_and_its_order_asked_for() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        session.reply("privateGetOrder", row("CANCELED"))
        await orders.place(approved())
        assert orders.hear(report("CANCELED", "CANCELED", q="NaN")) is True

    session = play(story)
    assert told(session) == [S.ACCEPTED, S.CANCELLED]
    assert session.heard.of(RequestFailed)[0].what == "user event executionReport"


# --- silence --------------------------------------------------------------------------------------------------------------

SILENCE = [
    UnknownOutcome("binance", "-1007", "Timeout waiting for response from backend server."),
    RequestTimedOut("binance", "timeout", "no answer"),
    ConnectionLost("binance", "reset", "connection reset"),
]
GONE = VenueRejected("binance", "-2013", "Order does not exist.")


@pytest.mark.parametrize("silence", SILENCE)
def test_an_order_without_an_answer_is_unknown_then_found_and_never_sent_again(silence: Exception) -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", silence)
        session.reply("privateGetOrder", RequestTimedOut("binance", "timeout", "no answer"), GONE, row("NEW"))
        await orders.place(approved())
        await session.advance(2)
        assert orders.unknown == frozenset()

    session = play(story)
    assert told(session) == [S.UNKNOWN, S.ACCEPTED]
    assert len(session.asked("privatePostOrder")) == 1
    assert session.asked("privateGetOrder")[0] == {"symbol": "BTCUSDT", "origClientOrderId": "t-1"}


def test_an_answer_that_speaks_of_another_order_leaves_the_outcome_unknown() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row(clientOrderId="somebody-else"))
        await orders.place(approved())

    assert told(play(story)) == [S.UNKNOWN]


def test_an_id_that_the_venue_has_already_is_asked_for_and_not_called_rejected() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", VenueRejected("binance", "-2010", "Duplicate order sent."))
        session.reply("privateGetOrder", row("NEW"))
        await orders.place(approved())

    assert told(play(story)) == [S.UNKNOWN, S.ACCEPTED]


def test_the_user_stream_resolves_an_unknown_order_too() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", SILENCE[0])
        session.reply("privateGetOrder", SILENCE[1])
        await orders.place(approved())
        orders.hear(report("NEW", "NEW"))
        await session.advance(1)
        assert orders.unknown == frozenset()

    assert told(play(story)) == [S.UNKNOWN, S.ACCEPTED]


def test_not_found_is_believed_only_past_the_bound_and_with_the_lists_agreeing() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", SILENCE[0])
        session.reply("privateGetOrder", GONE)
        session.reply("privateGetOpenOrders", [row(clientOrderId="other")])
        session.reply("privateGetAllOrders", [row("CANCELED", clientOrderId="other")])
        await orders.place(approved())
        await session.advance(BOUND_S - 1)
        assert told(session) == [S.UNKNOWN]
        await session.advance(20)
        assert orders.unknown == frozenset()

    session = play(story)
    assert told(session) == [S.UNKNOWN, S.DENIED]
    last = session.heard.reports("t-1")[-1]
    assert (last.rule, last.filled_quantity) == ("never_reached_market", 0.0)
    assert "never reached the market: not found by" in last.reason
    assert len(session.asked("privatePostOrder")) == 1
    assert len(session.asked("privateGetOrder")) < 20


def test_an_order_that_only_a_list_knows_is_found_there() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", SILENCE[0])
        session.reply("privateGetOrder", GONE)
        session.reply("privateGetOpenOrders", [])
        session.reply("privateGetAllOrders", [row("FILLED", "1")])
        session.reply("privateGetMyTrades", [])
        await orders.place(approved())
        await session.advance(BOUND_S + 20)

    assert told(play(story)) == [S.UNKNOWN, S.ACCEPTED, S.FILLED]


def test_an_order_of_an_earlier_run_is_asked_for_since_it_was_written_and_never_sent() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privateGetOrder", GONE)
        session.reply("privateGetOpenOrders", [])
        session.reply("privateGetAllOrders", [])
        orders.recover(approved(), (START_MS - 7_200_000) * 1_000_000)
        await orders.place(approved())
        await session.advance(BOUND_S - 1)
        assert told(session) == [S.UNKNOWN]
        await session.advance(20)

    session = play(story)
    assert told(session) == [S.UNKNOWN, S.DENIED]
    assert session.asked("privatePostOrder") == []
    assert session.asked("privateGetAllOrders")[0]["startTime"] == str(START_MS - 7_200_000 - 60_000)


@pytest.mark.parametrize("earlier", [True, False])
def test_only_of_an_order_of_this_run_the_stream_must_tell_what_was_found_by_asking(earlier: bool) -> None:
    taken: list[int] = []

    async def story(session: ScriptedSession, orders: Orders) -> None:
        orders.tell_taken(taken.append)
        session.reply("privateGetOrder", row("CANCELED"))
        session.reply("privatePostOrder", SILENCE[0])
        if earlier:
            orders.recover(approved(), (START_MS - 7_200_000) * 1_000_000)
        else:
            await orders.place(approved())
        await session.advance(20)

    assert told(play(story))[-1] is S.CANCELLED
    assert bool(taken) is not earlier


def test_without_a_bound_an_order_stays_unknown_for_ever() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        unbounded = msgspec.structs.replace(session.adapter.capabilities, unknown_bound_s=0.0)
        session.adapter.capabilities = unbounded  # type: ignore[misc]
        session.reply("privatePostOrder", SILENCE[0])
        session.reply("privateGetOrder", GONE)
        await orders.place(approved())
        await session.advance(300)
        assert orders.unknown == {"t-1"}

    assert told(play(story)) == [S.UNKNOWN]


def test_while_the_link_is_lost_nothing_is_asked_and_the_return_asks_at_once() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", SILENCE[2])
        session.reply("privateGetOrder", SILENCE[2], row("NEW"))
        await orders.place(approved())
        await session.settle()
        session.linked = False
        await session.advance(60)
        assert len(session.asked("privateGetOrder")) == 1
        session.linked = True
        await orders.resolve_unknown()
        assert told(session) == [S.UNKNOWN, S.ACCEPTED]

    play(story)


def test_an_open_order_that_the_venue_no_longer_lists_is_asked_for() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        session.reply("privateGetOrder", row("CANCELED"))
        await orders.place(approved())
        orders.note_listed(())
        await orders.resolve_unknown()

    assert told(play(story)) == [S.ACCEPTED, S.CANCELLED]


def test_an_order_under_way_when_the_adapter_closes_is_unknown() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        never: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        session.reply("privatePostOrder", lambda _asked: never)
        placing = asyncio.ensure_future(orders.place(approved()))
        await session.settle()
        placing.cancel()
        await asyncio.gather(placing, return_exceptions=True)

    assert told(play(story)) == [S.UNKNOWN]


def test_an_order_that_waits_for_what_must_be_known_first_is_denied_when_the_adapter_closes() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivateGetSymbolConfig", lambda _asked: asyncio.get_running_loop().create_future())
        session.reply("fapiPrivatePostOrder", _named("t-1"))
        orders.leverage = Leverage(session, 3)  # type: ignore[arg-type]
        placing = asyncio.ensure_future(orders.place(contract_order()))
        await session.settle()
        placing.cancel()
        await asyncio.gather(placing, return_exceptions=True)
        assert not orders.tracker.knows("t-1")

    session = play(story, Product.PERPETUAL)
    assert [(order.status, order.rule) for order in session.heard.of(OrderData)] == [(S.DENIED, "not_sent")]
    assert session.asked("fapiPrivatePostOrder") == []


def test_an_order_is_told_of_though_its_answer_is_taken_in_a_way_that_fails() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", LookupError("nobody listed this"))
        session.reply("privateGetOrder", row("NEW"))
        with pytest.raises(LookupError):
            await orders.place(approved())
        await session.advance(1)

    assert told(play(story)) == [S.UNKNOWN, S.ACCEPTED]


def test_an_order_is_asked_for_again_over_the_next_link_though_asking_was_broken_off() -> None:
    async def broken_off(_asked: Params) -> None:
        raise asyncio.CancelledError

    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", SILENCE[0])
        session.reply("privateGetOrder", broken_off, SILENCE[2], SILENCE[2], row("NEW"))
        await orders.place(approved())
        await session.advance(10)
        assert len(session.asked("privateGetOrder")) == 1
        await orders.resolve_unknown()
        await session.advance(1)
        await orders.resolve_unknown()

    session = play(story)
    assert told(session) == [S.UNKNOWN, S.ACCEPTED]
    assert len(session.asked("privateGetOrder")) == 4
    assert len([task for task in session.tasks if "ask for" in task.get_name()]) == 2


def test_an_order_that_reduces_does_not_wait_until_its_contract_is_set_up() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        async def never(_instrument_id: str) -> None:
            await asyncio.get_running_loop().create_future()

        orders.prepare = never
        session.reply("fapiPrivatePostOrder", lambda asked: _named(asked["newClientOrderId"]))
        opening = asyncio.ensure_future(orders.place(contract_order("t-1")))
        await orders.place(contract_order("t-2", reduces=True, reduce_only=True))
        assert [asked["newClientOrderId"] for asked in session.asked("fapiPrivatePostOrder")] == ["t-2"]
        opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)

    play(story, Product.PERPETUAL)


# --- cancelling -----------------------------------------------------------------------------------------------------------


def request(order_id: str = "t-1", product: Product = Product.SPOT) -> CancelRequest:
    return CancelRequest(order_id, "ours", btcusdt(product).instrument_id)


def test_a_cancel_names_our_id_passes_a_closed_permit_and_is_told_once() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        session.reply("privateDeleteOrder", row("CANCELED", clientOrderId="c9", origClientOrderId="t-1"))
        await orders.place(approved())
        session.permit.close("kill switch")
        await orders.cancel(request())
        orders.hear(report("CANCELED", "CANCELED", c="c9", C="t-1"))

    session = play(story)
    assert session.asked("privateDeleteOrder") == [{"symbol": "BTCUSDT", "origClientOrderId": "t-1"}]
    assert told(session) == [S.ACCEPTED, S.CANCELLED]


def test_a_cancel_of_an_order_under_way_waits_for_its_answer() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        session.reply("privatePostOrder", lambda _asked: answer)
        session.reply("privateDeleteOrder", row("CANCELED"))
        placing = asyncio.ensure_future(orders.place(approved()))
        await session.settle()
        cancelling = asyncio.ensure_future(orders.cancel(request()))
        await session.settle()
        assert session.asked("privateDeleteOrder") == []
        answer.set_result(row())
        await asyncio.gather(placing, cancelling)

    session = play(story)
    assert told(session) == [S.ACCEPTED, S.CANCELLED]
    assert session.heard.of(RequestFailed) == []


@pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])
def test_a_cancel_of_an_unknown_order_is_one_failed_request(product: Product) -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        for endpoint in ("privateDeleteOrder", "fapiPrivateDeleteOrder", "fapiPrivateDeleteAlgoOrder"):
            session.reply(endpoint, VenueRejected("binance", "-2011", "Unknown order sent."))
        await orders.cancel(request("never-sent", product))
        await orders.cancel(CancelRequest("x", "ours", "NOPE.BINANCE"))

    session = play(story, product)
    assert [failed.what for failed in session.heard.of(RequestFailed)] == ["cancel of never-sent", "cancel of x"]
    assert session.heard.of(OrderData) == []


def test_a_cancel_without_an_answer_is_followed_by_a_query() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        session.reply("privateDeleteOrder", VenueRejected("binance", "-1007", "Timeout"))
        session.reply("privateGetOrder", row("NEW"), row("CANCELED"))
        await orders.place(approved())
        await orders.cancel(request())
        assert "still open" in session.heard.of(RequestFailed)[0].error
        await orders.cancel(request())

    session = play(story)
    assert told(session) == [S.ACCEPTED, S.CANCELLED]
    assert len(session.heard.of(RequestFailed)) == 1


def test_a_refused_cancel_of_an_order_we_hold_to_be_open_asks_what_became_of_it() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privatePostOrder", row())
        session.reply("privateDeleteOrder", VenueRejected("binance", "-2011", "Unknown order sent."))
        session.reply("privateGetOrder", row("FILLED", "1"))
        session.reply("privateGetMyTrades", [])
        await orders.place(approved())
        await orders.cancel(request())

    session = play(story)
    assert told(session) == [S.ACCEPTED, S.FILLED]
    assert len(session.heard.of(RequestFailed)) == 1


def test_a_cancel_by_the_venues_number_is_of_an_order_without_an_id() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("privateDeleteOrder", row("CANCELED", clientOrderId="", orderId=31))
        await orders.cancel(request("venue31"))

    session = play(story)
    assert session.asked("privateDeleteOrder") == [{"symbol": "BTCUSDT", "orderId": "31"}]
    assert told(session, "venue31")[-1] is S.CANCELLED


# --- conditional orders of USD-M ------------------------------------------------------------------------------------------

SPAWNED = [update("NEW", "NEW"), update("TRADE", "FILLED", "1.000", t=5, l="1.000", L="100", n="0.04", N="USDT")]


@pytest.mark.parametrize("own_id", ["t-1", "autogenerated"])
@pytest.mark.parametrize("late", [False, True])
def test_what_a_conditional_order_became_is_told_under_the_desks_id(own_id: str, late: bool) -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostAlgoOrder", algo_row())
        session.reply("fapiPrivateGetAlgoOrder", algo_row("TRIGGERED", "77"))
        session.reply("fapiPrivateGetOrder", GONE)
        await orders.place(stop())
        spawned = [msgspec.json.decode(msgspec.json.encode(event)) for event in SPAWNED]
        for event in spawned:
            event["o"]["c"] = own_id
        told_by = [algo(), algo("TRIGGERING"), algo("TRIGGERED", "77")]
        done = algo("FINISHED", "77", aq="1.000", ap="100")
        for event in [*spawned, *told_by] if late else [*told_by, *spawned]:
            orders.hear(event)
        await session.settle()
        orders.hear(done)

    session = play(story, Product.PERPETUAL)
    assert {order.order_id for order in session.heard.of(OrderData)} == {"t-1"}
    assert told(session) == [S.ACCEPTED, S.FILLED]
    assert [fill.trade_id for fill in session.heard.fills("t-1")] == ["5"]
    assert session.asked("fapiPrivatePostAlgoOrder")[0]["clientAlgoId"] == "t-1"


def test_a_report_that_no_conditional_order_became_is_another_clients() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostAlgoOrder", algo_row())
        session.reply("fapiPrivateGetAlgoOrder", algo_row())
        await orders.place(stop())
        orders.hear(update("NEW", "NEW", c="web-1", i=99))
        await session.settle()

    session = play(story, Product.PERPETUAL)
    assert told(session, "web-1") == told(session, "t-1") == [S.ACCEPTED]


@pytest.mark.parametrize("by", ["stream", "list"])
def test_a_cancel_waits_for_no_answer_once_its_order_is_heard_of(by: str) -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        answer: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        session.reply("privatePostOrder", lambda _asked: answer)
        session.reply("privateDeleteOrder", row("CANCELED"))
        placing = asyncio.ensure_future(orders.place(approved()))
        await session.settle()
        early = asyncio.ensure_future(orders.cancel(request()))
        await session.settle()
        assert session.asked("privateDeleteOrder") == []
        if by == "stream":
            orders.hear(report("NEW", "NEW"))
        else:
            orders.note_listed((orders._queries.codec.order_row(row(), 1)[0],))
        await early
        await orders.cancel(request())
        assert len(session.asked("privateDeleteOrder")) == 2
        answer.set_result(row())
        await placing

    assert told(play(story))[-1] is S.CANCELLED


def test_a_conditional_order_that_triggered_just_before_its_cancel_is_cancelled_as_what_it_became() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostAlgoOrder", algo_row())
        session.reply("fapiPrivateDeleteAlgoOrder", VenueRejected("binance", "-2011", "Unknown order sent."))
        session.reply("fapiPrivateGetAlgoOrder", algo_row("TRIGGERED", "77"))
        session.reply("fapiPrivateGetOrder", row(clientOrderId="auto", orderId=77))
        session.reply("fapiPrivateDeleteOrder", row("CANCELED", clientOrderId="auto", orderId=77))
        await orders.place(stop())
        await orders.cancel(request(product=Product.PERPETUAL))

    session = play(story, Product.PERPETUAL)
    assert session.asked("fapiPrivateDeleteOrder") == [{"symbol": "BTCUSDT", "orderId": "77"}]
    assert told(session) == [S.ACCEPTED, S.CANCELLED]
    assert session.heard.of(RequestFailed) == []


def test_a_waiting_conditional_order_is_cancelled_by_its_own_endpoint_and_its_state_asked_for() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostAlgoOrder", algo_row())
        session.reply(
            "fapiPrivateDeleteAlgoOrder", {"algoId": 9, "clientAlgoId": "t-1", "code": "200", "msg": "success"}
        )
        session.reply("fapiPrivateGetAlgoOrder", algo_row("CANCELED"))
        await orders.place(stop())
        await orders.cancel(request(product=Product.PERPETUAL))
        orders.hear(algo("CANCELED"))

    session = play(story, Product.PERPETUAL)
    assert told(session) == [S.ACCEPTED, S.CANCELLED]
    assert session.asked("fapiPrivateDeleteAlgoOrder") == [{"clientAlgoId": "t-1"}]


def test_a_triggered_conditional_order_is_cancelled_as_what_it_became() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostAlgoOrder", algo_row())
        session.reply("fapiPrivateDeleteAlgoOrder", VenueRejected("binance", "-2011", "Unknown order sent."))
        session.reply("fapiPrivateDeleteOrder", row("CANCELED", clientOrderId="auto", orderId=77))
        await orders.place(stop())
        orders.hear(algo("TRIGGERED", "77"))
        await orders.cancel(request(product=Product.PERPETUAL))

    session = play(story, Product.PERPETUAL)
    assert session.asked("fapiPrivateDeleteOrder") == [{"symbol": "BTCUSDT", "orderId": "77"}]
    assert told(session) == [S.ACCEPTED, S.CANCELLED]


def test_an_unknown_conditional_order_is_asked_for_where_such_orders_are() -> None:
    async def story(session: ScriptedSession, orders: Orders) -> None:
        session.reply("fapiPrivatePostAlgoOrder", SILENCE[0])
        session.reply("fapiPrivateGetAlgoOrder", GONE)
        for endpoint in ("OpenOrders", "AllOrders", "OpenAlgoOrders", "AllAlgoOrders"):
            session.reply(f"fapiPrivateGet{endpoint}", [])
        await orders.place(stop())
        await session.advance(BOUND_S + 20)

    session = play(story, Product.PERPETUAL)
    assert told(session) == [S.UNKNOWN, S.DENIED]
    assert "never reached the market" in reason(session)
    assert session.asked("fapiPrivateGetOrder") == []
