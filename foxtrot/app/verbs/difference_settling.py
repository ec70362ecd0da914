"""What `foxtrot adopt` and `foxtrot ignore` have in common: a difference is named, settled, and gone."""

from argparse import Namespace
from typing import Literal

import msgspec

from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_requests import Blocks, ListBlocks, Settle, Taken
from foxtrot.app.control_waits import wait_for
from foxtrot.app.verbs.command_parser import CommandParser, UsageError
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.steering_arguments import add_wait, add_who, who_of, why_of
from foxtrot.app.verbs.steering_outcome import asked
from foxtrot.app.verbs.steering_text import differences_text

Decision = Literal["adopt", "ignore"]


def add_settling(parser: CommandParser) -> None:
    """Declare the arguments of both."""
    parser.add_argument("difference", nargs="?", default="", metavar="DIFF", help="its id; without one they are listed")
    add_who(parser, why_needed=False)
    add_wait(parser, 10)


def settle(arguments: Namespace, decision: Decision, owner: str) -> Outcome:
    """Settle the difference that the arguments name, or list those that there are."""
    return asked(lambda: _settle(find_platform(arguments.home), arguments, decision, owner))


def _settle(client: ControlClient, arguments: Namespace, decision: Decision, owner: str) -> Outcome:
    wanted = arguments.difference
    if not wanted:
        found = client.ask(ListBlocks(), Blocks).differences
        return Outcome({"differences": [msgspec.structs.asdict(row) for row in found]}, differences_text(found))
    why = why_of(arguments)
    if not why:
        raise UsageError(f"--why TEXT is needed: it stands in the journal beside your decision to {decision} {wanted}")
    taken = client.ask(Settle(wanted, decision, who_of(arguments), why, owner), Taken)
    waited = wait_for(
        lambda: client.ask(ListBlocks(), Blocks),
        lambda found: all(row.difference_id != wanted for row in found.differences),
        arguments.wait,
    )
    result: dict[str, object] = {
        "settled": waited.done,
        "decision": decision,
        "difference_id": wanted,
        "was": taken.was,
        "differences": [msgspec.structs.asdict(row) for row in waited.found.differences],
        "blocks": [msgspec.structs.asdict(row) for row in waited.found.blocks],
    }
    done = {"adopt": f"adopted for {owner}", "ignore": "ignored while both sides stay as they are"}[decision]
    if waited.done:
        return Outcome(result, f"{wanted} ({taken.was}) is {done}", DONE)
    return Outcome(result, f"{wanted} ({taken.was}) still stands after {arguments.wait:g} s", NEEDS_PERSON)
