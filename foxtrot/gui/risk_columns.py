"""The tables of the risk panel: limits with bars, blocks, differences, orders of unknown outcome, what a death would leave behind."""

from decimal import Decimal
from typing import Final

from PySide6.QtCore import QModelIndex, QPersistentModelIndex
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QStyleOptionViewItem, QWidget

from foxtrot.app.control_requests import BlockRow, DifferenceRow, OrderRow, PositionRow
from foxtrot.app.desktop_risk_requests import LimitUse
from foxtrot.domain.enums import GateState
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, sign_tone, word
from foxtrot.gui.numbers import NOTHING, money_text, size_text, time_text
from foxtrot.gui.table_model import CELL_ROLE
from foxtrot.gui.table_view import CellDelegate, tone_colours
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme
from foxtrot.trading.protection_cover import AT_VENUE, HERE, NAKED

CLOSE: Final = 0.8
"""From this share of a limit on its bar warns."""
GATE: Final = {
    GateState.ACTIVE: ("●", Tone.GOOD), GateState.REDUCING: ("◆", Tone.WARNING), GateState.HALTED: ("■", Tone.DANGER),
}  # fmt: skip
MONEY_RULES: Final = ("max_exposure", "max_daily_loss", "max_drawdown", "max_order_notional")
_RIGHT: Final = Align.RIGHT
_COVERS: Final = {
    AT_VENUE: ("●", "risk.at_venue", Tone.GOOD), HERE: ("◆", "risk.here", Tone.WARNING), NAKED: ("▲", "risk.naked", Tone.DANGER),
}  # fmt: skip


class BarDelegate(CellDelegate):
    """Paints a share of a limit as a bar behind its text.

    Args:
        column: the column that has the share as its value.
    """

    def __init__(self, theme: Theme, column: int, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self._column = column
        self._inset = theme.pixels(3)
        self._bars = tone_colours(theme.colours)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        """Paint one cell."""
        cell: Cell | None = index.data(CELL_ROLE)
        if index.column() == self._column and cell is not None and isinstance(cell.sort, float) and cell.sort > 0:
            colour = QColor(self._bars[Tone.GOOD if cell.tone is Tone.PLAIN else cell.tone])
            colour.setAlpha(90)
            room = option.rect.adjusted(self._inset, self._inset, -self._inset, -self._inset)
            room.setWidth(max(1, round(room.width() * min(cell.sort, 1.0))))
            painter.fillRect(room, colour)
        super().paint(painter, option, index)


def share(use: LimitUse) -> float | None:
    """Return how much of a limit is used, None where that is asked of single orders or cannot be told."""
    return None if use.used is None or not use.limit else float(use.used / use.limit)


def _amount(rule: str, value: Decimal | None) -> Cell:
    if value is None:
        return Cell(NOTHING, float("-inf"), Tone.DIM)
    return number(float(value), money_text(value) if rule in MONEY_RULES else size_text(float(value), 8))


def _share(use: LimitUse) -> Cell:
    used = share(use)
    if use.locked:
        return number(1.0, f"■ {tr('risk.locked')}", Tone.DANGER)
    if used is None:
        return Cell(NOTHING, float("-inf"), Tone.DIM)
    tone = Tone.DANGER if used >= 1.0 else Tone.WARNING if used >= CLOSE else Tone.PLAIN
    return number(float(used), f"{'▲ ' if used >= CLOSE else ''}{used:.0%}", tone)


LIMITS: Final = (
    Column[LimitUse]("scope", "risk.scope", lambda use: word(_scope(use)), width=200, rank=1),
    Column[LimitUse]("rule", "risk.rule", lambda use: word(tr(f"risk.{use.rule}")), width=150),
    Column[LimitUse]("share", "risk.share", _share, align=_RIGHT, width=130),
    Column[LimitUse]("used", "risk.used", lambda use: _amount(use.rule, use.used), align=_RIGHT, width=100, rank=2),
    Column[LimitUse]("limit", "risk.limit", lambda use: _amount(use.rule, use.limit), align=_RIGHT, width=100, rank=2),
    Column[LimitUse](
        "where", "risk.where", lambda use: word(use.locked or use.instrument_id, Tone.DIM), width=160, rank=3
    ),
)
SHARE_COLUMN: Final = 2


def _scope(use: LimitUse) -> str:
    if use.owner:
        return tr("risk.strategy", name=use.owner)
    return tr("risk.account", name=use.account) if use.account else tr("risk.platform")


def place_of(block: BlockRow) -> str:
    """Return what a block holds up, in words."""
    return " ".join(part for part in (block.account, block.instrument_id) if part) or tr("risk.platform")


def gate_cell(state: str) -> Cell:
    """Return the cell of what a gate lets through."""
    shape, tone = GATE[GateState(state)]
    return Cell(f"{shape} {tr(f'risk.{state}')}", state, tone)


BLOCKS: Final = (
    Column[BlockRow]("state", "risk.state", lambda row: gate_cell(row.state), width=120),
    Column[BlockRow]("place", "risk.place", lambda row: word(place_of(row)), width=160),
    Column[BlockRow]("who", "risk.who", lambda row: word(row.who), width=110),
    Column[BlockRow]("since", "risk.since", lambda row: number(float(row.since_ns), time_text(row.since_ns), Tone.DIM), width=104),
    Column[BlockRow]("lasting", "risk.lasting", lambda row: word(tr("risk.lasts") if row.lasting else ""), width=110),
    Column[BlockRow]("reason", "risk.reason", lambda row: word(row.reason), width=300),
)  # fmt: skip

DIFFERENCES: Final = (
    Column[DifferenceRow]("account", "risk.account_head", lambda row: word(row.account), width=90),
    Column[DifferenceRow]("kind", "risk.kind", lambda row: word(row.kind), width=90),
    Column[DifferenceRow]("subject", "risk.subject", lambda row: word(row.subject), width=160),
    Column[DifferenceRow]("ours", "risk.ours", lambda row: word(row.ours), align=_RIGHT, width=100),
    Column[DifferenceRow]("venue", "risk.venue", lambda row: word(row.venue), align=_RIGHT, width=100),
    Column[DifferenceRow](
        "halts", "risk.halts", lambda row: word(f"■ {tr('risk.halts')}", Tone.DANGER) if row.halts else word(""), width=100
    ),
    Column[DifferenceRow]("since", "risk.since", lambda row: number(float(row.since_ns), time_text(row.since_ns), Tone.DIM), width=104),
)  # fmt: skip

UNKNOWN: Final = (
    Column[OrderRow]("order", "risk.order", lambda row: word(row.order_id), width=200),
    Column[OrderRow]("account", "risk.account_head", lambda row: word(row.account), width=90),
    Column[OrderRow]("instrument", "risk.instrument", lambda row: word(row.instrument_id), width=150),
    Column[OrderRow]("side", "risk.side", lambda row: word(tr(f"risk.{row.side}"), Tone.UP if row.side == "buy" else Tone.DOWN), width=60),
    Column[OrderRow]("quantity", "risk.quantity", lambda row: number(row.quantity, size_text(row.quantity, 8)), align=_RIGHT, width=90),
    Column[OrderRow]("reason", "risk.reason", lambda row: word(row.reason), width=260),
)  # fmt: skip


def cover_cell(row: PositionRow) -> Cell:
    """Return the cell of how a position is protected."""
    shape, key, tone = _COVERS.get(row.protection, ("○", "risk.nobody", Tone.DIM))
    return Cell(f"{shape} {tr(key)}", row.protection, tone)


def _profit(row: PositionRow) -> Cell:
    if row.profit is None:
        return Cell(NOTHING, float("-inf"), Tone.DIM)
    return number(float(row.profit), money_text(row.profit, signed=True), sign_tone(float(row.profit)))


def _quantity(row: PositionRow) -> Cell:
    return number(row.quantity, f"{row.quantity:+,.8f}".rstrip("0").rstrip("."))


DEATH: Final = (
    Column[PositionRow]("cover", "risk.cover", cover_cell, width=190),
    Column[PositionRow]("owner", "risk.owner", lambda row: word(row.owner), width=110),
    Column[PositionRow]("account", "risk.account_head", lambda row: word(row.account), width=90),
    Column[PositionRow]("instrument", "risk.instrument", lambda row: word(row.instrument_id), width=150),
    Column[PositionRow]("quantity", "risk.quantity", _quantity, align=_RIGHT, width=100),
    Column[PositionRow]("profit", "risk.profit", _profit, align=_RIGHT, width=100),
    Column[PositionRow]("remark", "risk.remark", lambda row: word(row.remark, Tone.DIM), width=240),
)
