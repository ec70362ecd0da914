"""One stream of the hub: what all its readers are told, in consecutive numbers, each frame encoded once."""

import abc
from functools import partial
from math import ceil
from typing import Protocol

from foxtrot.books.depth_book import DepthBook
from foxtrot.books.grouping import group_known
from foxtrot.books.level_book import UnitLevel
from foxtrot.core.clock import Clock
from foxtrot.domain.enums import BookState, Side
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import NO_PRICE
from foxtrot.hub.exact_text import float_text, pair_texts, unit_text
from foxtrot.hub.offer import Offer
from foxtrot.hub.wire import Change, Kind, Snapshot, StateTold, Ticker, encode

Frame = tuple[int | None, int | None, str]
"""How far a book is known on either side, and how it came."""
View = tuple[tuple[UnitLevel, ...], tuple[UnitLevel, ...]]
Key = tuple[Kind, str, int, int]
"""Kind, instrument, levels, step in units (0 for none): readers who ask for the same share a channel."""
NOTHING: View = ((), ())
_UNSEEN: Frame = (-1, -1, "")
_US = 1_000


class Reader(Protocol):
    """Whoever is told a channel's frames.

    Thread: hub-io.
    """

    def tell(self, channel: "Channel", frame: bytes) -> None:
        """Take the next frame, which may be left out for who is too slow."""

    def tell_state(self, channel: "Channel", frame: bytes) -> None:
        """Take a frame that says that the stream may not be believed, before anything else."""


class Channel(abc.ABC):
    """A stream with its readers; `seq` is the number of the last frame that all of them were told.

    Thread: hub-io.
    """

    def __init__(self, number: int, key: Key, offer: Offer, instrument: Instrument, clock: Clock) -> None:
        self.number = number
        self.key = key
        self.offer = offer
        self.seq = 0
        self.told = BookState.EMPTY
        self.readers: dict[Reader, None] = {}
        self._price, self._size = instrument.price_grid, instrument.quantity_grid
        self._clock = clock

    @abc.abstractmethod
    def publish(self) -> None:
        """Tell the readers what changed since the last time."""

    @abc.abstractmethod
    def whole(self) -> bytes:
        """Return the frame of the whole as of `seq`."""

    @property
    def grids(self) -> tuple[Grid, Grid]:
        """Return those of price and size by which units are told."""
        return self._price, self._size

    def regrid(self, instrument: Instrument) -> None:
        """Take what the instrument is now: the venue has changed its steps."""
        self._price, self._size = instrument.price_grid, instrument.quantity_grid

    def _say(self, frame: bytes) -> None:
        for reader in self.readers:
            reader.tell(self, frame)

    def _say_state(self, state: BookState, cause: str) -> None:
        self.seq += 1
        self.told = state
        frame = encode(StateTold(stream=self.number, seq=self.seq, state=state, cause=cause, time_us=self._now_us()))
        for reader in self.readers:
            reader.tell_state(self, frame)

    def _now_us(self) -> int:
        return self._clock.now_ns() // _US


class BookChannel(Channel):
    """The best levels of a book, perhaps in steps.

    Thread: hub-io.
    """

    def __init__(self, number: int, key: Key, offer: Offer, instrument: Instrument, clock: Clock) -> None:
        super().__init__(number, key, offer, instrument, clock)
        self._levels, self._step = key[2], key[3]
        self._view: View = NOTHING
        self._frame = self._look_at_frame()
        self.told = offer.state
        if offer.state is BookState.LIVE:
            self._view = self._look()

    def regrid(self, instrument: Instrument) -> None:
        """Take the new steps: what was told in units of the old ones is told anew; groups are in whole new steps, at least as wide."""
        step = self._step * self._price.step
        super().regrid(instrument)
        units = ceil(step / self._price.step)
        self._step = units if units > 1 else 0
        kind, name, levels, _ = self.key
        self.key = kind, name, levels, self._step
        self._view, self._frame = NOTHING, _UNSEEN

    def publish(self) -> None:
        """Tell a state before levels; the whole when the book became LIVE or is known otherwise, else the levels that differ."""
        offer = self.offer
        if offer.state is not BookState.LIVE:
            if offer.state is not self.told:
                self._view = NOTHING
                self._say_state(offer.state, offer.cause)
            return
        before, self._view = self._view, self._look()
        framed, self._frame = self._frame, self._look_at_frame()
        if self.told is not BookState.LIVE or framed != self._frame:
            self.seq += 1
            self.told = BookState.LIVE
            self._say(self.whole())
        elif before != self._view:
            self.seq += 1
            self._say(self._change(before))

    def whole(self) -> bytes:
        """Return the snapshot as of `seq`."""
        offer = self.offer
        frame = Snapshot(
            stream=self.number, seq=self.seq, state=offer.state, cause=offer.cause, time_us=self._now_us(), source=offer.source
        )  # fmt: skip
        if offer.state is not BookState.LIVE:
            return encode(frame)
        price, size = self._price, self._size
        full = Snapshot(
            stream=self.number,
            seq=self.seq,
            state=offer.state,
            update_id=str(offer.update_id),
            venue_time_us=offer.venue_time_ns // _US,
            time_us=frame.time_us,
            source=offer.source,
            lowest_known=_edge(price, self._frame[0]),
            highest_known=_edge(price, self._frame[1]),
            bids=pair_texts(self._view[0], price, size),
            asks=pair_texts(self._view[1], price, size),
        )
        return encode(full)

    def _change(self, before: View) -> bytes:
        offer = self.offer
        price, size = self._price, self._size
        return encode(
            Change(
                stream=self.number,
                seq=self.seq,
                update_id=str(offer.update_id),
                venue_time_us=offer.venue_time_ns // _US,
                time_us=self._now_us(),
                bids=pair_texts(_differing(before[0], self._view[0]), price, size),
                asks=pair_texts(_differing(before[1], self._view[1]), price, size),
            )
        )

    def _look_at_frame(self) -> Frame:
        book = self.offer.book
        return (
            (None, None, self.offer.source)
            if book is None
            else (book.lowest_known, book.highest_known, self.offer.source)
        )

    def _look(self) -> View:
        """Return the best levels, as far as they are known."""
        book = self.offer.book
        if book is None:
            return NOTHING
        lowest, highest = book.lowest_known, book.highest_known
        if self._step:
            return self._groups(book, Side.BUY, lowest), self._groups(book, Side.SELL, highest)
        bids, asks = book.levels.top(self._levels)
        if lowest is not None and bids and bids[-1][0] < lowest:
            bids = tuple([level for level in bids if level[0] >= lowest])
        if highest is not None and asks and asks[-1][0] > highest:
            asks = tuple([level for level in asks if level[0] <= highest])
        return bids, asks

    def _groups(self, book: DepthBook, side: Side, known: int | None) -> tuple[UnitLevel, ...]:
        """Return groups that are known entirely: of the last one perhaps only a part is."""
        found = group_known(book.levels.levels(side), self._step, side, self._levels, known)
        return found.levels if found.complete else found.levels[:-1]


class TickerChannel(Channel):
    """The ticker of an instrument; each frame is whole, so the newest is all that a late one needs.

    Thread: hub-io.
    """

    def __init__(self, number: int, key: Key, offer: Offer, instrument: Instrument, clock: Clock) -> None:
        super().__init__(number, key, offer, instrument, clock)
        self.told = offer.tick_state
        self._last = offer.tick

    def publish(self) -> None:
        """Tell the newest tick, or that there is none to be believed."""
        offer = self.offer
        if offer.tick_state is not BookState.LIVE:
            if offer.tick_state is not self.told:
                self._say_state(offer.tick_state, offer.cause)
            return
        if offer.tick is not self._last or self.told is not BookState.LIVE:
            self._last = offer.tick
            self.told = BookState.LIVE
            self.seq += 1
            self._say(self.whole())

    def whole(self) -> bytes:
        """Return the last tick as of `seq`."""
        tick = self._last
        if tick is None:
            return encode(Ticker(stream=self.number, seq=self.seq, state=self.told, time_us=self._now_us()))
        price, size = partial(float_text, self._price), partial(float_text, self._size)
        return encode(
            Ticker(
                stream=self.number,
                seq=self.seq,
                state=self.told,
                venue_time_us=tick.venue_time_ns // _US,
                time_us=self._now_us(),
                source=tick.source,
                bid=price(tick.bid_price),
                bid_size=size(tick.bid_size) if tick.bid_price != NO_PRICE else None,
                ask=price(tick.ask_price),
                ask_size=size(tick.ask_size) if tick.ask_price != NO_PRICE else None,
                last=price(tick.last_price),
                last_size=size(tick.last_size),
                volume=size(tick.volume),
            )
        )


def make_channel(number: int, key: Key, offer: Offer, instrument: Instrument, clock: Clock) -> Channel:
    """Return a new stream of the kind that its key names."""
    return (BookChannel if key[0] == "book" else TickerChannel)(number, key, offer, instrument, clock)


def _edge(grid: Grid, units: int | None) -> str | None:
    return None if units is None else unit_text(grid, units)


def _differing(before: tuple[UnitLevel, ...], now: tuple[UnitLevel, ...]) -> list[UnitLevel]:
    """Return the levels of `now` that `before` has not, and those that are gone with a size of zero."""
    if before == now:
        return []
    old, new = dict(before), dict(now)
    changed = [(price, size) for price, size in now if old.get(price) != size]
    return changed + [(price, 0) for price in old if price not in new]
