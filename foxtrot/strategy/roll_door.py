"""The part of a strategy that carries its futures on."""

from decimal import Decimal

from foxtrot.core.commands import RollPosition
from foxtrot.domain.errors import OrderRefused
from foxtrot.strategy.seat import Seat


class RollDoor:
    """Lets a strategy roll its own positions.

    Thread: the dispatcher's.
    """

    _seat: Seat

    def roll(self, old: str, new: str, quantity: float = 0.0) -> None:
        """Close a position in a future at the market and open the same in a later contract.

        It goes on by itself, one leg after the other; orders and fills of both are heard as any others. What it cannot do is in the
        log. A roll that was cut goes on when it is wished again. Cancel own orders in the old contract first.

        Args:
            old: the contract that is held, by id or symbol.
            new: the contract to hold.
            quantity: how many contracts; 0.0 is all of them.

        Raises:
            OrderRefused: the strategy may not trade now.
        """
        seat = self._seat
        if not seat.may_trade:
            text = f"{seat.strategy_id} is {seat.state}: a roll needs a running strategy"
            raise OrderRefused("strategy_state", "running", seat.state, text)
        name = f"roll-{seat.strategy_id}-{seat.clock.now_ns()}-{old}-{new}"
        wish = RollPosition(
            name,
            old,
            new,
            seat.strategy_id,
            "its own wish",
            Decimal(repr(float(quantity))),
            seat.strategy_id,
            seat.account,
        )
        seat.dispatcher.put(wish)
