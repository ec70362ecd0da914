"""A scroll area that is as wide as what stands in it, and scrolls upright alone."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtWidgets import QScrollArea, QWidget


class UprightArea(QScrollArea):
    """Scrolls a form where it is too low for it; nothing of it is cut at its sides.

    Thread: the desktop's.
    """

    def __init__(self, inside: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWidgetResizable(True)
        self.setFrameShape(QScrollArea.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setWidget(inside)
        inside.installEventFilter(self)

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return the width of what stands in it, with the scroll bar beside it."""
        least = super().minimumSizeHint()
        inside = self.widget()
        wide = (
            inside.minimumSizeHint().width() + self.verticalScrollBar().sizeHint().width() if inside is not None else 0
        )
        return QSize(max(least.width(), wide), least.height())

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return the size of what stands in it."""
        return super().sizeHint().expandedTo(self.minimumSizeHint())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802
        """Ask for another width when what stands in it has changed."""
        if event.type() is QEvent.Type.LayoutRequest:
            self.updateGeometry()
        return super().eventFilter(watched, event)
