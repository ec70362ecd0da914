"""The stocks of the surface as quotes name them, with what is known of each beyond its instrument, and its K-lines."""

from datetime import date
from typing import Any, Final

import msgspec

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.listings import REFERENCE_PRICES
from foxtrot.exchange.wire.futu.kline_series import StockMemory
from foxtrot.exchange.wire.futu.quote_limits import refused
from foxtrot.exchange.wire.futu.quote_sessions import Stretch, Stretches
from foxtrot.exchange.wire.futu.venue_side import FutuSide

PREFIXES: Final = {1: "HK", 11: "US", 21: "SH", 22: "SZ"}
"""What stands before the dot in a code, by QotMarket.

Source: Futu OpenAPI documentation, Quote object (code).
"""
_OWN_IDS: Final = 90_000_000_000_000


class Known(msgspec.Struct, frozen=True):
    """What Futu knows of a stock that an instrument does not say."""

    name: str
    stock_id: int
    listed: date


KNOWN: Final[dict[str, Known]] = {
    "00700.SEHK": Known("TENCENT", 54_047_868_453_564, date(2004, 6, 16)),
    "AAPL.NASDAQ": Known("Apple", 205_189, date(1980, 12, 12)),
}
"""Instrument id → name, stock id and first day of trading; others have their code as name, an id of ours and no first day.

Source: Futu OpenAPI documentation, examples of Get Static Information; HKEX and Nasdaq for the days.
"""


class Stock(msgspec.Struct, frozen=True):
    """One stock as quotes name it."""

    market: int
    code: str
    instrument: Instrument
    known: Known | None
    number: int

    @property
    def key(self) -> tuple[int, str]:
        """Return market and code.

        Source: Qot_Common.proto, Security.
        """
        return self.market, self.code

    @property
    def name(self) -> str:
        """Return the name that Futu shows.

        Source: Qot_Common.proto, SecurityStaticBasic.name.
        """
        return self.known.name if self.known else self.instrument.name or self.code

    @property
    def full_code(self) -> str:
        """Return the code with its market, as in HK.00700.

        Source: Futu OpenAPI documentation, Quote object (code).
        """
        return f"{PREFIXES.get(self.market, self.market)}.{self.code}"

    @property
    def stock_id(self) -> int:
        """Return the number that Futu gives a security.

        Source: Qot_Common.proto, SecurityStaticBasic.id.
        """
        return self.known.stock_id if self.known else _OWN_IDS + self.number

    @property
    def listed(self) -> date | None:
        """Return the first day of trading.

        Source: Qot_Common.proto, SecurityStaticBasic.listTime.
        """
        return self.known.listed if self.known else None


class StockTable:
    """Every stock by market and code, and by instrument; and the memory of each.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide) -> None:
        self.side = side
        self._seen: object = None
        self._by_key: dict[tuple[int, str], Stock] = {}
        self._by_instrument: dict[str, Stock] = {}
        self._memories: dict[str, StockMemory] = {}
        self._stretches: dict[int, Stretches] = {}
        self.refresh()

    def refresh(self) -> None:
        """Take up what is listed now, so that no trade is missed.

        Source: none; the venue keeps less than Futu does.
        """
        listed = self.side.stocks()
        if listed is self._seen:
            return
        self._seen = listed
        self._by_key = {
            (market, code): Stock(market, code, instrument, KNOWN.get(instrument.instrument_id), number)
            for number, ((market, code), instrument) in enumerate(listed.items(), 1)
        }
        self._by_instrument = {stock.instrument.instrument_id: stock for stock in self._by_key.values()}
        for stock in self._by_key.values():
            self.memory(stock)

    def all(self) -> list[Stock]:
        """Return every stock, oldest first.

        Source: Futu OpenAPI documentation, Get Static Information of Securities.
        """
        self.refresh()
        return list(self._by_key.values())

    def find(self, security: Any) -> Stock:
        """Return the stock that a request names.

        Source: Qot_Common.proto, Security.

        Raises:
            FutuRefused: there is none.
        """
        self.refresh()
        found = self._by_key.get((security.market, security.code))
        if found is None:
            raise refused("unknown_stock", code=security.code)
        self.memory(found)  # between two commands: now is the time to see that the venue was replaced
        return found

    def known(self, security: Any) -> Stock | None:
        """Return the stock that a request names, None when there is none.

        Source: Qot_Common.proto, Security.
        """
        self.refresh()
        return self._by_key.get((security.market, security.code))

    def by_key(self, key: tuple[int, str]) -> Stock | None:
        """Return a stock by market and code.

        Source: Qot_Common.proto, Security.
        """
        return self._by_key.get(key)

    def by_instrument(self, instrument_id: str) -> Stock | None:
        """Return the stock of an instrument, None for what Futu does not show.

        Source: none; a look-up of our own.
        """
        self.refresh()
        return self._by_instrument.get(instrument_id)

    def memory(self, stock: Stock) -> StockMemory:
        """Return the K-lines of a stock; made anew when the venue was replaced by one with other trades.

        Source: Futu OpenAPI documentation, Get Real-time Candlestick.
        """
        name = stock.instrument.instrument_id
        found = self._memories.get(name)
        if found is None or not found.is_of(self.side.venue):
            stretches = self._stretches.setdefault(stock.market, Stretches(self.side, stock.market))
            found = self._memories[name] = StockMemory(name, self.side.venue, stretches, _reference(stock))
        return found

    def add(self, stock: Stock, trade: TradePrinted) -> Stretch | None:
        """Add a trade to what is remembered, and return the stretch it counts for.

        Source: Futu OpenAPI documentation, Market State Definition.
        """
        name = stock.instrument.instrument_id
        found = self._memories.get(name)
        if found is not None and trade.trade_id == found.last_trade_id + 1:
            return found.add(trade)
        if found is None or not found.has(trade, self.side.venue):
            self._memories.pop(name, None)
        # What is made anew holds all trades of the command that made this one.
        return self.latest(stock).stretches.of(trade.time_ns)

    def latest(self, stock: Stock) -> StockMemory:
        """Return the K-lines of a stock as its trades so far have made them, in the middle of a command's events too.

        Source: Futu OpenAPI documentation, Real-time Candlestick Callback.
        """
        return self._memories.get(stock.instrument.instrument_id) or self.memory(stock)


def _reference(stock: Stock) -> int:
    """Return the close of the day before the venue's first one: where the market of a default listing begins."""
    begins = REFERENCE_PRICES.get(stock.instrument.instrument_id)
    return 0 if begins is None else stock.instrument.round_price_units(begins)
