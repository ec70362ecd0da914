"""What each key of a configuration means, read from the tables themselves."""

from typing import Annotated, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo

from foxtrot.trading.limits import Limits

LIMIT_DESCRIPTIONS = {
    "price_collar": "Farthest a limit or trigger price may lie from the reference price, on the losing side, as a fraction.",
    "market_sweep": "Most a market order may move through the book by estimate, as a fraction of the reference price.",
    "quote_age_s": "Oldest reference price that an order which adds risk may rely on, in seconds.",
    "messages_per_s": "Orders and cancels per second.",
    "duplicate_window_s": "A second identical order within so many seconds is refused.",
    "check_funds": "Refuse what free cash or margin, after open orders and fees, does not cover.",
    "repeated_executions": "A strategy whose orders took from the book so often within the window, each of the same instrument, side and quantity, is disabled until a person re-arms it.",
    "repeated_window_s": "The window of `repeated_executions`, in seconds.",
    "orders_per_minute": "A strategy that sends more orders in a minute is disabled until a person re-arms it.",
    "roll_days": "A future is not opened any more, and its positions are named once a day, from so many days before its last trade or first notice, whichever is earlier.",
    "max_order_quantity": "Largest quantity of one order, in units of the base asset, shares or contracts.",
    "max_order_notional": "Largest value of one order, in the base currency.",
    "max_open_orders": "Most open orders at a time.",
    "max_position": "Largest position per instrument after the order, long or short, in its own units.",
    "max_exposure": "Largest sum of position values after the order, in the base currency.",
    "max_daily_loss": "Loss since the day began after which only reducing orders pass, in the base currency.",
    "max_drawdown": "Fall from the highest equity after which only reducing orders pass, in the base currency.",
}
"""Limit → what it means; 0 means no limit."""


def description_of(field: FieldInfo) -> str:
    """Return what a key means, as its type says beside the type."""
    metas = get_args(field.type)[1:] if get_origin(field.type) is Annotated else ()
    return next((meta.description for meta in metas if isinstance(meta, Meta) and meta.description), "")


def title_of(kind: type[msgspec.Struct]) -> str:
    """Return what a table is."""
    return "Limits of the whole platform." if kind is Limits else (kind.__doc__ or "").partition("\n")[0]
