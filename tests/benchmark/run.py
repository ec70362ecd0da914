"""Prints one table: ours, peer, ratio.

python -m tests.benchmark.run [NAME…] [--json]; without a name all run. A benchmark is a module of this package with a
function `rows()`; the peers live in .venv-peers (scripts/bench --peers) and are left out where they are not installed.
"""

import argparse
import importlib
import json
import pkgutil
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.benchmark.harness import Measured, Row, measure

_NOT_BENCHMARKS = {"run", "harness"}


def names() -> list[str]:
    """The benchmarks there are."""
    found = pkgutil.iter_modules([str(Path(__file__).parent)])
    return sorted(module.name for module in found if not module.ispkg and module.name not in _NOT_BENCHMARKS)


def rows_of(name: str) -> list[Row]:
    """The rows of a benchmark, ready to be measured."""
    rows: Callable[[], list[Row]] = importlib.import_module(f"tests.benchmark.{name}").rows
    return rows()


def figure(value: float) -> str:
    """A figure in three or four digits."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def verdict(measured: Measured) -> str:
    """Goal or limit of a row and whether it is met."""
    row = measured.row
    parts = []
    if row.goal is not None:
        parts.append(f"≥ {row.goal:g}x")
    if row.limit is not None:
        parts.append(f"{'≥' if row.higher_is_better else '≤'} {figure(row.limit)}")
    met = {True: " met", False: " MISSED", None: ""}[measured.met]
    return ", ".join(parts) + met


def table(results: list[Measured]) -> Table:
    """All rows with medians, and the best of each in brackets."""
    drawn = Table("what", "unit", "ours: median (best)", "peer: median (best)", "ratio", "goal")
    for measured in results:
        cells = [
            f"{figure(statistics.median(samples))} ({figure(measured.best(samples))})" if samples else "not installed"
            for samples in (measured.ours, measured.peer)
        ]
        if measured.row.peer is None and not measured.row.peer_name:
            cells[1] = ""
        ratio = "" if measured.ratio is None else f"{measured.ratio:.2f}x"
        drawn.add_row(measured.row.name, measured.row.unit, *cells, ratio, verdict(measured))
    return drawn


def as_json(measured: Measured) -> dict[str, object]:
    """A row as plain data."""
    row = measured.row
    medians = [statistics.median(samples) if samples else None for samples in (measured.ours, measured.peer)]
    return {
        "name": row.name, "unit": row.unit, "ours": medians[0], "peer": medians[1], "peer_name": row.peer_name,
        "ratio": measured.ratio, "goal": row.goal, "limit": row.limit, "met": measured.met,
    }  # fmt: skip


def main(arguments: list[str]) -> int:
    """Measure what was asked for and print it."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Ours beside the peers'.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(names())}; all by default")
    parser.add_argument("--json", action="store_true", help="print one JSON array instead of a table")
    chosen = parser.parse_args(arguments)
    unknown = sorted(set(chosen.names) - set(names()))
    if unknown:
        parser.error(f"no benchmark {', '.join(unknown)}; there are {', '.join(names())}")
    progress, results = Console(stderr=True), []
    for name in chosen.names or names():
        for row in rows_of(name):
            progress.print(f"bench: {name}: {row.name}")
            results.append(measure(row))
    if chosen.json:
        print(json.dumps([as_json(measured) for measured in results]))
    else:
        console = Console(width=max(140, Console().width))
        console.print(table(results))
        for note in dict.fromkeys(measured.row.note for measured in results if measured.row.note):
            console.print(f"- {note}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
