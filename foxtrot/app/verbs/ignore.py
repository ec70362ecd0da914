"""`foxtrot ignore`: let a difference between us and a venue stand."""

from argparse import Namespace

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.difference_settling import add_settling, settle
from foxtrot.app.verbs.outcome import Outcome
from foxtrot.domain.account import EXTERNAL

DESCRIPTION = (
    "Let a difference that nothing explains stand: nothing is changed, what it halted goes on, and it is not told again while both sides stay\n"
    "as they are. Without a difference those that stand are listed."
)
EXAMPLE = '  foxtrot ignore\n  foxtrot ignore D-1a2b3c --why "the venue counts dust that cannot be sold"'


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    add_settling(parser)


def run(arguments: Namespace) -> Outcome:
    """Ignore it.

    Raises:
        ConfigError: there is no such difference, or no reason is given.
        FoxtrotError: no platform runs here.
    """
    return settle(arguments, "ignore", EXTERNAL)
