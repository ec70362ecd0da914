"""Waiting for a condition instead of sleeping."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
    """Return when the condition holds; fail when it does not in time."""
    until = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"the condition did not hold within {deadline_s} s")
        time.sleep(0.01)
