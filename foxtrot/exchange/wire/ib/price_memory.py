"""What is remembered of one contract's prices: its trades, its best bid and ask, and its trading day."""

from collections import deque
from datetime import date
from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.exchange.dated_listings import opening_prices
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.queries import VenueQueries
from foxtrot.exchange.wire.ib.ib_contract import CASH, IbContract
from foxtrot.exchange.wire.ib.price_bars import MINUTE_NS, SECOND_NS, BarTape, PriceBar
from foxtrot.exchange.wire.ib.traded_hours import TradedHours

_KEPT_TOPS: Final = 2_000
_KEPT_MINUTES: Final = 12_000
_KEPT_TRADES: Final = 1_000
_DELAYED_MINUTES: Final = 2_880


class Top(msgspec.Struct, frozen=True, gc=False):
    """The best bid and ask from a moment on, in units; 0 where there is none."""

    ns: int = 0
    bid: int = 0
    bid_size: int = 0
    ask: int = 0
    ask_size: int = 0

    @property
    def has_both(self) -> bool:
        """Tell whether there is a midpoint.

        Source: TWS API documentation, Historical Data Types (MIDPOINT).
        """
        return self.bid > 0 and self.ask > 0

    def same_as(self, other: "Top") -> bool:
        """Tell whether prices and sizes are those of another moment.

        Source: none; only changes are told.
        """
        mine = (self.bid, self.bid_size, self.ask, self.ask_size)
        return mine == (other.bid, other.bid_size, other.ask, other.ask_size)


class DayFigures(msgspec.Struct):
    """The newest trading day of a contract, in units; `previous` is the close of the day before, 0 where there is none.

    Thread: exchange-io.
    """

    day: date = date.min
    open: int = 0
    high: int = 0
    low: int = 0
    last: int = 0
    volume: int = 0
    turnover: int = 0
    count: int = 0
    previous: int = 0

    def add(self, day: date, bar: PriceBar) -> None:
        """Add what happened on a day; a later one begins anew.

        Source: TWS API documentation, Available Tick Types (High, Low, Close, Open, Volume).
        """
        if day > self.day:
            self.day, self.previous = day, self.last or self.previous
            self.open, self.high, self.low = bar.open, bar.high, bar.low
            self.volume = self.turnover = self.count = 0
        self.high, self.low, self.last = max(self.high, bar.high), min(self.low, bar.low), bar.close
        self.volume += bar.volume
        self.turnover += bar.turnover
        self.count += bar.count


class PriceMemory:
    """The prices of one contract; begins with what the venue remembers.

    Currencies have no trades that IB tells: their day is that of the bid.

    Thread: exchange-io.

    Args:
        contract: whose they are.
        venue: where it trades.
        hours: when its market is open.
    """

    def __init__(self, contract: IbContract, venue: VenueQueries, hours: TradedHours) -> None:
        self.contract = contract
        self.hours = hours
        self.trades, self.bids, self.asks, self.mids = BarTape(), BarTape(), BarTape(), BarTape()
        """Midpoints are counted in half units: bid + ask."""
        self.tops: deque[Top] = deque(maxlen=_KEPT_TOPS)
        self.top = Top()
        self.last: TradePrinted | None = None
        begins = opening_prices((contract.instrument,)).get(contract.instrument_id)
        self._reference = 0 if begins is None else contract.instrument.round_price_units(begins)
        self.day = DayFigures(previous=self._reference)
        self._venue = venue
        self._name = contract.instrument_id
        self._tells_trades = contract.sec_type != CASH
        self._sampled_s = 0
        self._load()

    def has(self, trade: TradePrinted) -> bool:
        """Tell whether a trade is in here already, as it is when this was made after it happened.

        Source: none; a venue can be taken back to a snapshot under the surface.
        """
        newest = self._venue.trades(self._name, 1)
        return trade.trade_id <= self.last_trade_id <= (newest[-1].trade_id if newest else 0)

    @property
    def last_trade_id(self) -> int:
        """Return the number of the newest trade that is in here.

        Source: none; the venue numbers trades.
        """
        return 0 if self.last is None else self.last.trade_id

    def add_trade(self, trade: TradePrinted) -> None:
        """Add a trade.

        Source: TWS API documentation, Historical Data Types (TRADES).
        """
        self.last = trade
        bar = _of_trade(trade)
        self.trades.add(bar)
        if self._tells_trades:
            self.day.add(self.hours.day_of(trade.time_ns), bar)

    def look(self, now_ns: int) -> bool:
        """Look at the best bid and ask, and tell whether they are others than before.

        Source: TWS API documentation, Available Tick Types (Bid, Ask).
        """
        _, bids, asks = self._venue.depth(self._name, 1)
        found = Top(now_ns, *(bids[0] if bids else (0, 0)), *(asks[0] if asks else (0, 0)))
        if found.same_as(self.top):
            return False
        self.sample(now_ns)
        self.top = found
        self.tops.append(found)
        self._note(now_ns)
        return True

    def sample(self, now_ns: int) -> None:
        """Note the bid and ask as they still are, once in a second, so that no second is without a bar.

        Source: TWS API documentation, Historical Data Types (BID, ASK, MIDPOINT).
        """
        if now_ns // SECOND_NS != self._sampled_s:
            self._note(now_ns)

    def top_at(self, ns: int) -> Top:
        """Return the best bid and ask of a moment; of one that is forgotten, the oldest known.

        Source: none; delayed data are those of a quarter of an hour ago.
        """
        for top in reversed(self.tops):
            if top.ns <= ns:
                return top
        return self.tops[0] if self.tops else Top()

    def day_at(self, ns: int) -> tuple[TradePrinted | None, DayFigures]:
        """Return the last trade and the day's figures as of a moment, to the minute; before the oldest trade, those of its minute.

        Source: none; delayed data are those of a quarter of an hour ago.
        """
        if not self._tells_trades:
            return None, self.day
        kept = self._venue.trades(self._name, _KEPT_TRADES)
        past = [trade for trade in kept if trade.time_ns <= ns]
        figures = DayFigures(previous=self._reference)
        bars = [bar for bar in self.trades.minutes if bar.open_ns + MINUTE_NS <= ns] or [*self.trades.minutes][:1]
        for bar in bars[-_DELAYED_MINUTES:]:
            figures.add(self.hours.day_of(bar.open_ns), bar)
        oldest = kept[0] if kept else None
        return past[-1] if past else oldest, figures

    @property
    def mark(self) -> int:
        """Return the price at which a position is valued, in units: the last trade within bid and ask, 0 where there is nothing.

        Source: TWS API documentation, Available Tick Types (Mark Price).
        """
        last = self.last.price if self.last is not None else 0
        if not self.top.has_both:
            return last
        return min(max(last, self.top.bid), self.top.ask) if last else (self.top.bid + self.top.ask) // 2

    @property
    def min_tick(self) -> Decimal:
        """Return the step of prices where the price is now.

        Source: TWS API documentation, tickReqParams.
        """
        instrument = self.contract.instrument
        return instrument.price_grid.to_decimal(instrument.step_units(self.mark or self._reference))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _note(self, now_ns: int) -> None:
        self._sampled_s = now_ns // SECOND_NS
        top = self.top
        if top.bid:
            self.bids.add(_of_price(now_ns, top.bid))
            if not self._tells_trades:
                self.day.add(self.hours.day_of(now_ns), _of_price(now_ns, top.bid))
        if top.ask:
            self.asks.add(_of_price(now_ns, top.ask))
        if top.has_both:
            self.mids.add(_of_price(now_ns, top.bid + top.ask))

    def _load(self) -> None:
        for c in self._venue.klines(self._name, MINUTE_NS, _KEPT_MINUTES):
            bar = PriceBar(c.open_time_ns, c.open, c.high, c.low, c.close, c.volume, c.turnover, c.trade_count)
            self.trades.add_minute(bar)
            if self._tells_trades:
                self.day.add(self.hours.day_of(bar.open_ns), bar)
        for trade in self._venue.trades(self._name, _KEPT_TRADES):
            self.trades.add_second(_of_trade(trade))
            self.last = trade


def _of_trade(trade: TradePrinted) -> PriceBar:
    price, quantity = trade.price, trade.quantity
    return PriceBar(trade.time_ns, price, price, price, price, quantity, price * quantity, 1)


def _of_price(ns: int, price: int) -> PriceBar:
    return PriceBar(ns, price, price, price, price, 1, price, 1)
