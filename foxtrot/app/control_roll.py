"""Who answers what is asked about rolling a position from one future into another."""

from itertools import count

from foxtrot.app.control_roll_requests import BeginRoll, FollowRoll, LegRow, PlanRoll, RollRow
from foxtrot.core.commands import RollPosition
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.strategy.line import Line
from foxtrot.trading.roll_orders import counted, left_of
from foxtrot.trading.roll_state import Roll


class RollAnswers:
    """Answers about rolls, and makes the command of a wish that passes its check.

    Thread: foxtrot-engine; `next_id` any.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._ids = count(1)
        self._planned: dict[str, Roll] = {}
        """What was begun last, for whoever asks before the engine has come to it."""

    def plan(self, request: PlanRoll) -> RollRow:
        """Return what a roll would do.

        Raises:
            FoxtrotError: it cannot be.
        """
        return self._row(self._line.rolling.plan(_wish(request, "", "", "")))

    def begin(self, request: BeginRoll) -> tuple[RollPosition, str]:
        """Return the command and the id under which the roll is followed.

        Raises:
            FoxtrotError: it cannot be.
        """
        made_id = f"roll-{self._line.dispatcher.clock.now_ns()}-{next(self._ids)}"
        wish = _wish(request, made_id, request.who, request.why, forget=request.forget)
        planned = self._line.rolling.plan(wish)
        self._planned = {planned.roll_id: planned}
        return wish, planned.roll_id

    def follow(self, request: FollowRoll) -> RollRow:
        """Return how far a roll has come.

        Raises:
            ConfigError: nothing is known of it.
        """
        found = self._line.rolling.told(request.roll_id) or self._planned.get(request.roll_id)
        if found is None:
            raise ConfigError(f"nothing is known of a roll {request.roll_id}")
        return self._row(found)

    def _row(self, found: Roll) -> RollRow:
        state = counted(found, self._line.desk)
        old, new = (self._line.instruments[name] for name in (state.old, state.new))
        side_of_old, side_of_new = state.sides
        to_open = state.units if not state.closing else state.closed_units
        legs = (
            self._leg(old, str(side_of_old), state.units, state.closing, reduces=True),
            self._leg(new, str(side_of_new), to_open, state.opening, reduces=False),
        )
        return RollRow(state.roll_id, state.owner, state.account, legs, state.over, state.stopped, left_of(state, old))

    def _leg(self, instrument: Instrument, side: str, units: int, orders: dict[str, int], *, reduces: bool) -> LegRow:
        records = self._line.desk.index.all
        fills = [trade for name in orders if name in records for trade in records[name].fills.values()]
        traded = sum(trade.quantity for trade in fills)
        average = sum(trade.price * trade.quantity for trade in fills) / traded if traded else 0.0
        quantity = instrument.quantity
        return LegRow(
            instrument.instrument_id,
            side,
            reduces,
            quantity(units),
            quantity(sum(orders.values())),
            average,
            tuple(orders),
        )


def _wish(request: PlanRoll | BeginRoll, roll_id: str, who: str, why: str, *, forget: bool = False) -> RollPosition:
    return RollPosition(
        roll_id, request.old, request.new, who, why, request.quantity, request.strategy, request.account, forget
    )
