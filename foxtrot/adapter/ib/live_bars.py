"""The wanted bars of one account, as TWS keeps history up to date: those of a lost link come with the next subscription."""

import asyncio
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from loguru import logger

from foxtrot.adapter.ib.bar_sizes import SHORTEST_LIVE_NS, duration_of
from foxtrot.adapter.ib.bar_stream import BarStream
from foxtrot.adapter.ib.entry import Entry, Publisher
from foxtrot.adapter.ib.errors import ErrorKind, IbError
from foxtrot.adapter.ib.history import EPOCH_SECONDS, MID_PRICES, TRADES, History, is_no_data
from foxtrot.adapter.ib.market_errors import words_of
from foxtrot.adapter.ib.resolving import Contracts
from foxtrot.domain.errors import AdapterError, BadMessage, ConnectionLost

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

UNTIL_NOW: Final = ""
"""Source: TWS API, Historical Bar Data: with keepUpToDate there is no end."""
_BAD: Final = (BadMessage, TypeError, ValueError, OverflowError)
"""What a row that cannot be read raises."""
PAUSE_S: Final = 15.0
"""How long after a refusal bars are asked for again."""


class LiveBars:
    """Subscribes to bars, and hands them to who tells them.

    Thread: ib-io.

    Args:
        session: makes requests.
        contracts: gives what to ask with.
        entries: what is wanted, by instrument.
        publisher: hears of what cannot be had.
        history: asks for bars at their close.
    """

    def __init__(
        self,
        session: "IbSession",
        contracts: Contracts,
        entries: Mapping[str, Entry],
        publisher: Publisher,
        history: History,
    ) -> None:
        self._session = session
        self._contracts = contracts
        self._entries = entries
        self._publisher = publisher
        self._history = history
        self._by_request: dict[int, BarStream] = {}
        self._told: set[tuple[str, str, int]] = set()
        session.hear_on_loop("historicalData", self._take)
        session.hear_on_loop("historicalDataUpdate", self._take)

    def begin(self, entry: Entry) -> None:
        """Subscribe to the bars that are wanted and do not stream yet, in the background."""
        now_ns = self._session.clock.now_ns()
        for stream in entry.bars.values():
            if stream.texts and not stream.request_id:
                stream.begin(now_ns)
                self._subscribe_soon(entry, stream)

    async def renew(self, entry: Entry) -> None:
        """Go on over a new link, and return when the bars that closed meanwhile were told or asked for in vain."""
        asked = []
        for stream in entry.bars.values():
            self._let_go(stream, cancel=True)
            if stream.told_ns and stream.texts:
                asked.append(self._ask(entry, stream))
        await asyncio.gather(*asked)
        self.begin(entry)

    def end(self, entry: Entry) -> None:
        """End the bars of an instrument."""
        for stream in entry.bars.values():
            self._let_go(stream, cancel=True)

    def forget(self, entry: Entry) -> None:
        """Forget the ids: TWS has forgotten them, or is gone."""
        for stream in entry.bars.values():
            self._let_go(stream, cancel=False)

    def beat(self) -> None:
        """Tell the bars that have closed by the clock, or ask for them."""
        now_ns = self._session.clock.now_ns()
        for entry in tuple(self._entries.values()):
            for stream in entry.bars.values():
                stream.beat(now_ns)
                if stream.is_due(now_ns) and not stream.asking and self._session.linked:
                    self._session.run(self._ask(entry, stream), f"bars of {entry.instrument_id}")
                    stream.asking = True

    def refuse_short(self, entry: Entry) -> None:
        """Refuse bars that IB has, but does not keep up to date."""
        for name, stream in tuple(entry.bars.items()):
            if stream.size.interval.duration_ns < SHORTEST_LIVE_NS:
                del entry.bars[name]
                text = f"IB keeps no bars of {stream.size.name} up to date; ask for 5s or longer, or for their history"
                self._publisher.on_request_failed(f"subscribe {entry.instrument_id} {stream.size.interval.text}", text)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _subscribe_soon(self, entry: Entry, stream: BarStream, pause_s: float = 0.0) -> None:
        request_id = stream.request_id = self._session.stream(partial(self._hear, entry, stream))
        self._by_request[request_id] = stream
        self._session.run(self._subscribe(entry, stream, request_id, pause_s), f"bars of {entry.instrument_id}")

    async def _subscribe(self, entry: Entry, stream: BarStream, request_id: int, pause_s: float) -> None:
        if pause_s:
            await self._session.wait_s(pause_s)
        if stream.request_id != request_id:
            return
        resolved, size = entry.resolved, stream.size
        contract = self._contracts.contract_of(entry.instrument_id)
        what = MID_PRICES if resolved.has_mid_prices else TRADES
        rth = resolved.use_rth(outside=self._session.settings.outside_hours)
        duration = duration_of(stream.span_s(self._session.clock.now_ns()), size)
        key = (entry.instrument_id, size.name, what, duration, "live")
        small = size.interval.duration_ns < 60 * 10**9
        try:
            async with self._session.history_pace.turn(key, (resolved.con_id, what), small=small):
                await self._session.tell("bars", lambda client: client.reqHistoricalData(
                    request_id, contract, UNTIL_NOW, duration, size.name, what, rth, EPOCH_SECONDS, True, []))  # fmt: skip
        except ConnectionLost as lost:
            logger.debug("bars of {} wait for the next link: {}", entry.instrument_id, lost)
        except AdapterError as error:
            self._let_go(stream, cancel=False)
            self._publisher.on_request_failed(f"bars {size.interval.text} of {entry.instrument_id}", error)

    async def _ask(self, entry: Entry, stream: BarStream) -> None:
        """Ask for the bars since the last that was told; what cannot be had is told as it was sent."""
        stream.asking = True
        found: list[Any] = []
        try:
            duration = duration_of(stream.span_s(self._session.clock.now_ns()), stream.size)
            found = await self._history.ask(entry.resolved, stream.size, 0, duration)
        except AdapterError as error:
            text = f"bars {stream.size.interval.text} of {stream.instrument_id} could not be had: {error}"
            logger.bind(account=self._session.account).warning("{}", text)
            if isinstance(error, ConnectionLost):
                return  # they come with the next link
        finally:
            stream.asking = False
        try:
            stream.fill(found, self._session.clock.now_ns())
        except _BAD as error:
            logger.warning("BadMessage: a bar of {} cannot be read: {}", stream.instrument_id, error)

    def _take(self, request_id: int, row: Any) -> None:
        stream = self._by_request.get(request_id)
        if stream is None:
            return
        try:
            stream.take(row, self._session.clock.now_ns())
        except _BAD as error:
            logger.warning("BadMessage: a bar of {} cannot be read: {}", stream.instrument_id, error)

    def _hear(self, entry: Entry, stream: BarStream, error: IbError) -> None:
        if error.request_id != stream.request_id or error.kind in (ErrorKind.NOTICE, ErrorKind.WARNING):
            return
        self._let_go(stream, cancel=False)
        key = entry.instrument_id, stream.size.name, error.code
        if key not in self._told and not is_no_data(str(error.code), error.text):
            self._told.add(key)
            what = f"bars {stream.size.interval.text} of {entry.instrument_id}"
            self._publisher.on_request_failed(what, f"{words_of(error)}; they are asked for again every {PAUSE_S:g} s")
        if error.kind is ErrorKind.PACING:
            self._session.history_pace.hold(PAUSE_S)
        self._subscribe_soon(entry, stream, PAUSE_S)

    def _let_go(self, stream: BarStream, *, cancel: bool) -> None:
        request_id = stream.request_id
        stream.lost()
        if request_id:
            self._by_request.pop(request_id, None)
            self._session.end_stream(request_id)
            if cancel and self._session.linked:
                self._session.run(self._cancel(request_id), f"end of bars {request_id}")

    async def _cancel(self, request_id: int) -> None:
        try:
            await self._session.tell("cancel bars", lambda client: client.cancelHistoricalData(request_id))
        except AdapterError as error:
            logger.debug("bars {} could not be ended: {}", request_id, error)
