"""Trading from a chart: a limit order where the mouse is, an order moved by its line, an alert at a price."""

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QObject
from PySide6.QtGui import QKeyEvent, Qt
from PySide6.QtWidgets import QDialog, QFormLayout, QHBoxLayout, QMenu, QPushButton, QVBoxLayout, QWidget

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.gui.chart.order_lines import PriceLine
from foxtrot.gui.chart.own_lines import ARROWS, level_text
from foxtrot.gui.chart.own_marks import OrderLevel
from foxtrot.gui.desk import Desk
from foxtrot.gui.number_box import NumberBox
from foxtrot.gui.numbers import price_decimals, price_text, size_decimals, size_text
from foxtrot.gui.terms_book import TermsBook
from foxtrot.gui.texts import tr

AskSize = Callable[[QWidget, str, Instrument], float | None]


class SizeDialog(QDialog):
    """Asks how much; no button of it is pressed by Enter.

    Thread: the desktop's.
    """

    def __init__(self, parent: QWidget | None, text: str, instrument: Instrument) -> None:
        super().__init__(parent)
        self.setObjectName("chart_size")
        self.setWindowTitle(text)
        self.size_box = NumberBox("chart_size_box", self)
        self.size_box.show_sizes(instrument)
        self.size_box.setValue(instrument.quantity(max(instrument.min_quantity_units, instrument.lot_units)))
        form = QFormLayout()
        form.addRow(text, self.size_box)
        self.go = QPushButton(tr("chart.place"), self)
        stop = QPushButton(tr("dialog.no"), self)
        row = QHBoxLayout()
        row.addStretch(1)
        for button, act in ((self.go, self.accept), (stop, self.reject)):
            button.setAutoDefault(False)
            button.clicked.connect(act)
            row.addWidget(button)
        column = QVBoxLayout(self)
        column.addLayout(form)
        column.addLayout(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802
        """Let Enter do nothing; Escape leaves."""
        if event.key() not in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            super().keyPressEvent(event)


def ask_size(parent: QWidget, text: str, instrument: Instrument) -> float | None:
    """Ask how much; None when the person leaves.

    Blocks: the desktop's thread, while Qt goes on.
    """
    dialog = SizeDialog(parent, text, instrument)
    return dialog.size_box.value() if dialog.exec() == QDialog.DialogCode.Accepted else None


class ChartTrading(QObject):
    """What a person can do on a chart of one instrument.

    Thread: the desktop's.

    Args:
        desk: the way to the platform, and the door for trading.
        parent: the panel, over which it asks.
    """

    def __init__(self, desk: Desk, parent: QWidget) -> None:
        super().__init__(parent)
        self.ask_size: AskSize = ask_size
        self.instrument: Instrument | None = None
        self._desk = desk
        self._over = parent
        self._terms = TermsBook(desk, self)

    def on_grid(self, price: float) -> float:
        """Return the legal price next to any."""
        one = self.instrument
        return price if one is None or price <= 0 else one.price(one.round_price_units(price))

    def words(self, line: PriceLine, price: float) -> str:
        """Return what an order becomes at a price, and how far that is from where it is."""
        if self.instrument is None or line.level is None:
            return line.text
        self._terms.of(line.level.order.account)  # asked for when the hand takes the line, known when it lets go
        away = (price - line.price) / line.price if line.price else 0.0
        return f"{level_text(line.level, self.instrument, price)}  ({away:+.2%})"

    def menu(self, price: float, parent: QWidget) -> QMenu:
        """Return what can be done at a price; what cannot says why."""
        menu, at = QMenu(parent), self.on_grid(price)
        menu.setToolTipsVisible(True)
        text = self._price(at)
        why = "" if self._account() else tr("chart.no_account")
        doubt = self._doubt(self._account())
        if doubt:
            menu.addAction(f"⚠ {doubt}").setEnabled(False)
        for side in (Side.BUY, Side.SELL):
            action = menu.addAction(f"{ARROWS[side]} {tr(f'chart.limit_{side}', price=text)}")
            action.triggered.connect(partial(self.place, side, at))
            action.setEnabled(not why)
            action.setToolTip(why or action.text())
        menu.addSeparator()
        action = menu.addAction(tr("chart.alert_here", price=text))
        action.triggered.connect(partial(self.alert, at))
        return menu

    def place(self, side: Side, price: float, _on: bool = False) -> bool:
        """Ask how much, and place a limit order; False when it was not sent."""
        one, account = self.instrument, self._account()
        if one is None or not account:
            return False
        title = f"{ARROWS[side]} {tr(f'chart.limit_{side}', price=self._price(price))}  ({account})"
        size = self.ask_size(self._over, title, one)
        if not size:
            return False
        request = OrderRequest(one.instrument_id, account, side, OrderType.LIMIT, size, price)
        shown = size_text(size, size_decimals(one))
        text = tr(
            "chart.order", side=tr(f"chart.{side}"), size=shown, symbol=one.symbol, price=self._price(price), account=account
        )  # fmt: skip
        return self._desk.actions.place(request, text)

    def amend(self, level: OrderLevel, price: float) -> bool:
        """Change an order whose line was moved: asks in paper too, unless one click is armed."""
        if self.instrument is None:
            return False
        account, actions = level.order.account, self._desk.actions
        terms = self._terms.of(account)
        if terms is None:
            self._desk.said.emit("WARNING", tr("ladder.no_terms", account=account))
            return False
        request = AmendRequest(level.order.order_id, **{level.field: price})
        text = self._change_text(level, price, changes=terms.amend)
        armed = actions.armed and not self._doubt(account)
        if not armed and not actions.confirm(tr("order.amend_title"), text):
            return False
        return (actions.amend if terms.amend else actions.replace)(request, text, ask=False)

    def _change_text(self, level: OrderLevel, price: float, *, changes: bool) -> str:
        assert self.instrument is not None  # noqa: S101  (`amend` has looked)
        order = level_text(level, self.instrument, level.price)
        text = tr("chart.move", order=order, old=self._price(level.price), new=self._price(price))
        return text if changes else f"{text}\n\n{tr('orders.replaces')}"

    def alert(self, price: float, _on: bool = False) -> None:
        """Ask for an alert at a price."""
        if self.instrument is not None:
            self._desk.alert_asked.emit(self.instrument.instrument_id, price)

    def _doubt(self, account: str) -> str:
        return self._desk.doubt(self.instrument.instrument_id, account) if self.instrument is not None else ""

    def _account(self) -> str:
        if self.instrument is None:
            return ""
        return next(iter(self._desk.accounts_of(self.instrument.instrument_id)), "")

    def _price(self, price: float) -> str:
        return price_text(price, price_decimals(self.instrument))
