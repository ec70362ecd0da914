"""Approved orders in the words of the TWS API: plain terms, or a refusal that says what IB cannot express."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from foxtrot.adapter.capabilities import Algo
from foxtrot.domain.enums import OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder

REF_LENGTH: Final = 40
"""The longest order id that is sent as orderRef. IB names no limit; so long an one is seen to come back whole."""

KINDS: Final[Mapping[OrderType, str]] = {
    OrderType.LIMIT: "LMT",
    OrderType.MARKET: "MKT",
    OrderType.STOP: "STP",
    OrderType.STOP_LIMIT: "STP LMT",
    OrderType.TAKE_PROFIT: "MIT",
    OrderType.TAKE_PROFIT_LIMIT: "LIT",
    OrderType.TRAILING_STOP: "TRAIL",
}
"""Source: TWS API, Basic Orders (market if touched, limit if touched, trailing stop)."""
TIMES: Final[Mapping[TimeInForce, str]] = {one: one.name for one in TimeInForce}
"""IB's words are ours in capitals. Source: TWS API, Order (Tif)."""
LIMIT_ONLY: Final = frozenset({TimeInForce.FOK})
"""Fill or kill is for plain limit orders: IB takes it with no order that waits for a trigger. Source: TWS API, Time in Force."""


ALGOS: Final = (
    Algo(
        "Adaptive",
        frozenset({OrderType.LIMIT, OrderType.MARKET}),
        (("adaptivePriority", ("Urgent", "Normal", "Patient")),),
    ),
)
"""Algorithms of IB's own that orders may name. Source: TWS API, IB Algorithms (Adaptive Algo)."""

_ALGO_NAMES: Final = frozenset(one.name for one in ALGOS)


class OrderTerms(msgspec.Struct, frozen=True):
    """One order in IB's words; None is a price that it has not. `trigger` is auxPrice: of a trailing stop it is the distance."""

    action: str
    kind: str
    quantity: Decimal
    limit: Decimal | None
    trigger: Decimal | None
    tif: str
    ref: str
    account: str
    first_stop: Decimal | None = None
    good_till: str = ""
    outside_hours: bool = False
    algo: str = ""
    algo_params: tuple[tuple[str, str], ...] = ()


def order_terms(
    order: ApprovedOrder, instrument: Instrument, account: str, *, outside_hours: bool = False
) -> OrderTerms:
    """Return an approved order in IB's words.

    Args:
        order: what risk approved; its id goes along as orderRef, which comes back with every report.
        instrument: its contract.
        account: IB's id of the account, "DU1234567".
        outside_hours: whether it may fill outside of regular trading hours.

    Raises:
        OrderRefused: IB has no such order; rule, limit and value say what it has.

    Source: TWS API, Order; Basic Orders.
    """
    for rule, limit, value in _faults(order):
        raise OrderRefused(rule, limit, value)
    kind, price = order.order_type, instrument.price_grid.to_decimal
    trailing = kind is OrderType.TRAILING_STOP
    trigger = price(order.trigger_units) if order.trigger_units else None
    return OrderTerms(
        "BUY" if order.side is Side.BUY else "SELL",
        KINDS[kind],
        instrument.quantity_grid.to_decimal(order.quantity_units),
        price(order.price_units) if kind.needs_price else None,
        price(order.trailing_offset_units) if trailing else trigger if kind.needs_trigger else None,
        TIMES[order.time_in_force],
        order.order_id,
        account,
        trigger if trailing else None,
        good_till(order.expire_time_ns) if order.time_in_force is TimeInForce.GTD else "",
        outside_hours,
        order.algo,
        order.algo_params,
    )


def good_till(time_ns: int) -> str:
    """Return a moment as goodTillDate, in whole seconds, the last one before it.

    Source: TWS API, Order (GoodTillDate): "20060505 08:00:00 UTC".
    """
    return datetime.fromtimestamp(time_ns // 10**9, UTC).strftime("%Y%m%d %H:%M:%S UTC")


def write_order(blank: Any, terms: OrderTerms, tag_value: Callable[[str, str], Any]) -> Any:
    """Write terms into a new Order of the SDK, and return it.

    Numbers are exact decimals, which go to the wire as they print. Two flags that old versions set by themselves are taken back,
    for today's TWS refuses them. `tag_value` makes a TagValue of the SDK.

    Source: TWS API, Order; seen with ibapi 9.81 (eTradeOnly and firmQuoteOnly True: error 10268).
    """
    blank.action, blank.orderType = terms.action, terms.kind
    blank.totalQuantity = _plain(terms.quantity)
    if terms.limit is not None:
        blank.lmtPrice = _plain(terms.limit)
    if terms.trigger is not None:
        blank.auxPrice = _plain(terms.trigger)
    if terms.first_stop is not None:
        blank.trailStopPrice = _plain(terms.first_stop)
    blank.tif, blank.goodTillDate, blank.outsideRth = terms.tif, terms.good_till, terms.outside_hours
    blank.orderRef, blank.account, blank.transmit = terms.ref, terms.account, True
    if terms.algo:
        blank.algoStrategy = terms.algo
        blank.algoParams = [tag_value(name, value) for name, value in terms.algo_params]
    for flag in ("eTradeOnly", "firmQuoteOnly"):
        if hasattr(blank, flag):
            setattr(blank, flag, False)
    return blank


def _plain(value: Decimal) -> Decimal:
    """Return a decimal that prints without an exponent."""
    return Decimal(format(value, "f"))


def _faults(order: ApprovedOrder) -> Iterator[tuple[str, str, str]]:
    """Yield (rule, what IB takes, what was asked) of everything that it does not take."""
    kind, tif = order.order_type, order.time_in_force
    ref = order.order_id
    trailing = kind is OrderType.TRAILING_STOP
    checks: Mapping[str, tuple[bool, str, str]] = {
        "order_id": (
            not (0 < len(ref) <= REF_LENGTH and ref.isascii() and ref.isprintable()),
            f"1 to {REF_LENGTH} ASCII characters", repr(ref),
        ),
        "order_type": (kind not in KINDS, _words(KINDS), kind),
        "time_in_force": (
            tif not in TIMES or (tif in LIMIT_ONLY and kind is not OrderType.LIMIT),
            f"{_words(TIMES)}; fok of limit orders alone", f"{tif} of a {kind} order",
        ),
        "quantity": (order.quantity_units <= 0, "above 0", str(order.quantity_units)),
        "price": (kind.needs_price and order.price_units <= 0, f"a {kind} order needs one", str(order.price_units)),
        "trigger_price": (kind.needs_trigger and order.trigger_units <= 0, f"a {kind} order needs one", "none"),
        "trailing_offset": (trailing and order.trailing_offset_units <= 0, f"a {kind} order needs one", "none"),
        "expire_time": (tif is TimeInForce.GTD and order.expire_time_ns <= 0, "a gtd order needs one", "none"),
        "post_only": (order.post_only, "IB has no post-only orders", "post-only"),
        "reduce_only": (order.reduce_only, "IB has no reduce-only orders", "reduce-only"),
        "position_side": (order.position_side is not PositionSide.NET, "net", order.position_side),
        "algo": (
            bool(order.algo) and order.algo not in _ALGO_NAMES, _words(_ALGO_NAMES), order.algo,
        ),
        "iceberg": (bool(order.display_units), "no iceberg orders are sent to IB", str(order.display_units)),
    }  # fmt: skip
    for rule, (wrong, limit, value) in checks.items():
        if wrong:
            yield rule, limit, value


def _words(found: Iterable[object]) -> str:
    return ", ".join(sorted(str(word) for word in found))
