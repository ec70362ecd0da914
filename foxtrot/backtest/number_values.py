"""Cells as numbers, and the smallest decimal step that writes them all."""

import math

import numpy as np
from numpy.typing import NDArray

from foxtrot.backtest.columns import Float64Column
from foxtrot.backtest.table import Cells, Table, shown

_FIX = "correct or remove the line"
_MAX_DECIMALS = 15
_NOISE_ULPS = 2.0
_EXACT = 2**53
_MOST_LETTERS = 18
_POWERS_OF_TEN = 10.0 ** np.arange(_MOST_LETTERS)
_ZERO = np.uint8(ord("0"))
_DOT = np.uint8(ord("."))


def read_numbers(table: Table, column: int, name: str, *, above_zero: bool) -> Float64Column:
    """Return one column as finite floats, each the correctly rounded value of its text.

    Args:
        table: where the cells are.
        column: position of the column.
        name: what error messages call it.
        above_zero: whether 0 is refused too (a price) or accepted (a volume).

    Raises:
        InputError: a cell is not a number, not finite, or below the least value allowed.
    """
    cells = table.cells(column)
    values = _as_floats(table, cells, name)
    wrong = ~np.isfinite(values) | ((values <= 0.0) if above_zero else (values < 0.0))
    if wrong.any():
        row = int(np.argmax(wrong))
        raise table.refusal(row, f"{name} is {shown(cells[row])}, {_wish(float(values[row]), above_zero)}", _FIX)
    return values


def _wish(value: float, above_zero: bool) -> str:
    if not math.isfinite(value):
        return "it must be a finite number"
    return "it must be above 0" if above_zero else "it must not be negative"


def _as_floats(table: Table, cells: Cells, name: str) -> Float64Column:
    if cells.dtype.kind == "f" and cells.dtype.itemsize < 8:
        cells = cells.astype("S32")  # its shortest text, so that 0.1 stays 0.1
    if cells.dtype.kind in "iuf":
        return np.ascontiguousarray(cells, dtype=np.float64)
    if cells.dtype.kind == "S":
        values, plain = _plain_decimals(cells)
    else:
        values, plain = np.zeros(len(cells)), np.zeros(len(cells), dtype=np.bool_)
    for row in np.flatnonzero(~plain).tolist():
        values[row] = _as_float(table, row, cells[row], name)
    return values


def _plain_decimals(cells: Cells) -> tuple[Float64Column, NDArray[np.bool_]]:
    """Return the values of cells such as 12.50, and which cells are of that form; the others' values mean nothing.

    Digits and power of ten below 2**53 are exact floats, so that their quotient is the correctly rounded value.
    """
    letters = cells.view(np.uint8).reshape(len(cells), -1)
    mantissa, places = np.zeros((2, len(cells)), dtype=np.int64)
    dotted, plain = np.zeros(len(cells), dtype=np.bool_), np.ones(len(cells), dtype=np.bool_)
    for offset in range(min(letters.shape[1], _MOST_LETTERS)):
        letter = letters[:, offset]
        digit = letter - _ZERO
        is_digit, is_dot = digit < 10, letter == _DOT
        mantissa = np.where(is_digit, mantissa * 10 + digit, mantissa)
        places += is_digit & dotted
        plain &= is_digit | (letter == 0) | (is_dot & ~dotted)
        dotted |= is_dot
    plain &= (mantissa < _EXACT) & ((letters[:, 0] - _ZERO) < 10)
    if letters.shape[1] > _MOST_LETTERS:
        plain &= letters[:, _MOST_LETTERS] == 0
    return mantissa / _POWERS_OF_TEN[places], plain


def _as_float(table: Table, row: int, value: object, name: str) -> float:
    text = value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()
    if not text or value is None:
        raise table.refusal(row, f"{name} is missing", _FIX)
    try:
        if "_" not in text and not isinstance(value, bool):
            return float(text)
    except ValueError:
        pass
    raise table.refusal(row, f"{name} is {shown(value)}, not a number", _FIX)


def decimals_of(*columns: Float64Column) -> int:
    """Return the fewest decimal places that write every value; at most as many as its float tells for sure.

    A float is its text up to 15 significant digits; two units in the last place are taken as noise of an earlier
    conversion, so that 0.00031099999999999997 counts as 0.000311.
    """
    return max((_decimals_of(column) for column in columns), default=0)


def _decimals_of(values: Float64Column) -> int:
    largest = float(np.max(np.abs(values), initial=1.0))
    most = max(0, min(_MAX_DECIMALS, math.floor(math.log10(_EXACT / largest))))
    rest = values
    for decimals in range(most):
        rest = rest[np.abs(np.round(rest, decimals) - rest) > _NOISE_ULPS * np.spacing(np.abs(rest))]
        if not len(rest):
            return decimals
    return most


def rounded(values: Float64Column, decimals: int) -> Float64Column:
    """Return the values rounded to decimal places, contiguous: each the correctly rounded float of its grid point."""
    return np.ascontiguousarray(np.round(values, decimals))
