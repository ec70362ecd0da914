"""The bundle of a run for a bug report: tape, journal, log, status, configuration and versions, without keys and account numbers."""

import hashlib
import platform
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import distributions
from pathlib import Path

import msgspec

from foxtrot import __version__
from foxtrot.app.config import Config
from foxtrot.app.config_text import config_text
from foxtrot.app.run_recording import config_of
from foxtrot.app.scrub import Scrub
from foxtrot.core.private_file import private_opener
from foxtrot.core.tape import INTENT, EntryKind, Read
from foxtrot.domain.errors import InputError
from foxtrot.storage.journal_reader import read_only
from foxtrot.storage.journal_records import JournalRecord, RunStarted, Snapshot, encode_record
from foxtrot.storage.run_tape import HEADER, Record, TapeDamaged, TapeReader, TapeWriter, end_record

LOG_BYTES = 5_000_000
"""So much of the end of each log is taken."""
RECORDS = 200_000
"""So many of the run's newest records of the journal are taken."""
README = """What foxtrot capture put together for a bug report.

tape/          everything that entered the engine; `foxtrot replay FOLDER` plays it where the same strategies are
journal.jsonl  the run's records of the journal, the newest first, without snapshots
config.toml    the configuration in force, secrets masked
log/           the end of the log
status.json    what the platform last told of itself
versions.json  versions of Foxtrot, Python and every installed package
manifest.json  every file with its SHA-256, and how many texts had something taken out of them

Taken out: keys and secrets, numbers and logins of accounts, mail addresses, the path of the home folder. The code of the
strategies is not included; its SHA-256 is in the tape's header. Prices, sizes, orders and balances are as they were.
"""


class Captured(msgspec.Struct, frozen=True):
    """What was written: the file, what is in it (name → bytes), how many texts were scrubbed, and what is missing, in words."""

    file: str
    members: dict[str, int]
    scrubbed: int
    missing: tuple[str, ...]


def capture_run(tape: Path, home: Path, out: Path) -> Captured:
    """Write the bundle of a run.

    Blocks: for the disk, about as long as the tape takes to be read and written again.

    Raises:
        InputError: there is no tape, or a file of that name is there already.
    """
    if out.exists():
        raise InputError(f"{out} is there already; name another file with --out, or remove it")
    if not out.parent.is_dir():
        raise InputError(f"--out {out}: folder {out.parent} does not exist; make it first")
    reader = TapeReader(tape)
    config = config_of(reader.header.config)
    bundle = _Bundle(Scrub(config), config, home)
    with tempfile.TemporaryDirectory(prefix="foxtrot-capture-") as folder, ExitStack() as unfinished:
        unfinished.callback(out.unlink, missing_ok=True)
        bundle.write(reader, Path(folder), out)
        unfinished.pop_all()
    return Captured(str(out), bundle.members, bundle.scrub.found, tuple(bundle.missing))


class _Bundle:
    """One bundle in the making."""

    def __init__(self, scrub: Scrub, config: Config, home: Path) -> None:
        self.scrub = scrub
        self.members: dict[str, int] = {}
        self.missing: list[str] = []
        self._config = config
        self._home = home
        self._hashes: dict[str, str] = {}

    def write(self, reader: TapeReader, folder: Path, out: Path) -> None:
        """Write everything to a file that nobody else can read."""
        run_id = reader.header.run_id
        with (
            open(out, "xb", opener=private_opener) as file,
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive,
        ):
            self._add(archive, "README.txt", README.encode())
            for segment in self._tape(reader, folder / "tape"):
                self._add(archive, f"tape/{segment.name}", segment.read_bytes())
            self._add(archive, "journal.jsonl", b"".join(self._journal(run_id)))
            self._add(archive, "config.toml", self.scrub.text(config_text(self._config)).encode())
            self._add_files(archive)
            self._add(archive, "versions.json", msgspec.json.format(msgspec.json.encode(versions())))
            manifest = {"run_id": run_id, "files": self._hashes, "scrubbed": self.scrub.found, "missing": self.missing}
            self._add(archive, "manifest.json", msgspec.json.format(msgspec.json.encode(manifest)))

    def _add(self, archive: zipfile.ZipFile, name: str, data: bytes) -> None:
        archive.writestr(name, data)
        self.members[name] = len(data)
        self._hashes[name] = hashlib.sha256(data).hexdigest()

    def _add_files(self, archive: zipfile.ZipFile) -> None:
        log = self._config.log_file()
        files = {"status.json": self._home / "status.json", "halt.json": self._home / "halt.json"}
        files |= {
            f"log/{path.name}": path for path in ((self._home / "log" / "last_error.txt"), *((log,) if log else ()))
        }
        for name, path in files.items():
            if path.is_file():
                data = path.read_bytes()[-LOG_BYTES:]
                self._add(archive, name, self.scrub.text(data.decode("utf-8", "replace")).encode())
            elif path == log or name == "status.json":
                self.missing.append(f"{name}: {self.scrub.text(str(path))} does not exist")
        if log is None:
            self.missing.append("log: the configuration names no log file ([log] file)")

    def _tape(self, reader: TapeReader, folder: Path) -> Iterator[Path]:
        """Write the tape anew, every text in it scrubbed, and yield its segments; a damaged one up to its damage."""
        writer = TapeWriter(folder)
        header = self.scrub.json(msgspec.json.encode(reader.header))
        writer.add(Record(0, HEADER, "TapeHeader", header, []))
        try:
            for count, record in enumerate(reader.entries()):
                writer.add(self._record(record))
                if count % 5_000 == 0:
                    writer.write_block()
        except TapeDamaged as damage:
            self.missing.append(f"tape: {damage}")
        if reader.end is not None:
            writer.add(end_record(reader.end))
        writer.write_block()
        writer.end_segment()
        yield from sorted(folder.iterdir())

    def _record(self, record: Record) -> Record:
        before = self.scrub.found
        reads = [self._read(read) for read in record.reads]
        if record.kind == EntryKind.INPUT:
            return record._replace(payload=self.scrub.packed(record.payload), reads=reads)
        changed = before != self.scrub.found
        return record._replace(reads=reads) if changed else record

    def _read(self, read: Read) -> Read:
        what, value = read
        if isinstance(value, str):
            return what, self.scrub.text(value)
        return (what, self.scrub.json(value)) if what == INTENT and isinstance(value, bytes) else read

    def _journal(self, run_id: str) -> Iterator[bytes]:
        path = self._config.data_dir(self._home) / "journal.db"
        try:
            with read_only(path) as view:
                for count, found in enumerate(view.newest_first()):
                    if count >= RECORDS:
                        self.missing.append(f"journal: all but the newest {RECORDS:,} records")
                        return
                    if not isinstance(found.record, Snapshot):
                        yield self.scrub.json(_numbered(found.sequence, found.record)) + b"\n"
                    if isinstance(found.record, RunStarted) and found.record.run_id == run_id:
                        return
        except InputError as error:
            self.missing.append(f"journal: {self.scrub.text(str(error))}")


def _numbered(sequence: int, record: JournalRecord) -> bytes:
    return msgspec.json.encode({"sequence": sequence, "record": msgspec.Raw(encode_record(record))})


def versions() -> dict[str, object]:
    """Return which versions run here."""
    packages = {one.metadata["Name"]: one.version for one in distributions()}
    return {
        "foxtrot": __version__,
        "python": platform.python_version(),
        "system": platform.system(),
        "release": platform.release(),
        "machine": platform.machine(),
        "packages": dict(sorted(packages.items(), key=lambda item: item[0].lower())),
    }
