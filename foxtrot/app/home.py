"""Where state lives: --home, else FOXTROT_HOME, else the user's data folder."""

from collections.abc import Mapping
from pathlib import Path

VARIABLE = "FOXTROT_HOME"


def home_folder(option: str, environment: Mapping[str, str]) -> Path:
    """Return the home folder as an absolute path; it need not exist yet.

    Args:
        option: what --home says; empty when it says nothing.
        environment: the environment variables.
    """
    chosen = option or environment.get(VARIABLE, "")
    if chosen:
        return Path(chosen).expanduser().absolute()
    import platformdirs

    return Path(platformdirs.user_data_path("foxtrot", appauthor=False))
