"""How a connection stands, as it is said wherever it is said: its state in the language in force, and how long its messages take."""

from typing import Final

from foxtrot.adapter.health import HealthFigures
from foxtrot.domain.enums import AdapterState
from foxtrot.gui.texts import tr

_OTHERS: Final = {AdapterState.FAILED: "connections.failed_state"}  # "failed" heads the column of failed requests


def fastest_ms(figures: HealthFigures) -> float:
    """Return how long a message takes from the venue: the median of the fastest stream, in ms; 0.0 where no message says when it left."""
    known = [one.venue_latency.p50_ms for one in figures.streams if one.venue_latency.p50_ms > 0]
    return min(known, default=0.0)


def state_word(state: AdapterState) -> str:
    """Return a state in words."""
    return tr(_OTHERS.get(state, f"connections.{state}"))
