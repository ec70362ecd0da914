"""Until when a venue wants no request; kept in a file, so that a ban outlives the process that earned it."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from loguru import logger

from foxtrot.core.clock import Clock
from foxtrot.core.private_file import FILE_MODE, make_private_folder

FOLDER: Final = "bans"


class Ban(msgspec.Struct, frozen=True):
    """What the file of a host says: until when (UTC, for the next process has another monotonic time), and why."""

    until_ns: int
    why: str


class QuietTime:
    """How long a host of a venue is not to be asked: what the last process was told counts for this one.

    Processes of one home that run at the same time do not hear of each other's bans before they start: each is told by the
    venue itself. A file that cannot be written or read is a warning; the venue's next refusal tells the time anew.

    Thread: one at a time.

    Blocks: for the disk, without waiting until it would outlive a power cut.

    Args:
        clock: measures what is left; its time of day counts once, when the file is read.
        home: where the file lies; None keeps nothing.
        host: whom the venue counts requests for, with its port where it has one.
        longest_s: what is believed of a time that was kept, for a clock may have been set since.
    """

    def __init__(self, clock: Clock, home: Path | None, host: str, longest_s: float) -> None:
        self.why = ""
        """Why nothing may be asked, in words."""
        self._clock = clock
        self._path = None if home is None else home / FOLDER / f"{host.replace(':', '_') or 'host'}.json"
        self._until_ns = 0
        ban = None if self._path is None else _read(self._path)
        left_ns = 0 if ban is None else min(ban.until_ns - clock.now_ns(), int(longest_s * 1e9))
        if ban is not None and left_ns > 0:
            self._until_ns, self.why = clock.monotonic_ns() + left_ns, ban.why
            logger.warning(
                "{}: {}, as an earlier process was told; no request for {:.0f} s", host, ban.why, self.left_s
            )

    @property
    def left_s(self) -> float:
        """Return for how long nothing may be asked."""
        return max(0.0, (self._until_ns - self._clock.monotonic_ns()) / 1e9)

    def begin(self, seconds: float, why: str) -> None:
        """Let nothing be asked for so long; one that ends later already stays."""
        until_ns = self._clock.monotonic_ns() + int(seconds * 1e9)
        if until_ns > self._until_ns:
            self._until_ns, self.why = until_ns, why
            self._keep(Ban(self._clock.now_ns() + int(seconds * 1e9), why))

    def _keep(self, ban: Ban) -> None:
        if self._path is None:
            return
        beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            make_private_folder(self._path.parent)
            descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
            with os.fdopen(descriptor, "wb") as file:
                file.write(msgspec.json.encode(ban))
            beside.replace(self._path)
        except OSError as error:
            with suppress(OSError):
                beside.unlink()  # what was begun of it
            logger.warning("{} cannot be written: {}; a restart would ask the venue too soon", self._path, error)


def _read(path: Path) -> Ban | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ban)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        logger.warning("{} cannot be read: {}; remove it. Whether the venue has banned us is not known", path, error)
        return None
