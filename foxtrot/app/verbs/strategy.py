"""`foxtrot strategy start|stop|reload|set|list`: steer the strategies of a running platform."""

from argparse import Namespace
from collections.abc import Callable

import msgspec

from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_requests import ListStrategies, SetValues, Step, Strategies, StrategyRow, Taken, Value
from foxtrot.app.control_waits import wait_for
from foxtrot.app.verbs.command_parser import CommandParser, UsageError
from foxtrot.app.verbs.outcome import DONE, FAILED, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.steering_arguments import add_wait, add_who, who_of, why_of
from foxtrot.app.verbs.steering_outcome import asked
from foxtrot.app.verbs.steering_text import strategies_text

DESCRIPTION = (
    "Start or stop a strategy of the platform that runs in the home folder, load its code again, or set its parameters, and wait until that\n"
    "has happened; with list, or nothing, show them all. Code is loaded and parameters are set while a strategy is stopped."
)
EXAMPLE = (
    "  foxtrot strategy list\n  foxtrot strategy stop my_strategy\n  foxtrot strategy set my_strategy fast=10 slow=40"
)
AT_REST = ("loaded", "stopped", "failed")
DEADLINE_S = 30


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "step", nargs="?", default="list", choices=("list", "start", "stop", "reload", "set"), help="what to do"
    )
    parser.add_argument("name", nargs="?", default="", metavar="NAME", help="the strategy")
    parser.add_argument("values", nargs="*", metavar="k=v", help="with set: parameters and their values")
    add_who(parser, why_needed=False)
    add_wait(parser, DEADLINE_S)


def run(arguments: Namespace) -> Outcome:
    """Do it; the status is 1 when the strategy fails at it, 3 when it has not come to its end in time.

    Raises:
        ConfigError: there is no such strategy or parameter, or it cannot be done now.
        FoxtrotError: no platform runs here.
    """
    if arguments.step == "list":
        if arguments.name:
            raise UsageError(f"list takes no name; `foxtrot strategy start {arguments.name}` starts it")
        return asked(lambda: _list(find_platform(arguments.home)))
    if not arguments.name:
        raise UsageError(f"{arguments.step} needs the NAME of a strategy; `foxtrot strategy list` lists them")
    if bool(arguments.values) != (arguments.step == "set"):
        raise UsageError("set needs k=v, such as fast=10, and nothing else takes any")
    steps: dict[str, Callable[[ControlClient, Namespace], Outcome]] = {
        "start": _start,
        "stop": _stop,
        "reload": _reload,
        "set": _set,
    }
    return asked(lambda: steps[arguments.step](find_platform(arguments.home), arguments))


def _list(client: ControlClient) -> Outcome:
    found = client.ask(ListStrategies(), Strategies).strategies
    return Outcome({"strategies": [msgspec.structs.asdict(row) for row in found]}, strategies_text(found))


def _start(client: ControlClient, arguments: Namespace) -> Outcome:
    taken = _put(client, arguments)
    if taken.was == "running":
        return _end(_row(client, arguments.name), f"{arguments.name} was running already", DONE)

    def is_over(row: StrategyRow) -> bool:
        return row.stage == "running" or (row.stage in AT_REST and row.heard > taken.before)

    waited = wait_for(lambda: _row(client, arguments.name), is_over, arguments.wait)
    row = waited.found
    if row.stage == "running":
        return _end(row, f"{row.strategy_id} is running", DONE)
    if row.stage == "failed":
        return _end(row, f"{row.strategy_id} failed: {row.reason}", FAILED)
    if waited.done:
        return _end(row, f"{row.strategy_id} is {row.stage}: {row.said}", NEEDS_PERSON)
    return _end(row, f"{row.strategy_id} is still {row.stage} after {arguments.wait:g} s", NEEDS_PERSON)


def _stop(client: ControlClient, arguments: Namespace) -> Outcome:
    taken = _put(client, arguments)
    waited = wait_for(
        lambda: _row(client, arguments.name),
        lambda row: row.stage in ("stopped", "failed") and not row.leaving,
        arguments.wait,
    )
    row = waited.found
    if not waited.done:
        return _end(row, f"{row.strategy_id} is still {_busy(row)} after {arguments.wait:g} s", NEEDS_PERSON)
    left = _left(row)
    if taken.was in ("stopped", "failed"):
        return _end(row, f"{row.strategy_id} was {taken.was} already{left}", DONE)
    return _end(row, f"{row.strategy_id} is {row.stage}{left}", DONE if row.stage == "stopped" else FAILED)


def _reload(client: ControlClient, arguments: Namespace) -> Outcome:
    return _said(client, arguments, _put(client, arguments), "reloaded ")


def _set(client: ControlClient, arguments: Namespace) -> Outcome:
    values = dict(_pair(text) for text in arguments.values)
    taken = client.ask(SetValues(arguments.name, values, who_of(arguments), why_of(arguments)), Taken)
    return _said(client, arguments, taken, "parameters set: ")


def _said(client: ControlClient, arguments: Namespace, taken: Taken, good: str) -> Outcome:
    """Wait for what a strategy says of a step that leaves it where it is."""
    waited = wait_for(lambda: _row(client, arguments.name), lambda row: row.heard > taken.before, arguments.wait)
    row = waited.found
    if not waited.done:
        return _end(row, f"{row.strategy_id} has said nothing of it after {arguments.wait:g} s", NEEDS_PERSON)
    return _end(row, f"{row.strategy_id}: {row.said}", DONE if row.said.startswith(good) else FAILED)


def _put(client: ControlClient, arguments: Namespace) -> Taken:
    return client.ask(Step(arguments.name, arguments.step, who_of(arguments), why_of(arguments)), Taken)


def _row(client: ControlClient, strategy_id: str) -> StrategyRow:
    found = client.ask(ListStrategies(), Strategies).strategies
    return next(row for row in found if row.strategy_id == strategy_id)


def _end(row: StrategyRow, text: str, status: int) -> Outcome:
    return Outcome({"strategy": msgspec.structs.asdict(row), "said": text}, text, status)


def _busy(row: StrategyRow) -> str:
    held = ", ".join(f"{one.quantity:g} {one.instrument_id}" for one in row.positions) or "nothing"
    return f"closing its position ({held} held, {row.open_orders} orders open)" if row.leaving else row.stage


def _left(row: StrategyRow) -> str:
    held = ", ".join(f"{one.quantity:g} {one.instrument_id} ({one.protection})" for one in row.positions)
    orders = f"{row.open_orders} orders open" if row.open_orders else ""
    left = " and ".join(part for part in (held, orders) if part)
    return f"; it leaves {left}" if left else ""


def _pair(text: str) -> tuple[str, Value]:
    name, equals, value = text.partition("=")
    if not equals or not name.isidentifier():
        raise UsageError(f"{text!r} must be k=v, such as fast=10")
    return name, value
