"""Past bars of IB on disk: closed ones never change, and IB answers seldom; bounded, and readable by nothing but msgspec."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from loguru import logger

from foxtrot.core.private_file import FILE_MODE, make_private_folder
from foxtrot.domain.market import BarData

FOLDER: Final = "ib_history"
FORMAT: Final = 1
"""Raised when a row is another one than before; files of other formats are left alone and asked for anew."""
MOST_BARS: Final = 50_000
"""How many bars of one contract and length are kept, the newest."""
MOST_BYTES: Final = 256_000_000
"""How much all files may take together; those that were not used for longest go first."""
Span = tuple[int, int]
"""From when to when, UTC ns, all bars that closed are known."""
_Row = tuple[int, int, float, float, float, float, float, float, int]


class _File(msgspec.Struct):
    """What a file holds: spans in order that do not touch, and the bars in them by their opening."""

    format: int
    spans: list[Span]
    bars: list[_Row]


class KnownBars:
    """The bars of one contract and length that are known, and in which spans they are all there are.

    Thread: one at a time.
    """

    def __init__(self, spans: list[Span] | None = None, bars: list[BarData] | None = None) -> None:
        self.spans: list[Span] = spans or []
        self._bars: dict[int, BarData] = {bar.open_time_ns: bar for bar in bars or []}

    def __len__(self) -> int:
        return len(self._bars)

    def add(self, span: Span, bars: list[BarData]) -> None:
        """Add all bars that closed within a span."""
        for bar in bars:
            self._bars[bar.open_time_ns] = bar
        merged: list[Span] = []
        for one in sorted([*self.spans, span]):
            if merged and one[0] <= merged[-1][1]:
                merged[-1] = merged[-1][0], max(merged[-1][1], one[1])
            else:
                merged.append(one)
        self.spans = merged
        self._shed()

    def span_at(self, end_ns: int) -> Span | None:
        """Return the span that reaches up to a moment at least, None when the bars just before it are not known."""
        return next((span for span in self.spans if span[0] < end_ns <= span[1]), None)

    def between(self, span: Span) -> list[BarData]:
        """Return the bars that lie within a span, oldest first."""
        return sorted(
            (bar for bar in self._bars.values() if span[0] <= bar.open_time_ns and bar.close_time_ns <= span[1]),
            key=lambda bar: bar.open_time_ns,
        )

    def all(self) -> list[BarData]:
        """Return every bar, oldest first."""
        return [self._bars[key] for key in sorted(self._bars)]

    def _shed(self) -> None:
        """Forget the oldest bars when there are too many, and what was known of their time."""
        too_many = len(self._bars) - MOST_BARS
        if too_many <= 0:
            return
        keys = sorted(self._bars)
        for key in keys[:too_many]:
            del self._bars[key]
        first_ns = keys[too_many]
        self.spans = [(max(first_ns, span[0]), span[1]) for span in self.spans if span[1] > first_ns]


class HistoryCache:
    """The files of past bars under the platform's home; without one nothing is kept.

    A file that cannot be written or read is a warning, and its bars are asked for anew.

    Thread: one at a time.

    Blocks: for the disk.

    Args:
        home: where the folder lies; None keeps nothing.
    """

    def __init__(self, home: Path | None) -> None:
        self._folder = None if home is None else home / FOLDER

    def read(self, key: str) -> KnownBars:
        """Return what is known of a contract and length; nothing when there is no file."""
        path = self._path(key)
        if path is None or not path.exists():
            return KnownBars()
        try:
            found = msgspec.msgpack.decode(path.read_bytes(), type=_File)
        except (OSError, msgspec.MsgspecError) as error:
            logger.warning("{} cannot be read: {}; its bars are asked for anew", path, error)
            return KnownBars()
        if found.format != FORMAT:
            return KnownBars()
        with suppress(OSError):
            os.utime(path)
        return KnownBars([(span[0], span[1]) for span in found.spans], [_bar(row) for row in found.bars])

    def write(self, key: str, known: KnownBars) -> None:
        """Keep what is known, whole or not at all, and let older files go where all take too much."""
        path = self._path(key)
        if path is None:
            return
        content = msgspec.msgpack.encode(_File(FORMAT, known.spans, [_row(bar) for bar in known.all()]))
        beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        try:
            make_private_folder(path.parent)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
            beside.replace(path)
            self._shed(path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()  # what was begun of it
            logger.warning("{} cannot be written: {}; its bars will be asked for again", path, error)

    def _path(self, key: str) -> Path | None:
        if self._folder is None:
            return None
        plain = "".join(letter if letter.isalnum() or letter in "-_" else "_" for letter in key)
        return self._folder / f"{plain}.msgpack"

    def _shed(self, newest: Path) -> None:
        """Remove the files that were not used for longest while all take too much; the newest stays."""
        files = sorted((file.stat().st_mtime_ns, file.stat().st_size, file) for file in newest.parent.glob("*.msgpack"))
        total = sum(size for _, size, _ in files)
        for _, size, file in files:
            if total <= MOST_BYTES:
                return
            if file != newest:
                file.unlink()
                total -= size


def _row(bar: BarData) -> _Row:
    return (
        bar.open_time_ns, bar.close_time_ns, bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover, bar.trade_count,
    )  # fmt: skip


def _bar(row: _Row) -> BarData:
    return BarData("", "", *row)
