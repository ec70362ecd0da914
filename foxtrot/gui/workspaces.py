"""Named workspaces: which panels stand where; saved as JSON with a version, restored onto whatever screen there is."""

import base64
import re
from pathlib import Path
from typing import Final, Literal

import msgspec
from PySide6.QtCore import QByteArray

from foxtrot.app.port_file import write_private
from foxtrot.domain.errors import ConfigError
from foxtrot.gui.panel import State
from foxtrot.gui.settings import set_aside
from foxtrot.gui.whole_file import write_whole

VERSION: Final = 1
CAME_WITH: Final = ("discretionary", "strategies", "research", "monitor")
"""The workspaces that every desktop has; a saved one of the same name takes its place until it is reset."""
_NAME: Final = re.compile(r"[\w -]{1,40}")
Area = Literal["left", "right", "top", "bottom", "centre"]


class PlacedPanel(msgspec.Struct, frozen=True):
    """One panel: its kind, a name that is its own in this workspace, and what it saved."""

    kind: str
    name: str
    state: State = {}


class Workspace(msgspec.Struct, frozen=True):
    """A workspace as it is saved; `layout` and `geometry` are Qt's own, in base 64."""

    name: str
    panels: tuple[PlacedPanel, ...]
    layout: str = ""
    geometry: str = ""
    version: int = VERSION

    def layout_bytes(self) -> QByteArray:
        """Return the places of the docks."""
        return QByteArray(base64.b64decode(self.layout, validate=True))

    def geometry_bytes(self) -> QByteArray:
        """Return place and size of the window."""
        return QByteArray(base64.b64decode(self.geometry, validate=True))


def encoded(data: QByteArray) -> str:
    """Return what Qt has saved, as text."""
    return base64.b64encode(data.data()).decode("ascii")


class DefaultPanel(msgspec.Struct, frozen=True):
    """Where a panel stands in a workspace that came with the desktop: its area, the panel it shares a tab with, a share of the space."""

    kind: str
    area: Area
    tab_with: str = ""
    below: str = ""
    size: int = 300


DEFAULTS: Final[dict[str, tuple[DefaultPanel, ...]]] = {
    "discretionary": (
        DefaultPanel("watchlist", "left", size=330),
        DefaultPanel("chart", "centre"),
        DefaultPanel("ladder", "right", size=320),
        DefaultPanel("ticket", "right", below="ladder", size=424),
        DefaultPanel("positions", "bottom", size=240),
        DefaultPanel("orders", "bottom", tab_with="positions"),
        DefaultPanel("fills", "bottom", tab_with="positions"),
        DefaultPanel("protections", "bottom", tab_with="positions"),
        DefaultPanel("accounts", "bottom", tab_with="positions"),
        DefaultPanel("log", "bottom", tab_with="positions"),
    ),
    "strategies": (
        DefaultPanel("strategies", "centre"),
        DefaultPanel("performance", "right", size=460),
        DefaultPanel("positions", "bottom", size=240),
        DefaultPanel("orders", "bottom", tab_with="positions"),
        DefaultPanel("fills", "bottom", tab_with="positions"),
        DefaultPanel("log", "bottom", tab_with="positions"),
    ),
    "research": (
        DefaultPanel("backtester", "centre"),
        DefaultPanel("chart", "right", size=620),
        DefaultPanel("log", "bottom", size=160),
    ),
    "monitor": (
        DefaultPanel("positions", "centre"),
        DefaultPanel("connections", "right", size=460),
        DefaultPanel("risk", "right", below="connections", size=360),
        DefaultPanel("accounts", "bottom", size=220),
        DefaultPanel("orders", "bottom", tab_with="accounts"),
        DefaultPanel("log", "bottom", tab_with="accounts"),
    ),
}


class WorkspaceFiles:
    """The saved workspaces, a file each.

    Thread: the desktop's.

    Args:
        folder: where they lie; made at the first save.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.set_aside: dict[str, Path] = {}
        """Workspaces whose file could not be read, and where it is now."""
        self.unread: dict[str, str] = {}
        """Those whose file could not be moved either, and what is wrong with it."""

    def names(self) -> list[str]:
        """Return the names of all workspaces: those that came, then those that the user made."""
        saved = sorted(path.stem for path in self.folder.glob("*.json")) if self.folder.is_dir() else []
        return [*CAME_WITH, *(name for name in saved if name not in CAME_WITH)]

    def load(self, name: str) -> Workspace | None:
        """Return a saved workspace; None where there is none, or none that can be read, which is then set aside."""
        path = self._path(name)
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Workspace)
            if found.version != VERSION:
                raise ValueError(f"version {found.version}")
            found.layout_bytes(), found.geometry_bytes()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            aside = set_aside(path)
            if aside is not None:
                self.set_aside[name] = aside
            else:
                self.unread[name] = str(error)
            return None
        return found

    def save(self, workspace: Workspace) -> None:
        """Write a workspace.

        Blocks: for the disk, some kilobytes.

        Raises:
            ConfigError: its name cannot be a file's, or the file cannot be written.
        """
        path = self._path(workspace.name)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"{self.folder} cannot be made: {error}") from error
        write_private(path, msgspec.json.format(msgspec.json.encode(workspace)), durable=False)

    def give_out(self, workspace: Workspace, path: Path) -> str:
        """Write a workspace into a file for somebody else; returns its name.

        Blocks: for the disk, some kilobytes.

        Raises:
            ConfigError: it cannot be written.
        """
        try:
            write_whole(path, msgspec.json.format(msgspec.json.encode(workspace)))
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error.strerror or error}") from None
        return workspace.name

    def take_in(self, path: Path) -> str:
        """Keep a workspace that somebody gave out; returns its name, which is another one where there is one of that name.

        Blocks: for the disk, some kilobytes.

        Raises:
            ConfigError: it cannot be read, is no workspace, or one of another version.
        """
        try:
            found = msgspec.json.decode(path.read_bytes(), type=Workspace)
            found.layout_bytes(), found.geometry_bytes()
        except OSError as error:
            raise ConfigError(f"{path} cannot be read: {error.strerror or error}") from None
        except ValueError as error:
            raise ConfigError(f"{path} is no workspace: {error}") from None
        if found.version != VERSION:
            raise ConfigError(f"{path} is a workspace of version {found.version}; this desktop reads version {VERSION}")
        name, taken = found.name, self.names()
        for number in range(2, 100):
            if name not in taken:
                break
            name = f"{found.name[:36]} {number}"
        self.save(msgspec.structs.replace(found, name=name))
        return name

    def remove(self, name: str) -> None:
        """Forget a saved workspace; one that came with the desktop is as it came then.

        Raises:
            ConfigError: its file cannot be removed.
        """
        path = self._path(name)
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise ConfigError(f"{path} cannot be removed: {error.strerror or error}") from None

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ConfigError(f"workspace {name!r} must be named with at most 40 letters, digits, spaces, - and _")
        return self.folder / f"{name}.json"
