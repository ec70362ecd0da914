"""What is left of a crash in native code: on stderr, the line at which each thread stood."""

import faulthandler
import sys


def tell_of_crashes() -> None:
    """Let a crash say where it was before the process dies of it; lines alone, no values, so that no secret is told.

    Whoever has asked for that already keeps it, and a process without stderr says nothing.

    Source: Python library reference, faulthandler.
    """
    if sys.stderr is not None and not faulthandler.is_enabled():
        faulthandler.enable()
