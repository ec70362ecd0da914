"""A table of input cells, and where each of them stands, so that every complaint can name its place."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from foxtrot.domain.errors import InputError

Cells = NDArray[Any]
"""One column as read: bytes (text), integers, floats, datetime64 or objects."""


class Table(ABC):
    """Named columns of cells from one source; `names` is empty if the source has no header."""

    def __init__(self, source: str, names: tuple[str, ...], width: int) -> None:
        self.source = source
        self.names = names
        self.width = width

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def cells(self, column: int) -> Cells:
        """Return the cells of one column, by position."""

    def place(self, row: int) -> str:
        """Say where a row stands, as in "bars.csv row 17"."""
        return f"{self.source} row {row + 1}"

    def refusal(self, row: int, problem: str, fix: str) -> InputError:
        """Return the one-line error about one row."""
        return InputError(f"{self.place(row)}: {problem}; {fix}")


class RowTable(Table):
    """A table of Python rows of equal width, such as decoded JSON."""

    def __init__(self, source: str, rows: list[list[object]]) -> None:
        super().__init__(source, (), len(rows[0]))
        self._rows = rows
        for index, row in enumerate(rows):
            if len(row) != self.width:
                raise self.refusal(index, f"has {len(row)} values, row 1 has {self.width}", "correct or remove the row")

    @override
    def __len__(self) -> int:
        return len(self._rows)

    @override
    def cells(self, column: int) -> Cells:
        """Return one column as integers or floats if all its values are, else as objects."""
        values = [row[column] for row in self._rows]
        kinds = set(map(type, values))
        if kinds <= {int} and all(abs(value) < 2**63 for value in values):  # type: ignore[arg-type]
            return np.array(values, dtype=np.int64)
        return np.array(values, dtype=np.float64 if kinds <= {int, float} else object)


def shown(value: object) -> str:
    """Return a cell as an error message shows it: text in quotes, at most 40 characters."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
    return f'"{text}"' if len(text) <= 40 else f'"{text[:37]}..."'
