"""What one Futu account streams: ticks, prints, bars and depth of the instruments it wants; its contracts and past bars."""

from datetime import date
from typing import Final, Protocol

from msgspec.structs import replace

from foxtrot.adapter.base_adapter import BestBidOffer, ExactBook
from foxtrot.adapter.futu.books import LEVELS, NO_CHANGES, exact_book
from foxtrot.adapter.futu.codec import MARKETS, QUOTED, local_day
from foxtrot.adapter.futu.contracts import SECURITY_TYPES, code_of_instrument, instruments_of
from foxtrot.adapter.futu.entry import Entry, Publisher
from foxtrot.adapter.futu.errors import VENUE
from foxtrot.adapter.futu.history import History, HistoryPublisher
from foxtrot.adapter.futu.kline_types import KlineType, kline_type
from foxtrot.adapter.futu.live_bars import LiveBars
from foxtrot.adapter.futu.market_upkeep import Upkeep
from foxtrot.adapter.futu.pushes import Pushes, Security
from foxtrot.adapter.futu.questions import Questions
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.adapter.futu.subscriptions import Key, Subscriptions
from foxtrot.adapter.futu.trading_days import TradingDays
from foxtrot.domain.calendar_presets import ALWAYS_OPEN
from foxtrot.domain.errors import AdapterError, ConfigError, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import REST
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest

LOST: Final = "the link is lost"


class MarketPublisher(Publisher, HistoryPublisher, Protocol):
    """The adapter's way up.

    Thread: the SDK's and futu-io.
    """


class FutuMarketData:
    """The desired streams of one account; they survive a lost link.

    Thread: futu-io; `exact_book` and `best` any; pushes are taken on the SDK's.

    Args:
        adapter: the way up.
        session: calls of OpenD, the loop and the listed instruments.
    """

    def __init__(self, adapter: MarketPublisher, session: FutuSession) -> None:
        self.questions = Questions(session, extended_hours=session.settings.extended_hours)
        self.trading_days = TradingDays(self.questions)
        self.subscriptions = Subscriptions(self.questions, session.quota, self._refuse)
        self._publisher = adapter
        self._session = session
        self._wanted: dict[str, SubscribeRequest] = {}
        self._entries: dict[str, Entry] = {}
        self._by_security: dict[Security, Entry] = {}
        self._contracts: dict[str, tuple[date, tuple[Instrument, ...]]] = {}
        self._live = False
        self.bars = LiveBars(session, self.questions, self._entries)
        self.pushes = Pushes(session.clock, self._by_security, session.call_soon, self.bars.take)
        self.upkeep = Upkeep(session, self.questions, self._entries, self.subscriptions, self.bars)
        self._history = History(adapter, self.questions, self._entry_of)
        session.on_push |= self.pushes.hear()

    # --- contracts --------------------------------------------------------------------------------------------------

    async def load_contracts(self) -> tuple[Instrument, ...]:
        """Return what can be traded in the account's markets, with lots of today; and see whether trading days agree.

        Raises:
            AdapterError: OpenD did not answer.
        """
        found: list[Instrument] = []
        for market in self._session.settings.markets:
            for prefix in QUOTED[market]:
                found += await self._contracts_of(prefix)
        return tuple(found)

    async def _contracts_of(self, market: str) -> tuple[Instrument, ...]:
        """Return a market's instruments, asked for once a day of its own: OpenD answers this seldom, and a link comes back at once."""
        now_ns = self._session.clock.now_ns()
        day = local_day(now_ns, MARKETS[market].zone)
        known = self._contracts.get(market)
        if known is not None and known[0] == day:
            return known[1]
        found: list[Instrument] = []
        for kind in SECURITY_TYPES[market]:
            found += instruments_of(market, await self.questions.static_info(market, kind), day)
        await self.trading_days.compare(market, now_ns)
        if self._session.settings.always_open:
            found = [replace(one, calendar=ALWAYS_OPEN.name) for one in found]
        self._contracts[market] = day, tuple(found)
        return tuple(found)

    # --- what is wanted ---------------------------------------------------------------------------------------------

    @property
    def wanted(self) -> dict[str, SubscribeRequest]:
        """Return the desired streams by instrument."""
        return dict(self._wanted)

    @property
    def busy(self) -> bool:
        """Tell whether something of what is wanted is being subscribed or asked for."""
        return self.upkeep.bringing > 0 or self.bars.asking

    def add(self, request: SubscribeRequest) -> None:
        """Add to the desired streams and begin at once when the link is up."""
        instrument_id = request.instrument_id
        if request.depth_changes:
            self._publisher.on_request_failed(f"depth changes of {instrument_id}", NO_CHANGES)
        before = self._wanted.get(instrument_id)
        self._wanted[instrument_id] = request if before is None else before.with_also(request)
        if self._live and self._enter(self._wanted[instrument_id]):
            self.upkeep.bring_soon()

    def remove(self, instrument_id: str) -> None:
        """Remove an instrument from the desired streams; its subscriptions end when their minute is over."""
        self._wanted.pop(instrument_id, None)
        entry = self._entries.pop(instrument_id, None)
        if entry is not None:
            self._by_security.pop(entry.key, None)
            self.subscriptions.want(entry.code, ())
            entry.end()

    async def open(self) -> None:
        """Subscribe once to everything that is wanted, and return when fresh facts of it are told.

        Raises:
            ConnectionLost: the link went away meanwhile.
        """
        self._live = True
        self.subscriptions.forget()
        for request in list(self._wanted.values()):
            self._enter(request)
        self.upkeep.begin()
        await self.upkeep.bring()
        await self.bars.resume()

    def lost(self, cause: str = LOST) -> None:
        """Believe nothing until the next link; the wishes stay."""
        self._live = False
        self.upkeep.end()
        for entry in self._entries.values():
            entry.lost(cause)

    # --- books ------------------------------------------------------------------------------------------------------

    def exact_book(self, instrument_id: str) -> ExactBook | None:
        """Return the book of a stream, or None when there is none that may be believed; from any thread."""
        entry = self._entries.get(instrument_id)
        if entry is None or not self._live or not entry.wants_book:
            return None
        return entry.book.exact(self._session.clock.now_ns())

    def best(self, instrument_id: str) -> BestBidOffer | None:
        """Return the best bid and ask of a stream, or None when there are none; from any thread."""
        entry = self._entries.get(instrument_id)
        return None if entry is None or not self._live else entry.book.best(self._session.clock.now_ns())

    async def read_book(self, instrument_id: str, levels: int) -> ExactBook:
        """Ask OpenD for a book; it gives one of what is subscribed alone, so that a slot is taken for a minute at least.

        Raises:
            AdapterError: it could not be had, or the instrument is not listed.
        """
        try:
            entry = self._entry_of(instrument_id)
        except ConfigError as error:
            raise VenueRejected(VENUE, "not_listed", str(error)) from error
        depth = await self.upkeep.ask_book(entry, min(max(levels, 1), LEVELS))
        return exact_book(depth, entry.instrument, REST, self._session.clock.now_ns())

    def publish_snapshot(self, instrument_id: str) -> None:
        """Publish the book once more."""
        entry = self._entries.get(instrument_id)
        if entry is None or not entry.wants_book:
            self._publisher.on_request_failed(f"snapshot of {instrument_id}", "its depth is not subscribed")
            return
        with entry.lock:
            entry.book.publish()

    # --- history ----------------------------------------------------------------------------------------------------

    async def tell_history(self, request: HistoryRequest) -> None:
        """Publish past bars, or why there are none."""
        await self._history.tell_history(request)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _enter(self, request: SubscribeRequest) -> bool:
        """Make or change an instrument's streams; False when it is not listed."""
        instrument_id = request.instrument_id
        try:
            entry = self._entry_of(instrument_id)
        except ConfigError as error:
            self._wanted.pop(instrument_id, None)
            self._publisher.on_request_failed(f"subscribe {instrument_id}", error)
            return False
        entry.want(request, self._kinds(request))
        self._entries[instrument_id] = self._by_security[entry.key] = entry
        self.subscriptions.want(entry.code, entry.subscriptions())
        self.bars.begin(entry)
        entry.up(self._session.clock)
        return True

    def _kinds(self, request: SubscribeRequest) -> dict[str, KlineType]:
        """Return Futu's bars of the intervals that it has; one that it does not have is refused, once."""
        kept: dict[str, KlineType] = {}
        for text in request.bars:
            try:
                kept[text] = kline_type(text)
            except ConfigError as error:
                self._publisher.on_request_failed(f"subscribe {request.instrument_id} {text}", error)
        if len(kept) < len(request.bars) and request.instrument_id in self._wanted:
            known = self._wanted[request.instrument_id]
            self._wanted[request.instrument_id] = SubscribeRequest(
                known.instrument_id, known.ticks, known.trades, known.depth_levels, known.depth_changes, tuple(kept)
            )
        return kept

    def _entry_of(self, instrument_id: str) -> Entry:
        known = self._entries.get(instrument_id)
        if known is not None:
            return known
        instrument = self._session.find_instrument(instrument_id)
        if instrument is None:
            raise ConfigError(f"Futu does not list {instrument_id} in {', '.join(self._session.settings.markets)}")
        return Entry(instrument, code_of_instrument(instrument), self._publisher, self._session.health)

    def _refuse(self, key: Key, error: AdapterError) -> None:
        code, kind = key
        entry = next((one for one in self._entries.values() if one.code == code), None)
        name = code if entry is None else entry.instrument_id
        self._publisher.on_request_failed(f"stream {kind.lower()} of {name}", error)
