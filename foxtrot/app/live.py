"""The headless runner: build, start, wait for a signal or a time, stop, tell what is left."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import msgspec

from foxtrot.app.config import Config
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.shutdown import StopReport
from foxtrot.domain.errors import ConfigError

Json = dict[str, object]


def run_live(config: Config, seconds: float | None, live: bool, home: Path) -> Json:
    """Run a platform until a signal (SIGINT, SIGTERM) or for some seconds, and return its summary.

    Thread: main.

    Blocks: until the signal or the time.

    Raises:
        ConfigError: `mode = "live"` without --live, or anything else wrong with the configuration.
    """
    check_mode(config, live=live)
    platform = MainEngine(config, home)
    with stop_signals() as stopped:
        platform.start()
        stopped.wait(seconds)
    return summary_object(platform, platform.stop())


def check_mode(config: Config, *, live: bool) -> None:
    """Refuse to touch real money unless both the configuration and the command line say so.

    Raises:
        ConfigError: they disagree, or a paper platform has an account of a real venue.
    """
    if config.platform.mode == "live" and not live:
        raise ConfigError('the configuration says mode = "live"; give --live as well, or set mode = "paper"')
    if config.platform.mode == "paper":
        if live:
            raise ConfigError('--live was given but the configuration says mode = "paper"; set mode = "live" as well')
        real = [name for name, account in config.accounts.items() if account.adapter != "simulated"]
        if real:
            raise ConfigError(
                f'in paper mode every account is simulated; set adapter = "simulated" for {", ".join(real)}'
            )


@contextmanager
def stop_signals() -> Iterator[threading.Event]:
    """Yield an event that SIGINT and SIGTERM set; the handlers found before are put back."""
    stopped = threading.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stopped.set()

    before: dict[int, Callable[[int, FrameType | None], object] | int | None] = {}
    if threading.current_thread() is threading.main_thread():
        for watched in (signal.SIGINT, signal.SIGTERM):
            before[watched] = signal.signal(watched, on_signal)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def summary_object(platform: MainEngine, report: StopReport) -> Json:
    """Return the end of a platform as one JSON object."""
    statistics = platform.events.statistics()
    summary = report.summary
    return {
        "orders": summary.order_count,
        "trades": summary.fill_count,
        "denied": summary.denied,
        "events": statistics.handled,
        "conflated": statistics.conflated,
        "lag_p50_us": statistics.lag_p50_us,
        "lag_p99_us": statistics.lag_p99_us,
        "strategies": msgspec.to_builtins(summary.strategies),
        "positions": msgspec.to_builtins(summary.positions),
        "open_orders": msgspec.to_builtins(summary.orders),
        "gate": summary.gate,
        "gate_reason": summary.gate_reason,
        "differences": {
            name: [msgspec.to_builtins(item) for item in found] for name, found in report.differences.items()
        },
        "left": report.left,
        "overran": list(report.overran),
        "failures": list(report.failures),
        "reconciled": report.reconciled,
    }
