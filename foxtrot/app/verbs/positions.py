"""`foxtrot positions`: what every owner and every account holds, and what protects it."""

from argparse import Namespace

import msgspec

from foxtrot.app.control_requests import ListPositions, Positions
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import Outcome
from foxtrot.app.verbs.steering_arguments import add_which
from foxtrot.app.verbs.steering_outcome import asked, read
from foxtrot.app.verbs.steering_text import net_text, positions_text

DESCRIPTION = (
    "List the positions of the platform that runs in the home folder: by owner, with what protects each once this process is gone\n"
    "(EXTERNAL is what the account held without us), and over all owners by account. When none\n"
    "runs its journal answers, and says how old that is."
)
EXAMPLE = "  foxtrot positions\n  foxtrot positions --instrument BTCUSDT.BINANCE --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    add_which(parser)


def run(arguments: Namespace) -> Outcome:
    """List them.

    Raises:
        ConfigError: a name that there is not.
        FoxtrotError: no platform runs here.
    """
    return asked(lambda: _list(arguments))


def _list(arguments: Namespace) -> Outcome:
    wish = ListPositions(arguments.account, arguments.strategy, arguments.instrument)
    found, source, told = read(arguments, wish, Positions)
    result: dict[str, object] = {
        **source,
        "positions": [msgspec.structs.asdict(row) for row in found.positions],
        "net": [msgspec.structs.asdict(row) for row in found.net],
    }
    text = f"{told}{positions_text(found.positions)}"
    return Outcome(result, f"{text}\n\n{net_text(found.net)}" if found.net else text)
