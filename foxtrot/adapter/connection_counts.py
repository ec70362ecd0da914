"""How often an adapter had to doubt its connections, and what came of it."""

import msgspec


class ConnectionFigures(msgspec.Struct, frozen=True):
    """Counts since the start; `probes` are questions to connections that were silent or about to be replaced.

    `replacements` were forced by silence, `rotations` planned by age; both go on without a gap wherever nothing was missed.
    """

    probes: int = 0
    failed_probes: int = 0
    replacements: int = 0
    rotations: int = 0
    failed_replacements: int = 0


class ConnectionCounts:
    """The counts of one adapter.

    Thread: the adapter's own; `figures` from any.
    """

    def __init__(self) -> None:
        self.probes = 0
        self.failed_probes = 0
        self.replacements = 0
        self.rotations = 0
        self.failed_replacements = 0

    def figures(self) -> ConnectionFigures:
        """Return the counts as they are now."""
        return ConnectionFigures(
            self.probes, self.failed_probes, self.replacements, self.rotations, self.failed_replacements
        )
