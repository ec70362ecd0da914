"""Entries of locked scopes: cancelled, and asked for again for as long as the lock stands, until none is open."""

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.domain.account import EXTERNAL
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_ids import is_ours
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.unwanted_orders import UnwantedOrders

OWNER = "locked_entries"


class LockedEntries:
    """Cancels every order of ours in a locked scope that may increase a position, as the kill switch does in all of them.

    A cancel that is lost or refused is asked for again with growing pauses, and at once when its account is ready or reconciled,
    or the order itself is told of. A scope is an owner ("" for all) in an account ("" for all).

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, desk: OrderDesk) -> None:
        self._desk = desk
        self._scopes: list[tuple[str, str]] = []
        self._unwanted = UnwantedOrders(dispatcher, desk, self._is_unwanted, OWNER)

    def hold(self, owner: str, account: str) -> None:
        """Let no entry of a scope stay from now on."""
        self._scopes.append((owner, account))
        self._unwanted.begin()

    def release(self, owner: str, account: str) -> None:
        """Let the entries of a scope be."""
        self._scopes.remove((owner, account))
        if not self._scopes:
            self._unwanted.end()

    def look(self) -> None:
        """Ask for what is open still, each when its turn has come; called by a timer."""
        if self._scopes:
            self._unwanted.sweep()

    def _is_unwanted(self, record: OrderRecord) -> bool:
        terms = record.terms
        if record.reduces or terms.account not in self._desk.adapters:
            return False
        if record.owner == EXTERNAL and not is_ours(terms.order_id):
            return False
        return any(owner in ("", record.owner) and account in ("", terms.account) for owner, account in self._scopes)
