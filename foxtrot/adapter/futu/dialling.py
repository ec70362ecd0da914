"""How a session comes by its link: OpenD is found, both contexts connected, asked again and again how it does, and let go."""

import asyncio
import threading
from collections.abc import Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from loguru import logger

from foxtrot.adapter.futu.contexts import HANDLERS, Hear
from foxtrot.adapter.futu.errors import VENUE, NotLinked
from foxtrot.adapter.futu.link import QUOTE, TRADE, FutuLink
from foxtrot.adapter.futu.reach import Reach
from foxtrot.adapter.futu.sdk import Sdk, load_sdk
from foxtrot.adapter.futu.worker import Worker
from foxtrot.adapter.reader_callback import guarded
from foxtrot.domain.errors import RequestTimedOut

if TYPE_CHECKING:
    from foxtrot.adapter.futu.session import FutuSession

BEAT_S: Final = 3.0
"""How often OpenD is asked how it does, over each of its sockets."""
END_S: Final = 1.0
"""How long threads and sockets of a connection may take to go, before it is told that they have not."""


class Dialling:
    """Makes the links of a session, one after another, and hears what becomes of them.

    Thread: futu-io, except `join`.

    Args:
        session: whose links.
        home: the platform's folder, below which the SDK's log of warnings goes; None is nowhere.
    """

    def __init__(self, session: "FutuSession", home: Path | None) -> None:
        self._key_guard = threading.Lock()
        self._keyed: Sdk | None = None
        self._has_ended = False
        self.sdk: Sdk | None = None
        self.reach = Reach(session.settings, session.bridge)
        self._session = session
        self._folder = None if home is None else home / "futu"
        self._link: FutuLink | None = None
        self._hands = Worker("futu-hands")
        self._ends: set[asyncio.Task[None]] = set()

    def present(self, kind: str) -> FutuLink:
        """Return the present link.

        Raises:
            NotLinked: there is none.
        """
        if self._link is None:
            raise NotLinked(VENUE, kind, "not connected to OpenD")
        return self._link

    async def dial(self) -> None:
        """Make a link: find OpenD, connect both contexts, find the accounts.

        Raises:
            AdapterError: it is not there, refused, or is mute.
            NotSetUp: the accounts of the settings are not there.
            ConfigError: the SDK cannot be used.
        """
        if self.sdk is None:
            self.sdk = await self._hands.run(self._load)
        address = await self.reach.address()
        await self.reach.probe(address)
        link = self._link = FutuLink(self.sdk, address, self._session.settings, self._pushes(), self._hear_gone)
        await self._within(link.open(), "connect")
        self._session.accounts = link.accounts
        await self._ask_state(link)

    async def beat(self) -> None:
        """Ask OpenD how it does for as long as the link lasts; one that does not answer loses it."""
        while self._link is not None:
            await self._session.wait_s(BEAT_S)
            await self._ask_state(self._link)

    def let_go(self) -> None:
        """End the present link, in the background."""
        link, self._link = self._link, None
        self._session.quota.forget()
        if link is not None:
            link.end()
            task = asyncio.get_running_loop().create_task(self._join(link), name="futu join")
            self._ends.add(task)
            task.add_done_callback(self._ends.discard)

    async def ended(self) -> None:
        """Return when what was let go is gone."""
        await asyncio.gather(*self._ends, return_exceptions=True)

    def end(self) -> None:
        """Dial no more."""
        self._hands.end()
        self.reach.end()
        with self._key_guard:
            keyed, self._keyed, self._has_ended = self._keyed, None, True
        if keyed is not None:
            keyed.drop_key()

    def join(self) -> str:
        """Wait for the last thread to end; returns its name if it does not, or "".

        Blocks: at most a second.
        """
        return "" if self._hands.join(END_S) else self._hands.name

    # --- inside -----------------------------------------------------------------------------------------------------

    def _load(self) -> Sdk:
        """Load the SDK and take its key, on a worker's thread; a session that has ended meanwhile takes none."""
        sdk = load_sdk(self._folder)
        with self._key_guard:
            if not self._has_ended:
                sdk.use_key(self._session.settings.rsa_file)
                self._keyed = sdk
        return sdk

    async def _join(self, link: FutuLink) -> None:
        stuck = await self._hands.run(partial(link.join, END_S))
        if stuck:
            bound = logger.bind(account=self._session.account)
            bound.warning("of a connection to OpenD that is given up, this stays: {}", stuck)

    async def _ask_state(self, link: FutuLink) -> None:
        for context in (QUOTE, TRADE):
            state = await self._within(link.state(context), "state")
            self._session.life.hear_upstream(bool(state.qotLogined), bool(state.trdLogined))

    async def _within(self, answer: Coroutine[Any, Any, Any], what: str) -> Any:
        mute_s = self._session.settings.mute_after_s
        try:
            return await self._session.bridge.within(answer, mute_s)
        except RequestTimedOut as error:
            text = f"OpenD took the connection and said nothing for {mute_s:g} s"
            raise RequestTimedOut(VENUE, what, text) from error

    def _pushes(self) -> dict[str, Hear]:
        """Return who hears pushes; what they raise is logged, once for each kind, since the SDK would hide it."""
        on_push = self._session.on_push
        found = {kind: guarded(on_push.get(kind, _ignore), "Futu", kind) for kind in HANDLERS}
        return found | {"notice": partial(self._hear_notice, found["notice"])}

    # --- what the SDK's threads tell --------------------------------------------------------------------------------

    def _hear_gone(self, reason: str) -> None:
        link, session = self._link, self._session
        session.call_soon(lambda: session.lose(f"the connection is gone: {reason}") if self._link is link else None)

    def _hear_notice(self, hear: Hear, notice: Any) -> None:
        if notice.HasField("connectStatus"):
            status = notice.connectStatus
            heard = partial(self._session.life.hear_upstream, bool(status.qotLogined), bool(status.trdLogined))
            self._session.call_soon(heard)
        hear(notice)


def _ignore(_push: Any) -> None:
    """Hear nothing: nobody asked for this kind of push."""
