"""What IB tells of orders, fills and commissions, as rows; BadMessage for what cannot be.

The SDK's objects are read here attribute by attribute, in the shapes of all its versions. A row knows nothing of the platform's ids.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from foxtrot.adapter.ib.figures import VENUE, amount, figure, whole
from foxtrot.domain.enums import OrderStatus, OrderType, Side, TimeInForce
from foxtrot.domain.errors import BadMessage

STATUSES: Final[Mapping[str, OrderStatus | None]] = {
    "ApiPending": None,
    "PendingSubmit": None,
    "PendingCancel": OrderStatus.ACCEPTED,
    "PreSubmitted": OrderStatus.ACCEPTED,
    "Submitted": OrderStatus.ACCEPTED,
    "ApiCancelled": OrderStatus.CANCELLED,
    "Cancelled": OrderStatus.CANCELLED,
    "Filled": OrderStatus.FILLED,
    "Inactive": None,
}
"""IB's words → ours; None, and a word that is not here, says that IB has the order and has not judged it. Inactive is refused or
held: the word alone is no end.

Source: TWS API, Order Submission, Possible Order States.
"""
INACTIVE: Final = "Inactive"

KINDS: Final[Mapping[str, OrderType]] = {
    "LMT": OrderType.LIMIT, "MKT": OrderType.MARKET, "STP": OrderType.STOP, "STP LMT": OrderType.STOP_LIMIT,
    "MIT": OrderType.TAKE_PROFIT, "LIT": OrderType.TAKE_PROFIT_LIMIT, "TRAIL": OrderType.TRAILING_STOP,
    "TRAIL LIMIT": OrderType.TRAILING_STOP, "MOC": OrderType.MARKET, "LOC": OrderType.LIMIT,
}  # fmt: skip
"""Source: TWS API, Basic Orders. An order of a type that is not here, placed by another client, is told by whether it has a price."""
TIMES: Final[Mapping[str, TimeInForce]] = {
    "DAY": TimeInForce.DAY, "GTC": TimeInForce.GTC, "IOC": TimeInForce.IOC, "FOK": TimeInForce.FOK, "GTD": TimeInForce.GTD,
    "OPG": TimeInForce.DAY, "DTC": TimeInForce.DAY, "": TimeInForce.DAY,
}  # fmt: skip
"""Source: TWS API, Order (Tif)."""
_SIDES: Final[Mapping[str, Side]] = {
    "BUY": Side.BUY, "SELL": Side.SELL, "SSHORT": Side.SELL, "BOT": Side.BUY, "SLD": Side.SELL,
}  # fmt: skip
"""Source: TWS API, Order (Action); Execution (Side)."""


class OrderRow(msgspec.Struct, frozen=True):
    """One order as openOrder or completedOrder tells it; `is_completed` is the latter, which alone says how much was filled."""

    con_id: int
    perm_id: int
    number: int
    client_id: int
    ref: str
    account: str
    side: Side
    kind: OrderType
    time_in_force: TimeInForce
    quantity: Decimal
    limit: Decimal
    trigger: Decimal
    status: str
    filled: Decimal
    is_completed: bool = False
    reason: str = ""
    good_till: str = ""
    what_if: bool = False
    distance: Decimal = Decimal(0)
    """Of a trailing stop how far it follows; its `trigger` is where it has come to."""


class StatusRow(msgspec.Struct, frozen=True):
    """One orderStatus: it names its order by numbers alone."""

    perm_id: int
    number: int
    client_id: int
    status: str
    filled: Decimal
    average: Decimal
    why_held: str = ""
    remaining: Decimal = Decimal(0)


class FillRow(msgspec.Struct, frozen=True):
    """One execDetails. `exec_id` is IB's, `trade_id` the same without its last part, which counts corrections in `version`."""

    exec_id: str
    trade_id: str
    version: int
    con_id: int
    perm_id: int
    number: int
    client_id: int
    ref: str
    account: str
    side: Side
    quantity: Decimal
    price: Decimal
    cumulated: Decimal
    average: Decimal
    time_ns: int
    made: bool | None


class CommissionRow(msgspec.Struct, frozen=True):
    """One commissionReport; a negative amount is a rebate."""

    exec_id: str
    amount: Decimal
    currency: str


def order_row(contract: Any, order: Any, state: Any, *, number: int = 0, is_completed: bool = False) -> OrderRow:
    """Return an order of openOrder or completedOrder.

    Raises:
        BadMessage: it says something that cannot be.

    Source: TWS API, EWrapper.openOrder, EWrapper.completedOrder; seen with ibapi 9.81.
    """
    limit, trigger = figure(order.lmtPrice, "lmtPrice"), figure(order.auxPrice, "auxPrice")
    kind = KINDS.get(order.orderType)
    if kind is None:
        kind = OrderType.LIMIT if limit else OrderType.MARKET
    distance = Decimal(0)
    if kind is OrderType.TRAILING_STOP:
        distance, trigger = trigger or distance, figure(order.trailStopPrice, "trailStopPrice")
    status = _text(state.status)
    return OrderRow(
        whole(contract.conId, "conId"), whole(order.permId, "permId"), number or whole(order.orderId, "orderId"),
        whole(order.clientId, "clientId"), _text(order.orderRef), _text(order.account), _side(order.action), kind,
        TIMES.get(_text(order.tif), TimeInForce.DAY), amount(order.totalQuantity, "totalQuantity"), limit or Decimal(0),
        trigger or Decimal(0), status, amount(getattr(order, "filledQuantity", None) if is_completed else 0, "filledQuantity"),
        is_completed, _reason(state, is_completed), _text(order.goodTillDate), bool(order.whatIf), distance,
    )  # fmt: skip


def status_row(
    number: Any, status: Any, filled: Any, remaining: Any, average: Any, perm_id: Any, *more: Any
) -> StatusRow:
    """Return an order's status; `more` are parentId, lastFillPrice, clientId, whyHeld and mktCapPrice.

    Raises:
        BadMessage: it says something that cannot be.

    Source: TWS API, EWrapper.orderStatus.
    """
    left = amount(remaining, "remaining")
    row = StatusRow(
        whole(perm_id, "permId"), whole(number, "orderId"), whole(more[2], "clientId"), _text(status),
        amount(filled, "filled"), figure(average, "avgFillPrice") or Decimal(0), _text(more[3]), left,
    )  # fmt: skip
    if row.status == "Filled" and left:
        raise BadMessage(VENUE, "orderStatus", f"order {number} is Filled and {left} of it remain")
    return row


def fill_row(contract: Any, execution: Any, zone: tzinfo) -> FillRow:
    """Return a fill of execDetails.

    Args:
        contract: the SDK's contract.
        execution: the SDK's execution.
        zone: of the gateway's clock, for times without a zone.

    Raises:
        BadMessage: it says something that cannot be.

    Source: TWS API, EWrapper.execDetails; Execution (ExecId: a correction differs in what follows the last point).
    """
    exec_id = _text(execution.execId)
    base, _, version = exec_id.rpartition(".")
    if not exec_id:
        raise BadMessage(VENUE, "execId", "a fill without execId")
    row = FillRow(
        exec_id, base if base and version.isdecimal() else exec_id, int(version) if base and version.isdecimal() else 0,
        whole(contract.conId, "conId"), whole(execution.permId, "permId"), whole(execution.orderId, "orderId"),
        whole(execution.clientId, "clientId"), _text(execution.orderRef), _text(execution.acctNumber),
        _side(execution.side), amount(execution.shares, "shares"), figure(execution.price, "price") or Decimal(0),
        amount(execution.cumQty, "cumQty"), figure(execution.avgPrice, "avgPrice") or Decimal(0),
        time_ns(_text(execution.time), zone), {1: True, 2: False}.get(whole(execution.lastLiquidity, "lastLiquidity")),
    )  # fmt: skip
    if not row.quantity and not row.version > 1:
        raise BadMessage(VENUE, "shares", f"fill {exec_id} of nothing")
    return row


def commission_row(report: Any) -> CommissionRow:
    """Return a commission, by the names of either version.

    Raises:
        BadMessage: it says something that cannot be.

    Source: TWS API, EWrapper.commissionReport; seen with ibapi 10.46: commissionAndFees.
    """
    told = getattr(report, "commission", None)
    if told is None:
        told = getattr(report, "commissionAndFees", None)
    charged = figure(told, "commission")
    exec_id = _text(report.execId)
    if charged is None or not exec_id:
        raise BadMessage(VENUE, "commission", f"a commission of {told!r} for execution {exec_id!r}")
    return CommissionRow(exec_id, charged, _text(report.currency))


def time_ns(text: str, zone: tzinfo) -> int:
    """Return the moment of a text such as "20261128  14:30:00", with or without a zone at its end, in UTC ns.

    Raises:
        BadMessage: it is no time.

    Source: TWS API, Execution (Time); seen with ibapi 9.81 and ib_async 2.1.
    """
    is_utc = text[8:9] == "-"
    words = (text.replace("-", " ", 1) if is_utc else text).split()
    try:
        told = datetime.strptime(" ".join(words[:2]), "%Y%m%d %H:%M:%S")  # noqa: DTZ007  (the zone follows)
    except ValueError:
        raise BadMessage(VENUE, "time", f"{text!r} is no time such as 20261128 14:30:00") from None
    named = zone_named(" ".join(words[2:])) if words[2:] else None
    return int(told.replace(tzinfo=named or (UTC if is_utc else zone)).timestamp()) * 10**9


def zone_named(name: str) -> tzinfo | None:
    """Return a zone by its name, None where nobody knows it.

    Source: TWS API, handshake: "EST", "US/Eastern", "UTC".
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def gateway_zone(told: str, now_ns: int) -> tzinfo:
    """Return the zone of the gateway's clock: as it is named, or by how far it is from ours where nobody knows the name.

    Args:
        told: what the gateway told when it was dialled, as "20261128 09:30:00 EST".
        now_ns: the time then, UTC ns.

    Source: TWS API, handshake: time of the connection.
    """
    words = told.split()
    named = zone_named(" ".join(words[2:])) if words[2:] else None
    if named is not None:
        return named
    try:
        ahead_s = time_ns(" ".join(words[:2]), UTC) / 1e9 - now_ns / 1e9
    except BadMessage:
        return UTC
    return timezone(timedelta(minutes=15 * round(ahead_s / 900)))


def _reason(state: Any, is_completed: bool) -> str:
    return _text(getattr(state, "completedStatus", "") if is_completed else getattr(state, "warningText", ""))


def _side(word: Any) -> Side:
    side = _SIDES.get(_text(word))
    if side is None:
        raise BadMessage(VENUE, "side", f"{word!r} is no side; known: {', '.join(_SIDES)}")
    return side


def _text(value: Any) -> str:
    return str(value).strip() if value is not None else ""
