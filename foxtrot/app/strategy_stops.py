"""The strategies' part of a stop: each ends as it is set to, and what that asked of the venue is waited for."""

import threading

from foxtrot.app.engine_questions import EngineQuestions
from foxtrot.core.clock import Clock
from foxtrot.core.commands import StopStrategy
from foxtrot.core.event_engine import EventEngine
from foxtrot.strategy.line import Line

LOOK_EVERY_S = 0.02


def stop_strategies(
    line: Line, events: EventEngine, questions: EngineQuestions, clock: Clock, deadline_s: float
) -> None:
    """Stop every strategy, and wait until none runs, no cancel or market order is on its way, and none is leaving a position.

    Thread: main.
    Blocks: at most `deadline_s`.
    """
    for strategy_id in line.strategies.hosts:
        events.put(StopStrategy(strategy_id, "on_shutdown"))
    quiet = threading.Event()
    until_ns = clock.monotonic_ns() + int(deadline_s * 1e9)
    while not quiet.wait(LOOK_EVERY_S) and clock.monotonic_ns() < until_ns:
        if questions.ask(lambda: _is_quiet(line), deadline_s):
            quiet.set()


def _is_quiet(line: Line) -> bool:
    """Tell, on the engine's thread, whether nothing is to be waited for any more."""
    waiting = [r for r in line.desk.open_records() if r.cancel_asked or r.terms.order_type == "market"]
    settled = all(str(host.stage) != "running" for host in line.strategies.hosts.values())
    return settled and not waiting and not line.strategies.leaving
