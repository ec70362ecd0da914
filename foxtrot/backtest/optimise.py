"""The search over a grid of parameters: one backtest per combination, spread over processes.

Later research tools (walk-forward, random and Bayesian search, sensitivity) stand beside this and share `run_one`.
"""

import itertools
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from types import FrameType

import msgspec

from foxtrot.backtest.runner import Backtest
from foxtrot.backtest.settings import BacktestSettings
from foxtrot.backtest.statistics import Statistic
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.strategy.loader import load_strategy
from foxtrot.strategy.parameters import Value
from foxtrot.strategy.settings import StrategySettings

MOST_RUNS = 100_000
Grid = Mapping[str, Sequence[Value]]
_ORPHAN_CHECK_S = 1.0
_WORK: list[BacktestSettings] = []
"""What this worker process tests; set once when it starts."""


class Run(msgspec.Struct, frozen=True):
    """One combination: its parameters and what came of it.

    `failures` says what a strategy raised, or why the combination could not be run; then there may be no statistics.
    """

    parameters: dict[str, Value]
    statistics: dict[str, Statistic]
    trades: int
    failures: tuple[str, ...]
    state_hash: str


class Search(msgspec.Struct, frozen=True):
    """All runs, best first and those that failed last, and how long they took together."""

    runs: tuple[Run, ...]
    elapsed_s: float


def combinations(grid: Grid) -> list[dict[str, Value]]:
    """Return every combination of a grid, the last parameter changing fastest.

    Raises:
        ConfigError: the grid is empty, or has too many combinations.
    """
    count = 1
    for values in grid.values():
        count *= len(values)
    if not grid or not count:
        raise ConfigError("the grid is empty; give at least one parameter with one value")
    if count > MOST_RUNS:
        raise ConfigError(f"the grid has {count:,} combinations, more than {MOST_RUNS:,}; take larger steps")
    return [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]


def search(
    settings: BacktestSettings,
    grid: Grid,
    *,
    by: str = "sharpe",
    workers: int = 1,
    folder: Path | None = None,
    progress: Callable[[int], None] | None = None,
) -> Search:
    """Backtest every combination and return all, those with the highest figure first and undefined ones last.

    Args:
        settings: the backtest, with one strategy; grid values replace its parameters.
        grid: values by parameter.
        by: the statistic to sort by.
        workers: processes; 1 runs in this one.
        folder: where strategy plugins lie, for classes named by the stem of a file.
        progress: told how many runs are done.

    Blocks: until all are done.

    Raises:
        ConfigError: the grid, the strategy or `by` is wrong, or no combination at all could be run.
    """
    if len(settings.strategies) != 1:
        raise ConfigError(f"a search varies one strategy, not {len(settings.strategies)}")
    jobs = combinations(grid)
    started = time.perf_counter()
    workers = min(workers, len(jobs))
    done = _in_processes(settings, jobs, workers, folder) if workers > 1 else _in_line(settings, jobs)
    runs: dict[int, Run] = {}
    for number, run in done:
        if run.statistics and by not in run.statistics:
            raise ConfigError(f"there is no statistic {by!r} to sort by; there are: {', '.join(run.statistics)}")
        runs[number] = run
        if progress is not None:
            progress(len(runs))
    if not any(run.statistics for run in runs.values()):
        raise ConfigError(f"no combination could be run: {runs[0].failures[0]}")
    best_first = sorted((runs[number] for number in sorted(runs)), key=lambda run: _rank(run, by))
    return Search(tuple(best_first), time.perf_counter() - started)


def run_one(settings: BacktestSettings, parameters: Mapping[str, Value]) -> Run:
    """Backtest the one strategy with some parameters replaced; a combination that cannot be run is a run that failed."""
    ((item, kind),) = settings.strategies
    item = msgspec.structs.replace(item, parameters={**item.parameters, **parameters})
    try:
        result = Backtest(msgspec.structs.replace(settings, strategies=((item, kind),))).run()
    except FoxtrotError as error:
        return Run(dict(parameters), {}, 0, (str(error),), "")
    return Run(dict(parameters), result.statistics, len(result.fills), result.failures, result.state_hash)


def _in_line(settings: BacktestSettings, jobs: list[dict[str, Value]]) -> Iterator[tuple[int, Run]]:
    for number, parameters in enumerate(jobs):
        yield number, run_one(settings, parameters)


def _in_processes(
    settings: BacktestSettings, jobs: list[dict[str, Value]], workers: int, folder: Path | None
) -> Iterator[tuple[int, Run]]:
    ((item, _),) = settings.strategies
    sent = msgspec.structs.replace(settings, strategies=())  # a class from a file is no import for another process
    context = multiprocessing.get_context("spawn")
    others = set(multiprocessing.active_children())
    with ProcessPoolExecutor(workers, context, _begin_worker, (sent, item, folder)) as pool:
        futures = {pool.submit(_work_on, parameters): number for number, parameters in enumerate(jobs)}
        is_done = False
        try:
            for future in as_completed(futures):
                yield futures[future], future.result()
            is_done = True
        finally:
            if not is_done:  # an error, or a signal that ends the program: the runs under way are of no use to anybody
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in set(multiprocessing.active_children()) - others:
                    worker.terminate()


def _begin_worker(settings: BacktestSettings, item: StrategySettings, folder: Path | None) -> None:
    _end_with_parent()
    kind = load_strategy(item.class_name, folder)
    _WORK[:] = [msgspec.structs.replace(settings, strategies=((item, kind),))]


def _end_with_parent() -> None:
    """End this worker soon after its parent, even when that was killed; where there is no interval timer, not."""
    if hasattr(signal, "setitimer"):
        signal.signal(signal.SIGALRM, _on_alarm)
        signal.setitimer(signal.ITIMER_REAL, _ORPHAN_CHECK_S, _ORPHAN_CHECK_S)


def _on_alarm(_number: int, _frame: FrameType | None) -> None:
    parent = multiprocessing.parent_process()
    if parent is not None and not parent.is_alive():
        os._exit(1)


def _work_on(parameters: dict[str, Value]) -> Run:
    return run_one(_WORK[0], parameters)


def _rank(run: Run, by: str) -> tuple[bool, bool, float]:
    figure = run.statistics.get(by)
    return (bool(run.failures), figure is None, -(figure or 0.0))
