"""Looks at the write-ahead log of a journal before SQLite does.

SQLite takes the log up to the first frame whose checksum is wrong and drops the rest without a word. After a crash that is
right: the rest was never acknowledged. When a frame in the middle was damaged later, acknowledged transactions would be lost,
so what stands behind it decides: a transaction is written only after the one before it was synced.

Source: SQLite, "WAL-mode File Format", sections 2 (header and frames) and 4.2 (checksum).
"""

from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from foxtrot.domain.errors import InputError
from foxtrot.storage.journal_file import PAGE_SIZE, WAL_HEADER

HEADER = WAL_HEADER
FRAME_HEADER = 24
PAGE = PAGE_SIZE
FRAME = FRAME_HEADER + PAGE
SECTOR = 512
REMEDY = (
    "restore a copy of the folder, or start with an empty journal in another one (--home): "
    "reconciliation rebuilds what the venues know"
)
_MAGIC = {0x377F0682: "<u4", 0x377F0683: ">u4"}
_VERSION = 3_007_000
_Words = NDArray[np.uint32]
_Flags = NDArray[np.bool_]


class WalTail(msgspec.Struct, frozen=True):
    """Where the last whole transaction of a log ends, and how many bytes of one that was cut off stand after it."""

    end: int
    torn_bytes: int


class _Frames(NamedTuple):
    """The frames of a log: what their headers say, and whether salts and checksums fit.

    `chained`: its checksum follows from the stored one before it; `mended`: from the one that should have been stored.
    """

    commits: _Flags
    salts_fit: _Flags
    one_salt_fits: _Flags
    chained: _Flags
    mended: _Flags


def check_wal(path: Path) -> WalTail:
    """Check a write-ahead log; one that is absent or empty is whole.

    Blocks: for the disk.

    Raises:
        InputError: a transaction that was acknowledged is damaged; the message names file and byte.
    """
    data = path.read_bytes() if path.exists() else b""
    if not data:
        return WalTail(0, 0)
    header = np.frombuffer(data[:HEADER].ljust(HEADER, b"\0"), ">u4").astype(np.uint32)
    order = _MAGIC.get(int(header[0]))
    if order is None or not _header_fits(header, data[:HEADER], order):
        if data[HEADER:].strip(b"\0"):
            raise InputError(f"{path}: the header (byte 0) is damaged, and transactions stand after it; {REMEDY}")
        return WalTail(0, len(data))
    frames = _frames(data, header, order)
    good = frames.chained & frames.salts_fit
    first_bad = int(np.argmin(good)) if not good.all() else len(good)
    _refuse_damage(path, frames, first_bad)
    commits = np.flatnonzero(frames.commits[:first_bad])
    whole = int(commits[-1]) + 1 if len(commits) else 0
    return WalTail(HEADER + whole * FRAME, _torn_bytes(frames, whole, (len(data) - HEADER) % FRAME))


def _header_fits(header: _Words, raw: bytes, order: str) -> bool:
    if len(raw) < HEADER or header[1] != _VERSION or header[2] != PAGE:
        return False
    words = np.frombuffer(raw[:24], order).astype(np.uint32)
    weights, _ = _weights(len(words))
    return bool(((words @ weights) == header[6:8]).all())


def _refuse_damage(path: Path, frames: _Frames, first_bad: int) -> None:
    """Refuse a log in which a bad frame is followed by a transaction later than its own."""
    count = len(frames.commits)
    if first_bad == count:
        return
    # A commit mark counts when it cannot be a remnant of an earlier use of the log's space: the same salts in the same sector,
    # or a checksum that fits with at least one salt (an earlier use has both salts different).
    at = (HEADER + np.arange(count) * FRAME) % SECTOR
    in_one_sector = at <= SECTOR - FRAME_HEADER
    trusted = (frames.salts_fit & in_one_sector) | (frames.chained & frames.one_salt_fits)
    ends = np.flatnonzero((frames.commits & trusted)[first_bad:])
    if not len(ends):
        return
    later = first_bad + int(ends[0]) + 1
    if ((frames.chained | frames.mended) & frames.salts_fit)[later:].any():
        offset = HEADER + first_bad * FRAME
        raise InputError(
            f"{path}: the frame at byte {offset} is damaged, and transactions that were acknowledged stand after it; {REMEDY}"
        )


def _torn_bytes(frames: _Frames, whole: int, remainder: int) -> int:
    """Return how many bytes after the last whole transaction belong to this use of the log."""
    count = len(frames.commits)
    ours = np.flatnonzero(frames.one_salt_fits[whole:])
    if len(ours):
        last = whole + int(ours[-1]) + 1
        return (last - whole) * FRAME + (remainder if last == count else 0)
    return remainder if whole == count else 0


def _frames(data: bytes, header: _Words, order: str) -> _Frames:
    count = (len(data) - HEADER) // FRAME
    raw = np.frombuffer(data, np.uint8, count * FRAME, HEADER).reshape(count, FRAME)
    heads = np.ascontiguousarray(raw[:, :FRAME_HEADER]).view(">u4").astype(np.uint32).reshape(count, 6)
    stored, salts = heads[:, 4:6], heads[:, 2:4] == header[4:6]
    before = np.vstack([header[6:8], stored[:-1]]) if count else stored
    sums, power = _sums(raw, order)
    computed = before @ power + sums
    expected_before = np.vstack([header[6:8], computed[:-1]]) if count else computed
    return _Frames(
        commits=heads[:, 1] != 0,
        salts_fit=salts.all(axis=1),
        one_salt_fits=salts.any(axis=1),
        chained=(computed == stored).all(axis=1),
        mended=(expected_before @ power + sums == stored).all(axis=1),
    )


def _sums(raw: NDArray[np.uint8], order: str) -> tuple[_Words, _Words]:
    """Return what each frame adds to the checksum, and the matrix by which the checksum before it enters."""
    weights, power = _weights((8 + PAGE) // 4)
    sums = np.empty((len(raw), 2), np.uint32)
    for start in range(0, len(raw), 1024):
        part = raw[start : start + 1024]
        words = np.concatenate([part[:, :8], part[:, FRAME_HEADER:]], axis=1).view(order).astype(np.uint32)
        sums[start : start + 1024] = words @ weights
    return sums, power


def _weights(words: int) -> tuple[_Words, _Words]:
    """Return the checksum as a linear map modulo 2^32.

    The rule `s0 += x0 + s1; s1 += x1 + s0` for each pair of words is (s0, s1) ← (s0, s1)·[[1, 1], [1, 2]] + (x0, x0 + x1), so
    that each word enters with a weight of its own.
    """
    weights = np.empty((words, 2), np.uint32)
    power = np.eye(2, dtype=np.uint32)
    step = np.array([[1, 1], [1, 2]], np.uint32)
    for pair in range(words // 2 - 1, -1, -1):
        weights[2 * pair] = power[0] + power[1]
        weights[2 * pair + 1] = power[1]
        power = step @ power
    return weights, power
