"""The journal of one platform: checked and read before anything starts, written while it runs, ended with a snapshot."""

from pathlib import Path

import msgspec
from loguru import logger

from foxtrot import __version__
from foxtrot.adapter.registry import load_adapter
from foxtrot.app.config import Config
from foxtrot.app.fingerprints import file_hash, strategy_file
from foxtrot.app.user_name import some_user
from foxtrot.core.clock import Clock
from foxtrot.core.event_engine import EventEngine
from foxtrot.domain.errors import InputError
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import RunStarted, RunStopped, Snapshot
from foxtrot.strategy.line import Line
from foxtrot.trading.restored_state import UNFOLDED, encode_state, fold
from foxtrot.trading.snapshots import REMEMBERED_NS, asked_since_ns, state_of

NAME = "journal.db"
SNAPSHOT_AFTER = 20_000
"""So many records since the last snapshot, and a start writes one, that the next start need not read them again."""


class PlatformJournal:
    """What a platform takes over from its journal, and the journal that it then writes.

    Thread: main, while foxtrot-engine does not run.

    Args:
        folder: the data folder.
        config: whose accounts there are.
        clock: tells the time.

    Raises:
        InputError: the journal is damaged; the message names the place and what to do.
        ConfigError: SQLite is too old, or the file cannot be written.
    """

    def __init__(self, folder: Path, config: Config, clock: Clock) -> None:
        self.path = folder / NAME
        self._clock = clock
        opening = open_journal(self.path)
        if opening.dropped:
            logger.warning("{}", opening.dropped)
        self._unfolded = opening.count - opening.first
        try:
            kept = fold(opening.records(UNFOLDED)) if opening.count else None
        except msgspec.MsgspecError as error:
            raise InputError(f"{self.path}: record {opening.first} cannot be read: {error}; restore a copy") from None
        self.restored = kept.without(accounts_that_end(config)) if kept is not None else None

    def begin(self, events: EventEngine) -> DurableJournal:
        """Open the journal for writing; its answers go to the engine."""
        return DurableJournal(self.path, events, self._clock)

    def fills_since_ns(self, account: str) -> int:
        """Return the venue's time before which every fill of an account is known; 0 when nothing is."""
        return asked_since_ns(self.restored, account) if self.restored is not None else 0

    def note_start(self, line: Line, config: Config, run_id: str) -> None:
        """Write who starts what, and a snapshot if much was read."""
        now_ns = self._clock.now_ns()
        hashes = {name: strategy_file(type(host.strategy)).sha256 for name, host in line.strategies.hosts.items()}
        line.notes.strategy_hashes = hashes
        line.notes.append(RunStarted(now_ns, run_id, some_user(), __version__, file_hash(config.source), hashes))
        if self._unfolded > SNAPSHOT_AFTER:
            self._snapshot(line)

    def note_end(self, line: Line, run_id: str) -> None:
        """Write a snapshot and that the run ended in order."""
        self._snapshot(line)
        line.notes.append(RunStopped(self._clock.now_ns(), run_id))

    def _snapshot(self, line: Line) -> None:
        now_ns = self._clock.now_ns()
        state = state_of(line.desk, line.portfolio, line.notes.decisions, now_ns - REMEMBERED_NS)
        line.notes.append(Snapshot(now_ns, encode_state(state)))


def accounts_that_end(config: Config) -> frozenset[str]:
    """Return the accounts whose venue lives in this process and ends with it: what they held an hour ago they hold no more."""
    accounts = config.accounts.items()
    return frozenset(name for name, table in accounts if not load_adapter(table.adapter).capabilities.network)
