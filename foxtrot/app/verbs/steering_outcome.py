"""How a verb that asks a running platform ends, and what it says on the way."""

import sys
from collections.abc import Callable

from foxtrot.app.control_client import NoPlatform, PlatformBusy, PlatformFrozen
from foxtrot.app.verbs.outcome import FAILED, NEEDS_PERSON, Outcome, error_object, one_line


def asked(ask: Callable[[], Outcome]) -> Outcome:
    """Return what a question ends in; a platform that is there and does not answer needs a person, one that is not there failed."""
    try:
        return ask()
    except (NoPlatform, PlatformFrozen, PlatformBusy) as error:
        say(f"foxtrot: {one_line(error)}")
        return Outcome(error_object(error), "", NEEDS_PERSON if isinstance(error, PlatformFrozen) else FAILED)


def say(text: str) -> None:
    """Tell a person something that is not the result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
