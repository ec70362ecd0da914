"""Two widgets beside each other, or below each other where there is too little room."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QWidget


class TurningSplit(QSplitter):
    """A splitter that turns by its width.

    Thread: the desktop's.

    Args:
        turns_at: from so many pixels on its widgets stand beside each other.
    """

    def __init__(self, turns_at: int, parent: QWidget | None = None) -> None:
        super().__init__(Qt.Orientation.Horizontal, parent)
        self._turns_at = turns_at
        self.setChildrenCollapsible(False)

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Turn when the room has changed."""
        wide = event.size().width() >= self._turns_at
        self.setOrientation(Qt.Orientation.Horizontal if wide else Qt.Orientation.Vertical)
        super().resizeEvent(event)
