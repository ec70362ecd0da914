"""What no stream brings is asked for again and again: books, quotes and prints; what cannot be had is not believed for long."""

from typing import Any, Final

from foxtrot.adapter.ccxt import ccxt_facts
from foxtrot.adapter.ccxt.entry import Entry
from foxtrot.adapter.ccxt.errors import UNREADABLE, clean
from foxtrot.adapter.ccxt.market_fetching import Fetching
from foxtrot.adapter.ccxt.session import CcxtSession
from foxtrot.domain.errors import AdapterError, BadMessage, OffGrid
from foxtrot.domain.market import REST, DepthData

TRADES: Final = 100


class Polling:
    """Asks for what no stream brings.

    Thread: the session's.
    """

    def __init__(self, session: CcxtSession, fetching: Fetching) -> None:
        self._session = session
        self._fetching = fetching

    async def poll(self, entry: Entry, *, book: bool, quote: bool, trades: bool) -> None:
        """Ask once for what is wanted of an instrument and no stream brings."""
        life = self._fetching.life
        if book or quote:
            await self._poll_book(entry, life, book=book, quote=quote)
        if trades and life == self._fetching.life and entry.wanted:
            try:
                await self._poll_trades(entry, life)
            except AdapterError as error:
                self._fetching.log(entry.unified, error)

    async def _poll_book(self, entry: Entry, life: int, *, book: bool, quote: bool) -> None:
        """Ask for a book once; where that fails again and again nobody may believe the last answer, nor at once one off the grid."""
        before = entry.quotes.mark
        try:
            depth = await self._fetching.depth(entry)
        except AdapterError as error:
            self._fetching.log(entry.unified, error)
            now_ns, interval_s = self._session.clock.monotonic_ns(), self._session.settings.poll_interval_s
            if entry.polls.failed(now_ns, interval_s) and life == self._fetching.life:
                cause = f"requests for it fail: {error}"
                self._disbelieve(entry, cause, book=book, quote=quote and entry.quotes.mark == before)
            return
        if life != self._fetching.life or not entry.wanted:
            return
        entry.polls.answered(self._session.clock.monotonic_ns())
        if quote and entry.quotes.mark == before:
            self._fetching.take_quote(entry, depth)
        if book:
            self._take_book(entry, depth)

    def _disbelieve(self, entry: Entry, cause: str, *, book: bool, quote: bool) -> None:
        """Let nobody believe what was asked for; what a stream brings by now is left alone."""
        if book and entry.book is not None and entry.book.polled:
            entry.book.stale(cause)
        if quote:
            entry.quotes.forget_quote()

    def _take_book(self, entry: Entry, depth: DepthData) -> None:
        if entry.book is None or not entry.wants_book or entry.book.streams:  # its stream came while it was asked for
            return
        try:
            entry.book.load_polled(depth)
        except OffGrid as error:
            self._fetching.tell_off_grid(entry, error)
            self._disbelieve(entry, str(error), book=True, quote=False)
        else:
            entry.off_grid = False
            entry.book.publish()

    async def _poll_trades(self, entry: Entry, life: int) -> None:
        venue = self._session.venue
        if not self._session.exchange.has.get("fetchTrades") or (venue is not None and not venue.rest_trades):
            return
        unified, name = entry.unified, entry.request.instrument_id
        rows: list[Any] = await self._session.ask(lambda exchange: exchange.fetch_trades(unified, None, TRADES))
        now_ns = self._session.clock.now_ns()
        try:
            found = [ccxt_facts.trade_of(row, name, now_ns, REST) for row in rows]
        except UNREADABLE as error:
            raise BadMessage(self._session.name, "trades", clean(error)) from error
        if life == self._fetching.life and entry.wanted:
            entry.quotes.past(sorted(found, key=lambda one: one.venue_time_ns))
            entry.quotes.publish(now_ns, REST)
