"""The head of a chart: instrument, time frames, indicators, the newest bar, and the figures of the bar that is pointed at."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QInputDialog,
    QLabel,
    QMenu,
    QSizePolicy,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from foxtrot.gui.chart.frames import FRAMES
from foxtrot.gui.chart.indicators import ALL, MOST_PERIOD, Chosen, chosen
from foxtrot.gui.elided_label import ElidedLabel
from foxtrot.gui.outer_text import cut_text, hint_text
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

AskPeriod = Callable[[QWidget, str, int], int | None]


class ChartHead(QWidget):
    """Two rows: what can be chosen, and the figures.

    Thread: the desktop's.
    """

    frame_chosen = Signal(str)
    indicators_chosen = Signal(object)
    newest_asked = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ask_period: AskPeriod = ask_period
        self.indicators: tuple[Chosen, ...] = ()
        self._theme = theme
        px = theme.pixels
        column = QVBoxLayout(self)
        column.setContentsMargins(px(6), px(3), px(6), px(2))
        column.setSpacing(px(2))
        row = QHBoxLayout()
        row.setSpacing(px(1))
        column.addLayout(row)
        self.name = self._name_label(row)
        self.frames = self._frame_buttons(row)
        self.menu = QMenu(self)
        self.menu.aboutToShow.connect(self.fill_menu)
        self.menu_button = self._button(row, "chart_indicators", tr("chart.indicators"), tr("chart.indicators_hint"))
        self.menu_button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.menu_button.setMenu(self.menu)
        self.newest = self._button(row, "chart_newest", "⇥", tr("chart.newest_hint"))
        self.newest.clicked.connect(self.newest_asked)
        row.addStretch(1)
        self.state = StateLabel(self)
        self.state.setObjectName("chart_state")
        self.state.setTextFormat(Qt.TextFormat.PlainText)
        self.figures = FittingLabel(self)
        self.figures.setObjectName("chart_figures")
        self._may_shrink(self.figures)
        lower = QHBoxLayout()
        lower.addWidget(self.figures, 1)
        lower.addWidget(self.state)
        column.addLayout(lower)

    def show_frame(self, frame: str) -> None:
        """Show which frame is chosen."""
        for button in self.frames.buttons():
            button.setChecked(button.text() == frame)

    def say(self, text: str, *, is_bad: bool = False) -> None:
        """Say what is going on, or what went wrong."""
        colour = self._theme.colours.warning if is_bad else self._theme.colours.dim
        self.state.setStyleSheet(f"color:{colour}")
        self.state.setText(cut_text(f"⚠ {text}" if is_bad else text))
        self.state.setToolTip(hint_text(text))

    def choose(self, indicators: tuple[Chosen, ...]) -> None:
        """Take a choice of indicators, and tell of it."""
        if indicators != self.indicators:
            self.indicators = indicators
            self.indicators_chosen.emit(indicators)

    def fill_menu(self) -> None:
        """Fill the menu as the choice is now."""
        self.menu.clear()
        shown = {one.key: one for one in self.indicators}
        for key, indicator in ALL.items():
            period = shown[key].period if key in shown else indicator.period
            action = self.menu.addAction(f"{tr(f'chart.{key}_long')}{f'  ({period})' if period else ''}")
            action.setCheckable(True)
            action.setChecked(key in shown)
            action.triggered.connect(partial(self._toggle, key))
        periods = [one for one in self.indicators if one.period]
        if periods:
            self.menu.addSeparator()
        for one in periods:
            text = tr("chart.period", name=tr(f"chart.{one.key}"))
            self.menu.addAction(text, partial(self._change_period, one))

    def _toggle(self, key: str, _on: bool = True) -> None:
        kept = tuple(one for one in self.indicators if one.key != key)
        added = chosen(key) if len(kept) == len(self.indicators) else None
        self.choose((*kept, added) if added is not None else kept)

    def _change_period(self, one: Chosen) -> None:
        period = self.ask_period(self, tr("chart.period", name=tr(f"chart.{one.key}")), one.period)
        other = chosen(one.key, period) if period is not None else None
        if other is not None:
            self.choose(tuple(other if this == one else this for this in self.indicators))

    def _name_label(self, row: QHBoxLayout) -> QLabel:
        name = QLabel(self)
        name.setObjectName("chart_name")
        name.setTextFormat(Qt.TextFormat.PlainText)
        font = self._theme.font()
        font.setBold(True)
        name.setFont(font)
        row.addWidget(name)
        row.addSpacing(self._theme.pixels(8))
        return name

    def _frame_buttons(self, row: QHBoxLayout) -> QButtonGroup:
        group = QButtonGroup(self)
        for frame in FRAMES:
            button = self._button(row, f"frame_{frame}", frame, tr("chart.frame_hint", frame=frame))
            button.setCheckable(True)
            button.clicked.connect(partial(self._choose_frame, frame))
            group.addButton(button)
        return group

    def _choose_frame(self, frame: str, _on: bool = True) -> None:
        self.frame_chosen.emit(frame)

    def _button(self, row: QHBoxLayout, name: str, text: str, hint: str) -> QToolButton:
        button = QToolButton(self)
        button.setObjectName(name)
        button.setAutoRaise(True)
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setText(text)
        button.setToolTip(hint)
        row.addWidget(button)
        return button

    def _may_shrink(self, label: QLabel) -> None:
        label.setTextFormat(Qt.TextFormat.PlainText)
        label.setMinimumWidth(1)
        label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)


class StateLabel(ElidedLabel):
    """Takes the room that its words need from the figures beside it.

    Thread: the desktop's.
    """

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for all of it, and for none where nothing is said."""
        wide = self.fontMetrics().horizontalAdvance(self.text()) + 2 if self.text() else 0
        return QSize(wide, super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return no width that is insisted on."""
        return QSize(0, super().minimumSizeHint().height())


class FittingLabel(QLabel):
    """Words side by side; one for which there is no room is left out whole, so that no number is cut.

    Thread: the desktop's.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words: tuple[str, ...] = ()

    def show_words(self, words: tuple[str, ...]) -> None:
        """Show as many of these as there is room for."""
        self._words = words
        kept, metrics = "", self.fontMetrics()
        for word in words:
            longer = f"{kept}  {word}" if kept else word
            if kept and metrics.horizontalAdvance(longer) > self.width():
                break
            kept = longer
        self.setText(kept)
        self.setToolTip("" if kept == "  ".join(words) else "\n".join(words))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802
        """Fit the words anew."""
        super().resizeEvent(event)
        self.show_words(self._words)


def ask_period(parent: QWidget, title: str, before: int) -> int | None:
    """Ask over how many bars; None when the person leaves.

    Blocks: the desktop's thread, while Qt goes on.
    """
    period, agreed = QInputDialog.getInt(parent, title, title, before, 2, MOST_PERIOD)
    return period if agreed else None
