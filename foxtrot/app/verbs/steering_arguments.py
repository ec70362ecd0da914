"""Arguments of the verbs that ask and steer a running platform: who, why, which, how long."""

from argparse import ArgumentTypeError, Namespace

from foxtrot.app.user_name import some_user, user_at_machine
from foxtrot.app.verbs.command_parser import CommandParser, UsageError, seconds, whole
from foxtrot.domain.errors import FoxtrotError

MOST_WORDS = 500
MOST_ROWS = 10_000


def add_which(parser: CommandParser) -> None:
    """Declare what narrows a list."""
    parser.add_argument("--account", default="", metavar="NAME", help="only what belongs to this account")
    parser.add_argument(
        "--strategy", default="", metavar="NAME", help="only what belongs to this strategy, or EXTERNAL"
    )
    parser.add_argument(
        "--instrument", default="", metavar="ID", help="only this instrument; a bare symbol means it at every venue"
    )


def add_limit(parser: CommandParser) -> None:
    """Declare how many are listed."""
    parser.add_argument(
        "--limit", type=_rows, default=1_000, metavar="N", help=f"the newest N (1000), at most {MOST_ROWS:,}"
    )


def older(arguments: Namespace, *, more: bool) -> str:
    """Return a line that says that older ones were left out, or nothing."""
    return f"\nthere are older ones: these are the newest {arguments.limit:,} (--limit N)" if more else ""


def add_who(parser: CommandParser, *, why_needed: bool) -> None:
    """Declare who decides, and why."""
    parser.add_argument(
        "--as", dest="who", default="", metavar="NAME", help="who decides this, for the journal (user@machine)"
    )
    parser.add_argument("--why", required=why_needed, default="", metavar="TEXT", help="why, for the journal")


def add_wait(parser: CommandParser, default_s: float) -> None:
    """Declare how long to wait until it has happened."""
    parser.add_argument(
        "--wait", type=seconds, default=default_s, metavar="SECONDS", help=f"how long to wait for it ({default_s:.0f})"
    )


def who_of(arguments: Namespace) -> str:
    """Return who decides: --as NAME, else the user of this process and its machine.

    Raises:
        UsageError: the name is empty or too long.
    """
    name = str(arguments.who).strip() if arguments.who else _user()
    if not name or len(name) > MOST_WORDS:
        raise UsageError(f"--as needs a name of 1 to {MOST_WORDS} characters")
    return name


def why_of(arguments: Namespace) -> str:
    """Return why: one line.

    Raises:
        UsageError: it says nothing, though it must, or too much.
    """
    why = " ".join(str(arguments.why).split())
    if (arguments.why and not why) or len(why) > MOST_WORDS:
        raise UsageError(f"--why needs a reason of 1 to {MOST_WORDS} characters")
    return why


def who_kills(arguments: Namespace) -> str:
    """Return who decides, whatever was given: a kill is refused for no name."""
    given = str(arguments.who).strip()[:MOST_WORDS].strip()
    return given or some_user()


def why_killed(arguments: Namespace) -> str:
    """Return why, as one line that is cut where it is too long: a kill is refused for no reason."""
    return " ".join(str(arguments.why).split())[:MOST_WORDS].rstrip()


def _rows(text: str) -> int:
    try:
        number = whole(text)
    except ArgumentTypeError:
        number = 0
    if not 1 <= number <= MOST_ROWS:
        raise ArgumentTypeError(f"{text[:40]} must be a whole number from 1 to {MOST_ROWS:,}")
    return number


def _user() -> str:
    try:
        return user_at_machine()
    except FoxtrotError as error:
        raise FoxtrotError(f"{error}; say who you are with --as NAME") from None
