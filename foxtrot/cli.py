"""The command line: finds the verb, reads its arguments, prints what it gives back. The verbs themselves are in app/verbs."""

import contextlib
import importlib
import io
import os
import sys
import traceback
from argparse import SUPPRESS, Namespace
from collections.abc import Sequence
from itertools import pairwise
from typing import IO, NamedTuple, Protocol, cast

from foxtrot import __version__
from foxtrot.app.home import home_folder
from foxtrot.app.verbs.command_parser import CommandParser, UsageError, did_you_mean
from foxtrot.app.verbs.outcome import BAD_INPUT, FAILED, Outcome, error_object, json_text, one_line
from foxtrot.core.private_file import make_private_folder, private_opener
from foxtrot.core.redactor import KNOWN
from foxtrot.domain.errors import ConfigError, FoxtrotError, OffGrid


class Verb(NamedTuple):
    """One word of the command line: the module that does it, in app/verbs unless it has its whole name, and what it does."""

    module: str
    summary: str


class VerbModule(Protocol):
    """What a module in app/verbs has."""

    DESCRIPTION: str
    EXAMPLE: str

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""

    def run(self, arguments: Namespace) -> Outcome:
        """Do it."""
        ...


VERBS = {
    "demo": Verb("demo", "trade in the embedded exchange: no keys, no network"),
    "run": Verb("run", "run the strategies of a configuration, on paper unless told otherwise twice"),
    "guardian": Verb("guardian", "watch the platform and cancel its entry orders when it gives no sign of life"),
    "status": Verb("status", "show how the running platform does: connections, books, strategies"),
    "orders": Verb("orders", "list the orders of the running platform, or cancel one"),
    "positions": Verb("positions", "list what strategies and accounts hold, and what protects it"),
    "trades": Verb("trades", "list the fills of the running platform"),
    "report": Verb("report", "everything about the running platform on one page"),
    "strategy": Verb("strategy", "start, stop, reload or set a strategy of the running platform"),
    "kill": Verb("kill", "stop trading now, though the platform be frozen or dead"),
    "resume": Verb("resume", "let the running platform, an account or a strategy trade again"),
    "roll": Verb("roll", "carry a position in a future on into a later contract"),
    "resolve": Verb("resolve", "say what became of an order of unknown outcome"),
    "adopt": Verb("adopt", "take the venue's word in a difference that nothing explains"),
    "ignore": Verb("ignore", "let a difference that nothing explains stand"),
    "order": Verb("order", "show one order's life: cause, gate, sent, fills, latencies, cost"),
    "replay": Verb("replay", "run a recorded run again, and compare its orders"),
    "capture": Verb("capture", "bundle a recorded run for a bug report, without keys and account numbers"),
    "backtest": Verb("backtest", "test a strategy on history"),
    "optimise": Verb("optimise", "backtest a grid of parameters over several processes"),
    "gui": Verb("foxtrot.gui.verb", "open the desktop; --demo needs no keys and no network"),
    "exchange": Verb("exchange", "serve the embedded exchange on loopback, over Binance's own protocol"),
    "hub": Verb("hub", "share order books with other programs on this machine, and with a page"),
    "new": Verb("new", "write a new strategy with a passing test"),
    "strategies": Verb("strategies", "list strategies, their parameters and defaults"),
    "config": Verb("config", "write a configuration to start from, or show one in force"),
    "keys": Verb("keys", "keep the secrets of accounts, and test what they may do"),
    "doctor": Verb("doctor", "check this machine and a configuration"),
}
_TAKES_VALUE = "--home"


def main(argv: Sequence[str] | None = None) -> int:
    """Do what the arguments say; the result goes to stdout, everything else to stderr.

    Returns:
        The exit status: 0 done, 1 failed, 2 bad arguments, input or configuration, 3 needs a person.
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    as_json = "--json" in arguments
    stdout = sys.stdout
    try:
        outcome = _do(arguments, as_json=as_json)
        _print(stdout, json_text(outcome.result) if as_json else outcome.text)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FAILED
    except BrokenPipeError:
        return _give_up_stdout()
    except KeyboardInterrupt as error:
        return _fail(error, "interrupted", FAILED, as_json=as_json)
    except (ConfigError, OffGrid) as error:
        return _fail(error, one_line(error), BAD_INPUT, as_json=as_json)
    except Exception as error:
        text = one_line(error) if isinstance(error, FoxtrotError) else f"{type(error).__name__}: {one_line(error)}"
        return _fail(error, f"{text}{_keep_trace(error, arguments)}", FAILED, as_json=as_json)
    return outcome.status


def _do(arguments: list[str], *, as_json: bool) -> Outcome:
    head, name, tail = split_at_verb(arguments)
    front = _front_parser()
    options = front.parse_args(head)
    if options.version:
        return Outcome({"version": __version__}, f"foxtrot {__version__}")
    if not name:
        return Outcome({"verbs": {verb: VERBS[verb].summary for verb in VERBS}}, front.format_help().rstrip())
    if name not in VERBS:
        hint = did_you_mean(name, list(VERBS)) or f"; there are: {', '.join(VERBS)}"
        raise UsageError(f"no verb {name}{hint}")
    path = VERBS[name].module
    module = cast(VerbModule, importlib.import_module(path if "." in path else f"foxtrot.app.verbs.{path}"))
    parser = CommandParser(f"foxtrot {name}", description=module.DESCRIPTION, epilog=f"example:\n{module.EXAMPLE}")
    module.add_arguments(parser)
    _add_common(parser)
    found = parser.parse_args(tail, options)
    found.home = home_folder(found.home, os.environ)
    found.source_line = ["foxtrot", *arguments]
    with contextlib.redirect_stdout(sys.stderr) if as_json else contextlib.nullcontext():
        return module.run(found)


def split_at_verb(arguments: list[str]) -> tuple[list[str], str, list[str]]:
    """Return the options before the verb, the verb ("" when there is none), and what follows it."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] == _TAKES_VALUE else 1
    return arguments[:at], "".join(arguments[at : at + 1]), arguments[at + 1 :]


def _front_parser() -> CommandParser:
    width = max(map(len, VERBS))
    verbs = "\n".join(f"  {name:<{width}}  {verb.summary}" for name, verb in VERBS.items())
    parser = CommandParser(
        "foxtrot",
        usage="foxtrot [--home DIR] VERB …",
        description="Foxtrot: an algorithmic trading platform, from the venue's socket to the strategy and back.",
        epilog=f"verbs:\n{verbs}\n\n`foxtrot VERB --help` explains one.\n\nexample:\n  foxtrot demo --seconds 20",
    )
    parser.set_defaults(home="", debug=False, json=False)
    parser.add_argument("--version", action="store_true", help="print the version")
    _add_common(parser)
    return parser


def _add_common(parser: CommandParser) -> None:
    common = parser.add_argument_group("everywhere")
    common.add_argument(
        "--home",
        metavar="DIR",
        default=SUPPRESS,
        help="where state lives; else FOXTROT_HOME, else the user's data folder",
    )
    common.add_argument(
        "--json", action="store_true", default=SUPPRESS, help="print one JSON object on stdout and nothing else"
    )
    common.add_argument("--debug", action="store_true", default=SUPPRESS, help="show where an error comes from")


def _print(stdout: IO[str], text: str) -> None:
    if text:
        stdout.write(f"{text}\n")
    stdout.flush()


def _fail(error: BaseException, text: str, status: int, *, as_json: bool) -> int:
    print(KNOWN.redact(f"foxtrot: {text}"), file=sys.stderr)
    if as_json:
        try:
            _print(sys.stdout, KNOWN.redact(json_text(error_object(error))))
        except BrokenPipeError:
            return _give_up_stdout()
    return status


def _keep_trace(error: Exception, arguments: list[str]) -> str:
    """Show the traceback of a failure nobody foresaw, or keep it in the home folder; return where it is."""
    if "--debug" in arguments:
        sys.stderr.write(KNOWN.redact("".join(traceback.format_exception(error))))
        return ""
    home = next((after for option, after in pairwise(arguments) if option == _TAKES_VALUE), "")
    path = home_folder(home, os.environ) / "log" / "last_error.txt"
    try:
        make_private_folder(path.parent)
        with open(path, "w", encoding="utf-8", errors="backslashreplace", opener=private_opener) as file:
            file.write(KNOWN.redact("".join(traceback.format_exception(error))))
    except OSError:
        return " (--debug shows where)"
    return f" (details in {path})"


def _give_up_stdout() -> int:
    """Nobody reads stdout any more: let the interpreter flush it into nothing at its end."""
    with contextlib.suppress(OSError, io.UnsupportedOperation):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return FAILED
