"""What this process uses of what the system allows it, so that trading ends before the system refuses the next file or socket."""

import os
from importlib import import_module
from pathlib import Path

from foxtrot.core.heartbeat import Part

OPEN = (Path("/proc/self/fd"), Path("/dev/fd"))
"""Where Linux and macOS list what is open."""
LEAST_LEFT = 16
LEAST_SHARE = 0.05


def descriptors() -> tuple[int, int] | None:
    """Return how many descriptors are open and how many may be, None where the system does not tell."""
    folder = next((one for one in OPEN if one.is_dir()), None)
    if folder is None or os.name != "posix":
        return None
    resource = import_module("resource")
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return sum(1 for _ in folder.iterdir()), most


def descriptors_part() -> Part:
    """Return the descriptors as a part that all trading depends on: without one no connection and no file can be opened any more."""

    def death() -> str:
        found = descriptors()
        if found is None:
            return ""
        used, most = found
        if 0 < most - used < max(LEAST_LEFT, int(most * LEAST_SHARE)) or 0 < most <= used:
            return f"{used} of {most} are open; raise the limit (ulimit -n) or stop what opens them"
        return ""

    return Part(name="descriptors", death=death)
