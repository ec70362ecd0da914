"""The hub as a server: its thread, what its adapters feed it, and the way in from other threads."""

from concurrent.futures import TimeoutError as FutureTimeout
from contextlib import suppress
from typing import Any

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.capabilities import BookKind
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.notices import AdapterStatus, ContractsLoaded
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.hub.board import Board
from foxtrot.hub.inlet import Inlet
from foxtrot.hub.listener import HubListener
from foxtrot.hub.offer import Offer
from foxtrot.hub.session_desk import HubCounters
from foxtrot.hub.settings import HubSettings, OfferSettings
from foxtrot.hub.wire import PATH, Offered

THREAD_NAME = "hub-io"


class HubFigures(msgspec.Struct, frozen=True):
    """What the hub counted and how its books are."""

    clients: int
    accepted: int
    refused: int
    slow: int
    streams: int
    books: tuple[Offered, ...]
    shared: int
    """Of how many instruments anything ever came."""
    missing: dict[str, str]
    """Why an instrument cannot be had, by its id."""


class HubServer:
    """Shares the books and tickers of adapters with local clients.

    Every adapter's context gets `inlet` as its sink; `attach` makes it known before `start`. The hub asks each for its offers once it is
    READY, and sends no order ever.

    Thread: hub-io, started by `start`; `attach`, `start`, `stop` and `figures` from any other.

    Args:
        settings: what to offer, where and to whom.
        clock: the system's by default.
    """

    def __init__(self, settings: HubSettings, clock: Clock | None = None) -> None:
        self.settings = settings
        self.clock: Clock = clock or SystemClock()
        self._bridge = AsyncBridge(THREAD_NAME, self.clock, self._on_loop_error)
        self.inlet = Inlet(lambda: self._bridge.call_soon(self._look))
        self._board = Board(settings.offers, self.clock, self._need_snapshot)
        self._counters = HubCounters(self.clock.monotonic_ns())
        self._listener: HubListener | None = None
        self._picked = settings.port
        self._adapters: dict[str, BaseAdapter] = {}
        self._asked: set[str] = set()  # instruments
        self._warned: set[str] = set()  # instruments

    @property
    def port(self) -> int:
        """Return the port listened on; one that was picked is kept from stop to start."""
        return self._picked

    @property
    def url(self) -> str:
        """Return where clients connect."""
        host = f"[{self.settings.host}]" if ":" in self.settings.host else self.settings.host
        return f"ws://{host}:{self.port}{PATH}"

    def attach(self, adapter: BaseAdapter) -> None:
        """Take offers from an account's adapter."""
        self._adapters[adapter.account] = adapter

    def start(self, deadline_s: float = 10.0) -> None:
        """Listen; a hub that runs already goes on.

        Blocks: until it accepts, at most `deadline_s`.

        Raises:
            ConfigError: an offer names an account without adapter, or the port cannot be had.
        """
        if self._listener is not None:
            return
        for offer in self.settings.offers:
            if offer.account not in self._adapters:
                known = ", ".join(self._adapters) or "none"
                raise ConfigError(
                    f"{offer.instrument_id}: account {offer.account!r} has no adapter; there are: {known}"
                )
        settings = msgspec.structs.replace(self.settings, port=self._picked)
        self._listener = HubListener(settings, self._board, self._counters, self._bridge)
        self._bridge.start()
        try:
            self._bridge.submit(self._listener.open()).result(deadline_s)
            self._picked = self._listener.port
        except (FoxtrotError, OSError, FutureTimeout):
            self.stop()
            raise
        self._bridge.call_soon(self._look)

    def stop(self, deadline_s: float = 5.0) -> str:
        """Part with every client and end the thread; again is harmless. Returns the name of a thread that overran, or "".

        Blocks: at most about `deadline_s`.
        """
        listener, self._listener = self._listener, None
        if listener is None:
            return ""
        with suppress(FutureTimeout, FoxtrotError):
            self._bridge.submit(listener.close()).result(deadline_s / 2)
        return self._bridge.stop(deadline_s / 2)

    def figures(self, deadline_s: float = 5.0) -> HubFigures:
        """Return what was counted.

        Blocks: at most `deadline_s`.
        """
        return self._bridge.submit(self._figures()).result(deadline_s)

    # --- on hub-io --------------------------------------------------------------------------------------------------

    async def _figures(self) -> HubFigures:
        counters = self._counters
        return HubFigures(
            len(counters.peers),
            counters.accepted,
            counters.refused,
            counters.slow,
            len(self._board.channels),
            self._board.status(),
            sum(offer.has_come for offer in self._board.offers.values()),
            {name: offer.missing for name, offer in self._board.offers.items() if offer.missing},
        )

    def _look(self) -> None:
        facts = self.inlet.take()
        self._counters.shed = self.inlet.shed
        self._board.hear(facts)
        for fact in facts:
            if isinstance(fact, AdapterStatus | ContractsLoaded):
                self._ask_for_offers(fact.account)
                self._warn_of_missing(fact)

    def _warn_of_missing(self, fact: AdapterStatus | ContractsLoaded) -> None:
        """Say once what an account does not list, and what is not to be had of one that the venue refuses."""
        offers = [one for one in self._board.offers.values() if one.account == fact.account]
        self._warned.difference_update(one.instrument_id for one in offers if not one.missing)
        new = {one.instrument_id: one for one in offers if one.missing and one.instrument_id not in self._warned}
        if isinstance(fact, ContractsLoaded):
            new = {name: one for name, one in new.items() if one.is_unlisted}
            for name, offer in new.items():
                logger.warning("hub: {} is not shared: {}", name, offer.cause)
        elif fact.state is AdapterState.FAILED and new:
            cause = next(iter(new.values())).cause
            logger.warning("hub: account {}: {}; not shared: {}", fact.account, cause, ", ".join(new))
        else:
            return
        self._warned.update(new)

    def _ask_for_offers(self, account: str) -> None:
        """Subscribe once to what a READY account lists: an adapter keeps what it is asked for over every reconnect."""
        adapter = self._adapters.get(account)
        if adapter is None:
            return
        for settings in self.settings.offers:
            name = settings.instrument_id
            offer = self._board.offers[name]
            is_due = offer.link is AdapterState.READY and offer.instrument is not None and name not in self._asked
            if offer.account == account and is_due:
                self._asked.add(name)
                adapter.subscribe(self._request(adapter, settings))

    def _request(self, adapter: BaseAdapter, settings: OfferSettings) -> SubscribeRequest:
        """Return what to ask for: changes if the venue tells them, else its best levels, else the ticker alone."""
        offer = self._board.offers[settings.instrument_id]
        capabilities = adapter.capabilities
        if capabilities.depth_changes:
            if capabilities.book is BookKind.FULL and not capabilities.network:  # a venue in this process hides nothing
                offer.bounded_from = max(1, capabilities.book_levels)
            return SubscribeRequest(settings.instrument_id, depth_changes=True)
        if capabilities.book in (BookKind.BEST, BookKind.NONE):
            offer.hear_failure(
                f"{adapter.adapter_name} streams no order book, only {capabilities.book}: read the ticker"
            )
            return SubscribeRequest(settings.instrument_id)
        return SubscribeRequest(settings.instrument_id, depth_levels=settings.levels)

    def _on_loop_error(self, context: dict[str, Any]) -> None:
        """Hear of an error of our own code: what it was about to do is not done, so nothing is believed until it is fetched anew."""
        logger.opt(exception=context.get("exception")).error("hub: {}", context.get("message"))
        self._board.distrust("the hub failed; its log says why")

    def _need_snapshot(self, offer: Offer) -> None:
        if offer.state is BookState.LIVE:
            logger.debug("hub: {}: more levels are asked for", offer.instrument_id)
        else:
            logger.info("hub: {}: {}; a snapshot is asked for", offer.instrument_id, offer.cause)
        adapter = self._adapters.get(offer.account)
        if adapter is not None:
            adapter.request_snapshot(offer.instrument_id)
