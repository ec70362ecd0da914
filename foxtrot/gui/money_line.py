"""Equity, the day's profit and margin of the chosen account in the top bar; and the clocks."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from foxtrot.app.desktop_requests import AccountOverview, OverviewFound
from foxtrot.gui.columns import Tone, sign_tone
from foxtrot.gui.numbers import NOTHING, money_text, time_text
from foxtrot.gui.table_view import tone_colours
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

HIGH, FULL = 0.5, 0.8
"""Shares of the margin in use from which it is coloured as a warning, and as danger."""
BAR: Final = 46
GAP: Final = 8
NAMED: Final = 6


class MoneyFigures(msgspec.Struct, frozen=True):
    """What the top bar says of money; `sign` stands before an equity of which a part is not known."""

    currency: str
    equity: Decimal | None
    sign: str
    missing: tuple[str, ...]
    day: Decimal | None
    since_ns: int
    margin: float | None
    margin_used: Decimal
    margin_available: Decimal


def figures_of(found: OverviewFound, account: str) -> MoneyFigures:
    """Return the figures of an account, or with "" of all together."""
    chosen = [one for one in found.accounts if account in ("", one.account)]
    worths = [one.worth for one in chosen if one.worth is not None]
    unknown = tuple(one.account for one in chosen if one.worth is None)
    missing = tuple(dict.fromkeys(name for one in worths for name in one.missing)) + unknown
    at_least = all(one.at_least for one in worths) and not unknown
    used, available = _margin(chosen)
    whole = used + available
    return MoneyFigures(
        found.base_currency,
        sum((one.amount for one in worths), Decimal(0)) if worths else None,
        ("≥ " if at_least else "≈ ") if missing and worths else "",
        missing,
        _day(found, chosen, account),
        found.day_since_ns,
        float(used / whole) if whole > 0 else None,
        used,
        available,
    )


def _day(found: OverviewFound, chosen: Sequence[AccountOverview], account: str) -> Decimal | None:
    return chosen[0].day_profit if account and chosen else None if account else found.day_profit


def _margin(chosen: Sequence[AccountOverview]) -> tuple[Decimal, Decimal]:
    """Return margin used and available; of several accounts that of the one that has used most of its own."""
    told = [(one.balances.margin_used, one.balances.margin_available) for one in chosen if one.balances is not None]
    told = [pair for pair in told if sum(pair) > 0]
    return max(told, key=lambda pair: pair[0] / sum(pair), default=(Decimal(0), Decimal(0)))


Word = tuple[str, Tone]


class MoneyLine(QWidget):
    """Paints the figures; with less room it says less, and what is left is never cut on the left. All of it is in the tooltip.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("money")
        self._theme = theme
        self._tones = tone_colours(theme.colours)
        self._figures: MoneyFigures | None = None
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def show_figures(self, figures: MoneyFigures) -> None:
        """Show other figures."""
        if figures != self._figures:
            self._figures = figures
            self.setToolTip(self._hint(figures))
            self.updateGeometry()
            self.update()

    def text(self) -> str:
        """Return what is said where there is room for all of it."""
        return "  ".join(word for word, _ in self._words()[0])

    @property
    def margin(self) -> float | None:
        """Return the share of the margin that is in use, None where there is none."""
        return None if self._figures is None else self._figures.margin

    def sizeHint(self) -> QSize:  # noqa: N802
        """Return room for all of it."""
        return QSize(self._width(self._words()[0]) + self._bar_width(), self._theme.pixels(24))

    def minimumSizeHint(self) -> QSize:  # noqa: N802
        """Return room for the equity alone."""
        return QSize(self._width(self._words()[-1]), self._theme.pixels(24))

    def shown(self) -> str:
        """Return what is said in the room that there is."""
        return "  ".join(word for word, _ in self._fitting())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802
        """Paint from left to right; what does not fit even so is elided at its right end."""
        painter, metrics, left = QPainter(self), self.fontMetrics(), 0
        for word, tone in self._fitting():
            room = max(0, self.width() - left)
            # Qt elides what is as wide as its room, for it lacks a fraction of a pixel
            fits = metrics.horizontalAdvance(word) <= room
            text = word if fits else metrics.elidedText(word, Qt.TextElideMode.ElideRight, room)
            painter.setPen(self._tones[tone])
            painter.drawText(left, 0, self.width() - left, self.height(), int(Qt.AlignmentFlag.AlignVCenter), text)
            left += metrics.horizontalAdvance(text) + self._theme.pixels(GAP)
        if self.margin is not None and self.width() - left >= self._theme.pixels(BAR):
            self._paint_bar(painter, left, self.margin)
        painter.end()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _words(self) -> list[list[Word]]:
        """Return what could be said, from all of it to the least."""
        one = self._figures
        if one is None:
            return [[(tr("window.equity"), Tone.DIM), (NOTHING, Tone.PLAIN)]]
        tone = Tone.WARNING if one.missing else Tone.PLAIN
        equity = one.sign + money_text(one.equity)
        head = [(tr("window.equity"), Tone.DIM), (f"{equity} {one.currency}", tone)]
        sign = sign_tone(float(one.day or 0))
        day = [(tr("window.day"), Tone.DIM), (money_text(one.day, signed=True), sign)]
        margin = (
            []
            if one.margin is None
            else [(tr("window.margin"), Tone.DIM), (f"{one.margin:.0%}", self._tone(one.margin))]
        )
        bare = [(equity, tone)]
        return [[*head, *day, *margin], [*head, *day], [*bare, *day], bare]

    def _fitting(self) -> list[Word]:
        choices = self._words()
        rooms = [self._width(words) + (self._bar_width() if not place else 0) for place, words in enumerate(choices)]
        return next((words for words, room in zip(choices, rooms, strict=True) if room <= self.width()), choices[-1])

    def _width(self, words: list[Word]) -> int:
        metrics, gap = self.fontMetrics(), self._theme.pixels(GAP)
        return sum(metrics.horizontalAdvance(word) for word, _ in words) + gap * max(0, len(words) - 1)

    def _bar_width(self) -> int:
        return 0 if self.margin is None else self._theme.pixels(BAR + GAP)

    def _tone(self, share: float) -> Tone:
        return Tone.DANGER if share >= FULL else Tone.WARNING if share >= HIGH else Tone.PLAIN

    def _paint_bar(self, painter: QPainter, left: int, share: float) -> None:
        px, colours = self._theme.pixels, self._theme.colours
        frame = QRectF(left, self.height() / 2 - px(4), px(BAR) - 1, px(8))
        painter.setPen(QColor(colours.line))
        painter.drawRect(frame)
        tone = self._tone(share)
        colour = QColor(colours.accent) if tone is Tone.PLAIN else self._tones[tone]
        painter.fillRect(frame.adjusted(1, 1, -(frame.width() - 1) * (1 - min(1.0, share)), 0), colour)

    def _hint(self, one: MoneyFigures) -> str:
        lines = [
            tr("window.equity_hint", amount=one.sign + money_text(one.equity), currency=one.currency),
            tr("window.day_hint", amount=money_text(one.day, signed=True), currency=one.currency, since=time_text(one.since_ns)[:5]),
        ]  # fmt: skip
        if one.missing:
            more = f" +{len(one.missing) - NAMED}" if len(one.missing) > NAMED else ""
            lines.insert(1, tr("window.equity_missing", names=", ".join(one.missing[:NAMED]) + more))
        if one.margin is not None:
            figures = {"used": money_text(one.margin_used), "available": money_text(one.margin_available)}
            lines.append(tr("window.margin_hint", share=f"{one.margin:.0%}", **figures))
        return "\n".join(lines)


def clock_text(utc: datetime, local: datetime) -> str:
    """Return the venues' time, which is UTC, and this machine's own where it is another."""
    text = f"{utc:%H:%M:%S} UTC"
    return f"{text}  {local:%H:%M} {tr('window.local')}" if local.utcoffset() else text
