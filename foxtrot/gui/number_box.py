"""A box for a price or a size: exact to the instrument's step, changed by the wheel only while it has the focus, never sending anything."""

from typing import Final

from PySide6.QtCore import QLocale, QSize, Qt
from PySide6.QtGui import QKeyEvent, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSizePolicy, QWidget

from foxtrot.domain.instrument import Instrument
from foxtrot.gui.numbers import price_decimals, size_decimals

MOST: Final = 1e12
_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class NumberBox(QDoubleSpinBox):
    """A number that somebody types; Enter only ends the typing.

    Thread: the desktop's.
    """

    def __init__(self, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setLocale(QLocale.c())
        self.setRange(0.0, MOST)
        self.setDecimals(2)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setKeyboardTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_prices(self, instrument: Instrument | None) -> None:
        """Take decimals and step of an instrument's prices; the step is that of the price that stands."""
        self.setDecimals(price_decimals(instrument))
        if instrument is not None:
            units = instrument.round_price_units(self.value())
            self.setSingleStep(float(instrument.price_grid.to_decimal(instrument.step_units(units))))

    def show_sizes(self, instrument: Instrument | None) -> None:
        """Take decimals and step of an instrument's sizes: its lot."""
        self.setDecimals(size_decimals(instrument))
        if instrument is not None:
            self.setSingleStep(instrument.quantity(instrument.lot_units))

    def textFromValue(self, value: float) -> str:  # noqa: N802
        """Return a number without zeros behind that say nothing where it is a size, with all its decimals where it is a price."""
        return f"{value:.{self.decimals()}f}"

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return a size for a dozen digits, whatever the largest number is that could be typed."""
        return QSize(16 * self.fontMetrics().horizontalAdvance("0"), super().sizeHint().height())

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return a size for some digits."""
        return QSize(11 * self.fontMetrics().horizontalAdvance("0"), super().minimumSizeHint().height())

    def wheelEvent(self, event: QWheelEvent) -> None:  # noqa: N802
        """Turn only where somebody is at it."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Take Enter as the end of the typing and nothing else: no button hears of it."""
        if event.key() in _ENTER:
            self.interpretText()
            self.selectAll()
            event.accept()
            return
        super().keyPressEvent(event)
