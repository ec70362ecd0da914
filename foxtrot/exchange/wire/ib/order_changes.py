"""Changes of orders that exist: placeOrder again under the same id, and cancelOrder."""

from msgspec.structs import replace

from foxtrot.domain.enums import TimeInForce
from foxtrot.exchange.commands import AmendOrder, CancelOrder, PlaceOrder
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.ib.ib_order import FILLED, IbOrder
from foxtrot.exchange.wire.ib.order_desk import OrderDesk
from foxtrot.exchange.wire.ib.order_read import AskedOrder
from foxtrot.exchange.wire.ib.order_terms import OrderTerms
from foxtrot.exchange.wire.ib.order_texts import refused, venue_refusal
from foxtrot.exchange.wire.ib.refusal import IbRefused
from foxtrot.exchange.wire.ib.venue_side import IbContract

_KEPT_FIELDS = ("account", "exchange")


class OrderChanges:
    """Modifies and cancels.

    Thread: exchange-io.
    """

    def __init__(self, desk: OrderDesk) -> None:
        self._desk = desk
        self._orders = desk.orders
        self._venue = desk.side.venue

    def modify(self, order: IbOrder, contract: IbContract, asked: AskedOrder) -> bool:
        """Make an order what its client writes now; a refusal leaves it as it was.

        Returns:
            Whether it still has to be transmitted: it was kept back so far, and is so no more.

        Raises:
            IbRefused: it has ended, or cannot become that.

        Source: TWS API documentation, Modifying Orders; Error Codes (103, 104, 105).
        """
        self._refuse_another(order, contract, asked)
        terms = self._desk.reader.read(contract, asked, self._desk.side.now_ns())
        if terms.quantity <= order.filled:
            raise refused(order.order_id, "mismatch", what="a size that is filled already")
        if order.stage == "working":
            self._change(order, contract, terms, self._new_fields(order, asked))
            return False
        order.asked = self._new_fields(order, asked)
        order.quantity = terms.quantity
        self._orders.save(order)
        if order.stage == "kept":
            return asked.flag("transmit")
        self._desk.telling.open(order)
        return False

    def cancel(self, client_id: int, order_id: int) -> None:
        """Take a client's order out.

        Raises:
            IbRefused: there is none of that id, or it has ended.

        Source: TWS API documentation, cancelOrder; Error Codes (10147, 10148).
        """
        order = self._orders.of_client(client_id, order_id)
        if order is None:
            raise refused(order_id, "unknown_cancel", order_id=order_id)
        if not order.is_open:
            raise refused(order_id, "late_cancel", order_id=order_id, state=order.end_status)
        self._desk.cancel(order)

    def cancel_all(self) -> None:
        """Take the open orders of all clients out, those of TWS itself too.

        Source: TWS API documentation, reqGlobalCancel.
        """
        for order in self._orders.all():
            if order.is_open:
                self._desk.cancel(order)

    # --- inside -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _refuse_another(order: IbOrder, contract: IbContract, asked: AskedOrder) -> None:
        if not order.is_open:
            raise refused(order.order_id, "filled" if order.end_status == FILLED else "duplicate")
        pairs = {
            "the contract": (contract.instrument_id, order.instrument_id),
            "the side": (asked.text("action"), order.text("action")),
            "the account": (asked.text("account") or order.account_id, order.account_id),
        }
        for what, (told, ours) in pairs.items():
            if told != ours:
                raise refused(order.order_id, "mismatch", what=what)

    @staticmethod
    def _new_fields(order: IbOrder, asked: AskedOrder) -> dict[str, str]:
        """Return what the client writes now, with what TWS itself has added."""
        fields = dict(asked.fields)
        if order.parent_perm_id and "ocaGroup" not in fields:
            fields |= {name: order.text(name) for name in ("ocaGroup", "ocaType")}
        return fields | {name: order.text(name) for name in _KEPT_FIELDS}

    def _change(self, order: IbOrder, contract: IbContract, terms: OrderTerms, fields: dict[str, str]) -> None:
        report = self._venue.order(order.account, order.instrument_id, order.venue_id)
        if report is None:
            raise refused(order.order_id, "duplicate")
        account = self._desk.account(order)
        change = self._desk.margin.change(account, contract, terms, order.filled, venue_id=order.venue_id)
        if not change.is_covered and terms.quantity > order.quantity:
            raise change.refusal(order.order_id)
        try:
            before = replace(self._desk.terms(order, contract), quantity=terms.quantity, price=terms.price)
        except IbRefused:  # what was asked then could not be asked now: its good till date has passed
            before = None
        if before == terms:
            self._amend(order, report, terms, contract)
        elif not report.pending and (terms.trigger or terms.trailing):
            raise refused(order.order_id, "mismatch", what="the trigger of an order that was triggered")
        else:
            self._enter_again(order, report, terms, contract)
        order.asked, order.quantity = fields, terms.quantity
        self._orders.save(order)

    def _amend(self, order: IbOrder, report: OrderReport, terms: OrderTerms, contract: IbContract) -> None:
        quantity = terms.quantity - order.carried_filled
        if quantity == report.quantity and terms.price == report.price:
            order.quantity = terms.quantity
            self._desk.telling.open(order)
            return
        command = AmendOrder(
            self._desk.side.now_ns(),
            order.account,
            order.instrument_id,
            order.venue_id,
            quantity=quantity,
            price=terms.price,
        )
        result = self._venue.execute(command)
        if not result.ok:
            raise venue_refusal(order.order_id, result, contract.local_symbol)

    def _enter_again(self, order: IbOrder, report: OrderReport, terms: OrderTerms, contract: IbContract) -> None:
        """Let another order of the venue bear the order: the venue changes size and price only."""
        now_ns = self._desk.side.now_ns()
        self._venue.execute(CancelOrder(now_ns, order.account, order.instrument_id, order.venue_id))
        try:
            self._desk.enter(order, contract, terms)
        except IbRefused:
            again = self._venue.execute(_command_of(report, now_ns))  # it held this much a moment ago
            if again.ok:
                order.former_ids.append(order.venue_id)
                order.venue_id = again.order_id
                order.carried_filled, order.carried_cost = order.filled, order.cost
                self._orders.save(order)
            raise


def _command_of(report: OrderReport, now_ns: int) -> PlaceOrder:
    """Return the command that enters the rest of an order as it stands."""
    trails = report.trailing_offset > 0
    return PlaceOrder(
        now_ns,
        report.account,
        report.instrument_id,
        report.client_order_id,
        report.side,
        report.order_type,
        report.quantity - report.filled,
        report.price,
        0 if trails else report.trigger_price,
        report.time_in_force,
        trailing_offset=report.trailing_offset,
        display_quantity=min(report.display_quantity, report.quantity - report.filled),
        expire_time_ns=report.expire_time_ns if report.time_in_force is TimeInForce.GTD else 0,
        expire_unfillable=True,
    )
