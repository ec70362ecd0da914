"""One product of Binance from the server's side: what listeners hand in goes to the right part, what is due goes out."""

from typing import Protocol

from foxtrot.domain.enums import Product
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.channels import UserChannels
from foxtrot.exchange.wire.binance.connection import Connection, HttpAnswer, HttpRequest
from foxtrot.exchange.wire.binance.endpoint import Call, Endpoint, Routes, Security
from foxtrot.exchange.wire.binance.gateway import Gate, Gateway
from foxtrot.exchange.wire.binance.limits import RateLimits
from foxtrot.exchange.wire.binance.market_routes import market_routes
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.spot_trading import SpotTrading
from foxtrot.exchange.wire.binance.streams import MarketStreams
from foxtrot.exchange.wire.binance.streams_names import is_ws_api
from foxtrot.exchange.wire.binance.streams_requests import STREAM_METHODS
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.usdm_trading import UsdmTrading
from foxtrot.exchange.wire.binance.venue_side import VenueSide
from foxtrot.exchange.wire.binance.ws_api import CONNECTION_METHODS, WsApi

__all__ = ["BinanceSurface", "SurfaceSettings"]


class Trading(Protocol):
    """The signed part of a product: orders, account, and the user-data events of both."""

    def routes(self) -> Routes:
        """Return its endpoints, REST and ws-api.

        Source: Binance spot API, Trading and Account endpoints; USDⓈ-M Futures, Trade and Account.
        """

    def on_event(self, event: VenueEvent) -> None:
        """Tell those concerned what happened.

        Source: Binance spot API, User Data Streams; USDⓈ-M Futures, User Data Streams.
        """

    def tick(self, now_ns: int) -> None:
        """Do what is due by itself.

        Source: none; it is Foxtrot's own clock.
        """


class BinanceSurface:
    """Everything that speaks Binance's protocol for one product. Pure: bytes and text in, bytes and text out.

    Events of the venue must be handed to `on_event` after every operation, before the next one; `tick` moves what depends on time.

    Thread: exchange-io.

    Args:
        side: the product of the venue; the surface's public attribute `side`.
        settings: limits and switches; a figure of 0 is Binance's own.
    """

    def __init__(self, side: VenueSide, settings: SurfaceSettings) -> None:
        self.side = side
        self.settings = settings.for_product(side.product)
        self.limits = RateLimits(side.product, self.settings)
        self.channels = UserChannels(side, self.settings)
        self._store = MarketStore(side)
        self._store.start()
        self._trading = _trading(side, self.channels)
        self.routes: Routes = {
            **market_routes(self._store, self.limits),
            **_listen_key_routes(side, self.channels, self.settings),
            **_order_count_routes(side, self.limits),
            **self._trading.routes(),
        }
        gate = Gate(side, self.limits)
        self._gateway = Gateway(side, gate, self.routes)
        self._streams = MarketStreams(self._store, self.channels, self.settings)
        self._ws_api = WsApi(side, gate, self.channels, self.routes)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        """Answer one REST request.

        Source: Binance spot API, General API Information; USDⓈ-M Futures, General Info.
        """
        return self._gateway.answer(request)

    def open(self, connection: Connection) -> None:
        """Take a WebSocket connection whose handshake came.

        Source: Binance spot API, WebSocket Streams and WebSocket API; USDⓈ-M Futures, the same.

        Raises:
            ApiError: the handshake is to be refused with its status.
        """
        now_ns = self.side.now_ns()
        self.limits.use_connection(connection.client, now_ns)
        if is_ws_api(connection.path):
            self.limits.use(connection.client, 2 if self.side.product is Product.SPOT else 5, now_ns)
            self._ws_api.open(connection)
        else:
            self._streams.open(connection)

    def receive(self, connection: Connection, text: str) -> None:
        """Take one text frame of a client; the answer goes out by the connection.

        Source: Binance spot API, WebSocket Streams and WebSocket API; USDⓈ-M Futures, the same.
        """
        if self._ws_api.has(connection):
            self._ws_api.receive(connection, text)
        elif self._streams.has(connection):
            self._streams.receive(connection, text)

    def closed(self, connection: Connection) -> None:
        """Forget a connection.

        Source: none; the socket is gone.
        """
        self._ws_api.closed(connection)
        self._streams.closed(connection)
        self.channels.closed(connection)

    def on_event(self, event: VenueEvent) -> None:
        """Publish what an event of the venue means: to the account concerned first, then to everybody.

        Source: Binance spot API, User Data Streams and WebSocket Streams.
        """
        self._store.on_event(event)
        self._trading.on_event(event)
        self._streams.on_event(event)

    def tick(self, now_ns: int) -> None:
        """Publish and end what is due by a time of the server's clock, which may have been set back.

        Source: Binance spot API, WebSocket Streams, Update Speed.
        """
        self._store.tick(now_ns)
        self._trading.tick(now_ns)
        self._streams.tick(now_ns)
        self.channels.tick(now_ns)
        self._ws_api.end_old(now_ns, self.settings.connection_life_s)

    def knows(self, endpoint: str) -> bool:
        """Tell whether there is such an endpoint, "METHOD /path", or such a method of stream connections or the ws-api.

        Source: Binance spot API, General API Information; USDⓈ-M Futures, General Info.
        """
        method, _, path = endpoint.partition(" ")
        if path:
            return (method, path) in self.routes
        return method in STREAM_METHODS or method in CONNECTION_METHODS or ("WS", method) in self.routes

    def streams_of(self, connection: Connection) -> tuple[str, ...]:
        """Return what a stream connection is subscribed to, as LIST_SUBSCRIPTIONS tells it.

        Source: Binance spot API, WebSocket Streams, Listing Subscriptions.
        """
        return self._streams.names(connection)

    def expire_listen_key(self, account: str) -> bool:
        """End the listenKey of an account as if its hour were over; tell whether it had one.

        Source: USDⓈ-M Futures, Event: User Data Stream Expired.
        """
        return self.channels.expire_listen_key(account)

    def terminate_user_stream(self, account: str) -> int:
        """End the ws-api subscriptions of an account by the venue's will; return how many there were.

        Source: Binance spot API, User Data Streams, Event Stream Terminated.
        """
        return self.channels.terminate_user_stream(account)

    def announce_shutdown(self) -> None:
        """Tell every stream connection that the server will close it.

        Source: Binance spot API, WebSocket Streams, serverShutdown.
        """
        self._streams.announce_shutdown()


def _trading(side: VenueSide, channels: UserChannels) -> Trading:
    return SpotTrading(side, channels) if side.product is Product.SPOT else UsdmTrading(side, channels)


def _listen_key_routes(side: VenueSide, channels: UserChannels, settings: SurfaceSettings) -> Routes:
    """Return the endpoints of listenKeys: they need a key in the header and no signature."""

    def create(call: Call) -> object:
        return {"listenKey": channels.create_key(call.account)}

    def extend(call: Call) -> object:
        key = channels.extend_key(call.account, call.params.get("listenKey", ""))
        return {} if is_spot else {"listenKey": key}

    def delete(call: Call) -> object:
        channels.delete_key(call.account, call.params.get("listenKey", ""))
        return {}

    is_spot = side.product is Product.SPOT
    if is_spot and not settings.legacy_listen_key:
        return {("POST", "/api/v3/userDataStream"): Endpoint(_gone, Security.KEY)}
    path, weight = ("/api/v3/userDataStream", 2) if is_spot else ("/fapi/v1/listenKey", 1)
    needed = ("listenKey",) if is_spot else ()
    methods = ("POST", "userDataStream.start", create, ()), ("PUT", "userDataStream.ping", extend, needed)
    rows: Routes = {}
    for method, name, handler, required in (*methods, ("DELETE", "userDataStream.stop", delete, needed)):
        endpoint = Endpoint(handler, Security.KEY, weight=weight, required=required)
        rows |= {(method, path): endpoint, ("WS", name): endpoint}
    return rows


def _order_count_routes(side: VenueSide, limits: RateLimits) -> Routes:
    """Return the endpoint that tells how many orders an account has entered."""

    def count(call: Call) -> object:
        return limits.order_table(call.account, call.time_ns)

    is_spot = side.product is Product.SPOT
    endpoint = Endpoint(count, Security.SIGNED, weight=40 if is_spot else 1)
    path = "/api/v3/rateLimit/order" if is_spot else "/fapi/v1/rateLimit/order"
    return {("GET", path): endpoint, ("WS", "account.rateLimits.orders"): endpoint}


def _gone(_call: Call) -> object:
    raise ApiError(-1020, "This operation is not supported.", 410)
