"""Approved orders as calls of the SDK: plain arguments, or a refusal that says what Futu cannot express."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

import msgspec

from foxtrot.adapter.futu.contracts import MAINLAND, code_of_instrument
from foxtrot.domain.enums import OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder

REMARK_BYTES: Final = 64
"""The longest remark, in UTF-8. Source: Futu OpenAPI, trade, Place Order (remark)."""

KINDS: Final = {
    OrderType.LIMIT: "NORMAL",
    OrderType.MARKET: "MARKET",
    OrderType.STOP: "STOP",
    OrderType.STOP_LIMIT: "STOP_LIMIT",
    OrderType.TAKE_PROFIT: "MARKET_IF_TOUCHED",
    OrderType.TAKE_PROFIT_LIMIT: "LIMIT_IF_TOUCHED",
}
"""What an account with real money can place. Source: Futu OpenAPI, trade, OrderType."""
SIMULATED_KINDS: Final = frozenset({OrderType.LIMIT, OrderType.MARKET})
TIMES: Final = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC, TimeInForce.FOK})
SIMULATED_TIMES: Final = frozenset({TimeInForce.DAY})
"""A paper account takes limit and market orders for the day. Source: Futu OpenAPI, trade, Place Order (paper trading)."""
PAPER_TIME: Final = "day, for a paper account has no other: say time_in_force=TimeInForce.DAY"

CONNECT_KINDS: Final = frozenset({OrderType.LIMIT})
"""Through Hong Kong's connect to the mainland limit orders for the day alone.

Source: HKEX, Stock Connect, trading arrangements of northbound: limit orders only.
"""
_HK_AT_ONCE: Final = {TimeInForce.IOC: "SPECIAL_LIMIT", TimeInForce.FOK: "SPECIAL_LIMIT_ALL"}
"""How Hong Kong says that a limit order must trade at once: by another type."""


class OrderCall(msgspec.Struct, frozen=True):
    """The arguments of the SDK's place_order that make up one order, without those of the account."""

    code: str
    side: str
    kind: str
    quantity: float
    price: float
    time_in_force: str
    remark: str
    trigger: float | None = None
    outside_hours: bool = False

    def arguments(self) -> dict[str, object]:
        """Return them by the SDK's names; a price is always sent, 0.0 where there is none.

        Source: Futu OpenAPI, trade, Place Order; seen with futu-api 10.11.7108: a price of None raises.
        """
        given: dict[str, object] = {
            "price": self.price, "qty": self.quantity, "code": self.code, "trd_side": self.side, "order_type": self.kind,
            "time_in_force": self.time_in_force, "remark": self.remark,
        }  # fmt: skip
        if self.trigger is not None:
            given["aux_price"] = self.trigger
        if self.outside_hours:
            given |= {"fill_outside_rth": True, "session": "ETH"}
        return given


def by_code(instruments: Iterable[Instrument]) -> dict[str, Instrument]:
    """Return contracts by the SDK's code.

    Source: seen with futu-api 10.11.7108: prefix, dot, code.
    """
    return {code_of_instrument(instrument): instrument for instrument in instruments}


def order_call(order: ApprovedOrder, instrument: Instrument, *, real: bool, outside_hours: bool = False) -> OrderCall:
    """Return the call of an approved order.

    Args:
        order: what risk approved; its id goes along as the remark, which comes back with every report.
        instrument: its contract.
        real: whether the account is one with real money; a paper account takes less.
        outside_hours: whether a US order may fill before and after the session.

    Raises:
        OrderRefused: Futu has no such order; rule, limit and value say what it has.

    Source: Futu OpenAPI, trade, Place Order.
    """
    for rule, limit, value in _faults(order, instrument, real=real):
        raise OrderRefused(rule, limit, value)
    code = code_of_instrument(instrument)
    kind, time_in_force = _terms(order, code.startswith("HK."))
    return OrderCall(
        code,
        "BUY" if order.side is Side.BUY else "SELL",
        kind,
        instrument.quantity(order.quantity_units),
        instrument.price(order.price_units) if order.order_type.needs_price else 0.0,
        time_in_force,
        order.order_id,
        instrument.price(order.trigger_units) if order.order_type.needs_trigger else None,
        outside_hours and code.startswith("US.") and order.order_type is OrderType.LIMIT,
    )


def _terms(order: ApprovedOrder, hong_kong: bool) -> tuple[str, str]:
    """Return the SDK's words for type and time in force; a market order never rests, under whatever name."""
    if order.order_type is OrderType.LIMIT and hong_kong and order.time_in_force in _HK_AT_ONCE:
        return _HK_AT_ONCE[order.time_in_force], "DAY"
    if order.order_type is OrderType.MARKET:
        return KINDS[order.order_type], "DAY"
    return KINDS[order.order_type], order.time_in_force.name


def _faults(order: ApprovedOrder, instrument: Instrument, *, real: bool) -> Iterator[tuple[str, str, str]]:
    """Yield (rule, what Futu takes, what was asked) of everything that it does not take."""
    kind = order.order_type
    kinds = frozenset(KINDS) if real else SIMULATED_KINDS
    if real and is_mainland(instrument):
        kinds = CONNECT_KINDS
    times = _times(order, instrument, real=real)
    size = len(order.order_id.encode())
    checks: Mapping[str, tuple[bool, str, str]] = {
        "order_id": (not 0 < size <= REMARK_BYTES, f"1 to {REMARK_BYTES} bytes", f"{size} bytes"),
        "order_type": (kind not in kinds, _words(kinds), kind),
        "time_in_force": (
            order.time_in_force not in times,
            PAPER_TIME if times == SIMULATED_TIMES and not real else _words(times),
            order.time_in_force,
        ),
        "quantity": (order.quantity_units <= 0, "above 0", str(order.quantity_units)),
        "price": (kind.needs_price and order.price_units <= 0, f"a {kind} order needs one", str(order.price_units)),
        "trigger_price": (kind.needs_trigger and order.trigger_units <= 0, f"a {kind} order needs one", "none"),
        "post_only": (order.post_only, "Futu has no post-only orders", "post-only"),
        "reduce_only": (order.reduce_only, "Futu has no reduce-only orders", "reduce-only"),
        "position_side": (order.position_side is not PositionSide.NET, "net", order.position_side),
        "iceberg": (bool(order.display_units), "Futu has no iceberg orders", str(order.display_units)),
    }
    for rule, (wrong, limit, value) in checks.items():
        if wrong:
            yield rule, limit, value


def _times(order: ApprovedOrder, instrument: Instrument, *, real: bool) -> frozenset[TimeInForce]:
    """Return the times in force that an order may have."""
    at_once = frozenset({TimeInForce.DAY, TimeInForce.GTC, TimeInForce.IOC})
    if order.order_type is OrderType.MARKET:
        return at_once
    if not real or is_mainland(instrument):
        return SIMULATED_TIMES
    if order.order_type is not OrderType.LIMIT:
        return at_once
    return TIMES if code_of_instrument(instrument).startswith("HK.") else at_once


def is_mainland(instrument: Instrument) -> bool:
    """Tell whether an instrument is traded through Hong Kong's connect.

    Source: Futu OpenAPI, trade, TrdMarket (HKCC).
    """
    return instrument.venue in MAINLAND


def _words(found: Iterable[object]) -> str:
    return ", ".join(sorted(str(word) for word in found))
