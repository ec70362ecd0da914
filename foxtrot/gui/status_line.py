"""The line below everything: how engine and window keep up, and what is late."""

import resource
import sys
from pathlib import Path
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from foxtrot import __version__
from foxtrot.app.desktop_requests import OverviewFound
from foxtrot.core.statistics import EngineStatistics
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.numbers import age_text
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

LATE_S: Final = 1.5
"""An engine that has not answered for so long is named as late."""

BEHIND: Final = 2_000
"""An engine that has more events than this before it is named as behind."""
_PAGES: Final = Path("/proc/self/statm")
_MB: Final = 1024 * 1024


class StatusLine(QStatusBar):
    """Shows figures twice a second; a click asks for the diagnostics.

    Thread: the desktop's.
    """

    clicked = Signal()

    def __init__(self, bridge: Bridge, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bridge = bridge
        self._theme = theme
        self._last: tuple[int, int] = (0, 0)
        self._flushes = 0
        self.setObjectName("status_line")
        self.setSizeGripEnabled(False)
        self.engine = QLabel(self)
        self.engine.setTextFormat(Qt.TextFormat.PlainText)  # a place in code has angle brackets
        self.window_figures = QLabel(self)
        self.version = QLabel(f"Foxtrot {__version__}", self)
        side = theme.pixels(6)
        self.engine.setContentsMargins(side, 0, 0, 0)
        self.version.setContentsMargins(side, 0, side, 0)
        self.addWidget(self.engine, 1)
        self.addPermanentWidget(self.window_figures)
        self.addPermanentWidget(self.version)

    def show_engine(self, found: OverviewFound) -> None:
        """Show how the engine keeps up."""
        handled, at_ns = found.statistics.handled, found.time_ns
        before, before_ns = self._last
        self._last = handled, at_ns
        seconds = (at_ns - before_ns) / 1e9
        rate = (handled - before) / seconds if before_ns and seconds > 0 else 0.0
        told = found.statistics
        lag = age_text(told.lag_p99_us / 1e6)
        if told.depth > BEHIND:
            self._show_behind(told, lag)
            return
        self.engine.setStyleSheet("")
        self.engine.setText(f"{tr('status.events', count=f'{rate:,.0f}')}   {tr('status.engine_fine', lag=lag)}")

    def _show_behind(self, told: EngineStatistics, lag: str) -> None:
        """Say that events wait, and which handler took longest."""
        text = tr("status.engine_behind", count=f"{told.depth:,}", lag=lag)
        if told.slowest_handler:
            text += "   " + tr("status.slowest", what=told.slowest_handler, ms=f"{told.slowest_ms:.0f}")
        self.engine.setStyleSheet(f"color:{self._theme.colours.warning};font-weight:600")
        self.engine.setText(text)

    def show_late(self, seconds: float, what: str) -> None:
        """Say that the engine does not answer."""
        self.engine.setStyleSheet(f"color:{self._theme.colours.danger};font-weight:600")
        self.engine.setText(tr("status.engine_late", seconds=f"{seconds:.1f}", what=what))

    def show_window(self, seconds: float) -> None:
        """Show how the window keeps up; `seconds` since the last time."""
        figures = self._bridge.statistics()
        rate = (figures.flushes - self._flushes) / seconds if seconds > 0 else 0.0
        self._flushes = figures.flushes
        backlog = tr("status.backlog", count=f"{figures.backlog:,}") if figures.backlog else tr("status.no_backlog")
        parts = [tr("status.flush", rate=f"{rate:.0f}"), backlog]
        if figures.stalls:
            parts.append(tr("status.stalls", count=figures.stalls))
        parts.append(tr("status.memory", mb=f"{_memory_mb():.0f}"))
        self.window_figures.setText("   ".join(parts))

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Ask for the diagnostics."""
        super().mousePressEvent(event)
        self.clicked.emit()


def _memory_mb() -> float:
    """Return the memory that this process has, in MB; where the system does not tell it, the most that it has had."""
    try:
        return int(_PAGES.read_text("ascii").split()[1]) * resource.getpagesize() / _MB
    except (OSError, ValueError, IndexError):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (_MB if sys.platform == "darwin" else 1024)
