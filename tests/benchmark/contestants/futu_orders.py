"""From the wish for an order to its acknowledgement at Futu: ours, to the fact in the engine, and the SDK's own place_order.

Both in this process, the exchange in another one; one order after the other, each of which rests far below the market.
"""

import queue
import time
from itertools import count
from random import Random

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.futu.adapter import FutuAdapter
from foxtrot.adapter.futu.sdk import load_sdk
from foxtrot.core.clock import SystemClock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder, OrderData
from foxtrot.exchange.listings import listing
from tests.benchmark.contestants.futu_line import PATIENCE_S, Process
from tests.support.futu_market_rig import HK

ACCOUNT = 1_000_001
"""The first account with paper money."""
WARM_UP = 10
_names = count(1)


def ours(venue: Process, orders: int) -> list[float]:
    """Milliseconds from send_order to the fact that the order is accepted, in the engine's handler."""
    engine, heard = EventEngine(), queue.SimpleQueue[OrderData]()
    ready = queue.SimpleQueue[AdapterState]()

    def order_told(fact: OrderData) -> None:
        if fact.status is not OrderStatus.SUBMITTED:
            heard.put(fact)

    def status_told(fact: AdapterStatus) -> None:
        if fact.state is AdapterState.READY:
            ready.put(fact.state)

    engine.dispatcher.subscribe(OrderData, order_told, owner="s")
    engine.dispatcher.subscribe(AdapterStatus, status_told, owner="s")
    engine.start()
    settings = {"port": venue.port, "account_id": ACCOUNT, "always_open": True, "orders_per_30_s": 1_000}
    context = AdapterContext("ours", engine, SendPermit(), SystemClock(), settings, {}, "simulate")
    adapter = FutuAdapter(context, Random(1))
    adapter.connect()
    ready.get(timeout=PATIENCE_S)
    took_ms = []
    for _ in range(WARM_UP + orders):
        order, began_s = _order(context.clock.now_ns()), time.perf_counter()
        adapter.send_order(order)
        told = heard.get(timeout=PATIENCE_S)
        took_ms.append((time.perf_counter() - began_s) * 1e3)
        assert (told.order_id, told.status) == (order.order_id, OrderStatus.ACCEPTED), told
    adapter.close()
    engine.stop()
    return took_ms[WARM_UP:]


def sdk_alone(venue: Process, orders: int) -> list[float]:
    """Milliseconds that place_order takes."""
    futu = load_sdk(None).futu
    context = futu.OpenSecTradeContext(filter_trdmarket="HK", host="127.0.0.1", port=venue.port)
    took_ms = []
    for _ in range(WARM_UP + orders):
        began_s = time.perf_counter()
        ret, text = context.place_order(
            price=300.0, qty=100, code="HK.00700", trd_side="BUY", trd_env="SIMULATE", acc_id=ACCOUNT
        )
        took_ms.append((time.perf_counter() - began_s) * 1e3)
        assert ret == 0, text
    context.close()
    return took_ms[WARM_UP:]


def _order(now_ns: int) -> ApprovedOrder:
    stock = listing(HK)
    units = stock.price_grid.from_decimal("300")
    return ApprovedOrder(
        f"b-{next(_names)}", "bench", "ours", HK, Side.BUY, OrderType.LIMIT, 100, units, 0, TimeInForce.DAY,
        False, False, PositionSide.NET, 0, 0, 0, now_ns, False,
    )  # fmt: skip
