"""The market data of TWS's surface: its parts, and what the venue's events mean for them."""

from collections.abc import Mapping
from typing import Final

from foxtrot.exchange.commands import TradingState
from foxtrot.exchange.events import (
    BalanceChanged,
    ChargeBooked,
    FundingPaid,
    PositionChanged,
    TradePrinted,
    TradingStateChanged,
    VenueEvent,
)
from foxtrot.exchange.wire.ib.bars import RealTimeBars
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.depth import Depth
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.history import History
from foxtrot.exchange.wire.ib.market_data import MarketData
from foxtrot.exchange.wire.ib.price_desk import PriceDesk
from foxtrot.exchange.wire.ib.tick_by_tick import TickByTick
from foxtrot.exchange.wire.ib.venue_side import IbSide

_MOVES_NO_MARKET: Final = frozenset({BalanceChanged, PositionChanged, ChargeBooked, FundingPaid})


class Quotes:
    """Everything about market data that TWS answers and pushes.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it.
        send: how a message leaves.
    """

    def __init__(self, side: IbSide, send: Send) -> None:
        self._side = side
        self._desk = PriceDesk(side)
        self._desk.sample(side.now_ns())
        self._data = MarketData(self._desk, send)
        self._ticks = TickByTick(self._desk, send)
        self._bars = RealTimeBars(self._desk, send)
        self._history = History(self._desk, send)
        self.depth = Depth(side, send)
        self._parts = (self._data, self._ticks, self._bars, self._history, self.depth)

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81.
        """
        return {message_id: handler for part in self._parts for message_id, handler in part.handlers().items()}

    def on_event(self, event: VenueEvent) -> None:
        """Tell a trade at once, then the bid and ask and the book as they are now.

        Source: TWS API documentation, Streaming Market Data.
        """
        if type(event) in _MOVES_NO_MARKET:
            return
        contract = self._side.contracts.of_instrument(getattr(event, "instrument_id", ""))
        if contract is None:
            return
        if isinstance(event, TradePrinted):
            self._desk.add_trade(contract, event)
            self._data.on_trade(contract)
            self._ticks.on_trade(contract, event)
        elif isinstance(event, TradingStateChanged):
            self._data.on_state(contract)
            if self._side.venue.trading_state(contract.instrument_id) is TradingState.TRADING:
                self.depth.reset(contract)
        if self._desk.of(contract).look(self._side.now_ns()):
            self._data.on_top(contract)
            self._ticks.on_top(contract)
        self.depth.on_change(contract)

    def tick(self, now_ns: int) -> None:
        """Publish what is due.

        Source: TWS API documentation, Real Time Bars; Historical Bar Data, keepUpToDate.
        """
        self._desk.sample(now_ns)
        self._bars.tick(now_ns)
        self._history.tick(now_ns)
        self._data.tick(now_ns)
        self.depth.tick(now_ns)

    def data_lost(self) -> None:
        """Forget every subscription of every client, silently.

        Source: TWS API documentation, System Messages (1101).
        """
        for part in self._parts:
            part.forget()

    def closed(self, client: IbClient) -> None:
        """Hear that a connection is gone.

        Source: none; the socket is gone.
        """
        for part in self._parts:
            part.closed(client)
