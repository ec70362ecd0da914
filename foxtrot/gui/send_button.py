"""A button that trades: it takes no focus, no key presses it, and a double click is one click."""

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QEnterEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QPushButton, QWidget


class SendButton(QPushButton):
    """A trading button; `pointed_at` tells that the mouse came over it.

    Thread: the desktop's.
    """

    pointed_at = Signal()

    def __init__(self, name: str, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, parent)
        self.setObjectName(name)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAutoDefault(False)
        self.setDefault(False)

    def allow(self, why_not: str, hint: str = "") -> None:
        """Let it be pressed, or say why it cannot."""
        self.setEnabled(not why_not)
        self.setToolTip(why_not or hint)

    def colour(self, colour: str) -> None:
        """Take a colour; where it cannot be pressed it stays grey."""
        self.setStyleSheet(
            f"QPushButton:enabled{{background:{colour};color:#ffffff;font-weight:600;border:0}}"
            f"QPushButton:pressed{{border:2px solid #ffffff}}"
        )

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Take the second click of two for no press."""
        event.accept()

    def enterEvent(self, event: QEnterEvent) -> None:  # noqa: N802
        """Tell that the mouse is here."""
        super().enterEvent(event)
        self.pointed_at.emit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Hear no key, whoever gave it the focus."""
        event.ignore()

    def keyReleaseEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Hear no key."""
        event.ignore()
