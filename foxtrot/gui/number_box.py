"""A box for a price or a size: exact to the instrument's step, changed by the wheel only while it has the focus, never sending anything."""

import re
from typing import Final
from unicodedata import normalize

from PySide6.QtCore import QLocale, QSize, Qt
from PySide6.QtGui import QKeyEvent, QValidator, QWheelEvent
from PySide6.QtWidgets import QDoubleSpinBox, QSizePolicy, QWidget

from foxtrot.domain.instrument import Instrument
from foxtrot.gui.numbers import price_decimals, size_decimals

MOST: Final = 1e12
_ENTER: Final = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_FIGURE: Final = re.compile(r"[0-9]*\.?[0-9]*")
_GROUPED: Final = re.compile(r"[0-9]{1,3}(,[0-9]{3})+\.[0-9]*|[0-9]{1,3}(,[0-9]{3}){2,}")
"""Commas that can only stand between thousands."""


class NumberBox(QDoubleSpinBox):
    """A number that somebody types; Enter only ends the typing.

    A comma becomes a decimal point where it is typed, so that 1,5 is never 15, and so do the full-width signs of an input method.
    What is pasted and can be read in two ways, as 1,234, is not taken.

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
        self.lineEdit().textEdited.connect(self._tell_empty)

    def value(self) -> float:
        """Return the number that is seen: an empty box is none, though Qt would still count what stood in it."""
        return super().value() if self._without_suffix(self.text()) else 0.0

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

    def validate(self, text: str, place: int) -> tuple[QValidator.State, str, int]:
        """Take digits and one decimal point, and nothing that Qt would read as something larger."""
        kept = self._without_suffix(text)
        plain = plain_figure(kept, was=self._without_suffix(self.text()))
        if plain is None:
            return QValidator.State.Invalid, text, place
        changed = text if plain == kept else f"{self.prefix()}{plain}{self.suffix()}"
        return super().validate(changed, min(place, len(changed)))

    def _tell_empty(self, text: str) -> None:
        if not self._without_suffix(text):
            self.valueChanged.emit(0.0)

    def _without_suffix(self, text: str) -> str:
        return text.removeprefix(self.prefix()).removesuffix(self.suffix())

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


def plain_figure(text: str, was: str = "") -> str | None:
    """Return a figure with a point for its decimals; None where it is none, or could be read in two ways.

    A comma is a point when it was typed, and what it made can be seen then; in a text that came as a whole, and is not `was` with
    one sign more, three digits behind a single comma may be thousands.
    """
    plain = normalize("NFKC", text).replace("。", ".").replace("、", ",").strip()
    if "," in plain:
        if _GROUPED.fullmatch(plain):
            plain = plain.replace(",", "")
        elif (
            plain.count(",") > 1 or "." in plain or (len(plain.partition(",")[2]) == 3 and not _is_one_more(text, was))
        ):
            return None
        plain = plain.replace(",", ".")
    return plain if _FIGURE.fullmatch(plain) else None


def _is_one_more(text: str, was: str) -> bool:
    """Tell whether a text is another one with one sign put in."""
    return len(text) == len(was) + 1 and any(text[:at] + text[at + 1 :] == was for at in range(len(text)))
