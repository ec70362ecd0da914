"""Cancel all, from anywhere in the window: asks how many there are, names them, and leaves what protects positions."""

from collections import Counter
from functools import partial
from typing import Final

import msgspec
from PySide6.QtCore import QObject, QTimer

from foxtrot.app.blotter_requests import ListProtections, ProtectionLegs
from foxtrot.app.control_requests import ListOrders, OrderRow, Orders
from foxtrot.domain.account import EXTERNAL
from foxtrot.gui.blotter_cells import name_of
from foxtrot.gui.desk import Desk
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.texts import tr

MOST: Final = 10_000


class CancelAll(QObject):
    """Cancels every open order of the account that is looked at, or of all, but for the legs that protect positions.

    The platform is asked what is open at this moment, for no panel need be there that shows it.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._account = ""
        self._busy = False

    def begin(self) -> None:
        """Ask what is open, then the person; while that goes on another wish is the same one."""
        if self._busy:
            return
        self._busy, self._account = True, self._desk.account
        self._desk.ask(ListProtections(account=self._account), self._hear_legs)

    def _hear_legs(self, found: msgspec.Struct | None, error: str) -> None:
        if not isinstance(found, ProtectionLegs):
            self._end(error)
            return
        kept = frozenset(leg.order_id for leg in found.legs if leg.order_id and leg.kept)
        self._desk.ask(ListOrders(account=self._account, limit=MOST), partial(self._hear_orders, kept))

    def _hear_orders(self, kept: frozenset[str], found: msgspec.Struct | None, error: str) -> None:
        if not isinstance(found, Orders):
            self._end(error)
            return
        rows = [row for row in found.orders if row.order_id not in kept]
        QTimer.singleShot(0, self, partial(self._ask_person, rows, len(found.orders) - len(rows)))  # not inside a flush

    def _ask_person(self, rows: list[OrderRow], kept: int) -> None:
        place = self._account or tr("window.all_accounts")
        stay = [tr("order.cancel_kept", count=kept)] if kept else []
        if not rows:
            self._desk.said.emit("INFO", " ".join([tr("order.nothing_to_cancel", account=place), *stay]))
        else:
            what = "\n".join([place, *_counts(rows), *stay])
            self._desk.actions.cancel_many(rows, what)
        self._end("")

    def _end(self, error: str) -> None:
        self._busy = False
        if error:
            self._desk.said.emit("WARNING", error)


def _counts(rows: list[OrderRow]) -> list[str]:
    """Return how many orders are whose, and that a strategy may place new ones."""
    by_owner = Counter((row.account, row.owner) for row in rows)
    lines = [f"  {account} · {_owner_text(owner)}: {count}" for (account, owner), count in sorted(by_owner.items())]
    own = (OWNER, EXTERNAL)
    return [*lines, tr("order.strategies_go_on")] if any(owner not in own for _, owner in by_owner) else lines


def _owner_text(owner: str) -> str:
    return name_of(owner) if owner in (OWNER, EXTERNAL) else owner
