"""`foxtrot resolve`: say what became of an order whose outcome nobody has told."""

from argparse import Namespace

import msgspec

from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_requests import ListOrders, OrderRow, Orders, Resolve, Taken
from foxtrot.app.control_waits import wait_for
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.steering_arguments import add_wait, add_who, who_of, why_of
from foxtrot.app.verbs.steering_outcome import asked
from foxtrot.domain.enums import OrderStatus

DESCRIPTION = (
    "Say, by your decision, what became of an order of unknown outcome, once you have looked at the venue yourself: it rests there\n"
    "(accepted), it was cancelled, has expired, was rejected or never arrived (rejected), or was filled. `foxtrot orders` lists them.\n"
    "Whatever the venue tells of it later counts more than your word, but for filled: an order that rests after all is open again, with an alarm."
)
EXAMPLE = '  foxtrot resolve F-my-0abc123def-1 rejected --why "the venue says it never had it"'
STATUSES = ("accepted", "cancelled", "expired", "filled", "rejected")


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("order", metavar="ORDER", help="its id")
    parser.add_argument("status", choices=STATUSES, help="what became of it")
    add_who(parser, why_needed=True)
    add_wait(parser, 5)


def run(arguments: Namespace) -> Outcome:
    """Resolve it.

    Raises:
        ConfigError: there is no such order, its outcome is known, or no reason is given.
        FoxtrotError: no platform runs here.
    """
    return asked(lambda: _resolve(find_platform(arguments.home), arguments))


def _resolve(client: ControlClient, arguments: Namespace) -> Outcome:
    wish = Resolve(arguments.order, OrderStatus(arguments.status), who_of(arguments), why_of(arguments))
    order_id = client.ask(wish, Taken).subject

    def look() -> OrderRow:
        return client.ask(ListOrders(order=order_id), Orders).orders[0]

    waited = wait_for(look, lambda row: row.status != OrderStatus.UNKNOWN, arguments.wait)
    row = waited.found
    result = {"resolved": waited.done, "order": msgspec.structs.asdict(row)}
    if waited.done:
        return Outcome(result, f"order {row.order_id} is {row.status} by your decision", DONE)
    return Outcome(result, f"order {row.order_id} is still of unknown outcome: {row.reason}", NEEDS_PERSON)
