"""The keys of every action in a list, to be changed; a key of two actions is refused by name."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QKeySequenceEdit,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from foxtrot.gui.settings import DesktopSettings
from foxtrot.gui.shortcuts import CAME_WITH, Shortcuts
from foxtrot.gui.texts import tr


class ShortcutEditor(QDialog):
    """Changes keys at once, and notes them in the settings.

    Thread: the desktop's.

    Args:
        shortcuts: the keys of the window.
        settings: where they are kept.
    """

    def __init__(self, shortcuts: Shortcuts, settings: DesktopSettings, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("shortcut_editor")
        self.setWindowTitle(tr("shortcut.title"))
        self._shortcuts = shortcuts
        self._settings = settings
        self._theme = settings.theme
        self.edits: dict[str, QKeySequenceEdit] = {}
        self.fault = QLabel(self)
        self.fault.setWordWrap(True)
        self.fault.setStyleSheet(f"color:{self._theme.colours.danger}")
        column = QVBoxLayout(self)
        column.addWidget(self._list(), 1)
        column.addWidget(self.fault)
        box = QDialogButtonBox(self)
        box.addButton(tr("dialog.hide"), QDialogButtonBox.ButtonRole.RejectRole)
        box.rejected.connect(self.reject)
        column.addWidget(box)
        self.resize(self._theme.pixels(460), self._theme.pixels(460))

    def change(self, action: str, key: str) -> bool:
        """Give an action a key, "" for none; False where another has it, which is said."""
        other = self._shortcuts.change(action, key)
        if other:
            self.fault.setText(tr("shortcut.taken", sequence=key, action=tr(f"shortcut.{other}")))
            self.edits[action].setKeySequence(QKeySequence(self._shortcuts.key_of(action)))
            return False
        self.fault.setText("")
        self.edits[action].setKeySequence(QKeySequence(self._shortcuts.key_of(action)))
        self._settings.shortcuts = self._shortcuts.changed()
        return True

    def _list(self) -> QScrollArea:
        inside = QWidget(self)
        form = QFormLayout(inside)
        for action in CAME_WITH:
            form.addRow(tr(f"shortcut.{action}"), self._row(action))
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        return area

    def _row(self, action: str) -> QWidget:
        row = QWidget(self)
        line = QHBoxLayout(row)
        line.setContentsMargins(0, 0, 0, 0)
        edit = self.edits[action] = QKeySequenceEdit(QKeySequence(self._shortcuts.key_of(action)), row)
        edit.setObjectName(f"key_{action}")
        edit.setMaximumSequenceLength(1)
        edit.editingFinished.connect(lambda: self.change(action, edit.keySequence().toString()))
        reset = QPushButton(tr("shortcut.reset"), row)
        reset.setAutoDefault(False)
        reset.setToolTip(tr("shortcut.came", sequence=CAME_WITH[action]))
        reset.clicked.connect(lambda _on=False: self.change(action, CAME_WITH[action]))
        line.addWidget(edit, 1)
        line.addWidget(reset)
        return row
