"""What can be called, as tables: REST by (method, path), ws-api by ("WS", method). Both kinds share their handlers."""

import enum
from collections.abc import Callable, Mapping

import msgspec


class Security(enum.Enum):
    """What a call must carry: nothing, an API key, or a key with timestamp and signature."""

    NONE = "none"
    KEY = "key"
    SIGNED = "signed"


class Call(msgspec.Struct, frozen=True):
    """One call whose key, time and signature were checked.

    `params` are decoded text without `signature` (ws-api numbers and booleans as they would stand in a query; an array or
    object as its JSON text); `account` is the venue account of the key, "" without one; `time_ns` is the server's time.
    """

    params: Mapping[str, str]
    account: str
    time_ns: int
    api_key: str = ""
    is_ws: bool = False

    @property
    def time_ms(self) -> int:
        """Return the server's time in milliseconds."""
        return self.time_ns // 1_000_000


class Endpoint(msgspec.Struct, frozen=True):
    """One row: who answers, what the call must carry, what it weighs, and whether it counts as an order.

    `orders` is as how many orders a call counts that counts as one. The handler returns what is encoded as the JSON body (ws-api: as `result`), or raises ApiError.
    `required` are the parameters without which the call is refused with -1102 before anything else of it is judged.
    """

    handler: Callable[[Call], object]
    security: Security = Security.NONE
    weight: int | Callable[[Call], int] = 1
    counts_order: bool = False
    required: tuple[str, ...] = ()
    orders: int = 1


Routes = dict[tuple[str, str], Endpoint]
"""Endpoints by ("GET", "/api/v3/order") or ("WS", "order.place")."""
