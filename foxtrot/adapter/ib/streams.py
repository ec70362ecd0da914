"""What is subscribed at TWS, kept equal to what is wanted: quotes, depth and prints, each by an id of its own that is used once."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from loguru import logger

from foxtrot.adapter.ib.contract_wish import FOREX, SMART
from foxtrot.adapter.ib.entry import Entry, Publisher
from foxtrot.adapter.ib.errors import IbError, NotLinked
from foxtrot.adapter.ib.market_callbacks import MarketCallbacks
from foxtrot.adapter.ib.market_errors import HALTED, NO_SUCH_STREAM, RESET, ends_stream, words_of
from foxtrot.adapter.ib.resolving import Contracts
from foxtrot.domain.errors import AdapterError, ConnectionLost, RequestTimedOut

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

QUOTE, DEPTH, PRINTS = "quote", "depth", "prints"
GENERIC: Final = "233"
"""Asks for the time and volume of each print with the quote. Source: TWS API, Available Tick Types, RT Volume."""
ALL_LAST: Final = "AllLast"
"""Source: TWS API, Tick-by-Tick Data."""
HALT_S: Final = 5.0
"""How long after a halt of depth it is asked for again."""
COMPETING: Final = 10197
"""Source: TWS API, Message Codes: no market data during competing live session."""
COMPETING_S: Final = 30.0
"""How often depth is asked for while another session has the data."""


class Streams:
    """The subscriptions of one link.

    Thread: ib-io.

    Args:
        session: makes requests.
        contracts: gives what to ask with.
        callbacks: have the streams by id.
        publisher: hears of what cannot be had.
    """

    def __init__(
        self, session: "IbSession", contracts: Contracts, callbacks: MarketCallbacks, publisher: Publisher
    ) -> None:
        self._session = session
        self._contracts = contracts
        self._callbacks = callbacks
        self._publisher = publisher
        self._turns: dict[str, asyncio.Lock] = {}
        self._told: set[tuple[str, str, int]] = set()

    # --- all of an instrument ---------------------------------------------------------------------------------------

    async def bring(self, entry: Entry) -> None:
        """Subscribe to what is lacking of an instrument, and end what nobody wants.

        Raises:
            ConnectionLost: the link is gone; the rest is for the next one.
        """
        async with self._turn(entry):
            request = entry.request
            if entry.wants_quote and not entry.quote_id and QUOTE not in entry.refused:
                await self._begin_quote(entry)
            if entry.wants_book and not entry.depth_id and not entry.book.is_top:
                await self._begin_depth(entry)
            if request.trades and not entry.prints_id and not entry.prints.by_quote:
                await self._begin_prints(entry)
            if not entry.wants_quote:
                await self._end_quote(entry)
            if not entry.wants_book:
                await self._end_depth(entry)
            if not request.trades:
                await self._end_prints(entry)

    async def renew(self, entry: Entry) -> None:
        """Subscribe to quote and depth by new ids: what came before may have a hole, and a subscription begins with what is.

        Prints go on: tick by tick may be asked for once in 15 seconds alone. Source: TWS API, Tick-by-Tick Data.

        Raises:
            ConnectionLost: the link is gone.
        """
        async with self._turn(entry):
            await self._end_quote(entry)
            await self._end_depth(entry)
        await self.bring(entry)

    async def renew_depth(self, entry: Entry, request_id: int) -> None:
        """Subscribe to the depth anew, unless it is another one already.

        Raises:
            ConnectionLost: the link is gone.
        """
        async with self._turn(entry):
            if entry.depth_id != request_id:
                return
            await self._end_depth(entry)
        await self.bring(entry)

    async def try_depth(self, entry: Entry) -> None:
        """Ask for depth again that IB did not give: there may be room now.

        Raises:
            ConnectionLost: the link is gone.
        """
        async with self._turn(entry):
            if not entry.book.is_top:
                return
            with entry.lock:
                entry.book.is_top = False
        await self.bring(entry)

    async def end(self, entry: Entry) -> None:
        """End all streams of an instrument.

        Raises:
            ConnectionLost: the link is gone, and with it the streams.
        """
        async with self._turn(entry):
            await self._end_quote(entry)
            await self._end_depth(entry)
            await self._end_prints(entry)

    def forget(self, entry: Entry) -> None:
        """Forget the ids of an instrument's streams: TWS has forgotten them, or is gone."""
        for table, request_id in (
            (self._callbacks.quotes, entry.quote_id),
            (self._callbacks.books, entry.depth_id),
            (self._callbacks.prints, entry.prints_id),
        ):
            table.pop(request_id, None)
            self._session.end_stream(request_id)
        entry.quote_id = entry.depth_id = entry.prints_id = 0
        entry.refused.clear()
        with entry.lock:
            entry.prints.by_quote = entry.book.is_top = False
            entry.assume()
        self._told = {told for told in self._told if told[0] != entry.instrument_id}

    # --- the kinds --------------------------------------------------------------------------------------------------

    async def _begin_quote(self, entry: Entry) -> None:
        contract = self._contracts.contract_of(entry.instrument_id)
        generic = "" if entry.resolved.sec_type == FOREX else GENERIC
        request_id = entry.quote_id = self._session.stream(partial(self._hear, entry, QUOTE))
        self._callbacks.quotes[request_id] = entry
        await self._tell(
            entry, QUOTE, lambda client: client.reqMktData(request_id, contract, generic, False, False, [])
        )

    async def _begin_depth(self, entry: Entry) -> None:
        contract = self._contracts.contract_of(entry.instrument_id)
        smart = contract.exchange == SMART
        rows = entry.rows(smart=smart)
        request_id = entry.depth_id = self._session.stream(partial(self._hear, entry, DEPTH))
        with entry.lock:
            entry.book.begin(rows)
        self._callbacks.books[request_id] = entry
        await self._tell(entry, DEPTH, lambda client: client.reqMktDepth(request_id, contract, rows, smart, []))

    async def _begin_prints(self, entry: Entry) -> None:
        contract = self._contracts.contract_of(entry.instrument_id)
        request_id = entry.prints_id = self._session.stream(partial(self._hear, entry, PRINTS))
        self._callbacks.prints[request_id] = entry
        await self._tell(
            entry, PRINTS, lambda client: client.reqTickByTickData(request_id, contract, ALL_LAST, 0, False)
        )

    async def _end_quote(self, entry: Entry) -> None:
        request_id, entry.quote_id = entry.quote_id, 0
        self._callbacks.quotes.pop(request_id, None)
        await self._cancel(request_id, lambda client: client.cancelMktData(request_id))

    async def _end_depth(self, entry: Entry) -> None:
        request_id, entry.depth_id = entry.depth_id, 0
        self._callbacks.books.pop(request_id, None)
        smart = bool(request_id) and self._contracts.contract_of(entry.instrument_id).exchange == SMART
        await self._cancel(request_id, lambda client: client.cancelMktDepth(request_id, smart))

    async def _end_prints(self, entry: Entry) -> None:
        request_id, entry.prints_id = entry.prints_id, 0
        self._callbacks.prints.pop(request_id, None)
        await self._cancel(request_id, lambda client: client.cancelTickByTickData(request_id))

    async def _tell(self, entry: Entry, kind: str, send: Callable[[Any], None]) -> None:
        """Begin a stream; what ibapi itself refuses is as if TWS did.

        Raises:
            ConnectionLost: the link is gone.
        """
        try:
            await self._session.tell(kind, send)
        except (ConnectionLost, RequestTimedOut):
            raise
        except AdapterError as error:
            self._end_by_error(entry, kind, str(error))

    async def _cancel(self, request_id: int, send: Callable[[Any], None]) -> None:
        if not request_id:
            return
        self._session.end_stream(request_id)
        try:
            await self._session.tell("cancel stream", send)
        except NotLinked:
            raise
        except AdapterError as error:
            logger.debug("stream {} could not be ended: {}", request_id, error)

    # --- what goes wrong --------------------------------------------------------------------------------------------

    def _hear(self, entry: Entry, kind: str, error: IbError) -> None:
        """Hear an error that names a stream; one of a stream that was given up says nothing any more."""
        present = {QUOTE: entry.quote_id, DEPTH: entry.depth_id, PRINTS: entry.prints_id}[kind]
        if error.request_id != present or error.code in NO_SUCH_STREAM:
            return
        if error.code in (RESET, HALTED):
            self._begin_again(entry, error)
        elif not ends_stream(error):
            self._say(entry, kind, error)
        else:
            self._end_by_error(entry, kind, words_of(error))

    def _begin_again(self, entry: Entry, error: IbError) -> None:
        """Begin a book anew that IB has emptied; by a new id, so that no row of before is taken for one of after."""
        self._callbacks.books.pop(error.request_id, None)
        with entry.lock:
            entry.book.stale(str(error))
        pause_s = HALT_S if error.code == HALTED else 0.0
        self._session.run(self._renew_later(entry, error.request_id, pause_s), f"depth of {entry.instrument_id} anew")

    async def _renew_later(self, entry: Entry, request_id: int, pause_s: float) -> None:
        if pause_s:
            await self._session.wait_s(pause_s)
        try:
            await self.renew_depth(entry, request_id)
        except ConnectionLost as lost:
            logger.debug("the depth of {} waits for the next link: {}", entry.instrument_id, lost)

    def _say(self, entry: Entry, kind: str, error: IbError) -> None:
        """Tell once of a link what is amiss with a stream that goes on."""
        if error.code == COMPETING:
            self._wait_for_data(entry, error)
        key = entry.instrument_id, kind, error.code
        if key not in self._told and error.code > 0:
            self._told.add(key)
            self._publisher.on_request_failed(f"stream {kind} of {entry.instrument_id}", words_of(error))

    def _wait_for_data(self, entry: Entry, error: IbError) -> None:
        """Believe no price while another session has the data; ticks come back by themselves, depth is asked for again and again."""
        with entry.lock:
            entry.ticks.forget()
            entry.book.stale(str(error))
        if entry.depth_id:
            later = self._renew_later(entry, entry.depth_id, COMPETING_S)
            self._session.run(later, f"depth of {entry.instrument_id} anew")

    def _end_by_error(self, entry: Entry, kind: str, text: str) -> None:
        """Let a stream go that IB does not give: the quote stands in for depth and prints."""
        if kind == QUOTE:
            request_id, entry.quote_id = entry.quote_id, 0
            self._callbacks.quotes.pop(request_id, None)
            entry.refused.add(QUOTE)
            self._publisher.on_request_failed(f"stream {kind} of {entry.instrument_id}", text)
        elif kind == DEPTH:
            request_id, entry.depth_id = entry.depth_id, 0
            self._callbacks.books.pop(request_id, None)
            with entry.lock:
                live = entry.ticks.quote if entry.ticks.is_live else (0.0, 0.0, 0.0, 0.0)
                entry.book.stand_in(live, self._session.clock.now_ns())
            fallback = "the best bid and ask stand in for it"
            self._publisher.on_request_failed(f"stream {kind} of {entry.instrument_id}", f"{text}; {fallback}")
        else:
            request_id, entry.prints_id = entry.prints_id, 0
            self._callbacks.prints.pop(request_id, None)
            with entry.lock:
                entry.prints.by_quote = True
            logger.warning("prints of {} come from its quote: {}", entry.instrument_id, text)
        self._session.end_stream(request_id)
        self._session.run(self._bring_quietly(entry), f"streams of {entry.instrument_id}")

    async def _bring_quietly(self, entry: Entry) -> None:
        try:
            await self.bring(entry)
        except ConnectionLost as lost:
            logger.debug("streams of {} wait for the next link: {}", entry.instrument_id, lost)

    def _turn(self, entry: Entry) -> asyncio.Lock:
        return self._turns.setdefault(entry.instrument_id, asyncio.Lock())
