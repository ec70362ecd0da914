"""Binance's recorded data: raw captures of its streams, and the CSV files of its public archive, plain, gzip or zip."""

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from typing import IO

from foxtrot.adapter.binance.codec import MarketCodec, MarketFact
from foxtrot.adapter.binance.frames import after, to_ns
from foxtrot.domain.enums import Side
from foxtrot.domain.errors import BadMessage, InputError
from foxtrot.domain.interval import Interval, IntervalKind
from foxtrot.domain.market import BarData, MarketTrade

_DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zipfile.BadZipFile)
_BOOLEANS = {"true": True, "false": False}
_UNITS = (IntervalKind.WEEK, IntervalKind.DAY, IntervalKind.HOUR, IntervalKind.MINUTE, IntervalKind.SECOND)


def read_frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the frames of a raw capture with their receive times in ns: lines of "<ns> <frame>", gzip or plain.

    Raises:
        InputError: missing, empty, cut off, not of this form, or time going backwards; the line is named.
    """
    last = 0
    count = 0
    with _opened(path) as lines:
        for count, line in enumerate(_checked(path, lines), 1):
            time_text, _, frame = line.strip().partition(b" ")
            if not frame or not time_text.isdigit() or len(time_text) > 19:
                raise InputError(f"{path} line {count}: expected '<receive time in ns> <frame>', found {line[:60]!r}")
            received = int(time_text)
            if received < last:
                raise InputError(
                    f"{path} line {count}: time goes backwards, from {last} to {received}; sort the file by time"
                )
            last = received
            yield received, frame
    if not count:
        raise InputError(f"{path} is empty")


def read_capture(path: Path, codec: MarketCodec, symbol: str = "") -> Iterator[MarketFact]:
    """Yield the facts of a raw capture in the order they were received, the REST snapshot among them.

    Args:
        path: the capture.
        codec: decodes the product that was recorded.
        symbol: whose book the snapshot is; by default the symbol of the frames before it.

    Raises:
        InputError: as `read_frames`, or a frame that cannot be decoded.
    """
    for line, (received, frame) in enumerate(read_frames(path), 1):
        try:
            fact = codec.decode(frame, received, symbol)
        except BadMessage as error:
            raise InputError(f"{path} line {line}: {error.text}") from error
        if fact is not None:
            symbol = symbol or fact.instrument_id.rpartition(".")[0]
            yield fact


def read_klines(path: Path, instrument_id: str) -> Iterator[BarData]:
    """Yield the bars of a kline file of the public archive; the interval is that of its first row.

    Raises:
        InputError: missing, empty, cut off, or a row that is no kline; the line is named.

    Source: Binance public data archive, README, Klines (12 columns; times in microseconds in spot files from 2025 on).
    """
    interval = ""
    for line, row in _rows(path):
        try:
            bar = _kline(row, instrument_id, interval)
        except ValueError as error:
            raise InputError(f"{path} line {line}: {error}") from None
        interval = bar.interval
        yield bar


def read_trades(path: Path, instrument_id: str) -> Iterator[MarketTrade]:
    """Yield the trades of a trades or aggTrades file of the public archive; which one it is shows in its columns.

    Raises:
        InputError: missing, empty, cut off, or a row that is no trade; the line is named.

    Source: Binance public data archive, README, Trades (time and isBuyerMaker are columns 5 and 6) and AggTrades (6 and 7).
    """
    for line, row in _rows(path):
        try:
            yield _trade(row, instrument_id)
        except ValueError as error:
            raise InputError(f"{path} line {line}: {error}") from None


def _kline(row: list[str], instrument_id: str, interval: str) -> BarData:
    if len(row) < 9:
        raise ValueError(f"expected 12 columns from open_time to ignore, found {len(row)}")
    start, end = to_ns(_whole(row[0])), after(_whole(row[6]))
    opened, high, low, close = (_positive(cell) for cell in row[1:5])
    if not low <= min(opened, close) <= max(opened, close) <= high or end <= start:
        raise ValueError(f"open {opened}, high {high}, low {low}, close {close} from {start} to {end} cannot be a bar")
    volume, turnover = _number(row[5]), _number(row[7])
    return BarData(
        instrument_id,
        interval or _interval_of(end - start),
        start,
        end,
        opened,
        high,
        low,
        close,
        volume,
        turnover,
        _whole(row[8]),
        end,
    )


def _trade(row: list[str], instrument_id: str) -> MarketTrade:
    at = 4 if len(row) > 5 and row[5].lower() in _BOOLEANS else 5
    if len(row) < at + 2 or row[at + 1].lower() not in _BOOLEANS:
        raise ValueError("expected the columns of trades (time 5th, isBuyerMaker 6th) or aggTrades (6th and 7th)")
    side = Side.SELL if _BOOLEANS[row[at + 1].lower()] else Side.BUY
    time_ns = to_ns(_whole(row[at]))
    return MarketTrade(instrument_id, time_ns, time_ns, str(_whole(row[0])), _positive(row[1]), _positive(row[2]), side)


def _interval_of(length_ns: int) -> str:
    for kind in _UNITS:
        unit = Interval.of(kind, 1).duration_ns
        if length_ns % unit == 0 and length_ns >= unit:
            return Interval.of(kind, length_ns // unit).text
    raise ValueError(f"a bar of {length_ns} ns has no interval of whole seconds")


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise ValueError(f"{text!r} is not a whole number")
    return int(text)


def _number(text: str) -> float:
    value = float(text)
    if not isfinite(value) or value < 0 or "_" in text:
        raise ValueError(f"{text!r} is not a number of zero or more")
    return value


def _positive(text: str) -> float:
    value = _number(text)
    if value == 0:
        raise ValueError(f"{text!r} must be above zero")
    return value


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    found = False
    with _opened(path) as raw:
        text = (line.decode("utf-8-sig", "replace") for line in _checked(path, raw))
        table = csv.reader(text)
        try:
            for row in table:
                if not row or (table.line_num == 1 and not row[0].isdigit()):
                    continue
                found = True
                yield table.line_num, row
        except csv.Error as error:
            raise InputError(f"{path} line {table.line_num}: {error}") from None
    if not found:
        raise InputError(f"{path} is empty")


def _checked(path: Path, lines: IO[bytes]) -> Iterator[bytes]:
    try:
        yield from lines
    except _DAMAGED as error:
        raise InputError(f"{path} is cut off or damaged: {error}; fetch it again") from None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        magic = _first_bytes(path)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from None
    if magic[:2] == b"\x1f\x8b":
        with gzip.open(path) as unpacked:
            yield io.BufferedReader(unpacked)
    elif magic == b"PK\x03\x04":
        with _archive(path) as archive, archive.open(_only_member(path, archive)) as member:
            yield member
    else:
        with path.open("rb") as plain:
            yield plain


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(4)


def _archive(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except zipfile.BadZipFile as error:
        raise InputError(f"{path} is cut off or damaged: {error}; fetch it again") from None


def _only_member(path: Path, archive: zipfile.ZipFile) -> str:
    names = archive.namelist()
    if len(names) != 1:
        raise InputError(f"{path} holds {len(names)} files; expected the one CSV of the archive")
    return names[0]
