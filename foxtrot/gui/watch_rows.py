"""A row of the watchlist and its columns: what an instrument's quote, day and age say."""

from collections.abc import Callable
from functools import lru_cache
from math import isfinite
from typing import Final, NamedTuple

import msgspec

from foxtrot.domain.enums import BookState
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import NOT_LIVE, DepthData, TickData
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, sign_tone, word
from foxtrot.gui.numbers import MINUS, NOTHING, age_text, price_decimals, price_text, size_text
from foxtrot.gui.texts import tr

STALE_S: Final = 10.0
"""A quote older than this is dimmed and marked."""
YOUNG_S: Final = 1.0
KEPT_CELLS: Final = 20_000
"""How many cells that seldom change are kept, of each sort: a row is made at each tick, but its high, low, symbol and venue are what they were."""
_UNKNOWN: Final = float("nan")
_UP, _DOWN, _LATE = "▲ ", "▼ ", "⚠ "


class WatchRow(msgspec.Struct, frozen=True):
    """One instrument: what was heard of it last, and how old that is; None for what was not heard."""

    instrument_id: str
    instrument: Instrument | None
    tick: TickData | None
    book: BookState | None
    age_s: float = _UNKNOWN
    bid: float = 0.0
    bid_size: float = 0.0
    ask: float = 0.0
    ask_size: float = 0.0
    decimals: int = 2
    size_decimals: int = 8
    is_stale: bool = False
    """Its quote is too old, or tells the past however lately it was heard."""

    @property
    def last(self) -> float:
        """Return the last price, 0.0 for none."""
        return self.tick.last_price if self.tick is not None else 0.0

    @property
    def change(self) -> float:
        """Return what the price has changed since the close of the day before, or since the open; not a number for unknown."""
        tick = self.tick
        if tick is None or not tick.last_price:
            return _UNKNOWN
        base = tick.previous_close or tick.open_price
        return tick.last_price - base if base else _UNKNOWN

    @property
    def change_rate(self) -> float:
        """Return the change as a fraction."""
        base = self.last - self.change
        return self.change / base if base else _UNKNOWN


class Heard(NamedTuple):
    """What was heard of an instrument, and how long ago; not a number for nothing."""

    tick: TickData | None
    depth: DepthData | None
    book: BookState | None
    age_s: float


def a_row(instrument_id: str, instrument: Instrument | None, heard: Heard, size_decimals: int) -> WatchRow:
    """Return a row; the touch is the tick's, or the book's where that is newer or the tick has none."""
    tick, depth, book, age_s = heard
    bid, bid_size, ask, ask_size = (
        (tick.bid_price, tick.bid_size, tick.ask_price, tick.ask_size) if tick else (0.0,) * 4
    )
    if depth is not None and (tick is None or not (bid and ask) or depth.local_time_ns > tick.local_time_ns):
        bid, bid_size = depth.bids[0] if depth.bids else (0.0, 0.0)
        ask, ask_size = depth.asks[0] if depth.asks else (0.0, 0.0)
    stale = age_s > STALE_S or (tick is not None and tick.source in NOT_LIVE)
    return WatchRow(
        instrument_id, instrument, tick, book, age_s, bid, bid_size, ask, ask_size, price_decimals(instrument), size_decimals, stale
    )  # fmt: skip


# --- cells --------------------------------------------------------------------------------------------------------------


def _toned(row: WatchRow, tone: Tone = Tone.PLAIN) -> Tone:
    return Tone.DIM if row.is_stale else tone


def _price(row: WatchRow, price: float, tone: Tone = Tone.PLAIN) -> Cell:
    return number(price or _UNKNOWN, price_text(price, row.decimals), _toned(row, tone))


@lru_cache(KEPT_CELLS)
def _kept_price(price: float, decimals: int, tone: Tone) -> Cell:
    return number(price or _UNKNOWN, price_text(price, decimals), tone)


_kept_word: Final = lru_cache(KEPT_CELLS)(word)


@lru_cache(KEPT_CELLS)
def _kept_symbol(text: str, instrument_id: str, tone: Tone) -> Cell:
    return Cell(text, instrument_id.casefold(), tone)


@lru_cache(KEPT_CELLS)
def _kept_venue(instrument_id: str, tone: Tone) -> Cell:
    return word(instrument_id.rpartition(".")[2], tone)


def _size(row: WatchRow, size: float) -> Cell:
    return number(size, size_text(size, row.size_decimals) if size else NOTHING, _toned(row))


def _last(row: WatchRow) -> Cell:
    change = row.change
    arrow = _UP if change > 0 else _DOWN if change < 0 else ""
    return number(row.last or _UNKNOWN, arrow + price_text(row.last, row.decimals), _toned(row, sign_tone(change)))


def _change(row: WatchRow) -> Cell:
    change = row.change
    return number(change, _signed(change, row.decimals), _toned(row, sign_tone(change)))


def _change_rate(row: WatchRow) -> Cell:
    rate = row.change_rate
    return number(rate, _signed(rate * 100, 2, " %"), _toned(row, sign_tone(rate)))


def _signed(value: float, decimals: int, unit: str = "") -> str:
    """Return a change, from floats: a row is made a thousand times a second."""
    if not isfinite(value):
        return NOTHING
    text = f"{abs(value):,.{decimals}f}{unit}"
    return f"{MINUS if value < 0 else '+' if value > 0 else ''}{text}"


def _spread(row: WatchRow) -> Cell:
    spread = row.ask - row.bid if row.ask and row.bid else _UNKNOWN
    return number(spread, f"{spread:,.{row.decimals}f}" if isfinite(spread) else NOTHING, _toned(row))


def _volume(row: WatchRow) -> Cell:
    volume = row.tick.volume if row.tick is not None else 0.0
    return number(volume, short_text(volume) if volume else NOTHING, _toned(row))


def _age(row: WatchRow) -> Cell:
    if not isfinite(row.age_s):
        return number(float("inf"), NOTHING, Tone.DIM)
    if row.tick is not None and row.tick.source in NOT_LIVE:
        return number(row.age_s, _LATE + tr(f"watchlist.{row.tick.source}"), Tone.WARNING)
    text = f"< {YOUNG_S:.0f} s" if row.age_s < YOUNG_S else age_text(float(int(row.age_s))).replace(".0 s", " s")
    return number(row.age_s, _LATE + text if row.is_stale else text, Tone.WARNING if row.is_stale else Tone.DIM)


def _book(row: WatchRow) -> Cell:
    if row.book is None:
        return word(NOTHING, Tone.DIM)
    return word(tr(f"watchlist.book_{row.book}"), Tone.GOOD if row.book is BookState.LIVE else Tone.WARNING)


def _symbol(row: WatchRow) -> Cell:
    text = row.instrument_id if row.instrument is None else row.instrument.symbol
    return _kept_symbol(text, row.instrument_id, _toned(row))


def short_text(value: float) -> str:
    """Return a large figure in four digits at most: 1,234 as it is, 12.3K, 4.56M."""
    for unit, size in (("B", 1e9), ("M", 1e6), ("K", 1e4)):
        if abs(value) >= size:
            scaled = value / (1e3 if unit == "K" else size)
            return f"{scaled:.{0 if abs(scaled) >= 100 else 1 if abs(scaled) >= 10 else 2}f}{unit}"
    return size_text(value, 2 if abs(value) < 100 else 0)


def _right(key: str, cell: Callable[[WatchRow], Cell], width: int, rank: int = 0) -> Column[WatchRow]:
    return Column[WatchRow](key, f"watchlist.{key}", cell, align=Align.RIGHT, width=width, rank=rank)


COLUMNS: Final = (
    Column[WatchRow]("symbol", "watchlist.symbol", _symbol, width=84),
    _right("last", _last, 92),
    _right("change", _change, 72),
    _right("change_rate", _change_rate, 74),
    _right("bid", lambda row: _price(row, row.bid), 82, 1),
    _right("ask", lambda row: _price(row, row.ask), 82, 1),
    _right("bid_size", lambda row: _size(row, row.bid_size), 78, 3),
    _right("ask_size", lambda row: _size(row, row.ask_size), 78, 3),
    _right("spread", _spread, 64, 2),
    _right("volume", _volume, 72),
    _right("high", lambda row: _kept_price(row.tick.high_price if row.tick is not None else 0.0, row.decimals, _toned(row)), 82),
    _right("low", lambda row: _kept_price(row.tick.low_price if row.tick is not None else 0.0, row.decimals, _toned(row)), 82),
    _right("age", _age, 66, 1),
    Column[WatchRow]("book", "watchlist.book", _book, width=70, rank=3),
    Column[WatchRow]("venue", "watchlist.venue", lambda row: _kept_venue(row.instrument_id, _toned(row)), width=90, rank=2),
    Column[WatchRow]("name", "watchlist.name", lambda row: _kept_word(row.instrument.name if row.instrument is not None else "", _toned(row)), width=120),
)  # fmt: skip
FIRST_HIDDEN: Final = frozenset({"change", "high", "low", "name"})
"""Columns that are there and not shown until they are chosen."""
