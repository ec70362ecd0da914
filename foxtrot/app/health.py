"""How a running platform does, as one frozen object: for `foxtrot status --json`, for GET /health and for GET /metrics."""

import threading
from collections.abc import Callable, Iterable, Iterator

import msgspec

from foxtrot.app.health_counts import HealthCounts
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.process_limits import descriptors
from foxtrot.app.supervision import PartState, Supervisor
from foxtrot.app.supervision_parts import durable_behind
from foxtrot.app.venue_connections import Connection
from foxtrot.core.heartbeat import PLATFORM
from foxtrot.domain.enums import AdapterState, GateState

OK, DEGRADED, HALTED = "ok", "degraded", "halted"
Number = int | float


class AccountHealth(msgspec.Struct, frozen=True, kw_only=True):
    """One account: its connection, how late its messages are, and what keeps it from trading.

    `last_age_s` is how long ago the last message of all its streams came, None when none has; `sick_books` are streamed books that
    are not LIVE, with for how long, in seconds; `blocks` says what the gate holds back, by instrument, "" for all.
    """

    account: str
    state: str
    cause: str
    ready: bool
    latency_p50_ms: float
    latency_p99_ms: float
    last_age_s: float | None
    reconnects: int
    rest_fallbacks: int
    requests: int
    failed_requests: int
    resyncs: int
    unknown_orders: int
    sick_books: dict[str, float]
    blocks: dict[str, str]


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """A platform at one moment.

    `state` is ok, degraded (it trades, and something needs attention) or halted (nothing may be sent); `reasons` says why it is
    not ok. `lapsed` says why nothing leaves after the process stood still. `journal` is None where nothing is kept on disk.
    `figures` are of the moment, `counters` only grow; accepted = handled + conflated + left + what waits.
    """

    state: str
    reasons: tuple[str, ...]
    written_ns: int
    gate: str
    gate_reason: str
    lapsed: str
    parts: tuple[PartState, ...]
    accounts: tuple[AccountHealth, ...]
    journal: dict[str, Number | str] | None
    figures: dict[str, Number]
    counters: dict[str, int]


class HealthDesk:
    """Makes the object from what all parts show of themselves.

    Thread: made by main before the platform starts; `look` by main; `latest` is read by any, and replaced whole. Nothing is asked
        of foxtrot-engine, so that one that is stuck is told of too.

    Args:
        platform: whose health it is.
        supervisor: who knows of its parts.
        more: further counters that only grow, by name, such as lines that the log has dropped.
    """

    def __init__(
        self, platform: MainEngine, supervisor: Supervisor, more: Callable[[], dict[str, int]] = dict[str, int]
    ) -> None:
        self.counts = HealthCounts(platform.line)
        self.latest: tuple[Health, int] | None = None
        self._platform = platform
        self._supervisor = supervisor
        self._more = more

    def look(self, rows: Iterable[Connection]) -> Health:
        """Return the object as it is now.

        Args:
            rows: the accounts' connections as they are now.
        """
        platform, permit = self._platform, self._platform.permit
        accounts = tuple(self._account(row) for row in rows)
        parts, journal = self._supervisor.states, self._journal()
        state = permit.state
        reasons = (*self._platform_reasons(parts, state), *self._account_reasons(accounts))
        halted = state is GateState.HALTED or any(
            part.halts and part.serves == PLATFORM and part.state != OK for part in parts
        )
        health = Health(
            state=HALTED if halted else DEGRADED if reasons else OK,
            reasons=reasons,
            written_ns=platform.clock.now_ns(),
            gate=str(state),
            gate_reason=permit.reason,
            lapsed=permit.lapsed,
            parts=parts,
            accounts=accounts,
            journal=journal,
            figures=self._figures(),
            counters=self._counters(accounts),
        )
        self.latest = (health, platform.clock.monotonic_ns())
        return health

    def latest_and_age_s(self) -> tuple[Health, float] | None:
        """Return the last object and how old it is in seconds, None before the first; from any thread."""
        if (latest := self.latest) is None:
            return None
        return latest[0], max(0.0, (self._platform.clock.monotonic_ns() - latest[1]) / 1e9)

    def _platform_reasons(self, parts: Iterable[PartState], state: GateState) -> Iterator[str]:
        if state is not GateState.ACTIVE:
            yield f"the gate is {state}: {self._platform.permit.reason}"
        for part in parts:
            if part.state != OK:
                yield f"{part.name} is {part.state}: {part.reason}"
        for host in tuple(self._platform.line.strategies.hosts.values()):
            if str(host.stage) == "failed":
                yield f"strategy {host.strategy_id} failed: {host.reason}"

    def _account_reasons(self, accounts: Iterable[AccountHealth]) -> Iterator[str]:
        longest_s = self._platform.config.alerts.sick_book_s
        for one in accounts:
            if not one.ready:
                yield f"account {one.account} is {one.state}{one.cause and f': {one.cause}'}"
            if one.unknown_orders:
                yield f"account {one.account} has {one.unknown_orders} orders of unknown outcome"
            for instrument, reason in one.blocks.items():
                yield f"account {one.account}{instrument and f', {instrument},'} is blocked: {reason}"
            for name, sick_s in one.sick_books.items():
                if sick_s > longest_s:
                    yield f"the book of {name} on {one.account} has not been live for {sick_s:.0f} s"

    def _account(self, row: Connection) -> AccountHealth:
        figures, counts = row.health, self.counts
        streams = figures.streams
        return AccountHealth(
            account=row.account,
            state=str(row.state),
            cause=row.cause,
            ready=row.state is AdapterState.READY,
            latency_p50_ms=round(max((one.venue_latency.p50_ms for one in streams), default=0.0), 3),
            latency_p99_ms=round(max((one.venue_latency.p99_ms for one in streams), default=0.0), 3),
            last_age_s=min((one.last_age_s for one in streams if one.last_age_s is not None), default=None),
            reconnects=figures.reconnects,
            rest_fallbacks=sum(one.rest_fallbacks for one in streams),
            requests=figures.requests,
            failed_requests=figures.failed_requests,
            resyncs=sum(book.resyncs for book in figures.books.values()),
            unknown_orders=len(counts.unknown.get(row.account, ())),
            sick_books=row.sick_books,
            blocks={place[1]: reason for place, reason in counts.blocks.items() if place[0] in (row.account, "")},
        )

    def _journal(self) -> dict[str, Number | str] | None:
        journal = durable_behind(self._platform.line.journal)
        return None if journal is None else {"alive": journal.alive, **msgspec.structs.asdict(journal.statistics())}

    def _figures(self) -> dict[str, Number]:
        found = self._platform.events.statistics()
        return {
            "engine_depth": found.depth,
            "engine_peak_depth": found.peak_depth,
            "engine_lag_p50_us": found.lag_p50_us,
            "engine_lag_p99_us": found.lag_p99_us,
            "slowest_handler_ms": found.slowest_ms,
            "threads": threading.active_count(),
            "descriptors": (descriptors() or (0, 0))[0],
        }

    def _counters(self, accounts: Iterable[AccountHealth]) -> dict[str, int]:
        found, permit, desk = self._platform.events.statistics(), self._platform.permit, self._platform.line.desk
        return {
            "events_accepted": found.accepted,
            "events_handled": found.handled,
            "events_conflated": found.conflated,
            "events_left": found.left,
            "handler_failures": found.failures,
            "fills_late": desk.late_fills,
            "fills_duplicate": desk.duplicate_fills,
            "lease_lapses": permit.lapses,
            "books_resynced": sum(one.resyncs for one in accounts),
            **self.counts.counts,
            **self._more(),
        }
