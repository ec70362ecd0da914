"""`foxtrot trades`: the fills of the platform that runs in a home folder."""

from argparse import Namespace

import msgspec

from foxtrot.app.control_requests import ListTrades, Trades
from foxtrot.app.last_known import with_slippage
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import Outcome
from foxtrot.app.verbs.steering_arguments import add_limit, add_which, older
from foxtrot.app.verbs.steering_outcome import asked, read
from foxtrot.app.verbs.steering_text import trades_text

DESCRIPTION = (
    "List the fills of the platform that runs in the home folder: price, fee, owner, and slippage where it is known."
)
EXAMPLE = "  foxtrot trades\n  foxtrot trades --strategy my_strategy --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    add_which(parser)
    add_limit(parser)


def run(arguments: Namespace) -> Outcome:
    """List them, oldest first.

    Raises:
        ConfigError: a name that there is not.
        FoxtrotError: no platform runs here.
    """
    return asked(lambda: _list(arguments))


def _list(arguments: Namespace) -> Outcome:
    wish = ListTrades(arguments.account, arguments.strategy, arguments.instrument, arguments.limit)
    found, source, told = read(arguments, wish, Trades)
    rows = with_slippage(arguments.home, found.trades)
    result: dict[str, object] = {
        **source,
        "trades": [msgspec.structs.asdict(row) for row in rows],
        "more": found.more,
    }
    return Outcome(result, f"{told}{trades_text(rows)}{older(arguments, more=found.more)}")
