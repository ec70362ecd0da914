"""One stream as a client keeps it: numbers checked, levels applied, a frozen value after each frame."""

import abc
import enum
from bisect import bisect_left, insort
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.hub.client_values import ExactLevel, HubBook, HubTicker
from foxtrot.hub.wire import Change, Conflated, Pair, Snapshot, StateTold, Ticker

Value = TypeVar("Value", bound=HubBook | HubTicker)
StreamFrame = Snapshot | Change | StateTold | Ticker | Conflated
_US = 1_000


class _Due(enum.Enum):
    """What must come before, or instead of, a change."""

    WHOLE = "a snapshot of the last number"
    NEXT_WHOLE = "a snapshot of the next number"
    CHANGE = "a change of the next number"


class KeptStream(abc.ABC, Generic[Value]):
    """A stream's last value and last number.

    Thread: hub-client.
    """

    def __init__(self, instrument_id: str) -> None:
        self.instrument_id = instrument_id
        self.seq = -1
        """The number of the last frame, -1 before the first."""
        self.conflated = 0
        self._due = _Due.WHOLE

    @abc.abstractmethod
    def nothing(self, state: BookState, cause: str) -> Value:
        """Return a value that nobody can believe."""

    def take(self, frame: StreamFrame, now_ns: int) -> Value:
        """Take the next frame; returns the new value. Before the first snapshot any number is the first.

        Raises:
            BookOutOfSync: its number does not follow: read the stream anew.
        """
        if isinstance(frame, Conflated):
            self._follow(frame.seq - frame.count, frame.seq)
            self.conflated += frame.count
            self._due = _Due.WHOLE
            return self.nothing(BookState.SYNCING, f"{frame.count} frames were left out: this client is too slow")
        if isinstance(frame, StateTold):
            self._follow(frame.seq - 1, frame.seq)
            self._due = _Due.NEXT_WHOLE
            return self.nothing(frame.state, frame.cause)
        if isinstance(frame, Change):
            if self._due is not _Due.CHANGE:
                raise BookOutOfSync(
                    f"{self.instrument_id}: change {frame.seq} of the hub came where a snapshot was due"
                )
            self._follow(frame.seq - 1, frame.seq)
        else:
            if self._due is not _Due.WHOLE or frame.seq != self.seq:
                self._follow(frame.seq - 1, frame.seq)
            self._due = _Due.CHANGE if frame.state is BookState.LIVE else _Due.NEXT_WHOLE
        return self._apply(frame, now_ns)

    def restart(self) -> None:
        """Begin anew: the stream is read again."""
        self.seq = -1
        self._due = _Due.WHOLE

    @abc.abstractmethod
    def _apply(self, frame: Snapshot | Change | Ticker, now_ns: int) -> Value:
        """Return the value after a frame that follows."""

    def _follow(self, last: int, seq: int) -> None:
        if last != self.seq and self.seq >= 0:
            raise BookOutOfSync(
                f"{self.instrument_id}: frame {seq} of the hub follows {last}, but the last one here is {self.seq}"
            )
        self.seq = seq


class KeptBook(KeptStream[HubBook]):
    """A book by snapshots and changes.

    Thread: hub-client.
    """

    def __init__(self, instrument_id: str) -> None:
        super().__init__(instrument_id)
        self._bids, self._asks = _Side(), _Side()
        self._whole = HubBook(instrument_id=instrument_id, state=BookState.EMPTY)

    def nothing(self, state: BookState, cause: str) -> HubBook:
        """Return a book without levels."""
        return HubBook(instrument_id=self.instrument_id, state=state, seq=max(0, self.seq), cause=cause)

    def _apply(self, frame: Snapshot | Change | Ticker, now_ns: int) -> HubBook:
        if isinstance(frame, Ticker):
            raise BookOutOfSync(f"{self.instrument_id}: a ticker came on the stream of a book")
        if isinstance(frame, Snapshot):
            self._bids.load(frame.bids)
            self._asks.load(frame.asks)
            self._whole = HubBook(
                instrument_id=self.instrument_id,
                state=frame.state,
                lowest_known=_decimal(frame.lowest_known),
                highest_known=_decimal(frame.highest_known),
                source=frame.source,
                cause=frame.cause,
            )
        else:
            self._bids.change(frame.bids)
            self._asks.change(frame.asks)
        return msgspec.structs.replace(
            self._whole,
            seq=frame.seq,
            update_id=int(frame.update_id),
            venue_time_ns=frame.venue_time_us * _US,
            local_time_ns=now_ns,
            bids=self._bids.down(),
            asks=self._asks.up(),
        )


class KeptTicker(KeptStream[HubTicker]):
    """A ticker, each frame of which is whole.

    Thread: hub-client.
    """

    def nothing(self, state: BookState, cause: str) -> HubTicker:
        """Return a ticker without prices."""
        return HubTicker(instrument_id=self.instrument_id, state=state, seq=max(0, self.seq), cause=cause)

    def _apply(self, frame: Snapshot | Change | Ticker, now_ns: int) -> HubTicker:
        if not isinstance(frame, Ticker):
            raise BookOutOfSync(f"{self.instrument_id}: a book came on the stream of a ticker")
        if frame.state is not BookState.LIVE:
            return self.nothing(frame.state, "")
        return HubTicker(
            instrument_id=self.instrument_id,
            state=frame.state,
            seq=frame.seq,
            venue_time_ns=frame.venue_time_us * _US,
            local_time_ns=now_ns,
            bid=_decimal(frame.bid),
            bid_size=_decimal(frame.bid_size),
            ask=_decimal(frame.ask),
            ask_size=_decimal(frame.ask_size),
            last=_decimal(frame.last),
            last_size=_decimal(frame.last_size),
            volume=_decimal(frame.volume),
            source=frame.source,
        )


class _Side:
    """Sizes by price, with the prices sorted upwards.

    Like books.LevelBook, but in Decimals: the hub tells exact text, and a client has no Instrument whose grid would turn it into units.
    Units by the steps in `subscribed` would have to be turned back into Decimals for every value that is given.

    Thread: hub-client.
    """

    def __init__(self) -> None:
        self._levels: dict[Decimal, ExactLevel] = {}
        self._prices: list[Decimal] = []

    def load(self, pairs: tuple[Pair, ...]) -> None:
        levels = [(Decimal(price), Decimal(size)) for price, size in pairs]
        self._levels = {level[0]: level for level in levels}
        self._prices = sorted(self._levels)

    def change(self, pairs: tuple[Pair, ...]) -> None:
        for price_text, size_text in pairs:
            price, size = Decimal(price_text), Decimal(size_text)
            if size:
                if price not in self._levels:
                    insort(self._prices, price)
                self._levels[price] = price, size
            elif self._levels.pop(price, None) is not None:
                del self._prices[bisect_left(self._prices, price)]

    def up(self) -> tuple[ExactLevel, ...]:
        return tuple(map(self._levels.__getitem__, self._prices))

    def down(self) -> tuple[ExactLevel, ...]:
        return tuple(map(self._levels.__getitem__, reversed(self._prices)))


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
