"""What is alive when a window is to be closed, and what becomes of it."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from foxtrot.core.notices import StrategyStatus
from foxtrot.gui.desk import Desk
from foxtrot.gui.dialogs import AskClose, CloseChoice, CloseDialog

_ALIVE: Final = ("initialising", "ready", "running")


class CloseGuard(QObject):
    """Counts the strategies that run, and asks before their window is closed.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        window: over which it is asked.
    """

    def __init__(self, desk: Desk, window: Callable[[], QWidget | None], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.ask: AskClose = self._ask
        self.asking = False
        self._desk = desk
        self._window = window
        self._stages: dict[str, str] = {}
        desk.bridge.on(StrategyStatus, self._hear)

    @property
    def strategies(self) -> int:
        """Return how many strategies run or are about to."""
        return sum(stage in _ALIVE for stage in self._stages.values())

    @property
    def orders(self) -> int:
        """Return how many orders were open when that was asked last."""
        return 0 if self._desk.overview is None else self._desk.overview.open_orders

    def choice(self) -> CloseChoice:
        """Return what the person wants; where nothing is alive nobody is asked. A second close while it is asked says cancel.

        Blocks: the desktop's thread, while Qt goes on.
        """
        if self.asking:
            return CloseChoice.CANCEL
        if not self.strategies and not self.orders:
            return CloseChoice.STOP
        self.asking = True
        try:
            return self.ask(self.strategies, self.orders)
        finally:
            self.asking = False

    def _ask(self, strategies: int, orders: int) -> CloseChoice:
        dialog = CloseDialog(strategies, orders, self._window())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose, on=False)
        try:
            return dialog.ask()
        finally:
            dialog.deleteLater()

    def _hear(self, status: StrategyStatus) -> None:
        self._stages[status.strategy_id] = status.state
