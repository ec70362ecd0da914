"""The in-memory journal answers in line and keeps everything."""

from foxtrot.core.notices import IntentDurable
from foxtrot.storage.journal import InMemoryJournal
from foxtrot.storage.journal_records import Intent, NotSent
from tests.support.builders import T0, TradingFloor, a_request, a_tick


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
    intent = Intent(T0, made.adapter.sent[0])
    journal = InMemoryJournal(sink)
    journal.append(intent)
    assert sink.events == [IntentDurable((intent.order.order_id,))]
    journal.append(NotSent(T0, intent.order.order_id, "gate", "halted"))
    assert len(sink.events) == 1
    journal.close()
    journal.close()
    assert journal.records == [intent, NotSent(T0, intent.order.order_id, "gate", "halted")]
