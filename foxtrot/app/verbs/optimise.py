"""`foxtrot optimise`: a grid of parameters, one backtest each, over several processes."""

import contextlib
import os
import signal
import threading
from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from types import FrameType
from typing import TYPE_CHECKING

from foxtrot.app.verbs.backtest import progress_bar, warnings_of
from foxtrot.app.verbs.command_parser import CommandParser, UsageError, whole
from foxtrot.app.verbs.history_arguments import add_history_arguments
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome

if TYPE_CHECKING:
    from foxtrot.backtest.optimise import Run, Search

DESCRIPTION = (
    "Backtest every combination of a grid of parameters and list them, best first. Beware: the best of many runs on one stretch\n"
    "of history is lucky as well as good; test it on another."
)
EXAMPLE = (
    "  foxtrot optimise --strategy double_ma --bars btcusdt_1m.csv.gz --grid fast=10:30:5 --grid slow=50,100,200\n"
    "  foxtrot optimise --strategy my.py --bars eurusd.csv --grid length=5:50:5 --by calmar --workers 4 --json"
)
MOST_VALUES = 10_000
MOST_REASONS = 5
_SIGNALLED = 128
"""Added to the number of the signal that ended a program, it is the program's status."""
SHOWN = ("total_return", "sharpe", "max_drawdown", "round_trips")


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    add_history_arguments(parser)
    parser.add_argument(
        "--grid", action="append", default=[], type=grid_axis, metavar="K=A:B:STEP",
        help="values from A to B, both included, or K=A,B,C; may be repeated",
    )  # fmt: skip
    parser.add_argument("--workers", type=whole, metavar="N", help="processes (one per processor)")
    parser.add_argument("--by", default="sharpe", metavar="FIGURE", help="statistic to sort by, highest first (sharpe)")
    parser.add_argument("--top", type=whole, default=20, metavar="N", help="rows to show; --json has all (20)")


def run(arguments: Namespace) -> Outcome:
    """Search; it failed when the strategy failed in every run.

    Raises:
        ConfigError: an argument, the grid, a parameter or a file is wrong.
    """
    from foxtrot.app.verbs.history_settings import checked_parameters, history_settings
    from foxtrot.backtest.optimise import combinations, search

    if not arguments.grid:
        raise UsageError("give at least one parameter to vary with --grid K=A:B:STEP or K=A,B,C")
    settings = history_settings(arguments)
    if len(settings.strategies) != 1:
        raise UsageError(f"optimise varies one strategy; {arguments.config} has {len(settings.strategies)}")
    ((_, kind),) = settings.strategies
    grid = {
        name: tuple(checked_parameters(kind, {name: value})[name] for value in values)
        for name, values in dict(arguments.grid).items()
    }
    jobs = len(combinations(grid))
    workers = min(arguments.workers or os.cpu_count() or 1, jobs)
    folder = arguments.home / "strategies"
    with progress_bar(jobs, "backtests", as_lines=arguments.progress_lines) as advance, ended_by_signal():
        found = search(
            settings, grid, by=arguments.by, workers=workers, folder=folder if folder.is_dir() else None, progress=advance
        )  # fmt: skip
    failed = all(run.failures for run in found.runs)
    result = {**_result(found, arguments.by, workers), "warnings": warnings_of(settings)}
    return Outcome(result, _table(found, arguments.top), FAILED if failed else DONE)


@contextlib.contextmanager
def ended_by_signal() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as an error does, so that its worker processes end with it."""
    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    if threading.current_thread() is not threading.main_thread():
        numbers = []
    before = {number: signal.signal(number, _exit) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _exit(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(_SIGNALLED + number)


def grid_axis(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the name and values of K=A:B:STEP or K=A,B,C; steps are exact decimals and B is included."""
    name, equals, values = text.partition("=")
    if not (equals and name.strip() and values.strip()):
        raise ArgumentTypeError(f"{text!r} must be NAME=FROM:TO:STEP or NAME=A,B,C")
    if ":" not in values:
        return name.strip(), tuple(value.strip() for value in values.split(","))
    try:
        first, last, step = (Decimal(part) for part in values.split(":"))
        count = int((last - first) / step) + 1
    except (InvalidOperation, ValueError, ArithmeticError):
        raise ArgumentTypeError(f"{text!r} must be NAME=FROM:TO:STEP with three numbers, the step not 0") from None
    if not 1 <= count <= MOST_VALUES:
        raise ArgumentTypeError(f"{text!r} has {count} values; it must have 1 to {MOST_VALUES}")
    return name.strip(), tuple(format(first + index * step, "f") for index in range(count))


def _result(found: "Search", by: str, workers: int) -> dict[str, object]:
    runs = [_run(run) for run in found.runs]
    seconds = found.elapsed_s
    return {"count": len(runs), "by": by, "workers": workers, "elapsed_s": seconds, "best": runs[0], "runs": runs}


def _run(run: "Run") -> dict[str, object]:
    figures = {"parameters": run.parameters, "trades": run.trades, **run.statistics}
    return {**figures, "failures": list(run.failures), "state_hash": run.state_hash}


def _table(found: "Search", top: int) -> str:
    names = list(found.runs[0].parameters)
    rows = [[*names, *SHOWN, "trades"]]
    for run in found.runs[:top]:
        figures = [_figure(run.statistics.get(name)) for name in SHOWN]
        rows.append([*(str(run.parameters[name]) for name in names), *figures, str(run.trades)])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    failed = [run for run in found.runs if run.failures]
    text = f"{len(found.runs)} backtests in {found.elapsed_s:.1f} s"
    lines.append(f"{text}; the strategy failed in {len(failed)}" if failed else text)
    return "\n".join([*lines, *_reasons(failed)])


def _reasons(failed: "list[Run]") -> list[str]:
    """Return why combinations failed: each reason once, with one combination and how many there are."""
    found: dict[str, list[Run]] = {}
    for run in failed:
        found.setdefault(" ".join(run.failures[0].split()), []).append(run)
    lines = []
    for reason, runs in list(found.items())[:MOST_REASONS]:
        where = " ".join(f"{name}={value}" for name, value in runs[0].parameters.items())
        lines.append(f"  {where}{f' and {len(runs) - 1} more' if len(runs) > 1 else ''}: {reason}")
    return [*lines, f"  {len(found) - MOST_REASONS} more reasons: see --json"] if len(found) > MOST_REASONS else lines


def _figure(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.4g}"
