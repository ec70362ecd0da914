"""Delimited text as a table: the place of every field found in one pass over the bytes, text cut out per column.

The fields stay bytes, so a column that nobody asks for costs nothing and every field keeps its line number.
"""

import csv
import io

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from foxtrot.backtest.table import Cells, Table
from foxtrot.domain.errors import InputError

_NEWLINE = 10
_DELIMITERS = (b",", b";", b"\t")


class DelimitedTable(Table):
    """Rows of a CSV text with a comma, semicolon or tab between fields; the header, if there is one, gives `names`.

    Raises:
        InputError: there is no row, or a line has another number of fields than the first.
    """

    def __init__(self, source: str, data: bytes) -> None:
        data = _plain_lines(data)
        self._bytes = np.frombuffer(data, dtype=np.uint8)
        starts, ends, self._line_of = _locate_fields(source, self._bytes, _delimiter_of(data))
        first = [
            data[start:end].decode("utf-8", "replace").strip() for start, end in zip(starts[0], ends[0], strict=True)
        ]
        has_header = not _are_values(first)
        super().__init__(source, tuple(first) if has_header else (), len(first))
        self._skipped = int(has_header)
        self._starts, self._ends = starts[self._skipped :], ends[self._skipped :]
        if not len(self):
            raise InputError(f"{source} has a header and no rows; name a file with data")

    @override
    def __len__(self) -> int:
        return len(self._starts)

    @override
    def place(self, row: int) -> str:
        """Say where a row stands, as in "bars.csv line 17"."""
        return f"{self.source} line {int(self._line_of[row + self._skipped])}"

    @override
    def cells(self, column: int) -> Cells:
        """Return the text of one column as fixed-width bytes."""
        starts, ends = self._starts[:, column], self._ends[:, column]
        lengths = ends - starts
        width = max(1, int(lengths.max()))
        text = np.zeros((len(starts), width), dtype=np.uint8)
        last = len(self._bytes) - 1
        for offset in range(width):
            characters = self._bytes[np.minimum(starts + offset, last)]
            characters[lengths <= offset] = 0
            text[:, offset] = characters
        return text.view(f"S{width}").ravel()


def _plain_lines(data: bytes) -> bytes:
    """End every line with one newline and take the quotes off quoted fields."""
    if b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    if b'"' in data:
        data = _unquoted(data)
    return data if data.endswith(b"\n") else data + b"\n"


def _unquoted(data: bytes) -> bytes:
    delimiter = _delimiter_of(data).decode()
    blank = str.maketrans({delimiter: " ", "\n": " "})
    rows = csv.reader(io.StringIO(data.decode("utf-8", "replace")), delimiter=delimiter)
    return "\n".join(delimiter.join(field.translate(blank) for field in row) for row in rows).encode()


def _delimiter_of(data: bytes) -> bytes:
    first = data[: data.find(b"\n")] if b"\n" in data else data
    return max(_DELIMITERS, key=first.count)


def _locate_fields(
    source: str, text: NDArray[np.uint8], delimiter: bytes
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return where each field starts and ends, as (lines, fields), and the line number of each; blank lines are left out."""
    ends = np.flatnonzero((text == ord(delimiter)) | (text == _NEWLINE))
    starts = np.concatenate(([0], ends[:-1] + 1))
    line_ends = np.flatnonzero(text[ends] == _NEWLINE)
    fields = np.diff(line_ends, prepend=-1)
    blank = (fields == 1) & (starts[line_ends] == ends[line_ends])
    if blank.any():
        starts, ends = np.delete(starts, line_ends[blank]), np.delete(ends, line_ends[blank])
    numbers = np.flatnonzero(~blank) + 1
    fields = fields[~blank]
    uneven = np.flatnonzero(fields != fields[0])
    if len(uneven):
        line, found = numbers[uneven[0]], fields[uneven[0]]
        raise InputError(
            f"{source} line {line}: has {found} fields, line {numbers[0]} has {fields[0]}; correct or remove the line"
        )
    shape = (len(fields), int(fields[0]))
    return starts.reshape(shape), ends.reshape(shape), numbers


def _are_values(fields: list[str]) -> bool:
    """Tell a row from a header: its second to fifth fields are numbers."""
    try:
        return bool([float(field) for field in fields[1:5]])
    except ValueError:
        return False
