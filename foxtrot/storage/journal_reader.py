"""Opens a journal: checks every byte that matters before anybody builds on it, and reads what a start needs of it.

Nothing here writes: neither the file nor its write-ahead log is changed by being checked or looked at.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple, cast

import apsw
import msgspec

from foxtrot.domain.errors import InputError
from foxtrot.storage.frozen_writer import CopyOfJournal, is_held_by_a_frozen_process
from foxtrot.storage.hash_chain import FIRST_HASH, next_hash
from foxtrot.storage.journal_file import (
    HEADER_MARKS,
    SCHEMA,
    check_library,
    open_to_look,
    reason_of,
    wal_of,
)
from foxtrot.storage.journal_records import JournalRecord, Record, Snapshot, decode_record
from foxtrot.storage.wal_check import REMEDY, check_wal

_Row = tuple[int, str, str | None, bytes, bytes, bytes | None]
_SNAPSHOT = str(Snapshot.__struct_config__.tag)
_ALL = "SELECT sequence, kind, order_id, hash, body FROM record ORDER BY sequence"
_SINCE = "SELECT sequence, body FROM record WHERE sequence >= ? AND kind NOT IN ({}) ORDER BY sequence"


class JournalOpening(msgspec.Struct, frozen=True):
    """A journal that was found whole.

    Args:
        path: the file.
        count: how many records it has; 0 also when there is no file.
        first: the first that a start needs: the last Snapshot, else 1.
        dropped_bytes: how many bytes of a write that was cut off are dropped.
        dropped: the same in words; "" when there are none.
    """

    path: Path
    count: int
    first: int
    dropped_bytes: int = 0
    dropped: str = ""

    def records(self, without: Collection[type[Record]] = ()) -> Iterator[JournalRecord]:
        """Yield the records from the last Snapshot on, that one included, oldest first.

        Args:
            without: kinds that are not wanted; they are not even decoded.

        Raises:
            InputError: one of them is of a kind that this version does not know.
        """
        if not self.count:
            return
        connection = open_to_look(self.path)
        try:
            kinds = sorted(str(kind.__struct_config__.tag) for kind in without)
            query = _SINCE.format(", ".join("?" * len(kinds)))
            for sequence, body in connection.execute(query, (self.first, *kinds)):
                yield _decoded(self.path, int(sequence), body)
        except apsw.Error as error:
            raise InputError(f"{self.path} cannot be read: {reason_of(error)}; {REMEDY}") from None
        finally:
            connection.close(True)


def open_journal(path: Path) -> JournalOpening:
    """Check a journal: that it is one, that its log is whole, that the database is, and that every record follows the last.

    Blocks: for the disk, about 4 s for a million records.

    Raises:
        InputError: it is damaged, or no journal; the message names the place and what to do.
        ConfigError: SQLite is too old.
    """
    check_library()
    wal = wal_of(path)
    has_wal = wal.exists()
    try:
        if not path.exists():
            if has_wal and wal.stat().st_size:
                raise InputError(f"{wal} stands there without {path.name}; {REMEDY}")
            return JournalOpening(path, 0, 1)
        _check_header(path)
        tail = check_wal(wal)
        count, first = _check_database(path, has_wal=has_wal)
    except (OSError, apsw.Error, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read: {reason_of(error)}; {REMEDY}") from None
    dropped = (
        f"{wal}: {tail.torn_bytes} bytes from byte {tail.end} on are dropped: a write that was cut off before it was acknowledged"
        if tail.torn_bytes
        else ""
    )
    return JournalOpening(path, count, first, tail.torn_bytes, dropped)


class Found(NamedTuple):
    """A record and its number."""

    sequence: int
    record: JournalRecord


class JournalView:
    """Looks into a journal, also one that a running or frozen platform writes to.

    What holds: neither the file nor its log is written, synced or checkpointed, and the writer is never kept waiting; each
    call sees what was committed when it asked, not what still waits in the writer's queue; each record is checked against the
    hash of the one before it, the whole chain only by `open_journal`. Where the writer was stopped with a lock in its hand for
    which SQLite would wait, and give up after ten seconds, a copy is looked at, which stays as it was.

    Thread: that of its maker.

    Raises:
        InputError: there is no journal, or it cannot be read.
    """

    PAGE = 500
    _COLUMNS = (
        "SELECT r.sequence, r.kind, r.order_id, r.hash, r.body, p.hash FROM record r "
        "LEFT JOIN record p ON p.sequence = r.sequence - 1 "
    )

    def __init__(self, path: Path) -> None:
        self.path = path
        self._copy: CopyOfJournal | None = None
        try:
            if not path.exists():
                raise InputError(f"there is no journal {path}; name the --home of a platform that has run")
            _check_header(path)
            if is_held_by_a_frozen_process(path):
                self._copy = CopyOfJournal(path)
            self._connection = open_to_look(self._copy.path if self._copy else path)
            self._rows("WHERE r.sequence = 1")
        except (OSError, apsw.Error) as error:
            self._remove_copy()
            raise InputError(f"{path} cannot be read: {reason_of(error)}") from None
        except InputError:
            self._remove_copy()
            raise

    def newest_first(self) -> Iterator[Found]:
        """Yield the records from the newest back to the first.

        Raises:
            InputError: one is damaged.
        """
        before = 1 << 62
        while rows := self._rows("WHERE r.sequence < ? ORDER BY r.sequence DESC LIMIT ?", before, self.PAGE):
            yield from rows
            before = rows[-1].sequence

    def of_order(self, order_id: str) -> list[Found]:
        """Return all records about one order, oldest first.

        Raises:
            InputError: one is damaged.
        """
        return self._rows("WHERE r.order_id = ? ORDER BY r.sequence", order_id)

    def of_kind(self, kind: str) -> list[Found]:
        """Return the newest records of one kind, the newest first, at most PAGE of them.

        Raises:
            InputError: one is damaged.
        """
        return self._rows("WHERE r.kind = ? ORDER BY r.sequence DESC LIMIT ?", kind, self.PAGE)

    def after(self, sequence: int, kinds: Collection[type[Record]]) -> list[Found]:
        """Return the next records of some kinds after a number, the oldest first, at most PAGE of them.

        Raises:
            InputError: one is damaged.
        """
        tags = sorted(str(kind.__struct_config__.tag) for kind in kinds)
        marks = ", ".join("?" * len(tags))
        return self._rows(
            f"WHERE r.sequence > ? AND r.kind IN ({marks}) ORDER BY r.sequence LIMIT ?", sequence, *tags, self.PAGE
        )

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self._connection.close(True)
        self._remove_copy()

    def __enter__(self) -> "JournalView":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _remove_copy(self) -> None:
        if self._copy:
            self._copy.close()

    def _rows(self, where: str, *values: int | str) -> list[Found]:
        """Return all at once, so that no read of ours stays open and keeps the log from beginning anew."""
        try:
            rows = self._connection.execute(self._COLUMNS + where, values).fetchall()
        except (apsw.Error, UnicodeDecodeError) as error:
            raise InputError(f"{self.path} cannot be read: {reason_of(error)}") from None
        found = []
        for row in rows:
            sequence, kind, order_id, stored, body, previous = cast("_Row", row)
            if next_hash(previous or FIRST_HASH, kind, order_id, body) != stored:
                raise _broken(self.path, sequence, "does not follow from the one before it (its hash differs)")
            found.append(Found(sequence, _decoded(self.path, sequence, body)))
        return found


def read_only(path: Path) -> JournalView:
    """Return a view of a journal that somebody else may be writing.

    Raises:
        InputError: there is no journal, or it cannot be read.
    """
    return JournalView(path)


def _check_header(path: Path) -> None:
    """Check the bytes of the file's header that are the same in every journal, also where the log would hide them."""
    with path.open("rb") as file:
        header = file.read(100)
    for offset, mark in HEADER_MARKS.items():
        if header[offset : offset + len(mark)] != mark:
            what = "is no journal of this format" if offset in (0, 60, 68) else "is damaged"
            raise InputError(f"{path} {what} (byte {offset}); {REMEDY}")


def _check_database(path: Path, *, has_wal: bool) -> tuple[int, int]:
    """Return how many records there are and which is the first that a start needs."""
    connection = open_to_look(path)
    try:
        # Not quick_check: that leaves out the index, and took 0.5 s instead of 0.8 s for a million records.
        faults = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(3)")]
        if faults != ["ok"]:
            raise InputError(f"{path} is damaged: {'; '.join(faults)}; {REMEDY}")
        found = sorted(str(row[0]) for row in connection.execute("SELECT sql FROM sqlite_schema"))
        if found != sorted(SCHEMA):
            raise InputError(f"{path} is damaged: its tables are not those of a journal; {REMEDY}")
        is_open, ended = _mark(connection, path)
        if not has_wal and is_open:
            raise InputError(
                f"{wal_of(path)} is missing, and the last run did not end in order: it held records; {REMEDY}"
            )
        return _check_chain(connection, path, ended, is_open=is_open)
    finally:
        connection.close(True)


def _mark(connection: apsw.Connection, path: Path) -> tuple[bool, bytes]:
    """Return whether somebody was writing, and the hash of the record that was the last when a run last ended in order."""
    rows = connection.execute("SELECT is_open, hash FROM mark").fetchall()
    if len(rows) != 1 or rows[0][0] not in (0, 1) or not isinstance(rows[0][1], bytes):
        raise InputError(f"{path} is damaged: its mark is {len(rows)} rows, or not one that we write; {REMEDY}")
    return bool(rows[0][0]), rows[0][1]


def _check_chain(connection: apsw.Connection, path: Path, ended: bytes, *, is_open: bool) -> tuple[int, int]:
    previous, count, first = FIRST_HASH, 0, 1
    seen = ended == FIRST_HASH
    for sequence, kind, order_id, stored, body in connection.execute(_ALL):
        count += 1
        if sequence != count:
            raise _broken(path, count, f"is missing (the next one is {sequence})")
        previous = next_hash(previous, kind, order_id, body)
        if previous != stored:
            raise _broken(path, count, "does not follow from the one before it (its hash differs)")
        if kind == _SNAPSHOT:
            first = count
        if stored == ended:
            seen = True
    if not seen or not (is_open or previous == ended):
        what = "is gone that was the last" if not seen else "is not the last that was there"
        raise InputError(f"{path}: after record {count} one {what} when a run ended in order; {REMEDY}")
    return count, first


def _decoded(path: Path, sequence: int, body: bytes) -> JournalRecord:
    try:
        return decode_record(body)
    except msgspec.MsgspecError as error:
        raise InputError(
            f"{path}: record {sequence} cannot be understood ({error}): a newer Foxtrot wrote it; run that one"
        ) from None


def _broken(path: Path, sequence: int, what: str) -> InputError:
    return InputError(f"{path}: record {sequence} {what}; {REMEDY}")
