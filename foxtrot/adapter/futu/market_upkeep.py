"""What keeps market data going by the clock: subscriptions as they are wanted, bars at their close, a look at silent streams."""

import asyncio
from collections.abc import Mapping
from typing import Final

from loguru import logger

from foxtrot.adapter.futu.books import LEVELS
from foxtrot.adapter.futu.codec import book_time_ns, levels
from foxtrot.adapter.futu.entry import ORDER_BOOK, TICKER, Entry
from foxtrot.adapter.futu.live_bars import BEAT_S, LiveBars
from foxtrot.adapter.futu.print_stream import KEPT
from foxtrot.adapter.futu.questions import Questions
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.subscriptions import Subscriptions
from foxtrot.adapter.health import StreamHealth
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import ConnectionLost, FoxtrotError
from foxtrot.domain.market import REST, DepthData

SWEEP_S: Final = 1.0
"""How often silence is counted, and subscriptions are compared with what is wanted."""


class Upkeep:
    """The beat of one account's market data; it lasts as long as the link.

    Thread: futu-io.
    """

    def __init__(
        self,
        session: FutuSession,
        questions: Questions,
        entries: Mapping[str, Entry],
        subscriptions: Subscriptions,
        bars: LiveBars,
    ) -> None:
        self.bringing = 0
        """How many times what is wanted is being subscribed."""
        self._session = session
        self._questions = questions
        self._entries = entries
        self._subscriptions = subscriptions
        self._bars = bars
        self._life = self._lives = 0
        self._looking: set[str] = set()

    def begin(self) -> None:
        """Begin to beat over a new link."""
        self._lives += 1
        self._life = self._lives
        self._looking.clear()
        self._session.spawn(self._beat(self._life), "market data beat")

    def end(self) -> None:
        """Beat no more."""
        self._life = 0

    # --- subscriptions ----------------------------------------------------------------------------------------------

    def bring_soon(self) -> None:
        """Subscribe to what is lacking, in the background."""
        self.bringing += 1
        self._session.run(self._bring_quietly(), "subscribe")

    async def bring(self) -> None:
        """Subscribe to what is lacking, and ask for what no push brings: the book as it is now, and prints that were missed.

        Raises:
            ConnectionLost: the link is gone.
        """
        await self._subscriptions.bring()
        await asyncio.gather(*[self._freshen(entry) for entry in list(self._entries.values())])

    async def _bring_quietly(self) -> None:
        try:
            await self.bring()
        except ConnectionLost as error:
            logger.bind(account=self._session.account).debug("subscriptions wait for the next link: {}", error)
        finally:
            self.bringing -= 1

    async def _freshen(self, entry: Entry) -> None:
        held = self._subscriptions.held
        if (entry.code, TICKER) in held and entry.prints.is_held:
            await self._fill_prints(entry)
        if (entry.code, ORDER_BOOK) in held and entry.book.state in (BookState.EMPTY, BookState.STALE):
            await self._fill_book(entry)

    async def _fill_prints(self, entry: Entry) -> None:
        try:
            found = await self._questions.tickers(entry.code, KEPT)
            with entry.lock:
                entry.prints.fill(found, self._session.clock.now_ns())
        except ConnectionLost:
            raise  # they wait for the next link
        except FoxtrotError as error:
            logger.bind(account=self._session.account).warning(
                "prints of {} since the link was lost could not be had: {}", entry.instrument_id, error
            )
            with entry.lock:
                entry.prints.release(self._session.clock.now_ns())

    async def _fill_book(self, entry: Entry) -> None:
        """Ask for a book, and take it unless a push, which is newer, came first."""
        before = entry.book.takes
        try:
            answer = await self._questions.book(entry.code, LEVELS)
            if not answer.orderBookBidList and not answer.orderBookAskList:
                return  # there is none, or OpenD does not have it yet: a push will say
            with entry.lock:
                if entry.book.takes == before:
                    entry.take_book(answer, self._session.clock.now_ns())
        except ConnectionLost:
            raise
        except FoxtrotError as error:
            logger.bind(account=self._session.account).warning(
                "book of {} could not be had: {}", entry.instrument_id, error
            )

    async def ask_book(self, entry: Entry, count: int) -> DepthData:
        """Return a book that is asked for now.

        Raises:
            AdapterError: it could not be had.
        """
        key = entry.code, ORDER_BOOK
        self._subscriptions.borrow(key)
        try:
            await self._subscriptions.bring()
            refusal = self._subscriptions.why_not(key)
            if refusal is not None:
                raise refusal
            answer = await self._questions.book(entry.code, count)
        finally:
            self._subscriptions.give(key)
        now_ns, snap = self._session.clock.now_ns(), PriceSnap(entry.instrument)
        bids, asks = levels(answer.orderBookBidList, snap), levels(answer.orderBookAskList, snap)
        when_ns = book_time_ns(answer, entry.zone, now_ns)
        return DepthData(entry.instrument_id, when_ns, now_ns, 0, bids[:count], asks[:count], REST)

    # --- the beat ---------------------------------------------------------------------------------------------------

    async def _beat(self, life: int) -> None:
        clock = self._session.clock
        swept_ns = clock.monotonic_ns()
        while life == self._life:
            await self._session.wait_s(BEAT_S)
            if life != self._life:
                return
            self._bars.beat()
            now_ns = clock.monotonic_ns()
            if now_ns - swept_ns >= SWEEP_S * 1e9:
                self._look_at_silence((now_ns - swept_ns) / 1e9)
                swept_ns = now_ns
                await self._sweep()

    async def _sweep(self) -> None:
        try:
            await self._subscriptions.sweep()
            if self._subscriptions.lacking():
                await self.bring()
        except ConnectionLost as error:
            logger.bind(account=self._session.account).debug("subscriptions wait for the next link: {}", error)

    def _look_at_silence(self, elapsed_s: float) -> None:
        """Look whether a stream that is silent for longer than it ever was, while its market is open, misses something."""
        health = self._session.health
        stale = {stream.name: stream for stream in health.beat(self._session.clock.now_ns(), elapsed_s)}
        self._looking &= set(stale)
        for entry in list(self._entries.values()):
            for stream in (entry.book.health, entry.ticks.health):
                if stream is not None and stream.name in stale and stream.name not in self._looking:
                    self._looking.add(stream.name)
                    self._session.run(self._look_at(entry, stream), f"look at silent {stream.name}")

    async def _look_at(self, entry: Entry, stream: StreamHealth) -> None:
        """Ask OpenD whether a silent stream misses something: if not its market is quiet, else it is subscribed anew."""
        try:
            behind = await self._is_behind(entry)
        except FoxtrotError as error:
            text = f"{stream.name} is silent, and whether it misses something could not be asked: {error}"
            logger.bind(account=self._session.account).warning("{}", text)
        else:
            stream.silent_s = 0.0
            if behind and entry.instrument_id in self._entries:
                await self._renew(entry, stream)
        finally:
            self._looking.discard(stream.name)

    async def _is_behind(self, entry: Entry) -> bool:
        """Tell whether OpenD has another book than the last push, or a print that was not told.

        Raises:
            FoxtrotError: it could not be asked.
        """
        held = self._subscriptions.held
        if (entry.code, ORDER_BOOK) in held:
            last, takes = entry.book.last, entry.book.takes
            now = await self.ask_book(entry, LEVELS)
            is_same = last is not None and (now.bids, now.asks) == (last.bids, last.asks)
            if entry.book.takes == takes and not is_same and (now.bids or now.asks):
                return True
        if (entry.code, TICKER) in held:
            found = await self._questions.tickers(entry.code, 1)
            with entry.lock:
                return entry.prints.has_missed(found)
        return False

    async def _renew(self, entry: Entry, stream: StreamHealth) -> None:
        """Subscribe an instrument anew, and make good what was missed."""
        logger.bind(account=self._session.account).warning(
            "{} is silent, while its market is not: it is renewed", stream.name
        )
        with entry.lock:
            entry.book.stale("its stream is silent, while its market is not")
            entry.ticks.forget_book()
            entry.prints.hold()
        self._subscriptions.drop(entry.code)
        await self._bring_again()

    async def _bring_again(self) -> None:
        self.bringing += 1
        await self._bring_quietly()
