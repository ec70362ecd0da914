"""From the wish for an order to its first status at IB: ours, to the fact in the engine, and bare ibapi's, to its callback.

Both in this process, the exchange in another one; one order after the other, each of which rests far below the market and is cancelled.
"""

import queue
import threading
import time
from itertools import count
from random import Random

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.adapter import IbAdapter
from foxtrot.adapter.ib.sdk import load_sdk
from foxtrot.core.clock import SystemClock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData
from foxtrot.exchange.listings import listing
from tests.benchmark.contestants.futu_line import PATIENCE_S, Process
from tests.support.ib_market_rig import AAPL

CLIENT_IDS = count(100)
"""A new one each time: of a client that ibapi has closed its server hears up to a second later."""
WARM_UP = 10
_names = count(1)


def ours(venue: Process, orders: int) -> list[float]:
    """Milliseconds from send_order to the first fact that IB said of the order, in the engine's handler."""
    engine, heard = EventEngine(), queue.SimpleQueue[OrderData]()
    ready = queue.SimpleQueue[AdapterState]()

    def status_told(fact: AdapterStatus) -> None:
        if fact.state is AdapterState.READY:
            ready.put(fact.state)

    engine.dispatcher.subscribe(OrderData, heard.put, owner="s")
    engine.dispatcher.subscribe(AdapterStatus, status_told, owner="s")
    engine.start()
    settings = {"port": venue.port, "always_open": True, "instruments": AAPL, "messages_per_s": 1_000}
    adapter = IbAdapter(AdapterContext("ours", engine, SendPermit(), SystemClock(), settings, {}), Random(1))
    adapter.connect()
    ready.get(timeout=PATIENCE_S)
    took_ms = []
    for _ in range(WARM_UP + orders):
        order, began_s = _order(adapter.clock.now_ns()), time.perf_counter()
        adapter.send_order(order)
        _until(heard, order.order_id, OrderStatus.ACCEPTED)
        took_ms.append((time.perf_counter() - began_s) * 1e3)
        adapter.cancel_order(CancelRequest(order.order_id, "ours", AAPL))
        _until(heard, order.order_id, OrderStatus.CANCELLED)
    adapter.close()
    engine.stop()
    return took_ms[WARM_UP:]


def ibapi_alone(venue: Process, orders: int) -> list[float]:
    """Milliseconds from placeOrder to the first orderStatus in a callback of ibapi's own classes."""
    load_sdk()
    import ibapi.client
    import ibapi.connection
    import ibapi.contract
    import ibapi.order
    import ibapi.wrapper

    heard, ids = queue.SimpleQueue[tuple[int, str]](), queue.SimpleQueue[int]()

    class Bare(ibapi.wrapper.EWrapper, ibapi.client.EClient):  # type: ignore[misc]
        """The client that IB's documentation begins with."""

        def __init__(self) -> None:
            ibapi.client.EClient.__init__(self, self)

        def nextValidId(self, orderId: int) -> None:  # noqa: N802, N803
            ids.put(orderId)

        def orderStatus(self, orderId: int, status: str, *_more: object) -> None:  # noqa: N802, N803
            heard.put((orderId, status))

    patched, ibapi.client.Connection = ibapi.client.Connection, ibapi.connection.Connection
    app = Bare()
    try:
        app.connect("127.0.0.1", venue.port, next(CLIENT_IDS))
    finally:
        ibapi.client.Connection = patched
    runs = threading.Thread(target=app.run, name="bare ibapi")
    runs.start()
    first = ids.get(timeout=PATIENCE_S)
    contract, order = ibapi.contract.Contract(), ibapi.order.Order()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
    order.action, order.totalQuantity, order.orderType, order.lmtPrice, order.tif = "BUY", 100, "LMT", 150.0, "DAY"
    took_ms = []
    for order_id in range(first, first + WARM_UP + orders):
        began_s = time.perf_counter()
        app.placeOrder(order_id, contract, order)
        while heard.get(timeout=PATIENCE_S)[0] != order_id:
            continue
        took_ms.append((time.perf_counter() - began_s) * 1e3)
        load_sdk().cancel(app, order_id)
        while heard.get(timeout=PATIENCE_S) != (order_id, "Cancelled"):
            continue
    app.disconnect()
    runs.join(5)
    return took_ms[WARM_UP:]


def _until(heard: "queue.SimpleQueue[OrderData]", order_id: str, status: OrderStatus) -> None:
    while True:
        told = heard.get(timeout=PATIENCE_S)
        assert told.status not in (OrderStatus.REJECTED, OrderStatus.DENIED), told
        if (told.order_id, told.status) == (order_id, status):
            return


def _order(now_ns: int) -> ApprovedOrder:
    units = listing(AAPL).price_grid.from_decimal("150")
    return ApprovedOrder(
        f"b-{next(_names)}", "bench", "ours", AAPL, Side.BUY, OrderType.LIMIT, 100, units, 0, TimeInForce.DAY,
        False, False, PositionSide.NET, 0, 0, 0, now_ns, False,
    )  # fmt: skip
