"""The line of totals under a table: sums by currency, never one currency added to another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from foxtrot.gui.columns import Tone, sign_tone
from foxtrot.gui.numbers import exact_decimals, money_text
from foxtrot.gui.table_view import tone_colours
from foxtrot.gui.theme import Theme

HEIGHT = 24


class Piece(msgspec.Struct, frozen=True):
    """Some words of one tone."""

    text: str
    tone: Tone = Tone.PLAIN


def sums_by(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Return sums by currency."""
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        totals[currency] += amount
    return dict(totals)


def sum_pieces(
    label: str, sums: Mapping[str, Decimal], decimals: int | None = 2, *, signed: bool = False, most: int = 4
) -> list[Piece]:
    """Return a label and its sums, exact where no decimals are named; of many currencies the first few, and how many more there are."""
    if not sums:
        return []
    pieces = [Piece(label, Tone.DIM)]
    for currency, amount in sorted(sums.items())[:most]:
        tone = sign_tone(float(amount)) if signed else Tone.PLAIN
        places = exact_decimals(amount) if decimals is None else decimals
        pieces.append(Piece(f"{money_text(amount, places, signed=signed)} {currency}".rstrip(), tone))
    if len(sums) > most:
        pieces.append(Piece(f"+{len(sums) - most}", Tone.DIM))
    return pieces


class TotalsBar(QWidget):
    """Paints pieces of text in a line; what does not fit is elided at its right end, and is in the tooltip.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tones = tone_colours(theme.colours)
        self._margin = theme.pixels(6)
        self._gap = theme.pixels(8)
        self._pieces: tuple[Piece, ...] = ()
        self.setFixedHeight(theme.pixels(HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    @property
    def text(self) -> str:
        """Return all of it."""
        return "  ".join(piece.text for piece in self._pieces)

    def show_pieces(self, pieces: Sequence[Piece]) -> None:
        """Show other pieces."""
        if tuple(pieces) != self._pieces:
            self._pieces = tuple(pieces)
            self.setToolTip(self.text)
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the pieces from left to right."""
        painter = QPainter(self)
        metrics, left, right = painter.fontMetrics(), self._margin, self.width() - self._margin
        for piece in self._pieces:
            text = metrics.elidedText(piece.text, Qt.TextElideMode.ElideRight, max(0, right - left))
            painter.setPen(self._tones[piece.tone])
            painter.drawText(left, 0, right - left, self.height(), int(Qt.AlignmentFlag.AlignVCenter), text)
            left += metrics.horizontalAdvance(text) + self._gap
            if left >= right:
                break
        painter.end()
