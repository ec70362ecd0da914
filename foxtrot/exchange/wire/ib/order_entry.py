"""New orders: read, judged, numbered, and sent on; whatIf is answered with figures alone."""

from typing import Final

from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Send
from foxtrot.exchange.wire.ib.ib_order import PRE_SUBMITTED, IbOrder
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.order_changes import OrderChanges
from foxtrot.exchange.wire.ib.order_desk import OrderDesk
from foxtrot.exchange.wire.ib.order_echo import open_values
from foxtrot.exchange.wire.ib.order_layouts import OPEN_ORDER
from foxtrot.exchange.wire.ib.order_read import AskedOrder, read_order
from foxtrot.exchange.wire.ib.order_terms import OrderTerms
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbContract

MOST_ACTIVE: Final = 20
"""So many orders may be active on one side of a contract in an account.

Source: TWS API documentation, Order Limitations.
"""
REDUCING: Final = "3"
"""Order: ocaType that TWS gives the children of one parent."""


class OrderEntry:
    """Takes placeOrder.

    Thread: exchange-io.

    Args:
        desk: sends orders on.
        changes: modifies those that exist.
        send: the way out, for the answers to whatIf.
    """

    def __init__(self, desk: OrderDesk, changes: OrderChanges, send: Send) -> None:
        self._desk = desk
        self._changes = changes
        self._send = send
        self._orders = desk.orders
        self._side = desk.side

    def place(self, client: IbClient, reader: FieldReader) -> None:
        """Take an order, or a change of one under its id.

        Raises:
            IbRefused: TWS or the venue does not take it.

        Source: TWS API documentation, placeOrder; Checking Margin Changes.
        """
        asked = read_order(reader, client.version)
        if self._side.settings.read_only:
            raise refused(asked.order_id, "read_only")
        contract = self._contract(asked)
        existing = self._orders.of_client(client.client_id, asked.order_id)
        if asked.flag("whatIf"):
            self._what_if(client, contract, asked)
        elif existing is None:
            self._enter(client, contract, asked)
        elif self._changes.modify(existing, contract, asked):
            self._transmit(existing)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _contract(self, asked: AskedOrder) -> IbContract:
        found = self._side.contracts.find(asked.contract)
        if not found:
            raise refused(asked.order_id, "unknown_contract")
        if len(found) > 1:
            raise refused(asked.order_id, "ambiguous", symbol=asked.contract.symbol or asked.contract.local_symbol)
        return found[0]

    def _account(self, asked: AskedOrder) -> IbAccount:
        accounts, name = self._side.accounts, asked.text("account")
        if not name and len(accounts) != 1:
            raise refused(asked.order_id, "which_account")
        found = accounts.get(name) if name else next(iter(accounts.values()))
        if found is None:
            raise refused(asked.order_id, "account", account=name[:40])
        return found

    def _what_if(self, client: IbClient, contract: IbContract, asked: AskedOrder) -> None:
        """Answer what an order would need and cost; nothing is kept of it."""
        account = self._account(asked)
        terms = self._desk.reader.read(contract, asked, self._side.now_ns())
        order = self._order(client, contract, asked, account, terms, perm_id=0)
        more = self._desk.margin.change(account, contract, terms).values()
        values = open_values(order, contract, asked.whole("parentId"), {**more, "status": PRE_SUBMITTED, "whatIf": 1})
        self._send(client, OPEN_ORDER, values)

    def _enter(self, client: IbClient, contract: IbContract, asked: AskedOrder) -> None:
        if asked.order_id <= self._orders.last_id(client.client_id) or asked.order_id <= 0:
            raise refused(asked.order_id, "duplicate")
        account = self._account(asked)
        terms = self._desk.reader.read(contract, asked, self._side.now_ns())
        self._refuse_too_many(account, contract, asked)
        parent = self._parent(client, asked)
        order = self._order(client, contract, asked, account, terms, self._orders.new_perm_id())
        if parent is not None:
            order.parent_perm_id = parent.perm_id
            if not order.text("ocaGroup"):
                order.asked |= {"ocaGroup": str(parent.perm_id), "ocaType": REDUCING}
        self._orders.save(order)
        self._orders.note_id(client.client_id, asked.order_id)
        if asked.flag("transmit"):
            self._transmit(order)

    @staticmethod
    def _order(
        client: IbClient,
        contract: IbContract,
        asked: AskedOrder,
        account: IbAccount,
        terms: OrderTerms,
        perm_id: int,
    ) -> IbOrder:
        fields = dict(asked.fields) | {"account": account.account_id}
        fields["exchange"] = asked.contract.exchange or contract.exchange
        order = IbOrder(
            perm_id, client.client_id, asked.order_id, account.account_id, account.account, contract.instrument_id,
            contract.con_id, fields,
        )  # fmt: skip
        order.quantity = terms.quantity
        return order

    def _refuse_too_many(self, account: IbAccount, contract: IbContract, asked: AskedOrder) -> None:
        active = sum(
            one.account_id == account.account_id
            and one.instrument_id == contract.instrument_id
            and one.text("action") == asked.text("action")
            for one in self._orders.open()
        )
        if active >= MOST_ACTIVE and self._side.settings.limits:
            raise refused(asked.order_id, "too_many", most=MOST_ACTIVE)

    def _parent(self, client: IbClient, asked: AskedOrder) -> IbOrder | None:
        parent_id = asked.whole("parentId")
        if not parent_id:
            return None
        parent = self._orders.of_client(client.client_id, parent_id)
        if parent is None or not (parent.is_open or parent.filled):
            raise refused(asked.order_id, "parent", parent_id=parent_id)
        return parent

    def _transmit(self, order: IbOrder) -> None:
        """Send an order on; with it its parent and those of the same parent that were kept back, the parent first."""
        family = [order]
        parent = self._orders.of_perm_id(order.parent_perm_id) if order.parent_perm_id else None
        if parent is not None and parent.stage == "kept":
            family = [parent, *(child for child in self._orders.children(parent) if child.stage == "kept")]
        for one in family:
            of_one = self._orders.of_perm_id(one.parent_perm_id) if one.parent_perm_id else None
            self._desk.submit(one, of_one)
