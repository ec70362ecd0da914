"""Orders on their way to the venue: judged, held back until their time comes, entered, and taken out again."""

from foxtrot.exchange.commands import AmendOrder, CancelOrder, TradingState
from foxtrot.exchange.wire.ib.asked_contract import AskedContract
from foxtrot.exchange.wire.ib.ib_order import CANCELLED, INACTIVE, PENDING_CANCEL, IbOrder
from foxtrot.exchange.wire.ib.layout import text_of
from foxtrot.exchange.wire.ib.order_book_of_client import IbOrders
from foxtrot.exchange.wire.ib.order_hours import OrderHours
from foxtrot.exchange.wire.ib.order_margin import OrderMargin
from foxtrot.exchange.wire.ib.order_read import AskedOrder
from foxtrot.exchange.wire.ib.order_telling import OrderTelling
from foxtrot.exchange.wire.ib.order_terms import AT_ONCE, OPENING, OrderTerms, TermsReader
from foxtrot.exchange.wire.ib.order_texts import refused, venue_refusal
from foxtrot.exchange.wire.ib.refusal import IbRefused
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbContract, IbSide


class OrderDesk:
    """Sends orders to the venue, and keeps those that cannot go yet.

    Thread: exchange-io.
    """

    def __init__(
        self,
        side: IbSide,
        orders: IbOrders,
        telling: OrderTelling,
        hours: OrderHours,
        margin: OrderMargin,
    ) -> None:
        self.side = side
        self.orders = orders
        self.telling = telling
        self.hours = hours
        self.margin = margin
        self.reader = TermsReader(side, hours)

    def account(self, order: IbOrder) -> IbAccount:
        """Return the account of an order.

        Raises:
            IbRefused: IB's clients do not see it any more.

        Source: TWS API documentation, Order: account.
        """
        found = self.side.account_of(order.account)
        if found is None:
            raise refused(order.order_id, "account", account=order.account_id)
        return found

    def terms(self, order: IbOrder, contract: IbContract) -> OrderTerms:
        """Return what an order asks of the venue now.

        Raises:
            IbRefused: it cannot be had any more.

        Source: TWS API documentation, Order.
        """
        asked = AskedOrder(order.order_id, AskedContract(con_id=order.con_id), order.asked)
        return self.reader.read(contract, asked, self.side.now_ns())

    def submit(self, order: IbOrder, parent: IbOrder | None) -> None:
        """Take an order that was transmitted: it goes to the venue, or waits for its parent or for the opening.

        Source: TWS API documentation, Bracket Orders; Error Codes (399).
        """
        order.created_ns = order.created_ns or self.side.now_ns()
        if parent is not None and parent.is_open:
            order.stage = "child"
            self.orders.save(order)
            self.telling.open(order)
            return
        self.release(order)

    def release(self, order: IbOrder, *, at_opening: bool = False) -> None:
        """Let an order go to the venue, or wait for the market to open; what it cannot have ends it.

        Source: TWS API documentation, Order Status: Inactive; Error Codes (201, 399).
        """
        try:
            self._go(order, at_opening=at_opening)
        except IbRefused as told:
            self.fail(order, told)

    def fail(self, order: IbOrder, told: IbRefused) -> None:
        """End an order that was refused.

        Source: TWS API documentation, Order Status: Inactive; sequence as logs of real TWS show it.
        """
        order.stage, order.end_status, order.end_reason = "ended", INACTIVE, told.text
        order.updated_ns = self.side.now_ns()
        self.orders.save(order)
        self.telling.say(order, told.code, told.text)
        self.telling.open(order)

    def cancel(self, order: IbOrder) -> None:
        """Take an order out.

        Raises:
            IbRefused: the venue does not let it go.

        Source: TWS API documentation, cancelOrder; sequence as seen with ibapi 9.81.
        """
        if order.stage != "working":
            self.end_held(order, "", by_owner=True)
            return
        command = CancelOrder(self.side.now_ns(), order.account, order.instrument_id, order.venue_id)
        if not self.side.venue.execute(command).ok:
            raise refused(order.order_id, "not_cancellable", perm_id=order.perm_id)

    def end_held(self, order: IbOrder, reason: str, *, by_owner: bool) -> None:
        """End an order that never got to the venue, or is not there now.

        Source: TWS API documentation, Error Codes (202).
        """
        was_told = order.is_told
        order.stage, order.end_status, order.end_reason = "ended", CANCELLED, reason
        order.updated_ns = self.side.now_ns()
        self.orders.save(order)
        if by_owner and was_told:
            self.telling.status(order, PENDING_CANCEL)
        self.telling.status(order)
        self.telling.error(order, "cancelled", reason=reason)
        self.end_children(order)

    def end_children(self, order: IbOrder) -> None:
        """Do what the end of an order means for those that wait for its fill: they end, or get what was filled.

        Source: TWS API documentation, Bracket Orders.
        """
        for child in self.orders.children(order):
            if child.stage == "kept" or (child.stage == "child" and not order.filled):
                self.end_held(child, "", by_owner=False)
            elif child.stage == "child":
                self.resize(child, min(child.quantity, order.filled))
                self.release(child)

    def resize(self, order: IbOrder, quantity: int) -> None:
        """Lower the size of an order; where nothing is left of it, take it out.

        Source: TWS API documentation, One Cancels All: orders are proportionately reduced in size.
        """
        if quantity >= order.quantity:
            return
        if quantity <= order.filled:
            self.cancel(order)
        elif order.stage == "working":
            command = AmendOrder(
                self.side.now_ns(),
                order.account,
                order.instrument_id,
                order.venue_id,
                quantity=quantity - order.carried_filled,
            )
            self.side.venue.execute(command)
        else:
            self.set_quantity(order, quantity)
            self.orders.save(order)
            self.telling.open(order)

    def set_quantity(self, order: IbOrder, quantity: int) -> None:
        """Note the size of an order.

        Source: none; Foxtrot's own book-keeping.
        """
        order.quantity = quantity
        grid = self.telling.contract(order).instrument.quantity_grid
        order.asked["totalQuantity"] = text_of(grid.to_decimal(quantity))

    def tick(self, now_ns: int) -> None:
        """Enter the orders whose market has opened, oldest first, and end those whose day is over.

        Source: TWS API documentation, Error Codes (399).
        """
        for order in self.orders.held():
            if 0 < order.day_end_ns <= now_ns:
                self.end_held(order, "", by_owner=False)
            elif order.stage == "waiting" and self._may_enter(order, self.telling.contract(order)):
                self.release(order, at_opening=True)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _go(self, order: IbOrder, *, at_opening: bool) -> None:
        contract = self.telling.contract(order)
        terms = self.terms(order, contract)
        change = self.margin.change(self.account(order), contract, terms, order.filled)
        if not change.is_covered:
            raise change.refusal(order.order_id)
        if self._may_enter(order, contract):
            if order.text("tif").upper() == OPENING and not at_opening:
                raise refused(order.order_id, "opening")
            self.enter(order, contract, terms)
        elif order.text("tif").upper() in AT_ONCE:
            raise refused(order.order_id, "halted", symbol=contract.local_symbol)
        else:
            self._wait(order, contract, terms)

    def enter(self, order: IbOrder, contract: IbContract, terms: OrderTerms) -> None:
        """Enter an order at the venue, without what is done of it already.

        Raises:
            IbRefused: the venue does not take it.

        Source: TWS API documentation, placeOrder.
        """
        now_ns = self.side.now_ns()
        name = self.orders.venue_name(order.account, order.order_ref, order.perm_id)
        command = terms.command(order.account, order.instrument_id, name, now_ns, order.filled)
        result = self.side.venue.execute(command)
        if not result.ok:
            raise venue_refusal(order.order_id, result, contract.local_symbol)
        if order.venue_id:
            order.former_ids.append(order.venue_id)
        order.venue_id, order.stage = result.order_id, "working"
        order.carried_filled, order.carried_cost = order.filled, order.cost
        order.is_pending = False
        order.updated_ns, order.day_end_ns = now_ns, 0
        self.orders.save(order)

    def _wait(self, order: IbOrder, contract: IbContract, terms: OrderTerms) -> None:
        now_ns = self.side.now_ns()
        order.stage, order.day_end_ns, order.updated_ns = "waiting", terms.expire_ns, now_ns
        self.orders.save(order)
        self.telling.open(order)
        when = self.hours.opening_text(contract, now_ns, outside=order.text("outsideRth") == "1")
        self.telling.error(
            order,
            "waits",
            action=order.text("action"),
            quantity=order.text("totalQuantity"),
            symbol=f"{contract.symbol} {contract.trading_class}",
            when=when,
        )

    def _may_enter(self, order: IbOrder, contract: IbContract) -> bool:
        outside = order.text("outsideRth") == "1"
        is_open = self.hours.may_enter(contract, self.side.now_ns(), outside=outside)
        return is_open and self.side.venue.trading_state(contract.instrument_id) is TradingState.TRADING
