"""How a session comes by its link: TWS is found, greeted and asked who we are, asked again and again how it does, and let go."""

import asyncio
import re
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from loguru import logger

from foxtrot.adapter.ib.accounts import choose_account
from foxtrot.adapter.ib.errors import CLIENT_ID_USED, VENUE, IbError, NotLinked
from foxtrot.adapter.ib.link import IbLink, first_of
from foxtrot.adapter.ib.sdk import Sdk, load_sdk
from foxtrot.adapter.worker import Worker
from foxtrot.domain.errors import ConnectionLost, RequestTimedOut

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

BEAT_S: Final = 3.0
"""How often TWS is asked for its time."""
LOST_PATIENCE: Final = 4
"""How many times longer TWS may be silent while its own servers are not there."""
END_S: Final = 1.0
"""How long threads of a connection may take to go, before it is told that they have not."""
PORT: Final = re.compile(r"\b(\d{2,5})\b")


class Dialling:
    """Makes the links of a session, one after another, and hears what becomes of them.

    Thread: ib-io, except `join`.
    """

    def __init__(self, session: "IbSession") -> None:
        self.sdk: Sdk | None = None
        self.port = session.settings.port
        """Where TWS is; another one when it has said so."""
        self._session = session
        self._link: IbLink | None = None
        self._refusal = ""
        self._accounts: asyncio.Future[str] | None = None
        self._next_id: asyncio.Future[int] | None = None
        self._dial = _hands()
        self._old: list[Worker] = []
        self._ends: set[asyncio.Task[None]] = set()

    @property
    def link(self) -> IbLink | None:
        """Return the present link."""
        return self._link

    def present(self, kind: str) -> IbLink:
        """Return the present link.

        Raises:
            NotLinked: there is none.
        """
        if self._link is None:
            raise NotLinked(kind, "not connected to TWS")
        return self._link

    async def dial(self) -> None:
        """Make a link: connect, shake hands, hear the accounts and the next order id.

        Raises:
            AdapterError: TWS is not there, refused, or is mute.
            NotSetUp: the account of the settings is not there.
            ConfigError: ibapi cannot be used, or the file of order ids.
        """
        session, settings = self._session, self._session.settings
        if self.sdk is None:
            self.sdk = await self._dial.run(load_sdk)
        self._refusal = ""
        loop = asyncio.get_running_loop()
        self._accounts, self._next_id = loop.create_future(), loop.create_future()
        link = self._link = session.make_link(self.sdk)
        session.asks.begin_link()
        await self._connect(link, settings.host, self.port, settings.client_id)
        run = asyncio.ensure_future(link.hear_out())
        run.add_done_callback(partial(self._hear_gone, link))
        accounts = await self._within(self._hello(link, self._accounts, run), "managedAccounts")
        next_id = await self._within(self._hello(link, self._next_id, run), "nextValidId")
        chosen = choose_account(accounts, settings)
        session.known_account.check(chosen)
        session.account_id = chosen
        session.account_ids = tuple(part for part in accounts.split(",") if part)
        session.ids.open(session.account_id, next_id)

    async def beat(self) -> None:
        """Ask TWS for its time for as long as the link lasts; one that says nothing at all loses it."""
        session, mute_s = self._session, self._session.settings.mute_after_s
        while (link := self._link) is not None:
            await session.wait_s(min(BEAT_S, mute_s / 3))
            heard = session.heard
            patience_s = mute_s if session.linked else mute_s * LOST_PATIENCE
            try:
                await session.ask_time(link, patience_s)
            except RequestTimedOut:
                if session.heard == heard and self._link is link:
                    session.lose(f"TWS has said nothing for {patience_s:g} s")
            except ConnectionLost:
                return

    def hear_accounts(self, accounts: str) -> None:
        """Hear whose accounts there are, a list with commas."""
        if self._accounts is not None and not self._accounts.done():
            self._accounts.set_result(accounts)

    def hear_next_id(self, order_id: int) -> None:
        """Hear the next order id that TWS would take."""
        if self._next_id is not None and not self._next_id.done():
            self._next_id.set_result(order_id)

    def hear_refusal(self, error: IbError) -> None:
        """Hear why TWS is about to end the connection."""
        if error.code == CLIENT_ID_USED:
            used = self._session.settings.client_id
            self._refusal = f"{error}: client_id = {used} is in use; end the other program, or give this one another"
        else:
            self._refusal = str(error)

    def hear_port(self, text: str) -> int | None:
        """Hear that TWS listens elsewhere from now on; returns where, None when it does not say."""
        found = [int(number) for number in PORT.findall(text) if 0 < int(number) < 65_536]
        if not found:
            return None
        self.port = found[-1]
        return self.port

    def let_go(self, cause: str) -> None:
        """End the present link, in the background."""
        link, self._link = self._link, None
        self._session.forget_streams()
        if link is not None:
            link.end(cause)
            task = asyncio.get_running_loop().create_task(self._join(link), name="ib join")
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)

    async def ended(self) -> None:
        """Return when what was let go is gone."""
        await asyncio.gather(*self._ends, return_exceptions=True)

    def end(self) -> None:
        """Dial no more."""
        self._dial.end()

    def join(self) -> str:
        """Wait for the last thread to end; returns its name if it does not, or "".

        Blocks: at most a second.
        """
        stuck = [worker.name for worker in (self._dial, *self._old) if not worker.join(END_S)]
        return stuck[0] if stuck else ""

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _hello(self, link: IbLink, told: "asyncio.Future[Any]", run: "asyncio.Future[None]") -> Any:
        """Return what TWS tells a new client.

        Raises:
            ConnectionLost: it has ended the connection instead.
        """
        if not await first_of(told, run):
            raise ConnectionLost(VENUE, "connect", self._refusal or link.cause or "TWS ended the connection")
        return told.result()

    async def _within(self, answer: Coroutine[Any, Any, Any], what: str) -> Any:
        mute_s = self._session.settings.mute_after_s
        try:
            return await self._session.bridge.within(answer, mute_s)
        except RequestTimedOut as error:
            text = f"TWS took the connection and said nothing for {mute_s:g} s"
            raise RequestTimedOut(VENUE, what, text) from error

    async def _connect(self, link: IbLink, host: str, port: int, client_id: int) -> None:
        mute_s = self._session.settings.mute_after_s
        try:
            await self._session.bridge.within(self._dial.run(partial(link.dial, host, port, client_id)), mute_s)
        except RequestTimedOut as error:
            self._renew_thread()
            said = (
                f"{host}:{port} took the connection and said nothing"
                if link.is_connected
                else f"{host}:{port} was not reached"
            )
            raise RequestTimedOut(VENUE, "connect", f"{said} for {mute_s:g} s") from error
        except ConnectionLost:
            self.port = self._session.settings.port  # it is not where it said that it would be
            raise

    def _renew_thread(self) -> None:
        """Leave the thread to what holds it up, which may be the look-up of a name, and dial by another."""
        self._dial.end()
        self._old = [worker for worker in (*self._old, self._dial) if not worker.join(0.0)]
        self._dial = _hands()

    async def _join(self, link: IbLink) -> None:
        stuck = await self._dial.run(partial(link.join, END_S))
        if stuck:
            bound = logger.bind(account=self._session.account)
            bound.warning("of a connection to TWS that is given up, this stays: {}", stuck)

    def _hear_gone(self, link: IbLink, run: "asyncio.Future[None]") -> None:
        if not run.cancelled():
            run.exception()  # that it never began is told by whoever dialled
        if self._link is link:
            self._session.lose(self._refusal or link.cause or "the connection is gone")


def _hands() -> Worker:
    return Worker("ib-dial", lambda _thread: NotLinked("closed", "the session is closed"))
