"""The orders of all clients, by their ids; kept with the venue's state, so that they outlive the server."""

from collections.abc import Iterator
from typing import Final

import msgspec

from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.ib.ib_order import CANCELLED, FILLED, NO_CLIENT, IbOrder
from foxtrot.exchange.wire.ib.order_echo import asked_of_report
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbContract, IbSide

OWNER: Final = "ib.orders"
IDS_OWNER: Final = "ib.order_ids"
"""Whose notes hold the orders, and the highest order id that each client has used."""
KEPT: Final = 10_000
"""So many orders are remembered; of those that have ended, the oldest goes first."""
_MARK: Final = "~"
"""Stands between a customer's mark and what makes it different from that of another open order."""
_OPEN_AT_VENUE: Final = frozenset({"accepted", "partially_filled"})
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(IbOrder)


class IbOrders:
    """All orders; one that only the venue knows is taken up as one entered in TWS itself when it is first seen.

    Thread: exchange-io.

    Args:
        side: the venue, whose notes hold the orders.
    """

    def __init__(self, side: IbSide) -> None:
        self._side = side
        self._notes: dict[str, str] | None = None
        self._by_perm_id: dict[int, IbOrder] = {}
        self._by_ids: dict[tuple[int, int], IbOrder] = {}
        self._by_venue_id: dict[int, IbOrder] = {}
        self._replaced: dict[int, IbOrder] = {}
        """Orders by the former orders of the venue whose place another one has taken."""
        self._open: dict[int, IbOrder] = {}
        self._held: dict[int, IbOrder] = {}
        self._last_ids: dict[int, int] = {}
        self._suffix = 0

    def refresh(self) -> None:
        """Read the orders of a venue that was restored; again is harmless.

        Source: TWS API documentation, Next Valid Identifier: it is above all ids of the client, also after a restart.
        """
        self._refresh()

    def note_id(self, client_id: int, order_id: int) -> None:
        """Note that a client has used an id, for the time after a restart.

        Source: TWS API documentation, Next Valid Identifier.
        """
        ids = self._side.venue.notes(IDS_OWNER)
        key = str(client_id)
        ids[key] = str(max(order_id, int(ids.get(key, "0"))))

    def last_id(self, client_id: int) -> int:
        """Return the highest id under which an order of a client was taken, 0 without any.

        Source: TWS API documentation, Error Codes (103).
        """
        self._refresh()
        return self._last_ids.get(client_id, 0)

    def new_perm_id(self) -> int:
        """Return a permanent id that no order has had.

        Source: TWS API documentation, Order: permId.
        """
        self._refresh()
        perm_id = self._side.next_perm_id()
        while perm_id in self._by_perm_id:
            perm_id = self._side.next_perm_id()
        return perm_id

    def save(self, order: IbOrder) -> None:
        """Keep an order as it is now; whoever changes one does this after.

        Source: none; Foxtrot's own book-keeping.
        """
        notes = self._refresh()
        self._index(order)
        self._side.venue.note(OWNER, str(order.perm_id), _ENCODER.encode(order).decode())
        if len(self._by_perm_id) > KEPT:
            self._forget(notes)

    def of_client(self, client_id: int, order_id: int) -> IbOrder | None:
        """Return a client's order.

        Source: TWS API documentation, Order: an order belongs to its client's id and its own.
        """
        self._refresh()
        return self._by_ids.get((client_id, order_id))

    def of_perm_id(self, perm_id: int) -> IbOrder | None:
        """Return an order by its permanent id.

        Source: TWS API documentation, Order: permId.
        """
        self._refresh()
        return self._by_perm_id.get(perm_id)

    def of_venue(self, account: IbAccount, instrument_id: str, venue_id: int) -> IbOrder | None:
        """Return the order that an order of the venue bears or bore, taken up if it is not known.

        Source: none; orders that liquidation or another protocol entered are as those entered in TWS by hand.
        """
        self._refresh()
        found = self._by_venue_id.get(venue_id) or self._replaced.get(venue_id)
        if found is not None:
            return found
        contract = self._side.contracts.of_instrument(instrument_id)
        report = self._side.venue.order(account.account, instrument_id, venue_id)
        return None if contract is None or report is None else self._take_up(account, contract, report)

    def all(self) -> Iterator[IbOrder]:
        """Return every order, oldest first; those of the venue that nobody has seen yet are taken up.

        Source: TWS API documentation, reqAllOpenOrders.
        """
        self._take_up_unseen()
        return iter(tuple(self._by_perm_id.values()))

    def open(self) -> list[IbOrder]:
        """Return every order that may still trade and is not kept back.

        Source: TWS API documentation, reqAllOpenOrders.
        """
        self._take_up_unseen()
        return [one for one in self._open.values() if one.is_told]

    def held(self) -> list[IbOrder]:
        """Return the open orders that no order of the venue bears, oldest first.

        Source: TWS API documentation, Order Status: PreSubmitted.
        """
        self._refresh()
        return list(self._held.values())

    def children(self, parent: IbOrder) -> list[IbOrder]:
        """Return the open orders that wait for another's fill, or that it took with it.

        Source: TWS API documentation, Bracket Orders: parentId.
        """
        self._refresh()
        return [one for one in self._open.values() if one.parent_perm_id == parent.perm_id]

    def of_group(self, account_id: str, group: str) -> list[IbOrder]:
        """Return the open orders of a group of which one ends or reduces the others.

        Source: TWS API documentation, One Cancels All: ocaGroup.
        """
        self._refresh()
        return [one for one in self._open.values() if one.account_id == account_id and one.text("ocaGroup") == group]

    def bind(self) -> list[IbOrder]:
        """Give the open orders that were entered in TWS itself ids by which client 0 may change them, and return those.

        Source: TWS API documentation, reqAutoOpenOrders: such ids are negative.
        """
        unbound = [one for one in self.open() if one.client_id == NO_CLIENT and not one.order_id]
        for order in unbound:
            lowest = min((order_id for _, order_id in self._by_ids), default=0)
            order.order_id = min(0, lowest) - 1
            self.save(order)
        return unbound

    def venue_name(self, account: str, order_ref: str, perm_id: int) -> str:
        """Return the id by which the venue shall know a new order: its mark, made different where one is open by that name.

        Source: TWS API documentation, Order: orderRef is the customer's mark, and need not be unique.
        """
        name = order_ref or f"perm-{perm_id}"
        taken = {one.client_order_id for one in self._side.venue.open_orders(account)}
        base = name
        while name in taken:
            self._suffix += 1
            name = f"{base}{_MARK}{self._suffix}"
        return name

    # --- inside -----------------------------------------------------------------------------------------------------

    def _refresh(self) -> dict[str, str]:
        """Return the venue's notes; where they are others than before (it was restored), read them."""
        notes = self._side.venue.notes(OWNER)
        if notes is not self._notes:
            self._notes = notes
            is_new = not self._last_ids  # else the surface knows the ids itself, and a fault may have lowered them
            for known in (self._by_perm_id, self._by_ids, self._by_venue_id, self._replaced, self._held, self._open):
                known.clear()
            for text in notes.values():
                self._take_in(_DECODER.decode(text))
            if is_new:
                for client_id, last in self._side.venue.notes(IDS_OWNER).items():
                    self._side.note_order_id(int(client_id), int(last))
        return notes

    def _take_in(self, order: IbOrder) -> None:
        """Take an order from the notes; its account may be seen under another id since it was saved."""
        account = self._side.account_of(order.account)
        if account is not None:
            order.account_id = order.asked["account"] = account.account_id
        self._index(order)

    def _index(self, order: IbOrder) -> None:
        self._by_perm_id[order.perm_id] = order
        if order.is_open:
            self._open[order.perm_id] = order
        else:
            self._open.pop(order.perm_id, None)
        if order.stage in ("waiting", "child"):
            self._held[order.perm_id] = order
        else:
            self._held.pop(order.perm_id, None)
        if order.order_id:
            self._by_ids[order.client_id, order.order_id] = order
            self._last_ids[order.client_id] = max(order.order_id, self._last_ids.get(order.client_id, 0))
        if order.venue_id:
            self._by_venue_id[order.venue_id] = order
        for former in order.former_ids:
            self._by_venue_id.pop(former, None)
            self._replaced[former] = order

    def _take_up_unseen(self) -> None:
        self._refresh()
        for account in self._side.accounts.values():
            for report in self._side.venue.open_orders(account.account):
                if report.order_id not in self._by_venue_id:
                    self.of_venue(account, report.instrument_id, report.order_id)

    def _forget(self, notes: dict[str, str]) -> None:
        oldest = next((one for one in self._by_perm_id.values() if not one.is_open), None)
        if oldest is None:
            return
        notes.pop(str(oldest.perm_id), None)
        self._by_perm_id.pop(oldest.perm_id)
        self._by_ids.pop((oldest.client_id, oldest.order_id), None)
        for venue_id in (oldest.venue_id, *oldest.former_ids):
            self._by_venue_id.pop(venue_id, None)
            self._replaced.pop(venue_id, None)

    def _take_up(self, account: IbAccount, contract: IbContract, report: OrderReport) -> IbOrder:
        is_open = report.status in _OPEN_AT_VENUE
        order = IbOrder(
            self.new_perm_id(), NO_CLIENT, 0, account.account_id, account.account, report.instrument_id,
            contract.con_id, asked_of_report(contract, report), "working" if is_open else "ended", report.order_id,
        )  # fmt: skip
        order.asked["account"] = account.account_id
        order.quantity, order.filled, order.cost = report.quantity, report.filled, report.cost
        order.created_ns = order.updated_ns = report.time_ns
        order.is_pending, order.trigger = report.pending, report.trigger_price
        if not is_open:
            order.end_status = FILLED if report.filled >= report.quantity else CANCELLED
            order.end_reason = report.reason
        self.save(order)
        return order
