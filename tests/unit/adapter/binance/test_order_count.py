"""Orders do not wait behind questions; they have a count of their own, and what it has no room for does not leave."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from foxtrot.adapter.binance.contracts import Contracts
from foxtrot.adapter.binance.errors import NotSent
from foxtrot.adapter.binance.order_count import LIMITS, OrderCount
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import GateState, OrderStatus, Product
from foxtrot.domain.order import CancelRequest
from tests.support.binance_bench import BinanceBench
from tests.support.scripted_binance import ScriptedSession, run

SECOND_NS = 1_000_000_000


def limit(most: object, number: object = 10, interval: str = "SECOND", kind: str = "ORDERS") -> dict[str, object]:
    return {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": most}


@pytest.mark.parametrize("product", list(LIMITS))
def test_no_more_orders_are_counted_than_binance_takes(product: Product) -> None:
    count = OrderCount(product, counts=True)
    most = LIMITS[product][0].most
    for number in range(most):
        count.take(number)
    with pytest.raises(NotSent, match=rf"{most} orders in 10 s, .* the next in 5\.0 s") as raised:
        count.take(5 * SECOND_NS)
    assert raised.value.rule == "rate_limited"
    count.take(10 * SECOND_NS)
    with pytest.raises(NotSent):
        count.take(10 * SECOND_NS)


def test_an_order_that_did_not_leave_is_given_back_and_whoever_does_not_count_refuses_nothing() -> None:
    count, free = OrderCount(Product.SPOT, counts=True), OrderCount(Product.SPOT, counts=False)
    for number in range(200):
        count.take(number)
        count.give_back(number)
        free.take(number)


@pytest.mark.parametrize(
    "info",
    [None, {}, {"rateLimits": "many"}, {"rateLimits": [1, limit("2"), limit(0), limit(9, 1, "DAY"), limit(9, 1, "MINUTE", "REQUEST_WEIGHT")]}],
)  # fmt: skip
def test_what_tells_no_limit_changes_none(info: object) -> None:
    count = OrderCount(Product.SPOT, counts=True)
    count.learn(info)
    for number in range(50):
        count.take(number)
    with pytest.raises(NotSent):
        count.take(50)


def test_the_limits_of_the_venue_are_learnt_with_its_contracts() -> None:
    session = ScriptedSession()
    session.order_count = OrderCount(Product.SPOT, counts=True)
    session.reply("publicGetExchangeInfo", {"symbols": [], "rateLimits": [limit(2), limit(3, 1, "MINUTE")]})
    run(Contracts(session.adapter, session).load)  # type: ignore[arg-type]
    session.order_count.take(0)
    session.order_count.take(0)
    with pytest.raises(NotSent, match="2 orders in 10 s"):
        session.order_count.take(SECOND_NS)
    session.order_count.take(10 * SECOND_NS)
    with pytest.raises(NotSent, match="3 orders in 60 s"):
        session.order_count.take(30 * SECOND_NS)


# --- over sockets ---------------------------------------------------------------------------------------------------


@pytest.fixture(params=["spot", "usdm"])
def bench(request: pytest.FixtureRequest) -> Iterator[BinanceBench]:
    with BinanceBench(request.param, settings={"rate_limit": True, "max_leverage": 20}) as made:
        made.connect()
        yield made


def test_an_order_and_its_cancel_pass_the_questions_that_wait(bench: BinanceBench) -> None:
    session: Any = bench.adapter.session
    pace = session.exchange.pace
    pace._store.take(bench.clock.monotonic_ns(), 1_000_000)  # nothing that waits would have its turn in this test
    asked = session.bridge.submit(_ask(session))
    bench.wait(lambda: pace.waiting == 1)
    order = bench.order()
    bench.adapter.send_order(order)
    bench.wait(lambda: bool(bench.heard.reports(order.order_id)))
    bench.adapter.cancel_order(CancelRequest(order.order_id, "ours", bench.instrument_id))
    bench.wait(lambda: bench.open_orders() == [])
    assert bench.heard.reports(order.order_id)[0].status is OrderStatus.ACCEPTED
    assert pace.waiting == 1
    assert not asked.done()


async def _ask(session: Any) -> None:
    endpoint = "privateGetOpenOrders" if session.product is Product.SPOT else "fapiPrivateGetOpenOrders"
    await asyncio.wait([asyncio.ensure_future(session.request(endpoint, {}))])


def test_an_order_beyond_the_count_is_denied_at_once_with_the_figure(bench: BinanceBench) -> None:
    bench.adapter.session.order_count.learn({"rateLimits": [limit(3)]})
    orders = [bench.order() for _ in range(4)]
    for order in orders:
        bench.adapter.send_order(order)
    bench.wait(lambda: all(bench.heard.reports(order.order_id) for order in orders))
    told = [bench.heard.reports(order.order_id)[-1] for order in orders]
    denied = [one for one in told if one.status is OrderStatus.DENIED]
    assert [one.rule for one in denied] == ["rate_limited"]
    assert "3 orders in 10 s" in denied[0].reason
    assert len(bench.open_orders()) == 3

    def heard() -> bool:
        bench.advance(0.06)  # the venue holds the first events of a subscription back
        return bench.adapter.health().streams[0].messages > 0

    bench.wait(heard)  # or the jump to come would make the stream a silent one
    bench.advance(10.0)
    last = bench.order()
    bench.adapter.send_order(last)
    bench.wait(lambda: last.order_id in bench.open_orders())


def test_an_order_that_the_permit_stops_takes_no_place(bench: BinanceBench) -> None:
    bench.adapter.session.order_count.learn({"rateLimits": [limit(1)]})
    bench.permit.close("kill switch")
    stopped = bench.order()
    bench.adapter.send_order(stopped)
    bench.wait(lambda: bool(bench.heard.reports(stopped.order_id)))
    bench.permit.allow(GateState.ACTIVE)
    order = bench.order()
    bench.adapter.send_order(order)
    bench.wait(lambda: order.order_id in bench.open_orders())
    assert bench.heard.of(RequestFailed) == []
