"""Who runs this process, as the system knows it."""

import getpass
import platform

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
