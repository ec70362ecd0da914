"""The periodic look whether our books are the venue's, one at a time and not while requests are dear, and how far they are known.

A book is known as far as its snapshot reached. Where the market has gone half of that way a fresh one is taken in while the book stays
LIVE; where it has gone all of it not even the best level is known for sure, so the book begins anew.
"""

from collections.abc import Mapping
from typing import Final

from loguru import logger

from foxtrot.adapter.binance.account_polling import MOSTLY_SPENT
from foxtrot.adapter.binance.ccxt_facts import CcxtBook
from foxtrot.adapter.binance.market_fetching import Entry
from foxtrot.adapter.binance.partial_books import PartialBook
from foxtrot.adapter.binance.rest_polling import SNAPSHOT_LEVELS, RestMarket
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.book_stream import BookStream
from foxtrot.books.audit import AuditResult, AuditVerdict
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import AdapterError, OffGrid

AUDITED_LEVELS: Final = 100
"""A request of so many costs 5 of the 6,000 a minute on spot, and 5 of the 2,400 on USD-M; of 1,000 levels it costs 50 and 20.

Source: Binance spot API, rest-api, Order book; USDⓈ-M Futures, Order Book: weights by limit.
"""
RENEW_PAUSE_S: Final = 10.0
"""How long a book is left alone after a fresh snapshot was asked for because it had become thin."""
WAIT_S: Final = 0.1
WAITS: Final = 20
"""How often the stream is waited for when a snapshot is ahead of it."""


class BookAudits:
    """Audits the books of one account in turn.

    Thread: binance-io; `score` from any.
    """

    def __init__(self, session: BinanceSession, market: RestMarket, interval_s: float) -> None:
        self._session = session
        self._market = market
        self._interval_s = interval_s
        self._looked_ns: dict[str, int] = {}
        self._renewed_ns: dict[str, int] = {}
        self._scores: dict[str, float] = {}

    def score(self, instrument_id: str) -> float | None:
        """Return the share of levels that were the venue's at the last audit; None before the first."""
        return self._scores.get(instrument_id)

    def forget(self, instrument_id: str) -> None:
        """Forget a book."""
        self._looked_ns.pop(instrument_id, None)
        self._renewed_ns.pop(instrument_id, None)
        self._scores.pop(instrument_id, None)

    async def beat(self, entries: Mapping[str, Entry]) -> None:
        """Give up what is not known any more; then look at one book: a thin one, else the one not looked at for longest, if it is due."""
        books = {
            name: entry.book for name, entry in entries.items() if entry.book is not None and _is_auditable(entry.book)
        }
        for name, book in books.items():
            if not book.book.is_best_known:
                book.begin(f"{name}: the market has gone beyond the levels that are known", same_stream=True)
        if self._session.health.used_weight >= MOSTLY_SPENT[self._session.product]:
            return
        now_ns = self._session.clock.monotonic_ns()
        thin = self._thin(books, now_ns)
        name = thin or self._due(books, now_ns)
        if name:
            self._looked_ns[name] = now_ns
            await self.audit(entries[name], SNAPSHOT_LEVELS if thin else AUDITED_LEVELS)

    def _thin(self, books: Mapping[str, BookStream], now_ns: int) -> str:
        """Return a book that has become thin and was not renewed just now, or ""."""
        for name, book in books.items():
            if book.book.is_thin and now_ns - self._renewed_ns.get(name, -(2**62)) >= RENEW_PAUSE_S * 1e9:
                self._renewed_ns[name] = now_ns
                return name
        return ""

    def _due(self, books: Mapping[str, BookStream], now_ns: int) -> str:
        """Return the book whose turn it is, or "" when it is nobody's."""
        looked = [(self._looked_ns.setdefault(name, now_ns), name) for name in books]
        if not self._interval_s or not looked:
            return ""
        looked_ns, name = min(looked)
        return name if now_ns - looked_ns >= self._interval_s * 1e9 else ""

    async def audit(self, entry: Entry, levels: int = AUDITED_LEVELS) -> AuditResult | None:
        """Compare a book with a fresh snapshot; None when that could not be had. A book that differs begins anew."""
        book, name = entry.book, entry.request.instrument_id
        if book is None:
            return None
        try:
            result = await self._compare(entry.symbol, book, levels)
        except (AdapterError, OffGrid) as error:
            logger.bind(account=self._session.account).info("the book of {} could not be audited: {}", name, error)
            return None
        finally:
            book.drop_audit()
        if result.verdict is not AuditVerdict.UNKNOWN:
            self._scores[name] = result.score
        if result.verdict is AuditVerdict.DIFFERS:
            logger.bind(account=self._session.account).warning(
                "the book of {} was not the venue's: {} of {} levels equal a fresh snapshot's; it begins anew",
                name, result.equal, result.levels,
            )  # fmt: skip
        return result

    async def _compare(self, symbol: str, book: BookStream, levels: int) -> AuditResult:
        book.begin_audit()
        snapshot = await self._market.snapshot(symbol, levels)
        result = book.finish_audit(snapshot, levels)
        for _ in range(WAITS):
            if not result.is_early:
                break
            await self._session.wait_s(WAIT_S)
            result = book.finish_audit(snapshot, levels)
        return result


def _is_auditable(book: BookStream) -> bool:
    """Tell whether a book is kept by changes, which alone can be compared with a snapshot of another moment."""
    return not isinstance(book, CcxtBook | PartialBook) and book.streams and book.state is BookState.LIVE
