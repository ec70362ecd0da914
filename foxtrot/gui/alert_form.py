"""The form of an alert: what is watched, of what, at which value, and a note."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QDoubleSpinBox,
    QFormLayout,
    QLabel,
    QLineEdit,
    QWidget,
)

from foxtrot.domain.errors import ConfigError
from foxtrot.gui.alerts import Alert, AlertBook, AlertKind, price_of
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import price_decimals
from foxtrot.gui.texts import tr

MOST: float = 1e12


class AlertForm(QDialog):
    """Makes an alert, or changes one.

    Thread: the desktop's.

    Args:
        desk: knows what can be watched.
        alert: the one that is changed, None for a new one.
        subject: what a new one is of at first.
        begins: the kind of a new one at first.
    """

    def __init__(
        self,
        desk: Desk,
        alert: Alert | None = None,
        subject: str = "",
        parent: QWidget | None = None,
        begins: AlertKind = AlertKind.PRICE,
    ) -> None:
        super().__init__(parent)
        self.setObjectName("alert_form")
        self.setWindowTitle(tr("alerts.form" if alert is None else "alerts.change"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self._desk = desk
        self._alert = alert
        self.kind = QComboBox(self)
        for kind in AlertKind:
            self.kind.addItem(tr(f"alerts.{kind}"), kind)
        self.subject = QComboBox(self)
        self.subject.setEditable(True)
        self.limit = QDoubleSpinBox(self)
        self.limit.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.limit.setRange(-MOST, MOST)
        self.note = QLineEdit(self)
        self.note.setMaxLength(200)
        self.fault = QLabel(self)
        self.fault.setWordWrap(True)
        self.fault.setStyleSheet(f"color:{desk.theme.colours.danger}")
        self._lay_out()
        self.kind.setCurrentIndex(self.kind.findData(begins))
        self.kind.currentIndexChanged.connect(self._fill)
        self.subject.currentTextChanged.connect(self._suggest)
        self._fill()
        self._show(alert, subject)

    def apply(self) -> bool:
        """Make or change the alert; False where something in the form is wrong, which it says."""
        book, subject = AlertBook.of(self._desk), self.subject.currentText().strip()
        try:
            if self._alert is None:
                book.add(AlertKind(self.kind.currentData()), subject, self.limit.value(), self.note.text().strip())
            else:
                book.change(self._alert.number, subject, self.limit.value(), self.note.text().strip())
        except ConfigError as error:
            self.fault.setText(str(error))
            return False
        return True

    def accept(self) -> None:
        """Close when what was filled in could be taken."""
        if self.apply():
            super().accept()

    def _show(self, alert: Alert | None, subject: str) -> None:
        if alert is not None:
            self.kind.setCurrentIndex(self.kind.findData(alert.kind))
            self.kind.setEnabled(False)
            self.subject.setCurrentText(alert.subject)
            self.limit.setValue(alert.limit)
            self.note.setText(alert.note)
        elif subject:
            self.subject.setCurrentText(subject)

    def _fill(self) -> None:
        kind = AlertKind(self.kind.currentData())
        names = (
            self._desk.accounts()
            if kind is AlertKind.CONNECTION
            else sorted(self._desk.ticks) or list(self._desk.instruments)[:200]
        )
        self.subject.clear()
        self.subject.addItems(names)
        self.limit.setSuffix(" s" if kind is AlertKind.CONNECTION else "")
        self._suggest(self.subject.currentText())

    def _suggest(self, subject: str) -> None:
        """Begin at the price that is now, for it is mostly changed by a little."""
        kind = AlertKind(self.kind.currentData())
        if kind is AlertKind.CONNECTION:
            self.limit.setDecimals(0)
            self.limit.setValue(10.0)
        elif kind is AlertKind.PRICE:
            self.limit.setDecimals(price_decimals(self._desk.instruments.get(subject)))
            tick = self._desk.ticks.get(subject)
            if tick is not None:
                self.limit.setValue(price_of(tick))
        else:
            self.limit.setDecimals(2 if kind is AlertKind.PROFIT else 8)

    def _lay_out(self) -> None:
        form = QFormLayout(self)
        for name in ("kind", "subject", "limit", "note"):
            form.addRow(tr(f"alerts.form_{name}"), getattr(self, name))
        form.addRow(self.fault)
        box = QDialogButtonBox(self)
        box.addButton(tr("alerts.keep"), QDialogButtonBox.ButtonRole.AcceptRole)
        box.addButton(tr("dialog.back"), QDialogButtonBox.ButtonRole.RejectRole)
        box.accepted.connect(self.accept)
        box.rejected.connect(self.reject)
        form.addRow(box)
