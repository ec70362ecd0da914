"""The adapters of the soak in a process of their own, one for each product; what they hold is counted now and then.

    python -m tests.support.soak_client SPOT_PORT USDM_PORT SECONDS SAMPLE_EVERY_S ORDER_EVERY_S paced|free

Writes a sample per line as JSON, the last one after everything was closed.
"""

import asyncio
import gc
import json
import os
import sys
import threading
import time
import tracemalloc
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance import market_data
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import ConnectionLost
from foxtrot.domain.order import ApprovedOrder, CancelRequest, OrderData, TradeData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.soak_exchange import ACCOUNT, KEY, SECRET

BEAT_S = 0.1
PRODUCTS = ("spot", "usdm")


class Counted:
    """An event sink that keeps numbers, the state, and what became of the present order.

    Thread: any one; read by the main thread.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.state: AdapterState | None = None
        self.ready_since = 0.0
        self.order: OrderData | None = None

    def put(self, event: object) -> None:
        """Count an event."""
        self.counts[type(event).__name__] += 1
        if isinstance(event, AdapterStatus):
            self.state = event.state
            self.ready_since = time.monotonic()
            self.counts[event.state.name] += 1
        elif isinstance(event, OrderData):
            self.order = event
            self.counts[event.status.name] += 1
        elif isinstance(event, TradeData):
            self.counts["fills"] += 1


class CountedBoard(StreamBoard):
    """Counts the market frames of all adapters.

    Thread: binance-io; a number that is told late does no harm.
    """

    frames = 0

    def take(self, text: str) -> bool:
        """Count a frame."""
        CountedBoard.frames += 1
        return super().take(text)


class Trader:
    """Places an order far from the market and cancels it; every fourth one trades at the market.

    Thread: main.
    """

    def __init__(self, product: str, port: int, every_s: float, *, paced: bool) -> None:
        self.heard = Counted()
        settings: dict[str, Any] = {"product": product, "port": port, "max_leverage": 20, "rate_limit": paced}
        secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
        context = AdapterContext(
            ACCOUNT, self.heard, SendPermit(), SystemClock(), settings, {}, "loopback", secrets=secrets
        )
        self.adapter = BinanceAdapter(context)
        self._suffix = "BINANCE" if product == "spot" else "BINANCE_USDM"
        self._every_s, self._due_s, self._number = every_s, 0.0, 0
        self._resting = ""

    def start(self) -> None:
        """Connect and wish for every stream."""
        for symbol, changes in (("BTCUSDT", True), ("ETHUSDT", False)):
            wish = SubscribeRequest(f"{symbol}.{self._suffix}", True, True, 20, changes)
            self.adapter.subscribe(wish)
        self.adapter.connect()

    def beat(self) -> None:
        """Cancel what rests, and place what is due, while the link stands."""
        now_s = time.monotonic()
        if self.heard.state is not AdapterState.READY:
            return
        told = self.heard.order
        if self._resting and told is not None and told.order_id == self._resting:
            if told.status is OrderStatus.ACCEPTED:
                self.adapter.cancel_order(CancelRequest(self._resting, ACCOUNT, f"BTCUSDT.{self._suffix}"))
            self._resting = ""
        if now_s >= self._due_s:
            self._due_s = now_s + self._every_s
            self._place()

    def _place(self) -> None:
        name = f"BTCUSDT.{self._suffix}"
        listed = self.adapter.session.instruments[name]
        self._number += 1
        order_id = f"{self.adapter.session.product.name}-{self._number}"
        trades = self._number % 4 == 0
        side = Side.BUY if self._number % 8 < 4 else Side.SELL
        price = 0 if trades else listed.price_grid.from_decimal("57000" if side is Side.BUY else "63000")
        kind = OrderType.MARKET if trades else OrderType.LIMIT
        units = listed.quantity_grid.from_decimal("0.01")
        now_ns = self.adapter.clock.now_ns()
        if not trades:
            self._resting = order_id
        self.adapter.send_order(
            ApprovedOrder(
                order_id, "soak", ACCOUNT, name, side, kind, units, price, 0, TimeInForce.GTC, False, False,
                PositionSide.NET, 0, 0, 0, now_ns, False,
            )
        )  # fmt: skip

    def is_calm(self) -> bool:
        """Tell whether the link has stood for a while and nothing is under way."""
        steady_s = time.monotonic() - self.heard.ready_since
        return self.heard.state is AdapterState.READY and steady_s > 1.0 and not self.adapter.session.busy

    def census(self) -> dict[str, int]:
        """Return how much of everything the adapter holds.

        Blocks: until its loop answers.
        """
        return self.adapter.session.bridge.submit(self._census()).result(10.0)

    async def _census(self) -> dict[str, int]:
        session: Any = self.adapter.session
        orders: Any = self.adapter.trading.orders
        market: Any = self.adapter.market_data
        exchange = session.exchange
        clients = list(exchange.clients.values())
        return {
            "tasks": len(asyncio.all_tasks()),
            "clients": len(clients),
            "futures": sum(len(one.futures) for one in clients),
            "subscriptions": sum(len(one.subscriptions) for one in clients),
            "session_tasks": len(session._tasks),
            "closing": len(session.keeper._closers),
            "streams": len(session.health.streams),
            "topics": len(market._entries),
            "unknown": len(orders.unknown),
            "sent": len(orders._sent),
            "tracked": len(orders.tracker._orders),
            "ccxt_cached": sum(len(rows) for rows in exchange.trades.values()) + len(exchange.orders or ()),
        }


def sample(traders: list[Trader], began_s: float) -> dict[str, Any]:
    """Return what the process holds now."""
    gc.collect()
    row: dict[str, Any] = {
        "at_s": round(time.monotonic() - began_s, 1),
        "rss_kb": _resident_kb(),
        "objects": len(gc.get_objects()),
        "threads": threading.active_count(),
        "sockets": _sockets(),
        "messages": CountedBoard.frames,
    }
    censuses = [trader.census() for trader in traders]
    return row | {key: sum(one[key] for one in censuses) for key in censuses[0]}


def _resident_kb() -> int:
    lines = Path("/proc/self/status").read_text("ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def _sockets() -> int:
    found = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            found += str(descriptor.readlink()).startswith("socket:")
        except FileNotFoundError:  # the descriptor by which the folder itself was read
            continue
    return found


def main(ports: tuple[int, int], seconds: float, sample_every_s: float, order_every_s: float, *, paced: bool) -> None:
    """Run for some seconds, then close."""
    logger.remove()
    logger.add(sys.stderr, level="WARNING")
    market_data.StreamBoard = CountedBoard  # type: ignore[misc]  # for this process
    traced = bool(os.environ.get("FOXTROT_SOAK_TRACE"))
    before = {"threads": threading.active_count(), "sockets": _sockets()}
    traders = [Trader(name, port, order_every_s, paced=paced) for name, port in zip(PRODUCTS, ports, strict=True)]
    for trader in traders:
        trader.start()
    began_s = time.monotonic()
    due_s, first = began_s, None
    pause = threading.Event()
    while (now_s := time.monotonic()) < began_s + seconds:
        pause.wait(BEAT_S)
        for trader in traders:
            trader.beat()
        if now_s >= due_s and all(trader.is_calm() for trader in traders):
            due_s = now_s + sample_every_s
            with suppress(ConnectionLost):  # the link was lost just now
                print(json.dumps(sample(traders, began_s)), flush=True)
        if traced and first is None and now_s > began_s + seconds / 4:
            tracemalloc.start(12)
            first = tracemalloc.take_snapshot()
    if first is not None:
        for grown in tracemalloc.take_snapshot().compare_to(first, "lineno")[:25]:
            print(grown, file=sys.stderr)
    _end(traders, before)


def _end(traders: list[Trader], before: dict[str, int]) -> None:
    overran = [trader.adapter.close(10.0) for trader in traders]
    gc.collect()
    told = sum((trader.heard.counts for trader in traders), Counter())
    left = {"threads": threading.active_count() - before["threads"], "sockets": _sockets() - before["sockets"]}
    print(json.dumps({"end": True, "overran": overran, "left": left, "told": dict(told)}), flush=True)


if __name__ == "__main__":
    main((int(sys.argv[1]), int(sys.argv[2])), *map(float, sys.argv[3:6]), paced=sys.argv[6] == "paced")
