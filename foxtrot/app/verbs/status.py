"""`foxtrot status`: how the platform that runs in a home folder does."""

import shutil
import sys
from argparse import Namespace
from collections.abc import Iterator

import msgspec

from foxtrot.app.left_behind import LeftBehind, read_left_behind
from foxtrot.app.status_asked import asked_if_silent
from foxtrot.app.status_reading import Life, Reading, read_status
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, FAILED, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.text_table import time_text
from foxtrot.core.clock import SystemClock

DESCRIPTION = (
    "Show the platform that `foxtrot run` runs in the home folder: its connections, books and strategies, as it told them within\n"
    "the last second. The status is 0 when it runs and is well, 1 when none runs or one is starting, 3 when something needs a person."
)
EXAMPLE = "  foxtrot status\n  foxtrot status --home practice --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments: there are only those of every verb."""
    parser.set_defaults()


def run(arguments: Namespace) -> Outcome:
    """Show it.

    Raises:
        FoxtrotError: there is a status file that is none.
    """
    reading = asked_if_silent(arguments.home, read_status(arguments.home, SystemClock().now_ns()))
    result: dict[str, object] = {
        "running": reading.lives,
        "state": str(reading.life),
        "home": str(arguments.home),
        "age_s": round(reading.age_s, 3),
        "needs_person": list(reading.needs_person),
        **reading.status,
    }
    if not reading.lives:
        since_ns = reading.status.get("started_ns")
        left = read_left_behind(arguments.home, since_ns if isinstance(since_ns, int) else 0)
        result |= msgspec.to_builtins(left)
        lines = (_not_running(reading, str(arguments.home)), *_left(left))
        return Outcome(result, "\n".join(lines), FAILED)
    from foxtrot.app.verbs.status_table import WIDTH, status_text

    width = shutil.get_terminal_size((WIDTH, 0)).columns if sys.stdout.isatty() else WIDTH
    well = FAILED if reading.life is Life.STARTING else DONE
    return Outcome(result, status_text(reading, width), NEEDS_PERSON if reading.needs_person else well)


def _left(left: LeftBehind) -> Iterator[str]:
    """Yield what stands there still, in words."""
    if left.halt is not None:
        when = f" since {time_text(left.halt.time_ns)} UTC" if left.halt.time_ns else ""
        yield (
            f"halted by {left.halt.who}{when}: {left.halt.reason}; what starts here does not trade until "
            "`foxtrot resume --why TEXT`"
        )
    if left.guardian is not None:
        yield f"the guardian cancelled entry orders at {left.guardian.time}: {left.guardian.why}"
        yield from (
            f"  {account}" for account in left.guardian.accounts or ("what became of it stands in guardian.log",)
        )


def _not_running(reading: Reading, home: str) -> str:
    if reading.life is Life.NONE:
        return f"no platform runs in {home}; `foxtrot run CONFIG.toml` starts one"
    if reading.life is Life.STARTING:
        return f"a platform is starting in {home} and has told nothing yet"
    pid, ago = reading.status.get("pid"), f"{reading.age_s:,.0f} s ago"
    if reading.life is Life.ENDED:
        return f"no platform runs in {home}; the last one (pid {pid}) ended {ago}"
    return (
        f"no platform runs in {home}; the last one (pid {pid}) is gone without having ended in order, last heard {ago}: what it left at "
        "its venues is not known here"
    )
