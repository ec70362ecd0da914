"""What one IB account streams: ticks, prints, bars and depth of the instruments it wants; its contracts and past bars."""

import asyncio
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from loguru import logger

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.ib.bar_sizes import BarSize, bar_size
from foxtrot.adapter.ib.book_reading import BookReading
from foxtrot.adapter.ib.books import NO_CHANGES
from foxtrot.adapter.ib.codec import TYPE_NUMBERS
from foxtrot.adapter.ib.contract_access import ContractAccess, ContractPublisher
from foxtrot.adapter.ib.entry import Entry, Publisher
from foxtrot.adapter.ib.history import History, HistoryPublisher
from foxtrot.adapter.ib.live_bars import LiveBars
from foxtrot.adapter.ib.market_callbacks import MarketCallbacks
from foxtrot.adapter.ib.market_upkeep import Upkeep
from foxtrot.adapter.ib.streams import Streams
from foxtrot.domain.errors import AdapterError, ConfigError, ConnectionLost
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

LOST: Final = "the link is lost"


class MarketPublisher(Publisher, HistoryPublisher, ContractPublisher, Protocol):
    """The adapter's way up.

    Thread: ib-run and ib-io.
    """


class IbMarketData(ContractAccess):
    """The desired streams of one account; they survive a lost link.

    Thread: ib-io; `exact_book`, `best`, `contract_of` and `instrument_of` any; callbacks are taken on ib-run.

    Args:
        adapter: the way up.
        session: requests, the loop and the listed instruments.
        home: where past bars are kept; None is nowhere.
    """

    def __init__(self, adapter: MarketPublisher, session: "IbSession", home: Path | None = None) -> None:
        super().__init__(adapter, session)
        self.callbacks = MarketCallbacks(session.clock, self._out_of_step)
        self.streams = Streams(session, self.contracts, self.callbacks, adapter)
        self._publisher = adapter
        self._session = session
        self._wanted: dict[str, SubscribeRequest] = {}
        self._entries: dict[str, Entry] = {}
        self._live = False
        self._bringing = 0
        self._history = History(adapter, session, self.contracts, home)
        self.bars = LiveBars(session, self.contracts, self._entries, adapter, self._history)
        self.upkeep = Upkeep(session, self._entries, self.streams, self.bars)
        self._reading = BookReading(session, self.contracts, self.streams)
        for name, handler in self.callbacks.handlers().items():
            session.hear_on_run(name, handler)

    # --- what is wanted ---------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> dict[str, SubscribeRequest]:
        """Return the desired streams by instrument."""
        return dict(self._wanted)

    @property
    def busy(self) -> bool:
        """Tell whether something of what is wanted is being subscribed."""
        return self._bringing > 0

    def add(self, request: SubscribeRequest) -> None:
        """Add to the desired streams and begin at once when the link is up."""
        instrument_id = request.instrument_id
        if request.depth_changes:
            self._publisher.on_request_failed(f"depth changes of {instrument_id}", NO_CHANGES)
        before = self._wanted.get(instrument_id)
        self._wanted[instrument_id] = request if before is None else before.with_also(request)
        if self._live:
            self._bringing += 1
            self._session.run(self._bring_soon(instrument_id), f"subscribe {instrument_id}")

    def remove(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams."""
        self._wanted.pop(instrument_id, None)
        entry = self._entries.pop(instrument_id, None)
        if entry is not None:
            entry.end()
            self.bars.end(entry)
            if self._session.linked:
                self._session.run(self._make_room(entry), f"unsubscribe {instrument_id}")
            else:
                self.streams.forget(entry)

    async def open(self) -> None:
        """Subscribe once to everything that is wanted, and return when books are fresh and missed bars told.

        Over a link that was cut alone, what may have a hole is subscribed anew.

        Raises:
            ConnectionLost: the link went away meanwhile.
        """
        kind = TYPE_NUMBERS[self._session.settings.market_data]
        await self._session.tell("market data type", lambda client: client.reqMarketDataType(kind))
        self._live = True
        self.upkeep.begin()
        await asyncio.gather(*[self._bring(instrument_id, renew=True) for instrument_id in tuple(self._wanted)])
        await self._reading.fresh(tuple(self._entries.values()))

    def cut(self, cause: str = LOST) -> None:
        """Believe no price until the link is back; what is subscribed may go on."""
        self._live = False
        self.upkeep.end()
        for entry in self._entries.values():
            entry.lost(cause)

    def data_lost(self) -> None:
        """Forget the subscriptions: TWS has."""
        for entry in self._entries.values():
            self.streams.forget(entry)
            self.bars.forget(entry)

    def lost(self, cause: str = LOST) -> None:
        """Believe nothing until the next link; the wishes stay."""
        self.cut(cause)
        self.data_lost()

    # --- books ------------------------------------------------------------------------------------------------------

    def exact_book(self, instrument_id: str) -> ExactBook | None:
        """Return the book of a stream, or None when there is none that may be believed, or only its best; from any thread."""
        entry = self._entries.get(instrument_id)
        if entry is None or not self._live or not entry.wants_book or entry.book.is_top:
            return None
        return entry.book.exact(self._session.clock.now_ns())

    def best(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best bid and ask of a stream, or None when there are none; from any thread."""
        entry = self._entries.get(instrument_id)
        if entry is None or not self._live:
            return None
        now_ns = self._session.clock.now_ns()
        return entry.book.best(now_ns) or (None if entry.wants_book else entry.best_of_ticks(now_ns))

    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        """Ask IB for a book, by a subscription that ends with the answer.

        Raises:
            AdapterError: it could not be had, or IB does not know the instrument.
        """
        return await self._reading.read(instrument_id, levels)

    def publish_snapshot(self, instrument_id: str) -> None:
        """Publish the book once more."""
        entry = self._entries.get(instrument_id)
        if entry is None or not entry.wants_book:
            self._publisher.on_request_failed(f"snapshot of {instrument_id}", "its depth is not subscribed")
            return
        with entry.lock:
            entry.book.publish(self._session.clock.now_ns())

    # --- history ----------------------------------------------------------------------------------------------------

    async def tell_history(self, request: HistoryRequest) -> None:
        """Publish past bars, or why there are none."""
        await self._history.tell_history(request)

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _make_room(self, entry: Entry) -> None:
        """End the streams of an instrument, and ask for depth again that there was no room for."""
        await self._reading.end(entry)
        for other in tuple(self._entries.values()):
            if other.book.is_top and self._live:
                try:
                    await self.streams.try_depth(other)
                except ConnectionLost as lost:
                    logger.bind(account=self._session.account).debug("depth waits for the next link: {}", lost)

    async def _bring_soon(self, instrument_id: str) -> None:
        try:
            await self._bring(instrument_id, renew=False)
        except ConnectionLost as lost:
            logger.bind(account=self._session.account).debug("{} waits for the next link: {}", instrument_id, lost)
        finally:
            self._bringing -= 1

    async def _bring(self, instrument_id: str, *, renew: bool) -> None:
        """Make or change an instrument's streams.

        Raises:
            ConnectionLost: the link is gone.
        """
        request = self._wanted.get(instrument_id)
        if request is None:
            return
        try:
            entry = await self._entry_of(instrument_id)
        except ConnectionLost:
            raise
        except (AdapterError, ConfigError) as error:
            self._wanted.pop(instrument_id, None)
            self._publisher.on_request_failed(f"subscribe {instrument_id}", error)
            return
        if instrument_id not in self._wanted:
            return  # nobody wants it any more
        entry.want(request, self._sizes(request))
        self.bars.refuse_short(entry)
        entry.up(self._session.clock)
        if renew:
            await self.streams.renew(entry)
            await self.bars.renew(entry)
        else:
            self.bars.begin(entry)
            await self.streams.bring(entry)

    async def _entry_of(self, instrument_id: str) -> Entry:
        """Return an instrument's streams, made where there are none.

        Raises:
            ConfigError: IB does not know it.
            AdapterError: TWS did not answer.
        """
        known = self._entries.get(instrument_id)
        if known is None:
            resolved = await self.contracts.resolve(instrument_id)
            number = TYPE_NUMBERS[self._session.settings.market_data]
            known = self._entries.get(instrument_id) or Entry(resolved, self._publisher, self._session.health, number)
            if instrument_id in self._wanted:
                self._entries[instrument_id] = known
        return known

    def _sizes(self, request: SubscribeRequest) -> dict[str, BarSize]:
        """Return IB's bars of the intervals that it has; one that it does not have is refused, once."""
        kept: dict[str, BarSize] = {}
        for text in request.bars:
            try:
                kept[text] = bar_size(text)
            except ConfigError as error:
                self._publisher.on_request_failed(f"subscribe {request.instrument_id} {text}", error)
        if len(kept) < len(request.bars):
            self._wanted[request.instrument_id] = SubscribeRequest(
                request.instrument_id, request.ticks, request.trades, request.depth_levels, request.depth_changes, tuple(kept)
            )  # fmt: skip
        return kept

    def _out_of_step(self, entry: Entry, request_id: int, cause: str) -> None:
        """Begin a book anew whose rows do not follow each other; called on ib-run."""
        if self.callbacks.books.pop(request_id, None) is not None:
            self._session.call_soon(partial(self._begin_again, entry, request_id, cause))

    def _begin_again(self, entry: Entry, request_id: int, cause: str) -> None:
        with entry.lock:
            entry.book.stale(cause)
        if self._session.linked:
            self._session.run(self._renew_depth(entry, request_id), f"depth of {entry.instrument_id} anew")

    async def _renew_depth(self, entry: Entry, request_id: int) -> None:
        try:
            await self.streams.renew_depth(entry, request_id)
        except ConnectionLost as lost:
            logger.bind(account=self._session.account).debug(
                "{} waits for the next link: {}", entry.instrument_id, lost
            )
