"""How an account's connection did, in few figures: what a summary says of it."""

from foxtrot.adapter.health import HealthFigures


def health_object(health: HealthFigures | None) -> dict[str, object] | None:
    """Return the figures of all streams together, or None where the adapter keeps none; latencies are those of the worst stream."""
    if health is None:
        return None
    streams = health.streams
    return {
        "up": health.up,
        "uptime_s": round(health.uptime_s, 3),
        "reconnects": health.reconnects,
        "last_cause": health.last_cause,
        "requests": health.requests,
        "failed_requests": health.failed_requests,
        "used_weight": health.used_weight,
        "messages": sum(stream.messages for stream in streams),
        "messages_per_s": round(sum(stream.messages_per_s for stream in streams), 1),
        "rest_fallbacks": sum(stream.rest_fallbacks for stream in streams),
        "breakers": dict(health.breakers),
        "venue_latency_p50_ms": round(max((stream.venue_latency.p50_ms for stream in streams), default=0.0), 3),
        "venue_latency_p99_ms": round(max((stream.venue_latency.p99_ms for stream in streams), default=0.0), 3),
    }
