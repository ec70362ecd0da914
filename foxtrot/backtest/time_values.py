"""Cells as UTC nanoseconds: ISO 8601 text, or an epoch in s, ms, µs or ns told apart by its size."""

from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from foxtrot.backtest.columns import Int64Column
from foxtrot.backtest.table import Cells, Table, shown

_EARLIEST_EPOCH_S = 100_000_000
"""Epochs before 1973-03-03 are refused: below this a number of ms could be a number of s, or a time of day."""

_BANDS_NS = ((10**17, 1), (10**14, 10**3), (10**11, 10**6), (10**8, 10**9))
"""(smallest value, ns per unit) of ns, µs, ms and s: each unit covers 1973 to 5138."""

_FIX = "use ISO 8601 or an epoch in s, ms, µs or ns"
_DAY_DIGITS = 8
_DATE_LENGTH = 10
_ZONED_LENGTH = 16
_SIGNS = np.frombuffer(b"+-", dtype=np.uint8)
_NS_PER_MINUTE = 60_000_000_000
_UNIX_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def read_times(table: Table, column: int, name: str = "time") -> tuple[Int64Column, bool]:
    """Return one column as UTC ns, and whether it has times of day without a UTC offset (they are read as UTC).

    Raises:
        InputError: a cell is missing or is no time.
    """
    cells = table.cells(column)
    kind = cells.dtype.kind
    if kind == "M":
        return _of_datetimes(table, cells, name), False
    if kind in "iuf":
        return _of_epochs(table, cells, cells, name), False
    text = cells if kind == "S" else np.array([_text_of(value) for value in cells.tolist()], dtype="S")
    epochs = _numbers_of(text)
    if epochs is not None:
        return _of_epochs(table, epochs, text, name), False
    return _of_texts(table, text, name)


def _text_of(value: object) -> bytes:
    return value.isoformat().encode() if isinstance(value, datetime) else str(value).encode()


def _of_datetimes(table: Table, cells: Cells, name: str) -> Int64Column:
    missing = np.isnat(cells)
    if missing.any():
        raise table.refusal(int(np.argmax(missing)), f"{name} is missing", _FIX)
    return np.ascontiguousarray(cells.astype("datetime64[ns]").astype(np.int64))


def _numbers_of(text: Cells) -> Cells | None:
    """Return the numbers of plain integers or decimals; None for other text, compact dates (20130102) among them."""
    if len(text[0].strip()) == _DAY_DIGITS:
        return None
    for kind in (np.int64, np.float64):
        try:
            return text.astype(kind)
        except (ValueError, OverflowError):
            continue
    return None


def _of_epochs(table: Table, epochs: Cells, shown_as: Cells, name: str) -> Int64Column:
    wrong = ~np.isfinite(epochs) | (epochs < _EARLIEST_EPOCH_S) | (epochs >= 2.0**63)
    if wrong.any():
        row = int(np.argmax(wrong))
        raise table.refusal(row, f"{name} is {shown(shown_as[row])}, not an epoch after 1973", _FIX)
    units = [unit for _, unit in _BANDS_NS]
    unit = np.select([epochs >= least for least, _ in _BANDS_NS], units, default=0).astype(np.int64)
    if epochs.dtype.kind == "f":
        whole = np.floor(epochs).astype(np.int64)
        millionths = np.rint((epochs - whole) * 1e6).astype(np.int64)
        return np.asarray(whole * unit + millionths * unit // 1_000_000, dtype=np.int64)
    return np.asarray(epochs.astype(np.int64) * unit, dtype=np.int64)


def _of_epoch(table: Table, row: int, text: str, name: str) -> int:
    epoch = int(text)
    if not _EARLIEST_EPOCH_S <= epoch < 2**63:
        raise table.refusal(row, f"{name} is {shown(text)}, not an epoch after 1973", _FIX)
    return epoch * next(unit for least, unit in _BANDS_NS if epoch >= least)


def _of_texts(table: Table, text: Cells, name: str) -> tuple[Int64Column, bool]:
    """Parse the whole column at once if every cell is extended ISO 8601, else cell by cell."""
    assumed = b":" in text[0] and _zone_widths(text).min() == 0
    whole = _of_extended_iso(text)
    if whole is not None:
        return whole, bool(assumed)
    times = [_of_text(table, row, value, name) for row, value in enumerate(text.tolist())]
    return np.array(times, dtype=np.int64), bool(assumed)


def _zone_widths(text: Cells) -> Int64Column:
    """Return how many characters of each cell are its UTC offset: 1 for Z, 6 for ±hh:mm, 5 for ±hhmm, 0 for none."""
    lengths = np.char.str_len(text)
    letters = _letters(text)
    rows = np.arange(len(text))
    sixth, fifth, colon = (letters[rows, lengths - back] for back in (6, 5, 3))
    long = lengths >= _ZONED_LENGTH
    with_colon = long & np.isin(sixth, _SIGNS) & (colon == ord(":"))
    without = long & np.isin(fifth, _SIGNS)
    return np.select([letters[rows, lengths - 1] == ord("Z"), with_colon, without], [1, 6, 5], default=0).astype(
        np.int64
    )


def _letters(text: Cells) -> NDArray[np.uint8]:
    """Return the bytes of each cell, at least 6 of them, so that the last 6 can be looked at."""
    wide = np.ascontiguousarray(text, dtype=f"S{max(6, text.dtype.itemsize)}")
    return wide.view(np.uint8).reshape(len(text), -1)


def _of_extended_iso(text: Cells) -> Int64Column | None:
    letters = _letters(text)
    if not (letters[:, 4] == ord("-")).all() or not np.char.isdigit(text.astype("S4")).all():
        return None
    zones, lengths = _zone_widths(text), np.char.str_len(text)
    column = np.arange(letters.shape[1])
    bare = np.where(column < (lengths - zones)[:, None], letters, 0).astype(np.uint8)
    if np.isin(bare[:, _DATE_LENGTH:], _SIGNS).any():
        return None
    try:
        moments = bare.view(f"S{letters.shape[1]}").ravel().astype("datetime64[ns]")
    except ValueError:
        return None
    if np.isnat(moments).any():
        return None
    return moments.astype(np.int64) - _offset_minutes(letters, lengths, zones) * _NS_PER_MINUTE


def _offset_minutes(letters: NDArray[np.uint8], lengths: Int64Column, zones: Int64Column) -> Int64Column:
    numeric = zones >= 5
    lengths, zones = np.where(numeric, lengths, 6), np.where(numeric, zones, 6)
    rows = np.arange(len(lengths))
    hours_at = lengths - zones + 1
    minutes_at = lengths - 2
    digits = [
        letters[rows, at].astype(np.int64) - ord("0") for at in (hours_at, hours_at + 1, minutes_at, minutes_at + 1)
    ]
    minutes = (digits[0] * 10 + digits[1]) * 60 + digits[2] * 10 + digits[3]
    signed = np.where(letters[rows, lengths - zones] == ord("-"), -minutes, minutes)
    return np.where(numeric, signed, 0)


def _of_text(table: Table, row: int, value: bytes, name: str) -> int:
    text = value.decode("utf-8", "replace").strip()
    if text in ("", "None", "NaT", "nan"):
        raise table.refusal(row, f"{name} is missing", _FIX)
    if text.isdecimal() and len(text) != _DAY_DIGITS:
        return _of_epoch(table, row, text, name)
    try:
        moment = datetime.fromisoformat(text.removesuffix(" UTC"))
    except ValueError:
        raise table.refusal(row, f"{name} is {shown(value)}, not a time", _FIX) from None
    zoned = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (zoned - _UNIX_EPOCH) // _MICROSECOND * 1_000
