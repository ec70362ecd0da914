"""`foxtrot replay`: a recorded run once more."""

from argparse import Namespace

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome

DESCRIPTION = (
    "Run the strategies of a recorded run again on everything that entered it, and compare the order intents byte for byte. The\n"
    "status is 0 when they are equal, 1 when something differs (the first event that does is named), 2 when there is no such run."
)
EXAMPLE = "  foxtrot demo --seconds 20\n  foxtrot replay last"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", metavar="RUN", help='a run id, "last", or the folder of a tape')
    parser.add_argument("--data", metavar="DIR", help="the data folder that holds the runs (data in the home folder)")


def run(arguments: Namespace) -> Outcome:
    """Play it and tell.

    Raises:
        InputError: there is no such run, or it cannot be played by this version.
    """
    import msgspec

    from foxtrot.app.replay import find_run, replay_run
    from foxtrot.app.run_recording import runs_folder

    result = replay_run(find_run(arguments.run, runs_folder(arguments.home, arguments.data)))
    lines = [
        f"run {result.run_id}: {result.events:,} events, {result.inputs:,} of them inputs; {result.end}",
        f"order intents: {result.intents:,} now, {result.recorded_intents:,} recorded",
        f"intent hash: {result.intent_hash}" + ("" if result.equal else f" now, {result.recorded_hash} recorded"),
        *(f"warning: {text}" for text in result.warnings),
    ]
    if result.incomplete_from:
        lines.append(f"the tape is incomplete from event {result.incomplete_from} on; it was played up to there")
    if result.damage:
        lines.append(f"DAMAGED: {result.damage}")
    if result.difference is not None:
        lines.append(f"DIFFERS at {result.difference.text}")
    lines.append("equal" if result.equal else "not equal")
    return Outcome(msgspec.to_builtins(result), "\n".join(lines), DONE if result.equal else FAILED)
