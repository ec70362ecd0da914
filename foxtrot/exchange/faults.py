"""What the exchange can be told to do wrong: one fault as data, its kinds, and scripts of them from TOML or JSON.

A script is a list of `[[fault]]` tables. `kind` names what goes wrong; the rest narrows where and how long:

    [[fault]]
    kind = "ack_lost"                 # the order is taken, its answer is not sent
    endpoint = "POST /api/v3/order"   # or a ws-api method such as "order.place"; * and ? stand for anything
    after = 2                         # the first two matches pass unharmed
    count = 1                         # then once
"""

import enum
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Final

import msgspec

from foxtrot.domain.errors import ConfigError


class Scope(enum.Enum):
    """At which point of the server's work a fault acts."""

    REQUEST = "request"
    HANDSHAKE = "handshake"
    INCOMING = "incoming"
    FRAME = "frame"
    CONNECTION = "connection"
    STATE = "state"
    ACTION = "action"


BINANCE: Final = "Binance"
FUTU: Final = "Futu"
IB: Final = "IB"
ALL: Final = "Binance, Futu and IB"
STOCKS: Final = "Futu and IB"
BINANCE_AND_IB: Final = "Binance and IB"


class Kind(msgspec.Struct, frozen=True):
    """What a kind of fault is: where it acts, how often unless told (0: until it ends), which settings it takes, whose it is."""

    scope: Scope
    count: int = 1
    takes: tuple[str, ...] = ()
    stream: str = ""
    venues: str = BINANCE


_FILLS: Final = "fills"
_ORDERS: Final = "openOrder"
_HOW: Final = ("status", "code", "msg", "retry_after_s", "executed")

KINDS: Final[Mapping[str, Kind]] = {
    # answers of REST and ws-api
    "ack_lost": Kind(Scope.REQUEST, 1, ("code", "msg", "status", "hang", "reset"), venues=ALL),
    "delay": Kind(Scope.REQUEST, 1, ("delay_s", "executed"), venues=ALL),
    "http_status": Kind(Scope.REQUEST, 1, _HOW),
    "error_code": Kind(Scope.REQUEST, 1, _HOW, venues=ALL),
    "html": Kind(Scope.REQUEST, 1, ("status", "executed")),
    "too_many_requests": Kind(Scope.REQUEST, 0, ("retry_after_s",), venues=ALL),
    "banned": Kind(Scope.REQUEST, 0, ("retry_after_s",)),
    "stale_snapshot": Kind(Scope.REQUEST, 1, ("lag",)),
    "cut_answer": Kind(Scope.REQUEST, 1, venues=ALL),
    # the handshake and what a client asks over a WebSocket
    "refuse_handshake": Kind(Scope.HANDSHAKE, 1, ("status", "retry_after_s", "msg"), venues=ALL),
    "refuse_websockets": Kind(Scope.HANDSHAKE, 0, venues=ALL),
    "split_handshake": Kind(Scope.HANDSHAKE, 1, venues=IB),
    "reject_subscribe": Kind(Scope.INCOMING, 1, ("code", "msg")),
    "drop_subscribe_reply": Kind(Scope.INCOMING, 1),
    "reject_user_stream": Kind(Scope.INCOMING, 1, ("code", "msg", "status")),
    # frames to a client
    "duplicate_fills": Kind(Scope.FRAME, 1, (), _FILLS, ALL),
    "duplicate_orders": Kind(Scope.FRAME, 1, (), _ORDERS, IB),
    "reorder_fills": Kind(Scope.FRAME, 1, ("delay_s",), _FILLS),
    "gap": Kind(Scope.FRAME, 1, (), "*@depth*", ALL),
    "go_silent": Kind(Scope.FRAME, 0, venues=ALL),
    "malformed_number": Kind(Scope.FRAME, 1, ("text",), venues=BINANCE_AND_IB),
    "malformed_frame": Kind(Scope.FRAME, 1, ("text",), venues=ALL),
    "cut_mid_frame": Kind(Scope.FRAME, 1, venues=ALL),
    "burst_4096": Kind(Scope.FRAME, 1, ("delay_s",), venues=IB),
    # connections
    "close": Kind(Scope.CONNECTION, 1, ("code", "msg"), venues=ALL),
    "close_without_frame": Kind(Scope.CONNECTION, venues=ALL),
    "reset": Kind(Scope.CONNECTION, venues=ALL),
    "half_open": Kind(Scope.CONNECTION, venues=ALL),
    # as long as it lasts
    "stop_pongs": Kind(Scope.STATE, 0),
    "one_byte_writes": Kind(Scope.STATE, 0, venues=ALL),
    "clock_skew": Kind(Scope.STATE, 0, ("skew_ms",), venues=ALL),
    "mute": Kind(Scope.STATE, 0, ("executed",), venues=STOCKS),
    "slow_reader": Kind(Scope.STATE, 0, venues=STOCKS),
    "upstream_lost": Kind(Scope.STATE, 0, ("code",), venues=STOCKS),
    "farm_broken": Kind(Scope.STATE, 0, ("text",), venues=IB),
    "nightly_reset": Kind(Scope.STATE, 0, ("code",), venues=IB),
    # done once
    "expire_listen_key": Kind(Scope.ACTION),
    "rotate_listen_key": Kind(Scope.ACTION),
    "terminate_user_stream": Kind(Scope.ACTION),
    "lock_trade": Kind(Scope.ACTION, venues=FUTU),
    "restart": Kind(Scope.ACTION, 1, ("down_s", "lag"), venues=ALL),
    "other_order": Kind(Scope.ACTION, 1, ("symbol", "side", "quantity", "price"), venues=ALL),
}
"""Every kind of fault. Their settings are explained in docs/exchange_faults.md."""

_OTHERS: Final = {"futu": FUTU, "ib": IB}
"""Venues that are not Binance, by product: their streams have names of their own."""
FARMS: Final = ("usfarm", "ushmds", "secdefil")
RESTORED_BY: Final = (0, 1101, 1102)
DEFAULT_RETRY_AFTER_S: Final = 60.0
_MOST: Final = 1_000_000_000
_MOST_SKEW_MS: Final = 366 * 86_400_000
_EVERYWHERE: Final = ("kind", "product", "account", "after", "count", "for_s", "at_s")
_PLACES: Final[Mapping[Scope, tuple[str, ...]]] = {
    Scope.REQUEST: ("endpoint",),
    Scope.HANDSHAKE: ("connection",),
    Scope.INCOMING: ("endpoint", "connection", "stream"),
    Scope.FRAME: ("connection", "stream"),
    Scope.CONNECTION: ("connection", "stream"),
    Scope.STATE: ("endpoint", "connection"),
    Scope.ACTION: (),
}
_VALUES: Final[Mapping[str, tuple[str, ...]]] = {
    "product": ("spot", "usdm", "futu", "ib"),
    "connection": ("public", "market", "private", "ws_api", "stream", "user", "quote", "trade"),
    "side": ("BUY", "SELL"),
}


class Fault(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing to do wrong.

    Where: `product` spot, usdm, futu or ib, `endpoint` as "METHOD /path", ws-api method or Futu's or IB's name of a request, `stream`
    as "btcusdt@depth*", the type of a user event, Futu's name of a push or IB's of a callback, `connection` public, market, private, ws_api, stream (a
    path that says nothing) or user (private, ws_api and sockets of a listen key), at Futu quote or trade, `account`; "" is any. When: from `at_s` seconds after it is set, for `for_s` seconds (0: until
    removed), after `after` matches, `count` times (0: no limit; None: as its kind does).
    """

    kind: str
    product: str = ""
    endpoint: str = ""
    stream: str = ""
    connection: str = ""
    account: str = ""
    at_s: float = 0.0
    for_s: float = 0.0
    after: int = 0
    count: int | None = None
    status: int = 0
    code: int = 0
    msg: str = ""
    text: str = ""
    retry_after_s: float = 0.0
    delay_s: float = 0.0
    down_s: float = 0.0
    skew_ms: int = 0
    lag: int = 0
    executed: bool = False
    hang: bool = False
    reset: bool = False
    symbol: str = ""
    side: str = "BUY"
    quantity: str = ""
    price: str = ""

    @property
    def scope(self) -> Scope:
        """Return where the fault acts."""
        return KINDS[self.kind].scope

    @property
    def limit(self) -> int:
        """Return how often it acts, 0 for no limit."""
        if self.count is not None:
            return self.count
        return 0 if self.for_s else KINDS[self.kind].count

    @property
    def life_s(self) -> float:
        """Return how long it lasts, 0 for no limit; a limit of requests is over when its Retry-After is."""
        if self.for_s or self.count is not None or self.kind not in ("too_many_requests", "banned"):
            return self.for_s
        return self.retry_after_s or DEFAULT_RETRY_AFTER_S

    @property
    def streams(self) -> str:
        """Return the pattern of the streams it concerns, the kind's own where none was told."""
        own = KINDS[self.kind].stream
        return self.stream or (own if self.product not in _OTHERS or own in (_FILLS, _ORDERS) else "")


def read_fault(table: object, name: str = "fault") -> Fault:
    """Return one fault from a decoded table.

    Raises:
        ConfigError: it names key, value and the nearest known one.
    """
    if not isinstance(table, Mapping):
        raise ConfigError(f"{name} is {table!r}; a fault is a table with at least a kind")
    kind = table.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise ConfigError(f"{name}: kind = {kind!r} is not known; {_nearest(str(kind), tuple(KINDS))}")
    spec = KINDS[kind]
    taken = (*_EVERYWHERE, *_PLACES[spec.scope], *spec.takes)
    for key, value in table.items():
        if key not in taken:
            raise ConfigError(f"{name}: {kind} takes no {key} = {value!r}; {_nearest(str(key), taken)}")
        values = _VALUES.get(str(key))
        if values and value not in values:
            raise ConfigError(f"{name}: {key} = {value!r} is not known; {_nearest(str(value), values)}")
    try:
        fault = msgspec.convert(table, Fault)
    except msgspec.ValidationError as error:
        raise ConfigError(f"{name}: {kind}: {error}") from error
    return _checked(fault, name)


def _checked(fault: Fault, name: str) -> Fault:
    for key in ("at_s", "for_s", "after", "retry_after_s", "delay_s", "down_s", "lag", "count"):
        value = getattr(fault, key)
        if value is not None and not 0 <= value < _MOST:
            raise ConfigError(f"{name}: {key} = {value} must be 0 or above, and less than {_MOST}")
    venue = {"": "", **_OTHERS}.get(fault.product, BINANCE)
    if venue not in KINDS[fault.kind].venues:
        kinds = ", ".join(kind for kind, spec in KINDS.items() if venue in spec.venues)
        raise ConfigError(f"{name}: product = {fault.product!r} has no fault {fault.kind}; there are: {kinds}")
    if abs(fault.skew_ms) > _MOST_SKEW_MS:
        raise ConfigError(f"{name}: skew_ms = {fault.skew_ms} must be at most a year: {_MOST_SKEW_MS} either way")
    lowest, highest = (0, 65_535) if fault.kind == "close" else (-99_999, 99_999)
    if not lowest <= fault.code <= highest:
        raise ConfigError(f"{name}: code = {fault.code} must be a whole number from {lowest} to {highest}")
    if fault.status and not 200 <= fault.status <= 599:
        raise ConfigError(f"{name}: status = {fault.status} must be an HTTP status between 200 and 599")
    _check_links(fault, name)
    if fault.endpoint.startswith("/"):
        raise ConfigError(
            f'{name}: endpoint = "{fault.endpoint}" has no method and matches nothing; write it as "POST {fault.endpoint}", '
            f'or "* {fault.endpoint}" for any'
        )
    needed = _NEEDS.get(fault.kind, ())
    for key in needed:
        if not getattr(fault, key):
            raise ConfigError(f"{name}: {fault.kind} needs {key}")
    return fault


def _check_links(fault: Fault, name: str) -> None:
    if fault.kind == "farm_broken" and fault.text not in ("", *FARMS):
        raise ConfigError(f"{name}: text = {fault.text!r} is no data farm; there are: {', '.join(FARMS)}")
    if fault.kind in ("upstream_lost", "nightly_reset") and fault.code not in RESTORED_BY:
        raise ConfigError(f"{name}: code = {fault.code} must be 1101 (data lost) or 1102 (data kept)")


_NEEDS: Final[Mapping[str, Sequence[str]]] = {
    "delay": ("delay_s",),
    "http_status": ("status",),
    "error_code": ("code",),
    "clock_skew": ("skew_ms",),
    "expire_listen_key": ("account",),
    "rotate_listen_key": ("account",),
    "terminate_user_stream": ("account",),
    "other_order": ("account", "symbol", "quantity"),
}


def _nearest(given: str, known: Sequence[str]) -> str:
    close = get_close_matches(given, known, n=1, cutoff=0.5)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
