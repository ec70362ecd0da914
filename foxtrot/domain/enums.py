"""The closed vocabularies of trading; each value is its own text in JSON and on our own wires."""

import enum


class Side(enum.StrEnum):
    """Direction of an order or of the aggressor of a trade."""

    BUY = "buy"
    SELL = "sell"

    @property
    def sign(self) -> int:
        """Return +1 for a buy and -1 for a sell."""
        return 1 if self is Side.BUY else -1

    @property
    def opposite(self) -> "Side":
        """Return the other side."""
        return Side.SELL if self is Side.BUY else Side.BUY


class OrderType(enum.StrEnum):
    """How an order is priced and when it becomes active; post-only and iceberg are attributes of a limit."""

    LIMIT = "limit"
    MARKET = "market"
    STOP = "stop"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT = "take_profit"
    TAKE_PROFIT_LIMIT = "take_profit_limit"
    TRAILING_STOP = "trailing_stop"

    @property
    def needs_price(self) -> bool:
        """Tell whether a limit price is mandatory."""
        return self in _PRICED

    @property
    def needs_trigger(self) -> bool:
        """Tell whether a trigger price is mandatory (a trailing stop has an offset instead)."""
        return self in _TRIGGERED


_PRICED = frozenset({OrderType.LIMIT, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT})
_TRIGGERED = frozenset({OrderType.STOP, OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT})


class TimeInForce(enum.StrEnum):
    """How long an order may rest."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"
    DAY = "day"


class OrderStatus(enum.StrEnum):
    """Where an order stands; the legal moves between these are the table in order_state."""

    CREATED = "created"
    DENIED = "denied"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    ACCEPTED = "accepted"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class Product(enum.StrEnum):
    """What kind of thing is traded; decides how positions, margin and fees work."""

    SPOT = "spot"
    STOCK = "stock"
    FOREX = "forex"
    PERPETUAL = "perpetual"
    FUTURE = "future"
    OPTION = "option"

    @property
    def is_derivative(self) -> bool:
        """Tell whether a position is margin and profit rather than ownership of an asset; an option is paid for and owned."""
        return self in (Product.PERPETUAL, Product.FUTURE)

    @property
    def is_balance(self) -> bool:
        """Tell whether what is held of it is told as balances of assets alone: coins, and currencies of forex pairs."""
        return self in (Product.SPOT, Product.FOREX)


class PositionMode(enum.StrEnum):
    """Whether an account holds one net position per instrument or a long and a short one."""

    NETTING = "netting"
    HEDGING = "hedging"


class PositionSide(enum.StrEnum):
    """Which position of an instrument an order or position fact speaks of."""

    NET = "net"
    LONG = "long"
    SHORT = "short"


class Liquidity(enum.StrEnum):
    """Whether a fill rested in the book (maker) or took from it (taker)."""

    MAKER = "maker"
    TAKER = "taker"


class SelfTradePrevention(enum.StrEnum):
    """What the venue does when two orders of one account would meet."""

    NONE = "none"
    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"
    DECREMENT = "decrement"


class AdapterState(enum.StrEnum):
    """Life of a connection to a venue."""

    DISCONNECTED = "disconnected"
    CONNECTING = "connecting"
    CONNECTED = "connected"
    READY = "ready"
    BACKING_OFF = "backing_off"
    LOST = "lost"
    CLOSED = "closed"
    FAILED = "failed"


class BookState(enum.StrEnum):
    """Whether a local order book may be believed."""

    EMPTY = "empty"
    SYNCING = "syncing"
    LIVE = "live"
    STALE = "stale"
    CROSSED = "crossed"


class GateState(enum.StrEnum):
    """What the gate lets through: all orders, reducing orders only, or none."""

    ACTIVE = "active"
    REDUCING = "reducing"
    HALTED = "halted"
