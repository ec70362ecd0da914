"""The in-memory journal answers in line and keeps everything."""

from foxtrot.core.notices import IntentDurable
from foxtrot.storage.journal import InMemoryJournal, NotSent
from tests.support.builders import TradingFloor, a_request, a_tick


class Sink:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.events: list[object] = []

    def put(self, event: object) -> None:
        self.events.append(event)


def test_an_intent_is_answered_before_append_returns_and_a_not_sent_record_is_not_answered() -> None:
    made, sink = TradingFloor(), Sink()
    made.put(a_tick())
    made.send(a_request(price=100.0))
    intent = made.adapter.sent[0]
    journal = InMemoryJournal(sink)
    journal.append(intent)
    assert sink.events == [IntentDurable((intent.order_id,))]
    journal.append(NotSent(intent.order_id, "gate", "halted"))
    assert len(sink.events) == 1
    journal.close()
    journal.close()
    assert journal.records == [intent, NotSent(intent.order_id, "gate", "halted")]
