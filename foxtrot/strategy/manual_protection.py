"""Brackets of people: what somebody enters or holds is protected by hand as a strategy's is."""

from foxtrot.core.commands import ProtectPosition, SendProtectedOrder
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import PositionMode, PositionSide, Side
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderRequest
from foxtrot.strategy.seat import TradingParts
from foxtrot.strategy.seat_protection import SeatProtection
from foxtrot.trading.protection_state import ProtectionTerms

OWNER = "manual"


class ManualProtection:
    """Takes the commands by which people protect what they enter or hold.

    Thread: the dispatcher's.
    """

    def __init__(self, parts: TradingParts) -> None:
        self._parts = parts
        self._dispatcher = parts.dispatcher
        self._dispatcher.subscribe(SendProtectedOrder, self.on_send, owner=OWNER, core=True)
        self._dispatcher.subscribe(ProtectPosition, self.on_protect, owner=OWNER, core=True)

    def on_send(self, command: SendProtectedOrder) -> None:
        """Send an entry with its protection; whatever refuses it is heard as a denied order."""
        request, owner = command.request, command.owner
        terms = ProtectionTerms(command.stop, command.take_profit, command.trailing)
        try:
            self._check(request)
        except OrderRefused as refusal:
            self._parts.desk.deny(request, owner, refusal)
            return
        side = PositionSide.LONG if request.side is Side.BUY else PositionSide.SHORT
        self._of(owner, request.account).enter(request, side, terms, lambda wish: self._parts.desk.submit(wish, owner))

    def on_protect(self, command: ProtectPosition) -> None:
        """Protect what is held; RequestFailed says why it cannot be."""
        wishes = {"stop": command.stop, "take_profit": command.take_profit, "trailing": command.trailing}
        protection = self._of(command.owner, command.account)
        try:
            self._check_place(command.account, command.instrument_id)
            if not any(wishes.values()) and None not in wishes.values():
                protection.unprotect(command.instrument_id)
                return
            protection.protect(command.instrument_id, wishes)
        except OrderRefused as refusal:
            now_ns, what = self._parts.clock.now_ns(), f"protect {command.instrument_id}"
            self._dispatcher.put(RequestFailed(command.account, what, str(refusal), now_ns))

    def _of(self, owner: str, account: str) -> SeatProtection:
        parts, hedges = self._parts, self._parts.modes.get(account) is PositionMode.HEDGING
        return SeatProtection(parts.protections, parts.desk, parts.portfolio, (owner, account), hedges=hedges)

    def _check(self, request: OrderRequest) -> None:
        """Refuse what a protection could not be made for.

        Raises:
            OrderRefused: account or instrument are not known, or the instrument is not named by its id.
        """
        self._check_place(request.account, request.instrument_id)

    def _check_place(self, account: str, instrument_id: str) -> None:
        if account not in self._parts.adapters:
            known = ", ".join(sorted(self._parts.adapters)) or "none"
            raise OrderRefused("account", known, account or "(none)")
        if instrument_id not in self._parts.instruments:
            raise OrderRefused("instrument", "a known instrument id", instrument_id or "(none)")
