"""The variables of one strategy between its lives: given back before it begins, kept when it ends."""

from foxtrot.domain.errors import FoxtrotError
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.seat import Seat
from foxtrot.strategy.variables import VariableStore, restore_variables, variables_to_save


class KeptVariables:
    """Saves and gives back what a strategy declares as its variables; without a store it does neither.

    Thread: the dispatcher's.
    """

    def __init__(self, seat: Seat, store: VariableStore | None) -> None:
        self._seat = seat
        self._store = store

    def save(self, strategy: Strategy) -> None:
        """Keep a strategy's variables; a failure is logged, since nobody waits for it."""
        if self._store is None:
            return
        try:
            self._store.save(self._seat.strategy_id, variables_to_save(strategy))
        except FoxtrotError as error:
            self._seat.log(f"variables were not saved: {error}", "ERROR")

    def give_back(self, strategy: Strategy) -> None:
        """Set a strategy's variables to what was kept.

        Raises:
            ConfigError: a saved value does not fit the declaration of today.
        """
        if self._store is None:
            return
        forgotten = restore_variables(strategy, self._store.load(self._seat.strategy_id))
        if forgotten:
            self._seat.log(f"saved variables that are no longer declared: {', '.join(forgotten)}", "WARNING")
