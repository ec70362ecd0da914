"""A search over two parameters as a map: the better a combination, the brighter its field, with its figure written in it."""

from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from foxtrot.gui.backtest_tables import Combination, figure_text
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

Value = str | int | float | bool
LEAST_FIELD: Final = 18


class HeatFields(QWidget):
    """Paints the fields.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.across: list[Value] = []
        self.down: list[Value] = []
        self.values: dict[tuple[Value, Value], float] = {}
        self.name = ""
        self.setMinimumSize(theme.pixels(200), theme.pixels(120))

    def show_values(self, name: str, values: dict[tuple[Value, Value], float]) -> None:
        """Show a figure by the values of the parameter across and of that down."""
        self.name, self.values = name, values
        self.across = sorted({key[0] for key in values}, key=_order)
        self.down = sorted({key[1] for key in values}, key=_order)
        self.update()

    def colour(self, value: float) -> QColor:
        """Return the colour of a value: good ones like profit, bad ones like loss, the stronger the further from nothing."""
        known = self.values.values()
        most = max((abs(one) for one in known), default=0.0) or 1.0
        base = QColor(self._theme.colours.up if value >= 0 else self._theme.colours.down)
        base.setAlpha(30 + round(190 * abs(value) / most))
        return base

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint all fields, and the values of both parameters beside them."""
        if not self.values:
            return
        painter = QPainter(self)
        metrics = QFontMetricsF(painter.font())
        gap = self._theme.pixels(6)
        left = max(metrics.horizontalAdvance(_text(value)) for value in self.down) + 2 * gap
        foot = metrics.height() + gap
        width = (self.width() - left - gap) / len(self.across)
        height = (self.height() - foot - gap) / len(self.down)
        dim, plain = QColor(self._theme.colours.dim), QColor(self._theme.colours.text)
        middle = Qt.AlignmentFlag.AlignCenter
        for line, low in enumerate(self.down):
            top = gap + line * height
            painter.setPen(dim)
            side = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            if height >= metrics.height() * 0.8:
                painter.drawText(QRectF(0.0, top, left - gap, height), side, _text(low))
            for column, high in enumerate(self.across):
                value = self.values.get((high, low))
                if value is None:
                    continue
                field = QRectF(left + column * width, top, width - 1.0, height - 1.0)
                painter.fillRect(field, self.colour(value))
                text = figure_text(self.name, value)
                if metrics.horizontalAdvance(text) < width - 4 and height > metrics.height():
                    painter.setPen(plain)
                    painter.drawText(field, middle, text)
        painter.setPen(dim)
        for column, high in enumerate(self.across):
            if metrics.horizontalAdvance(_text(high)) < width:
                painter.drawText(QRectF(left + column * width, self.height() - foot, width, foot), middle, _text(high))
        painter.end()


class HeatMap(QWidget):
    """Lets two parameters be chosen, and shows the best figure of each of their combinations.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: Sequence[Combination] = ()
        self._by = "sharpe"
        self.across, self.down = QComboBox(self), QComboBox(self)
        self.fields = HeatFields(theme, self)
        self.text = QLabel(self)
        self.text.setWordWrap(True)
        row = QHBoxLayout()
        row.addWidget(QLabel(tr("backtest.across"), self))
        row.addWidget(self.across)
        row.addWidget(QLabel(tr("backtest.down"), self))
        row.addWidget(self.down)
        row.addWidget(self.text, 1)
        column = QVBoxLayout(self)
        column.addLayout(row)
        column.addWidget(self.fields, 1)
        for box in (self.across, self.down):
            box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
            box.activated.connect(self._draw)

    def show_runs(self, runs: Sequence[Combination], by: str) -> None:
        """Show a search by the figure that it was sorted by."""
        self._runs, self._by = runs, by
        varied = [name for name in (runs[0].parameters if runs else {}) if len({_value(r, name) for r in runs}) > 1]
        for box, place in ((self.across, 0), (self.down, 1)):
            box.clear()
            box.addItems(varied)
            box.setCurrentIndex(min(place, len(varied) - 1))
        self._draw()

    def _draw(self, *_: object) -> None:
        across, down = self.across.currentText(), self.down.currentText()
        values: dict[tuple[Value, Value], float] = {}
        for run in self._runs if across and across != down else ():
            value = run.figures.get(self._by)
            if isinstance(value, int | float) and not run.failures:
                key = (_value(run, across), _value(run, down))
                values[key] = max(values.get(key, float("-inf")), float(value))
        self.fields.show_values(self._by, values)
        best = tr("backtest.heat_best", figure=tr(f"figure.{self._by}"))
        self.text.setText(best if values else tr("backtest.heat_none"))


def _value(run: Combination, name: str) -> Value:
    value: Value = run.parameters[name]
    return value


def _order(value: Value) -> tuple[bool, float, str]:
    return (True, 0.0, value) if isinstance(value, str) else (False, float(value), "")


def _text(value: Value) -> str:
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
