"""The ccxt adapter against a scripted venue: what the tests of one venue after the other are made of."""

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Self

from foxtrot.adapter.base_adapter import AdapterContext, ExactBook, Setting
from foxtrot.adapter.ccxt.adapter import CcxtAdapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus, BookStateChanged
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.market import DepthData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.recorder import Recorder
from tests.support.scripted_venues.script import VenueScript
from tests.support.scripted_venues.server import ScriptedServer

START_NS = 1_785_358_815_000_000_000
STEP_NS = 50_000_000
"""How far the clock goes while a test looks once whether what it waits for is there."""


class CcxtScene:
    """A scripted venue and an adapter that is connected to it. Its clock goes while something is waited for, and stands else.

    Thread: the test's.
    """

    def __init__(self, script: VenueScript, **settings: Setting) -> None:
        self.script = script
        self.server = ScriptedServer(script)
        self.clock = ManualClock(START_NS)
        self.heard = Recorder()
        self._settings = settings
        self.adapter: CcxtAdapter

    def __enter__(self) -> Self:
        self.server.__enter__()
        self.adapter = self.new_adapter()
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            assert self.adapter.close() == ""
        finally:
            self.server.__exit__(*exception)

    @property
    def name(self) -> str:
        """Return the instrument of the script."""
        return self.script.instrument_id

    def new_adapter(self) -> CcxtAdapter:
        """Make an adapter of the venue."""
        settings = {"exchange": self.script.exchange, "port": self.server.port, **self._settings}
        context = AdapterContext("ours", self.heard, SendPermit(), self.clock, settings, {}, "loopback")
        return CcxtAdapter(context)

    def connect(self, request: SubscribeRequest | None = None) -> None:
        """Subscribe, connect, and wait until the adapter is READY."""
        if request is not None:
            self.adapter.subscribe(request)
        self.adapter.connect()
        self.until(lambda: AdapterState.READY in self.heard.states())

    def until(self, condition: Callable[[], Any], deadline_s: float = 15.0, pace: int = 1) -> None:
        """Let the clock go until a condition holds; `pace` times as fast as usual."""
        ends_at = time.monotonic() + deadline_s
        while not condition():
            assert time.monotonic() < ends_at, f"not within {deadline_s} s; told: {self.told()}"
            self.clock.advance(pace * STEP_NS)
            time.sleep(0.005)

    def arrive(self) -> bool:
        """Let what is under way between adapter and venue arrive, so that the clock does not outrun it on a busy machine; False."""
        self.server.arrive()
        self.adapter.session.bridge.submit(_some_turns()).result(5)
        return False

    def told(self) -> list[str]:
        """Return what was told of connection and books, for a failing test."""
        kinds = (AdapterStatus, BookStateChanged)
        return [str(event)[:160] for event in self.heard.events() if isinstance(event, kinds)][-12:]

    def states(self, since: int = 0) -> list[BookState]:
        """Return the states of the book, in order."""
        return [told.state for told in self.heard.of(BookStateChanged, since)]

    def book(self) -> ExactBook | None:
        """Return the book in memory."""
        return self.adapter.get_order_book_from_websocket(self.name)

    def is_true(self, book: ExactBook | None) -> bool:
        """Tell whether a book is the venue's, exactly."""
        return book is not None and (book.bids, book.asks) == self.script.book()

    def shows_truth(self, since: int = 0) -> bool:
        """Tell whether the last depth that was told is the venue's."""
        depths = self.heard.of(DepthData, since)
        return bool(depths) and _decimals(depths[-1]) == self.script.book()


async def _some_turns() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def _decimals(depth: DepthData) -> Any:
    return tuple(
        tuple((Decimal(repr(price)), Decimal(repr(size))) for price, size in side) for side in (depth.bids, depth.asks)
    )
