"""What a ladder hears of one instrument in one account: own orders, the position, what the venue takes."""

import msgspec
from PySide6.QtCore import QObject, Signal

from foxtrot.app.control_requests import ListOrders, ListPositions, Orders, Positions
from foxtrot.app.desktop_requests import AskTerms, TermsFound
from foxtrot.core.notices import (
    AccountAdjusted,
    AmendAnswered,
    OrderChanged,
    RequestFailed,
    TradeBooked,
)
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.outcome import Outcome
from foxtrot.gui.chart.own_marks import Held, OwnMarks
from foxtrot.gui.desk import Desk
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.texts import tr

REFUSED = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED})


class LadderFeed(QObject):
    """Asks what there is when an account is chosen, and follows the facts from then on.

    Thread: the desktop's.
    """

    moved = Signal()
    """The position was told."""
    warned = Signal(str)
    """Something of the person's was refused, and why."""

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self.marks = OwnMarks("")
        self.terms: TermsFound | None = None
        self.account = ""
        self._is_due = self._is_asking = False
        self.hearers = (
            (OrderChanged, self._hear_order), (AmendAnswered, self._hear_amend), (TradeBooked, self._hear_trade),
            (AccountAdjusted, self._hear_adjustment), (RequestFailed, self._hear_failure),
        )  # fmt: skip
        """Class of a fact → who hears it."""

    @property
    def held(self) -> Held | None:
        """Return the position of the account, None where it is flat."""
        return next((one for one in self.marks.positions if one.account == self.account), None)

    def choose(self, instrument_id: str, account: str) -> None:
        """Follow an instrument in an account; with "" for it nothing is asked."""
        self.account, self.terms = account, None
        self.marks = OwnMarks(instrument_id, account)
        self._is_due = self._is_asking = False
        self.moved.emit()
        if not account or self._desk.questions is None:
            return
        marks = self.marks

        def hear_orders(found: msgspec.Struct | None, error: str) -> None:
            if isinstance(found, Orders) and marks is self.marks:
                marks.take_orders(found.orders)
            elif error:
                self.warned.emit(error)

        def hear_terms(found: msgspec.Struct | None, _error: str) -> None:
            if isinstance(found, TermsFound) and found.account == self.account:
                self.terms = found

        self._desk.ask(ListOrders(account=account, instrument=instrument_id), hear_orders)
        self._desk.ask(AskTerms(account=account), hear_terms)
        self._ask_positions()

    def ask_if_due(self) -> None:
        """Ask for the position where a fill has moved it; called once a flush, one question at a time."""
        if self._is_due and not self._is_asking and self.account:
            self._ask_positions()

    def _ask_positions(self) -> None:
        marks = self.marks
        self._is_due, self._is_asking = False, True

        def hear(found: msgspec.Struct | None, _error: str) -> None:
            if marks is self.marks:
                self._is_asking = False
                if isinstance(found, Positions):
                    marks.take_positions(found.net)
                    self.moved.emit()

        self._desk.ask(ListPositions(account=self.account, instrument=marks.instrument_id), hear)

    def _hear_order(self, change: OrderChanged) -> None:
        self.marks.hear_order(change)
        order = change.order
        ours = (order.account, order.instrument_id) == (self.account, self.marks.instrument_id)
        if ours and order.status in REFUSED and change.strategy_id == OWNER:
            self.warned.emit(tr("ladder.refused", reason=order.reason or str(order.status)))

    def _hear_amend(self, answer: AmendAnswered) -> None:
        if answer.outcome is not Outcome.CONFIRMED and answer.order_id in self.marks.orders:
            self.warned.emit(tr("ladder.amend_refused", reason=answer.reason or str(answer.outcome)))

    def _hear_failure(self, failure: RequestFailed) -> None:
        if failure.account == self.account and failure.what.startswith("change of"):
            self.warned.emit(tr("ladder.amend_refused", reason=failure.error))

    def _hear_trade(self, booked: TradeBooked) -> None:
        self._is_due |= booked.trade.instrument_id == self.marks.instrument_id

    def _hear_adjustment(self, _fact: AccountAdjusted) -> None:
        self._is_due = True
