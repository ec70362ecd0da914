"""Past bars of IB: the last so many closed ones, page by page within its pace, and from disk where they are known."""

from datetime import UTC, datetime
from operator import index
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

import msgspec

from foxtrot.adapter.ib.bar_sizes import BarSize, bar_size, bounds_of, duration_of, stamp_ns
from foxtrot.adapter.ib.bar_stream import SETTLED_NS
from foxtrot.adapter.ib.codec import SECOND_NS, bar_of, is_no_bar
from foxtrot.adapter.ib.history_cache import HistoryCache, KnownBars
from foxtrot.adapter.ib.resolving import Contracts, Resolved
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.core.clock import Clock
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import ConfigError, FoxtrotError, RateLimited, VenueRejected
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import HistoryRequest

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

MOST: Final = 1_000_000
TRADES, MID_PRICES = "TRADES", "MIDPOINT"
"""Source: TWS API, Historical Bar Data, whatToShow: currencies have no trades. Prices are as they were traded, adjusted for splits."""
EPOCH_SECONDS: Final = 2
"""Source: TWS API, Historical Bar Data, formatDate."""
NO_DATA: Final = "162"
NO_DATA_WORDS: Final = "no data"
"""What IB says of a stretch without bars. Source: TWS API, Message Codes, 162: HMDS query returned no data."""
DEADLINE_S: Final = 60.0
TRIES: Final = 3
"""How often a page is asked for when IB says that it was too soon."""
EMPTY_PAGES: Final = 2
"""After how many pages without a bar, each of the longest duration, there are none before."""
KEPT_IN_MEMORY: Final = 16
_BAD_REQUEST = (FoxtrotError, TypeError, ValueError, OverflowError)


class HistoryPublisher(Protocol):
    """The adapter's way up.

    Thread: ib-io.
    """

    def on_history(self, history: HistoryLoaded) -> None:
        """Publish the answer to a history request."""


class History:
    """Asks for past bars; the open one is never among them.

    Thread: ib-io.
    Blocks: for the disk, for the file of one contract and length.

    Args:
        publisher: takes the answers.
        session: asks TWS.
        contracts: finds instruments.
        home: where bars that are known are kept; None is nowhere.
    """

    def __init__(
        self, publisher: HistoryPublisher, session: "IbSession", contracts: Contracts, home: Path | None
    ) -> None:
        self._publisher = publisher
        self._session = session
        self._contracts = contracts
        self._cache = HistoryCache(home)
        self._known: dict[str, KnownBars] = {}

    @property
    def _clock(self) -> Clock:
        return self._session.clock

    async def tell_history(self, request: HistoryRequest) -> None:
        """Publish the last closed bars that ended at or before a time, or why there are none. Never raises for a request."""
        try:
            bars, error = await self._closed_bars(request), ""
        except _BAD_REQUEST as refusal:
            bars, error = (), str(refusal) or type(refusal).__name__
        self._publisher.on_history(
            HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars, error)
        )

    async def _closed_bars(self, request: HistoryRequest) -> tuple[BarData, ...]:
        """Return the bars of a request, the newest last.

        Raises:
            ConfigError: the interval, the count or the instrument cannot be had.
            AdapterError: TWS did not answer.
        """
        size, count = bar_size(request.interval), index(request.count)
        if not 0 < count <= MOST:
            raise ConfigError(f"{count} bars of {request.interval}: ask for 1 to {MOST}")
        resolved = await self._contracts.resolve(request.instrument_id)
        end_ns = min(request.end_ns, self._clock.now_ns() - SETTLED_NS)
        found = await _Pages(self, resolved, size).last(count, end_ns)
        now_ns = self._clock.now_ns()
        return tuple(
            msgspec.structs.replace(
                bar, instrument_id=request.instrument_id, interval=request.interval, local_time_ns=now_ns
            )
            for bar in found
        )

    # --- for the pages ----------------------------------------------------------------------------------------------

    def known(self, key: str) -> KnownBars:
        """Return what is known of a contract and length."""
        if key not in self._known:
            while len(self._known) >= KEPT_IN_MEMORY:
                del self._known[next(iter(self._known))]
            self._known[key] = self._cache.read(key)
        return self._known[key]

    def keep(self, key: str) -> None:
        """Write what is known to disk."""
        if key in self._known:
            self._cache.write(key, self._known[key])

    def use_rth(self, resolved: Resolved) -> int:
        """Return whether bars are of regular hours alone."""
        return resolved.use_rth(outside=self._session.settings.outside_hours)

    async def ask(self, resolved: Resolved, size: BarSize, end_ns: int, duration: str) -> list[Any]:
        """Return a page of rows, none where IB has none; one that ends at 0 ends now, with the bar that forms.

        Raises:
            AdapterError: TWS did not answer, or refused.
        """
        what = MID_PRICES if resolved.has_mid_prices else TRADES
        contract, rth = self._contracts.contract_of(resolved.instrument.instrument_id), self.use_rth(resolved)
        end = f"{datetime.fromtimestamp(end_ns // SECOND_NS, UTC):%Y%m%d-%H:%M:%S}" if end_ns else ""
        key, small = (resolved.con_id, size.name, what, end, duration), size.interval.duration_ns < 60 * SECOND_NS

        def send(client: Any, request_id: int) -> None:
            client.reqHistoricalData(
                request_id, contract, end, duration, size.name, what, rth, EPOCH_SECONDS, False, []
            )

        for left in reversed(range(TRIES)):
            try:
                async with self._session.history_pace.turn(key, (resolved.con_id, what), small=small):
                    return [row[0] for row in await self._session.ask("history", send, DEADLINE_S)]
            except RateLimited as limited:
                if not left:
                    raise
                self._session.history_pace.hold(limited.retry_after_s or 1.0)
            except VenueRejected as refusal:
                if is_no_data(refusal.code, str(refusal)):
                    return []
                raise
        return []


class _Pages:
    """Goes back page by page until there are enough bars, or none before.

    Thread: ib-io.
    """

    def __init__(self, history: History, resolved: Resolved, size: BarSize) -> None:
        self._history = history
        self._resolved = resolved
        self._size = size
        self._calendar = calendar_named(resolved.instrument.calendar)
        self._snap = PriceSnap(resolved.instrument)
        hours = "rth" if history.use_rth(resolved) else "all"
        self._key = f"{resolved.con_id}-{size.name}-{hours}-{resolved.instrument.calendar}"

    async def last(self, count: int, end_ns: int) -> list[BarData]:
        """Return the last bars that ended at or before a time, oldest first.

        Raises:
            AdapterError: TWS did not answer.
        """
        known = self._history.known(self._key)
        found: list[BarData] = []
        empty = asked = 0
        while len(found) < count and empty < EMPTY_PAGES:
            span = known.span_at(end_ns)
            if span is not None:
                found = [*known.between((span[0], end_ns)), *found]
                end_ns = span[0]
                continue
            missing_s = int((count - len(found)) * self._size.interval.duration_ns // SECOND_NS)
            duration = self._size.duration if empty else duration_of(missing_s, self._size)
            bars = self._bars(await self._history.ask(self._resolved, self._size, end_ns, duration), end_ns)
            asked += 1
            if not bars:
                empty += 1 + (duration == self._size.duration)
                end_ns -= self._size.reach_s * SECOND_NS if duration == self._size.duration else 0
                continue
            empty = 0
            known.add((bars[0].open_time_ns, end_ns), bars)
        if asked:
            self._history.keep(self._key)
        return found[-count:]

    def _bars(self, rows: list[Any], end_ns: int) -> list[BarData]:
        """Return the bars of a page that closed in time, each once.

        Raises:
            BadMessage: one cannot be read.
        """
        made: dict[int, BarData] = {}
        for row in rows:
            bounds = bounds_of(stamp_ns(row.date, self._calendar), self._size, self._calendar)
            if bounds[1] > end_ns or is_no_bar(row):
                continue
            bar = bar_of(row, self._snap, self._resolved.multiplier)
            made[bounds[0]] = msgspec.structs.replace(bar, open_time_ns=bounds[0], close_time_ns=bounds[1])
        return [made[key] for key in sorted(made)]


def is_no_data(code: str, text: str) -> bool:
    """Tell whether a refusal says that there are no bars, which is an answer. Source: TWS API, Message Codes, 162."""
    return code == NO_DATA and NO_DATA_WORDS in text.lower()
