"""`foxtrot kill`: stop trading now, through the platform that runs or, when none answers, at the venues themselves."""

from argparse import Namespace
from pathlib import Path

from foxtrot.app.control_client import find_platform
from foxtrot.app.verbs.command_parser import CommandParser, UsageError
from foxtrot.app.verbs.kill_steps import FlattenBegun, KillWish, beside_flatten, cold_way, live_way
from foxtrot.app.verbs.outcome import Outcome, one_line
from foxtrot.app.verbs.steering_arguments import add_wait, add_who, who_kills, why_killed
from foxtrot.app.verbs.steering_outcome import say
from foxtrot.domain.errors import FoxtrotError

DESCRIPTION = (
    "Close the gate at once and cancel every order of ours that may increase a position; orders that can only reduce one stay until it is\n"
    "flat. With --flatten close what strategies own as well, with --flatten --all everything that the accounts hold: what would be sold is\n"
    "listed first and asked for, or --yes given. Works on a platform that is frozen or dead too: it then goes straight to the venues, by\n"
    "CONFIG or the configuration that ran last. `foxtrot resume` lets it trade again."
)
EXAMPLE = '  foxtrot kill --why "the market is mad"\n  foxtrot kill --flatten --json\n  foxtrot kill my.toml --flatten --all --yes'


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG.toml",
        help="the configuration, should no platform answer (the last one)",
    )
    parser.add_argument("--flatten", action="store_true", help="close the positions that strategies own")
    parser.add_argument(
        "--all", dest="everything", action="store_true", help="with --flatten: everything the accounts hold"
    )
    parser.add_argument("--yes", action="store_true", help="with --all: do not ask")
    add_who(parser, why_needed=False)
    add_wait(parser, 10)


def run(arguments: Namespace) -> Outcome:
    """Kill; the status is 3 when something is left that a person must see to.

    Raises:
        ConfigError: the arguments are wrong, or no platform answers and no configuration is known.
    """
    if arguments.everything and not arguments.flatten:
        raise UsageError("--all says what --flatten closes: give --flatten too")
    why = why_killed(arguments) or "the kill switch was thrown at the command line"
    wish = KillWish(who_kills(arguments), why, arguments.flatten, arguments.everything, arguments.yes, arguments.wait)
    try:
        return live_way(find_platform(arguments.home), wish)
    except FlattenBegun as error:
        return beside_flatten(arguments.home, arguments.config, wish, one_line(error))
    except (FoxtrotError, OSError) as error:  # whatever it is that keeps us from the platform
        say(f"foxtrot: {one_line(error)}")
        return cold_way(arguments.home, arguments.config, wish, one_line(error))
