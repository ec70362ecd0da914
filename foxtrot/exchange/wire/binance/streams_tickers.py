"""Streams that tell a figure every so often: tickers of 24 hours, and USD-M's mark prices."""

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.market_bars import Bar
from foxtrot.exchange.wire.binance.market_funding import mark_text
from foxtrot.exchange.wire.binance.market_intervals import DAY_MS
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.market_tickers import change_texts
from foxtrot.exchange.wire.binance.numbers import average_text, decimal_text, notional_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.streams_hub import StreamHub
from foxtrot.exchange.wire.binance.streams_names import StreamName
from foxtrot.exchange.wire.binance.streams_pace import Pace

_MS_NS = 1_000_000
_SPOT_PACE_MS = 1_000
_USDM_PACE_MS = 2_000
_MARK_PACE_MS = 3_000
_FAST_MARK_PACE_MS = 1_000
_KINDS = frozenset({"ticker", "miniTicker", "markPrice"})

Frame = dict[str, object]


class TickerStreams:
    """Publishes ticker, miniTicker and markPrice, of one symbol or of all (then only of those that traded since).

    Thread: exchange-io.
    """

    def __init__(self, store: MarketStore, hub: StreamHub) -> None:
        self._store = store
        self._side = store.side
        self._hub = hub
        self._streams: dict[str, tuple[StreamName, Pace]] = {}
        self._told: dict[tuple[str, str], int] = {}
        hub.watch(self._hear)

    def tick(self, now_ns: int) -> None:
        """Publish what is due.

        Source: Binance spot API, Individual Symbol Ticker Streams; USDⓈ-M Futures, Mark Price Stream.
        """
        for stream, pace in tuple(self._streams.values()):
            if pace.is_due(now_ns):
                self._serve(stream, now_ns // _MS_NS)

    def _serve(self, stream: StreamName, now_ms: int) -> None:
        if stream.symbol:
            instrument = self._side.symbols().get(stream.symbol)
            frame = self._frame(stream.kind, instrument, now_ms) if instrument is not None else None
            if frame is not None:
                self._hub.publish(stream.name, frame)
            return
        changed = [one for one in self._side.symbols().values() if self._has_news(stream, one)]
        frames = [self._frame(stream.kind, one, now_ms) for one in changed]
        told = [frame for frame in frames if frame is not None]
        if told:
            self._hub.publish(stream.name, told)

    def _has_news(self, stream: StreamName, instrument: Instrument) -> bool:
        if stream.kind == "markPrice":
            return True
        key, last = (stream.name, instrument.symbol), self._store.bars(instrument).last_trade_id
        if self._told.get(key) == last:
            return False
        self._told[key] = last
        return True

    def _frame(self, kind: str, instrument: Instrument, now_ms: int) -> Frame | None:
        if kind == "markPrice":
            return self._mark(instrument, now_ms)
        bar = self._store.day(instrument, now_ms)
        return self._mini(instrument, bar, now_ms) if kind == "miniTicker" else self._full(instrument, bar, now_ms)

    def _mini(self, instrument: Instrument, bar: Bar, now_ms: int) -> Frame:
        return {
            "e": "24hrMiniTicker",
            "E": now_ms,
            "s": instrument.symbol,
            "c": price_text(instrument, bar.close),
            "o": price_text(instrument, bar.open),
            "h": price_text(instrument, bar.high),
            "l": price_text(instrument, bar.low),
            "v": quantity_text(instrument, bar.volume),
            "q": notional_text(instrument, bar.turnover),
        }

    def _full(self, instrument: Instrument, bar: Bar, now_ms: int) -> Frame:
        change, percent = change_texts(instrument, bar)
        ticker = self._side.venue.ticker(instrument.instrument_id)
        frame: Frame = {"e": "24hrTicker", "E": now_ms, "s": instrument.symbol, "p": change, "P": percent}
        frame["w"] = average_text(instrument, bar.turnover, bar.volume)
        if self._side.product is Product.SPOT:
            frame |= {
                "x": price_text(instrument, bar.open),
                "b": price_text(instrument, ticker.bid_price),
                "B": quantity_text(instrument, ticker.bid_quantity),
                "a": price_text(instrument, ticker.ask_price),
                "A": quantity_text(instrument, ticker.ask_quantity),
            }
        mini = self._mini(instrument, bar, now_ms)
        frame |= {key: mini[key] for key in ("c", "o", "h", "l", "v", "q")}
        frame["Q"] = quantity_text(instrument, ticker.last_quantity)
        return frame | {"O": now_ms - DAY_MS, "C": now_ms, "F": bar.first_id, "L": bar.last_id, "n": bar.count}

    def _mark(self, instrument: Instrument, now_ms: int) -> Frame | None:
        name, venue = instrument.instrument_id, self._side.venue
        units = venue.ticker(name).mark_price
        if not units:
            return None
        rate, next_ns = venue.funding(name)
        mark = mark_text(instrument, units)
        prices: Frame = {"p": mark, "ap": mark, "P": mark, "i": mark}
        frame: Frame = {"e": "markPriceUpdate", "E": now_ms, "s": instrument.symbol, **prices}
        return frame | {"r": decimal_text(rate), "T": next_ns // _MS_NS}

    def _hear(self, stream: StreamName, is_wanted: bool) -> None:
        is_spot = self._side.product is Product.SPOT
        if stream.kind not in _KINDS or (stream.kind == "markPrice" and is_spot):
            return
        if not is_wanted:
            self._streams.pop(stream.name, None)
            return
        pace_ms = _SPOT_PACE_MS if is_spot else _USDM_PACE_MS
        if stream.kind == "markPrice":
            pace_ms = _FAST_MARK_PACE_MS if "1s" in stream.arguments else _MARK_PACE_MS
        self._streams[stream.name] = (stream, Pace(pace_ms))
