"""A chart over a scripted platform: bars, orders, and the answers to its questions about history."""

import numpy as np

from foxtrot.app.control_requests import (
    ListOrders,
    ListPositions,
    ListTrades,
    NetRow,
    OrderRow,
    Orders,
    Positions,
    TradeRow,
    Trades,
)
from foxtrot.core.clock import ManualClock
from foxtrot.core.commands import AskHistory
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.gui.panels.chart import ChartPanel
from tests.support.builders import SECOND, T0
from tests.support.desktop_rig import ACCOUNT, DesktopRig

ONE = "BTCUSDT.PERP"
MINUTE = 60 * SECOND
NOW = T0 + 400 * MINUTE + 30 * SECOND


def some_bars(first: int, end: int, interval: str = "1m") -> tuple[BarData, ...]:
    """Bars that go up and down around 100."""
    length = Interval.parse(interval).duration_ns
    found = []
    for place in range(first, end):
        close = round(100 + 3 * float(np.sin(place / 9)), 1)
        opened = round(100 + 3 * float(np.sin((place - 1) / 9)), 1)
        high, low = max(close, opened) + 0.2, min(close, opened) - 0.2
        at = T0 + place * length
        found.append(BarData(ONE, interval, at, at + length, opened, high, low, close, 5.0))
    return tuple(found)


def a_row(order_id: str = "o1", owner: str = "manual", **terms: object) -> OrderRow:
    known = {
        "owner": owner, "account": ACCOUNT, "instrument_id": ONE, "side": "buy", "order_type": "limit", "quantity": 1.0,
        "filled": 0.25, "price": 99.0, "trigger_price": 0.0, "status": "accepted", "reduces": False, "cancel_asked": False,
        "venue_order_id": "v", "created_ns": T0, "changed_ns": T0, "unknown_since_ns": None, "reason": "",
    }  # fmt: skip
    return OrderRow(order_id=order_id, **(known | terms))


def answer(rig: DesktopRig, bars: tuple[BarData, ...], error: str = "") -> HistoryLoaded:
    """Answer the last question about history."""
    asked = rig.link.of(AskHistory)[-1]
    assert isinstance(asked, AskHistory)
    request = asked.request
    return HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars, error)


def open_chart(rig: DesktopRig) -> ChartPanel:
    """A chart of 400 minutes with an order, a fill and a position, not shown yet."""
    rig.link.answers[ListOrders] = Orders((a_row(),))
    rig.link.answers[ListTrades] = Trades(
        (TradeRow(T0 + 390 * MINUTE, "t0", "o0", "manual", ACCOUNT, ONE, "sell", 101.0, 1.0, 0, "USDT", "taker"),)  # type: ignore[arg-type]
    )
    rig.link.answers[ListPositions] = Positions((), (NetRow(ACCOUNT, ONE, "net", 2.0, 98.0),))
    made = ChartPanel(rig.desk)
    made.feed._clock = ManualClock(NOW)
    made.resize(900, 600)
    rig.open()
    made.choose_instrument(ONE)
    rig.hear(answer(rig, some_bars(0, 400)))
    rig.bridge.flush()
    return made
