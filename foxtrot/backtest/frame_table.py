"""A pandas or polars DataFrame as a table; the frame's own library is not imported."""

from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np
from typing_extensions import override

from foxtrot.backtest.table import Cells, Table


class DataFrameLike(Protocol):
    """What is used of a DataFrame."""

    @property
    def columns(self) -> Iterable[object]:
        """The column labels."""

    def __len__(self) -> int: ...

    def __getitem__(self, label: object, /) -> object: ...


class FrameTable(Table):
    """A DataFrame as a table; an index of times becomes the first column."""

    def __init__(self, source: str, frame: DataFrameLike) -> None:
        labels = list(frame.columns)
        self._columns = [frame[label] for label in labels]
        self._rows = len(frame)
        index = getattr(frame, "index", None)
        if index is not None and _array_of(index).dtype.kind == "M":
            self._columns.insert(0, index)
            labels.insert(0, str(index.name or ""))
        super().__init__(source, tuple(map(str, labels)), len(labels))

    @override
    def __len__(self) -> int:
        return self._rows

    @override
    def cells(self, column: int) -> Cells:
        """Return one column as the frame's own array."""
        return _array_of(self._columns[column])


def _array_of(series: Any) -> Cells:
    """Return a series or index as an array, times as UTC (numpy has no time zones)."""
    if getattr(getattr(series, "dtype", None), "tz", None) is not None:
        series = getattr(series, "dt", series).tz_convert(None)
    return np.asarray(series)
