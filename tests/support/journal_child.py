"""A process that writes intents one after the other and says on its output how each was answered; made to be killed.

python -m tests.support.journal_child JOURNAL FIRST COUNT
"""

import os
import sys
from pathlib import Path

from foxtrot.core.notices import IntentDurable, JournalFailed
from foxtrot.storage import journal_writer
from tests.support.journal_rig import Sink, a_journal, an_intent


def say(event: object) -> None:
    """Write the durable ids, each in a line, or why they failed, at once and by one system call."""
    assert isinstance(event, IntentDurable | JournalFailed), event
    failed = f"\t{event.error}" if isinstance(event, JournalFailed) else ""
    os.write(1, "".join(f"{name}{failed}\n" for name in event.order_ids).encode())


def main(path: str, first: str, count: str) -> None:
    """Write, with checkpoints on the way, and end in order."""
    journal_writer.WAL_PAGES_MOST = 12
    sink = Sink(say)
    journal = a_journal(Path(path), sink)
    for number in range(int(count)):
        journal.append(an_intent(int(first) + number))
        sink.wait_for(number + 1)
    journal.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
