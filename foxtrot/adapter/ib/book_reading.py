"""A book that is asked for once: IB gives books by subscription alone, so that one is begun and ended for it."""

from typing import TYPE_CHECKING, Any, Final

from loguru import logger

from foxtrot.adapter.base_adapter import ExactBook
from foxtrot.adapter.ib.books import MOST_ROWS
from foxtrot.adapter.ib.entry import Entry
from foxtrot.adapter.ib.errors import VENUE
from foxtrot.adapter.ib.resolving import Contracts
from foxtrot.adapter.ib.streams import Streams
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import AdapterError, ConfigError, RequestTimedOut, VenueRejected
from foxtrot.domain.market import REST
from foxtrot.domain.subscription import SubscribeRequest

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

BOOK_S: Final = 5.0
"""How long a book that is asked for may take."""
LOOK_S: Final = 0.02


class BookReading:
    """Reads books by a subscription that ends with the answer.

    Thread: ib-io.
    """

    def __init__(self, session: "IbSession", contracts: Contracts, streams: Streams) -> None:
        self._session = session
        self._contracts = contracts
        self._streams = streams

    async def read(self, instrument_id: str, levels: int) -> ExactBook:
        """Return a book that is asked for now.

        Raises:
            AdapterError: it could not be had, or IB does not know the instrument.
        """
        try:
            resolved = await self._contracts.resolve(instrument_id)
        except ConfigError as error:
            raise VenueRejected(VENUE, "not_listed", str(error)) from error
        once = Entry(resolved, _Unheard(), self._session.health)
        once.want(SubscribeRequest(instrument_id, ticks=False, depth_levels=min(max(levels, 1), MOST_ROWS)), {})
        try:
            await self._streams.bring(once)
            return await self._first_book(once)
        finally:
            once.end()
            await self.end(once)

    async def fresh(self, entries: tuple[Entry, ...]) -> None:
        """Return when the first rows of books were heard: what is asked after them is answered after them.

        Raises:
            ConnectionLost: the link is gone.
        """
        if not any(entry.book.state is BookState.SYNCING for entry in entries):
            return
        try:
            await self._session.ask_time(self._session.dialling.present("books"), BOOK_S)
        except RequestTimedOut as error:
            logger.bind(account=self._session.account).debug("whether books are fresh is not known: {}", error)
        now_ns = self._session.clock.now_ns()
        for entry in entries:
            with entry.lock:
                entry.book.settle(now_ns)

    async def end(self, entry: Entry) -> None:
        """End the streams of an instrument, if there is a link to end them over."""
        try:
            await self._streams.end(entry)
        except AdapterError as error:
            logger.bind(account=self._session.account).debug("streams of {} are gone: {}", entry.instrument_id, error)

    async def _first_book(self, entry: Entry) -> ExactBook:
        clock = self._session.clock
        until_ns = clock.monotonic_ns() + int(BOOK_S * 1e9)
        while clock.monotonic_ns() < until_ns:
            await self._session.wait_s(LOOK_S)
            with entry.lock:
                entry.book.beat(clock.now_ns())
                book = entry.book.exact(clock.now_ns())
            if entry.book.is_top:
                raise VenueRejected(VENUE, "depth", f"IB gives no depth of {entry.instrument_id} now")
            if book is not None:
                return ExactBook(book.instrument_id, book.update_id, book.bids, book.asks, REST, book.age_ms)
        raise RequestTimedOut(VENUE, "depth", f"no book of {entry.instrument_id} in {BOOK_S:g} s")


class _Unheard:
    """The way up of a book that was only asked for: nowhere."""

    def __getattr__(self, _name: str) -> Any:
        return _nothing


def _nothing(*_arguments: object) -> None:
    """Tell nobody."""
