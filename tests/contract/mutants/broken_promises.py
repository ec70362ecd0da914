"""Which class breaks which promise: filled by the files of broken adapters as they are imported."""

from collections.abc import Callable

from foxtrot.adapter.simulated.adapter import SimulatedAdapter

Adapter = type[SimulatedAdapter]

BREAKS: dict[Adapter, int] = {}


def breaks(promise: int) -> Callable[[Adapter], Adapter]:
    """Note which promise a class breaks."""

    def note(mutant: Adapter) -> Adapter:
        BREAKS[mutant] = promise
        return mutant

    return note
