"""A venue of one market that a script lets go wrong: what it does with one request, how it fills, and how far its answers lag.

It speaks Binance's spot rows and events, so that the adapter's own codec reads them.
"""

import enum
from collections.abc import Callable
from typing import NamedTuple

from foxtrot.core.clock import ManualClock

SECOND = 1_000_000_000
RECEIVE_WINDOW_NS = 5 * SECOND
GIVEN_UP_NS = 10 * SECOND
"""When the client stops waiting for an answer."""
QUANTITY = 1.0
PRICE = "100.00"
START_USDT, START_BTC = 1_000_000.0, 0.0
Row = dict[str, object]


class Fault(enum.Enum):
    """What happens to the first request that places an order: when it arrives, when it is carried out, what is heard of it."""

    NONE = "answered"
    NEVER_LEFT = "refused before a byte left"
    REQUEST_LOST = "never arrives, no answer"
    ANSWER_LOST = "carried out, connection lost at once"
    ANSWER_LATE = "carried out, no answer in time"
    ARRIVES_LATE = "arrives after 4 s, no answer"
    TOO_OLD = "arrives after 12 s, refused by its age"
    ENGINE_LATE = "arrives, carried out after 9 s, -1007 heard"
    ERROR_DONE = "503 of unknown outcome, carried out"
    GARBAGE_DONE = "HTML in place of the answer, carried out"


class Fill(enum.Enum):
    """How the order trades once it is in the book."""

    RESTS = "rests"
    AT_ONCE = "whole at once"
    IN_PARTS = "0.4 at once, 0.6 six seconds later"
    LATE = "whole after 8 s"


PARTS: dict[Fill, tuple[tuple[int, float], ...]] = {
    Fill.RESTS: (),
    Fill.AT_ONCE: ((0, 1.0),),
    Fill.IN_PARTS: ((0, 0.4), (6 * SECOND, 0.6)),
    Fill.LATE: ((8 * SECOND, 1.0),),
}


class Trade(NamedTuple):
    """One fill: id, quantity, when."""

    trade_id: int
    quantity: float
    at_ns: int


class Placed:
    """An order that the venue has taken."""

    def __init__(self, order_id: int, client_id: str, at_ns: int) -> None:
        self.order_id = order_id
        self.client_id = client_id
        self.at_ns = at_ns
        self.trades: list[Trade] = []

    def filled(self, until_ns: int) -> float:
        return round(sum(trade.quantity for trade in self.trades if trade.at_ns <= until_ns), 8)


class ScriptedVenue:
    """Takes orders, fills them by script, answers questions about what was some seconds ago, and tells what happens.

    `lag_ns` is by how much its answers are behind its market.
    """

    def __init__(self, clock: ManualClock, fill: Fill, lag_ns: int) -> None:
        self.orders: list[Placed] = []
        self.tell: Callable[[Row], None] = lambda _event: None
        self._clock = clock
        self._fill = fill
        self._lag_ns = lag_ns
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = 0

    def later(self, delay_ns: int, act: Callable[[], None]) -> None:
        """Do something after a time."""
        self._numbers += 1
        self._due.append((self._clock.now_ns() + delay_ns, self._numbers, act))

    def step(self) -> None:
        """Do what is due."""
        now_ns = self._clock.now_ns()
        for entry in sorted(entry for entry in self._due if entry[0] <= now_ns):
            self._due.remove(entry)
            entry[2]()

    def place(self, client_id: str) -> Placed:
        """Take an order; the script fills it. An id is refused only while an order of it is open."""
        now_ns = self._clock.now_ns()
        order = Placed(len(self.orders) + 1, client_id, now_ns)
        self.orders.append(order)
        self.tell(self._event(order, "NEW", None))
        for delay_ns, quantity in PARTS[self._fill]:
            if delay_ns:
                self.later(delay_ns, lambda quantity=quantity: self._trade(order, quantity))  # type: ignore[misc]
            else:
                self._trade(order, quantity)
        return order

    def is_open(self, client_id: str) -> bool:
        """Tell whether an order of an id is open."""
        now_ns = self._clock.now_ns()
        return any(o.client_id == client_id and o.filled(now_ns) < QUANTITY for o in self.orders)

    def total_filled(self) -> float:
        """What all orders together have bought."""
        return round(sum(order.filled(self._clock.now_ns()) for order in self.orders), 8)

    # --- answers ----------------------------------------------------------------------------------------------------

    def seen(self) -> list[Placed]:
        """The orders that a question finds."""
        return [order for order in self.orders if order.at_ns <= self._as_of_ns()]

    def row(self, order: Placed) -> Row:
        """An order as questions tell it."""
        return self._row(order, self._as_of_ns())

    def answer(self, order: Placed) -> Row:
        """An order as the answer to placing it tells it, with its fills."""
        now_ns = self._clock.now_ns()
        fills = [
            {
                "price": PRICE,
                "qty": str(t.quantity),
                "commission": "0",
                "commissionAsset": "USDT",
                "tradeId": t.trade_id,
            }
            for t in order.trades
        ]
        return {**self._row(order, now_ns), "transactTime": now_ns // 1_000_000, "fills": fills}

    def trade_rows(self) -> list[Row]:
        """All fills, as questions tell them."""
        return [
            {
                "symbol": "BTCUSDT", "id": t.trade_id, "orderId": o.order_id, "orderListId": -1, "price": PRICE, "qty": str(t.quantity),
                "quoteQty": str(100 * t.quantity), "commission": "0", "commissionAsset": "USDT", "time": t.at_ns // 1_000_000,
                "isBuyer": True, "isMaker": False, "isBestMatch": True,
            }
            for o in self.orders
            for t in o.trades
            if t.at_ns <= self._as_of_ns()
        ]  # fmt: skip

    def account_row(self) -> Row:
        """Balances, as questions tell them."""
        bought = round(sum(order.filled(self._as_of_ns()) for order in self.orders), 8)
        balances = [
            {"asset": "BTC", "free": f"{START_BTC + bought:.8f}", "locked": "0"},
            {"asset": "USDT", "free": f"{START_USDT - 100 * bought:.8f}", "locked": "0"},
        ]
        return {"updateTime": self._as_of_ns() // 1_000_000, "balances": balances}

    def _as_of_ns(self) -> int:
        return self._clock.now_ns() - self._lag_ns

    def _trade(self, order: Placed, quantity: float) -> None:
        self._numbers += 1
        trade = Trade(self._numbers, quantity, self._clock.now_ns())
        order.trades.append(trade)
        self.tell(self._event(order, "TRADE", trade))

    def _status(self, order: Placed, at_ns: int) -> str:
        filled = order.filled(at_ns)
        return "FILLED" if filled >= QUANTITY else "PARTIALLY_FILLED" if filled else "NEW"

    def _row(self, order: Placed, at_ns: int) -> Row:
        filled = order.filled(at_ns)
        return {
            "symbol": "BTCUSDT", "orderId": order.order_id, "orderListId": -1, "clientOrderId": order.client_id, "price": PRICE,
            "origQty": str(QUANTITY), "executedQty": str(filled), "cummulativeQuoteQty": str(100 * filled),
            "status": self._status(order, at_ns), "timeInForce": "GTC", "type": "LIMIT", "side": "BUY", "stopPrice": "0",
            "time": order.at_ns // 1_000_000, "updateTime": order.at_ns // 1_000_000, "isWorking": True,
        }  # fmt: skip

    def _event(self, order: Placed, kind: str, trade: Trade | None) -> Row:
        now_ns = self._clock.now_ns()
        filled = order.filled(now_ns)
        return {
            "e": "executionReport", "E": now_ns // 1_000_000, "s": "BTCUSDT", "c": order.client_id, "S": "BUY", "o": "LIMIT",
            "f": "GTC", "q": str(QUANTITY), "p": PRICE, "P": "0", "C": "", "x": kind, "X": self._status(order, now_ns), "r": "NONE",
            "i": order.order_id, "l": str(trade.quantity if trade else 0), "z": str(filled), "L": PRICE if trade else "0", "n": "0",
            "N": "USDT", "T": now_ns // 1_000_000, "t": trade.trade_id if trade else -1, "m": False, "Z": str(100 * filled),
        }  # fmt: skip
