"""The guardian's sign: how the platform that it watches sees that it does, and what it waits for until then."""

from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.app.port_file import write_private
from foxtrot.domain.errors import ConfigError

NAME = "guardian.json"


class GuardianSign(msgspec.Struct, frozen=True):
    """What the file says: which guardian watches which process, and by account what it waits for before it can cancel there."""

    pid: int
    watched: int
    waiting: dict[str, str]


class GuardianSignFile:
    """`guardian.json` in a home folder.

    Thread: any one.
    """

    def __init__(self, home: Path) -> None:
        self.path = home / NAME
        self._told: GuardianSign | None = None

    def tell(self, sign: GuardianSign) -> None:
        """Write it where it says something new; that it cannot be written is logged, and tried again.

        Blocks: for the disk.
        """
        if sign == self._told:
            return
        try:
            write_private(self.path, msgspec.json.encode(sign), durable=False)
        except ConfigError as error:
            logger.error("the platform cannot be told that it is watched: {}", error)
            return
        self._told = sign

    def read(self) -> GuardianSign | None:
        """Return what it says, None when it says nothing.

        Blocks: for the disk.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=GuardianSign)
        except (OSError, msgspec.MsgspecError, UnicodeError):
            return None
