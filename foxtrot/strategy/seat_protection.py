"""A strategy's side of protections: its names and wishes become positions and terms."""

from collections.abc import Callable, Mapping

import msgspec

from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderRequest
from foxtrot.strategy.denial_guard import RULE
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio, PositionKey
from foxtrot.trading.protection import Protections, ProtectionView
from foxtrot.trading.protection_state import ProtectionTerms

_RAISED = frozenset({"strategy_state", RULE})
"""What the seat raises instead of letting it be heard."""
_BOTH = (PositionSide.LONG, PositionSide.SHORT)


class SeatProtection:
    """The protections of one strategy's positions in its account.

    Thread: the dispatcher's.
    """

    def __init__(
        self, protections: Protections, desk: OrderDesk, portfolio: Portfolio, place: tuple[str, str], *, hedges: bool
    ) -> None:
        self._protections = protections
        self._desk = desk
        self._portfolio = portfolio
        self._owner, self._account = place
        self._hedges = hedges

    def enter(
        self, request: OrderRequest, side: PositionSide, terms: ProtectionTerms, send: Callable[[OrderRequest], str]
    ) -> str:
        """Send an entry together with what protects its position; a wrong protection is heard as a refusal of the entry.

        Raises:
            OrderRefused: as `send` does.
        """
        long = side is PositionSide.LONG
        key = (self._owner, self._account, request.instrument_id, request.position_side)
        try:
            if (request.side is Side.BUY) != long or request.reduce_only:
                raise OrderRefused("protection", "an order that opens or adds", f"{request.side} {side}")
            self._check_sides(request, terms, 1 if long else -1)
            return self._protections.enter(key, long=long, terms=terms, send=lambda: send(request))
        except OrderRefused as refusal:
            if refusal.rule in _RAISED:
                raise
            return self._desk.deny(request, self._owner, refusal)

    def _check_sides(self, request: OrderRequest, terms: ProtectionTerms, sign: int) -> None:
        """Refuse a stop or take-profit on the wrong side of the entry, which would close what was just opened.

        Raises:
            OrderRefused: with the price that the entry is judged by.
        """
        price = request.price or request.trigger_price or self._portfolio.view.mark(request.instrument_id)
        for name, value, where in (("stop_loss", terms.stop, sign), ("take_profit", terms.take_profit, -sign)):
            if price and value and (price - value) * where <= 0.0:
                place = "below" if where > 0 else "above"
                raise OrderRefused("protection", f"a {name} {place} the entry at {price}", str(value))

    def protect(self, instrument_id: str, wishes: Mapping[str, float | bool | None]) -> None:
        """Protect what is held of an instrument; a wish that is None stays as it was.

        Raises:
            OrderRefused: nothing is held, or the terms are wrong.
        """
        for key in self._places(instrument_id):
            known = self._protections.view(key)
            terms = ProtectionTerms() if known is None else known.terms
            given = {name: value for name, value in wishes.items() if value is not None}
            self._protections.protect(key, msgspec.structs.replace(terms, **given))

    def unprotect(self, instrument_id: str) -> bool:
        """Forget the protection of an instrument's position; False when there is none."""
        return sum(self._protections.unprotect(key) for key in self._places(instrument_id)) > 0

    def release(self) -> None:
        """Forget every protection: the positions are being closed."""
        self._protections.release(self._owner, self._account)

    def close(self, instrument_id: str, side: PositionSide) -> bool:
        """Let a protection close its position; False when there is none."""
        return self._protections.close((self._owner, self._account, instrument_id, side))

    def view(self, instrument_id: str) -> ProtectionView | None:
        """Return how the position in an instrument is protected, or None when it has no protection."""
        found = (self._protections.view(key) for key in self._places(instrument_id))
        return next((view for view in found if view is not None), None)

    def orders(self) -> frozenset[str]:
        """Return the ids of protective orders."""
        return self._protections.orders_of(self._owner)

    def cancel_others(self, *, keep_reducing: bool) -> int:
        """Cancel the strategy's open orders that are no part of a protection, or those of them that open or add."""
        protective = self.orders()
        if not protective:
            return self._desk.cancel_all(self._owner, keep_reducing=keep_reducing, account=self._account)
        records = [r for r in self._desk.open_records(self._owner, self._account) if not (keep_reducing and r.reduces)]
        return sum(self._desk.cancel(record.key) for record in records if record.key not in protective)

    def is_pending(self, instrument_id: str) -> bool:
        """Tell whether an order may still change the position; a protective one only once it has begun to fill."""
        protective = self.orders()
        pending = self._desk.pending_records(self._owner, instrument_id=instrument_id)
        return any(r.key not in protective or r.filled_units or not r.is_open for r in pending)

    def _places(self, instrument_id: str) -> list[PositionKey]:
        """Return the positions in an instrument: one, or in a hedging account those that are held or protected."""
        sides = _BOTH if self._hedges else (PositionSide.NET,)
        keys = [(self._owner, self._account, instrument_id, side) for side in sides]
        used = [key for key in keys if self._holds(key) or self._protections.view(key)]
        return used or keys[:1]

    def _holds(self, key: PositionKey) -> bool:
        position = self._portfolio.position(*key)
        return position is not None and position.whole_units != 0
