"""`foxtrot run`: the headless runner."""

from argparse import Namespace
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from foxtrot.app.crash_report import tell_of_crashes
from foxtrot.app.private_folder import AS_ROOT, check_folder, check_user, guard_memory, private_home, warn_of_readers
from foxtrot.app.run_lock import RunLock
from foxtrot.app.stop_signals import stop_signals
from foxtrot.app.verbs.command_parser import CommandParser, seconds
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome, listed

DESCRIPTION = (
    "Run the accounts and strategies of a configuration until SIGINT or SIGTERM, then stop them in order and list what is\n"
    'left behind. Orders go to a real venue only when the configuration says mode = "live" and --live is given.'
)
_MOST_TOLD = 5
EXAMPLE = "  foxtrot config init my.toml\n  foxtrot run my.toml --seconds 60"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="the configuration")
    parser.add_argument("--live", action="store_true", help="trade for real, if the configuration says live too")
    parser.add_argument(AS_ROOT, action="store_true", help="trade for real although root runs it")
    parser.add_argument("--seconds", type=seconds, metavar="N", help="stop after so long (until a signal)")


def run(arguments: Namespace) -> Outcome:
    """Run until told to stop.

    It failed when platform and venues disagree at the end, when every strategy failed, when one never came to run, or when something
    of the platform's own broke, so that it halted itself.

    Raises:
        ConfigError: the configuration is wrong, --live is given for one that does not say live, a platform runs in this home or others may write in it,
            or root trades for real without --as-root.
    """
    with (
        stop_signals() as stopped,
        private_home(arguments.home),
        RunLock(arguments.home),
    ):  # before seconds of imports: `foxtrot status` says "starting"
        from foxtrot.app.config import load_config

        config = load_config(arguments.config)
        from foxtrot.app.live import run_live
        from foxtrot.app.logging_setup import start_logging

        log = start_logging("DEBUG" if arguments.debug else config.log.level, config.log_file())
        try:
            check_user(live=arguments.live, as_root=arguments.as_root)
            check_folder(config.data_dir(arguments.home))
            warn_of_readers(arguments.home)
            guard_memory()
            tell_of_crashes()
            result = run_live(config, arguments.seconds, arguments.live, arguments.home, stopped, log)
        finally:
            log.stop()
        failed = result["reconciled"] is False or any(
            result[why] for why in ("all_failed", "never_ran", "own_failures")
        )
        return Outcome(result, listed(_for_people(result)), FAILED if failed else DONE)


def _for_people(result: Mapping[str, object]) -> dict[str, object]:
    """Return a summary whose lists are words: what was said again and again stands once, with how often; --json has all."""
    return {name: _in_words(value) if isinstance(value, list) else value for name, value in result.items()}


def _in_words(rows: list[object]) -> str:
    if any(not isinstance(row, str) for row in rows):
        return "\n" + "\n".join(f"    {_in_line(row)}" for row in rows)
    counted = Counter(str(row) for row in rows).most_common()
    told = [f"{text} ({times:,} times)" if times > 1 else text for text, times in counted[:_MOST_TOLD]]
    more = len(counted) - len(told)
    return "; ".join([*told, *([f"and {more:,} others"] if more else [])]) or "none"


def _in_line(row: object) -> str:
    if not isinstance(row, Mapping):
        return str(row)
    return ", ".join(f"{name} {value}" for name, value in row.items() if not isinstance(value, Mapping | list))
