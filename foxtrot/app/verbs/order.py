"""`foxtrot order`: one order's life, from the journal."""

from argparse import Namespace
from decimal import Decimal
from pathlib import Path

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import Outcome

DESCRIPTION = (
    "Show one order's life from the journal of the home folder, also while a platform runs: the event that caused it, the quote and the\n"
    "book then, the gate's decision, when it was sent, acknowledged and filled, how long each leg took, and what the fills cost."
)
EXAMPLE = "  foxtrot order F-my_strategy-mwzf85pnva-1\n  foxtrot order F-my_strategy-mwzf85pnva-1 --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("order", metavar="ORDER", help="the order's id, as the log and `foxtrot orders` show it")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="the data folder with the journal (data in the home folder)"
    )


def run(arguments: Namespace) -> Outcome:
    """Show it.

    Raises:
        InputError: there is no journal, or no such order in it.
    """
    import msgspec

    from foxtrot.app.order_life import story_of
    from foxtrot.app.order_life_text import story_lines
    from foxtrot.app.platform_journal import NAME
    from foxtrot.storage.journal_reader import read_only

    with read_only((arguments.data or arguments.home / "data") / NAME) as view:
        story = story_of(view, arguments.order)
    return Outcome(msgspec.to_builtins(story, builtin_types=(Decimal,)), "\n".join(story_lines(story)))
