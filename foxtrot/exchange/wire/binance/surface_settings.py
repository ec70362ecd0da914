"""What can be set about a Binance surface; the defaults are Binance's own figures."""

import msgspec

from foxtrot.domain.enums import Product


class SurfaceSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Limits, lives and switches of one product's surface. A figure of 0 is Binance's own for the product.

    `limits` off counts but refuses nothing. `strict_routing` withholds a USD-M stream from a connection of the wrong category.
    `legacy_listen_key` keeps spot's retired listenKey endpoints open. `close_expired_listen_key` also closes the connection
    of an expired key (Binance leaves it open and silent).
    """

    limits: bool = True
    weight_per_minute: int = 0
    orders_per_10s: int = 0
    orders_per_minute: int = 0
    orders_per_day: int = 0
    messages_per_s: int = 0
    connections_per_5min: int = 300
    streams_per_connection: int = 1024
    ban_after: int = 10
    ban_s: int = 120
    legacy_listen_key: bool = True
    strict_routing: bool = False
    close_expired_listen_key: bool = False
    listen_key_life_s: float = 3600
    connection_life_s: float = 86400
    shutdown_notice_s: float = 600
    first_event_hold_ms: int = 50
    ping_interval_s: float = 0
    pong_timeout_s: float = 0

    def for_product(self, product: Product) -> "SurfaceSettings":
        """Return the settings with Binance's own figures for a product in place of every 0.

        Source: Binance spot API, LIMITS and WebSocket Streams, General information; USDⓈ-M Futures, General Info.
        """
        own = _SPOT if product is Product.SPOT else _USDM
        return msgspec.structs.replace(self, **{name: getattr(self, name) or figure for name, figure in own.items()})


_SPOT: dict[str, float] = {
    "weight_per_minute": 6000,
    "orders_per_10s": 50,
    "orders_per_day": 160_000,
    "messages_per_s": 5,
    "ping_interval_s": 20,
    "pong_timeout_s": 60,
}
_USDM: dict[str, float] = {
    "weight_per_minute": 2400,
    "orders_per_10s": 300,
    "orders_per_minute": 1200,
    "messages_per_s": 10,
    "ping_interval_s": 180,
    "pong_timeout_s": 600,
}
