"""The tape of one run on disk: numbered segments of compressed blocks, every block and every record with its checksum.

A segment is a magic word and blocks; one that was closed in order ends with a footer that counts its records. A block is written
whole, four times a second, so that a platform that is killed loses no more than that. The checksum of a record goes over the one
before it too, so that a changed record is found by its place, and nothing can be taken out or put in between.
"""

import struct
import zlib
from collections.abc import Iterator
from io import FileIO
from pathlib import Path
from typing import NamedTuple, TypeAlias

import msgspec

from foxtrot.core.private_file import make_private_folder, private_opener
from foxtrot.core.tape import Read
from foxtrot.domain.errors import FoxtrotError, InputError

MAGIC = b"FOXTAPE1"
SUFFIX = ".tape"
SEGMENT_BYTES = 64 * 1024 * 1024
HEADER, END = 8, 9
_BLOCK = struct.Struct(">4sIIII")  # BLCK, records, bytes unpacked, bytes packed, checksum of the packed bytes
_BLOCK_WORD, _FOOTER_WORD = b"BLCK", b"FOOT"
_RECORD = struct.Struct(">II")  # length, checksum over the checksum before and the bytes
_Body = tuple[int, int, str, bytes, list[tuple[str, object]]]
_LARGEST = 256 * 1024 * 1024


_Decoder: TypeAlias = "msgspec.msgpack.Decoder[_Body]"


class AdapterFacts(msgspec.Struct, frozen=True):
    """What trading asks an adapter about itself; `capabilities` is the JSON of its row of the table."""

    adapter: str
    trades: bool
    capabilities: msgspec.Raw


class StrategyFile(msgspec.Struct, frozen=True):
    """Which code a strategy was made of: its class, its file, and the SHA-256 of that."""

    class_name: str
    file: str
    sha256: str


class TapeHeader(msgspec.Struct, frozen=True, kw_only=True):
    """What a run began with; `config`, `variables` and `restored` are JSON.

    `code` is a SHA-256 over the platform's own source files.
    `journal` is "memory" when it answers in line, else "disk", whose answers are inputs; `keeps_reports` is the journal's.
    """

    run_id: str
    version: str
    code: str
    python: str
    started_ns: int
    folder: str
    config: msgspec.Raw
    strategies: dict[str, StrategyFile]
    variables: msgspec.Raw
    adapters: dict[str, AdapterFacts]
    journal: str
    keeps_reports: bool
    restored: msgspec.Raw = msgspec.Raw(b"null")


class TapeEnd(msgspec.Struct, frozen=True, kw_only=True):
    """How the recording ended: `offered` events were handled, `stored` of them are here and `lost` are not.

    `incomplete_from` is the first event that is missing, 0 when none is; `left` is how many were queued and never handled.
    """

    reason: str
    offered: int
    stored: int
    lost: int
    opaque: int
    incomplete_from: int
    intents: int
    intent_hash: str
    left: int


class Record(NamedTuple):
    """One record as it stands on the tape; `name` is the event's class, `payload` its bytes or its checksum."""

    sequence: int
    kind: int
    name: str
    payload: bytes
    reads: list[Read]


class TapeDamaged(FoxtrotError):
    """A tape is not as it was written: the first place where it is not."""

    def __init__(self, text: str, sequence: int, name: str) -> None:
        super().__init__(text)
        self.sequence = sequence
        self.name = name


class TapeWriter:
    """Writes the segments of one run.

    Thread: recorder.

    Raises:
        OSError: the folder cannot be made.
    """

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self.folder = folder
        self.bytes_written = 0
        self.records = 0
        self._segment_bytes = segment_bytes
        self._chain = 0
        self._written_chain = 0
        self._number = 0
        self._file: FileIO | None = None
        self._in_segment = 0
        self._records_in_segment = 0
        self._block: list[bytes] = []
        self._encoder = msgspec.msgpack.Encoder()
        make_private_folder(folder)

    def add(self, record: Record) -> None:
        """Take a record into the block."""
        body = self._encoder.encode(tuple(record))
        self._chain = zlib.crc32(body, self._chain)
        self._block.append(_RECORD.pack(len(body), self._chain) + body)

    def write_block(self) -> None:
        """Write what was taken, and go on to the next segment when this one is full.

        Blocks: for the disk.

        Raises:
            OSError: it cannot be written.
        """
        if not self._block:
            return
        count, raw = len(self._block), b"".join(self._block)
        self._block.clear()
        packed = zlib.compress(raw, 1)
        chain, self._chain = self._chain, self._written_chain  # what is not written was never taken
        self._write(_BLOCK.pack(_BLOCK_WORD, count, len(raw), len(packed), zlib.crc32(packed)) + packed)
        self._chain = self._written_chain = chain
        self.records += count
        self._records_in_segment += count
        if self._in_segment >= self._segment_bytes:
            self.end_segment()

    def end_segment(self) -> None:
        """Close the segment with its footer.

        Raises:
            OSError: it cannot be written.
        """
        if self._file is not None:
            self._write(_BLOCK.pack(_FOOTER_WORD, self._records_in_segment, 0, 0, self._chain))
            self.abandon()

    def abandon(self) -> None:
        """Close the file as it is: what can no longer be written is left out."""
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _open_next(self) -> FileIO:
        self._number += 1
        path = self.folder / f"{self._number:04}{SUFFIX}"
        self._file = FileIO(str(path), "xb", opener=private_opener)
        self._in_segment = self._records_in_segment = 0
        self._append(self._file, MAGIC)
        return self._file

    def _write(self, data: bytes) -> None:
        """Write something whole, or leave the segment as it was."""
        file = self._file or self._open_next()
        try:
            self._append(file, data)
        except OSError:
            file.truncate(self._in_segment)
            file.seek(self._in_segment)
            raise

    def _append(self, file: FileIO, data: bytes) -> None:
        done = 0
        while done < len(data):  # a disk that is nearly full takes a part
            done += file.write(data[done:]) or 0
        self._in_segment += len(data)
        self.bytes_written += len(data)


class TapeReader:
    """Reads the tape of a run, record after record, and checks all that it passes.

    Thread: the caller's.

    Raises:
        InputError: there is no tape in the folder, or it is of a format that this version does not know.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._segments = sorted(folder.glob(f"*{SUFFIX}"))
        self._chain = 0
        self._last = 0
        if not self._segments:
            raise InputError(f"{folder} holds no tape; `foxtrot replay last` takes the newest run of a home")
        self.torn = False
        self._whole = self._doubted = False
        self.end: TapeEnd | None = None
        self._records = self._read()
        first = next(self._records, None)
        if first is None or first.kind != HEADER:
            raise InputError(f"{self._segments[0]} does not begin with the header of a run; it is no whole tape")
        self.header = msgspec.json.decode(first.payload, type=TapeHeader)

    def entries(self) -> Iterator[Record]:
        """Yield every event's record; `end` is set, or `torn`, when there are no more.

        Raises:
            TapeDamaged: a record, a block or a segment is not as it was written.
        """
        for record in self._records:
            if record.kind == END:
                self.end = msgspec.json.decode(record.payload, type=TapeEnd)
                return
            yield record
        self.torn = True

    def _read(self) -> Iterator[Record]:
        decoder = msgspec.msgpack.Decoder(_Body)
        for number, path in enumerate(self._segments, 1):
            if path.name != f"{number:04}{SUFFIX}":
                raise self._damaged(f"segment {number:04}{SUFFIX} is missing")
            self._whole = False
            for raw, count in self._blocks(path):
                yield from self._unpack(path, raw, count, decoder)
            if not self._whole and number < len(self._segments):
                raise self._damaged(f"{path.name} has no end")

    def _blocks(self, path: Path) -> Iterator[tuple[bytes, int]]:
        records = 0
        with path.open("rb") as file:
            if file.read(len(MAGIC)) != MAGIC:
                raise InputError(f"{path} is no tape of this version: it does not begin with {MAGIC.decode()}")
            while head := file.read(_BLOCK.size):
                if len(head) < _BLOCK.size:
                    return
                word, count, size, packed_size, checksum = _BLOCK.unpack(head)
                if word == _FOOTER_WORD:
                    if (count, size, packed_size, checksum) != (records, 0, 0, self._chain) or file.read(1):
                        raise self._damaged(f"{path.name} has {records} records where its footer says {count}")
                    self._whole = True
                    return
                packed = file.read(min(packed_size, _LARGEST))
                if len(packed) < packed_size:
                    return
                yield self._inflate(path, packed, size, checksum, word), count
                records += count

    def _inflate(self, path: Path, packed: bytes, size: int, checksum: int, word: bytes) -> bytes:
        """Return the bytes of a block; one whose checksum is wrong is still looked into, to name the record that was changed."""
        try:
            if word != _BLOCK_WORD or size > _LARGEST:
                raise zlib.error("no block begins there")
            unpacker = zlib.decompressobj()
            raw = unpacker.decompress(packed, size + 1)
            if len(raw) != size:
                raise zlib.error(f"it has not {size} bytes")
        except zlib.error as error:
            raise self._damaged(f"a block of {path.name} cannot be read: {error}") from None
        self._doubted = zlib.crc32(packed) != checksum
        return raw

    def _unpack(
        self,
        path: Path,
        raw: bytes,
        count: int,
        decoder: _Decoder,
    ) -> Iterator[Record]:
        at = found = 0
        doubted = self._doubted
        while at + _RECORD.size <= len(raw):
            length, chain = _RECORD.unpack_from(raw, at)
            body = raw[at + _RECORD.size : at + _RECORD.size + length]
            at += _RECORD.size + length
            record = _record_of(body, decoder)
            if record is None or zlib.crc32(body, self._chain) != chain:
                raise self._changed(path, record)
            self._chain, found, self._last = chain, found + 1, max(self._last, record.sequence)
            yield record
        if found != count or at != len(raw) or doubted:
            raise self._damaged(f"a block of {path.name} is not as it was written")

    def _changed(self, path: Path, record: Record | None) -> TapeDamaged:
        if record is None:
            return self._damaged(f"a record of {path.name} cannot be read")
        text = f"event {record.sequence} ({record.name}) in {path.name} is not as it was written: its checksum is wrong"
        return TapeDamaged(text, record.sequence, record.name)

    def _damaged(self, text: str) -> TapeDamaged:
        return TapeDamaged(f"{text}, after event {self._last}", self._last + 1, "")


def _record_of(body: bytes, decoder: _Decoder) -> Record | None:
    try:
        sequence, kind, name, payload, read = decoder.decode(body)
    except msgspec.MsgspecError:
        return None
    reads: list[Read] = [(what, value) for what, value in read if isinstance(value, int | str | bytes)]
    return Record(sequence, kind, name, payload, reads) if len(reads) == len(read) else None


def header_record(header: TapeHeader) -> Record:
    """Return the record that a tape begins with."""
    return Record(0, HEADER, "TapeHeader", msgspec.json.encode(header), [])


def end_record(end: TapeEnd) -> Record:
    """Return the record that a tape ends with."""
    return Record(0, END, "TapeEnd", msgspec.json.encode(end), [])
