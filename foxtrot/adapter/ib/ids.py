"""Order ids: never used twice by this program, whatever TWS says after a restart; what may be used is on the disk before it is.

Source: seen in reports: a TWS that was restarted gave ids out again that orders had had, and their callbacks went to two orders.
"""

from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec
from loguru import logger

from foxtrot.adapter.ib.errors import NotSetUp
from foxtrot.core.private_file import replace_private_file
from foxtrot.domain.errors import ConfigError

FOLDER: Final = "ib"
BLOCK: Final = 1_000
"""How many ids are put by at once, so that an order does not wait for the disk."""
LOW: Final = 250
"""How many of a block may be left before a new link puts more by."""
HIGHEST: Final = 1_400_000_000
"""The highest order id; request ids begin above."""


class _Mark(msgspec.Struct, frozen=True):
    """What the file says: ids below this may have been used."""

    reserved: int


class OrderIds:
    """The next order id of an account and a client id.

    Thread: ib-io.

    Args:
        home: the platform's folder; None keeps nothing, so that only TWS's word and the orders seen count.
        client_id: ids belong to a client id.
    """

    def __init__(self, home: Path | None, client_id: int) -> None:
        self._home = home
        self._client_id = client_id
        self._path: Path | None = None
        self._next = 1
        self._reserved = 1

    @property
    def following(self) -> int:
        """Return the id that is given out next."""
        return self._next

    def open(self, account_id: str, next_valid: int) -> None:
        """Begin with a new link: go on above whatever was used, here, by an earlier run, or as TWS has it.

        Blocks: for the disk.

        Raises:
            NotSetUp: TWS is beyond the ids that there are.
            ConfigError: the file cannot be read or written.
        """
        if next_valid >= HIGHEST:
            text = f"TWS's next order id is {next_valid}; reset it there: Global Configuration, API, Settings, Reset API order ID sequence"
            raise NotSetUp(text)
        if self._home is not None:
            self._path = self._home / FOLDER / f"{account_id}-{self._client_id}.json"
            self._next = max(self._next, self._read(self._path))
            self._reserved = max(self._reserved, self._next)
        self._next = max(self._next, next_valid)
        if self._reserved - self._next < LOW:
            self._reserve()

    def saw(self, order_id: int) -> None:
        """Note that an order of this client id has an id."""
        if self._next <= order_id < HIGHEST:
            self._next = order_id + 1

    def take(self) -> int:
        """Return an id that no order has had; it is on the disk that it may have been used.

        Blocks: for the disk, once in a thousand.

        Raises:
            ConfigError: the file cannot be written: nothing may be sent.
        """
        if self._next >= self._reserved:
            self._reserve()
        found = self._next
        self._next += 1
        return found

    def close(self) -> None:
        """Give back what was put by and not used; a file that cannot be written then keeps the higher mark."""
        if self._path is not None and self._next < self._reserved:
            with suppress(ConfigError):
                self._write(self._path, self._next)
                self._reserved = self._next

    def _reserve(self) -> None:
        reserved = self._next + BLOCK
        if self._path is not None:
            self._write(self._path, reserved)
        self._reserved = reserved

    def _read(self, path: Path) -> int:
        try:
            return msgspec.json.decode(path.read_bytes(), type=_Mark).reserved
        except FileNotFoundError:
            return 1
        except (OSError, msgspec.MsgspecError) as error:
            text = f"{path} cannot be read ({error}); which order ids were used is not known. Write a reserved id into it that is above them all"
            raise ConfigError(text) from error

    def _write(self, path: Path, reserved: int) -> None:
        try:
            replace_private_file(path, msgspec.json.encode(_Mark(reserved)))
        except OSError as error:
            logger.error("{} cannot be written: {}", path, error)
            raise ConfigError(f"{path} cannot be written ({error}); no order id can be used") from error
