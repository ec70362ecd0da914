"""Asks why: a decision of a person is written into the journal with its reason. No button of it is pressed by Enter."""

from collections.abc import Callable, Sequence

import msgspec
from PySide6.QtWidgets import QComboBox, QDialog, QLineEdit, QWidget

from foxtrot.gui.order_dialogs import OrderDialog
from foxtrot.gui.texts import tr


class Decision(msgspec.Struct, frozen=True):
    """What a person says: why, and whose something is from now on, "" where that was not asked."""

    why: str
    owner: str = ""


class WhyDialog(OrderDialog):
    """Asks why something is done, and, where owners are given, whose it is from now on.

    Thread: the desktop's.

    Args:
        title: what is done.
        text: what it means.
        owners: names to choose from, each with its text; the first is chosen.
    """

    def __init__(self, parent: QWidget | None, title: str, text: str, owners: Sequence[tuple[str, str]] = ()) -> None:
        super().__init__(parent, title, text, title.rstrip("?？"))
        self.setObjectName("why_dialog")
        self.owner = QComboBox(self)
        for name, shown in owners:
            self.owner.addItem(shown, name)
        self.owner.setVisible(bool(owners))
        if owners:
            self.form.addRow(tr("risk.owner"), self.owner)
        self.why = QLineEdit(self)
        self.why.setObjectName("why_text")
        self.why.setMaxLength(400)
        self.form.addRow(tr("orders.resolve_why"), self.why)
        self.why.textChanged.connect(self._look)
        self._look()

    @property
    def decision(self) -> Decision:
        """Return what the person says."""
        return Decision(self.why.text().strip(), str(self.owner.currentData() or ""))

    def _look(self) -> None:
        self.say("" if self.why.text().strip() else tr("risk.no_why"))


AskWhy = Callable[[QWidget, str, str, Sequence[tuple[str, str]]], Decision | None]


def ask_why(parent: QWidget, title: str, text: str, owners: Sequence[tuple[str, str]] = ()) -> Decision | None:
    """Ask why; None when the person leaves.

    Blocks: the desktop's thread, while Qt goes on.
    """
    dialog = WhyDialog(parent, title, text, owners)
    return dialog.decision if dialog.exec() == QDialog.DialogCode.Accepted else None
