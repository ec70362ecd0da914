"""How the books of the simulated venue are read: from memory, or by asking the venue and waiting for it."""

import abc
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout

from foxtrot.adapter.base_adapter import BaseAdapter, BestBidOffer, ExactBook
from foxtrot.adapter.simulated.market_data import MarketData
from foxtrot.adapter.simulated.order_entry import NOT_CONNECTED, OrderEntry
from foxtrot.adapter.simulated.session import Job, SimulatedSession
from foxtrot.domain.errors import AdapterError, ConfigError, ConnectionLost, RequestTimedOut


class BookReading(BaseAdapter, abc.ABC):
    """The part of a simulated account's adapter that reads books.

    Thread: any; the venue is read on simulated-io (in line: the caller's).
    """

    session: SimulatedSession
    market_data: MarketData
    _orders: OrderEntry

    @abc.abstractmethod
    def _submit(self, job: Job) -> bool:
        """Give the session a job; False when nobody would do it, before `connect` and after `close`."""

    def book_in_memory(self, instrument_id: str) -> ExactBook | None:
        """Return the last published full book."""
        return self.market_data.exact_book(instrument_id) if self._orders.linked else None

    def best_in_memory(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best prices as of the last step."""
        return self.market_data.best(instrument_id) if self._orders.linked else None

    def fetch_order_book(self, instrument_id: str, levels: int, deadline_s: float) -> ExactBook:
        """Ask the venue for a book and wait for it.

        Blocks: at most `deadline_s`.

        Raises:
            ConnectionLost: the venue is not connected.
            AdapterError: it does not list the instrument.
            RequestTimedOut: no answer in time.
        """
        answer: Future[ExactBook] = Future()
        if self.session.is_own_thread:
            self._read_book(answer, instrument_id, levels)
        elif not self._submit(lambda: self._read_book(answer, instrument_id, levels)):
            raise ConnectionLost(self.adapter_name, "not_connected", NOT_CONNECTED)
        try:
            return answer.result(deadline_s)
        except FutureTimeout as error:
            text = f"no book of {instrument_id} in {deadline_s} s"
            raise RequestTimedOut(self.adapter_name, "timeout", text) from error

    def _read_book(self, answer: "Future[ExactBook]", instrument_id: str, levels: int) -> None:
        if not self._orders.linked:
            answer.set_exception(ConnectionLost(self.adapter_name, "not_connected", NOT_CONNECTED))
            return
        try:
            answer.set_result(self.market_data.read_book(instrument_id, levels, "rest"))
        except ConfigError as error:
            answer.set_exception(AdapterError(self.adapter_name, "no_book", str(error)))
