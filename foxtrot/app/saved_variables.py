"""Saved variables of a running platform: read before the engine starts and written after it stops, never by its thread."""

from collections.abc import Mapping

from foxtrot.strategy.parameters import Value
from foxtrot.strategy.variables import VariableStore


class SavedVariables:
    """What strategies save, in memory between the start and the stop of a platform.

    Thread: made and written by main while the engine does not run; `load` and `save`, foxtrot-engine.
    """

    def __init__(self, files: VariableStore, strategy_ids: tuple[str, ...]) -> None:
        self._files = files
        self._values = {name: files.load(name) for name in strategy_ids}
        self._changed: set[str] = set()

    def load(self, strategy_id: str) -> dict[str, Value]:
        """Return what a strategy saved last, or nothing before the first time."""
        return dict(self._values.get(strategy_id, {}))

    def save(self, strategy_id: str, values: Mapping[str, Value]) -> None:
        """Keep what a strategy saves."""
        if values or self._values.get(strategy_id):
            self._values[strategy_id] = dict(values)
            self._changed.add(strategy_id)

    def write(self) -> None:
        """Write what was saved since the last time.

        Blocks: for the writing of a small file per strategy.
        """
        for name in sorted(self._changed):
            self._files.save(name, self._values[name])
        self._changed.clear()
