"""`foxtrot backtest`: a strategy over history, its statistics, and a report."""

import contextlib
import json
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.history_arguments import add_history_arguments
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome, listed
from foxtrot.domain.errors import ConfigError

if TYPE_CHECKING:
    from foxtrot.backtest.settings import BacktestSettings

DESCRIPTION = (
    "Run a strategy over history through the whole line: desk, risk, gate and the embedded exchange. docs/backtest_rules.md says how\n"
    "orders fill. A position open at the end is marked at the last close, not closed."
)
EXAMPLE = (
    "  foxtrot backtest --strategy double_ma --param fast=20 --param slow=50 --bars BTCUSDT=btcusdt_1m.csv.gz\n"
    "  foxtrot backtest --strategy my_strategy.py --bars eurusd.csv --currency USD --fee 0.00002 --out report"
)

STEPS = 100
"""Lines that tell of progress, at most."""


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    add_history_arguments(parser)
    parser.add_argument("--out", type=Path, metavar="DIR", help="write report.html into this folder")
    parser.add_argument(
        "--details",
        type=Path,
        metavar="FILE",
        help="write equity, months, fills and round trips into this file, as JSON",
    )


def run(arguments: Namespace) -> Outcome:
    """Run it; it failed when a strategy did."""
    result = run_backtest(arguments)
    figures = {name: value for name, value in result.items() if name != "assumptions"}
    assumed = result.get("assumptions")
    text = f"{listed(assumed)}\n\n{listed(figures)}" if isinstance(assumed, dict) else listed(figures)
    return Outcome(result, text, FAILED if result.get("failures") else DONE)


def run_backtest(arguments: Namespace) -> dict[str, object]:
    """Run a backtest as the arguments say, and return every figure.

    Blocks: for the files and the whole backtest.

    Raises:
        ConfigError: an argument, a strategy, a parameter or a file is wrong.
    """
    from foxtrot.app.verbs.history_settings import history_settings
    from foxtrot.app.verbs.strategy_log import strategy_log
    from foxtrot.backtest.runner import Backtest

    if arguments.out is not None:
        _check_writable(arguments.out)
    settings = history_settings(arguments)
    told = progress_bar(settings.length, "history", as_lines=arguments.progress_lines)
    with told as advance, strategy_log(debug=arguments.debug) as hear:
        found = Backtest(settings, advance, hear).run()
    result = found.summary()
    for warning in found.every_warning:
        sys.stderr.write(f"{warning}\n")
    if arguments.out is not None:
        result["report"] = str(found.report(arguments.out))
    if arguments.details is not None:
        from foxtrot.backtest.details import write_details

        write_details(found, arguments.details)
        result["details"] = str(arguments.details)
    return result


def warnings_of(settings: "BacktestSettings") -> list[str]:
    """Return what no reader may miss, and what the readers of the files had to assume or leave out."""
    from foxtrot.backtest.assumptions import cautions

    return cautions(settings) + [
        f"{part.instrument_id}: {warning}" for part in settings.history for warning in part.warnings
    ]


@contextlib.contextmanager
def progress_bar(total: int, unit: str, *, as_lines: bool = False) -> Iterator[Callable[[int], None]]:
    """Show how far something is, on stderr when that is a terminal; gives the function to tell it.

    Args:
        total: how much there is.
        unit: of what.
        as_lines: tell it as lines of JSON instead, for a program that reads them.
    """
    if as_lines:
        yield progress_lines(total, unit)
        return
    if not sys.stderr.isatty():
        yield lambda done: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(unit), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(unit, total=total)
        yield lambda done: bar.update(task, completed=done)


def progress_lines(total: int, unit: str) -> Callable[[int], None]:
    """Return the function that tells how far something is, as a line of JSON on stderr for every hundredth part of it."""
    last = -1

    def tell(done: int) -> None:
        nonlocal last
        part = STEPS * done // total if total > 0 else 0
        if part != last:
            last = part
            sys.stderr.write(json.dumps({"progress": unit, "done": min(done, total), "total": total}) + "\n")
            sys.stderr.flush()

    return tell


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"--out {folder} cannot be made: {error.strerror or error}; name another folder") from None
