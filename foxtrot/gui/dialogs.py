"""Dialogs that ask before something happens that cannot be taken back; what is asked of the person is injectable, so that tests answer."""

from collections.abc import Callable
from enum import StrEnum
from time import monotonic
from typing import Final, Protocol

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QLabel,
    QMessageBox,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from foxtrot.gui.outer_text import MOST_OF_HINT, cut_text
from foxtrot.gui.texts import tr

SHOWN_EVERY_S: Final = 10.0
MOST_FAILURES: Final = 100
CALM_MS: Final = 400
"""For so long a question that has come up takes no yes."""
MOST_LETTERS: Final = 300


def ask_yes(parent: QWidget | None, title: str, text: str, yes: str = "") -> bool:
    """Ask the person; Enter and Escape say no.

    Blocks: the desktop's thread, while Qt goes on.
    """
    box = QMessageBox(parent)
    box.setObjectName("ask_yes")
    box.setWindowTitle(title)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(cut_text(text, MOST_OF_HINT))
    agreed = box.addButton(yes or tr("dialog.yes"), QMessageBox.ButtonRole.AcceptRole)
    refused = box.addButton(tr("dialog.no"), QMessageBox.ButtonRole.RejectRole)
    agreed.setObjectName("ask_agree")
    refused.setObjectName("ask_refuse")
    agreed.setAutoDefault(False)
    agreed.setEnabled(False)  # the second click of two, meant for what was below, is no answer
    QTimer.singleShot(CALM_MS, agreed, lambda: agreed.setEnabled(True))
    box.setDefaultButton(refused)
    box.setEscapeButton(refused)
    box.exec()
    return box.clickedButton() is agreed


class CloseChoice(StrEnum):
    """What becomes of a platform whose window is closed."""

    HEADLESS = "headless"
    STOP = "stop"
    CANCEL = "cancel"


class AskClose(Protocol):
    """Asks what becomes of it."""

    def __call__(self, strategies: int, orders: int) -> CloseChoice:
        """Return the choice; cancel unless the person says otherwise."""
        ...


class CloseDialog(QDialog):
    """Asks what becomes of strategies and orders that are alive when the window is closed; leaving it says cancel.

    Thread: the desktop's.
    """

    def __init__(self, strategies: int, orders: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("close_dialog")
        self.setWindowTitle(tr("dialog.close_title"))
        self.setWindowModality(Qt.WindowModality.WindowModal)
        column = QVBoxLayout(self)
        column.addWidget(QLabel(tr("dialog.close_text", strategies=strategies, orders=orders), self))
        self.buttons: dict[CloseChoice, QRadioButton] = {}
        for choice in (CloseChoice.HEADLESS, CloseChoice.STOP, CloseChoice.CANCEL):
            button = self.buttons[choice] = QRadioButton(tr(f"dialog.close_{choice}"), self)
            button.setObjectName(f"close_{choice}")
            column.addWidget(button)
        self.buttons[CloseChoice.CANCEL].setChecked(True)
        box = QDialogButtonBox(self)
        box.addButton(tr("dialog.go_on"), QDialogButtonBox.ButtonRole.AcceptRole).setObjectName("close_go_on")
        box.accepted.connect(self.accept)
        column.addWidget(box)

    @property
    def choice(self) -> CloseChoice:
        """Return what is chosen."""
        return next(choice for choice, button in self.buttons.items() if button.isChecked())

    def ask(self) -> CloseChoice:
        """Ask, and return the choice.

        Blocks: the desktop's thread, while Qt goes on.
        """
        return self.choice if self.exec() == QDialog.DialogCode.Accepted else CloseChoice.CANCEL


class CrashNotice(QDialog):
    """Says that something of ours failed; it does not hold up the window, and comes once for many of the same.

    Thread: the desktop's.
    """

    def __init__(self, parent: QWidget | None = None, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(parent)
        self.setObjectName("crash_notice")
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_ShowWithoutActivating)
        self.setWindowTitle(tr("dialog.crash_title"))
        self.counts: dict[str, int] = {}
        self._clock = clock
        self._shown_s = float("-inf")
        self._text = QLabel(self)
        self._text.setWordWrap(True)
        self._text.setTextFormat(Qt.TextFormat.PlainText)
        self._text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        column = QVBoxLayout(self)
        column.addWidget(self._text)
        hide = QPushButton(tr("dialog.hide"), self)
        hide.setAutoDefault(False)
        hide.clicked.connect(self.hide)
        column.addWidget(hide)
        self.setMinimumWidth(420)

    def tell(self, text: str) -> None:
        """Tell of a failure; one that was told before only counts, and the notice comes up again at most every SHOWN_EVERY_S."""
        text = text[:MOST_LETTERS]
        seen = self.counts.pop(text, 0)
        self.counts[text] = seen + 1
        while len(self.counts) > MOST_FAILURES:
            del self.counts[next(iter(self.counts))]
        if not seen and self._clock() - self._shown_s >= SHOWN_EVERY_S:
            self._shown_s = self._clock()
            self.show()
            self.raise_()
        if self.isVisible() or not seen:
            lines = [f"{line}  ×{times}" if times > 1 else line for line, times in list(self.counts.items())[-8:]]
            self._text.setText(f"{tr('dialog.crash_text')}\n\n" + "\n".join(lines))
