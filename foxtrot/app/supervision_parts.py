"""The parts of a platform that do not tell of themselves: its journal, and the threads of log, servers and recorder."""

from collections.abc import Callable, Mapping

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.core.heartbeat import Part, PartRegistry, Progress, ident_of, thread_part
from foxtrot.storage.durable_journal import THREAD as JOURNAL
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.storage.journal import Journal

AIDS = ("foxtrot-control", "foxtrot-health", "recorder")
"""Threads that a run may have and that no trading depends on; one that is gone is told all the same."""


def durable_behind(journal: Journal) -> DurableJournal | None:
    """Return the journal on disk, which a recording may stand in front of; None when there is none."""
    found: object = journal
    while not isinstance(found, DurableJournal):
        found = getattr(found, "behind", None)
        if found is None:
            return None
    return found


def journal_part(journal: DurableJournal) -> Part:
    """Return the journal as a part that all trading depends on; a disk that does not answer shows as a journal that is blocked."""

    def death() -> str:
        if journal.failed:
            return journal.failed
        return "" if journal.alive else "its thread has ended"

    return Part(name=JOURNAL, death=death, beat_ns=lambda: journal.heartbeat_ns, thread=lambda: ident_of(JOURNAL))


def log_part(written: Callable[[], int], waiting: Callable[[], int], now_ns: Callable[[], int]) -> Part:
    """Return the log as a part: lines wait and none is written when the terminal or the disk behind it stands still.

    Args:
        written: how many lines were taken to be written so far.
        waiting: how many wait.
        now_ns: the platform's monotonic clock.
    """
    name = "foxtrot-log"
    living = thread_part(name, halts=False)
    beat = Progress(written, waiting, now_ns)
    return Part(name=name, halts=False, death=living.death, beat_ns=beat.beat_ns, silent_s=10.0, thread=living.thread)


def enter_aids(registry: PartRegistry) -> None:
    """Enter those of the threads that trading does not depend on which run now."""
    for name in AIDS:
        if ident_of(name) is not None:
            registry.enter(thread_part(name, halts=False))


def process_part(name: str, exit_code: Callable[[], int | None], *, halts: bool = False) -> Part:
    """Return another process of ours as a part; `exit_code` is None while it runs."""

    def death() -> str:
        code = exit_code()
        return "" if code is None else f"its process has ended with status {code}"

    return Part(name=name, halts=halts, death=death)


def adapter_parts(adapters: Mapping[str, BaseAdapter]) -> tuple[Part, ...]:
    """Return the parts of all adapters: their threads, loops and long-lived tasks."""
    return tuple(part for adapter in tuple(adapters.values()) for part in adapter.parts())
