"""An order of a ticket in words, as it is confirmed and as its button says it."""

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import TickData
from foxtrot.gui.numbers import price_decimals, price_text, size_decimals, size_text
from foxtrot.gui.panels.ticket_model import Ticket
from foxtrot.gui.texts import tr


def words_of(ticket: Ticket, side: Side, instrument: Instrument | None) -> str:
    """Return an order in words."""
    decimals, kind = price_decimals(instrument), ticket.order_type
    symbol = ticket.instrument_id if instrument is None else instrument.symbol
    size = size_text(ticket.quantity, size_decimals(instrument))
    parts = [tr(f"ticket.{side}"), size, symbol, tr(f"ticket.type_{kind}")]
    figures = (
        ("at", ticket.price if kind.needs_price else 0.0), ("trigger_at", ticket.trigger if kind.needs_trigger else 0.0),
        ("offset_at", ticket.offset if kind is OrderType.TRAILING_STOP else 0.0),
        ("stop_at", ticket.stop_loss if ticket.has_bracket else 0.0), ("take_at", ticket.take_profit if ticket.has_bracket else 0.0),
    )  # fmt: skip
    parts += [tr(f"ticket.{name}", price=price_text(value, decimals)) for name, value in figures if value]
    parts += [tr(f"ticket.{name}") for name in ("post_only", "reduce_only") if getattr(ticket, name)]
    return f"{' '.join(parts)} ({ticket.account})"


def button_text(ticket: Ticket, side: Side, instrument: Instrument | None, tick: TickData | None) -> str:
    """Return side, size and price for the button of a side."""
    bid, ask = (0.0, 0.0) if tick is None else (tick.bid_price, tick.ask_price)
    price = ticket.entry(side, bid, ask)
    size = size_text(ticket.quantity, size_decimals(instrument)) if ticket.quantity else ""
    at = f"@ {price_text(price, price_decimals(instrument))}" if price else ""
    return f"{tr(f'ticket.{side}')} {size}\n{at}"
