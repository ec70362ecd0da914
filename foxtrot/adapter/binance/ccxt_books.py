"""The books that ccxt keeps beside the hot path: which it begins, what it sees, and how they compare with ours."""

from collections.abc import Callable, Mapping
from typing import Any

from loguru import logger

from foxtrot.adapter.binance.book_comparison import BookComparison
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.book_stream import BookStream


class CcxtBooks:
    """Lets ccxt keep the books of some symbols; those of all others it neither begins nor hears of.

    Without the hot path nothing is prepared, and ccxt keeps whatever is watched.

    Thread: binance-io.
    """

    def __init__(self, session: BinanceSession, board: StreamBoard) -> None:
        self._session = session
        self._board = board
        self._kept: set[str] = set()
        """By ccxt's own symbols."""
        self._subscribed: Callable[..., Any] | None = None

    def prepare(self, exchange: Any) -> None:
        """Stand before what a new instance of ccxt's does once the stream of a book is confirmed: it fetches a snapshot."""
        self._subscribed = exchange.handle_order_book_subscription
        exchange.handle_order_book_subscription = self._hear_subscription

    def keep(self, unified: str, symbol: str) -> None:
        """Let ccxt keep a book from now on."""
        self._kept.add(unified)
        self._board.seen_by_ccxt.add(symbol)

    def leave(self, unified: str, symbol: str) -> None:
        """Keep changes of a book from ccxt."""
        self._kept.discard(unified)
        self._board.seen_by_ccxt.discard(symbol)

    def begin(self, key: str) -> None:
        """Have ccxt begin a book that it is to keep and whose stream stands already."""
        for client in self._session.exchange.clients.values():
            subscription = client.subscriptions.get(key)
            if isinstance(subscription, dict):
                self._hear_subscription(client, {}, subscription)

    def compare(self, comparison: BookComparison, book: BookStream, theirs: Any) -> None:
        """Compare two books; a difference is logged the first time, and each time there were as many again."""
        found, count = comparison.compare(book, theirs), comparison.differences
        if found is not None and count & (count - 1) == 0:
            logger.bind(account=self._session.account).warning(
                "the books of {} differ, {} times in {} comparisons: {}",
                book.instrument_id, count, comparison.compared, found,
            )  # fmt: skip

    def _hear_subscription(self, client: Any, message: Any, subscription: Mapping[str, Any]) -> None:
        if self._subscribed is not None and self._kept.intersection(subscription.get("symbols", ())):
            self._subscribed(client, message, subscription)
