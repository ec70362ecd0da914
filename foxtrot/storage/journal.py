"""The journal of intents: an order is recorded here before it may reach the wire.

`append` returns at once. The journal answers later with IntentDurable or JournalFailed, put into the control lane; only then
does the order go on. The in-memory journal answers in line, so that a backtest takes the same path.
"""

from typing import Protocol

import msgspec

from foxtrot.core.notices import IntentDurable
from foxtrot.domain.order import ApprovedOrder


class NotSent(msgspec.Struct, frozen=True):
    """An intent that was journalled and then refused before the wire, and why."""

    order_id: str
    rule: str
    reason: str


JournalRecord = ApprovedOrder | NotSent


class AnswerSink(Protocol):
    """Where a journal puts its answers.

    Thread: the engine's lanes take them from any.
    """

    def put(self, event: object) -> None:
        """Queue an event and return at once."""
        ...


class Journal(Protocol):
    """What the desk needs of a journal.

    Thread: `append` is called on foxtrot-engine and never waits.
    """

    def append(self, record: JournalRecord) -> None:
        """Take a record; an ApprovedOrder is answered by IntentDurable or JournalFailed."""
        ...

    def close(self) -> None:
        """Commit what is left and release the storage; idempotent."""
        ...


class InMemoryJournal:
    """A journal that forgets at the end of the process and answers at once.

    Thread: the dispatcher's.
    """

    def __init__(self, sink: AnswerSink) -> None:
        self._sink = sink
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        """Keep a record and answer an intent in line."""
        self.records.append(record)
        if type(record) is ApprovedOrder:
            self._sink.put(IntentDurable((record.order_id,)))

    def close(self) -> None:
        """Do nothing: there is no storage."""
