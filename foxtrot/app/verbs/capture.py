"""`foxtrot capture`: a bundle of a recorded run for a bug report."""

from argparse import Namespace
from pathlib import Path

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import Outcome

DESCRIPTION = (
    "Put tape, journal, log, status, configuration and versions of a recorded run into one ZIP file for a bug report. Keys, secrets,\n"
    "account numbers and logins are taken out; prices, orders and balances are as they were: look into it before you send it."
)
EXAMPLE = "  foxtrot capture last\n  foxtrot capture mwzf85pnva --out report.zip"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("run", metavar="RUN", help='a run id, "last", or the folder of a tape')
    parser.add_argument(
        "--out", type=Path, metavar="FILE.zip", help="where to (foxtrot-RUN.zip here); nothing is overwritten"
    )
    parser.add_argument("--data", metavar="DIR", help="the data folder that holds the runs (data in the home folder)")


def run(arguments: Namespace) -> Outcome:
    """Write it.

    Raises:
        InputError: there is no such run, or the file is there already.
    """
    import msgspec

    from foxtrot.app.capture import capture_run
    from foxtrot.app.replay import find_run
    from foxtrot.app.run_recording import runs_folder

    tape = find_run(arguments.run, runs_folder(arguments.home, arguments.data))
    captured = capture_run(tape, arguments.home, arguments.out or Path(f"foxtrot-{tape.name}.zip"))
    rows = [f"{size:>12,}  {name}" for name, size in captured.members.items()]
    rows += [f"not included: {text}" for text in captured.missing]
    text = f"{captured.file}: {captured.scrubbed:,} texts had something taken out"
    return Outcome(msgspec.to_builtins(captured), "\n".join([text, *rows]))
