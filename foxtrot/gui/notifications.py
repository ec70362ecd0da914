"""What a person is told wherever they look: a notification of the desktop where that has any, and a note in a corner of the window."""

from typing import Final

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QIcon, QPixmap
from PySide6.QtWidgets import QFrame, QLabel, QSystemTrayIcon, QVBoxLayout, QWidget

from foxtrot.gui.outer_text import cut_text
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

SHOWN_MS: Final = 8_000
MOST_TOASTS: Final = 4
_SIGNS: Final = {"INFO": "●", "WARNING": "▲", "ERROR": "■"}


class Toasts(QFrame):
    """Notes in the lower left corner of a window, the newest below; a click takes one away, and time does.

    It takes no focus, and covers no button of the bars, nor those of ladder and ticket, which stand at the right.

    Thread: the desktop's.
    """

    def __init__(self, window: QWidget, theme: Theme) -> None:
        super().__init__(window)
        self.setObjectName("toasts")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.labels: list[QLabel] = []
        self._theme = theme
        self._window = window
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.pixels(4))
        window.installEventFilter(self)
        self.hide()

    def show_text(self, level: str, text: str) -> None:
        """Show a note."""
        colours, px = self._theme.colours, self._theme.pixels
        edge = {"WARNING": colours.warning, "ERROR": colours.danger}.get(level, colours.accent)
        label = QLabel(cut_text(f"{_SIGNS.get(level, '●')} {text}"), self)
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setWordWrap(True)
        label.setFixedWidth(px(340))
        label.setStyleSheet(
            f"background:{colours.raised};color:{colours.text};border:1px solid {colours.line};border-left:{px(4)}px solid {edge};"
            f"border-radius:{px(3)}px;padding:{px(8)}px"
        )
        label.installEventFilter(self)
        self.labels.append(label)
        self._column.addWidget(label)
        label.show()
        while len(self.labels) > MOST_TOASTS:
            self._drop(self.labels[0])
        QTimer.singleShot(SHOWN_MS, label, lambda: self._drop(label))
        self._place()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Stay in the corner, and go at a click."""
        if watched is self._window and event.type() == QEvent.Type.Resize:
            self._place()
        elif event.type() == QEvent.Type.MouseButtonPress and watched in self.labels:
            self._drop(watched)
            return True
        return super().eventFilter(watched, event)

    def _drop(self, label: QLabel) -> None:
        if label in self.labels:
            self.labels.remove(label)
            self._column.removeWidget(label)
            label.hide()
            label.deleteLater()
            self._place()

    def _place(self) -> None:
        self.setVisible(bool(self.labels))
        self._column.activate()
        self.resize(self.sizeHint())
        px = self._theme.pixels
        self.move(px(12), self._window.height() - self.height() - px(32))
        self.raise_()


class Notifier(QObject):
    """The notifications of the system's own desktop; nothing where that shows none.

    Thread: the desktop's.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tray: QSystemTrayIcon | None = None

    def tell(self, text: str) -> bool:
        """Tell of something; False where there is no place for it."""
        if not QSystemTrayIcon.isSystemTrayAvailable() or not QSystemTrayIcon.supportsMessages():
            return False
        if self._tray is None:
            self._tray = QSystemTrayIcon(_icon(), self)
            self._tray.show()
        self._tray.showMessage(tr("window.title"), text, QSystemTrayIcon.MessageIcon.Information, SHOWN_MS)
        return True

    def stop(self) -> None:
        """Take the icon away."""
        if self._tray is not None:
            self._tray.hide()


def _icon() -> QIcon:
    pixmap = QPixmap(32, 32)
    pixmap.fill(Qt.GlobalColor.darkBlue)
    return QIcon(pixmap)
