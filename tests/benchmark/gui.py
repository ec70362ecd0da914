"""The desktop's watchlist under a flood of ticks: how long a flush takes, how late the window is, and what others' tables take in.

Every contestant has a process of its own. vn.py's own table runs by the interpreter of the peers; it is left out where that is not installed.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

from tests.benchmark.harness import Row, Sample

ROOT = Path(__file__).resolve().parents[2]
PEERS = ROOT / ".venv-peers"
CONTESTANTS = "tests.benchmark.contestants"
SECONDS = float(os.environ.get("FOXTROT_BENCH_SECONDS", "60"))
"""How long the flood lasts."""
RATE = 100_000
PACES = (400_000, 200_000, 100_000, 50_000, 20_000)
"""Events a second that are tried, one after the other, until the window keeps up."""
PACE_S = 4.0
LATE_MS = 80.0
"""A window whose beats are later than this does not keep up."""
DEADLINE_S = 300.0
ALONE = (
    f"{RATE:,} ticks/s told by another thread of the process for {SECONDS:.0f} s, the window painted offscreen at 1400x900; a flush takes "
    "what was told and makes the rows anew, a beat is the time between two of them, 33 ms when nothing is late."
)
TAKEN = (
    "Events a second that the whole table takes in. Ours: the fastest pace tried at which the window's beats stay below 80 ms in 99 of "
    "100 and nothing waits, events of one row between two flushes being one. Others: events shown a second when they are told at once."
)

PAINTED = "Painted offscreen by the processor, a chart of 1500x850; the median of 120 frames."


def _measured(command: list[str], **more: str) -> dict[str, float]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", **more}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=DEADLINE_S + SECONDS, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed: {done.stderr[-600:]}")
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _ours(rows: int, rate: int, seconds: float, *words: str) -> dict[str, float]:
    return _measured([sys.executable, "-m", f"{CONTESTANTS}.watch_window", str(rows), str(rate), str(seconds), *words])


@cache
def _flood(rows: int, *words: str) -> dict[str, float]:
    """Measure a flood once, for all rows of the table that are about it."""
    return _ours(rows, RATE, SECONDS, *words)


def _taken(rows: int, *words: str) -> float:
    """Return the fastest pace at which our window keeps up, 0 where there is none."""
    for pace in PACES:
        found = _ours(rows, pace, PACE_S, *words)
        if found["beat_p99_ms"] < LATE_MS and not found["backlog"]:
            return found["rate"]
    return 0.0


def _queued(rows: int, events: int, *words: str) -> float:
    command = [sys.executable, "-m", f"{CONTESTANTS}.queued_table", str(rows), str(events), *words]
    return _measured(command)["rate"]


def _vnpy(rows: int, events: int, *words: str) -> float:
    script = Path(__file__).parent / "contestants" / "vnpy_table.py"
    home = PEERS / "home"
    return _measured([str(PEERS / "bin" / "python"), str(script), str(rows), str(events), *words], HOME=str(home))["rate"]  # fmt: skip


def _peer(rows: int, events: int, *words: str) -> Sample | None:
    return partial(_vnpy, rows, events, *words) if (PEERS / "bin" / "python").exists() else None


def _painted(what: str, count: int, key: str) -> float:
    return _measured([sys.executable, "-m", f"{CONTESTANTS}.painting", what, str(count)])[key]


def _paintings() -> list[Row]:
    """The chart and the ladder, painted offscreen."""
    figures = [
        Row(
            name=f"100,000 candles, {seen:,} seen: pan, fit and paint", unit="frames/s", repeats=3, ours=partial(_painted, "candles", seen, "fps"),
            limit=45.0, note=PAINTED,
        )
        for seen in (300, 3_000, 20_000, 100_000)
    ]  # fmt: skip
    ladder = partial(_painted, "ladder", 45, "frame_ms")
    return [
        *figures,
        Row(
            name="a ladder of 45 rows: paint",
            unit="ms",
            repeats=3,
            ours=ladder,
            higher_is_better=False,
            limit=4.0,
            note=PAINTED,
        ),
    ]


def rows() -> list[Row]:
    """All rows."""
    figures: list[Row] = _paintings()
    for count in (500, 10_000):
        for name, key, limit in (
            ("flush p99", "flush_p99_ms", 15.0), ("beat p99", "beat_p99_ms", LATE_MS), ("memory grown (MB)", "grown_mb", 8.0),
            ("facts that wait at the end", "backlog", 0.0),
        ):  # fmt: skip
            figures.append(
                Row(
                    name=f"{count:,} symbols, {RATE:,} ticks/s: {name}", unit="ms" if key.endswith("ms") else "", repeats=1,
                    ours=_figure(count, key), higher_is_better=False, limit=limit if count == 500 or key != "flush_p99_ms" else None,
                    note=ALONE,
                )
            )  # fmt: skip
    for words, goal_peer, goal_clone, told, told_clone in (
        ((), 30.0, 4.0, 4_000, 40_000),
        (("sorted",), 300.0, 100.0, 200, 500),
    ):
        how = "sorted by value" if words else "unsorted"
        figures.append(
            Row(
                name=f"1,000 symbols, {how}: events/s taken in, beside vn.py's TickMonitor", unit="1/s", repeats=1, ours=partial(_taken, 1_000, *words),
                peer=_peer(1_000, told, *words), peer_name="vn.py 4.5.0", goal=goal_peer, note=TAKEN,
            )
        )  # fmt: skip
        figures.append(
            Row(
                name=f"10,000 symbols, {how}: events/s taken in, beside a signal per event", unit="1/s", repeats=1,
                ours=partial(_taken, 10_000, *words), peer=partial(_queued, 10_000, told_clone, *words), peer_name="QTableWidget", goal=goal_clone,
                note=TAKEN,
            )
        )  # fmt: skip
    return figures


def _figure(count: int, key: str) -> Callable[[], float]:
    return lambda: _flood(count)[key]
