"""Cells of the watchlist that are kept say what the plain functions say, whatever was asked before."""

from itertools import product

from foxtrot.domain.market import TickData
from foxtrot.gui.columns import Tone, number, word
from foxtrot.gui.numbers import price_text
from foxtrot.gui.watch_rows import COLUMNS, Heard, WatchRow, a_row

BY_KEY = {column.key: column for column in COLUMNS}


def a_row_of(instrument_id: str, high: float, age_s: float) -> WatchRow:
    """A row of an instrument of which nothing is listed."""
    tick = TickData(instrument_id, 1, 1, 99.0, 1.0, 101.0, 1.0, 100.0, high_price=high, low_price=high / 2)
    return a_row(instrument_id, None, Heard(tick, None, None, age_s), 8)


def test_kept_cells_are_those_of_the_plain_functions() -> None:
    """Twice over, so that the second time each comes out of what is kept; a stale row is never shown in the tone of a live one."""
    for instrument_id, high, age_s in [*product(("B.SPOT", "b.PERP"), (0.0, 101.5, 1234.0), (0.5, 99.0))] * 2:
        row = a_row_of(instrument_id, high, age_s)
        tone = Tone.DIM if age_s > 10 else Tone.PLAIN
        for key, price in (("high", high), ("low", high / 2)):
            assert BY_KEY[key].cell(row) == number(price or float("nan"), price_text(price, row.decimals), tone)
        assert BY_KEY["venue"].cell(row) == word(instrument_id[2:], tone)
        symbol = BY_KEY["symbol"].cell(row)
        assert (symbol.text, symbol.sort, symbol.tone) == (instrument_id, instrument_id.casefold(), tone)
