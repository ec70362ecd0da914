"""`foxtrot demo`: the whole line with no keys and no network."""

from argparse import Namespace

from foxtrot.app.private_folder import private_home
from foxtrot.app.stop_signals import stop_signals
from foxtrot.app.verbs.backtest import progress_bar
from foxtrot.app.verbs.command_parser import CommandParser, seconds
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome, listed

DESCRIPTION = (
    "Start the embedded exchange with trading agents, connect to it, let a sample strategy trade, then compare what the\n"
    "platform believes with what the exchange says. Needs no keys and no network."
)
EXAMPLE = "  foxtrot demo --seconds 20\n  foxtrot demo --seconds 20 --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--seconds", type=seconds, default=30.0, metavar="N", help="how long to trade (30)")


def run(arguments: Namespace) -> Outcome:
    """Trade for a while; it failed when exchange and platform disagree at the end."""
    with stop_signals() as stopped, private_home(arguments.home):  # before seconds of imports
        from foxtrot.app.demo import run_demo
        from foxtrot.app.logging_setup import start_logging

        log = start_logging("DEBUG" if arguments.debug else "WARNING")
        try:
            with progress_bar(round(arguments.seconds), "seconds") as advance:
                result = run_demo(arguments.seconds, arguments.home, stopped, lambda elapsed_s: advance(int(elapsed_s)))
        finally:
            log.stop()
    return Outcome(result, listed(result), DONE if result.get("reconciled") else FAILED)
