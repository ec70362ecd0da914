"""Two small dialogs about one order: its change, and what became of it. Neither has a button that Enter presses."""

from collections.abc import Callable

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from foxtrot.app.control_requests import OrderRow
from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import AmendRequest
from foxtrot.gui.blotter_cells import name_of, order_text
from foxtrot.gui.numbers import price_decimals, size_decimals, size_text, time_text
from foxtrot.gui.texts import tr

OUTCOMES = (
    OrderStatus.ACCEPTED, OrderStatus.CANCELLED, OrderStatus.EXPIRED, OrderStatus.FILLED, OrderStatus.REJECTED,
)  # fmt: skip


class Resolution(msgspec.Struct, frozen=True):
    """What a person says became of an order, and why."""

    status: OrderStatus
    why: str


AskAmend = Callable[[QWidget, OrderRow, Instrument | None, bool], AmendRequest | None]
"""The last tells whether the venue changes orders."""
AskResolution = Callable[[QWidget, OrderRow], Resolution | None]


class OrderDialog(QDialog):
    """A form about an order or a position, with a line for what is wrong and buttons that Enter does not press.

    Thread: the desktop's.
    """

    def __init__(self, parent: QWidget | None, title: str, text: str, go: str) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setMinimumWidth(48 * self.fontMetrics().horizontalAdvance("0"))
        column = self._column = QVBoxLayout(self)
        self.words = QLabel(text, self)
        self.words.setTextFormat(Qt.TextFormat.PlainText)
        self.words.setWordWrap(True)
        column.addWidget(self.words)
        self.form = QFormLayout()
        column.addLayout(self.form)
        self.error = QLabel(self)
        self.error.setTextFormat(Qt.TextFormat.PlainText)
        self.error.setWordWrap(True)
        column.addWidget(self.error)
        row = self._foot = QHBoxLayout()
        row.addStretch(1)
        self.go = QPushButton(go, self)
        self.stop = QPushButton(tr("dialog.no"), self)
        for button, act in ((self.go, self.accept), (self.stop, self.reject)):
            button.setAutoDefault(False)
            button.clicked.connect(act)
            row.addWidget(button)
        column.addLayout(row)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Give the words the height that they need at this width, which a dialog does not do by itself."""
        super().resizeEvent(event)
        margins = self._column.contentsMargins()
        self.words.setMinimumHeight(self.words.heightForWidth(self.width() - margins.left() - margins.right()))

    def add_button(self, button: QPushButton) -> None:
        """Put another button to the left of the two."""
        self._foot.insertWidget(0, button)

    def say(self, why: str) -> None:
        """Show what is wrong, and let it go on only when nothing is."""
        self.error.setText(f"⚠ {why}" if why else "")
        self.go.setEnabled(not why)
        self.go.setToolTip(why)


class AmendDialog(OrderDialog):
    """Asks for other figures of a resting order.

    Thread: the desktop's.

    Args:
        changes: whether the venue changes orders; else the order is cancelled and placed anew, which is said.
    """

    def __init__(
        self, parent: QWidget | None, row: OrderRow, instrument: Instrument | None, *, changes: bool = True
    ) -> None:
        text = order_text(row, instrument)
        text = text if changes else f"{text}\n\n{tr('orders.replaces')}"
        super().__init__(
            parent, tr("orders.amend_title"), text, tr("orders.amend_go" if changes else "orders.replace_go")
        )
        self.setObjectName("amend_dialog")
        self._row = row
        self._instrument = instrument
        self.quantity = self._field("quantity", size_text(row.quantity, size_decimals(instrument)))
        decimals = price_decimals(instrument)
        kind = OrderType(row.order_type)
        self.price = self._field("price", f"{row.price:.{decimals}f}") if kind.needs_price else None
        self.trigger = self._field("trigger", f"{row.trigger_price:.{decimals}f}") if row.trigger_price else None
        self._look()

    @property
    def request(self) -> AmendRequest:
        """Return the change; what is as it was is 0.0."""
        return AmendRequest(
            self._row.order_id,
            _other(self.quantity, self._row.quantity),
            _other(self.price, self._row.price),
            _other(self.trigger, self._row.trigger_price),
        )

    def _field(self, name: str, text: str) -> QLineEdit:
        field = QLineEdit(text.replace(",", ""), self)
        field.setObjectName(f"amend_{name}")
        field.textChanged.connect(self._look)
        self.form.addRow(tr(f"orders.{name}"), field)
        return field

    def _look(self) -> None:
        self.say(self._why_not())

    def _why_not(self) -> str:
        for name, field in (("quantity", self.quantity), ("price", self.price), ("trigger", self.trigger)):
            if field is not None and not _figure(field.text()) > 0.0:
                return tr("orders.bad_figure", name=tr(f"orders.{name}"), text=field.text())
        if not _figure(self.quantity.text()) > self._row.filled:
            return tr("orders.below_filled", filled=f"{self._row.filled:g}")
        request = self.request
        if not (request.quantity or request.price or request.trigger_price):
            return tr("orders.nothing_changed")
        return _off_grid(request, self._instrument)


class ResolveDialog(OrderDialog):
    """Asks what became of an order of unknown outcome.

    Thread: the desktop's.
    """

    def __init__(self, parent: QWidget | None, row: OrderRow) -> None:
        since = "–" if row.unknown_since_ns is None else time_text(row.unknown_since_ns, with_date=True)
        known = tr(
            "orders.resolve_known", account=row.account, owner=row.owner, venue=row.venue_order_id or "–", filled=f"{row.filled:g}",
            since=since,
        )  # fmt: skip
        order = f"{order_text(row, None)}\n{known}"
        text = tr("orders.resolve_text", order=order, order_id=row.order_id, reason=row.reason)
        super().__init__(parent, tr("orders.resolve_title"), text, tr("orders.resolve_go"))
        self.setObjectName("resolve_dialog")
        self.status = QComboBox(self)
        self.status.addItem(tr("orders.resolve_choose"), "")
        for status in OUTCOMES:
            self.status.addItem(f"{name_of(status)} – {tr(f'orders.resolve_{status}')}", str(status))
        self.why = QLineEdit(self)
        self.why.setObjectName("resolve_why")
        self.form.addRow(tr("orders.resolve_status"), self.status)
        self.form.addRow(tr("orders.resolve_why"), self.why)
        self.status.currentIndexChanged.connect(self._look)
        self.why.textChanged.connect(self._look)
        self._look()

    @property
    def resolution(self) -> Resolution:
        """Return what the person says."""
        return Resolution(OrderStatus(self.status.currentData()), self.why.text().strip())

    def _look(self) -> None:
        if not self.status.currentData():
            self.say(tr("orders.resolve_no_status"))
        elif not self.why.text().strip():
            self.say(tr("orders.resolve_no_why"))
        else:
            self.say("")


def ask_amend(parent: QWidget, row: OrderRow, instrument: Instrument | None, changes: bool) -> AmendRequest | None:
    """Ask for a change; None when the person leaves.

    Blocks: the desktop's thread, while Qt goes on.
    """
    dialog = AmendDialog(parent, row, instrument, changes=changes)
    return dialog.request if dialog.exec() == QDialog.DialogCode.Accepted else None


def ask_resolution(parent: QWidget, row: OrderRow) -> Resolution | None:
    """Ask what became of an order; None when the person leaves.

    Blocks: the desktop's thread, while Qt goes on.
    """
    dialog = ResolveDialog(parent, row)
    return dialog.resolution if dialog.exec() == QDialog.DialogCode.Accepted else None


def _figure(text: str) -> float:
    try:
        figure = float(text)
    except ValueError:
        return 0.0
    return figure if figure < float("inf") else 0.0


def _other(field: QLineEdit | None, before: float) -> float:
    if field is None:
        return 0.0
    figure = _figure(field.text())
    return 0.0 if figure == before else figure


def _off_grid(request: AmendRequest, instrument: Instrument | None) -> str:
    """Return why an instrument does not take a figure, naming those nearest to it."""
    if instrument is None:
        return ""
    try:
        for price in (request.price, request.trigger_price):
            if price:
                instrument.price_units(price)
        if request.quantity:
            instrument.quantity_units(request.quantity)
    except FoxtrotError as error:
        return str(error)
    return ""
