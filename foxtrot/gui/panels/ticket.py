"""The order ticket: an order in all its figures, what it would come to, and two buttons that say what they send."""

from collections.abc import Callable
from time import monotonic
from typing import ClassVar

import msgspec
from PySide6.QtGui import QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from foxtrot.app.desktop_requests import AskTerms, OrderPreview, PreviewOrder, TermsFound
from foxtrot.core.commands import SendProtectedOrder
from foxtrot.core.notices import OrderChanged
from foxtrot.domain.enums import GateState, OrderStatus, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import NOTHING, price_decimals, price_text
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.panels.ticket_frame import TicketFrame
from foxtrot.gui.panels.ticket_model import Ticket
from foxtrot.gui.panels.ticket_preview import PreviewAsker
from foxtrot.gui.panels.ticket_words import words_of
from foxtrot.gui.streams import Streams
from foxtrot.gui.texts import tr

REFUSED = frozenset({OrderStatus.DENIED, OrderStatus.REJECTED})


class TicketPanel(TicketFrame):
    """A ticket for one instrument.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "ticket"
    follows: ClassVar[bool] = True
    least_size: ClassVar[tuple[int, int]] = (270, 270)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.side = Side.BUY
        self.instrument: Instrument | None = None
        self.used_at = 0.0
        """When a person last did something in it, of the clock that only goes on; 0 for never."""
        self._had_focus = False
        self.key_says: Callable[[TicketPanel, Side], str] | None = None
        """What the key of a side does; whoever binds keys sets it."""
        self.asker = PreviewAsker(desk, monotonic, self._hear_preview)
        self._streams = Streams(desk, self)
        self.form.changed.connect(self._show_buttons)
        self.form.size_asked.connect(self.ask_size)
        self.form.account_chosen.connect(self._choose_account)
        for side, button in self.buttons.items():
            button.clicked.connect(lambda _checked, one=side: self.send(one))
            button.pointed_at.connect(lambda one=side: self._look_at(one))
        desk.connected.connect(self._meet_platform)
        desk.account_chosen.connect(self._meet_account)
        desk.instruments_changed.connect(self._meet_instruments)
        self.hear(OrderChanged, self._hear_order)

    # --- what is shown ----------------------------------------------------------------------------------------------

    def show_instrument(self, instrument_id: str) -> None:
        """Show another instrument; no figure of the one before stays."""
        super().show_instrument(instrument_id)
        self.instrument = None
        self._open()

    def flush(self) -> None:
        """Show quote and preview; the price follows what it is locked to."""
        self._note_focus()
        if self.instrument is None:
            self._open()
        tick = self.desk.ticks.get(self.instrument_id)
        if tick is not None and self.instrument is not None:
            self.form.follow(tick)
            decimals = price_decimals(self.instrument)
            self.quote.setText(f"{price_text(tick.bid_price, decimals)}  /  {price_text(tick.ask_price, decimals)}")
        self._show_buttons()
        ticket = self.form.ticket
        self.show_doubt(self.desk.doubt(ticket.instrument_id, ticket.account) if ticket.instrument_id else "")
        missing = ticket.missing()
        self.asker.look(None if missing or self.desk.questions is None else self._question(ticket))
        if missing:
            self.preview.show_nothing(tr(f"ticket.no_{missing}"))
        elif self.asker.is_late:
            self.preview.show_nothing(tr("ticket.late"), warns=True)

    # --- what a person does -----------------------------------------------------------------------------------------

    @property
    def has_focus(self) -> bool:
        """Tell whether what is typed goes into it."""
        focused = QApplication.focusWidget()
        return focused is not None and (focused is self or self.isAncestorOf(focused))

    def note_use(self) -> None:
        """Remember that a person does something here: of several tickets keys act on the one that was used last."""
        self.used_at = monotonic()

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802
        """Count a click beside the fields as use."""
        super().mousePressEvent(event)
        self.note_use()

    def send(self, side: Side) -> bool:
        """Send the order of one side, once; what is missing is said instead."""
        self.note_use()
        ticket = self.form.ticket
        why = self._why_not(ticket)
        if why:
            self.say(why, warns=True)
            return False
        request, text = ticket.request(side), words_of(ticket, side, self.instrument)
        if ticket.has_bracket:
            order = SendProtectedOrder(request, OWNER, ticket.stop_loss, ticket.take_profit)
            sent = self.desk.actions.place_protected(order, text)
        else:
            sent = self.desk.actions.place(request, text)
        self.say(tr("ticket.sent", order=text) if sent else tr("ticket.not_sent"))
        return sent

    def ask_size(self) -> None:
        """Ask which size loses the share of the equity that is chosen, and take it."""
        ticket = self.form.ticket
        if self.instrument is None or not ticket.account:
            self.say(tr("ticket.no_account"), warns=True)
            return
        if not ticket.stop_loss:
            self.form.bracket.setChecked(True)
            self.say(tr("ticket.risk_needs_stop"), warns=True)
            return
        least = max(self.instrument.lot_units, self.instrument.min_quantity_units)
        order = msgspec.structs.replace(ticket, quantity=self.instrument.quantity(least)).request(
            self._side_of_risk(ticket)
        )
        wish = PreviewOrder(
            order=order, owner=OWNER, stop_loss=ticket.stop_loss, risk_share=self.form.risk.value() / 100.0
        )

        def heard(found: msgspec.Struct | None, error: str) -> None:
            now = self.form.ticket
            same = (now.instrument_id, now.account, now.stop_loss, now.price) == (
                ticket.instrument_id, ticket.account, ticket.stop_loss, ticket.price,
            )  # fmt: skip
            if isinstance(found, OrderPreview) and same:
                self.form.quantity.setValue(found.quantity)
            elif error:
                self.say(error, warns=True)

        self.desk.ask(wish, heard)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _note_focus(self) -> None:
        """Count it as use that the focus has come; pulled, since a signal with widgets that are about to go ends in a crash."""
        had, self._had_focus = self._had_focus, self.has_focus
        if self._had_focus and not had:
            self.note_use()

    def _open(self) -> None:
        """Begin to show the instrument, once it is known."""
        found = self.desk.instruments.get(self.instrument_id)
        if found is None and self.form.ticket.instrument_id:
            self.form.show_instrument(None)  # else its buttons would go on to send orders for the one before
        self.name.setText(self.instrument_id or tr("ticket.no_instrument"))
        self.quote.setText(NOTHING)
        if found is None:
            return
        self.instrument = found
        self.name.setText(found.symbol)
        self.name.setToolTip(self.instrument_id)
        self.form.show_instrument(found)
        self.say("")
        self._streams.ask(SubscribeRequest(self.instrument_id, ticks=True))
        self._fill_accounts()

    def _fill_accounts(self) -> None:
        accounts = self.desk.accounts_of(self.instrument_id)
        before = self.form.account.currentText()
        self.form.show_accounts(accounts, before if before in accounts else (accounts[0] if accounts else ""))
        self._choose_account(self.form.account.currentText())

    def _choose_account(self, account: str) -> None:
        self.form.show_terms(None)
        if not account or self.desk.questions is None:
            return

        def heard(found: msgspec.Struct | None, error: str) -> None:
            if isinstance(found, TermsFound) and found.account == self.form.account.currentText():
                self.form.show_terms(found)
            elif error:
                self.say(error, warns=True)

        self.desk.ask(AskTerms(account=account), heard)

    def _meet_account(self, account: str) -> None:
        """Trade on the account that is looked at, where it can trade this."""
        if account and account in self.desk.accounts_of(self.instrument_id):
            self.form.show_accounts(self.desk.accounts_of(self.instrument_id), account)
            self._choose_account(account)

    def _meet_platform(self) -> None:
        if self.instrument is not None:
            self._fill_accounts()

    def _meet_instruments(self) -> None:
        if self.instrument is None:
            self._open()
        elif not self.form.account.currentText():
            self._fill_accounts()

    def _look_at(self, side: Side) -> None:
        """Show what the order of one side would come to."""
        if side is not self.side:
            self.side = side
            self.asker.look(None)
            self.name_preview(side)

    def _question(self, ticket: Ticket) -> PreviewOrder:
        stop, take = (ticket.stop_loss, ticket.take_profit) if ticket.has_bracket else (0.0, 0.0)
        return PreviewOrder(order=ticket.request(self.side), owner=OWNER, stop_loss=stop, take_profit=take)

    def _hear_preview(self, found: OrderPreview | None, error: str) -> None:
        if found is not None:
            self.preview.show_figures(found, self.instrument)
        else:
            self.preview.show_nothing(tr("ticket.would_refuse", reason=error), warns=True)

    def _hear_order(self, change: OrderChanged) -> None:
        order = change.order
        if change.strategy_id == OWNER and order.instrument_id == self.instrument_id and order.status in REFUSED:
            self.say(tr("ticket.refused", reason=order.reason or str(order.status)), warns=True)

    def _side_of_risk(self, ticket: Ticket) -> Side:
        """Return the side for which the stop stands on the right side of the entry."""
        tick = self.desk.ticks.get(self.instrument_id)
        bid, ask = (0.0, 0.0) if tick is None else (tick.bid_price, tick.ask_price)
        return Side.BUY if ticket.stop_loss < ticket.entry(Side.BUY, bid, ask) else Side.SELL

    def _why_not(self, ticket: Ticket) -> str:
        if self.desk.questions is None:
            return tr("ticket.no_platform")
        if self.desk.gate is GateState.HALTED:
            return tr("window.gate_hint", reason=self.desk.gate_reason)
        missing = ticket.missing()
        return tr(f"ticket.no_{missing}") if missing else ""

    def _show_buttons(self) -> None:
        ticket = self.form.ticket
        if self.key_says is not None:
            self.key_hints = {side: self.key_says(self, side) for side in self.buttons}
        self.show_sides(ticket, self.instrument, self.desk.ticks.get(self.instrument_id), self._why_not(ticket))
