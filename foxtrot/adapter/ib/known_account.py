"""Which account of IB an account of the platform is, also over restarts: TWS may be logged in to another one meanwhile."""

from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.adapter.ib.errors import NotSetUp
from foxtrot.adapter.ib.ids import FOLDER
from foxtrot.core.private_file import replace_private_file


class _Known(msgspec.Struct, frozen=True):
    """What the file says: IB's name of the account."""

    ib_account: str


class KnownAccount:
    """IB's account behind an account of the platform, kept in the home: what was traded is booked for that one.

    Args:
        home: the platform's folder; None keeps it for this run alone.
        account: the platform's name of the account.

    Thread: ib-io.
    """

    def __init__(self, home: Path | None, account: str) -> None:
        self._account = account
        self._path = home / FOLDER / f"account-{account}.json" if home is not None else None
        self._known = ""

    def check(self, chosen: str) -> None:
        """Take the account of a new link for ours, the first time for ever.

        Blocks: for the disk, on the first link.

        Raises:
            NotSetUp: this account of the platform is another one at IB; or the file that says so cannot be read.
        """
        known = self._known or self._read()
        if known and known != chosen:
            raise NotSetUp(self._words(known, chosen))
        if not known:
            self._write(chosen)
        self._known = chosen

    def _words(self, known: str, chosen: str) -> str:
        start_anew = f"start anew with a home folder of its own or as another [account.NAME], for what was traded as {self._account} is {known}'s"
        return f"TWS was logged in to {known} and is to {chosen} now; log it in to {known}, or {start_anew}"

    def _read(self) -> str:
        if self._path is None:
            return ""
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Known).ib_account
        except FileNotFoundError:
            return ""
        except (OSError, msgspec.MsgspecError) as error:
            text = f'{self._path} cannot be read ({error}); write {{"ib_account": "…"}} into it with the account of IB that {self._account} is'
            raise NotSetUp(text) from error

    def _write(self, chosen: str) -> None:
        """Keep the account; a disk that is full is no reason to be without a kill."""
        if self._path is None:
            return
        try:
            replace_private_file(self._path, msgspec.json.encode(_Known(chosen)))
        except OSError as error:
            logger.error(
                "{} cannot be written ({}): whether TWS is logged in to {} after a restart is not known then",
                self._path,
                error,
                chosen,
            )
