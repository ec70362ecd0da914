"""Kline streams: the open bar whenever it changed, and every bar once as closed."""

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.wire.binance.market_bars import Bar, flat_bar
from foxtrot.exchange.wire.binance.market_intervals import bar_open_ms, is_interval, next_open_ms
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.numbers import notional_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.streams_hub import StreamHub
from foxtrot.exchange.wire.binance.streams_names import StreamName
from foxtrot.exchange.wire.binance.streams_pace import Pace

_MS_NS = 1_000_000
_SPOT_PACE_MS = 1_000
_USDM_PACE_MS = 250
_MOST_FLAT_BARS = 100


class KlineLane:
    """The open bar of one stream.

    Thread: exchange-io.
    """

    __slots__ = ("bar", "changed", "close_ms", "instrument", "interval", "name", "pace")

    def __init__(self, name: str, instrument: Instrument, interval: str, pace: Pace) -> None:
        self.name = name
        self.instrument = instrument
        self.interval = interval
        self.pace = pace
        self.bar: Bar | None = None
        self.close_ms = 0
        self.changed = False

    def begin(self, bar: Bar) -> None:
        """Begin a bar.

        Source: Binance spot API, Kline/Candlestick Streams.
        """
        self.bar, self.changed = bar, True
        self.close_ms = next_open_ms(self.interval, bar.open_ms)


class KlineStreams:
    """Publishes klines.

    Thread: exchange-io.
    """

    def __init__(self, store: MarketStore, hub: StreamHub) -> None:
        self._store = store
        self._side = store.side
        self._hub = hub
        self._lanes: dict[str, dict[str, KlineLane]] = {}
        hub.watch(self._hear)

    def on_trade(self, instrument: Instrument, trade: TradePrinted) -> None:
        """Add a trade to the open bars; bars that ended before it are closed first.

        Source: Binance spot API, Kline/Candlestick Streams.
        """
        for lane in tuple(self._lanes.get(instrument.symbol, {}).values()):
            time_ms = trade.time_ns // _MS_NS
            if lane.bar is None:
                lane.begin(flat_bar(bar_open_ms(lane.interval, time_ms), trade.price))
            self._roll(lane, time_ms)
            if lane.bar is not None:
                lane.bar.add(trade)
                lane.changed = True

    def tick(self, now_ns: int) -> None:
        """Close the bars whose time is over, and publish the open ones that changed.

        Source: Binance spot API, Kline/Candlestick Streams, Update Speed.
        """
        now_ms = now_ns // _MS_NS
        for lanes in self._lanes.values():
            for lane in tuple(lanes.values()):
                if lane.bar is None:
                    continue
                self._roll(lane, now_ms)
                if lane.changed and lane.pace.is_due(now_ns):
                    self._publish(lane, is_closed=False)

    def _roll(self, lane: KlineLane, time_ms: int) -> None:
        told = 0
        while lane.bar is not None and time_ms >= lane.close_ms:
            if lane.bar.count or told < _MOST_FLAT_BARS:
                self._publish(lane, is_closed=True)
                told += 1
            lane.begin(flat_bar(lane.close_ms, lane.bar.close))

    def _publish(self, lane: KlineLane, *, is_closed: bool) -> None:
        bar, instrument = lane.bar, lane.instrument
        if bar is None:
            return
        lane.changed = False
        self._hub.publish(
            lane.name,
            {
                "e": "kline",
                "E": self._side.now_ns() // _MS_NS,
                "s": instrument.symbol,
                "k": kline_fields(instrument, lane.interval, bar, is_closed=is_closed),
            },
        )

    def _hear(self, stream: StreamName, is_wanted: bool) -> None:
        interval = stream.kind.removeprefix("kline_")
        instrument = self._side.symbols().get(stream.symbol)
        if instrument is None or interval == stream.kind or not is_interval(self._side.product, interval):
            return
        lanes = self._lanes.setdefault(stream.symbol, {})
        if not is_wanted:
            lanes.pop(stream.name, None)
            return
        pace = Pace(_SPOT_PACE_MS if self._side.product is Product.SPOT else _USDM_PACE_MS)
        lane = lanes[stream.name] = KlineLane(stream.name, instrument, interval, pace)
        bar = self._store.bars(instrument).bar(interval, bar_open_ms(interval, self._side.now_ns() // _MS_NS))
        if bar is not None:
            lane.begin(bar)


def kline_fields(instrument: Instrument, interval: str, bar: Bar, *, is_closed: bool) -> dict[str, object]:
    """Return a bar as the "k" of a kline event.

    Source: Binance spot API, Kline/Candlestick Streams; USDⓈ-M Futures, Kline/Candlestick Streams.
    """
    return {
        "t": bar.open_ms,
        "T": next_open_ms(interval, bar.open_ms) - 1,
        "s": instrument.symbol,
        "i": interval,
        "f": bar.first_id,
        "L": bar.last_id,
        "o": price_text(instrument, bar.open),
        "c": price_text(instrument, bar.close),
        "h": price_text(instrument, bar.high),
        "l": price_text(instrument, bar.low),
        "v": quantity_text(instrument, bar.volume),
        "n": bar.count,
        "x": is_closed,
        "q": notional_text(instrument, bar.turnover),
        "V": quantity_text(instrument, bar.taker_volume),
        "Q": notional_text(instrument, bar.taker_turnover),
        "B": "0",
    }
