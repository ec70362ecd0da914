"""The widgets of a ladder and where they stand; what they do is the panel's."""

from collections.abc import Callable
from functools import partial

from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QWidget

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.chart.own_marks import Held
from foxtrot.gui.desk import Desk
from foxtrot.gui.elided_label import ElidedLabel
from foxtrot.gui.numbers import MINUS, price_decimals, price_text, size_decimals, size_text
from foxtrot.gui.outer_text import hint_text
from foxtrot.gui.panel import Panel
from foxtrot.gui.panels.ladder_bars import ConfirmBar, SizeRow
from foxtrot.gui.panels.ladder_model import GROUPS
from foxtrot.gui.panels.ladder_view import LadderView
from foxtrot.gui.send_button import SendButton
from foxtrot.gui.texts import tr


class LadderFrame(Panel):
    """Head, rows, sizes, buttons and a line of words.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self._build()

    def recentre(self) -> None:
        """Put the price into the middle, and follow it again."""

    def cancel_all(self, side: Side | None) -> None:
        """Cancel the person's orders of one side or both."""

    def say(self, text: str, *, warns: bool = False) -> None:
        """Say something in the line of words."""
        colours = self.desk.theme.colours
        self.words.setStyleSheet(f"color:{colours.warning if warns else colours.dim}")
        self.words.setText(f"⚠ {text}" if warns and text else text)
        self.words.setToolTip(hint_text(text))

    def show_doubt(self, why: str) -> None:
        """Say over the rows why they are not to be believed."""
        if why != self.doubted.toolTip():
            self.doubted.setText(f"⚠ {why}")
            self.doubted.setToolTip(why)
            self.doubted.setVisible(bool(why))

    def show_held(self, held: Held | None, instrument: Instrument | None) -> None:
        """Show a position."""
        quantity = 0.0 if held is None else held.quantity
        text, colours = tr("ladder.flat"), self.desk.theme.colours
        if held is not None and quantity:
            size = size_text(abs(quantity), size_decimals(instrument))
            price = price_text(held.average_price, price_decimals(instrument))
            text = f"{'+' if quantity > 0 else MINUS}{size} @ {price}"
        self.position.setStyleSheet(
            f"color:{colours.up if quantity > 0 else colours.down if quantity else colours.dim}"
        )
        self.position.setText(text)

    # --- building ---------------------------------------------------------------------------------------------------

    def _build(self) -> None:
        theme = self.desk.theme
        self.name, self.words = ElidedLabel(self), ElidedLabel(self)
        self.position = QLabel(self)
        self.position.setFont(theme.number_font())
        self.position.setToolTip(tr("ladder.position_hint"))
        self.accounts, self.group = QComboBox(self), QComboBox(self)
        self.accounts.setObjectName("ladder_account")
        self.group.setObjectName("ladder_group")
        for group in GROUPS:
            self.group.addItem(f"×{group}", group)
        self.group.setToolTip(tr("ladder.group_hint"))
        self.doubted = ElidedLabel(self)
        self.doubted.setObjectName("ladder_doubt")
        self.doubted.setStyleSheet(f"color:{theme.colours.warning};font-weight:600")
        self.doubted.hide()
        self.view = LadderView(theme, self)
        self.sizes = SizeRow(theme, self)
        self.confirm = ConfirmBar(theme, self)
        self.hold = self._button("hold", lambda: None, checkable=True)
        self.body.addLayout(self._row(self.name, self.accounts))
        self.body.addLayout(self._row(self.position, None, self.group))
        self.body.addLayout(self._row(self.doubted))
        self.body.addWidget(self.view, 1)
        self.body.addWidget(self.confirm)
        self.body.addLayout(self._row(self.sizes.box, self._button("recentre", self.recentre), self.hold))
        self.body.addWidget(self.sizes)
        buttons = (("cancel_buys", Side.BUY), ("cancel_all", None), ("cancel_sells", Side.SELL))
        self.body.addLayout(self._row(*(self._button(name, partial(self.cancel_all, side)) for name, side in buttons)))
        self.body.addLayout(self._row(self.words))
        self.say("")

    def _row(self, *widgets: QWidget | None) -> QHBoxLayout:
        theme, row = self.desk.theme, QHBoxLayout()
        row.setContentsMargins(*(theme.pixels(length) for length in (6, 2, 6, 2)))
        row.setSpacing(theme.pixels(3))
        for widget in widgets:
            row.addStretch(1) if widget is None else row.addWidget(widget, int(isinstance(widget, ElidedLabel)))
        return row

    def _button(self, name: str, act: Callable[[], object], *, checkable: bool = False) -> SendButton:
        button = SendButton(f"ladder_{name}", tr(f"ladder.{name}"), self)
        button.setCheckable(checkable)
        button.setToolTip(tr(f"ladder.{name}_hint"))
        pad = self.desk.theme.pixels(3)
        button.setStyleSheet(f"padding:{pad}px")
        button.clicked.connect(lambda _checked: act())
        return button
