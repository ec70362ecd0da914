"""Changes of resting orders: what an adapter promises, and what one says whose venue changes none."""

from typing import ClassVar, Protocol

from foxtrot.core.clock import Clock
from foxtrot.core.notices import AmendAnswered
from foxtrot.domain.order import ApprovedAmend
from foxtrot.domain.outcome import Outcome


class EventSink(Protocol):
    """Whatever events are put into."""

    def put(self, event: object) -> None:
        """Queue an event and return at once."""
        ...


class OrderAmends:
    """The part of an adapter that changes orders.

    Thread: `amend_order` may be called on any.
    """

    adapter_name: ClassVar[str]
    clock: Clock
    _sink: EventSink

    def on_amend(self, answer: AmendAnswered) -> None:
        """Publish what became of a change of an order."""
        self._sink.put(answer)

    def amend_order(self, amend: ApprovedAmend) -> None:
        """Change a resting order at the venue, past the send permit as an order; answered by AmendAnswered, once.

        CONFIRMED comes after the report with the new terms; a change whose answer was lost is UNKNOWN, and the order is asked for. This
        default, for venues whose capability `amend` is False, denies it.
        """
        reason = f"{self.adapter_name} changes no orders; cancel it and send another"
        self.answer_amend(amend, Outcome.DENIED_LOCALLY, "no_amend", reason)

    def answer_amend(self, amend: ApprovedAmend, outcome: Outcome, rule: str = "", reason: str = "") -> None:
        """Publish what became of a change."""
        order = amend.order
        now_ns = self.clock.now_ns()
        self.on_amend(AmendAnswered(order.order_id, order.account, amend.number, outcome, rule, reason, now_ns))
