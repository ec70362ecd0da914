"""What an adapter can and cannot give, as data that tests and the user read."""

import enum

import msgspec

from foxtrot.domain.enums import OrderType, PositionMode, TimeInForce


class BookKind(enum.StrEnum):
    """How much of the order book a venue's stream gives."""

    FULL = "full"
    PARTIAL = "partial"
    BEST = "best"
    NONE = "none"


class Countdown(enum.StrEnum):
    """What a venue cancels by itself when it has not been told to wait for longer: nothing, entries alone, or every order."""

    NONE = "none"
    ENTRIES = "entries"
    EVERYTHING = "everything"


class Algo(msgspec.Struct, frozen=True):
    """An algorithm of a venue's own: the order types that it works, and by parameter the values that it may have, none for any."""

    name: str
    order_types: frozenset[OrderType]
    parameters: tuple[tuple[str, tuple[str, ...]], ...] = ()


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the capability table.

    `client_order_id_limit` is the longest order id the venue carries; `unknown_bound_s` is the time after which NOT FOUND
    proves that an unanswered order never reached the market, 0.0 where the venue gives no such bound. `limit_only` are the times
    in force that only an order with a limit price can have. `oco` is whether the venue itself keeps two orders of which one ends the
    other, see `BaseAdapter.send_pair`. `algos` are the venue's own algorithms that an order may name. `fees_apart` is whether the venue
    tells the fee of a fill in a message of its own, which may come when the fill is booked. `bars` are streamed ones, told at their close.

    Of the order book: `book` is what the stream gives and `book_levels` how deep; `best_by_stream` whether the best bid and ask are
    streamed, `book_checksums` whether the venue's checksums are checked, `book_interval_ms` how often changes come, 0.0 where at
    once; `snapshot_levels` the deepest book a request gives, 0 where there is none, and `snapshot_cost` what that request takes of
    the venue's limits, in the venue's own weights.

    `weight_per_minute` is what the venue takes of these in a minute, 0.0 where it does not count.
    """

    order_types: frozenset[OrderType]
    times_in_force: frozenset[TimeInForce]
    limit_only: frozenset[TimeInForce] = frozenset()
    position_modes: frozenset[PositionMode] = frozenset({PositionMode.NETTING})
    post_only: bool = False
    reduce_only: bool = False
    iceberg: bool = False
    amend: bool = False
    oco: bool = False
    algos: tuple[Algo, ...] = ()
    fees_apart: bool = False
    book: BookKind = BookKind.NONE
    book_levels: int = 0
    best_by_stream: bool = False
    book_checksums: bool = False
    book_interval_ms: float = 0.0
    snapshot_levels: int = 0
    snapshot_cost: float = 0.0
    depth_changes: bool = False
    market_trades: bool = False
    bars: bool = False
    history: bool = False
    client_order_id_limit: int = 32
    unknown_bound_s: float = 0.0
    network: bool = True
    countdown: Countdown = Countdown.NONE
    weight_per_minute: float = 0.0
