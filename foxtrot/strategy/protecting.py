"""Protecting: the part of a strategy that guards its positions."""

from foxtrot.strategy.seat import Seat
from foxtrot.trading.protection import ProtectionView


class Protecting:
    """Stops, take-profits and trailing stops for positions that stand; entries bring their own as terms.

    Thread: the dispatcher's.
    """

    _seat: Seat

    def protect(
        self,
        instrument: str = "",
        *,
        stop: float | None = None,
        take_profit: float | None = None,
        trailing: float | None = None,
        local: bool | None = None,
    ) -> None:
        """Protect the position that stands; it outlives the strategy, and follows the position until that is flat.

        Args:
            instrument: id; the first instrument when empty.
            stop: price at which the position is closed at market; it rests at the venue unless `local`.
            take_profit: price at which it is sold.
            trailing: distance of a trailing stop from the best price since.
            local: keep every leg here, where it lives only as long as this process.

        What is None stays as it was, 0.0 takes it away.

        Raises:
            OrderRefused: nothing is held, it is being closed, or the prices are wrong.
        """
        wishes = {"stop": stop, "take_profit": take_profit, "trailing": trailing, "local": local}
        self._seat.protection.protect(self._seat.id_of(instrument), wishes)

    def unprotect(self, instrument: str = "") -> bool:
        """Take the protection of a position away, its orders at the venue included; False when there is none."""
        return self._seat.protection.unprotect(self._seat.id_of(instrument))

    def protection(self, instrument: str = "") -> ProtectionView | None:
        """Return how the position is protected (at the venue, while this process lives, naked), or None without a protection."""
        return self._seat.protection.view(self._seat.id_of(instrument))
