"""The health of a platform in Prometheus' text format."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector
from typing_extensions import override

from foxtrot.app.health import DEGRADED, HALTED, OK, AccountHealth, Health
from foxtrot.domain.enums import AdapterState, GateState

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_ACCOUNT = ("account",)
_GAUGES: tuple[tuple[str, str, Callable[[AccountHealth], float | None]], ...] = (
    ("account_ready", "Whether the account may be traded over its connection.", lambda one: float(one.ready)),
    ("account_unknown_orders", "Orders of unknown outcome.", lambda one: one.unknown_orders),
    ("account_sick_books", "Streamed books that are not live.", lambda one: len(one.sick_books)),
    ("account_blocks", "Blocks of the gate that hold the account or an instrument of it.", lambda one: len(one.blocks)),
    ("account_last_message_age_seconds", "How long ago the last message came.", lambda one: one.last_age_s),
)
_COUNTERS: tuple[tuple[str, str, Callable[[AccountHealth], float]], ...] = (
    ("account_reconnects", "Connections made again.", lambda one: one.reconnects),
    ("account_requests", "Requests sent.", lambda one: one.requests),
    ("account_failed_requests", "Requests that failed.", lambda one: one.failed_requests),
    ("account_rest_fallbacks", "Questions that went to REST in place of a stream.", lambda one: one.rest_fallbacks),
    ("account_books_resynced", "Snapshots of books that were fetched again.", lambda one: one.resyncs),
)


def metrics_text(health: Health, age_s: float) -> bytes:
    """Return the metrics of one moment.

    Args:
        health: that moment.
        age_s: how long ago it was.
    """
    registry = CollectorRegistry()
    registry.register(_Moment(health, age_s))
    return generate_latest(registry)


class _Moment(Collector):
    """Yields one health object as families; the registry is made anew for each, so that nothing global is read or kept."""

    def __init__(self, health: Health, age_s: float) -> None:
        self._health = health
        self._age_s = age_s

    @override
    def collect(self) -> Iterator[Metric]:
        health = self._health
        yield _one_of("state", "How the platform does.", health.state, (OK, DEGRADED, HALTED))
        yield _one_of("gate", "What the gate lets through.", health.gate, tuple(str(one) for one in GateState))
        yield _gauge("health_age_seconds", "How long ago the main thread last told how the platform does.", self._age_s)
        yield from self._parts()
        yield from self._accounts()
        for name, value in health.figures.items():
            yield _gauge(name, f"{name.replace('_', ' ').capitalize()} now.", value)
        for name, figure in (health.journal or {}).items():
            if not isinstance(figure, str):
                yield _gauge(f"journal_{name}", f"The journal's {name.replace('_', ' ')}.", figure)
        for name, value in health.counters.items():
            words = f"{name.replace('_', ' ').capitalize()} so far."
            yield CounterMetricFamily(f"foxtrot_{name}", words, value=value)

    def _parts(self) -> Iterator[Metric]:
        family = GaugeMetricFamily("foxtrot_part_ok", "Whether a part moves.", labels=("part", "serves"))
        for part in self._health.parts:
            family.add_metric((part.name, part.serves), float(part.state == OK))
        yield family

    def _accounts(self) -> Iterator[Metric]:
        accounts = self._health.accounts
        state = GaugeMetricFamily("foxtrot_account_state", "The connection's state.", labels=("account", "state"))
        latency = GaugeMetricFamily(
            "foxtrot_account_venue_latency_seconds", "From the venue's time to ours.", labels=("account", "quantile")
        )
        for one in accounts:
            for known in AdapterState:
                state.add_metric((one.account, str(known)), float(one.state == known))
            latency.add_metric((one.account, "0.5"), one.latency_p50_ms / 1e3)
            latency.add_metric((one.account, "0.99"), one.latency_p99_ms / 1e3)
        yield from (state, latency)
        for name, words, value_of in _GAUGES:
            gauge = GaugeMetricFamily(f"foxtrot_{name}", words, labels=_ACCOUNT)
            for one in accounts:
                if (value := value_of(one)) is not None:
                    gauge.add_metric((one.account,), value)
            yield gauge
        for name, words, count_of in _COUNTERS:
            counter = CounterMetricFamily(f"foxtrot_{name}", words, labels=_ACCOUNT)
            for one in accounts:
                counter.add_metric((one.account,), count_of(one))
            yield counter


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"foxtrot_{name}", words, value=value)


def _one_of(name: str, words: str, value: str, known: tuple[str, ...]) -> Metric:
    family = GaugeMetricFamily(f"foxtrot_{name}", words, labels=(name,))
    for one in known:
        family.add_metric((one,), float(one == value))
    return family
