"""`foxtrot adopt`: take over what a venue has and we have not."""

from argparse import Namespace

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.difference_settling import add_settling, settle
from foxtrot.app.verbs.outcome import Outcome
from foxtrot.domain.account import EXTERNAL

DESCRIPTION = (
    "Take the venue's word in a difference that nothing explains: our books follow it, for EXTERNAL or for a strategy (--owner), and what it\n"
    "halted goes on. Without a difference those that stand are listed."
)
EXAMPLE = '  foxtrot adopt\n  foxtrot adopt D-1a2b3c --owner my_strategy --why "bought by hand for it"'


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    add_settling(parser)
    parser.add_argument("--owner", default=EXTERNAL, metavar="NAME", help="whose it is from now on (EXTERNAL)")


def run(arguments: Namespace) -> Outcome:
    """Adopt it.

    Raises:
        ConfigError: there is no such difference or owner, or no reason is given.
        FoxtrotError: no platform runs here.
    """
    return settle(arguments, "adopt", arguments.owner)
