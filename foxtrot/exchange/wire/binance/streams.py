"""The stream connections of one product: opening them, their requests, what is published, and their end."""

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import (
    BalanceChanged,
    ChargeBooked,
    FundingPaid,
    PositionChanged,
    TradePrinted,
    VenueEvent,
)
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.channels import UserChannels
from foxtrot.exchange.wire.binance.connection import Connection
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.streams_depth import DepthStreams
from foxtrot.exchange.wire.binance.streams_hub import Listener, StreamHub
from foxtrot.exchange.wire.binance.streams_klines import KlineStreams
from foxtrot.exchange.wire.binance.streams_names import Address, parse_address
from foxtrot.exchange.wire.binance.streams_requests import StreamDesk
from foxtrot.exchange.wire.binance.streams_tickers import TickerStreams
from foxtrot.exchange.wire.binance.streams_trades import LiquidationStreams, TopStreams, TradeStreams
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings

_SECOND_NS = 1_000_000_000
_MS_NS = 1_000_000
_MOVES_NO_MARKET = frozenset({BalanceChanged, PositionChanged, ChargeBooked, FundingPaid})


class MarketStreams:
    """All stream connections and everything that is published on them.

    Thread: exchange-io.
    """

    def __init__(self, store: MarketStore, channels: UserChannels, settings: SurfaceSettings) -> None:
        side = store.side
        self._store = store
        self._side = side
        self._settings = settings
        self._channels = channels
        self._listeners: dict[int, Listener] = {}
        self._symbols: dict[str, Instrument] = {}
        self._own: dict[str, Instrument] = {}
        is_strict = settings.strict_routing and side.product is not Product.SPOT
        hub = self._hub = StreamHub(is_strict=is_strict)
        self._desk = StreamDesk(hub, channels, settings.streams_per_connection)
        self._depth = DepthStreams(side, hub)
        self._trades = TradeStreams(side, hub)
        self._tops = TopStreams(side, hub)
        self._liquidations = LiquidationStreams(side, hub)
        self._klines = KlineStreams(store, hub)
        self._tickers = TickerStreams(store, hub)

    def open(self, connection: Connection) -> None:
        """Take a connection and subscribe it to what its path names.

        Source: Binance spot API, WebSocket Streams, General information; USDⓈ-M Futures, Connect.

        Raises:
            ApiError: 404 no such path, 400 too many streams.
        """
        address = parse_address(connection.path, connection.query)
        listener = Listener(connection, combined=address.combined, category=address.category)
        try:
            self._desk.add(listener, list(address.streams))
        except ApiError as error:
            raise ApiError(error.code, error.msg, 400) from None
        self._listeners[connection.number] = listener
        self._attach(connection, address)

    def _attach(self, connection: Connection, address: Address) -> None:
        if address.listen_key:
            self._channels.attach(connection, address.listen_key, address.events, address.combined)

    def receive(self, connection: Connection, text: str) -> None:
        """Serve one message of a client; who sends too many is closed with 1008.

        Source: Binance spot API, WebSocket Limits: 5 incoming messages per second (USD-M: 10).
        """
        listener = self._listeners[connection.number]
        if self._settings.limits and self._is_too_fast(listener):
            connection.close(1008, "Too many requests")
            return
        self._desk.serve(listener, text)

    def closed(self, connection: Connection) -> None:
        """Forget a connection.

        Source: none; the socket is gone.
        """
        listener = self._listeners.pop(connection.number, None)
        if listener is not None:
            self._desk.drop(listener, list(listener.names))

    def has(self, connection: Connection) -> bool:
        """Tell whether a connection is one of streams.

        Source: none; ws-api connections are others.
        """
        return connection.number in self._listeners

    def names(self, connection: Connection) -> tuple[str, ...]:
        """Return the streams a connection is subscribed to.

        Source: Binance spot API, WebSocket Streams, Listing Subscriptions.
        """
        listener = self._listeners.get(connection.number)
        return () if listener is None else tuple(listener.names)

    def on_event(self, event: VenueEvent) -> None:
        """Publish what goes out at once.

        Source: Binance spot API, WebSocket Streams: Update Speed, Real-time.
        """
        kind = type(event)
        if kind in _MOVES_NO_MARKET or not self._hub.is_busy:
            return
        instrument = self._listed(getattr(event, "instrument_id", ""))
        if instrument is None:
            return
        if kind is TradePrinted and isinstance(event, TradePrinted):
            self._trades.on_trade(instrument, event)
            self._klines.on_trade(instrument, event)
            return
        self._tops.on_change(instrument)
        self._depth.on_change(instrument.instrument_id)
        self._liquidations.on_event(instrument, event)

    def tick(self, now_ns: int) -> None:
        """Publish what is due, and end connections that are too old.

        Source: Binance spot API, WebSocket Streams, General information: 24 hours; serverShutdown.
        """
        self._depth.tick(now_ns)
        self._klines.tick(now_ns)
        self._tickers.tick(now_ns)
        for listener in list(self._listeners.values()):
            self._end_in_time(listener, now_ns)

    def announce_shutdown(self) -> None:
        """Tell every connection that it will be closed soon.

        Source: Binance spot API, WebSocket Streams, serverShutdown.
        """
        for listener in list(self._listeners.values()):
            self._tell_shutdown(listener, self._side.now_ns())

    def _end_in_time(self, listener: Listener, now_ns: int) -> None:
        age_ns = now_ns - listener.connection.opened_ns
        life_s, notice_s = self._settings.connection_life_s, self._settings.shutdown_notice_s
        if age_ns >= life_s * _SECOND_NS:
            listener.connection.close(1001, "Connection lifetime is over")
            self.closed(listener.connection)
            self._channels.closed(listener.connection)
        elif age_ns >= (life_s - notice_s) * _SECOND_NS and notice_s < life_s:
            self._tell_shutdown(listener, now_ns)

    @staticmethod
    def _tell_shutdown(listener: Listener, now_ns: int) -> None:
        if listener.is_told_of_end:
            return
        listener.is_told_of_end = True
        text = f'{{"e":"serverShutdown","E":{now_ns // _MS_NS}}}'
        listener.connection.send(f'{{"stream":"!serverShutdown","data":{text}}}' if listener.combined else text)

    def _listed(self, instrument_id: str) -> Instrument | None:
        """Return an instrument of this side; what a snapshot brought with it was never told as an event."""
        symbols = self._side.symbols()
        if symbols is not self._symbols:
            self._symbols = symbols
            self._own = {one.instrument_id: one for one in symbols.values()}
        return self._own.get(instrument_id)

    def _is_too_fast(self, listener: Listener) -> bool:
        now_ns, received = self._side.now_ns(), listener.received_ns
        while received and not received[0] <= now_ns < received[0] + _SECOND_NS:
            received.popleft()
        received.append(now_ns)
        return len(received) > self._settings.messages_per_s
