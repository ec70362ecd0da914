"""The headless runner: build, start, wait for a signal or a time, stop, tell what is left."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from loguru import logger

from foxtrot.app.account_health import health_object
from foxtrot.app.account_lock import AccountLocks, account_keys, data_key, lock_folder
from foxtrot.app.account_venues import account_venues
from foxtrot.app.config import Config
from foxtrot.app.control_server import ControlServer
from foxtrot.app.guardian import check_countdown
from foxtrot.app.life_signs import LifeSigns
from foxtrot.app.logging_setup import LogWriter
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.own_failures import OwnFailures
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.platform_watch import PlatformWatch
from foxtrot.app.run_recording import surroundings_of
from foxtrot.app.shutdown import StopReport
from foxtrot.app.stop_signals import StopSignal
from foxtrot.core.heartbeat import Part
from foxtrot.domain.errors import ConfigError

Json = dict[str, object]
LOOK_S = 0.25
"""The guardian hears the process as often."""


def run_live(
    config: Config, seconds: float | None, live: bool, home: Path, stopped: StopSignal, log: LogWriter | None = None
) -> Json:
    """Run a platform until the stop is asked for, or for some seconds, and return its summary; the caller holds the lock of the home.

    Thread: main.

    Blocks: until it is asked for or the time is over, and for the stop after it.

    Raises:
        ConfigError: `mode = "live"` without --live, or anything else wrong with the configuration.
    """
    return run_order(RunOrder(config, home, live=live, seconds=seconds), stopped, log)


class RunOrder(NamedTuple):
    """What is to run, and how.

    `environment` is where secrets are found. `built` is called with the platform once it is built, before it starts and before anybody
    connects: whoever wants to hear it from the first event on subscribes there.
    """

    config: Config
    home: Path
    live: bool = False
    seconds: float | None = None
    environment: Mapping[str, str] = os.environ
    built: Callable[[MainEngine], None] = lambda _platform: None


def run_order(order: RunOrder, stopped: StopSignal, log: LogWriter | None = None) -> Json:
    """Run a platform until the stop is asked for, or for some seconds, and return its summary; the caller holds the lock of the home.

    Thread: main, or one that has nothing else to do.

    Blocks: until it is asked for or the time is over, and for the stop after it.

    Raises:
        ConfigError: as `run_live`.
    """
    config, home, live = order.config, order.home, order.live
    check_mode(config, live=live)
    with AccountLocks(lock_folder(os.environ), home) as locks:
        locks.take(*data_key(config.data_dir(home)))
        around = surroundings_of(config, home)
        journal = PlatformJournal(config.data_dir(home), config, around.clock)
        platform = MainEngine(config, home, journal=journal, environment=order.environment, around=around)
        try:
            _claim(platform, locks)
            order.built(platform)
            return _run(platform, order.seconds, stopped, log, guarded=live or config.guardian.enabled)
        finally:
            platform.line.journal.close()  # it has a thread already, and whatever stands beside the platform may be refused


def _claim(platform: MainEngine, locks: AccountLocks) -> None:
    """Take the locks of the accounts, and refuse a countdown of a venue's that does harm."""
    adapters = platform.line.adapters
    check_countdown(platform.config, adapters)
    for what, key in account_keys(adapters.values()):
        locks.take(what, key)


def _run(
    platform: MainEngine, seconds: float | None, stopped: StopSignal, log: LogWriter | None, *, guarded: bool
) -> Json:
    control = ControlServer(platform, platform.home)
    control.start()  # before anything trades and until nothing does, so that a kill always finds it
    try:
        return _served(platform, seconds, stopped, log, guarded=guarded)
    finally:
        if late := control.stop():
            logger.warning("{} did not end in time", late)


def _served(
    platform: MainEngine, seconds: float | None, stopped: StopSignal, log: LogWriter | None, *, guarded: bool
) -> Json:
    own = OwnFailures(platform)
    with PlatformWatch(platform, log) as watch:
        signs = LifeSigns(platform, guarded=guarded)
        if signs.guardian is not None:
            watch.registry.enter(Part(name="guardian", halts=False, death=signs.guardian.death))
        try:
            platform.start()
            watch.started()
            _look_until_the_end(platform, seconds, stopped, (watch.look, signs.look))
        finally:  # whatever ends the watch, a fault of its own too: nothing trades with nobody looking
            report = _end(platform, watch, signs)
    return {**summary_object(platform, report), "own_failures": own.told()}


def _end(platform: MainEngine, watch: PlatformWatch, signs: LifeSigns) -> StopReport:
    watch.stopping()
    signs.stopping()
    report = platform.stop()
    watch.ended()
    if late := signs.end():
        logger.warning(late)
    return report


def _look_until_the_end(
    platform: MainEngine, seconds: float | None, stopped: StopSignal, looks: tuple[Callable[[], None], ...]
) -> None:
    until_ns = platform.clock.monotonic_ns() + int((seconds or 0.0) * 1e9)
    while not stopped.wait(LOOK_S if seconds is None else min(LOOK_S, _left_s(until_ns, platform))):
        for look in looks:
            look()
        if seconds is not None and not _left_s(until_ns, platform):
            break


def _left_s(until_ns: int, platform: MainEngine) -> float:
    return max(0.0, (until_ns - platform.clock.monotonic_ns()) / 1e9)


def check_mode(config: Config, *, live: bool) -> None:
    """Refuse to touch real money unless both the configuration and the command line say so.

    Raises:
        ConfigError: they disagree, an adapter cannot be loaded, or a paper platform has an account with real money.
    """
    if config.platform.mode == "live" and not live:
        raise ConfigError('the configuration says mode = "live"; give --live as well, or set mode = "paper"')
    if config.platform.mode == "paper" and live:
        raise ConfigError('--live was given but the configuration says mode = "paper"; set mode = "live" as well')
    for venue in account_venues(config):
        if fault := venue.fault(config.platform.mode):
            raise ConfigError(fault)
        logger.info("account {}: {}", venue.account, venue.text)


def summary_object(platform: MainEngine, report: StopReport) -> Json:
    """Return the end of a platform as one JSON object."""
    statistics = platform.events.statistics()
    summary = report.summary
    tables = platform.config.strategies
    waited = {end.strategy_id for end in summary.strategies if tables[end.strategy_id].autostart}
    return {
        "accounts": [
            {**msgspec.to_builtins(venue), "health": health_object(report.health.get(venue.account))}
            for venue in account_venues(platform.config)
        ],
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
        "all_failed": bool(summary.strategies) and all(end.stage == "failed" for end in summary.strategies),
        "never_ran": sorted(waited - platform.ran),
        "gate": summary.gate,
        "gate_reason": summary.gate_reason,
        "prices_only": list(report.prices_only),
        "differences": {
            name: [msgspec.to_builtins(item) for item in found] for name, found in report.differences.items()
        },
        "left": report.left,
        "overran": list(report.overran),
        "failures": list(report.failures),
        "reconciled": report.reconciled,
        "run_id": platform.run_id,
        "recording": platform.recording,
    }
