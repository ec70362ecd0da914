"""Moving the line of an order: what the mouse holds, what it would become, and what is told when it is let go."""

from collections.abc import Callable

from PySide6.QtCore import QObject, Qt, Signal

from foxtrot.gui.chart.axis import FigureAxis, Tag
from foxtrot.gui.chart.order_lines import LinesItem, PriceLine
from foxtrot.gui.theme import Theme


class LineDrag(QObject):
    """Holds the line that is moved; `dropped` tells its level and the new price, on the instrument's grid.

    Thread: the desktop's.
    """

    dropped = Signal(object, float)

    def __init__(self, lines: LinesItem, axis: FigureAxis, theme: Theme, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.line: PriceLine | None = None
        self.price = 0.0
        self.given_up = False
        self.on_grid: Callable[[float], float] = float
        self.words: Callable[[PriceLine, float], str] = lambda line, price: f"{line.text} → {price}"
        self._lines = lines
        self._axis = axis
        self._colour = theme.colours.accent

    def take(self, line: PriceLine | None) -> None:
        """Take hold of a line, where there is one."""
        self.line = line
        self.given_up = False

    def move(self, price: float, *, released: bool) -> None:
        """Move it to a price; tell of it when it is let go elsewhere than it was."""
        line = self.line
        if line is None:
            return
        self.price = self.on_grid(price)
        if released:
            self.let_go()
            if line.level is not None and self.price != line.price:
                self.dropped.emit(line.level, self.price)
            return
        text = self.words(line, self.price)
        self._lines.move(PriceLine(self.price, text, self._colour, Qt.PenStyle.SolidLine, line.level))
        self._axis.put_tag("moved", Tag(self.price, self._axis.text(self.price), self._colour))

    def give_up(self) -> None:
        """Leave it where it was; the mouse may still be down."""
        self.let_go()
        self.given_up = True

    def let_go(self) -> None:
        """Hold nothing any more."""
        self.line = None
        self.given_up = False
        self._lines.move(None)
        self._axis.put_tag("moved", None)
