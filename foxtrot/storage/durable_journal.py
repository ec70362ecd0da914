"""The journal on disk: what has been answered as durable is there after a power cut.

One thread takes everything that waits, commits it as one transaction and answers once for all its intents. After the first
error of any kind nothing is written any more in this process: a failed sync may have thrown away what was to be written, and
asking again would be told that all is well.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from foxtrot.core.clock import Clock
from foxtrot.core.notices import IntentDurable, JournalFailed
from foxtrot.core.statistics import percentiles_us
from foxtrot.domain.errors import QueueClosed
from foxtrot.storage.journal import AnswerSink, answered_id
from foxtrot.storage.journal_file import reason_of
from foxtrot.storage.journal_records import AmendAsked, Intent, JournalRecord
from foxtrot.storage.journal_writer import JournalWriter

THREAD = "foxtrot-journal"
LOOK_S = 0.25
"""How long the thread sleeps at most, so that its heartbeat shows that it lives."""
IDLE_S = 0.05
"""How long nothing must have come before the log is taken into the file."""


class JournalStatistics(msgspec.Struct, frozen=True):
    """What the journal did so far; times in microseconds of the last 4,096 commits.

    `lost` counts the records that were not written after a failure or the end; `failed` says why, "" while all is well.
    """

    depth: int
    peak_depth: int
    records: int
    commits: int
    largest_group: int
    commit_p50_us: float
    commit_p99_us: float
    slowest_commit_us: float
    lost: int
    unheard: int
    failed: str


class DurableJournal:
    """A journal in a file of its own, with a thread of its own.

    Thread: `append`, foxtrot-engine or any other; `close`, main; the properties and `statistics`, any.

    Args:
        path: the file; it is made where there is none, with its folder.
        sink: where the answers go.
        clock: for the figures and the heartbeat.
        vfs: the name of the SQLite file system to go through; the usual one when None.

    Raises:
        ConfigError: the file cannot be written, or SQLite is too old.
    """

    keeps_reports = True

    def __init__(self, path: Path, sink: AnswerSink, clock: Clock, *, vfs: str | None = None) -> None:
        self.path = path
        self.failed = ""
        self._sink = sink
        self._clock = clock
        self._ready = threading.Condition(threading.Lock())
        self._waiting: list[JournalRecord] = []
        self._group: list[JournalRecord] = []
        self._closing = False
        self._closed = ""
        self._peak_depth = self._records = self._commits = self._largest = self._lost = self._unheard = 0
        self._times_s: deque[float] = deque(maxlen=4096)
        self._slowest_s = 0.0
        self._began_ns = 0
        self.heartbeat_ns = clock.monotonic_ns()
        self._writer = JournalWriter(path, vfs)
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)
        self._thread.start()

    # --- for those who write ----------------------------------------------------------------------------------------

    def append(self, record: JournalRecord) -> None:
        """Take a record and return at once; an Intent or AmendAsked is answered by IntentDurable or JournalFailed."""
        with self._ready:
            closed = self._closed
            if not closed:
                self._waiting.append(record)
                self._ready.notify()
                return
            self._lost += 1
        self._refuse([record], closed)

    def close(self, deadline_s: float = 5.0) -> None:
        """Commit what is left, end the thread and release the file; idempotent. `alive` tells whether it overran.

        Blocks: for the disk, at most `deadline_s`.
        """
        with self._ready:
            self._closing = True
            self._closed = self._closed or "the journal is closed"
            self._ready.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join(deadline_s)

    # --- for those who watch ----------------------------------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Tell whether the thread runs."""
        return self._thread.is_alive()

    @property
    def slow_s(self) -> float:
        """Return for how many seconds the present commit has been under way; 0.0 when there is none."""
        began_ns = self._began_ns
        return (self._clock.monotonic_ns() - began_ns) / 1e9 if began_ns else 0.0

    def statistics(self) -> JournalStatistics:
        """Return the figures as they are now."""
        p50_us, p99_us = percentiles_us(self._times_s.copy(), 0.50, 0.99)
        with self._ready:
            return JournalStatistics(
                depth=len(self._waiting) + len(self._group),
                peak_depth=self._peak_depth,
                records=self._records,
                commits=self._commits,
                largest_group=self._largest,
                commit_p50_us=p50_us,
                commit_p99_us=p99_us,
                slowest_commit_us=self._slowest_s * 1e6,
                lost=self._lost,
                unheard=self._unheard,
                failed=self.failed,
            )

    # --- the thread -------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            while self._take():
                self._commit()
            self._writer.close()
        except Exception as error:
            self._fail(error)

    def _take(self) -> bool:
        """Take everything that waits as the next group; False once the journal is closed and nothing is left."""
        idle = False
        while True:
            with self._ready:
                if not self._waiting and not self._closing:
                    idle = not self._ready.wait(IDLE_S if self._writer.checkpoint_due else LOOK_S)
                self.heartbeat_ns = self._clock.monotonic_ns()
                if self._waiting:
                    self._group, self._waiting = self._waiting, []
                    self._peak_depth = max(self._peak_depth, len(self._group))
                    return True
                if self._closing:
                    return False
            if idle and self._writer.checkpoint_due:
                self._timed(self._writer.checkpoint)

    def _commit(self) -> None:
        group = self._group
        took_s = self._timed(lambda: self._writer.write(group))
        self._times_s.append(took_s)
        self._slowest_s = max(self._slowest_s, took_s)
        self._records += len(group)
        self._commits += 1
        self._largest = max(self._largest, len(group))
        self._group = []
        ids = intents_of(group)
        if ids:
            self._answer(IntentDurable(ids))
        if self._writer.checkpoint_overdue:
            self._timed(self._writer.checkpoint)

    def _timed(self, work: Callable[[], None]) -> float:
        """Do something with the disk while `slow_s` counts; return how many seconds it took."""
        began_ns = self._began_ns = self._clock.monotonic_ns()
        try:
            work()
        finally:
            self._began_ns = 0
        self.heartbeat_ns = self._clock.monotonic_ns()
        return (self.heartbeat_ns - began_ns) / 1e9

    def _fail(self, error: Exception) -> None:
        """Stop for good: let go of the file, and answer all that waits."""
        reason = f"{self.path}: {reason_of(error)}"
        with self._ready:
            self.failed = self._closed = reason
            unwritten, self._group, self._waiting = self._group + self._waiting, [], []
            self._lost += len(unwritten)
        self._refuse(unwritten, reason)
        self._writer.abandon()

    # --- answers ----------------------------------------------------------------------------------------------------

    def _refuse(self, records: Iterable[JournalRecord], reason: str) -> None:
        ids = intents_of(records)
        if ids:
            self._answer(JournalFailed(ids, reason))

    def _answer(self, notice: IntentDurable | JournalFailed) -> None:
        try:
            self._sink.put(notice)
        except QueueClosed:  # the engine has stopped: the next start finds these orders in the journal
            self._unheard += len(notice.order_ids)


def intents_of(records: Iterable[JournalRecord]) -> tuple[str, ...]:
    """Return the orders whose intents are among some records, and the changes of orders."""
    return tuple(answered_id(record) for record in records if type(record) is Intent or type(record) is AmendAsked)
