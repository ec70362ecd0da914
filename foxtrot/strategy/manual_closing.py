"""Positions that a person closes, in part or in all, or turns round: what protects them is withdrawn before anything is sold."""

from decimal import Decimal
from math import inf

from msgspec.structs import replace

from foxtrot.core.commands import CancelAllOrders, ClosePosition, KillSwitch
from foxtrot.core.notices import OrderChanged, RequestFailed, TradeBooked
from foxtrot.domain.enums import OrderType, PositionSide, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderRequest
from foxtrot.strategy.seat import TradingParts
from foxtrot.trading.portfolio import PositionKey
from foxtrot.trading.position import Position
from foxtrot.trading.protection_state import ProtectionTerms

OWNER = "manual"
PATIENCE_NS = 30_000_000_000
"""So long a second step waits for the first; later the market is another one than the person saw."""
_OTHER = {PositionSide.LONG: PositionSide.SHORT, PositionSide.SHORT: PositionSide.LONG}


class _Second:
    """What is left to do once the first step is done.

    `legs` are the orders that must be gone, `terms` how the rest is protected again; `closing_id` is the order that makes a position
    flat which no protection closes.
    """

    __slots__ = ("closing_id", "legs", "request", "terms", "until_ns")

    def __init__(self, request: OrderRequest, until_ns: int) -> None:
        self.request = request
        self.until_ns = until_ns
        self.closing_id = ""
        self.legs: tuple[str, ...] = ()
        self.terms: ProtectionTerms | None = None


class ManualClosing:
    """Takes ClosePosition.

    A reduce-only order beside a resting stop would be refused, for together they sell more than there is. All of a position is closed by
    its protection, which withdraws its stop first. For a part the stop is watched here while the part is sold, then rests at the venue
    again for what is left; a process that dies in between watches it after its next start. The kill switch takes back what is left to do,
    and a restart forgets it.

    Thread: the dispatcher's.
    """

    def __init__(self, parts: TradingParts) -> None:
        self._parts = parts
        self._dispatcher = parts.dispatcher
        self._waiting: dict[PositionKey, _Second] = {}
        self._dispatcher.subscribe(ClosePosition, self.on_close, owner=OWNER, core=True)
        self._dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER, core=True)
        self._dispatcher.subscribe(TradeBooked, self.on_trade_booked, owner=OWNER, core=True)
        self._dispatcher.subscribe(CancelAllOrders, self.on_cancel_many, owner=OWNER, core=True)
        self._dispatcher.subscribe(KillSwitch, self.on_cancel_many, owner=OWNER, core=True)

    def on_close(self, command: ClosePosition) -> None:
        """Take the first step; RequestFailed says why it cannot be taken."""
        key = (command.owner, command.account, command.instrument_id, command.position_side)
        self._look(key)  # what has waited too long stands in nobody's way
        try:
            if not 0.0 <= command.quantity < inf:
                raise OrderRefused("quantity", "a quantity above 0, or 0 for all", str(command.quantity))
            position = self._held(key)
            if 0.0 < command.quantity < abs(position.exact_quantity) and not command.reverse:
                self._close_part(key, position, command.quantity)
            else:
                self._close_all(key, position, reverse=command.reverse)
        except OrderRefused as refusal:
            self._fail(key, str(refusal))

    def on_order_changed(self, change: OrderChanged) -> None:
        """Take the second step when the orders of the first have ended."""
        order = change.order
        self._look((change.strategy_id, order.account, order.instrument_id, order.position_side))

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Take the second step when a position has become flat."""
        trade = booked.trade
        self._look((booked.strategy_id, trade.account, trade.instrument_id, trade.position_side))

    def on_cancel_many(self, _command: CancelAllOrders | KillSwitch) -> None:
        """Take back every second step that sells or opens; what is left is protected again."""
        for key, second in list(self._waiting.items()):
            del self._waiting[key]
            self._protect_again(key, second)

    # --- steps ------------------------------------------------------------------------------------------------------

    def _close_all(self, key: PositionKey, position: Position, *, reverse: bool) -> None:
        closing = _market(key, position, abs(position.exact_quantity))
        if reverse:
            side = _OTHER.get(key[3], key[3])
            opening = replace(closing, reduce_only=False, position_side=side)
            self._waiting[key] = _Second(opening, self._until_ns())
        if not self._parts.protections.close(key):
            order_id = self._parts.desk.submit(closing, key[0])
            if order_id in self._parts.desk.denied:
                self._waiting.pop(key, None)
            elif reverse:
                self._waiting[key].closing_id = order_id
        self._look(key)

    def _close_part(self, key: PositionKey, position: Position, quantity: float) -> None:
        request = _market(key, position, quantity)
        view = self._parts.protections.view(key)
        if view is None or not view.order_ids:
            self._parts.desk.submit(request, key[0])
            return
        second = self._waiting[key] = _Second(request, self._until_ns())
        second.legs, second.terms = view.order_ids, view.terms
        try:
            self._parts.protections.protect(key, replace(view.terms, local=True))
        except OrderRefused:
            del self._waiting[key]
            raise
        self._look(key)

    def _look(self, key: PositionKey) -> None:
        """Take a second step whose time has come."""
        second = self._waiting.get(key)
        if second is None:
            return
        is_done, why = self._is_first_done(key, second), ""
        if self._parts.clock.monotonic_ns() > second.until_ns:
            why = "it took too long until what stood before was gone; nothing more was sent"
        elif not is_done and self._has_ended(second.closing_id):
            why = "the closing order has ended, and the position is not flat; nothing is opened on the other side"
        if not is_done and not why:
            return
        del self._waiting[key]
        if why:
            self._fail(key, why)
        else:
            self._parts.desk.submit(second.request, key[0])
        self._protect_again(key, second)

    def _has_ended(self, order_id: str) -> bool:
        """Tell whether an order was sent and can trade no more."""
        return bool(order_id) and not any(one.key == order_id for one in self._parts.desk.pending_records())

    def _is_first_done(self, key: PositionKey, second: _Second) -> bool:
        owner, account, instrument_id, side = key
        records = self._parts.desk.pending_records(owner, account, instrument_id)
        pending = [record for record in records if record.terms.position_side is side]
        if second.terms is not None:
            return not any(record.key in second.legs for record in pending)
        position = self._parts.portfolio.position(*key)
        closes = second.request.side
        return (position is None or not position.whole_units) and not any(r.terms.side is closes for r in pending)

    def _protect_again(self, key: PositionKey, second: _Second) -> None:
        """Let what is left of a position be protected as it was, or as somebody has wished since; one on the other side is another."""
        position, view = self._parts.portfolio.position(*key), self._parts.protections.view(key)
        if second.terms is None or view is None or position is None or not position.whole_units:
            return
        if (position.quantity > 0) is not (second.request.side is Side.SELL):
            return
        try:
            self._parts.protections.protect(key, replace(view.terms, local=second.terms.local))
        except OrderRefused as refusal:
            self._fail(key, str(refusal))

    # --- inside -----------------------------------------------------------------------------------------------------

    def _held(self, key: PositionKey) -> Position:
        owner, account, instrument_id, _ = key
        if account not in self._parts.adapters:
            known = ", ".join(sorted(self._parts.adapters)) or "none"
            raise OrderRefused("account", known, account or "(none)")
        position = self._parts.portfolio.position(*key)
        if position is None or not position.whole_units:
            raise OrderRefused("close", "a position to close", f"{owner} holds no {instrument_id}")
        if key in self._waiting:
            raise OrderRefused("close", "one at a time", f"{instrument_id} is being closed already")
        if not self._parts.protections.may_withdraw(key):
            why = f"no closing order of {account} may leave now, so that what protects {instrument_id} stays as it is"
            raise OrderRefused("gate", "a gate and a connection that let it through", account, why)
        return position

    def _until_ns(self) -> int:
        return self._parts.clock.monotonic_ns() + PATIENCE_NS

    def _fail(self, key: PositionKey, why: str) -> None:
        self._dispatcher.put(RequestFailed(key[1], f"close {key[2]}", why, self._parts.clock.now_ns()))


def _market(key: PositionKey, position: Position, quantity: float | Decimal) -> OrderRequest:
    """Return the order that closes so much of a position, in whole lots, and can do no more."""
    _, account, instrument_id, side = key
    one = position.instrument
    sells = Side.SELL if position.quantity > 0 else Side.BUY
    size = one.quantity(one.round_quantity_units(quantity))
    return OrderRequest(instrument_id, account, sells, OrderType.MARKET, size, reduce_only=True, position_side=side)
