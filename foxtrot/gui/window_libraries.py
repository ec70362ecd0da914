"""What of the system a real window under X still needs, said before Qt is asked for one: Qt ends the program with a word about one library.

`python -m foxtrot.gui.window_libraries` prints the missing packages by their Debian names, nothing where all is there. Qt itself is not loaded.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Final

_PLUGIN: Final = Path("Qt", "plugins", "platforms", "libqxcb.so")
_MISSING: Final = re.compile(r"^\s*(\S+) => not found$", re.MULTILINE)
_NAME: Final = re.compile(r"(?P<name>.+?)\.so\.(?P<version>\d+)")
_ODD: Final = {"libglib-2.0.so.0": "libglib2.0-0", "libgthread-2.0.so.0": "libglib2.0-0"}
NO_SCREEN: Final = (
    "there is no screen to open a window on: neither DISPLAY nor WAYLAND_DISPLAY is set. Run it in a graphical session; "
    "without one use 'foxtrot run' and 'foxtrot status'"
)


def package_of(library: str) -> str:
    """Return the Debian package of a library: its name in small letters with its version, a dash between where the name ends in a digit."""
    found = _NAME.fullmatch(library)
    if library in _ODD or found is None:
        return _ODD.get(library, library)
    name = found["name"].lower()
    return f"{name}{'-' if name[-1].isdigit() else ''}{found['version']}"


def missing_packages(plugin: Path | None = None) -> list[str]:
    """Return the packages that Qt's part for X lacks here; none where that cannot be told: no Linux, no ldd, no Qt.

    Blocks: some hundredths of a second.

    Args:
        plugin: the library that is looked at, Qt's where it is not given.
    """
    place = plugin or _xcb_plugin()
    if not sys.platform.startswith("linux") or place is None:
        return []
    try:
        told = subprocess.run(["ldd", str(place)], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603, S607  (the plugin of our own Qt)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return sorted({package_of(library) for library in _MISSING.findall(told.stdout)})


def why_no_window(environment: Mapping[str, str]) -> str:
    """Return why no window can be opened here, "" where Qt may try."""
    if not sys.platform.startswith("linux"):
        return ""
    platform = environment.get("QT_QPA_PLATFORM", "")
    wayland = environment.get("WAYLAND_DISPLAY", "") or platform.startswith("wayland")
    if wayland or not (platform.startswith("xcb") or not platform):
        return ""
    if not environment.get("DISPLAY", ""):
        return NO_SCREEN
    missing = " ".join(missing_packages())
    return missing and f"a window needs system packages that are missing here: apt install {missing}"


def _xcb_plugin() -> Path | None:
    found = find_spec("PySide6")
    folders = found.submodule_search_locations if found is not None else None
    place = Path(folders[0]) / _PLUGIN if folders else None
    return place if place is not None and place.exists() else None


if __name__ == "__main__":
    sys.stdout.write(" ".join(missing_packages()) + "\n")
