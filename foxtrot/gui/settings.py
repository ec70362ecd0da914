"""What the user has chosen for the desktop, kept in the home folder; a file that cannot be read is set aside and said."""

from pathlib import Path
from typing import Final

import msgspec

from foxtrot.app.port_file import write_private
from foxtrot.gui.theme import Direction, Mode, Theme

NAME: Final = "desktop.json"
FOLDER: Final = "desktop"
"""Where in the home folder the desktop keeps what is its own."""
SCALES: Final = (1.0, 1.25, 1.5, 1.75, 2.0)


class DesktopSettings(msgspec.Struct):
    """Choices of looks and of habits. `shortcuts` are those that differ from the ones that came, by the name of the action."""

    mode: Mode = Mode.DARK
    direction: Direction = Direction.GREEN_UP
    scale: float = 1.0
    language: str = "en"
    workspace: str = "discretionary"
    zone: str = "UTC"
    sound: bool = True
    shortcuts: dict[str, str] = {}
    wizard_done: bool = False

    @property
    def theme(self) -> Theme:
        """Return the looks."""
        return Theme(self.mode, self.direction, min(max(self.scale, SCALES[0]), SCALES[-1]))


class SettingsFile:
    """The file that holds them.

    Thread: the desktop's.

    Args:
        folder: where it lies; it is made at the first save.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.set_aside: Path | None = None
        """Where a file that could not be read has gone."""
        self.unread = ""
        """Why it could not be read, "" where it could."""

    def load(self) -> DesktopSettings:
        """Return what was chosen; the choices that came where there is no file, or none that can be read."""
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=DesktopSettings)
        except FileNotFoundError:
            return DesktopSettings()
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
            self.unread = str(error)
            self.set_aside = set_aside(self.path)
            return DesktopSettings()

    def save(self, settings: DesktopSettings) -> None:
        """Write the choices.

        Blocks: for the disk, some kilobytes.

        Raises:
            ConfigError: they cannot be written.
        """
        write_private(self.path, msgspec.json.format(msgspec.json.encode(settings)), durable=False)


def set_aside(path: Path) -> Path | None:
    """Move a file that cannot be read out of the way; returns where it is now, None where it could not be moved."""
    aside = path.with_suffix(path.suffix + ".broken")
    try:
        return path.replace(aside)
    except OSError:
        return None
