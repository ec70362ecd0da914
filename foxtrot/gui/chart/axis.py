"""The axes of a chart: time by the bars that are there, prices to the instrument's tick, volumes in short; never a power of ten."""

from math import ceil, floor, isfinite, log10
from typing import Any, Final

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen, QPolygonF

from foxtrot.domain.interval import SECOND_NS
from foxtrot.gui.chart.bar_series import BarSeries, IntArray
from foxtrot.gui.numbers import MINUS
from foxtrot.gui.theme import Theme

MINUTE_NS: Final = 60 * SECOND_NS
DAY_NS: Final = 86_400 * SECOND_NS
STEPS_NS: Final = tuple(minutes * MINUTE_NS for minutes in (1, 5, 15, 30, 60, 120, 240, 720, 1_440, 2_880, 10_080))
_MONTHS: Final = (1, 3, 12)
_SHORT: Final = ((1e9, "B"), (1e6, "M"), (1e3, "K"))


class Tag:
    """A figure at its place on an axis, in front of everything: the last price, or what the cross points at."""

    def __init__(self, value: float, text: str, colour: str, *, arrow: bool = True) -> None:
        self.value = value
        self.text = text
        self.colour = QColor(colour)
        self.arrow = arrow


class TaggedAxis(pg.AxisItem):  # type: ignore[misc]  # pyqtgraph tells no types
    """An axis in the looks of the desktop, without a grid, that mouse and wheel leave alone, with tags."""

    def __init__(self, side: str, theme: Theme) -> None:
        super().__init__(side, pen=pg.mkPen(theme.colours.line), textPen=pg.mkPen(theme.colours.dim), maxTickLength=0)
        self._font = theme.font()
        self.tags: dict[str, Tag] = {}
        self.setStyle(tickFont=self._font, autoExpandTextSpace=False, autoReduceTextSpace=False)
        self.enableAutoSIPrefix(False)
        self.metrics = QFontMetricsF(self._font)

    def put_tag(self, name: str, tag: Tag | None) -> None:
        """Show a tag under a name, or none any more."""
        if tag is None:
            self.tags.pop(name, None)
        else:
            self.tags[name] = tag
        self.update()

    def mouseDragEvent(self, event: Any) -> None:  # noqa: N802
        """Leave the scale alone: prices fit themselves."""
        event.ignore()

    def wheelEvent(self, event: Any) -> None:  # noqa: N802
        """Leave the scale alone."""
        event.ignore()

    def place(self, value: float) -> float:
        """Return where a value stands along the axis, in pixels of the axis."""
        low, high = self.range
        share = (value - low) / (high - low) if high > low else 0.0
        size = self.size()
        return float(share * size.width() if self.orientation == "bottom" else (1 - share) * size.height())

    def paint(self, painter: QPainter, *args: Any) -> None:
        """Paint the axis, then the tags."""
        super().paint(painter, *args)
        low, high = self.range
        for tag in self.tags.values():
            if low <= tag.value <= high:
                self._paint_tag(painter, tag, self.place(tag.value))

    def _paint_tag(self, painter: QPainter, tag: Tag, place: float) -> None:
        painter.save()
        painter.setFont(self._font)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(tag.colour)
        high, wide = self.metrics.height() + 2, self.metrics.horizontalAdvance(tag.text) + 8
        if self.orientation == "bottom":
            left = min(max(0.0, place - wide / 2), self.size().width() - wide)
            rect = QRectF(left, 1, wide, high)
        else:
            rect = QRectF(1, place - high / 2, self.size().width() - 1, high)
            if tag.arrow:
                tip = QPolygonF([QPointF(-4, place), QPointF(1, place - high / 3), QPointF(1, place + high / 3)])
                painter.drawPolygon(tip)
        painter.drawRect(rect)
        painter.setPen(QPen(readable_on(tag.colour)))
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, tag.text)
        painter.restore()


class FigureAxis(TaggedAxis):
    """Values on the right: with so many decimals, in steps of a tick, or in short where there are no decimals."""

    def __init__(self, theme: Theme) -> None:
        super().__init__("right", theme)
        self.decimals: int | None = None
        self.tick = 0.0
        self.levels: tuple[float, ...] = ()
        """Where these are given, they are what is marked."""

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """Return round values that are far enough from each other to be read."""
        if not (isfinite(low) and isfinite(high) and high > low and size > 0):
            return []
        if self.levels:
            return [(0.0, list(self.levels))]
        room = self.metrics.height() * 2.2
        step = round_step((high - low) * room / size, self.tick)
        places = range(ceil(low / step), floor(high / step) + 1)
        edge = (high - low) * self.metrics.height() / 2 / size
        return [(step, [place * step for place in places if low + edge <= place * step <= high - edge])]

    def tickStrings(self, values: list[float], _scale: float, spacing: float) -> list[str]:  # noqa: N802
        """Return the figures."""
        return [self.text(value, spacing) for value in values]

    def text(self, value: float, spacing: float = 0.0) -> str:
        """Return one figure."""
        if self.decimals is not None:
            return f"{value:,.{self.decimals}f}".replace("-", MINUS)
        return short_text(value, spacing)


class TimeAxis(TaggedAxis):
    """The times of bars below: a label where a round time begins, so that hours without trading take no room."""

    def __init__(self, series: BarSeries, theme: Theme) -> None:
        super().__init__("bottom", theme)
        self._series = series
        self._labels: dict[float, str] = {}
        self.setHeight(round(self.metrics.height()) + 6)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:  # noqa: N802
        """Return the places of bars with which a round time begins."""
        times = self._series.bars.times
        first, end = max(0, floor(low)), min(len(times), ceil(high) + 1)
        room = self.metrics.horizontalAdvance("00-00 00:00") * 1.6
        places = time_places(times[first:end], max(1, int(size / room)))
        edge = (high - low) * room / 3.5 / max(size, 1)
        self._labels = {
            float(first + place): text
            for place, text in places.items()
            if low + edge <= first + place <= high - edge or high - low < 3
        }
        return [(1.0, list(self._labels))]

    def tickStrings(self, values: list[float], _scale: float, _spacing: float) -> list[str]:  # noqa: N802
        """Return the times."""
        return [self._labels.get(float(value), "") for value in values]


def readable_on(colour: QColor) -> QColor:
    """Return black or white, whichever is read better on a colour."""
    light = 0.299 * colour.red() + 0.587 * colour.green() + 0.114 * colour.blue()
    return QColor("#000000" if light > 140 else "#ffffff")


def round_step(least: float, tick: float = 0.0) -> float:
    """Return the smallest of 1, 2, 2.5, 5 times a power of ten that is not below `least`, and a multiple of a tick."""
    base = 10.0 ** floor(log10(least)) if least > 0 else 1.0
    step = next(base * times for times in (1, 2, 2.5, 5, 10, 20) if base * times >= least * (1 - 1e-9))
    return step if tick <= 0 else max(1, ceil(step / tick - 1e-9)) * tick


def short_text(value: float, spacing: float = 0.0) -> str:
    """Return a figure in short: 1.5K, 20M; with as many decimals as the spacing asks for, and no power of ten."""
    if not isfinite(value):
        return ""
    for size, letter in _SHORT:
        if max(abs(value), spacing) >= size:
            return f"{value / size:.2f}".rstrip("0").rstrip(".").replace("-", MINUS) + (letter if value else "")
    decimals = min(8, max(0, -floor(log10(spacing)) + 1)) if spacing > 0 else 2
    text = f"{value:.{decimals}f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text).replace("-", MINUS)


def time_places(times: IntArray, most: int) -> dict[int, str]:
    """Return where round times begin, at most so many, and what is written there; the shortest step that fits."""
    if len(times) < 2:
        return {0: _label(int(times[0]), by_day=False)} if len(times) else {}
    for step_ns in STEPS_NS:
        found = _changes(times // step_ns)
        if len(found) <= most:
            new_day = times[found] // DAY_NS != times[found - 1] // DAY_NS
            rows = zip(found.tolist(), times[found].tolist(), new_day.tolist(), strict=True)
            return {place: _label(ns, by_day=is_new) for place, ns, is_new in rows}
    months = times.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)
    fitting = (found for count in _MONTHS if len(found := _changes(months // count)) <= most)
    found = next(fitting, _changes(months // _MONTHS[-1]))
    return {int(one): _month(int(times[one])) for one in found[:: max(1, len(found) // max(1, most))]}


def _changes(values: IntArray) -> IntArray:
    return np.flatnonzero(values[1:] != values[:-1]) + 1


def _label(ns: int, *, by_day: bool) -> str:
    day, clock = str(np.datetime64(ns, "ns")).split("T")
    return day[5:] if by_day else clock[:5]


def _month(ns: int) -> str:
    return str(np.datetime64(ns, "ns"))[:7]
