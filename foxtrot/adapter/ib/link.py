"""One connection to TWS: the client, the thread that hears (ib-run), the thread that sends (ib-send), and how they end."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.ib.client import shown
from foxtrot.adapter.ib.connection import Outgoing, PermitCheck
from foxtrot.adapter.ib.errors import NOT_CONNECTED, VENUE, IbError, NotLinked, PermitClosed, failure_of
from foxtrot.adapter.ib.pacing import Lane
from foxtrot.adapter.ib.sdk import Sdk
from foxtrot.adapter.ib.wrapper import Handler, Heard
from foxtrot.adapter.worker import Worker
from foxtrot.domain.errors import ConnectionLost, VenueRejected

Send = Callable[[Any], None]
"""Makes one request of the client that it is given; called on ib-send."""
LOWEST_VERSION: Final = 150
"""The oldest protocol that is spoken: completed orders came with it. Source: TWS API, server versions."""
TOLD: Final = 20
"""How many bad messages of a link are logged one by one."""


class IbLink:
    """A client, its threads, and what becomes of them.

    Thread: ib-io, except what says otherwise.

    Args:
        sdk: ibapi.
        account: ours, for the log.
        on_run: by callback who hears it on ib-run.
        hear: hears every other callback, on ib-run.
    """

    def __init__(self, sdk: Sdk, account: str, on_run: Mapping[str, Handler], hear: Heard) -> None:
        self.sdk = sdk
        self.bad_messages = 0
        self._log = logger.bind(account=account)
        self.wrapper, self._client = sdk.make(hear, self._hear_bad)
        for name, handler in on_run.items():
            self.wrapper.listen(name, handler)
        self._send = Worker("ib-send", lambda _thread: NotLinked("not_connected", "the connection to TWS is gone"))
        self._run = Worker("ib-run", lambda _thread: NotLinked("not_connected", "the connection to TWS is gone"))
        self._ended = False

    @property
    def is_connected(self) -> bool:
        """Tell whether the socket stands; the handshake may not be done."""
        dialled = self._client.dialled
        return dialled is not None and bool(dialled.isConnected())

    @property
    def cause(self) -> str:
        """Return why the connection is closed, "" while it is not."""
        dialled = self._client.dialled
        return str(dialled.cause) if dialled is not None else ""

    @property
    def told_time(self) -> str:
        """Return the gateway's clock as it told it in the handshake, "20261128 09:30:00 EST"; "" before.

        Source: TWS API, handshake: time of the connection; bytes in ibapi 9.81, text in later ones.
        """
        told = self._client.twsConnectionTime()
        return told.decode("ascii", "replace") if isinstance(told, bytes) else str(told or "")

    def dial(self, host: str, port: int, client_id: int) -> None:
        """Connect and shake hands; called on ib-dial.

        Blocks: until TWS has told its version, or `end`.

        Raises:
            ConnectionLost: it is not there, or is no TWS, or not wanted any more.
        """
        if self._ended:
            raise ConnectionLost(VENUE, "connect", "the connection is not wanted any more")
        errors = self.wrapper.catch_errors()
        try:
            self._client.connect(host, port, client_id)
        except (ValueError, TypeError, AttributeError, OSError) as error:
            self._client.drop(f"what answered is no TWS: {error}")
        finally:
            self.wrapper.release_errors()
        self._name_reader()
        version = self._client.serverVersion()
        if version is None:  # one that is closed already may have said why: that is in the queue
            words = self.cause or "; ".join(map(str, errors)) or "TWS ended the handshake"
            raise ConnectionLost(VENUE, "connect", words)
        if version < LOWEST_VERSION:
            self._client.drop(f"TWS speaks version {version} of the protocol; install TWS 9.79 or later")
            raise ConnectionLost(VENUE, "connect", self.cause)

    async def hear_out(self) -> None:
        """Let the callbacks be called until the connection is gone.

        Blocks: not the loop; returns when every message that came has been heard.
        """
        await self._run.run(self._client.run)

    async def send(self, send: Send, lane: Lane, permit_check: PermitCheck | None = None) -> None:
        """Make a request; of those that wait the most urgent goes first.

        Raises:
            NotLinked: nothing left.
            PermitClosed: the send permit did not let it leave: nothing did.
            VenueRejected: ibapi itself refused it: nothing left.
            ConnectionLost: the connection broke while it was being sent: what TWS has of it is not known.
        """
        await self._send.run(partial(self._make, send, permit_check), rank=lane)

    def end(self, cause: str) -> None:
        """Close the connection, hear nothing more, begin no request; returns at once; from any thread."""
        self._ended = True
        self.wrapper.deaf = True
        self._client.drop(cause)
        self._send.end()
        self._run.end()

    def join(self, deadline_s: float) -> str:
        """Wait for the threads to go after `end`; returns what overran, or "".

        Blocks: at most `deadline_s` for each of them, and they go at once unless one is stuck.
        """
        stuck = [worker.name for worker in (self._send, self._run) if not worker.join(deadline_s)]
        reader = self._client.reader
        if reader is not None and reader.ident is not None:
            reader.join(deadline_s)
            stuck += [reader.name] if reader.is_alive() else []
        return ", ".join(stuck)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _name_reader(self) -> None:
        if self._client.reader is not None:
            self._client.reader.name = "ib-reader"

    def _make(self, send: Send, permit_check: PermitCheck | None) -> None:
        """Make a request, on ib-send."""
        dialled = self._client.dialled
        if dialled is None or not dialled.isConnected():
            raise NotLinked("not_connected", self.cause or "not connected to TWS")
        outgoing = dialled.outgoing = Outgoing(permit_check)
        errors = self.wrapper.catch_errors()
        fault: Exception | None = None
        try:
            send(self._client)
        except (ValueError, TypeError, AttributeError, OSError) as error:
            fault = error  # of ibapi, for a field that cannot be sent, or a connection that has gone meanwhile
        finally:
            self.wrapper.release_errors()
            dialled.outgoing = None
        self._judge(outgoing, errors, fault)

    def _judge(self, outgoing: Outgoing, errors: list[IbError], fault: Exception | None) -> None:
        """Raise what became of a request unless the whole of it left."""
        if outgoing.whole:
            return
        if outgoing.refused:
            raise PermitClosed("")
        if outgoing.begun:
            raise ConnectionLost(VENUE, "send", outgoing.failure or "the connection broke")
        if outgoing.failure:
            raise NotLinked("not_connected", outgoing.failure)
        refusals = [error for error in errors if error.code != NOT_CONNECTED]
        if refusals:
            raise failure_of(refusals[0])
        if fault is not None and self._client.dialled.isConnected():
            raise VenueRejected(VENUE, "unsendable", f"ibapi cannot send it: {fault}")
        raise NotLinked("not_connected", self.cause or "not connected to TWS")

    def _hear_bad(self, message: bytes, error: Exception) -> None:
        """Note a message that cannot be read, on ib-run; the connection goes on."""
        self.bad_messages += 1
        if self.bad_messages <= TOLD or self.bad_messages % 1_000 == 0:
            self._log.warning("BadMessage: {} of IB cannot be read ({!r}); it is left out", shown(message), error)


async def first_of(wanted: "asyncio.Future[Any]", ended: "asyncio.Future[Any]") -> bool:
    """Wait for something or the end of something else; tells whether what is wanted came."""
    await asyncio.wait({wanted, ended}, return_when=asyncio.FIRST_COMPLETED)
    return wanted.done()
