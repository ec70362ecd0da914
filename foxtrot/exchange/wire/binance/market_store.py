"""What the public side remembers beyond the venue: bars with taker volume, and fundings that were paid."""

from collections import deque
from decimal import Decimal

import msgspec

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import TradingState
from foxtrot.exchange.events import InstrumentAdded, TradePrinted, VenueEvent
from foxtrot.exchange.wire.binance.market_bars import Bar, MarketBars
from foxtrot.exchange.wire.binance.market_intervals import DAY_MS
from foxtrot.exchange.wire.binance.streams_pace import Pace
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_MS_NS = 1_000_000
_KEPT_FUNDINGS = 1_000
_FUNDING_PACE_MS = 1_000
_HEARD = frozenset({TradePrinted, InstrumentAdded})
_STATUS = {TradingState.TRADING: "TRADING", TradingState.HALTED: "HALT", TradingState.CLOSED: "BREAK"}


class Funding(msgspec.Struct, frozen=True, gc=False):
    """One funding that was paid: when, at which rate, at which mark price in units."""

    time_ms: int
    rate: Decimal
    mark: int


class MarketStore:
    """Hears every event of the venue and keeps what public answers need.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide) -> None:
        self.side = side
        self._bars: dict[str, MarketBars] = {}
        self._pace = Pace(_FUNDING_PACE_MS)
        self._due: dict[str, Funding] = {}
        self._fundings: dict[str, deque[Funding]] = {}

    def bars(self, instrument: Instrument) -> MarketBars:
        """Return the bars of an instrument; made anew when the venue was replaced by one with other trades.

        Source: Binance spot API, Kline/Candlestick data.
        """
        name = instrument.instrument_id
        found = self._bars.get(name)
        if found is None or not found.is_of(self.side.venue):
            found = self._bars[name] = MarketBars(instrument, self.side.venue)
        return found

    def day(self, instrument: Instrument, now_ms: int) -> Bar:
        """Return the last 24 hours of an instrument as one bar.

        Source: Binance spot API, 24hr ticker price change statistics.
        """
        return self.bars(instrument).since(now_ms - DAY_MS, now_ms)

    def status(self, instrument: Instrument) -> str:
        """Return whether an instrument trades, in Binance's words.

        Source: Binance spot API, Enums, Symbol status; USDⓈ-M Futures, Contract status.
        """
        return _STATUS[self.side.venue.trading_state(instrument.instrument_id)]

    def fundings(self, instrument: Instrument) -> tuple[Funding, ...]:
        """Return the fundings of an instrument, oldest first.

        Source: USDⓈ-M Futures, Get Funding Rate History.
        """
        return tuple(self._fundings.get(instrument.instrument_id, ()))

    def start(self) -> None:
        """Take up every instrument before its next trade, so that no trade is missed.

        Source: none; the venue keeps less than Binance does.
        """
        for instrument in self.side.symbols().values():
            self.bars(instrument)

    def on_event(self, event: VenueEvent) -> None:
        """Keep what an event tells.

        Source: none; events are the venue's own.
        """
        if type(event) not in _HEARD:
            return
        if isinstance(event, TradePrinted):
            found = self._bars.get(event.instrument_id)
            if found is not None:
                found.add(event)
        elif isinstance(event, InstrumentAdded):
            self.start()

    def tick(self, now_ns: int) -> None:
        """Note the fundings whose time has passed.

        Source: USDⓈ-M Futures, Get Funding Rate History.
        """
        if self.side.product is Product.SPOT or not self._pace.is_due(now_ns):
            return
        venue = self.side.venue
        for instrument in self.side.symbols().values():
            name = instrument.instrument_id
            rate, next_ns = venue.funding(name)
            due = self._due.get(name)
            next_ms = next_ns // _MS_NS
            if due is not None and due.time_ms < next_ms and due.time_ms <= now_ns // _MS_NS:
                self._fundings.setdefault(name, deque(maxlen=_KEPT_FUNDINGS)).append(due)
            self._due[name] = Funding(next_ms, rate, venue.ticker(name).mark_price)
