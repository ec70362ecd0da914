"""What a running platform tells of itself, once a second, in a file of its home folder: for `foxtrot status`."""

import os
from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.adapter.health import HealthFigures
from foxtrot.app.account_health import health_object
from foxtrot.app.account_venues import AccountVenue, account_venues
from foxtrot.app.health import HealthDesk
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.port_file import write_private
from foxtrot.app.process_table import process_start
from foxtrot.app.status_reading import ENDED, RUNNING, Json
from foxtrot.app.venue_connections import Connection
from foxtrot.app.watchdog import Watchdog
from foxtrot.domain.errors import ConfigError
from foxtrot.storage.journal_records import GateMoved
from foxtrot.strategy.host import StrategyHost

EVERY_NS = 1_000_000_000


class StatusFile:
    """Writes the status of one platform.

    Thread: main; nothing is asked of foxtrot-engine, so that one that is stuck is told of too.
    """

    def __init__(self, platform: MainEngine, watchdog: Watchdog, path: Path, health: HealthDesk | None = None) -> None:
        self.path = path
        self._platform = platform
        self._watchdog = watchdog
        self._health = health
        self._venues = {venue.account: venue for venue in account_venues(platform.config)}
        self._started_ns = platform.clock.now_ns()
        self._process_start = process_start(os.getpid()) or ""
        self._due_ns = platform.clock.monotonic_ns()
        self._failed = False

    def look(self) -> None:
        """Write the file when a second has passed since the last time; called some times a second."""
        now_ns = self._platform.clock.monotonic_ns()
        if now_ns >= self._due_ns:
            self._due_ns = now_ns + EVERY_NS
            self.write(RUNNING)

    def write(self, stage: str) -> None:
        """Write the file; that it cannot be written is said once and stops nobody.

        Blocks: for the disk.
        """
        data = msgspec.json.encode(self.status(stage))
        try:
            write_private(self.path, data, durable=stage == ENDED)
        except ConfigError as error:
            if not self._failed:
                logger.warning("the status cannot be told: {}", error)
            self._failed = True

    def status(self, stage: str) -> Json:
        """Return everything that the file says."""
        platform = self._platform
        rows = platform.connections.look()
        statistics, gate = platform.events.statistics(), platform.line.gate
        return {
            "stage": stage,
            "pid": os.getpid(),
            "process_start": self._process_start,
            "mode": platform.config.platform.mode,
            "config": str(platform.config.source.absolute()),
            "started_ns": self._started_ns,
            "written_ns": platform.clock.now_ns(),
            "sick_book_s": platform.config.alerts.sick_book_s,
            "not_ready_s": platform.config.alerts.not_ready_s,
            "engine": {
                **msgspec.structs.asdict(statistics),
                "stalled_in": self._watchdog.stalled_in,
                "gate": str(gate.state),
                "gate_reason": gate.reason,
            },
            "blocks": [block_object(move) for move in gate.blocks()],
            "accounts": [account_object(row, self._venues[row.account]) for row in rows],
            "strategies": [strategy_object(host) for host in tuple(platform.line.strategies.hosts.values())],
            "failures": list(platform.failures),
            "health": msgspec.to_builtins(self._health.look(rows)) if self._health is not None else None,
        }


def strategy_object(host: StrategyHost) -> Json:
    """Return a strategy as the file says it."""
    return {
        "strategy_id": host.strategy_id,
        "account": host.settings.account,
        "state": str(host.stage),
        "reason": host.reason,
        "autostart": host.settings.autostart,
        "symbols": list(host.settings.symbols),
    }


def block_object(move: GateMoved) -> Json:
    """Return something that the gate does not let through as the file says it."""
    return {
        "account": move.account,
        "instrument_id": move.instrument_id,
        "state": str(move.state),
        "reason": move.reason,
        "since_ns": move.time_ns,
        "who": move.who,
        "lasting": move.lasting,
        "killed": move.killed,
    }


def account_object(row: Connection, venue: AccountVenue) -> Json:
    """Return one account's connection as the file says it."""
    health = row.health
    return {
        **msgspec.structs.asdict(venue),
        "state": str(row.state),
        "cause": row.cause,
        "state_s": round(row.state_s, 3),
        "was_ready": row.was_ready,
        "unready_s": round(row.unready_s, 3),
        **(health_object(health) or {}),
        **_latest(health),
        "rest_fallbacks_recent": row.recent.rest_fallbacks,
        "reconnects_recent": row.recent.reconnects,
        "falls_back_often": row.unsteady,
        "alerts": row.alerts,
        "connections": msgspec.structs.asdict(health.connections),
        "book_paths": {str(path): msgspec.to_builtins(figures) for path, figures in health.book_paths.items()},
        "books": {
            name: {**msgspec.structs.asdict(figures), "sick_s": row.sick_books.get(name, 0.0)}
            for name, figures in health.books.items()
        },
        "streams": msgspec.to_builtins(health.streams),
    }


def _latest(health: HealthFigures) -> Json:
    """Return how long ago the last message of all streams came, how many streams are silent too long, and our own latency."""
    ages = [stream.last_age_s for stream in health.streams if stream.last_age_s is not None]
    return {
        "last_age_s": min(ages, default=None),
        "stale_streams": sum(stream.stale for stream in health.streams),
        "engine_latency_p50_ms": max((stream.engine_latency.p50_ms for stream in health.streams), default=0.0),
        "engine_latency_p99_ms": max((stream.engine_latency.p99_ms for stream in health.streams), default=0.0),
    }
