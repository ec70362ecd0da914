"""The block of a ticket that says what its order would come to, as the platform works it out."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from foxtrot.app.desktop_requests import OrderPreview, PreviewOrder
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import MINUS, NOTHING, money_text, rate_text, size_decimals, size_text
from foxtrot.gui.outer_text import cut_text
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

EVERY_S: Final = 0.25
"""At most four questions a second."""
AGAIN_S: Final = 1.0
"""The same order is asked about again after this, for prices and positions move."""
LATE_S: Final = 2.0
LINES: Final = ("notional", "need", "free", "fee", "after", "risk", "reward")


class PreviewAsker:
    """Asks about one order at a time, and no more often than it may; a question that is not answered blocks nothing.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        clock: tells seconds.
        hear: hears an answer: what was found, or None and why not.
    """

    def __init__(
        self, desk: Desk, clock: Callable[[], float], hear: Callable[[OrderPreview | None, str], None]
    ) -> None:
        self._desk = desk
        self.clock = clock
        self._hear = hear
        self._asked: PreviewOrder | None = None
        self._asked_s = float("-inf")
        self._waits = False
        self._number = 0

    @property
    def is_late(self) -> bool:
        """Tell whether a question has waited for too long."""
        return self._waits and self.clock() - self._asked_s > LATE_S

    def look(self, wish: PreviewOrder | None) -> None:
        """Ask about an order if it is time; called once a flush. With None there is nothing to ask, and an old answer comes too late."""
        if wish is None:
            self._number += 1
            self._asked, self._waits = None, False
            return
        since_s = self.clock() - self._asked_s
        if self._waits or since_s < (AGAIN_S if wish == self._asked else EVERY_S):
            return
        self._asked, self._asked_s, self._waits = wish, self.clock(), True
        self._number += 1
        number = self._number

        def heard(found: msgspec.Struct | None, error: str) -> None:
            if number == self._number:
                self._waits = False
                self._hear(found if isinstance(found, OrderPreview) else None, error)

        self._desk.ask(wish, heard)


class PreviewBlock(QWidget):
    """Six figures and a line that says why the order would be refused.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self.figures: dict[str, QLabel] = {}
        grid = QGridLayout(self)
        grid.setContentsMargins(0, theme.pixels(2), 0, 0)
        grid.setHorizontalSpacing(theme.pixels(8))
        grid.setVerticalSpacing(theme.pixels(1))
        for line, name in enumerate(LINES):
            title, figure = QLabel(tr(f"ticket.{name}"), self), QLabel(NOTHING, self)
            title.setStyleSheet(f"color:{theme.colours.dim}")
            figure.setAlignment(Qt.AlignmentFlag.AlignRight)
            figure.setObjectName(f"ticket_{name}")
            figure.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            grid.addWidget(title, line, 0)
            grid.addWidget(figure, line, 1)
            self.figures[name] = figure
        grid.setColumnStretch(1, 1)
        self.verdict = QLabel(self)
        self.verdict.setObjectName("ticket_verdict")
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self.verdict.setWordWrap(True)
        grid.addWidget(self.verdict, len(LINES), 0, 1, 2)

    def show_figures(self, found: OrderPreview, instrument: Instrument | None) -> None:
        """Show an answer."""
        for name, text in texts_of(found, instrument).items():
            self.figures[name].setText(text)
        self.figures["fee"].setToolTip(
            tr("ticket.fee_of_table", table=found.fee_table) if found.fee_table else tr("ticket.fee_of_risk")
        )
        if found.refusal:
            self.say(tr("ticket.would_refuse", reason=found.refusal), warns=True)
        else:
            self.say(tr("ticket.would_pass"))

    def show_nothing(self, why: str, *, warns: bool = False) -> None:
        """Show no figures, and why there are none."""
        for figure in self.figures.values():
            figure.setText(NOTHING)
        self.say(why, warns=warns)

    def say(self, text: str, *, warns: bool = False) -> None:
        """Say something below the figures."""
        colours = self._theme.colours
        self.verdict.setStyleSheet(f"color:{colours.warning if warns else colours.dim}")
        self.verdict.setText(cut_text(f"⚠ {text}" if warns and text else text))


def texts_of(found: OrderPreview, instrument: Instrument | None) -> dict[str, str]:
    """Return the figures of an answer in words."""
    decimals = size_decimals(instrument)
    share = "" if found.risk_share is None else f"  ({rate_text(found.risk_share)})"
    return {
        "notional": f"{money_text(found.notional)} {found.quote}",
        "need": f"{_amount(found.need, found, instrument)} {found.need_asset}",
        "free": NOTHING if found.free is None else f"{_amount(found.free, found, instrument)} {found.need_asset}",
        "fee": f"{money_text(found.fee, 4)} {found.fee_asset}",
        "after": f"{_signed(found.held, decimals)} → {_signed(found.after, decimals)}",
        "risk": NOTHING if found.risk is None else f"{money_text(-found.risk, signed=True)} {found.quote}{share}",
        "reward": NOTHING if found.reward is None else f"{money_text(found.reward, signed=True)} {found.quote}",
    }


def _amount(amount: Decimal, found: OrderPreview, instrument: Instrument | None) -> str:
    if instrument is not None and found.need_asset == instrument.base_asset:
        return size_text(float(amount), size_decimals(instrument))
    return money_text(amount)


def _signed(size: float, decimals: int) -> str:
    text = size_text(abs(size), decimals)
    return f"{MINUS}{text}" if size < 0 else f"+{text}" if size > 0 else text
