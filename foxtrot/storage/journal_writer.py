"""Writes groups of records as transactions and keeps the write-ahead log small."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import apsw

from foxtrot.storage.hash_chain import FIRST_HASH, next_hash
from foxtrot.storage.journal_file import open_to_write
from foxtrot.storage.journal_records import (
    AmendAsked,
    AmendEnded,
    CancelAsked,
    FillBooked,
    Handed,
    Intent,
    JournalRecord,
    NotSent,
    OrderResolved,
    OrderTold,
    VenueSaid,
    encode_record,
)

WAL_PAGES = 1_000
"""At 4 MB the log is taken into the file as soon as nothing else is to do …"""
WAL_PAGES_MOST = 16_000
"""… and at 64 MB whatever waits, so that a start never reads a long one."""
_TOGETHER = 64
_ROW = "(?, ?, ?, ?, ?)"
_LAST = "SELECT sequence, hash FROM record ORDER BY sequence DESC LIMIT 1"
_INSERT = "INSERT INTO record (sequence, kind, order_id, hash, body) VALUES "


class JournalWriter:
    """The connection that writes the journal.

    Thread: foxtrot-journal, once it is built.

    Raises:
        ConfigError: the file cannot be written.
    """

    def __init__(self, path: Path, vfs: str | None = None, synchronous: str = "FULL") -> None:
        self._connection = open_to_write(path, vfs, synchronous)
        self._connection.set_wal_hook(self._on_commit)
        self._pages = 0
        self._pages_kept = 0
        self.sequence = 0
        self._hash = FIRST_HASH
        for sequence, last_hash in self._connection.execute(_LAST):
            self.sequence, self._hash = int(sequence), bytes(last_hash)

    def write(self, records: Sequence[JournalRecord]) -> None:
        """Commit a group of records as one transaction.

        Up to 64 rows are one statement that commits itself: the interpreter's lock is given up and taken back once a group,
        not once a row, which counts when strategies are busy.

        Blocks: until they are on the disk.

        Raises:
            apsw.Error: they may not be there; nothing further may be written.
        """
        values = self._values(records)
        if len(records) <= _TOGETHER:
            self._insert(values)
            return
        self._connection.execute("BEGIN IMMEDIATE")
        for start in range(0, len(values), 5 * _TOGETHER):
            self._insert(values[start : start + 5 * _TOGETHER])
        self._connection.execute("COMMIT")

    @property
    def checkpoint_due(self) -> bool:
        """Tell whether the log should be taken into the file when nothing else is to do."""
        return self._pages - self._pages_kept >= WAL_PAGES

    @property
    def checkpoint_overdue(self) -> bool:
        """Tell whether it must be at once."""
        return self._pages - self._pages_kept >= WAL_PAGES_MOST

    def checkpoint(self) -> None:
        """Take the log into the file, as far as nobody still reads what is in it.

        Blocks: for the disk.

        Raises:
            apsw.Error: the disk failed; nothing further may be written.
        """
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._pages_kept = self._pages

    def close(self) -> None:
        """Take the log into the file and close it.

        Blocks: for the disk.

        Raises:
            apsw.Error: the disk failed.
        """
        self._connection.execute("UPDATE mark SET is_open = 0, hash = ?", (self._hash,))
        self._connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0)
        self._connection.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        self._connection.close()

    def abandon(self) -> None:
        """Close the file without writing or syncing anything more: the disk has failed."""
        with contextlib.suppress(apsw.Error):
            self._connection.close(True)

    def _on_commit(self, _connection: apsw.Connection, _database: str, pages: int) -> int:
        if pages < self._pages:  # the log has begun anew
            self._pages_kept = 0
        self._pages = pages
        return apsw.SQLITE_OK

    def _insert(self, values: Sequence[int | str | bytes | None]) -> None:
        self._connection.execute(_INSERT + ", ".join([_ROW] * (len(values) // 5)), values)

    def _values(self, records: Sequence[JournalRecord]) -> list[int | str | bytes | None]:
        values: list[int | str | bytes | None] = []
        for record in records:
            kind, order_id, body = kind_of(record), order_id_of(record), encode_record(record)
            self.sequence += 1
            self._hash = next_hash(self._hash, kind, order_id, body)
            values += (self.sequence, kind, order_id, self._hash, body)
        return values


def kind_of(record: JournalRecord) -> str:
    """Return the name by which a kind of record is known on disk."""
    return str(record.__struct_config__.tag)


def order_id_of(record: JournalRecord) -> str | None:
    """Return the order that a record is about, or None when it is about none."""
    match record:
        case Intent(order=order) | OrderTold(order=order):
            return order.order_id
        case AmendAsked(amend=amend):
            return amend.order.order_id
        case AmendEnded() | NotSent() | Handed() | CancelAsked() | OrderResolved() | VenueSaid():
            return record.order_id
        case FillBooked(trade=trade):
            return trade.order_id
        case _:
            return None
