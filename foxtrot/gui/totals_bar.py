"""The line of totals under a table: sums by currency, never one currency added to another."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from foxtrot.gui.columns import Tone, sign_tone
from foxtrot.gui.numbers import asset_text, exact_decimals, money_text
from foxtrot.gui.table_view import tone_colours
from foxtrot.gui.theme import Theme

HEIGHT = 24


class Piece(msgspec.Struct, frozen=True):
    """Some words of one tone."""

    text: str
    tone: Tone = Tone.PLAIN
    exact: str = ""
    """What the hint says in its place, where it is rounded."""


MORE = Piece("…", Tone.DIM)
"""There is more than there is room for."""
_WORDS = (Tone.WARNING, Tone.DANGER)


def sums_by(amounts: Iterable[tuple[str, Decimal]]) -> dict[str, Decimal]:
    """Return sums by currency."""
    totals: defaultdict[str, Decimal] = defaultdict(Decimal)
    for currency, amount in amounts:
        totals[currency] += amount
    return dict(totals)


def sum_pieces(
    label: str, sums: Mapping[str, Decimal], decimals: int | None = 2, *, signed: bool = False, most: int = 4
) -> list[Piece]:
    """Return a label and its sums; of many currencies the first few, and how many more there are.

    Where no decimals are named, each is rounded as is usual for its asset, and exact in the hint.
    """
    if not sums:
        return []
    pieces = [Piece(label, Tone.DIM)]
    for currency, amount in sorted(sums.items())[:most]:
        tone = sign_tone(float(amount)) if signed else Tone.PLAIN
        text = asset_text(amount, signed=signed) if decimals is None else money_text(amount, decimals, signed=signed)
        exact = money_text(amount, exact_decimals(amount), signed=signed) if decimals is None else text
        pieces.append(Piece(f"{text} {currency}".rstrip(), tone, f"{exact} {currency}".rstrip()))
    if len(sums) > most:
        pieces.append(Piece(f"+{len(sums) - most}", Tone.DIM))
    return pieces


class TotalsBar(QWidget):
    """Paints pieces of text in a line: as many whole ones as fit, and a … for the others, which are in the tooltip.

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
            self.setToolTip("  ".join(piece.exact or piece.text for piece in self._pieces))
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint the pieces from left to right."""
        painter = QPainter(self)
        left = self._margin
        for piece in self.shown():
            painter.setPen(self._tones[piece.tone])
            painter.drawText(
                left, 0, self.width() - left, self.height(), int(Qt.AlignmentFlag.AlignVCenter), piece.text
            )
            left += painter.fontMetrics().horizontalAdvance(piece.text) + self._gap
        painter.end()

    def shown(self) -> list[Piece]:
        """Return what there is room for: never half of a number, nor a label without one.

        What comes first, and a warning, are cut at their right end.
        """
        metrics, room = self.fontMetrics(), self.width() - 2 * self._margin
        fitting: list[Piece] = []
        for place, piece in enumerate(self._pieces):
            before = room
            room -= metrics.horizontalAdvance(piece.text) + self._gap
            is_last = place == len(self._pieces) - 1
            if room + self._gap >= (0 if is_last else metrics.horizontalAdvance(MORE.text) + self._gap):
                fitting.append(piece)
            elif not fitting or piece.tone in _WORDS:
                text = metrics.elidedText(piece.text, Qt.TextElideMode.ElideRight, max(0, before))
                return [*fitting, Piece(text, piece.tone)]
            else:
                while fitting and fitting[-1].tone is Tone.DIM:
                    fitting.pop()
                return [*fitting, MORE]
        return fitting
