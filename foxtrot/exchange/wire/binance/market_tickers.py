"""Public REST of both products that answers with one row per symbol: tickers, prices, best bid and ask."""

from collections.abc import Callable
from decimal import Decimal

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.tape import Ticker
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.market_bars import Bar
from foxtrot.exchange.wire.binance.market_intervals import DAY_MS, MINUTE_MS, window_ms
from foxtrot.exchange.wire.binance.market_parameters import chosen
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.numbers import average_text, decimal_text, notional_text, price_text, quantity_text

Row = dict[str, object]


def change_texts(instrument: Instrument, bar: Bar) -> tuple[str, str]:
    """Return the change of price over a bar, and in percent with three decimals.

    Source: Binance spot API, 24hr ticker price change statistics: priceChange, priceChangePercent.
    """
    change = bar.close - bar.open
    percent = Decimal(100 * change) / bar.open if bar.open else Decimal(0)
    return price_text(instrument, change), decimal_text(percent, 3)


class MarketTickers:
    """Handlers of the tickers.

    Thread: exchange-io.
    """

    def __init__(self, store: MarketStore) -> None:
        self._store = store
        self._side = store.side
        self._is_spot = store.side.product is Product.SPOT

    def day(self, call: Call) -> object:
        """Return the last 24 hours of one symbol, several, or all.

        Source: Binance spot API, 24hr ticker price change statistics; USDⓈ-M Futures, 24hr Ticker Price Change Statistics.
        """
        mini = call.params.get("type", "FULL") == "MINI"
        return self._each(call, lambda instrument: self._row(instrument, call.time_ms, DAY_MS, mini=mini))

    def rolling(self, call: Call) -> object:
        """Return a rolling window of one symbol or several.

        Source: Binance spot API, Rolling window price change statistics.
        """
        if not call.params.get("symbol") and not call.params.get("symbols"):
            raise ApiError(-1102, "Param 'symbol' or 'symbols' must be sent, but both were empty/null!")
        span, mini = window_ms(call.params.get("windowSize") or "1d"), call.params.get("type") == "MINI"
        return self._each(call, lambda one: _without_book(self._row(one, call.time_ms, span, mini=mini)))

    def price(self, call: Call) -> object:
        """Return last prices.

        Source: Binance spot API, Symbol price ticker; USDⓈ-M Futures, Symbol Price Ticker.
        """
        return self._each(call, lambda instrument: self._price_row(instrument, call.time_ms))

    def book(self, call: Call) -> object:
        """Return best bids and asks.

        Source: Binance spot API, Symbol order book ticker; USDⓈ-M Futures, Symbol Order Book Ticker.
        """
        return self._each(call, lambda instrument: self._book_row(instrument, call.time_ms))

    def average(self, call: Call) -> object:
        """Return the average price of the last five minutes, the last price when nothing traded in them.

        Source: Binance spot API, Current average price.
        """
        instrument = self._side.instrument(call.params["symbol"])
        bar = self._store.bars(instrument).since(call.time_ms - 5 * MINUTE_MS, call.time_ms)
        text = average_text(instrument, bar.turnover, bar.volume) if bar.volume else price_text(instrument, bar.close)
        return {"mins": 5, "price": text, "closeTime": call.time_ms}

    def _each(self, call: Call, row: Callable[[Instrument], Row]) -> object:
        instruments, is_list = chosen(self._side, call)
        rows = [row(instrument) for instrument in instruments]
        return rows if is_list else rows[0]

    def _row(self, instrument: Instrument, now_ms: int, span_ms: int, *, mini: bool) -> Row:
        bar = self._store.bars(instrument).since(now_ms - span_ms, now_ms)
        told = day_fields(instrument, bar, now_ms, span_ms)
        if mini:
            return told
        ticker = self._side.venue.ticker(instrument.instrument_id)
        change, percent = change_texts(instrument, bar)
        told |= {
            "priceChange": change,
            "priceChangePercent": percent,
            "weightedAvgPrice": average_text(instrument, bar.turnover, bar.volume),
            "lastQty": quantity_text(instrument, ticker.last_quantity),
        }
        if self._is_spot:
            told |= {"prevClosePrice": price_text(instrument, bar.open), **_top(instrument, ticker)}
        return told

    def _price_row(self, instrument: Instrument, now_ms: int) -> Row:
        last = self._side.venue.ticker(instrument.instrument_id).last_price
        row: Row = {"symbol": instrument.symbol, "price": price_text(instrument, last)}
        return row if self._is_spot else row | {"time": now_ms}

    def _book_row(self, instrument: Instrument, now_ms: int) -> Row:
        venue = self._side.venue
        row: Row = {"symbol": instrument.symbol, **_top(instrument, venue.ticker(instrument.instrument_id))}
        if self._is_spot:
            return row
        return row | {"time": now_ms, "lastUpdateId": venue.depth(instrument.instrument_id, 1)[0]}


def day_fields(instrument: Instrument, bar: Bar, now_ms: int, span_ms: int) -> Row:
    """Return what the full and the short form of a ticker share.

    Source: Binance spot API, 24hr ticker price change statistics, type MINI.
    """
    return {
        "symbol": instrument.symbol,
        "openPrice": price_text(instrument, bar.open),
        "highPrice": price_text(instrument, bar.high),
        "lowPrice": price_text(instrument, bar.low),
        "lastPrice": price_text(instrument, bar.close),
        "volume": quantity_text(instrument, bar.volume),
        "quoteVolume": notional_text(instrument, bar.turnover),
        "openTime": now_ms - span_ms,
        "closeTime": now_ms,
        "firstId": bar.first_id,
        "lastId": bar.last_id,
        "count": bar.count,
    }


def _top(instrument: Instrument, ticker: Ticker) -> Row:
    return {
        "bidPrice": price_text(instrument, ticker.bid_price),
        "bidQty": quantity_text(instrument, ticker.bid_quantity),
        "askPrice": price_text(instrument, ticker.ask_price),
        "askQty": quantity_text(instrument, ticker.ask_quantity),
    }


def _without_book(row: Row) -> Row:
    left_out = {"prevClosePrice", "lastQty", "bidPrice", "bidQty", "askPrice", "askQty"}
    return {name: value for name, value in row.items() if name not in left_out}
