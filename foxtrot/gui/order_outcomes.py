"""What becomes of wishes whose refusal no panel would show: a change, a protection, a closing. The person is told wherever they look."""

from collections.abc import Iterable
from typing import Final

from PySide6.QtCore import QObject

from foxtrot.core.commands import ClosePosition
from foxtrot.core.notices import AmendAnswered, OrderChanged, RequestFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.outcome import Outcome
from foxtrot.gui.desk import Desk
from foxtrot.gui.texts import tr

MOST: Final = 200
"""So many wishes are remembered."""
_REFUSED: Final = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED})
_PLACES: Final = ("protect ", "close ")
"""How the platform names what was wished of a position."""


class Outcomes(QObject):
    """Hears refusals of what a person has wished for.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._changed: dict[str, None] = {}
        self._closing: dict[tuple[str, str, str], None] = {}
        desk.bridge.on(AmendAnswered, self._hear_answer)
        desk.bridge.on(RequestFailed, self._hear_failure)
        desk.bridge.on(OrderChanged, self._hear_order)

    def await_change(self, order_id: str) -> None:
        """Tell when the change of an order is refused."""
        self._changed[order_id] = None
        while len(self._changed) > MOST:
            del self._changed[next(iter(self._changed))]

    def await_closing(self, wishes: Iterable[ClosePosition]) -> None:
        """Tell when an order that closes one of these positions is refused."""
        for wish in wishes:
            self._closing[wish.owner, wish.account, wish.instrument_id] = None
        while len(self._closing) > MOST:
            del self._closing[next(iter(self._closing))]

    def _hear_answer(self, answer: AmendAnswered) -> None:
        if answer.order_id in self._changed and answer.outcome is not Outcome.UNKNOWN:
            del self._changed[answer.order_id]
            if answer.outcome is not Outcome.CONFIRMED:
                self._say(tr("order.change_refused", order_id=answer.order_id, why=answer.reason or answer.rule))

    def _hear_failure(self, failure: RequestFailed) -> None:
        of_change = failure.what.startswith("change of ") and failure.what.rpartition(" ")[2] in self._changed
        if of_change or failure.what.startswith(_PLACES):
            self._say(f"{failure.what}: {failure.error}")

    def _hear_order(self, change: OrderChanged) -> None:
        order = change.order
        key = (change.strategy_id, order.account, order.instrument_id)
        if order.status in _REFUSED and key in self._closing:
            self._say(tr("order.closing_refused", instrument=order.instrument_id, why=order.reason or order.rule))
        elif order.status is OrderStatus.FILLED:
            self._closing.pop(key, None)

    def _say(self, text: str) -> None:
        self._desk.said.emit("WARNING", text)
