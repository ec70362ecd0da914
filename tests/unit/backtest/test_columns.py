"""Columns of history: length, slices, and the refusal of columns that do not fit together."""

import numpy as np
import pytest

from foxtrot.backtest.columns import BarColumns, QuoteColumns, TradeColumns
from foxtrot.domain.errors import InvariantBroken

MINUTE_NS = 60_000_000_000


def some_bars(rows: int) -> BarColumns:
    opens = np.arange(rows, dtype=np.int64) * MINUTE_NS
    price = np.arange(1.0, rows + 1)
    return BarColumns(
        instrument_id="BTCUSDT.BINANCE", interval="1m", open_time_ns=opens, close_time_ns=opens + MINUTE_NS,
        open=price, high=price, low=price, close=price, volume=price, price_decimals=2, warnings=("one",),
    )  # fmt: skip


def test_a_slice_keeps_rows_and_what_describes_them_and_copies_nothing() -> None:
    bars = some_bars(10)
    part = bars[2:5]
    assert len(bars) == 10
    assert len(part) == 3
    assert part.close.tolist() == [3.0, 4.0, 5.0]
    assert part.close_time_ns.tolist() == [3 * MINUTE_NS, 4 * MINUTE_NS, 5 * MINUTE_NS]
    assert (part.interval, part.price_decimals, part.warnings) == ("1m", 2, ("one",))
    assert np.shares_memory(part.close, bars.close)


def test_a_slice_with_a_step_is_refused() -> None:
    with pytest.raises(InvariantBroken, match="without a step, not by 2"):
        some_bars(4)[::2]


def test_columns_of_unequal_length_are_refused() -> None:
    bars = some_bars(4)
    with pytest.raises(InvariantBroken, match=r"unequal length \[3, 4\]"):
        BarColumns(
            instrument_id="", interval="1m", open_time_ns=bars.open_time_ns, close_time_ns=bars.close_time_ns,
            open=bars.open, high=bars.high, low=bars.low, close=bars.close[:3], volume=bars.volume,
        )  # fmt: skip


def test_columns_of_the_wrong_type_or_layout_are_refused() -> None:
    times = np.arange(2, dtype=np.int64)
    price = np.ones(2)
    side = np.zeros(2, dtype=np.int8)
    with pytest.raises(InvariantBroken, match=r"TradeColumns.side must be contiguous int8: int64"):
        TradeColumns(instrument_id="", time_ns=times, price=price, size=price, side=times, id=times)  # type: ignore[arg-type]
    with pytest.raises(InvariantBroken, match=r"TradeColumns.price"):
        TradeColumns(instrument_id="", time_ns=times, price=np.ones(4)[::2], size=price, side=side, id=times)
    trades = TradeColumns(instrument_id="", time_ns=times, price=price, size=price, side=side, id=times)
    assert len(trades[1:]) == 1
    quotes = QuoteColumns(instrument_id="", time_ns=times, bid=price, ask=price, bid_size=price, ask_size=price)
    assert len(quotes[:1]) == len(quotes) - 1
