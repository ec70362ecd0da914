"""Notices of the line become lines of the log, with the ids that they are about."""

from decimal import Decimal

import pytest

from foxtrot.app.event_log import EventLog
from foxtrot.app.logging_setup import start_logging
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import (
    BookStateChanged,
    Gap,
    GateChanged,
    HandlerFailed,
    JournalFailed,
    OrderChanged,
    PositionEnds,
    ProtectionChanged,
    RequestFailed,
    StrategyLog,
    StrategyStatus,
    TradeBooked,
    VenueUnsteady,
)
from foxtrot.domain.enums import BookState, GateState, Liquidity, OrderStatus, OrderType, PositionSide, Side
from foxtrot.domain.order import OrderData, TradeData

ORDER = OrderData(
    "ft-ma-1", "paper", "BTCUSDT.BINANCE", Side.BUY, OrderType.LIMIT, 2.0, 100.5, OrderStatus.DENIED, 0.0, 0.0, "", 1, 2,
    "ma", rule="price_collar", reason="100.5 is too far",
)  # fmt: skip
TRADE = TradeData(
    "t1",
    "ft-ma-1",
    "paper",
    "BTCUSDT.BINANCE",
    Side.BUY,
    100.5,
    2.0,
    Decimal("0.2"),
    "USDT",
    Liquidity.TAKER,
    "v1",
    1,
    2,
)


class Kept:
    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass


@pytest.mark.parametrize(
    ("notice", "line"),
    [
        (RequestFailed("paper", "history", "no such bars", 1), "WARNING  account=paper history failed: no such bars"),
        (BookStateChanged("paper", "X.Y", BookState.LIVE, "", 1), "INFO     account=paper book of X.Y is live"),
        (
            VenueUnsteady("paper", "sim", 60, 2, 300.0, "reset", 1),
            "WARNING  account=paper adapter=sim the connection falls back often: 60 answers by REST and 2 reconnects in 300 s; last cause: reset",
        ),
        (Gap("X.Y", "DepthChange", 7), "WARNING  7 DepthChange of X.Y were shed: the queue was full"),
        (HandlerFailed("ma", "on_bar", "BarData", "ValueError: {boom}", False, 9), "ERROR    on_bar raised on BarData (event 9): ValueError: {boom}; ma is halted"),
        (HandlerFailed("risk", "on_x", "BarData", "boom", True, 9), "ERROR    on_x raised on BarData (event 9): boom; trading is halted"),
        (JournalFailed(("a", "b"), "disk full"), "ERROR    the journal failed: disk full; not sent: a, b"),
        (GateChanged(GateState.HALTED, "kill", "", "", 1), "WARNING  the gate is halted for all accounts all instruments: kill"),
        (OrderChanged("ma", ORDER), "WARNING  strategy_id=ma order_id=ft-ma-1 denied buy 2.0 BTCUSDT.BINANCE at 100.5, filled 0.0: price_collar 100.5 is too far"),
        (TradeBooked("ma", TRADE, True), "INFO     strategy_id=ma order_id=ft-ma-1 fill t1 buy 2.0 BTCUSDT.BINANCE at 100.5, fee 0.2 USDT, after the order's end"),
        (ProtectionChanged("ma", "paper", "X.Y", PositionSide.NET, "naked", "refused", 1), "INFO     strategy_id=ma account=paper the position in X.Y is naked: refused"),
        (ProtectionChanged("ma", "paper", "X.Y", PositionSide.NET, "", "", 1), "INFO     strategy_id=ma account=paper the position in X.Y is flat and needs no protection"),
        (
            PositionEnds("ma", "paper", "ESZ6.CME", PositionSide.NET, -2.0, "last trade on 2026-12-18", 2.97, 1),
            "WARNING  strategy_id=ma account=paper -2 ESZ6.CME of ma ends: last trade on 2026-12-18, 3.0 days left; "
            "`foxtrot roll ESZ6.CME NEW` carries it on, no more of it is opened",
        ),
        (StrategyStatus("ma", "failed", "boom", 1), "ERROR    strategy_id=ma strategy is failed: boom"),
        (StrategyLog("ma", "debug", "braces {x}", 1), "DEBUG    strategy_id=ma braces {x}"),
        (StrategyLog("ma", "shout", "what", 1), "INFO     strategy_id=ma what"),
    ],
)  # fmt: skip
def test_a_notice_is_one_line_with_its_ids(notice: object, line: str) -> None:
    stream = Kept()
    writer = start_logging("DEBUG", stream=stream)
    dispatcher = Dispatcher(ManualClock(1))
    EventLog(dispatcher)
    dispatcher.put(notice)
    dispatcher.drain()
    writer.stop()
    assert stream.text.partition("Z ")[2] == f"{line}\n"
