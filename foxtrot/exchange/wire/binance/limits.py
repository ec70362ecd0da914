"""What a client may use in a window of time: request weight, orders, connections; and the bans of those who go on."""

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings

_SECOND_NS = 1_000_000_000
_MS_NS = 1_000_000
_MINUTE_S = 60
_DAY_S = 86_400


class Window:
    """Counts per client in fixed windows of time.

    Thread: exchange-io.
    """

    __slots__ = ("_counts", "length_ns", "limit")

    def __init__(self, length_s: int, limit: int) -> None:
        self.length_ns = length_s * _SECOND_NS
        self.limit = limit
        self._counts: dict[str, tuple[int, int]] = {}

    def used(self, who: str, now_ns: int) -> int:
        """Return what was used in the present window.

        Source: Binance spot API, IP Limits: X-MBX-USED-WEIGHT-(intervalNum)(intervalLetter).
        """
        window, used = self._counts.get(who, (0, 0))
        return used if window == now_ns // self.length_ns else 0

    def add(self, who: str, amount: int, now_ns: int) -> int:
        """Use some and return what was used in the present window with it.

        Source: Binance spot API, IP Limits.
        """
        used = self.used(who, now_ns) + amount
        self._counts[who] = (now_ns // self.length_ns, used)
        return used

    def left_s(self, now_ns: int) -> int:
        """Return the seconds until the window ends, rounded up.

        Source: Binance spot API, IP Limits: Retry-After.
        """
        return -((now_ns % self.length_ns - self.length_ns) // _SECOND_NS)


class RateLimits:
    """The limits of one product's surface.

    Thread: exchange-io.
    """

    def __init__(self, product: Product, settings: SurfaceSettings) -> None:
        self._settings = settings
        self._weight = Window(_MINUTE_S, settings.weight_per_minute)
        windows = {
            "10S": Window(10, settings.orders_per_10s),
            "1M": Window(_MINUTE_S, settings.orders_per_minute),
            "1D": Window(_DAY_S, settings.orders_per_day),
        }
        self._orders = {letter: window for letter, window in windows.items() if window.limit}
        self._connections = Window(300, settings.connections_per_5min)
        self._raw_per_5min = 61_000 if product is Product.SPOT else 0
        self._strikes: dict[str, int] = {}
        self._banned_until: dict[str, int] = {}

    def use(self, client: str, weight: int, now_ns: int) -> None:
        """Use request weight.

        Source: Binance spot API, IP Limits.

        Raises:
            ApiError: 429 when it is used up, 418 for who goes on after that.
        """
        if self._banned_until.get(client, 0) > now_ns:
            raise self._banned(client, now_ns)
        used = self._weight.add(client, weight, now_ns)
        if not self._settings.limits:
            return
        if used <= self._weight.limit:
            self._strikes.pop(client, None)
            return
        strikes = self._strikes[client] = self._strikes.get(client, 0) + 1
        if strikes > self._settings.ban_after:
            self._banned_until[client] = now_ns + self._settings.ban_s * _SECOND_NS
            raise self._banned(client, now_ns)
        text = f"Too much request weight used; current limit is {self._weight.limit} request weight per 1 MINUTE. "
        text += "Please use WebSocket Streams for live updates to avoid polling the API."
        raise ApiError(-1003, text, 429, headers={"Retry-After": str(self._weight.left_s(now_ns))})

    def use_order(self, account: str, now_ns: int) -> None:
        """Count one order.

        Source: Binance spot API, Unfilled Order Count; USDⓈ-M Futures, Order Rate Limits.

        Raises:
            ApiError: 429 with -1015, too many.
        """
        for letter, window in self._orders.items():
            if self._settings.limits and window.used(account, now_ns) >= window.limit:
                per = {"10S": "10 SECOND", "1M": "1 MINUTE", "1D": "1 DAY"}[letter]
                text = f"Too many new orders; current limit is {window.limit} orders per {per}."
                raise ApiError(-1015, text, 429, headers={"Retry-After": str(window.left_s(now_ns))})
        for window in self._orders.values():
            window.add(account, 1, now_ns)

    def use_connection(self, client: str, now_ns: int) -> None:
        """Count one WebSocket connection.

        Source: Binance spot API, WebSocket Streams, WebSocket Limits: 300 connections per 5 minutes and IP.

        Raises:
            ApiError: 429, too many.
        """
        used = self._connections.add(client, 1, now_ns)
        if self._settings.limits and used > self._connections.limit:
            raise ApiError(-1003, "Too many requests queued.", 429, headers=self._retry(self._connections, now_ns))

    def headers(self, client: str, account: str, now_ns: int) -> dict[str, str]:
        """Return the headers that tell what was used; order counts when an account is named.

        Source: Binance spot API, IP Limits and Unfilled Order Count.
        """
        used = str(self._weight.used(client, now_ns))
        told = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        if account:
            for letter, window in self._orders.items():
                told[f"X-MBX-ORDER-COUNT-{letter}"] = str(window.used(account, now_ns))
        return told

    def table(self) -> list[dict[str, object]]:
        """Return the limits as exchangeInfo lists them.

        Source: Binance spot API, Exchange information, rateLimits.
        """
        rows = [_row("REQUEST_WEIGHT", "1M", self._weight.limit)]
        rows.extend(_row("ORDERS", letter, window.limit) for letter, window in self._orders.items())
        if self._raw_per_5min:
            rows.append(_row("RAW_REQUESTS", "5M", self._raw_per_5min))
        return rows

    def used_table(self, client: str, account: str, now_ns: int) -> list[dict[str, object]]:
        """Return the limits with what was used, as ws-api answers carry them; those of orders when an account is named.

        Source: Binance spot API, WebSocket API, Rate limits.
        """
        rows = [_row("REQUEST_WEIGHT", "1M", self._weight.limit) | {"count": self._weight.used(client, now_ns)}]
        if account:
            for letter, window in self._orders.items():
                rows.append(_row("ORDERS", letter, window.limit) | {"count": window.used(account, now_ns)})
        return rows

    def order_table(self, account: str, now_ns: int) -> list[dict[str, object]]:
        """Return the order limits with what an account used.

        Source: Binance spot API, Query Unfilled Order Count (GET /api/v3/rateLimit/order).
        """
        return self.used_table("", account, now_ns)[1:]

    def _banned(self, client: str, now_ns: int) -> ApiError:
        until_ns = self._banned_until[client]
        text = f"Way too much request weight used; IP banned until {until_ns // _MS_NS}. "
        text += "Please use WebSocket Streams for live updates to avoid bans."
        return ApiError(-1003, text, 418, headers={"Retry-After": str(-((now_ns - until_ns) // _SECOND_NS))})

    @staticmethod
    def _retry(window: Window, now_ns: int) -> dict[str, str]:
        return {"Retry-After": str(window.left_s(now_ns))}


_LETTERS = {"S": "SECOND", "M": "MINUTE", "D": "DAY"}


def _row(kind: str, window: str, limit: int) -> dict[str, object]:
    return {
        "rateLimitType": kind,
        "interval": _LETTERS[window[-1]],
        "intervalNum": int(window[:-1]),
        "limit": limit,
    }
