"""The widgets of a ticket and where they stand; what they do is the panel's."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import TickData
from foxtrot.gui.desk import Desk
from foxtrot.gui.elided_label import ElidedLabel
from foxtrot.gui.outer_text import MOST_LETTERS, cut_text, hint_text
from foxtrot.gui.panel import Panel
from foxtrot.gui.panels.ticket_form import TicketForm
from foxtrot.gui.panels.ticket_model import Ticket
from foxtrot.gui.panels.ticket_preview import PreviewBlock
from foxtrot.gui.panels.ticket_words import button_text, words_of
from foxtrot.gui.send_button import SendButton
from foxtrot.gui.texts import tr


class TicketFrame(Panel):
    """Form and preview, which scroll where there is little room, and two buttons that never do.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        theme = desk.theme
        self.key_hints: dict[Side, str] = {}
        """What the key of each button does, for its hint."""
        self.name = ElidedLabel(self)
        self.quote, self.heading, self.said = (QLabel(self) for _ in range(3))
        self.quote.setToolTip(tr("ticket.quote_hint"))
        for label in (self.quote, self.heading, self.said):
            label.setTextFormat(Qt.TextFormat.PlainText)
        self.said.setWordWrap(True)
        self.said.setObjectName("ticket_said")
        self.heading.setStyleSheet(f"color:{theme.colours.text};font-weight:600")
        self.form, self.preview = TicketForm(theme, self), PreviewBlock(theme, self)
        self.buttons = {side: SendButton(f"ticket_{side}", tr(f"ticket.{side}"), self) for side in Side}
        self.body.addWidget(self._upper(), 1)
        self.body.addLayout(self._lower())
        self.name_preview(Side.BUY)

    def say(self, text: str, *, warns: bool = False) -> None:
        """Say what became of the last order."""
        colours = self.desk.theme.colours
        self.said.setStyleSheet(f"color:{colours.warning if warns else colours.dim}")
        self.said.setText(cut_text(f"⚠ {text}" if warns and text else text))
        self.said.setToolTip(hint_text(text) if len(text) > MOST_LETTERS else "")
        self.said.setVisible(bool(text))

    def show_doubt(self, why: str) -> None:
        """Say over the buttons why the prices are not to be believed."""
        text = f"⚠ {why}" if why else ""
        if text != self.doubted.text():
            self.doubted.setText(text)
            self.doubted.setVisible(bool(text))

    def name_preview(self, side: Side) -> None:
        """Say of which side the preview is."""
        self.heading.setText(tr(f"ticket.if_{side}"))

    def show_sides(self, ticket: Ticket, instrument: Instrument | None, tick: TickData | None, why_not: str) -> None:
        """Write on both buttons what they send, or why they cannot."""
        for side, button in self.buttons.items():
            text = button_text(ticket, side, instrument, tick)
            if text != button.text():
                button.setText(text)
            words = (words_of(ticket, side, instrument), self.key_hints.get(side, ""))
            button.allow(why_not, "" if why_not else "\n".join(filter(None, words)))

    def _upper(self) -> QScrollArea:
        theme, inside = self.desk.theme, QWidget(self)
        column = QVBoxLayout(inside)
        column.setContentsMargins(*(theme.pixels(length) for length in (8, 4, 8, 4)))
        column.setSpacing(theme.pixels(4))
        top = QHBoxLayout()
        top.addWidget(self.name, 1)
        top.addWidget(self.quote)
        column.addLayout(top)
        for widget in (self.form, self.heading, self.preview):
            column.addWidget(widget)
        column.addStretch(1)
        scroll = QScrollArea(self)
        scroll.setWidget(inside)
        scroll.setWidgetResizable(True)
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        return scroll

    def _lower(self) -> QVBoxLayout:
        theme, column, row = self.desk.theme, QVBoxLayout(), QHBoxLayout()
        row.setSpacing(theme.pixels(6))
        column.setContentsMargins(*(theme.pixels(length) for length in (8, 2, 8, 6)))
        for side, button in self.buttons.items():
            button.colour(theme.colours.up if side is Side.BUY else theme.colours.down)
            button.setMinimumHeight(theme.pixels(42))
            row.addWidget(button, 1)
        self.doubted = QLabel(self)
        self.doubted.setObjectName("ticket_doubt")
        self.doubted.setTextFormat(Qt.TextFormat.PlainText)
        self.doubted.setWordWrap(True)
        self.doubted.setStyleSheet(f"color:{theme.colours.warning};font-weight:600")
        self.doubted.hide()
        column.addWidget(self.doubted)
        column.addLayout(row)
        column.addWidget(self.said)
        return column
