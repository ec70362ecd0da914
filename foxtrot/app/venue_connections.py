"""Every venue's connections in one place: started, stopped, looked at, and told of when they fall back too often."""

from collections.abc import Callable, Mapping

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter, EventSink
from foxtrot.adapter.health import HealthFigures
from foxtrot.app.unsteady_link import UnsteadyCounts, UnsteadyLink, UnsteadyRule
from foxtrot.core.clock import Clock
from foxtrot.core.notices import VenueUnsteady
from foxtrot.domain.enums import AdapterState, BookState

SECOND_NS = 1_000_000_000


class Connection(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the table: an account's link at one moment.

    `cause` is what was said with the state; `unready_s` is for how long it has not been READY, 0 while it is; `sick_books` are the streamed
    books that are not LIVE, each with how long while its market was open, in seconds.
    """

    account: str
    adapter: str
    state: AdapterState
    cause: str
    state_s: float
    health: HealthFigures
    recent: UnsteadyCounts = UnsteadyCounts()
    unsteady: bool = False
    alerts: int = 0
    was_ready: bool = False
    unready_s: float = 0.0
    sick_books: dict[str, float] = {}


class VenueConnections:
    """Owns the life of all adapters of a platform; what stands above it never connects or closes one.

    Thread: made, started, looked at and closed by main.

    Args:
        adapters: by account; more may be added until `start`.
        sink: takes VenueUnsteady.
        clock: tells the time.
        rule: when a link is unsteady.
        trades: tells whether the market of an instrument is open at a moment (UTC ns); a book that is not LIVE counts as sick only
            while it is. None is always.
    """

    def __init__(
        self,
        adapters: Mapping[str, BaseAdapter],
        sink: EventSink,
        clock: Clock,
        rule: UnsteadyRule | None = None,
        trades: Callable[[str, int], bool] | None = None,
    ) -> None:
        self.rule = rule or UnsteadyRule()
        self._adapters = adapters
        self._sink = sink
        self._clock = clock
        self._judges: dict[str, UnsteadyLink] = {}
        self._trades = trades
        self._sick: dict[tuple[str, str], tuple[int, int]] = {}
        """By account and instrument: for how long the book has been sick, and when it was last looked at; both monotonic ns."""

    def start(self) -> None:
        """Let every adapter begin to connect; each goes on by itself from there."""
        for adapter in self._adapters.values():
            adapter.connect()

    def close(self, deadline_s: float) -> tuple[str, ...]:
        """Close every adapter and return the threads that overran.

        Blocks: at most `deadline_s` for each.
        """
        overran = [adapter.close(deadline_s) for adapter in self._adapters.values()]
        return tuple(name for name in overran if name)

    def health(self) -> dict[str, HealthFigures]:
        """Return the figures of every adapter by account; from any thread."""
        return {account: adapter.health() for account, adapter in self._adapters.items()}

    def look(self) -> tuple[Connection, ...]:
        """Return the table as it is now, and tell of every link that has become unsteady since the last look; about once a second."""
        now_ns = self._clock.monotonic_ns()
        return tuple(self._look_at(account, adapter, now_ns) for account, adapter in self._adapters.items())

    def _look_at(self, account: str, adapter: BaseAdapter, now_ns: int) -> Connection:
        health = adapter.health()
        judge = self._judges.setdefault(account, UnsteadyLink(self.rule))
        tried = (
            health.reconnects + adapter.failed_dials + health.connections.replacements
        )  # planned rotations: no trouble
        if judge.look(now_ns, health.rest_fallbacks, tried):
            counts, cause = judge.counts, health.last_cause or adapter.cause
            self._sink.put(
                VenueUnsteady(
                    account, adapter.adapter_name, counts.rest_fallbacks, counts.reconnects, self.rule.window_s, cause,
                    self._clock.now_ns(),
                )
            )  # fmt: skip
        return Connection(
            account=account,
            adapter=adapter.adapter_name,
            state=adapter.state,
            cause=adapter.cause,
            state_s=max(0.0, (now_ns - adapter.state_since_ns) / SECOND_NS),
            health=health,
            recent=judge.counts,
            unsteady=judge.is_unsteady,
            alerts=judge.alerts,
            was_ready=adapter.was_ready,
            unready_s=self._unready_s(adapter, now_ns),
            sick_books=self._sick_books(account, health, now_ns),
        )

    @staticmethod
    def _unready_s(adapter: BaseAdapter, now_ns: int) -> float:
        since_ns = adapter.not_ready_since_ns
        return 0.0 if since_ns is None else max(0.0, (now_ns - since_ns) / SECOND_NS)

    def _sick_books(self, account: str, health: HealthFigures, now_ns: int) -> dict[str, float]:
        sick = sorted(name for name, figures in health.books.items() if figures.state != BookState.LIVE)
        for known in [key for key in self._sick if key[0] == account and key[1] not in sick]:
            del self._sick[known]
        return {name: self._sick_ns((account, name), now_ns) / SECOND_NS for name in sick}

    def _sick_ns(self, key: tuple[str, str], now_ns: int) -> int:
        """Count the time since the last look, unless the market of the book is closed."""
        sick_ns, looked_ns = self._sick.get(key, (0, now_ns))
        if self._trades is None or self._trades(key[1], self._clock.now_ns()):
            sick_ns += now_ns - looked_ns
        self._sick[key] = sick_ns, now_ns
        return sick_ns
