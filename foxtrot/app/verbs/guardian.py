"""`foxtrot guardian`: cancels our entry orders when the platform that it watches gives no sign of life."""

from argparse import Namespace
from pathlib import Path

import msgspec

from foxtrot.app.stop_signals import stop_signals
from foxtrot.app.verbs.command_parser import CommandParser, whole
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome
from foxtrot.core.clock import SystemClock

DESCRIPTION = (
    "Watch the platform that runs in the home folder, over connections of its own. When it has given no sign of life for 2 s, or its\n"
    "process is gone, cancel every order of ours that may increase a position, on every account, and leave a halt file so that\n"
    "nothing trades until `foxtrot resume`. Orders that only reduce a position, and those of others, stay. `foxtrot run --live`\n"
    "starts one by itself. It ends when the platform has ended in order."
)
EXAMPLE = "  foxtrot guardian my.toml\n  foxtrot guardian my.toml --home practice --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="the configuration that the platform runs by")
    parser.add_argument(
        "--pid", type=whole, default=0, metavar="N", help="watch this process (whichever gives signs of life)"
    )


def run(arguments: Namespace) -> Outcome:
    """Watch until the platform has ended; the status is 3 when it had to act, or could not do all.

    Raises:
        ConfigError: the configuration is wrong, or there is no account to guard.
    """
    from foxtrot.app.config import load_config
    from foxtrot.app.guardian import guard
    from foxtrot.app.logging_setup import start_logging

    with stop_signals() as stopped:
        config = load_config(arguments.config)
        log = start_logging("DEBUG" if arguments.debug else config.log.level, None)
        try:
            guardian = guard(config, arguments.home, SystemClock(), stopped.wait, arguments.pid)
        finally:
            log.stop()
    reports = guardian.reports()
    result: dict[str, object] = {
        "acted": list(guardian.acts),
        "accounts": {name: msgspec.to_builtins(report) for name, report in reports.items()},
    }
    acted = "; ".join(guardian.acts) or "nothing had to be done"
    lines = [f"{name}: cancelled {len(r.cancelled)}, still open {len(r.still_open)}" for name, r in reports.items()]
    return Outcome(result, "\n".join([acted, *lines]), NEEDS_PERSON if guardian.acts else DONE)
