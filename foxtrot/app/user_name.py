"""Who runs this process, as the system knows it."""

import getpass
import platform

from foxtrot.app.process_table import user_number
from foxtrot.domain.errors import FoxtrotError


def user_at_machine() -> str:
    """Return the user's name at the machine's.

    Raises:
        FoxtrotError: the user's id has no name, as in some containers.
    """
    try:
        name = getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise FoxtrotError("the system has no name for the user that runs this process") from None
    return f"{name}@{platform.node()}"


def some_user() -> str:
    """Return the user's name at the machine's, or the user's number where there is no name: somebody in any case."""
    try:
        return user_at_machine()
    except FoxtrotError:
        return f"uid {user_number()}@{platform.node()}"
