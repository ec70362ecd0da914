"""The table of strategies: a line each, with state, position, profit and what it said last."""

from decimal import Decimal

import msgspec

from foxtrot.app.control_requests import PositionRow, StrategyRow
from foxtrot.app.desktop_requests import StrategyForm
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, sign_tone, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import MINUS, NOTHING, money_text, size_decimals, size_text
from foxtrot.gui.strategy_steps import state_text
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece


class StrategyLine(msgspec.Struct, frozen=True):
    """One strategy: how it stands, and how it is set up, None before that was told."""

    row: StrategyRow
    form: StrategyForm | None = None

    @property
    def profit(self) -> Decimal | None:
        """Return what it has made: its equity beyond its capital; None where a rate is missing or the capital is not known yet."""
        if self.row.equity is None or self.form is None:
            return None
        return self.row.equity - self.form.capital


def columns_of(desk: Desk) -> tuple[Column[StrategyLine], ...]:
    """Return the columns; sizes are shown to the steps of the desk's instruments."""
    right = Align.RIGHT
    return (
        Column("state", "strategies.state", _state, width=128),
        Column("strategy", "strategies.strategy", lambda line: word(line.row.strategy_id), width=126),
        Column("profit", "strategies.profit", _profit, align=right, width=96),
        Column("position", "strategies.position", lambda line: _position(line, desk), align=right, width=132),
        Column("orders", "strategies.orders", _orders, align=right, width=58),
        Column("symbols", "strategies.symbols", lambda line: word(", ".join(line.row.symbols)), width=140),
        Column("account", "strategies.account", lambda line: word(line.row.account), width=76),
        Column("class", "strategies.class", lambda line: word(line.row.class_name, Tone.DIM), width=112),
        Column("equity", "strategies.equity", _equity, align=right, width=104),
        Column("said", "strategies.said", _said, width=300),
    )


def totals_of(lines: list[StrategyLine], currency: str) -> list[Piece]:
    """Return how many run, what all have made together, and how many orders are open."""
    running = sum(line.row.stage == "running" for line in lines)
    pieces = [Piece(tr("strategies.count", running=running, count=len(lines)), Tone.DIM)]
    known = [line.profit for line in lines if line.profit is not None]
    if known:
        total = sum(known, Decimal(0))
        pieces += [
            Piece(tr("strategies.total"), Tone.DIM),
            Piece(f"{money_text(total, signed=True)} {currency}", sign_tone(float(total))),
        ]
    orders = sum(line.row.open_orders for line in lines)
    return [*pieces, Piece(tr("strategies.open_orders"), Tone.DIM), Piece(str(orders))]


def position_text(position: PositionRow, desk: Desk) -> str:
    """Return a position with its sign and its symbol."""
    negative = position.quantity < 0 or position.position_side == "short"
    size = size_text(abs(position.quantity), size_decimals(desk.instruments.get(position.instrument_id)))
    return f"{MINUS if negative else '+'}{size} {position.instrument_id.partition('.')[0]}"


def _state(line: StrategyLine) -> Cell:
    text, tone = state_text(line.row)
    return word(text, tone)


def _position(line: StrategyLine, desk: Desk) -> Cell:
    held = line.row.positions
    if not held:
        return number(0.0, NOTHING, Tone.DIM)
    return number(float(len(held)), ", ".join(position_text(one, desk) for one in held))


def _profit(line: StrategyLine) -> Cell:
    profit = line.profit
    if profit is None:
        return number(float("nan"), NOTHING, Tone.DIM)
    return number(float(profit), money_text(profit, signed=True), sign_tone(float(profit)))


def _equity(line: StrategyLine) -> Cell:
    equity = line.row.equity
    return number(float("nan") if equity is None else float(equity), money_text(equity))


def _orders(line: StrategyLine) -> Cell:
    count = line.row.open_orders
    return number(float(count), str(count), Tone.PLAIN if count else Tone.DIM)


def _said(line: StrategyLine) -> Cell:
    text = line.row.said or line.row.reason
    return word(" ".join(text.split()), Tone.DANGER if line.row.stage == "failed" else Tone.DIM)
