"""The orders: what is open, and with all what has ended; cancel, change, and say what became of one that nobody knows of."""

from functools import partial
from typing import ClassVar, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QWidget

from foxtrot.app.control_requests import ListOrders, OrderRow, Orders, Resolve
from foxtrot.core.notices import OrderChanged
from foxtrot.domain.enums import OrderStatus
from foxtrot.gui.blotter import Blotter, Choice
from foxtrot.gui.blotter_cells import (
    is_open,
    name_of,
    order_row,
    order_text,
    origin_cell,
    price_cell,
    side_cell,
    size_cell,
    time_cell,
)
from foxtrot.gui.columns import Align, Cell, Column, Tone, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.order_dialogs import AskAmend, AskResolution, ask_amend, ask_resolution
from foxtrot.gui.panel import State
from foxtrot.gui.polling import Polling
from foxtrot.gui.terms_book import TermsBook
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece

MOST: Final = 20_000
ASKED: Final = 2_000
"""So many orders from before are asked for, for the engine waits while it looks for them."""
RIGHT = Align.RIGHT
_TONES: Final = {
    OrderStatus.UNKNOWN: Tone.DANGER, OrderStatus.DENIED: Tone.WARNING, OrderStatus.REJECTED: Tone.WARNING,
    OrderStatus.CANCELLED: Tone.DIM, OrderStatus.EXPIRED: Tone.DIM, OrderStatus.FILLED: Tone.GOOD,
}  # fmt: skip


def status_cell(row: OrderRow) -> Cell:
    """Return how an order stands; one that nobody knows of stands out."""
    if row.cancel_asked and is_open(row) and row.status != OrderStatus.UNKNOWN:
        return word(name_of("cancelling"), Tone.DIM)
    return word(name_of(row.status), _TONES.get(OrderStatus(row.status), Tone.PLAIN))


def columns_of(desk: Desk) -> tuple[Column[OrderRow], ...]:
    """Return the columns."""
    known = desk.instruments.get
    return (
        Column("time", "orders.time", lambda row: time_cell(row.created_ns), width=100, rank=3),
        Column("instrument", "orders.instrument", lambda row: word(row.instrument_id), width=200),
        Column("side", "orders.side", lambda row: side_cell(row.side), width=70),
        Column("type", "orders.type", lambda row: word(name_of(row.order_type)), width=90, rank=2),
        Column("quantity", "orders.quantity", lambda row: size_cell(row.quantity, known(row.instrument_id)), align=RIGHT),
        Column("filled", "orders.filled", lambda row: size_cell(row.filled, known(row.instrument_id)), align=RIGHT, width=80, rank=1),
        Column("price", "orders.price", lambda row: price_cell(row.price, known(row.instrument_id)), align=RIGHT),
        Column("trigger", "orders.trigger", lambda row: price_cell(row.trigger_price, known(row.instrument_id)), align=RIGHT, rank=5),
        Column("status", "orders.status", status_cell, width=100, rank=1),
        Column("reason", "orders.reason", _reason_cell, width=220, rank=4),
        Column("origin", "orders.origin", lambda row: origin_cell(row.owner), width=100, rank=3),
        Column("account", "orders.account", lambda row: word(row.account), width=80, rank=5),
        Column("order", "orders.order", lambda row: word(row.order_id, Tone.DIM), width=190, rank=6),
    )  # fmt: skip


def _reason_cell(row: OrderRow) -> Cell:
    if row.status == OrderStatus.UNKNOWN:
        return word(tr("orders.unknown_because", reason=row.reason or "?"), Tone.DANGER)
    text = tr("orders.reduces") if row.reduces and is_open(row) and not row.reason else row.reason
    return word(text, Tone.DIM)


class OrdersPanel(Blotter):
    """Shows orders, the newest first.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "orders"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        self.which = "open"
        self._open: dict[str, OrderRow] = {}
        self._recount = False
        super().__init__(desk, columns_of(desk), lambda row: row.order_id, MOST, parent)
        self.ask_amend: AskAmend = ask_amend
        self.terms = TermsBook(desk, self)
        self.terms.changed.connect(self.look_at_buttons)
        self.ask_resolution: AskResolution = ask_resolution
        self.box = QComboBox(self)
        self.box.setObjectName("orders_which")
        for which in ("open", "all"):
            self.box.addItem(tr(f"orders.{which}"), which)
        self.box.currentIndexChanged.connect(self._choose)
        self._say_which()
        self.add_to_head(self.box)
        self.add_button("cancel", self.cancel)
        self.add_button("cancel_all", self.cancel_all)
        self.add_button("amend", self.amend)
        self.add_button("resolve", self.resolve)
        self._polling = Polling(desk, lambda: ListOrders(every=True, limit=ASKED), self._take, 0.0)
        self.asked = (self._polling,)
        self.hear(OrderChanged, self._hear)
        self.view.chosen.connect(lambda row: self.choose_instrument(row.instrument_id))
        self.view.sortByColumn(0, Qt.SortOrder.DescendingOrder)
        self.look_at_buttons()

    # --- what a person does -----------------------------------------------------------------------------------------

    def cancel(self) -> None:
        """Cancel the chosen orders that are open; one at once, several after asking."""
        orders = self._chosen()
        if len(orders) == 1:
            self.desk.actions.cancel(orders[0].order_id)
        elif orders:
            self.desk.actions.cancel_many(orders, "\n".join([tr("orders.chosen"), *_of_stops(orders)]))

    def cancel_all(self) -> None:
        """Cancel every open order in view, after asking."""
        words = self.words.text().strip()
        what = [
            tr("orders.in_view"),
            self.desk.account or tr("window.all_accounts"),
            *([f"“{words}”"] if words else []),
        ]
        orders = self._in_view()
        self.desk.actions.cancel_many(orders, "\n".join([", ".join(what), *_of_stops(orders)]))

    def amend(self) -> None:
        """Ask for other figures of the chosen order, and send the change; a venue that changes none gets the order anew."""
        row = self._chosen()[0]
        instrument, terms = self.desk.instruments.get(row.instrument_id), self.terms.of(row.account)
        if terms is None:
            return
        request = self.ask_amend(self, row, instrument, terms.amend)
        if request is not None:
            quantity, price, trigger = request.quantity, request.price, request.trigger_price
            wished = msgspec.structs.replace(
                row,
                quantity=quantity or row.quantity,
                price=price or row.price,
                trigger_price=trigger or row.trigger_price,
            )
            text = f"{order_text(row, instrument)}\n→ {order_text(wished, instrument)}"
            if terms.amend:
                self.desk.actions.amend(request, text)
            else:
                self.desk.actions.replace(request, f"{text}\n\n{tr('orders.replaces')}")

    def resolve(self) -> None:
        """Ask what became of the chosen order of unknown outcome, and tell the platform."""
        row = self._chosen()[0]
        said = self.ask_resolution(self, row)
        if said is not None:
            who = self.desk.actions.who
            self.desk.ask(Resolve(row.order_id, said.status, who, said.why), self._say_refusal)

    # --- what a blotter says ----------------------------------------------------------------------------------------

    def fits(self, row: OrderRow) -> bool:
        """Tell whether an order is shown."""
        return super().fits(row) and (self.which == "all" or is_open(row))

    def why_not(self, name: str) -> str:
        """Return why a button cannot be pressed now."""
        if name == "cancel_all":
            return "" if self._in_view() else tr("orders.none_open")
        chosen = self._chosen()
        if not chosen:
            return tr("orders.choose_open")
        if name == "cancel":
            return ""
        if len(chosen) > 1:
            return tr("orders.choose_one")
        if name == "amend" and self.terms.of(chosen[0].account) is None:
            return tr("orders.terms_asked")
        return _why_not_one(name, chosen[0])

    def choices(self, row: OrderRow) -> list[Choice]:
        """Return what can be done with an order."""
        asked = partial(self.desk.order_asked.emit, row.order_id)
        shown = partial(self.choose_instrument, row.instrument_id)
        return [
            *(
                Choice(tr(f"orders.{name}"), getattr(self, name), self.why_not(name))
                for name in ("cancel", "amend", "resolve")
            ),
            Choice(tr("blotter.show_order"), asked),
            Choice(tr("blotter.show_instrument", instrument=row.instrument_id), shown),
        ]

    def totals(self) -> list[Piece]:
        """Return how many stand how."""
        rows = self.model.shown()
        unknown = sum(row.status == OrderStatus.UNKNOWN for row in rows)
        working = sum(is_open(row) for row in rows)
        buys = sum(row.side == "buy" and is_open(row) for row in rows)
        pieces = [Piece(tr("orders.sum", open=working, buys=buys, sells=working - buys))]
        if unknown:
            pieces.append(Piece(tr("orders.sum_unknown", count=unknown), Tone.DANGER))
        if self._polling.error:
            pieces.append(Piece(self._polling.error, Tone.WARNING))
        return pieces

    def tab_count(self) -> int:
        """Return how many orders are open."""
        return sum(self.desk.account in ("", row.account) for row in self._open.values())

    def begin_anew(self) -> None:
        """Ask another platform for its orders."""
        super().begin_anew()
        self._open.clear()
        self._polling.begin_anew()

    def flush(self) -> None:
        """Show what came."""
        self._polling.look()
        super().flush()

    def look_while_hidden(self) -> None:
        """Count in the tab, once a flush."""
        if self._recount:
            self._recount = False
            self.count_in_tab()

    def save_state(self) -> State:
        """Return also whether orders that have ended are shown."""
        return {**super().save_state(), "which": self.which}

    def restore_state(self, state: State) -> None:
        """Take up also whether orders that have ended are shown."""
        super().restore_state(state)
        self.box.setCurrentIndex(max(0, self.box.findData(state.get("which"))))

    def leave(self) -> None:
        """Hear nothing any more."""
        self._polling.end()
        super().leave()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _hear(self, change: OrderChanged) -> None:
        known = self.model.row_by(change.order.order_id)
        self._put(order_row(change, known))
        self._recount = True

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, Orders):
            for row in found.orders:
                self._put(row)

    def _put(self, row: OrderRow) -> None:
        self.model.put(row)
        if is_open(row):
            self._open[row.order_id] = row
        else:
            self._open.pop(row.order_id, None)

    def _chosen(self) -> list[OrderRow]:
        return [row for row in self.view.selected() if is_open(row)]

    def _in_view(self) -> list[OrderRow]:
        return [row for row in self.model.shown() if is_open(row)]

    def _choose(self) -> None:
        self.which = str(self.box.currentData())
        self._say_which()
        self.narrow()

    def _say_which(self) -> None:
        of_all = self.which == "all"
        self.view.empty_fit = "" if of_all else tr("empty.no_open_order", all=tr("orders.all"))

    def _say_refusal(self, _found: msgspec.Struct | None, error: str) -> None:
        if error:
            self.desk.said.emit("WARNING", error)


def _of_stops(orders: list[OrderRow]) -> list[str]:
    """Return a warning where some of the orders protect positions by their look."""
    stops = sum(bool(row.reduces and row.trigger_price) for row in orders)
    return [tr("orders.of_stops", count=stops)] if stops else []


def _why_not_one(name: str, row: OrderRow) -> str:
    """Return why one open order cannot be changed or resolved, "" when it can."""
    unknown = row.status == OrderStatus.UNKNOWN
    if name == "resolve":
        return "" if unknown else tr("orders.not_unknown")
    if unknown:
        return tr("orders.unknown_no_amend")
    return "" if row.order_type != "market" else tr("orders.market_no_amend")
