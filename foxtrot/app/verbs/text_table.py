"""Tables of plain text for people: as wide as the terminal, or wide enough that nothing is cut in a file."""

import io
import shutil
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

WIDTH = 240


def text_table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table; numbers stand to the right, the rest to the left."""
    listed = [list(row) for row in rows]
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, name in enumerate(columns):
        numeric = bool(listed) and all(_is_number(row[place]) for row in listed)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in listed:
        table.add_row(*(Text(cell_text(cell)) for cell in row))
    text = io.StringIO()
    width = shutil.get_terminal_size((WIDTH, 0)).columns if sys.stdout.isatty() else WIDTH
    Console(file=text, width=width, highlight=False, force_terminal=False).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()).rstrip()


def cell_text(cell: object) -> str:
    """Return what a cell shows."""
    if cell is None:
        return "-"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.10g}"
    return str(cell)


def time_text(time_ns: int) -> str:
    """Return a time in UTC to the second."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S") if time_ns else "-"


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float | Decimal) and not isinstance(cell, bool))
