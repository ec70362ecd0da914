"""Everything by which a person trades from the desktop: one door, so that a click is one order and a live account asks first."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final, Protocol

from PySide6.QtCore import QObject, Signal

from foxtrot.app.control_requests import Cancel
from foxtrot.app.user_name import user_at_machine
from foxtrot.core.commands import (
    AmendOrder,
    ClosePosition,
    ProtectPosition,
    ReplaceOrder,
    SendOrder,
    SendProtectedOrder,
)
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.gui.desk import Desk
from foxtrot.gui.order_outcomes import Outcomes
from foxtrot.gui.texts import tr

OWNER: Final = "manual"
"""In whose name a person's orders are placed."""
SAME_WITHIN_S: Final = 0.4
"""The same wish again within this time is a double click or a key that was held, and no second order."""


class Confirm(Protocol):
    """Asks the person; a test answers instead."""

    def __call__(self, title: str, text: str) -> bool:
        """Return whether it is to be done."""
        ...


class Cancellable(Protocol):
    """An order as far as cancelling needs it."""

    @property
    def order_id(self) -> str:
        """Return its id."""
        ...


class OrderActions(QObject):
    """Places, changes and cancels in the name of a person.

    In LIVE, and for whatever touches several orders at once, the person is asked, unless asking was switched off for this run of the
    program; `armed` lets the ladder send on one click.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        confirm: asks the person.
        clock: tells seconds, to know a double click from two wishes.
    """

    armed_changed = Signal(bool)

    def __init__(self, desk: Desk, confirm: Confirm, clock: Callable[[], float] = monotonic) -> None:
        super().__init__(desk)
        desk.actions = self
        self.confirm = confirm
        self.asks_in_live = True
        self.armed = False
        self.who = _user()
        self._desk = desk
        self._clock = clock
        self._last: tuple[object, float] = (None, 0.0)
        self._outcomes = Outcomes(desk, self)
        for moved in (desk.connected, desk.account_chosen, desk.gate_changed):
            moved.connect(self._disarm)
        desk.bridge.on(AdapterStatus, self._hear_status)

    def arm(self, *, armed: bool) -> None:
        """Let one click in the ladder send, or not; in LIVE the person is asked first, for no order is asked about then."""
        if armed and not self.armed and not self._agreed(tr("order.arm_title"), tr("order.arm_text"), ask=True):
            return
        if armed != self.armed:
            self.armed = armed
            self.armed_changed.emit(armed)

    # --- orders -----------------------------------------------------------------------------------------------------

    def place(self, request: OrderRequest, text: str, *, ask: bool = True) -> bool:
        """Send an order to the desk, which judges it as any; `text` says it in words. False when it was not sent."""
        doubted = self._with_doubt(text, request)
        if self._is_repeated(request) or not self._agreed(tr("order.confirm_title"), doubted, ask=ask):
            return False
        return self._desk.put(SendOrder(request, OWNER))

    def place_together(self, title: str, orders: Sequence[SendOrder | ClosePosition], text: str) -> bool:
        """Send what belongs together, in its order, each for its owner; the person is always asked, once."""
        if not orders or self._is_repeated(tuple(orders)) or not self.confirm(title, text):
            return False
        self._outcomes.await_closing(order for order in orders if isinstance(order, ClosePosition))
        taken = [self._desk.put(order) for order in orders]  # each of them, whatever became of the one before
        return all(taken)

    def protect(self, wish: ProtectPosition, text: str) -> bool:
        """Protect a position, or change how."""
        if self._is_repeated(wish) or not self._agreed(tr("order.protect_title"), text, ask=True):
            return False
        return self._desk.put(wish)

    def unprotect(self, wish: ProtectPosition, text: str) -> bool:
        """Take stop or take profit away, whichever `wish` sets to 0.0; the person is always asked, for it raises risk."""
        if self._is_repeated(wish) or not self.confirm(tr("order.unprotect_title"), text):
            return False
        return self._desk.put(wish)

    def place_protected(self, order: SendProtectedOrder, text: str, *, ask: bool = True) -> bool:
        """Send an entry with its bracket; the position is protected from its first fill on."""
        doubted = self._with_doubt(text, order.request)
        if self._is_repeated(order) or not self._agreed(tr("order.confirm_title"), doubted, ask=ask):
            return False
        return self._desk.put(order)

    def amend(self, request: AmendRequest, text: str, *, ask: bool = True) -> bool:
        """Change a resting order."""
        if self._is_repeated(request) or not self._agreed(tr("order.amend_title"), text, ask=ask):
            return False
        self._outcomes.await_change(request.order_id)
        return self._desk.put(AmendOrder(request))

    def replace(self, request: AmendRequest, text: str, *, ask: bool = True) -> bool:
        """Change a resting order where the venue changes none: it is cancelled, then what is left of it is placed."""
        if self._is_repeated(request) or not self._agreed(tr("order.amend_title"), text, ask=ask):
            return False
        self._outcomes.await_change(request.order_id)
        return self._desk.put(ReplaceOrder(request))

    def cancel(self, order_id: str) -> None:
        """Cancel one order; nobody is asked, for it lowers risk."""
        if self._is_repeated(("cancel", order_id)):
            return
        self._desk.ask(Cancel(order_id=order_id, who=self.who), self._say_refusal)

    def cancel_many(self, orders: Sequence[Cancellable], what: str) -> bool:
        """Cancel several orders after asking; `what` says which. False when the person said no."""
        if not orders:
            return False
        text = tr("order.cancel_many", count=len(orders), what=what)
        if not self.confirm(tr("order.cancel_title"), text):
            return False
        for order in orders:
            self._desk.ask(Cancel(order_id=order.order_id, who=self.who), self._say_refusal)
        return True

    # --- inside -----------------------------------------------------------------------------------------------------

    def _disarm(self) -> None:
        """Arm no more: account, platform or gate are not those for which it was done."""
        self.arm(armed=False)

    def _hear_status(self, status: AdapterStatus) -> None:
        """Arm no more once a connection is lost: when it is back the market is another."""
        if status.state is not AdapterState.READY:
            self._disarm()

    def _agreed(self, title: str, text: str, *, ask: bool) -> bool:
        must = self._desk.is_live and self.asks_in_live
        return self.confirm(title, text) if ask and must else True

    def _with_doubt(self, text: str, request: OrderRequest) -> str:
        """Return an order in words, with why the prices that it was made by may be wrong."""
        doubt = self._desk.doubt(request.instrument_id, request.account)
        return f"{text}\n\n⚠ {doubt}" if doubt else text

    def _is_repeated(self, wish: object) -> bool:
        last, at_s = self._last
        now_s = self._clock()
        self._last = (wish, now_s)
        return wish == last and now_s - at_s < SAME_WITHIN_S

    def _say_refusal(self, found: object, error: str) -> None:
        if error:
            self._desk.said.emit("WARNING", error)


def _user() -> str:
    """Return in whose name wishes stand in the journal."""
    try:
        return user_at_machine()
    except FoxtrotError:
        return "desktop"
