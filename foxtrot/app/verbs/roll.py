"""`foxtrot roll`: close a position in a future and open the same in a later contract, as one command."""

from argparse import Namespace
from decimal import Decimal

import msgspec

from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_requests import Taken
from foxtrot.app.control_roll_requests import BeginRoll, FollowRoll, LegRow, PlanRoll, RollRow
from foxtrot.app.control_waits import wait_for
from foxtrot.app.verbs.command_parser import CommandParser, positive_amount
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.steering_arguments import add_wait, add_who, who_of, why_of
from foxtrot.app.verbs.steering_outcome import asked, say
from foxtrot.app.verbs.text_table import text_table

DESCRIPTION = (
    "Carry a position in a future on into a later contract of the same underlying and multiplier: OLD is closed at the market, and what that\n"
    "has filled is opened in NEW for the same owner. Both legs are shown before and after. Nothing is closed before NEW has a price and may be\n"
    "traded. A roll that is cut in the middle says what is left; the same command again does the rest, and nothing twice. The status is 3 when\n"
    "it has not come to its end in time."
)
EXAMPLE = (
    "  foxtrot roll ESZ6.CME ESH7.CME --plan\n  foxtrot roll ESZ6.CME ESH7.CME --quantity 2 --strategy my_strategy"
)


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("old", metavar="OLD", help="the contract that is held")
    parser.add_argument("new", metavar="NEW", help="the contract to hold")
    parser.add_argument(
        "--quantity", type=positive_amount, default=Decimal(0), metavar="N", help="how many contracts (all of them)"
    )
    parser.add_argument("--account", default="", metavar="NAME", help="whose account, where several hold OLD")
    parser.add_argument("--strategy", default="", metavar="NAME", help="whose position, where several own some of OLD")
    parser.add_argument("--plan", action="store_true", help="show both legs and do nothing")
    parser.add_argument("--forget", action="store_true", help="give up a roll that was cut, and leave what it has left")
    add_who(parser, why_needed=False)
    add_wait(parser, 30)


def run(arguments: Namespace) -> Outcome:
    """Roll.

    Raises:
        ConfigError: a name that there is not, or two contracts of which one does not carry on the other.
        FoxtrotError: no platform runs here, or orders of the owner stand in the way.
    """
    return asked(lambda: _roll(find_platform(arguments.home), arguments))


def _roll(client: ControlClient, arguments: Namespace) -> Outcome:
    where = {
        "old": arguments.old, "new": arguments.new, "quantity": arguments.quantity, "account": arguments.account,
        "strategy": arguments.strategy,
    }  # fmt: skip
    if not arguments.forget:
        planned = client.ask(PlanRoll(**where), RollRow)
        if arguments.plan:
            return Outcome({"planned": msgspec.to_builtins(planned)}, _text(planned), DONE)
        say(_text(planned))
    wish = BeginRoll(who=who_of(arguments), why=why_of(arguments), forget=arguments.forget, **where)
    roll_id = client.ask(wish, Taken).subject
    follow = FollowRoll(roll_id=roll_id)
    waited = wait_for(lambda: client.ask(follow, RollRow), lambda row: row.over, arguments.wait)
    row = waited.found
    result: dict[str, object] = {"rolled": _is_whole(row), "roll": msgspec.to_builtins(row)}
    return Outcome(result, _text(row), DONE if _is_whole(row) or (arguments.forget and row.over) else NEEDS_PERSON)


def _is_whole(row: RollRow) -> bool:
    """Tell whether both legs are filled as they were wished for."""
    closes, opens = row.legs
    return row.over and closes.filled == closes.quantity == opens.filled


def _text(row: RollRow) -> str:
    legs = text_table(
        ("leg", "instrument", "side", "quantity", "filled", "average", "orders"),
        [(name, *_cells(leg)) for name, leg in zip(("close", "open"), row.legs, strict=True)],
    )
    return f"{row.owner} on {row.account}\n{legs}\n{row.said}"


def _cells(leg: LegRow) -> tuple[object, ...]:
    return (
        leg.instrument_id,
        leg.side,
        leg.quantity,
        leg.filled,
        leg.average_price or None,
        ", ".join(leg.orders) or "-",
    )
