"""Keys of the main window: what each action has, and what the user has given it instead."""

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QWidget

CAME_WITH: Final[Mapping[str, str]] = {
    "kill": "Ctrl+Shift+K", "search": "Ctrl+K", "workspace_1": "Ctrl+1", "workspace_2": "Ctrl+2", "workspace_3": "Ctrl+3",
    "workspace_4": "Ctrl+4", "cancel_all": "Ctrl+Shift+X", "ticket": "Ctrl+T", "buy": "Ctrl+B", "sell": "Ctrl+Shift+B",
    "fullscreen": "F11",
}  # fmt: skip
"""Every action that has a key, and the key it came with."""


class Shortcuts:
    """The keys of one window.

    Thread: the desktop's.

    Args:
        window: where they are heard.
        chosen: what the user has chosen, by action; what is no key sequence counts as none.
    """

    def __init__(self, window: QWidget, chosen: Mapping[str, str]) -> None:
        self._window = window
        self._chosen = {action: key for action, key in chosen.items() if action in CAME_WITH}
        self._bound: dict[str, QShortcut] = {}

    def key_of(self, action: str) -> str:
        """Return the key of an action as text, "" where it has none."""
        return self._chosen.get(action, CAME_WITH.get(action, ""))

    @property
    def bound(self) -> frozenset[str]:
        """Return the actions whose keys do something."""
        return frozenset(self._bound)

    def bind(self, action: str, do: Callable[[], object]) -> None:
        """Let an action's key do something, anywhere in the window and its floating docks."""
        shortcut = QShortcut(QKeySequence(self.key_of(action)), self._window)
        shortcut.setContext(Qt.ShortcutContext.ApplicationShortcut)
        shortcut.setAutoRepeat(False)
        shortcut.activated.connect(do)
        self._bound[action] = shortcut

    def change(self, action: str, key: str) -> str:
        """Give an action another key; returns the action that has it already, "" when it was given.

        A key is no key of two actions.
        """
        wanted = QKeySequence(key).toString()
        for other in CAME_WITH:
            if other != action and wanted and QKeySequence(self.key_of(other)).toString() == wanted:
                return other
        self._chosen[action] = wanted
        if action in self._bound:
            self._bound[action].setKey(QKeySequence(wanted))
        return ""

    def changed(self) -> dict[str, str]:
        """Return the keys that differ from those that came."""
        return {action: key for action, key in self._chosen.items() if key != CAME_WITH[action]}
