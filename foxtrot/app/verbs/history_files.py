"""The files of history that the command line names, read and sorted by instrument."""

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from foxtrot.app.verbs.command_parser import UsageError
from foxtrot.app.verbs.history_arguments import HistoryFile, instrument_id_of
from foxtrot.backtest.columns import BarColumns, Int64Column, QuoteColumns, TradeColumns
from foxtrot.backtest.read_bars import read_bars
from foxtrot.backtest.read_ticks import read_ticks
from foxtrot.domain.errors import InputError

if TYPE_CHECKING:
    from foxtrot.backtest.depth_capture import DepthCapture
    from foxtrot.backtest.settings import History as Item

Columns = TypeVar("Columns", BarColumns, TradeColumns, QuoteColumns)


class History:
    """All that was read, by kind.

    Thread: the caller's.
    """

    def __init__(self) -> None:
        self.bars: list[BarColumns] = []
        self.trades: list[TradeColumns] = []
        self.quotes: list[QuoteColumns] = []
        self.depth: list[DepthCapture] = []

    def items(self) -> "list[Item]":
        """Return everything, bars first."""
        return [*self.bars, *self.trades, *self.quotes, *self.depth]

    def names(self) -> tuple[str, ...]:
        """Return the instruments in the order of their first file."""
        return tuple(dict.fromkeys(item.instrument_id for item in self.items()))

    def by_instrument(self) -> "list[list[Item]]":
        """Return the items of each instrument."""
        return [[item for item in self.items() if item.instrument_id == name] for name in self.names()]

    def by_kind(self) -> "dict[str, tuple[Item, ...]]":
        """Return the kinds that there are, by the name BacktestSettings has for them."""
        kinds: dict[str, list[Item]] = {
            "bars": [*self.bars], "trades": [*self.trades], "quotes": [*self.quotes], "depth": [*self.depth],
        }  # fmt: skip
        return {kind: tuple(items) for kind, items in kinds.items() if items}


def check_history(arguments: Namespace) -> None:
    """Check that there is history and that its arguments go together, before anything is read.

    Raises:
        UsageError: there is none, or some do not.
    """
    given = bool(arguments.bars or arguments.ticks or arguments.depth)
    if arguments.symbol and given:
        raise UsageError(
            "--symbol reads from the store and goes with no file; name a file's symbol as --bars SYMBOL=FILE"
        )
    if arguments.symbol:
        raise UsageError("--symbol reads from the store, which this version does not have yet; give --bars FILE")
    if not given:
        raise UsageError("give history with --bars FILE or --bars SYMBOL=FILE, or --ticks or --depth likewise")
    if arguments.depth and not (arguments.start is None and arguments.end is None):
        raise UsageError("--start and --end cut --bars and --ticks; a --depth capture is replayed whole")


def read_history(arguments: Namespace, wanted: Sequence[str]) -> History:
    """Read every file.

    Args:
        arguments: with bars, ticks, depth, start, end and tick.
        wanted: the instruments a configuration names; each must have a file.

    Blocks: for the disk.

    Raises:
        ConfigError: a file cannot be used, two are the same history, or an instrument has none.
    """
    found = History()
    for file in arguments.bars:
        bars = read_bars(file.path, instrument_id_of(file, wanted))
        bars = _span(bars, bars.open_time_ns, arguments, file.path)
        check_grid(bars, arguments.tick, file.path)
        found.bars.append(bars)
    for file in arguments.ticks:
        ticks = read_ticks(file.path, instrument_id_of(file, wanted))
        if isinstance(ticks, TradeColumns):
            found.trades.append(_span(ticks, ticks.time_ns, arguments, file.path))
        else:
            found.quotes.append(_span(ticks, ticks.time_ns, arguments, file.path))
    found.depth += _captures(arguments.depth, wanted)
    for kind in (found.bars, found.trades, found.quotes, found.depth):
        names = [item.instrument_id for item in kind]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise UsageError(f"two files for {twice}; name them apart as SYMBOL=FILE")
    missing = [name for name in wanted if name not in found.names()]
    if missing:
        raise UsageError(f"no history for {', '.join(missing)}; add --bars {missing[0]}=FILE")
    return found


def check_grid(bars: BarColumns, tick: Decimal, path: Path) -> None:
    """Check that every price is a multiple of a tick, if one is given.

    Raises:
        InputError: one is not; the first is named with the nearest legal ones.
    """
    if not tick:
        return
    places = max(bars.price_decimals, -int(tick.as_tuple().exponent))
    units = int(tick.scaleb(places))
    for name in ("open", "high", "low", "close"):
        counted = np.rint(getattr(bars, name) * 10.0**places).astype(np.int64)
        off = np.flatnonzero(counted % units)
        if len(off):
            row = int(off[0])
            below = Decimal(int(counted[row]) // units) * tick
            time = datetime.fromtimestamp(int(bars.open_time_ns[row]) // 10**9, UTC)
            raise InputError(
                f"{path}: {name} {getattr(bars, name)[row]} of the bar at {time:%Y-%m-%d %H:%M:%S} is off the grid of "
                f"--tick {tick}; nearest legal: {below} or {below + tick}"
            )


def _captures(files: Sequence[HistoryFile], wanted: Sequence[str]) -> "list[DepthCapture]":
    """Read captures; files of one symbol follow each other. Without a symbol the capture itself names its instrument."""
    if not files:
        return []
    from foxtrot.backtest.depth_capture import read_depth

    paths: dict[str, list[Path]] = {}
    for file in files:
        name = instrument_id_of(file, wanted) if file.symbol or len(wanted) == 1 else ""
        paths.setdefault(name, []).append(file.path)
    return [read_depth(*group, instrument_id=name) for name, group in paths.items()]


def _span(table: Columns, times: Int64Column, arguments: Namespace, path: Path) -> Columns:
    first = 0 if arguments.start is None else int(times.searchsorted(arguments.start))
    last = len(times) if arguments.end is None else int(times.searchsorted(arguments.end))
    if first >= last:
        raise InputError(f"{path} has nothing between --start and --end; widen them")
    return table if last - first == len(times) else table[first:last]
