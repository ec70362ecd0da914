"""The journal's file: what marks it as ours, how it is created, and how it is opened for writing or only for looking."""

import os
from pathlib import Path
from urllib.parse import quote

import apsw

from foxtrot.domain.errors import ConfigError
from foxtrot.storage.hash_chain import FIRST_HASH

APPLICATION_ID = 0x666F784A
"""Stands in the file's header and tells a journal from any other database: "foxJ"."""
FORMAT = 1
PAGE_SIZE = 4096
WAL_HEADER = 32
OLDEST_SQLITE = (3, 51, 3)
"""The first that does not damage a database when its write-ahead log is reset while somebody checkpoints."""

TABLE = (
    "CREATE TABLE record (sequence INTEGER PRIMARY KEY, kind TEXT NOT NULL, order_id TEXT, hash BLOB NOT NULL, "
    "body BLOB NOT NULL) STRICT"
)
INDEX = "CREATE INDEX record_order ON record (order_id) WHERE order_id IS NOT NULL"

MARK = "CREATE TABLE mark (is_open INTEGER NOT NULL, hash BLOB NOT NULL) STRICT"
"""One row: 1 while somebody writes, so that a log that has gone missing is noticed, and the hash of the record that was the last when
a run last ended in order, so that nobody takes records away before it."""
SCHEMA = (TABLE, INDEX, MARK)
HEADER_MARKS = {
    0: b"SQLite format 3\0",
    16: PAGE_SIZE.to_bytes(2, "big"),
    18: b"\2\2\0\x40\x20\x20",  # written and read with a log, no reserved bytes, the payload fractions
    56: (1).to_bytes(4, "big"),  # UTF-8
    60: FORMAT.to_bytes(4, "big"),
    68: APPLICATION_ID.to_bytes(4, "big"),
}
"""Offset → bytes of the file's header that are the same in every journal.

Source: SQLite, "Database File Format", section 1.3.
"""


def wal_of(path: Path) -> Path:
    """Return where the write-ahead log of a journal stands."""
    return path.with_name(path.name + "-wal")


def library_version() -> str:
    """Return the version of the SQLite that writes journals."""
    return apsw.sqlite_lib_version()


def check_library(version: str | None = None) -> None:
    """Refuse an SQLite that may damage a journal.

    Raises:
        ConfigError: it is older than 3.51.3.
    """
    found = version or library_version()
    if tuple(int(part) for part in found.split(".")[:3]) < OLDEST_SQLITE:
        raise ConfigError(
            f"SQLite {found} may damage a journal when its write-ahead log is reset; 3.51.3 or newer is needed: "
            "install the apsw wheel, which brings its own"
        )


def open_to_write(path: Path, vfs: str | None = None, synchronous: str = "FULL") -> apsw.Connection:
    """Return the one connection that writes and checkpoints; the file is created where there is none.

    What a crash left in the write-ahead log is taken into the file first, and a torn tail is gone after that.

    Blocks: for the disk.

    Raises:
        ConfigError: it cannot be written, or the library is too old.
    """
    check_library()
    try:
        if not path.exists():
            _create(path)
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE, vfs=vfs)
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # after a failed sync nothing may be synced again
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute(f"PRAGMA synchronous = {synchronous}")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        connection.execute("UPDATE mark SET is_open = 1")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    except (OSError, apsw.Error) as error:
        raise ConfigError(
            f"the journal {path} cannot be written: {reason_of(error)}; free the disk, make the folder writable, "
            "or choose another with --home"
        ) from None
    return connection


def open_to_look(path: Path) -> apsw.Connection:
    """Return a connection that writes neither the file nor its log.

    Nor the shared memory beside it: that is made only where there is a log without one, which is so in a copy.

    Raises:
        apsw.Error: it cannot be opened.
    """
    # A log without a frame holds nothing; SQLite would make one where there is none, and cannot read one that has only a header.
    how = "immutable=1"
    wal = wal_of(path)
    if wal.exists() and wal.stat().st_size > WAL_HEADER:
        how = "readonly_shm=1" if path.with_name(path.name + "-shm").exists() else "mode=ro"
    name = f"file:{quote(str(path.absolute()))}?mode=ro&{how}"
    connection = apsw.Connection(name, flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI)
    connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
    connection.execute("PRAGMA query_only = 1")
    connection.set_busy_timeout(2000)
    return connection


def reason_of(error: BaseException) -> str:
    """Return what went wrong in one line, with SQLite's own name of it."""
    if isinstance(error, apsw.Error):
        code = getattr(error, "extendedresult", apsw.SQLITE_OK) or apsw.SQLITE_ERROR
        name = apsw.mapping_extended_result_codes.get(code) or apsw.mapping_result_codes.get(code)
        return f"{str(error) or type(error).__name__} ({name})"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return f"{type(error).__name__}: {error}"


def _create(path: Path) -> None:
    """Make an empty journal whole beside its place and move it there, so that no half-made one is ever found."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    for suffix in ("", "-wal", "-shm", "-journal"):
        beside.with_name(beside.name + suffix).unlink(missing_ok=True)
    # Created with its mode, so that there is no moment at which others could open it; SQLite gives its other files the same.
    descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        connection = apsw.Connection(str(beside), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.execute(f"PRAGMA page_size = {PAGE_SIZE}; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
        connection.execute("BEGIN")
        for statement in SCHEMA:
            connection.execute(statement)
        connection.execute("INSERT INTO mark VALUES (0, ?)", (FIRST_HASH,))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {FORMAT}; COMMIT")
        connection.close()
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    beside.replace(path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Make a rename in a folder outlive a power cut; only POSIX systems open folders."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
