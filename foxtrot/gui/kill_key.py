"""The key of KILL while a dialog waits for an answer: Qt keeps the keys of the window from it then, and nothing may."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt
from PySide6.QtGui import QGuiApplication, QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QWidget


class KillKey(QObject):
    """Gives every dialog that holds up the window a key for KILL of its own, as soon as it has the keyboard.

    Thread: the desktop's.

    Args:
        key: tells the key as it is now.
        kill: throws the switch.
        parent: the window; the keys end with it.
    """

    def __init__(self, key: Callable[[], str], kill: Callable[[], object], parent: QWidget) -> None:
        super().__init__(parent)
        self._key = key
        self._kill = kill
        application = QGuiApplication.instance()
        assert isinstance(application, QGuiApplication)  # noqa: S101  (a window has one)
        application.focusWindowChanged.connect(self._look)

    def _look(self, *_: object) -> None:
        dialog = QApplication.activeModalWidget()
        if dialog is None or dialog.findChild(QShortcut, type(self).__name__) is not None:
            return
        shortcut = QShortcut(QKeySequence(self._key()), dialog)
        shortcut.setObjectName(type(self).__name__)
        shortcut.setContext(Qt.ShortcutContext.WindowShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(self._kill)
