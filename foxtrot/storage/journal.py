"""The journal as the platform sees it: an order is recorded here before it may reach the wire.

`append` returns at once. The journal answers an Intent, or a change of an order, later with IntentDurable or JournalFailed, put into the control lane;
only then does the order go on. The in-memory journal answers in line, so that a backtest takes the same path.
"""

from typing import Protocol

from foxtrot.core.notices import IntentDurable
from foxtrot.storage.journal_records import AmendAsked, Intent, JournalRecord


class AnswerSink(Protocol):
    """Where a journal puts its answers.

    Thread: the engine's lanes take them from any.
    """

    def put(self, event: object) -> None:
        """Queue an event and return at once."""
        ...


class Journal(Protocol):
    """What the platform needs of a journal.

    `keeps_reports` tells whether records other than intents are worth making: what forgets at the end of the process needs none.

    Thread: `append` is called on foxtrot-engine and never waits.
    """

    @property
    def keeps_reports(self) -> bool:
        """Tell whether records other than intents are kept."""
        ...

    def append(self, record: JournalRecord) -> None:
        """Take a record; an Intent or AmendAsked is answered by IntentDurable or JournalFailed."""
        ...

    def close(self) -> None:
        """Commit what is left and release the storage; idempotent."""
        ...


class InMemoryJournal:
    """A journal that forgets at the end of the process and answers at once.

    Thread: the dispatcher's.
    """

    keeps_reports = False

    def __init__(self, sink: AnswerSink) -> None:
        self._sink = sink
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        """Keep a record and answer an intent in line."""
        self.records.append(record)
        if type(record) is Intent or type(record) is AmendAsked:
            self._sink.put(IntentDurable((answered_id(record),)))

    def close(self) -> None:
        """Do nothing: there is no storage."""


def answered_id(record: Intent | AmendAsked) -> str:
    """Return the name by which a record is answered for: the order's id, or that of the change."""
    return record.order.order_id if isinstance(record, Intent) else record.amend.amend_id
