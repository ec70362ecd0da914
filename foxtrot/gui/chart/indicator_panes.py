"""Indicators on the screen: lines over the price, and panes of their own below the volume."""

from typing import Any, Final

import numpy as np
from PySide6.QtCore import Qt

from foxtrot.gui.chart.bar_series import FloatArray
from foxtrot.gui.chart.candle_item import LevelItem, LineItem
from foxtrot.gui.chart.indicator_work import Found
from foxtrot.gui.chart.indicators import Chosen
from foxtrot.gui.chart.pane import Hand, Pane, span, with_room
from foxtrot.gui.numbers import MINUS
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

COLOURS: Final = ("#3d8bfd", "#d18b1f", "#a06bff", "#1aa5a5", "#d1579c", "#8a9a2b")
HEAD: Final = 0.35
"""How much of its height a pane below keeps free for its names."""
STYLES: Final = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine)


class IndicatorPanes:
    """The lines of what is chosen.

    Thread: the desktop's.

    Args:
        hand: takes what the mouse does in the panes.
        price: the pane of the price.
    """

    def __init__(self, hand: Hand, price: Pane, theme: Theme) -> None:
        self.below: list[Pane] = []
        self.revision = 0
        self.decimals = 2
        self._hand = hand
        self._price = price
        self._theme = theme
        self._items: dict[Chosen, tuple[LineItem, ...]] = {}
        self._panes: dict[Chosen, Pane] = {}
        self._drawn: list[tuple[Pane, Any]] = []

    def choose(self, wanted: tuple[Chosen, ...]) -> None:
        """Draw these, and no others; whoever owns the panes arranges them then."""
        for pane, item in self._drawn:
            pane.box.removeItem(item)
        self._drawn, self._items, self._panes, self.below = [], {}, {}, []
        for place, one in enumerate(wanted):
            pane = self._price
            if one.indicator.pane:
                pane = self._panes[one] = Pane(self._hand, self._theme)
                self.below.append(pane)
                if one.key != "macd":
                    pane.axis.levels = one.indicator.levels
                if one.indicator.levels:
                    self._draw(pane, LevelItem(one.indicator.levels, self._theme.colours.dim))
            self._items[one] = self._lines(one, place)
            for item in self._items[one]:
                self._draw(pane, item)
        self.revision += 1

    def take(self, found: Found) -> None:
        """Take the values."""
        for one, items in self._items.items():
            lines = found.get(one, ())
            for place, item in enumerate(items):
                item.show_values(lines[place] if place < len(lines) else np.empty(0))
        self.revision += 1

    def over(self) -> tuple[FloatArray, ...]:
        """Return the values of lines over the price, which is to make room for them."""
        return tuple(item.values for one, items in self._items.items() if not one.indicator.pane for item in items)

    def fit(self, left: float, right: float, first: int, end: int) -> None:
        """Show these bars in the panes below, and the values that they have."""
        for one, pane in self._panes.items():
            stretch = span(tuple(item.values for item in self._items[one]), first, end) or (0.0, 1.0)
            levels = one.indicator.levels if one.key != "macd" else ()
            low, high = min(stretch[0], *levels, stretch[0]), max(stretch[1], *levels, stretch[1])
            pane.show(left, right, *with_room(low, high, head=HEAD))

    def show_names(self, bar: int) -> None:
        """Write the names and the values at a bar; −1 is the last."""
        by_pane: dict[Pane, list[tuple[str, str]]] = {self._price: []}
        for place, one in enumerate(self._items):
            pane = self._panes.get(one, self._price)
            title = f"{tr(f'chart.{one.key}')} {one.period or ''}".strip()
            values = "  ".join(self._value(one, item.values, bar) for item in self._items[one])
            by_pane.setdefault(pane, []).append((f"{title}  {values}", COLOURS[place % len(COLOURS)]))
        for pane, names in by_pane.items():
            pane.names.show_names(tuple(names))

    def _value(self, one: Chosen, values: FloatArray, bar: int) -> str:
        if not -len(values) <= bar < len(values) or not np.isfinite(values[bar]):
            return "–"
        decimals = 2 if one.indicator.pane and one.key not in ("atr", "macd") else self.decimals
        return f"{values[bar]:,.{decimals}f}".replace("-", MINUS)

    def _lines(self, one: Chosen, place: int) -> tuple[LineItem, ...]:
        width = float(self._theme.pixels(1))
        colour = COLOURS[place % len(COLOURS)]
        lines = len(one.indicator.lines)
        band = not one.indicator.pane and lines == 3
        styles = (STYLES[0], STYLES[1], STYLES[0]) if band else STYLES
        return tuple(LineItem(colour, width, styles[number]) for number in range(lines))

    def _draw(self, pane: Pane, item: Any) -> None:
        pane.add(item)
        self._drawn.append((pane, item))
