"""`foxtrot resume`: let a platform, an account, an instrument or a strategy trade again."""

from argparse import Namespace

import msgspec

from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_requests import (
    BlockRow,
    Blocks,
    ListBlocks,
    ListStrategies,
    Resume,
    Strategies,
    StrategyRow,
    Taken,
)
from foxtrot.app.control_waits import wait_for
from foxtrot.app.verbs.command_parser import CommandParser, UsageError
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.steering_arguments import add_wait, add_who, who_of, why_of
from foxtrot.app.verbs.steering_outcome import asked
from foxtrot.app.verbs.steering_text import block_line

DESCRIPTION = (
    "Lift, by your decision, what stops the platform that runs in the home folder from trading: the kill switch with no name given, else the\n"
    "block of an account, an instrument or both, or of a strategy that must be re-armed. Waits until the gate says so; the status is 3, and\n"
    "what still blocks is named, when it does not."
)
EXAMPLE = (
    '  foxtrot resume --why "the venue is back"\n  foxtrot resume --strategy my_strategy --why "the loop is fixed"'
)


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--account", default="", metavar="NAME", help="only the block of this account")
    parser.add_argument("--instrument", default="", metavar="ID", help="only the block of this instrument")
    parser.add_argument("--strategy", default="", metavar="NAME", help="only this strategy")
    add_who(parser, why_needed=True)
    add_wait(parser, 15)


def run(arguments: Namespace) -> Outcome:
    """Resume.

    Raises:
        ConfigError: a name that there is not, or no reason.
        FoxtrotError: no platform runs here.
    """
    if arguments.strategy and (arguments.account or arguments.instrument):
        raise UsageError("--strategy stands alone: what it may trade is a block of its own")
    return asked(lambda: _resume(find_platform(arguments.home), arguments))


def _resume(client: ControlClient, arguments: Namespace) -> Outcome:
    account, instrument, strategy = arguments.account, arguments.instrument, arguments.strategy
    taken = client.ask(Resume(who_of(arguments), why_of(arguments), account, instrument, strategy), Taken)
    if strategy:
        return _rearmed(client, strategy, arguments.wait)

    def is_over(found: Blocks) -> bool:
        return found.refusals > taken.refusals or not _standing(found, account, instrument)

    found = wait_for(lambda: client.ask(ListBlocks(), Blocks), is_over, arguments.wait).found
    standing = _standing(found, account, instrument)
    refusal = found.refusal if standing and found.refusals > taken.refusals else ""
    result: dict[str, object] = {
        "resumed": not standing,
        "refusal": refusal,
        "gate": found.gate,
        "blocks": [msgspec.structs.asdict(row) for row in found.blocks],
    }
    lines = [f"nothing was lifted: {refusal}"] if refusal else []
    lines += [f"the gate is {found.gate}"]
    lines += [f"still blocks: {block_line(row)}" for row in standing]
    lines += [f"of others: {block_line(row)}" for row in found.blocks if row not in standing]
    lines += [f"unknown: order {row.order_id} on {row.account}: {row.reason}" for row in found.unknown]
    return Outcome(result, "\n".join(lines), NEEDS_PERSON if standing else DONE)


def _standing(found: Blocks, account: str, instrument: str) -> list[BlockRow]:
    """Return the blocks that were to be lifted and stand; for the platform itself every one."""
    if not account and not instrument:
        return list(found.blocks)
    return [
        row
        for row in found.blocks
        if row.account == account and instrument in ("", row.instrument_id, row.instrument_id.partition(".")[0])
    ]


def _rearmed(client: ControlClient, strategy_id: str, wait_s: float) -> Outcome:
    waited = wait_for(
        lambda: client.ask(ListStrategies(), Strategies), lambda found: not _row(found, strategy_id).needs_rearm, wait_s
    )
    row = _row(waited.found, strategy_id)
    result: dict[str, object] = {"resumed": waited.done, "strategy": msgspec.structs.asdict(row)}
    if not waited.done:
        return Outcome(result, f"strategy {strategy_id} may still not trade: {row.needs_rearm}", NEEDS_PERSON)
    hint = "" if row.stage == "running" else f"; it is {row.stage}: `foxtrot strategy start {strategy_id}` starts it"
    return Outcome(result, f"strategy {strategy_id} may trade again{hint}", DONE)


def _row(found: Strategies, strategy_id: str) -> StrategyRow:
    return next(row for row in found.strategies if row.strategy_id == strategy_id)
