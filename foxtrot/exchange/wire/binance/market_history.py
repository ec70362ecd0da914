"""Public REST of both products that answers with rows: depth, trades, klines."""

from foxtrot.domain.enums import Product, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.order_book import DepthRow
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.market_bars import Bar
from foxtrot.exchange.wire.binance.market_intervals import check_interval, next_open_ms
from foxtrot.exchange.wire.binance.market_parameters import row_limit, time_range, whole_number
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.numbers import notional_text, price_text, quantity_text

_MS_NS = 1_000_000
_ALL_TRADES = 1_000
_USDM_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)

Rows = list[dict[str, object]]


def level_rows(instrument: Instrument, rows: tuple[DepthRow, ...]) -> list[tuple[str, str]]:
    """Return the levels of one side as pairs of price and quantity; a quantity of zero says that the level is gone.

    Source: Binance spot API, Order book and Diff. Depth Stream; USDⓈ-M Futures, Order Book.
    """
    return [(price_text(instrument, price), quantity_text(instrument, quantity)) for price, quantity in rows]


class MarketHistory:
    """Handlers of depth, trades, aggTrades and klines.

    Thread: exchange-io.
    """

    def __init__(self, store: MarketStore) -> None:
        self._store = store
        self._side = store.side
        self._is_spot = store.side.product is Product.SPOT

    def depth(self, call: Call) -> object:
        """Return a snapshot of the book as it is now; the next depth events continue from its lastUpdateId.

        Source: Binance spot API, Order book; USDⓈ-M Futures, Order Book.
        """
        instrument = self._side.instrument(call.params["symbol"])
        limit = row_limit(call, 100 if self._is_spot else 500, 5000)
        if not self._is_spot and limit not in _USDM_DEPTHS:
            raise ApiError(-4021, f"Depth limit {limit} is not valid.")
        update_id, bids, asks = self._side.venue.depth(instrument.instrument_id, limit)
        answer: dict[str, object] = {"lastUpdateId": update_id}
        if not self._is_spot:
            answer |= {"E": call.time_ms, "T": self._side.venue.time_ns // _MS_NS}
        return answer | {"bids": level_rows(instrument, bids), "asks": level_rows(instrument, asks)}

    def trades(self, call: Call) -> object:
        """Return the last trades.

        Source: Binance spot API, Recent trades list; USDⓈ-M Futures, Recent Trades List.
        """
        instrument = self._side.instrument(call.params["symbol"])
        found = self._side.venue.trades(instrument.instrument_id, row_limit(call, 500, 1000))
        return [self._trade(instrument, trade) for trade in found]

    def historical_trades(self, call: Call) -> object:
        """Return trades from an id on, the last ones without it.

        Source: Binance spot API, Old trade lookup.
        """
        instrument = self._side.instrument(call.params["symbol"])
        limit, first = row_limit(call, 500, 1000), whole_number(call, "fromId", -1)
        found = self._side.venue.trades(instrument.instrument_id, _ALL_TRADES)
        chosen = found[-limit:] if first < 0 else [one for one in found if one.trade_id >= first][:limit]
        return [self._trade(instrument, trade) for trade in chosen]

    def agg_trades(self, call: Call) -> object:
        """Return trades in the aggregated form; every trade is an aggregate of its own and lends it its id.

        Source: Binance spot API, Compressed/Aggregate trades list; USDⓈ-M Futures, Compressed/Aggregate Trades List.
        """
        instrument = self._side.instrument(call.params["symbol"])
        limit, first = row_limit(call, 500, 1000), whole_number(call, "fromId", -1)
        start, end = time_range(call)
        found = [
            trade
            for trade in self._side.venue.trades(instrument.instrument_id, _ALL_TRADES)
            if trade.trade_id >= first and _within(trade.time_ns // _MS_NS, start, end)
        ]
        chosen = found[:limit] if first >= 0 or start >= 0 else found[-limit:]
        return [self._aggregate(instrument, trade) for trade in chosen]

    def klines(self, call: Call) -> object:
        """Return bars; without a start the last ones, the open one at the end.

        Source: Binance spot API, Kline/Candlestick data; USDⓈ-M Futures, Kline/Candlestick Data.
        """
        instrument = self._side.instrument(call.params["symbol"])
        interval = check_interval(self._side.product, call.params["interval"])
        limit = row_limit(call, 500, 1000 if self._is_spot else 1500)
        start, end = time_range(call)
        last = min(end, call.time_ms) if end >= 0 else call.time_ms
        found = self._store.bars(instrument).bars(interval, start, last, limit)
        return [kline_row(instrument, interval, bar) for bar in found]

    def _trade(self, instrument: Instrument, trade: TradePrinted) -> dict[str, object]:
        row: dict[str, object] = {
            "id": trade.trade_id,
            "price": price_text(instrument, trade.price),
            "qty": quantity_text(instrument, trade.quantity),
            "quoteQty": notional_text(instrument, trade.price * trade.quantity),
            "time": trade.time_ns // _MS_NS,
            "isBuyerMaker": trade.aggressor is Side.SELL,
        }
        return row | {"isBestMatch": True} if self._is_spot else row

    def _aggregate(self, instrument: Instrument, trade: TradePrinted) -> dict[str, object]:
        row: dict[str, object] = {
            "a": trade.trade_id,
            "p": price_text(instrument, trade.price),
            "q": quantity_text(instrument, trade.quantity),
            "f": trade.trade_id,
            "l": trade.trade_id,
            "T": trade.time_ns // _MS_NS,
            "m": trade.aggressor is Side.SELL,
        }
        return row | {"M": True} if self._is_spot else row


def kline_row(instrument: Instrument, interval: str, bar: Bar) -> list[object]:
    """Return a bar as the list of twelve that klines are.

    Source: Binance spot API, Kline/Candlestick data.
    """
    prices = (price_text(instrument, price) for price in (bar.open, bar.high, bar.low, bar.close))
    return [
        bar.open_ms,
        *prices,
        quantity_text(instrument, bar.volume),
        next_open_ms(interval, bar.open_ms) - 1,
        notional_text(instrument, bar.turnover),
        bar.count,
        quantity_text(instrument, bar.taker_volume),
        notional_text(instrument, bar.taker_turnover),
        "0",
    ]


def kline_weight(call: Call) -> int:
    """Return the weight of a USD-M klines call by its limit.

    Source: USDⓈ-M Futures, Kline/Candlestick Data: 1, 2, 5 or 10.
    """
    limit = whole_number(call, "limit", 500)
    return 1 if limit < 100 else 2 if limit < 500 else 5 if limit <= 1000 else 10


def spot_depth_weight(call: Call) -> int:
    """Return the weight of a spot depth call by its limit.

    Source: Binance spot API, Order book: 5, 25, 50 or 250.
    """
    limit = whole_number(call, "limit", 100)
    return 5 if limit <= 100 else 25 if limit <= 500 else 50 if limit <= 1000 else 250


def usdm_depth_weight(call: Call) -> int:
    """Return the weight of a USD-M depth call by its limit.

    Source: USDⓈ-M Futures, Order Book: 2, 5, 10 or 20.
    """
    limit = whole_number(call, "limit", 500)
    return 2 if limit <= 50 else 5 if limit <= 100 else 10 if limit <= 500 else 20


def _within(time_ms: int, start_ms: int, end_ms: int) -> bool:
    return time_ms >= start_ms and (end_ms < 0 or time_ms <= end_ms)
