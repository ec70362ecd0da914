"""How a verb that asks a running platform ends, and what it says on the way."""

import sys
from argparse import Namespace
from collections.abc import Callable
from typing import TypeVar, cast

import msgspec

from foxtrot.app.control_client import NoPlatform, PlatformBusy, PlatformFrozen, find_platform
from foxtrot.app.control_requests import Filter
from foxtrot.app.verbs.outcome import FAILED, NEEDS_PERSON, Outcome, error_object, one_line
from foxtrot.core.clock import SystemClock

A = TypeVar("A", bound=msgspec.Struct)


def asked(ask: Callable[[], Outcome]) -> Outcome:
    """Return what a question ends in; a platform that is there and does not answer needs a person, one that is not there failed."""
    try:
        return ask()
    except (NoPlatform, PlatformFrozen, PlatformBusy) as error:
        say(f"foxtrot: {one_line(error)}")
        return Outcome(error_object(error), "", NEEDS_PERSON if isinstance(error, PlatformFrozen) else FAILED)


def read(arguments: Namespace, request: Filter, kind: type[A]) -> tuple[A, dict[str, object], str]:
    """Return what a platform answers, or what its journal says last when it does not run; where that is from, and in words.

    Raises:
        ConfigError: the request names something that there is not, or the journal is damaged.
        FoxtrotError: no platform runs here and there is no journal, or it does not answer.
    """
    try:
        return find_platform(arguments.home).ask(request, kind), {"source": "platform", "age_s": 0.0}, ""
    except NoPlatform as none:
        from foxtrot.app.last_known import ask_journal

        known = ask_journal(arguments.home, request, SystemClock())
        if known is None:
            raise
        told = f"no platform runs in {arguments.home}: the last that its journal knows, {known.age_s:,.0f} s old\n\n"
        source: dict[str, object] = {
            "source": "journal", "age_s": round(known.age_s, 3), "journal": str(known.path), "cause": one_line(none),
        }  # fmt: skip
        return cast(A, known.answer), source, told


def say(text: str) -> None:
    """Tell a person something that is not the result."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
