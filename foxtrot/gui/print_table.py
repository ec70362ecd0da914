"""The table of public prints: the newest on top, the oldest gone when there are too many."""

from collections.abc import Hashable
from typing import Final

import msgspec
from PySide6.QtCore import QModelIndex

from foxtrot.domain.enums import Side
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, word
from foxtrot.gui.numbers import price_text, size_text, time_text
from foxtrot.gui.table_model import FactTable
from foxtrot.gui.texts import tr
from foxtrot.gui.watch_rows import short_text

MOST: Final = 5_000
_ARROWS: Final = {Side.BUY: "▲ ", Side.SELL: "▼ "}
_TONES: Final = {Side.BUY: Tone.UP, Side.SELL: Tone.DOWN}
_LARGE: Final = "◆ "


class PrintRow(msgspec.Struct, frozen=True):
    """One print with what is needed to show it; `is_large` was judged when it came."""

    number: int
    time_ns: int
    price: float
    size: float
    aggressor: Side
    is_large: bool
    decimals: int
    size_decimals: int
    worth: float
    zone: str = "UTC"


def _price(row: PrintRow) -> Cell:
    return number(row.price, _ARROWS[row.aggressor] + price_text(row.price, row.decimals), _TONES[row.aggressor])


def _size(row: PrintRow) -> Cell:
    text = size_text(row.size, row.size_decimals)
    return number(row.size, _LARGE + text, Tone.WARNING) if row.is_large else number(row.size, text)


COLUMNS: Final = (
    Column[PrintRow]("time", "tape.time", lambda row: number(float(row.number), time_text(row.time_ns, row.zone), Tone.DIM), width=92, rank=1),
    Column[PrintRow]("price", "tape.price", _price, align=Align.RIGHT, width=96),
    Column[PrintRow]("size", "tape.size", _size, align=Align.RIGHT, width=86),
    Column[PrintRow]("worth", "tape.worth", lambda row: number(row.worth, short_text(row.worth), Tone.DIM), align=Align.RIGHT, width=70, rank=2),
    Column[PrintRow]("side", "tape.side", lambda row: word(tr(f"tape.{row.aggressor}"), _TONES[row.aggressor]), width=60, rank=3),
)  # fmt: skip


class PrintTable(FactTable[PrintRow]):
    """Rows as they came, the newest on the first line.

    Thread: the desktop's.
    """

    def __init__(self) -> None:
        super().__init__(COLUMNS, lambda row: row.number, MOST)
        self.came = 0
        """How many lines were put on top by the last `apply`."""

    def apply(self) -> None:
        """Put what came on top."""
        self.came = 0
        super().apply()

    def clear(self) -> None:
        """Show nothing."""
        self.replace_all(())
        self._refill()

    def _append(self, keys: list[Hashable]) -> None:
        if not keys:
            return
        self.came = len(keys)
        self.beginInsertRows(QModelIndex(), 0, len(keys) - 1)
        self._order[:0] = reversed(keys)
        self._places = {key: line for line, key in enumerate(self._order)}
        self.endInsertRows()

    def _take_out(self, keys: list[Hashable]) -> None:
        """Take the oldest out at once, for they are the last lines."""
        first = len(self._order) - len(keys)
        if not keys or min(self._places[key] for key in keys) != first:
            super()._take_out(keys)
            return
        self.beginRemoveRows(QModelIndex(), first, len(self._order) - 1)
        del self._order[first:]
        for key in keys:
            del self._places[key]
        self.endRemoveRows()

    def _in_order(self, keys: list[Hashable]) -> list[Hashable]:
        wanted = set(keys)
        return [key for key in reversed(self._rows) if key in wanted]
