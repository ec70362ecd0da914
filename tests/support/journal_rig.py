"""Records by number, and a sink that can be waited on, for tests of the journal on disk."""

import threading
from collections.abc import Callable
from pathlib import Path

from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import IntentDurable, JournalFailed
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder, OrderData
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.storage.journal_reader import open_journal
from foxtrot.storage.journal_records import Handed, Intent, JournalRecord, OrderTold, VenueSaid

DEADLINE_S = 10.0
T0 = 1_700_006_400_000_000_000
"""As in builders, which is not imported: a child process that is started dozens of times does without the platform."""


def order_id(number: int) -> str:
    return f"F-{number:06}"


def an_intent(number: int, tag: str = "alpha") -> Intent:
    order = ApprovedOrder(
        order_id(number), tag, "main", "BTCUSDT.PERP", Side.BUY, OrderType.LIMIT, 1000, 1000, 0, TimeInForce.GTC,
        False, False, PositionSide.NET, 0, 0, 0, T0 + number,
    )  # fmt: skip
    return Intent(T0 + number, order, "f" * 64)


def handed(number: int) -> Handed:
    return Handed(T0 + number, order_id(number))


def told(number: int) -> OrderTold:
    order = OrderData(
        order_id(number), "main", "BTCUSDT.PERP", Side.BUY, OrderType.LIMIT, 1.0, 100.0, OrderStatus.ACCEPTED, 0.0, 0.0,
        "v1", T0, T0,
    )  # fmt: skip
    return OrderTold(T0 + number, "alpha", order)


def said(number: int, text: str) -> VenueSaid:
    return VenueSaid(T0 + number, "main", order_id(number), "in", text)


class Sink:
    """Keeps the answers; `on_answer` hears each on the journal's thread."""

    def __init__(self, on_answer: Callable[[object], None] | None = None) -> None:
        self.events: list[object] = []
        self._heard = threading.Condition()
        self._on_answer = on_answer

    def put(self, event: object) -> None:
        if self._on_answer is not None:
            self._on_answer(event)
        with self._heard:
            self.events.append(event)
            self._heard.notify_all()

    @property
    def durable(self) -> list[str]:
        return [name for event in self.events if isinstance(event, IntentDurable) for name in event.order_ids]

    @property
    def failed(self) -> dict[str, str]:
        failures = [event for event in self.events if isinstance(event, JournalFailed)]
        return {name: failure.error for failure in failures for name in failure.order_ids}

    def wait_for(self, answers: int) -> None:
        """Wait until so many intents are answered, either way."""
        with self._heard:
            done = self._heard.wait_for(lambda: len(self.durable) + len(self.failed) >= answers, DEADLINE_S)
        assert done, self.events


def a_journal(path: Path, sink: Sink, vfs: str | None = None) -> DurableJournal:
    return DurableJournal(path, sink, SystemClock(), vfs=vfs)


def write_all(path: Path, *records: JournalRecord) -> None:
    """Write a journal, one commit a record, and end in order."""
    sink, answered = Sink(), 0
    journal = a_journal(path, sink)
    for record in records:
        journal.append(record)
        if isinstance(record, Intent):
            answered += 1
            sink.wait_for(answered)
    journal.close()
    assert not journal.alive


def read_all(path: Path) -> list[JournalRecord]:
    return list(open_journal(path).records())


def files_of(folder: Path) -> dict[str, bytes]:
    """The journal's files without the shared memory, which is no part of what is kept."""
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.endswith("-shm")}


def put_files(folder: Path, files: dict[str, bytes]) -> Path:
    """Make a folder hold exactly these files; return where its journal stands."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder / "journal.db"
