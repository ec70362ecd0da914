"""What stands in the home folder of a platform that runs no more: a halt that the next start obeys, and what its guardian did."""

import re
from pathlib import Path

import msgspec

from foxtrot.app.guardian_words import CANCELS, LOG
from foxtrot.app.halt_file import Halt, HaltFile

MOST_LOG = 64 * 1024
"""So much of the end of the guardian's log is looked at."""
_LINE = re.compile(r"^(?P<time>\S+Z) [A-Z]+ +(?P<text>.*)$")
_ACCOUNT = re.compile(r"^account (?P<name>\S+): (?!nothing can be cancelled)")


class GuardianActs(msgspec.Struct, frozen=True):
    """What the guardian did the last time that it had to: when, why, and what it said last of each account."""

    time: str
    why: str
    accounts: tuple[str, ...]


class LeftBehind(msgspec.Struct, frozen=True):
    """The halt that stands, None when there is none, and what the guardian did, None when it had to do nothing lately."""

    halt: Halt | None
    guardian: GuardianActs | None


def read_left_behind(home: Path, since_ns: int) -> LeftBehind:
    """Return what stands in a home folder; acts of the guardian of before a time (UTC) are of an earlier run.

    Blocks: for the disk.
    """
    log = home / LOG
    try:
        is_young = log.stat().st_mtime_ns >= since_ns
        acts = _acts(_tail(log)) if is_young else None
    except OSError:
        acts = None
    return LeftBehind(HaltFile(home).read(), acts)


def _tail(path: Path) -> list[str]:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - MOST_LOG))
        return file.read(MOST_LOG).decode("utf-8", "replace").splitlines()


def _acts(lines: list[str]) -> GuardianActs | None:
    """Return what stands after the last line that says that it cancels."""
    found = [match for line in lines if (match := _LINE.match(line))]
    begins = [place for place, match in enumerate(found) if match["text"].endswith(f": {CANCELS}")]
    if not begins:
        return None
    first = found[begins[-1]]
    told = {
        account["name"]: match["text"] for match in found[begins[-1] :] if (account := _ACCOUNT.match(match["text"]))
    }
    return GuardianActs(first["time"], first["text"].removesuffix(f": {CANCELS}"), tuple(told.values()))
