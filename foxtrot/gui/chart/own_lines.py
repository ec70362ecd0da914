"""What is ours as lines over the candles, in words and colours."""

from PySide6.QtCore import Qt

from foxtrot.app.blotter_requests import ProtectionLeg
from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.chart.order_lines import PriceLine
from foxtrot.gui.chart.own_marks import Held, OrderLevel, OwnMarks
from foxtrot.gui.numbers import money_text, price_decimals, price_text, size_decimals, size_text
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Colours

ARROWS = {Side.BUY: "▲", Side.SELL: "▼"}


def own_lines(marks: OwnMarks, instrument: Instrument, last: float, colours: Colours) -> tuple[PriceLine, ...]:
    """Return a line for every price of an open order, for what protects positions and is no order, and for their averages."""
    orders = [_order_line(level, marks.place_of(level.order.order_id), instrument, colours) for level in marks.levels()]
    return (
        *orders,
        *(_leg_line(leg, instrument, colours) for leg in marks.legs if leg.order_id not in marks.orders),
        *(_position_line(held, instrument, last, colours) for held in marks.positions if held.average_price > 0),
    )


def level_text(level: OrderLevel, instrument: Instrument, price: float) -> str:
    """Return an order at a price in words: which way, what kind, how much, where."""
    order = level.order
    kind = tr(f"chart.type_{order.order_type}")
    if level.field == "price" and order.trigger_price:
        kind = tr("chart.its_limit")
    size = size_text(order.remaining, size_decimals(instrument))
    at = price_text(price, price_decimals(instrument))
    return f"{ARROWS[order.side]} {tr(f'chart.{order.side}')} {size} {kind} @ {at}"


def _leg_line(leg: ProtectionLeg, instrument: Instrument, colours: Colours) -> PriceLine:
    """Return the line of a stop or take-profit that is watched here, or is not yet at its venue."""
    side = Side.SELL if leg.held > 0 else Side.BUY
    size = size_text(leg.covers, size_decimals(instrument))
    at = price_text(leg.level, price_decimals(instrument))
    words = f"{ARROWS[side]} {tr(f'chart.leg_{leg.kind}')} {size} @ {at} · {tr(f'protections.at_{leg.where}')}"
    return PriceLine(leg.level, words, colours.warning, Qt.PenStyle.DotLine)


def _order_line(level: OrderLevel, where: str, instrument: Instrument, colours: Colours) -> PriceLine:
    """Return the line of an order; only what a person has placed can be moved, for a strategy counts on its orders."""
    colour = colours.up if level.order.side is Side.BUY else colours.down
    style = Qt.PenStyle.DotLine if level.field == "trigger_price" else Qt.PenStyle.DashLine
    is_manual = level.order.owner == OWNER
    brief = level_text(level, instrument, level.price)
    text = brief + ("" if is_manual else f"  ({level.order.owner})")
    text += f" · {tr(f'protections.at_{where}')}" if where else ""
    return PriceLine(level.price, text, colour, style, level if is_manual and level.is_movable else None, brief)


def _position_line(held: Held, instrument: Instrument, last: float, colours: Colours) -> PriceLine:
    way = "long" if held.quantity > 0 else "short"
    size = size_text(abs(held.quantity), size_decimals(instrument))
    text = brief = f"{tr(f'chart.{way}')} {size} @ {price_text(held.average_price, price_decimals(instrument))}"
    if last:
        profit = held.profit(last, float(instrument.multiplier))
        made = f"  {money_text(profit, signed=True)} {instrument.quote_asset}"
        text, brief = text + made, f"{tr(f'chart.{way}')} {size}{made}"
    return PriceLine(held.average_price, text, colours.accent, Qt.PenStyle.SolidLine, brief=brief)
