"""The boxes of a ticket: what may be chosen follows from the venue, what is shown from the order type."""

from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QGridLayout, QLabel, QPushButton, QSizePolicy, QWidget

from foxtrot.app.desktop_requests import TermsFound
from foxtrot.domain.enums import OrderType, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import TickData
from foxtrot.gui.flow_layout import FlowLayout
from foxtrot.gui.number_box import NumberBox
from foxtrot.gui.panels.ticket_model import Ticket, may_reduce_only, times_of, types_of
from foxtrot.gui.texts import tr
from foxtrot.gui.theme import Theme

LOCKS: Final = ("free", "bid", "ask", "last")
"""What the price follows."""


class TicketForm(QWidget):
    """Everything of an order but its side.

    Thread: the desktop's.
    """

    changed = Signal()
    size_asked = Signal()
    """The size is to be worked out from the risk."""
    account_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._instrument: Instrument | None = None
        self._terms: TermsFound | None = None
        self._make()
        self._place()
        self._connect()
        self._show_fitting()

    # --- for the panel ----------------------------------------------------------------------------------------------

    @property
    def ticket(self) -> Ticket:
        """Return what the boxes say."""
        bracket = self.bracket.isChecked() and self.bracket.isEnabled()
        return Ticket(
            "" if self._instrument is None else self._instrument.instrument_id, self.account.currentText(), self.kind, self.quantity.value(),
            self.price.value(), self.trigger.value(), self.offset.value(), TimeInForce(self.time.currentData() or TimeInForce.GTC),
            self.post_only.isChecked() and self.post_only.isEnabled(), self.reduce_only.isChecked() and self.reduce_only.isEnabled(),
            self.stop_loss.value() if bracket else 0.0, self.take_profit.value() if bracket else 0.0,
            self._terms is not None and self._terms.hedges,
        )  # fmt: skip

    @property
    def kind(self) -> OrderType:
        """Return the order type that is chosen."""
        return OrderType(self.type.currentData() or OrderType.LIMIT)

    def show_instrument(self, instrument: Instrument | None) -> None:
        """Take steps and decimals of an instrument; no figure of another one stays."""
        self._instrument = instrument
        for box in (self.price, self.trigger, self.offset, self.stop_loss, self.take_profit):
            box.setValue(0.0)
            box.show_prices(instrument)
        self.quantity.setValue(0.0)
        self.quantity.show_sizes(instrument)
        self.bracket.setChecked(False)
        self._show_fitting()

    def show_accounts(self, accounts: list[str], chosen: str) -> None:
        """Offer accounts."""
        self.account.blockSignals(True)
        self.account.clear()
        self.account.addItems(accounts)
        self.account.setCurrentText(chosen)
        self.account.blockSignals(False)

    def show_terms(self, terms: TermsFound | None) -> None:
        """Offer what the account's venue takes; a choice that it does not take is replaced by the first that it does."""
        self._terms = terms
        kinds = types_of(None if terms is None else terms.capabilities)
        _offer(self.type, [(tr(f"ticket.type_{kind}"), str(kind)) for kind in kinds])
        self._show_fitting()

    def take_price(self, price: float) -> None:
        """Take a price that was chosen elsewhere: it becomes that of the order, and follows nothing."""
        self.lock.setCurrentIndex(0)
        (self.price if self.kind.needs_price else self.trigger).setValue(price)

    def follow(self, tick: TickData) -> None:
        """Let a price that is locked follow the market, and a first price be the market's."""
        wanted = {"bid": tick.bid_price, "ask": tick.ask_price, "last": tick.last_price}.get(
            self.lock.currentData(), 0.0
        )
        if not wanted and self.price.value() == 0.0 and not self.price.hasFocus():
            wanted = tick.last_price or tick.bid_price
        if wanted > 0.0 and wanted != self.price.value():
            self.price.setValue(wanted)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _show_fitting(self) -> None:
        """Show the boxes that the order type has, and offer what fits to it."""
        kind, capabilities = self.kind, None if self._terms is None else self._terms.capabilities
        for widgets, is_shown in (
            ((self.price, self.lock, self._price_title), kind.needs_price),
            ((self.trigger, self._trigger_title), kind.needs_trigger),
            ((self.offset, self._offset_title), kind is OrderType.TRAILING_STOP),
        ):
            for widget in widgets:
                widget.setVisible(is_shown)
        _offer(self.time, [(tr(f"ticket.time_{time}"), str(time)) for time in times_of(capabilities, kind)])
        posts = capabilities is not None and capabilities.post_only
        _allow(
            self.post_only, posts and kind is OrderType.LIMIT, tr("ticket.post_only_hint"), tr("ticket.post_only_not")
        )
        reduces = may_reduce_only(capabilities, self._instrument)
        _allow(self.reduce_only, reduces, tr("ticket.reduce_only_hint"), tr("ticket.reduce_only_not"))
        entry = not (self.reduce_only.isEnabled() and self.reduce_only.isChecked())
        _allow(self.bracket, entry, tr("ticket.bracket_hint"), tr("ticket.bracket_not"))
        for widget in (self.stop_loss, self.take_profit, self._stop_title, self._take_title):
            widget.setVisible(self.bracket.isChecked() and entry)
        self.changed.emit()

    def _make(self) -> None:
        self.account, self.type, self.lock, self.time = (QComboBox(self) for _ in range(4))
        for combo, name in ((self.account, "account"), (self.type, "type"), (self.lock, "lock"), (self.time, "time")):
            combo.setObjectName(f"ticket_{name}")
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
            combo.setMinimumWidth(self._theme.pixels(64))
        for name in LOCKS:
            self.lock.addItem(tr(f"ticket.lock_{name}"), name)
        self.lock.setToolTip(tr("ticket.lock_hint"))
        names = ("price", "trigger", "offset", "size", "risk", "stop_loss", "take_profit")
        (self.price, self.trigger, self.offset, self.quantity, self.risk, self.stop_loss, self.take_profit) = (
            NumberBox(f"ticket_{name}", self) for name in names
        )
        self.risk.setRange(0.0, 100.0)
        self.risk.setSingleStep(0.25)
        self.risk.setValue(1.0)
        self.risk.setSuffix(" %")
        self.from_risk = QPushButton(tr("ticket.from_risk"), self)
        self.from_risk.setObjectName("ticket_from_risk")
        self.from_risk.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.from_risk.setAutoDefault(False)
        self.from_risk.setToolTip(tr("ticket.from_risk_hint"))
        self.post_only, self.reduce_only, self.bracket = (
            QCheckBox(tr(f"ticket.{name}"), self) for name in ("post_only", "reduce_only", "bracket")
        )
        titles = ("price", "trigger", "offset", "stop_loss", "take_profit")
        (self._price_title, self._trigger_title, self._offset_title, self._stop_title, self._take_title) = (
            QLabel(tr(f"ticket.{name}"), self) for name in titles
        )
        self.show_types_first()

    def show_types_first(self) -> None:
        """Offer a limit order until the venue has told what it takes."""
        _offer(self.type, [(tr(f"ticket.type_{kind}"), str(kind)) for kind in types_of(None)])

    def _place(self) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(self._theme.pixels(6))
        grid.setVerticalSpacing(self._theme.pixels(3))
        rows: tuple[tuple[QWidget, QWidget, QWidget | None], ...] = (
            (QLabel(tr("ticket.account"), self), self.account, self.type), (self._price_title, self.price, self.lock),
            (self._trigger_title, self.trigger, None), (self._offset_title, self.offset, None),
            (QLabel(tr("ticket.size"), self), self.quantity, self.time), (QLabel(tr("ticket.risk_share"), self), self.risk, self.from_risk),
        )  # fmt: skip
        for line, (title, box, beside) in enumerate(rows):
            grid.addWidget(title, line, 0)
            grid.addWidget(box, line, 1, 1, 1 if beside is not None else 2)
            if beside is not None:
                grid.addWidget(beside, line, 2)
        checks = FlowLayout(0, self._theme.pixels(8))
        for check in (self.post_only, self.reduce_only, self.bracket):
            check.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
            checks.addWidget(check)
        grid.addLayout(checks, len(rows), 0, 1, 3)
        bracket = ((self._stop_title, self.stop_loss), (self._take_title, self.take_profit))
        for line, (title, box) in enumerate(bracket, len(rows) + 1):
            grid.addWidget(title, line, 0)
            grid.addWidget(box, line, 1, 1, 2)
        grid.setColumnStretch(1, 3)
        grid.setColumnStretch(2, 3)

    def _connect(self) -> None:
        self.account.textActivated.connect(self.account_chosen)
        self.type.currentIndexChanged.connect(self._show_fitting)
        self.reduce_only.toggled.connect(self._show_fitting)
        self.bracket.toggled.connect(self._show_fitting)
        self.from_risk.clicked.connect(self.size_asked)
        for combo in (self.time, self.lock):
            combo.currentIndexChanged.connect(self.changed)
        self.post_only.toggled.connect(self.changed)
        for box in (self.price, self.trigger, self.offset, self.quantity, self.stop_loss, self.take_profit):
            box.valueChanged.connect(self.changed)


def _offer(combo: QComboBox, choices: list[tuple[str, str]]) -> None:
    """Offer choices, and keep the one that stands if it is among them."""
    if [combo.itemData(place) for place in range(combo.count())] == [value for _, value in choices]:
        return
    chosen = combo.currentData()
    combo.blockSignals(True)
    combo.clear()
    for text, value in choices:
        combo.addItem(text, value)
    combo.setCurrentIndex(max(0, combo.findData(chosen)))
    combo.blockSignals(False)


def _allow(check: QCheckBox, allowed: bool, hint: str, why_not: str) -> None:
    check.setEnabled(allowed)
    check.setToolTip(hint if allowed else why_not)
