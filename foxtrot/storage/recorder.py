"""The recorder: takes what the tape hands out, and writes it in a thread of its own. It gives up before anybody waits for it."""

import hashlib
import shutil
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from foxtrot.core.failure_text import failure_text
from foxtrot.core.tape import INTENT, Entry, EntryKind, Read
from foxtrot.storage.run_tape import Record, TapeEnd, TapeHeader, TapeWriter, end_record, header_record
from foxtrot.storage.tape_events import checksum_of, encode_event
from foxtrot.storage.tape_store import TapeLimits, remove_old_tapes

THREAD = "recorder"
BUFFERED = 100_000
WRITE_EVERY_S = 0.25
LOOK_EVERY = 8
"""The disk is looked at once in so many writings."""
_PRUNE_EVERY = 14_400
_CHUNK = 5_000

Usage = Callable[[Path], "tuple[int, int, int]"]


class IntentHash:
    """One SHA-256 over the bytes of all order intents of a run, in their order.

    Thread: recorder; after its end, and in a replay, main.
    """

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self.count = 0

    def add(self, reads: list[Read]) -> None:
        """Take the intents among what one event's handlers read and did."""
        for what, value in reads:
            if what == INTENT and isinstance(value, bytes):
                self._hash.update(len(value).to_bytes(4, "big") + value)
                self.count += 1

    def text(self) -> str:
        """Return it in hexadecimal."""
        return self._hash.hexdigest()


class Recorder:
    """Writes the tape of one run to `<runs>/<run id>`.

    Whatever goes wrong ends the recording, never trading: the tape then says from which event on it is incomplete.

    Thread: `offer`, foxtrot-engine; the writing, recorder; `start` and `close`, main.

    Args:
        runs: the folder of all runs.
        header: what the run began with.
        limits: how much is kept, and how much of the disk stays free.
        warn: says in the log that the recording has stopped.
        usage: total, used and free bytes of the disk of a folder.
    """

    def __init__(
        self,
        runs: Path,
        header: TapeHeader,
        limits: TapeLimits,
        warn: Callable[[str], None],
        usage: Usage = shutil.disk_usage,
    ) -> None:
        self.folder = runs / header.run_id
        self.limits = limits
        self.offered = 0
        self.stored = 0
        self.opaque = 0
        self.reason = ""
        self._runs = runs
        self._header = header
        self._warn = warn
        self._usage = usage
        self._buffer: deque[Entry] = deque()
        self._intents = IntentHash()
        self._ending = threading.Event()
        self._writer: TapeWriter | None = None
        self._left = 0
        self._looks = 0
        self._last_stored = 0
        self._overflowed = False  # what waits can then still be written
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def offer(self, entry: Entry) -> None:
        """Take an entry, or leave it out once the recording has stopped; never waits."""
        self.offered += 1
        if self.reason:
            return
        if len(self._buffer) >= BUFFERED:
            self._overflowed = True
            self.reason = f"{BUFFERED} events wait to be written"
            return
        self._buffer.append(entry)

    def close(self, left: int = 0, deadline_s: float = 5.0) -> str:
        """Write what is left and the end mark; returns the thread's name when it overran the deadline, else "".

        Blocks: at most `deadline_s`.
        """
        self._left = left
        self._ending.set()
        if self._thread.ident is not None:
            self._thread.join(deadline_s)
        return THREAD if self._thread.is_alive() else ""

    @property
    def written(self) -> int:
        """Return how many bytes the tape has."""
        return self._writer.bytes_written if self._writer else 0

    @property
    def incomplete_from(self) -> int:
        """Return the first event that is not on the tape; 0 when none is missing."""
        return self._last_stored + 1 if self.reason else 0

    def end_mark(self) -> TapeEnd:
        """Return how the recording stands; what is lost is known for certain once the engine has stopped."""
        return TapeEnd(
            reason=self.reason or "the run ended",
            offered=self.offered,
            stored=self.stored,
            lost=self.offered - self.stored,
            opaque=self.opaque,
            incomplete_from=self.incomplete_from,
            intents=self._intents.count,
            intent_hash=self._intents.text(),
            left=self._left,
        )

    # --- inside -----------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._begin()
            while not self._ending.wait(WRITE_EVERY_S) and not self.reason:
                self._write_buffered()
                self._look()
            if self._overflowed or not self.reason:
                self._write_buffered()
        except OSError as error:
            self._stop(failure_text(error))
        finally:
            self._end()

    def _begin(self) -> None:
        remove_old_tapes(self._runs, self.limits, self.folder, self._now_s())
        self._look()
        self._writer = TapeWriter(self.folder)
        self._writer.add(header_record(self._header))
        self._writer.write_block()

    def _write_buffered(self) -> None:
        writer, buffer = self._writer, self._buffer
        while buffer and writer is not None:
            count, last = 0, self._last_stored
            while buffer and count < _CHUNK:
                entry = buffer.popleft()
                writer.add(self._record(entry))
                count, last = count + 1, entry.sequence
            writer.write_block()
            self.stored, self._last_stored = self.stored + count, last

    def _record(self, entry: Entry) -> Record:
        event, kind, payload = entry.event, entry.kind, b""
        if kind is EntryKind.INPUT:
            try:
                payload = encode_event(event)
            except (TypeError, ValueError):
                kind = EntryKind.OPAQUE
        elif kind is EntryKind.DERIVED:
            payload = checksum_of(event).to_bytes(4, "big")
        self.opaque += kind is EntryKind.OPAQUE
        self._intents.add(entry.reads)
        return Record(entry.sequence, int(kind), type(event).__name__, payload, entry.reads)

    def _look(self) -> None:
        """Look at the disk now and then; the recording stops first when it runs low."""
        if self._looks % LOOK_EVERY == 0:
            if self._looks % _PRUNE_EVERY == _PRUNE_EVERY - LOOK_EVERY:
                remove_old_tapes(self._runs, self.limits, self.folder, self._now_s())
            total, _, free = self._usage(_existing(self.folder))
            least = max(self.limits.min_free_bytes, total // 50)
            if free < least:
                self._stop(f"the disk is low: {free / 1e9:.2f} GB free, {least / 1e9:.2f} GB are to stay free")
            elif self.written >= self.limits.keep_bytes:
                self._stop(f"this run's tape has reached {self.limits.keep_bytes / 1e9:.2f} GB; see keep_gb")
        self._looks += 1

    def _stop(self, reason: str) -> None:
        self.reason = self.reason or reason

    def _end(self) -> None:
        if self.reason:
            what = f"the recording of this run has stopped, trading goes on: {self.reason}"
            self._warn(f"{what}; the tape is incomplete from event {self.incomplete_from} on")
            self._buffer.clear()
        self._ending.wait()
        self._write_end()

    def _now_s(self) -> float:
        """Return about what time it is: the run's start and the writings since."""
        return self._header.started_ns / 1e9 + self._looks * WRITE_EVERY_S

    def _write_end(self) -> None:
        writer = self._writer
        if writer is None:
            return
        try:
            writer.add(end_record(self.end_mark()))
            writer.write_block()
            writer.end_segment()
        except OSError:
            writer.abandon()


def _existing(folder: Path) -> Path:
    return next(one for one in (folder, *folder.parents) if one.exists())
