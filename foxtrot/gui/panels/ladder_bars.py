"""What stands above and below a ladder's rows: sizes to choose from, and the bar that asks for a yes."""

from functools import partial

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QWidget

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.number_box import NumberBox
from foxtrot.gui.numbers import size_decimals, size_text
from foxtrot.gui.panels.ladder_model import PRESETS, sizes_for
from foxtrot.gui.send_button import SendButton
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme


class SizeRow(QWidget):
    """Buttons with sizes, and the box that has the size of the next click, which stands elsewhere; the right mouse button gives a button the size that stands.

    Thread: the desktop's.
    """

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.box = NumberBox("ladder_size", self)
        self.box.setToolTip(tr("ladder.size_hint"))
        self.sizes: list[float] = []
        self.kept: dict[str, list[float]] = {}
        """What the person has put on the buttons, by instrument."""
        self._instrument: Instrument | None = None
        self._decimals = 8
        row = QHBoxLayout(self)
        row.setContentsMargins(*(theme.pixels(length) for length in (6, 1, 6, 1)))
        row.setSpacing(theme.pixels(2))
        self.buttons = [self._button(place, theme) for place in range(len(PRESETS))]
        for button in self.buttons:
            row.addWidget(button, 1)

    def show_instrument(self, instrument: Instrument) -> None:
        """Take lot and decimals of an instrument."""
        self._instrument = instrument
        self._decimals = size_decimals(instrument)
        self.box.show_sizes(instrument)
        self.box.setValue(0.0)
        self.show_sizes([])

    def fill(self, price: float) -> None:
        """Give the buttons the sizes that were kept, else such as make sense at a price; done once."""
        if self.sizes or self._instrument is None:
            return
        kept = self.kept.get(self._instrument.instrument_id)
        if kept or price > 0.0:
            self.show_sizes(kept or sizes_for(self._instrument, price))

    def show_sizes(self, sizes: list[float]) -> None:
        """Take the sizes of the buttons; the first of them is chosen where there is no size yet."""
        self.sizes = sizes[: len(self.buttons)]
        for button, size in zip(self.buttons, [*self.sizes, *[0.0] * len(self.buttons)], strict=False):
            button.setText(size_text(size, self._decimals) if size else "–")
            button.setEnabled(size > 0.0)
        if self.sizes and self.box.value() == 0.0:
            self.box.setValue(self.sizes[0])

    def choose(self, place: int) -> None:
        """Take the size of a button."""
        if place < len(self.sizes):
            self.box.setValue(self.sizes[place])

    def _button(self, place: int, theme: Theme) -> QPushButton:
        button = QPushButton("–", self)
        button.setObjectName(f"ladder_size_{place + 1}")
        button.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        button.setAutoDefault(False)
        button.setToolTip(tr("ladder.preset_hint", number=place + 1))
        button.setStyleSheet(f"padding:{theme.pixels(3)}px {theme.pixels(2)}px")
        button.setMinimumWidth(theme.pixels(30))
        button.clicked.connect(partial(self.choose, place))
        button.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        button.customContextMenuRequested.connect(partial(self._keep, place))
        return button

    def _keep(self, place: int, _where: QPoint) -> None:
        if place < len(self.sizes) and self.box.value() > 0.0:
            self.show_sizes([*self.sizes[:place], self.box.value(), *self.sizes[place + 1 :]])
            if self._instrument is not None:
                self.kept[self._instrument.instrument_id] = list(self.sizes)


class ConfirmBar(QWidget):
    """Asks whether what was clicked is to be sent; no key says yes.

    Thread: the desktop's.
    """

    agreed = Signal()
    refused = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("ladder_confirm")
        self._theme = theme
        self.text = QLabel(self)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setWordWrap(True)
        self.yes = SendButton("ladder_send", tr("ladder.send"), self)
        self.no = QPushButton("✕", self)
        self.no.setObjectName("ladder_no")
        self.no.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.no.setAutoDefault(False)
        self.no.setToolTip(tr("ladder.no_hint"))
        row = QHBoxLayout(self)
        row.setContentsMargins(*(theme.pixels(length) for length in (6, 3, 4, 3)))
        row.addWidget(self.text, 1)
        row.addWidget(self.yes)
        row.addWidget(self.no)
        self.yes.clicked.connect(self.agreed)
        self.no.clicked.connect(self.refused)
        self.hide()

    def ask(self, side: Side, text: str) -> None:
        """Show what is to be confirmed, in the colour of its side."""
        colours = self._theme.colours
        self.text.setText(text)
        self.yes.colour(colours.up if side is Side.BUY else colours.down)
        self.show()
