"""`foxtrot orders`: the orders of the platform that runs in a home folder."""

from argparse import Namespace

import msgspec

from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_requests import Cancel, ListOrders, Orders, Taken
from foxtrot.app.control_waits import wait_for
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.steering_arguments import add_limit, add_wait, add_which, add_who, older, who_of
from foxtrot.app.verbs.steering_outcome import asked, read
from foxtrot.app.verbs.steering_text import orders_text

DESCRIPTION = (
    "List the open orders of the platform that runs in the home folder, with --all those that have ended too, of this run and of\n"
    "earlier ones; one whose outcome is unknown says since when and why. When none runs its journal answers, and says how old that\n"
    "is. With --cancel ORDER cancel one and wait until that has happened."
)
EXAMPLE = "  foxtrot orders\n  foxtrot orders --all --strategy my_strategy --json\n  foxtrot orders --cancel F-my-0abc123def-1"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    add_which(parser)
    parser.add_argument(
        "--all", dest="every", action="store_true", help="also those that have ended, in this run or an earlier one"
    )
    parser.add_argument("--cancel", default="", metavar="ORDER", help="cancel this order")
    add_limit(parser)
    add_who(parser, why_needed=False)
    add_wait(parser, 10)


def run(arguments: Namespace) -> Outcome:
    """List them, or cancel one.

    Raises:
        ConfigError: a name that there is not.
        FoxtrotError: no platform runs here.
    """
    if arguments.cancel:
        return asked(lambda: _cancel(find_platform(arguments.home), arguments))
    return asked(lambda: _list(arguments))


def _list(arguments: Namespace) -> Outcome:
    which = (arguments.account, arguments.strategy, arguments.instrument)
    found, source, told = read(arguments, ListOrders(*which, arguments.every, limit=arguments.limit), Orders)
    none = "no order is known" if arguments.every else "no order is open"
    rows = [msgspec.structs.asdict(row) for row in found.orders]
    text = f"{told}{orders_text(found.orders, none)}{older(arguments, more=found.more)}"
    return Outcome({**source, "orders": rows, "more": found.more}, text)


def _cancel(client: ControlClient, arguments: Namespace) -> Outcome:
    order_id = client.ask(Cancel(arguments.cancel, who_of(arguments)), Taken).subject
    waited = wait_for(
        lambda: client.ask(ListOrders(order=order_id), Orders).orders[0],
        lambda row: row.status in _ENDED,
        arguments.wait,
    )
    row = waited.found
    result = {"cancelled": row.status == "cancelled", "order": msgspec.structs.asdict(row)}
    if waited.done:
        return Outcome(result, f"order {row.order_id} is {row.status}: {row.filled:g} of {row.quantity:g} filled", DONE)
    text = f"order {row.order_id} is still {row.status} after {arguments.wait:g} s; its cancellation was asked for"
    return Outcome(result, text, NEEDS_PERSON)


_ENDED = frozenset({"denied", "filled", "cancelled", "expired", "rejected"})
