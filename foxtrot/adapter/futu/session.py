"""One account's session at Futu: its loop, its connection to OpenD, and the life of that connection."""

from collections.abc import Mapping
from functools import partial
from random import Random
from typing import Any, Final

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.bridge import task_part
from foxtrot.adapter.futu.accounts import FutuAccount
from foxtrot.adapter.futu.config import FutuSettings
from foxtrot.adapter.futu.contexts import Hear
from foxtrot.adapter.futu.dialling import Dialling
from foxtrot.adapter.futu.errors import VENUE, NotLinked
from foxtrot.adapter.futu.ledger import CallLedger, SubscriptionQuota
from foxtrot.adapter.futu.life import Life
from foxtrot.adapter.futu.link import QUOTE, TRADE, Call
from foxtrot.adapter.futu.sdk import Sdk
from foxtrot.adapter.loop_session import LinkUser, LoopSession
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.heartbeat import Part
from foxtrot.domain.instrument import Instrument

THREAD_NAME: Final = "futu-io"


class FutuSession(LoopSession):
    """What the parts of the adapter are given: the loop, calls of the SDK, pushes, and whether the link stands.

    `on_push` has by kind (ticker, order_book, quote, kline, order, deal, notice) who hears a push: the message's s2c as it is, on the SDK's
    thread; it is read when a link is made. `backoff` may be replaced before the session starts.

    Thread: futu-io, except `start`, `close`, `call_soon`, `find_instrument` and the reading of `linked` and `accounts`.
    """

    def __init__(self, context: AdapterContext, settings: FutuSettings, random: Random | None = None) -> None:
        super().__init__(context, THREAD_NAME, "futu")
        self.settings = settings
        self.linked_since_ns = 0
        """Since when the present link stands, on the monotonic clock."""
        self.instruments: dict[str, Instrument] = {}
        self.accounts: Mapping[str, FutuAccount] = {}
        """Futu's account by market, "HK"; those of the last link while there is none."""
        self.backoff = Backoff(random or Random())
        self.ledger = CallLedger(settings, context.clock.monotonic_ns, self.bridge.wait_s)
        self.quota = SubscriptionQuota(settings.subscription_quota, context.clock.monotonic_ns)
        self.on_push: dict[str, Hear] = {}
        self.dialling = Dialling(self, context.home)
        self.life = Life(self)

    @property
    def busy(self) -> bool:
        """Tell whether something that was asked is not answered yet, or a link is being made; read by any thread."""
        return super().busy or self.life.opening

    @property
    def sdk(self) -> Sdk:
        """Return the SDK; NotLinked before the first dial, which loads it."""
        if self.dialling.sdk is None:
            raise NotLinked(VENUE, "sdk", "not connected yet")
        return self.dialling.sdk

    def find_instrument(self, instrument_id: str) -> Instrument | None:
        """Return a listed instrument, or None when it is not listed; any thread may ask."""
        return self.instruments.get(instrument_id)

    # --- calls ------------------------------------------------------------------------------------------------------

    async def trade(self, kind: str, call: Call) -> Any:
        """Make a call with the trade context: `await session.trade("funds", lambda context: context.accinfo_query(…))`.

        Args:
            kind: what it is, for the ledger and the choice of thread; see ledger.py.
            call: is given the context, on its worker's thread; returns the SDK's (RET_OK, data), or what `context.ask` returned.

        Returns:
            The data.

        Raises:
            NotSent: the ledger has no room for an order or a change.
            NotLinked: there is no connection: nothing left.
            AdapterError: see `errors.failure_of` and `FutuContext.ask`; whatever the call itself raises comes out too.
        """
        return await self._call(TRADE, kind, call)

    async def quote(self, kind: str, call: Call) -> Any:
        """Make a call with the quote context; see `trade`."""
        return await self._call(QUOTE, kind, call)

    async def _call(self, context: str, kind: str, call: Call) -> Any:
        self.dialling.present(kind)
        await self.ledger.turn(kind)
        self.health.requests += 1
        try:
            return await self.dialling.present(kind).call(context, kind, call)
        except BaseException:
            self.health.failed_requests += 1
            raise

    # --- the loop ---------------------------------------------------------------------------------------------------

    def lose(self, cause: str) -> None:
        """Give the link up: LOST, back-off, connect again; while there is none it does nothing."""
        self.life.lose(cause)

    def parts(self) -> tuple[Part, ...]:
        """Return the loop and the task that holds the link; from any thread."""
        life = self.life
        link = task_part(
            f"link of {self.account}", self.account, lambda: life.task, lambda: not (self.closing or life.given_up)
        )
        return (self.bridge.part(self.account), link)

    def start(self, user: LinkUser) -> None:
        """Start the thread and connect; returns at once."""
        self.bridge.start()
        self.bridge.call_soon(partial(self._begin, user))

    async def leave(self) -> None:
        """Let go of the link, and return when what was let go is gone."""
        self.life.unlink("closed")
        await self.dialling.ended()

    def end_threads(self) -> None:
        """Dial no more."""
        self.dialling.end()

    def join_threads(self) -> str:
        """Wait for the thread that dials.

        Blocks: at most a second.
        """
        return self.dialling.join()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _begin(self, user: LinkUser) -> None:
        if not self.closing:
            self.life.task = self.spawn(self.life.live(user), "futu link")
