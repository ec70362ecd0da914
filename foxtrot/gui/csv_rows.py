"""Tables as files for spreadsheets: values instead of what is painted, and no text that a spreadsheet takes for a formula."""

import csv
from collections.abc import Sequence
from decimal import Decimal
from io import StringIO
from math import isfinite
from pathlib import Path
from typing import Any, Final

from foxtrot.gui.columns import Cell, Column
from foxtrot.gui.numbers import NOTHING, plain_text
from foxtrot.gui.texts import tr
from foxtrot.gui.whole_file import write_whole

FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
"""A text that begins so would be computed by a spreadsheet."""


def value_of(cell: Cell) -> str:
    """Return what a file has of a cell: a number to its last digit, without grouping; words that are no formula; nothing for no number."""
    if cell.text == NOTHING and not cell.exact:
        return ""
    if isinstance(cell.sort, str):
        text = cell.exact or cell.text
        return f"'{text}" if text.startswith(FORMULA) else text
    if cell.exact:
        return cell.exact
    return plain_text(Decimal(repr(cell.sort))) if isfinite(cell.sort) else ""


def csv_rows(columns: Sequence[Column[Any]], cells: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """Return headings and rows; a column of amounts in several currencies is followed by one that names them."""
    with_unit = [any(row[place].unit for row in cells) for place in range(len(columns))]
    titles = [tr(column.title) for column in columns]
    rows = [_row(titles, [tr("blotter.unit", name=title) for title in titles], with_unit)]
    rows += [_row([value_of(cell) for cell in row], [cell.unit for cell in row], with_unit) for row in cells]
    return rows


def _row(values: list[str], units: list[str], with_unit: list[bool]) -> list[str]:
    row = []
    for value, unit, has_unit in zip(values, units, with_unit, strict=True):
        row += [value, unit] if has_unit else [value]
    return row


def write_csv(path: Path, rows: list[list[str]]) -> int:
    """Write rows of text, the first of which are the headings; returns how many rows follow it. A file that was there stays until all is written.

    Blocks: for the disk.

    Raises:
        OSError: it cannot be written.
    """
    text = StringIO(newline="")
    csv.writer(text).writerows(rows)
    write_whole(path, text.getvalue().encode("utf-8-sig"))  # a spreadsheet knows Chinese by the mark
    return len(rows) - 1
