"""An SQLite file system over the real one: notes every change, fails on demand, and draws what a power cut may leave."""

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import apsw

SECTOR = 512


class Change(NamedTuple):
    """A change of a file: write, truncate, sync, create or delete. `offset` is the new size of a truncate."""

    kind: str
    file: str
    offset: int = 0
    data: bytes = b""
    synced_folder: bool = False


Fault = Callable[[str, str], None]
"""Called with kind and file name before a change; what it raises is what SQLite is told."""


class FaultVfs(apsw.VFS):
    """Changes go to the real files, after `fault` had a word."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.changes: list[Change] = []
        self.fault: Fault = lambda kind, file: None
        super().__init__(name, "")

    def note(self, change: Change) -> None:
        self.fault(change.kind, change.file)
        self.changes.append(change)

    def xOpen(self, name: apsw.URIFilename | str, flags: list[int]) -> "FaultFile":  # noqa: N802
        return FaultFile(self, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self.note(Change("delete", Path(filename).name, synced_folder=bool(syncdir)))
        super().xDelete(filename, syncdir)


class FaultFile(apsw.VFSFile):
    """A file of that file system."""

    def __init__(self, vfs: FaultVfs, name: apsw.URIFilename | str, flags: list[int]) -> None:
        self._vfs = vfs
        path = Path(name.filename() if isinstance(name, apsw.URIFilename) else name)
        self._name = path.name
        if not path.exists():
            vfs.note(Change("create", self._name))
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        self._vfs.note(Change("write", self._name, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._vfs.note(Change("truncate", self._name, size))
        super().xTruncate(size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._vfs.note(Change("sync", self._name))
        super().xSync(flags)


_made = iter(range(1_000_000))


@contextmanager
def fault_vfs() -> Iterator[FaultVfs]:
    """A file system of its own name, gone afterwards."""
    made = FaultVfs(f"faults{next(_made)}")
    try:
        yield made
    finally:
        made.unregister()


def sqlite_error(kind: type[apsw.Error], code: int, text: str) -> apsw.Error:
    """An error as SQLite tells it."""
    error = kind(text)
    error.extendedresult = code
    return error


def fail_on(kind: str, suffix: str, error: Exception, *, after: int = 0) -> Fault:
    """A fault of all changes of a kind to files whose names end so, once `after` of them have passed."""
    passed = 0

    def fault(seen: str, file: str) -> None:
        nonlocal passed
        if seen == kind and file.endswith(suffix):
            passed += 1
            if passed > after:
                raise error

    return fault


class _File:
    """A file as the disk has it, and what was changed since it was last synced."""

    def __init__(self, data: bytes | None) -> None:
        self.durable = bytearray(data or b"")
        self.there = data is not None
        self.pending: list[Change] = []


class PowerCut:
    """Draws what is on the disk when the power fails after a number of changes.

    A sync makes the file durable, and its entry in the folder with it, as SQLite syncs the folder with a new file. Each
    unsynced write is there, or not, or in some of its 512-byte sectors, independently of all others; an unsynced truncate or
    delete likewise happened or not.
    """

    def __init__(self, before: dict[str, bytes], changes: list[Change]) -> None:
        self._before = before
        self._changes = changes
        self._begin()

    def image(self, cut: int, rng: random.Random) -> dict[str, bytes]:
        """Return name → content after the first `cut` changes and a power cut; quickest when the cuts come in order."""
        if cut < self._at:
            self._begin()
        for change in self._changes[self._at : cut]:
            file = self._files.setdefault(change.file, _File(None))
            if change.kind == "sync":
                _settle(file)
            elif change.kind == "delete" and change.synced_folder:
                self._files[change.file] = _File(None)
            else:
                file.pending.append(change)
        self._at = cut
        share = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        drawn = {name: _drawn(file, share, rng) for name, file in self._files.items()}
        return {name: data for name, data in drawn.items() if data is not None}

    def _begin(self) -> None:
        self._files = {name: _File(data) for name, data in self._before.items()}
        self._at = 0


def _settle(file: _File) -> None:
    for change in file.pending:
        if change.kind == "delete":
            file.durable, file.there = bytearray(), False
        else:
            file.there = True
            _apply(file.durable, change)
    file.pending = []


def _apply(data: bytearray, change: Change) -> None:
    if change.kind == "write":
        _put(data, change.offset, change.data)
    elif change.kind == "truncate":
        del data[change.offset :]


def _put(data: bytearray, offset: int, part: bytes) -> None:
    data.extend(bytes(max(0, offset - len(data))))
    data[offset : offset + len(part)] = part


def _drawn(file: _File, share: float, rng: random.Random) -> bytes | None:
    data, there = bytearray(file.durable), file.there
    for change in file.pending:
        if change.kind == "create":
            there = there or rng.random() < 0.5
        elif change.kind == "delete":
            if rng.random() < 0.5:
                data, there = bytearray(), False
        elif change.kind == "write" and rng.random() < 0.3:
            _put_some_sectors(data, change, share, rng)
        elif rng.random() < share:
            _apply(data, change)
    return bytes(data) if there else None


def _put_some_sectors(data: bytearray, change: Change, share: float, rng: random.Random) -> None:
    at, end = change.offset, change.offset + len(change.data)
    while at < end:
        stop = min(end, (at // SECTOR + 1) * SECTOR)
        if rng.random() < share:
            _put(data, at, change.data[at - change.offset : stop - change.offset])
        at = stop
