"""Cells that blotters share: sides, origins, prices and sizes in the instrument's own steps, order rows made of facts."""

from decimal import Decimal

from foxtrot.app.control_requests import OrderRow, TradeRow
from foxtrot.core.notices import OrderChanged, TradeBooked
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order_state import OPEN
from foxtrot.gui.columns import Cell, Tone, number, sign_tone, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import (
    NOTHING,
    asset_text,
    exact_decimals,
    moment_text,
    money_text,
    plain_text,
    price_decimals,
    price_text,
    size_decimals,
    size_text,
    time_text,
)
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.texts import tr
from foxtrot.trading.order_ids import reduces_by_id

MORE_DECIMALS = 2
"""So many more than the instrument's are shown of an average."""


def name_of(key: str) -> str:
    """Return one of trading's own words in the language in force."""
    return tr(f"word.{key}")


def side_cell(side: str) -> Cell:
    """Return the cell of buy or sell, or of long or short: an arrow and a colour."""
    return word(name_of(side), Tone.UP if side in ("buy", "long") else Tone.DOWN, side)


def origin_cell(owner: str) -> Cell:
    """Return the cell of who owns something: a person, a strategy by its id, or nobody of ours."""
    if owner in (OWNER, EXTERNAL):
        return word(name_of(owner), Tone.WARNING if owner == EXTERNAL else Tone.PLAIN)
    return word(owner)


def time_cell(ns: int, *, tie: float = 0.0) -> Cell:
    """Return the cell of a moment."""
    return number(float(ns) + tie, time_text(ns), Tone.DIM, moment_text(ns))


def price_cell(price: float, instrument: Instrument | None, *, more: int = 0, tone: Tone = Tone.PLAIN) -> Cell:
    """Return the cell of a price."""
    return number(price, price_text(price, price_decimals(instrument) + more), tone)


def size_cell(size: float, instrument: Instrument | None, tone: Tone = Tone.PLAIN) -> Cell:
    """Return the cell of a size."""
    return number(size, size_text(size, size_decimals(instrument)), tone)


def money_cell(amount: Decimal | float | None, decimals: int = 2, *, signed: bool = False, unit: str = "") -> Cell:
    """Return the cell of an amount of money, followed by its currency where one is given; one that is signed has its colour."""
    value = float("nan") if amount is None else float(amount)
    tone = sign_tone(value) if signed and amount is not None else Tone.PLAIN
    text = money_text(amount, decimals, signed=signed)
    exact = plain_text(amount) if isinstance(amount, Decimal) and amount.is_finite() else ""
    return number(value, f"{text} {unit}" if unit and text != NOTHING else text, tone, exact, unit)


def amount_cell(amount: Decimal, unit: str = "", tone: Tone = Tone.PLAIN, *, signed: bool = False) -> Cell:
    """Return the cell of an amount of an asset, rounded for the eye, the exact one in its hint and in files."""
    text = asset_text(amount, signed=signed)
    return number(float(amount), f"{text} {unit}".rstrip(), tone, plain_text(amount), unit)


def fee_text(fee: Decimal) -> str:
    """Return a fee as exactly as it is, but for more than eight decimals."""
    return money_text(fee, exact_decimals(fee))


def long_or_short(quantity: float) -> str:
    """Return the word for the side of a position."""
    return "long" if quantity > 0 else "short"


def mark_of(desk: Desk, instrument_id: str) -> float:
    """Return the price that an instrument stands at for the eye: the middle, else the last trade; 0.0 where nothing was heard."""
    tick = desk.ticks.get(instrument_id)
    if tick is None:
        return 0.0
    if tick.bid_price > 0.0 and tick.ask_price > 0.0:
        return (tick.bid_price + tick.ask_price) / 2
    return tick.last_price if tick.last_price > 0.0 else 0.0


def is_open(row: OrderRow) -> bool:
    """Tell whether an order may still trade."""
    return OrderStatus(row.status) in OPEN


def order_row(change: OrderChanged, before: OrderRow | None) -> OrderRow:
    """Return the row of an order that has changed; what the fact does not tell stays as it was."""
    order = change.order
    still_open = order.status in OPEN
    unknown = order.status is OrderStatus.UNKNOWN
    return OrderRow(
        order_id=order.order_id,
        owner=change.strategy_id,
        account=order.account,
        instrument_id=order.instrument_id,
        side=str(order.side),
        order_type=str(order.order_type),
        quantity=order.quantity,
        filled=order.filled_quantity,
        price=order.price,
        trigger_price=order.trigger_price,
        status=str(order.status),
        reduces=before.reduces if before is not None else order.reduce_only or reduces_by_id(order.order_id),
        cancel_asked=still_open and before is not None and before.cancel_asked,
        venue_order_id=order.venue_order_id,
        created_ns=before.created_ns if before is not None else order.local_time_ns,
        changed_ns=order.local_time_ns,
        unknown_since_ns=order.local_time_ns if unknown else None,
        reason=order.reason,
    )


def trade_row(booked: TradeBooked) -> TradeRow:
    """Return the row of a fill."""
    trade = booked.trade
    return TradeRow(
        trade.venue_time_ns or trade.local_time_ns, trade.trade_id, trade.order_id, booked.strategy_id, trade.account,
        trade.instrument_id, str(trade.side), trade.price, trade.quantity, trade.fee, trade.fee_asset, str(trade.liquidity),
    )  # fmt: skip


def order_text(row: OrderRow, instrument: Instrument | None) -> str:
    """Return an order in words."""
    size = size_text(row.quantity, size_decimals(instrument))
    kind = name_of(row.order_type)
    prices = [price_text(one, price_decimals(instrument)) for one in (row.price, row.trigger_price) if one]
    return f"{name_of(row.side)} {size} {row.instrument_id} {kind} {' / '.join(prices)}".rstrip() or NOTHING
