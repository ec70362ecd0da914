"""One run of one backtester in a process of its own, so that its peak memory is its own.

python -m tests.benchmark.contestants.one_run CONTESTANT BARS prints one JSON object; the speed of the machine goes to stderr.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

CANARY_ROUNDS = 1_000_000
CONTESTANTS = ("foxtrot", "vnpy", "vnpy_lean", "backtesting")


def canary_ms() -> float:
    """How long a fixed loop takes now: it tells a busy machine from a slow contestant."""
    began, total = time.perf_counter(), 0
    for number in range(CANARY_ROUNDS):
        total += number & 7
    return (time.perf_counter() - began) * 1e3


def peak_mb() -> float:
    """Most memory this process has held. `ru_maxrss` starts at the parent's on Linux, so the kernel's own mark comes first."""
    status = Path("/proc/self/status")
    if status.exists():
        marks = [line.split()[1] for line in status.read_text("utf-8").splitlines() if line.startswith("VmHWM:")]
        return int(marks[0]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def prepared(contestant: str, count: int) -> Callable[[], int]:
    """Import a contestant and build its input."""
    if contestant == "foxtrot":
        from tests.benchmark.contestants.foxtrot_bars import prepare

        return prepare(count)
    if contestant == "backtesting":
        from tests.benchmark.contestants.backtesting_bars import prepare

        return prepare(count)
    from tests.benchmark.contestants import vnpy_bars

    return vnpy_bars.prepare(count, vnpy_bars.LeanCrossing if contestant == "vnpy_lean" else vnpy_bars.Crossing)


def main(contestant: str, count: int) -> None:
    """Build, then run against both clocks, and print what came of it."""
    canary, began = canary_ms(), time.perf_counter()
    run = prepared(contestant, count)
    built, worked = time.perf_counter(), time.process_time()
    fills = run()
    wall_s, processor_s = time.perf_counter() - built, time.process_time() - worked
    print(
        f"bench: backtest: {contestant}, {count:,} bars: canary {canary:.0f} ms, input {built - began:.1f} s, run {wall_s:.2f} s "
        f"(processor {processor_s:.2f} s), {fills:,} fills, peak {peak_mb():.0f} MB",
        file=sys.stderr,
    )
    print(json.dumps({"wall_s": wall_s, "processor_s": processor_s, "fills": fills, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
