"""`foxtrot doctor`: checks this machine, the installation and a configuration, one line per check."""

import importlib.metadata
import os
import platform
import re
import shutil
import socket
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.private_file import make_private_folder
from foxtrot.domain.errors import ConfigError

DESCRIPTION = (
    "Check Python, packages, home folder, clock, ports, adapters and strategies, and a configuration if one is given."
)
EXAMPLE = "  foxtrot doctor\n  foxtrot doctor my.toml --json"

OK, WARN, FAIL = "ok", "warn", "fail"
OLDEST_PYTHON = (3, 11)
SANE_YEARS = range(2025, 2100)
ROOM_BYTES = 1_000_000_000
_REQUIREMENT = re.compile(r"(?P<name>[A-Za-z0-9._-]+)(?:\[[^\]]*\])?\s*(?:>=\s*(?P<least>[0-9.]+))?")


class Check(NamedTuple):
    """One line: what was checked, whether it is well, and what was found or should be done."""

    name: str
    state: str
    text: str


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("config", nargs="?", type=Path, metavar="CONFIG.toml", help="a configuration to check as well")


def run(arguments: Namespace) -> Outcome:
    """Run every check; it failed when one of them did.

    Raises:
        ConfigError: the configuration to check is no file.
    """
    if arguments.config is not None and not arguments.config.is_file():
        raise ConfigError(
            f"{arguments.config}: there is no such file; `foxtrot config init {arguments.config}` writes one"
        )
    checks = list(all_checks(arguments.home, arguments.config))
    failed = [check for check in checks if check.state == FAIL]
    result = {"checks": [check._asdict() for check in checks], "ok": not failed}
    width = max(len(check.name) for check in checks)
    lines = [f"{check.state:<4}  {check.name:<{width}}  {check.text}" for check in checks]
    lines.append(f"{len(failed)} of {len(checks)} checks failed" if failed else f"all {len(checks)} checks passed")
    return Outcome(result, "\n".join(lines), FAILED if failed else DONE)


def all_checks(home: Path, config: Path | None) -> Iterator[Check]:
    """Run the checks in order.

    Blocks: imports adapters and strategies, writes a file into the home folder, opens a port.
    """
    yield python_check()
    yield from package_checks()
    machine: tuple[Callable[[], Check], ...] = (
        sqlite_check, lambda: clock_check(SystemClock()), zone_check, lambda: home_check(home), lambda: room_check(home), port_check,
    )  # fmt: skip
    for check in machine:
        yield check()
    from foxtrot.app.verbs.doctor_plugins import adapter_checks, config_checks, strategy_checks

    yield from adapter_checks()
    yield from strategy_checks()
    if config is not None:
        yield from config_checks(config, home, os.environ)


def python_check() -> Check:
    """Check the interpreter's version."""
    found = platform.python_version()
    if sys.version_info < OLDEST_PYTHON:
        return Check("python", FAIL, f"{found} is too old; install 3.11 or newer")
    return Check("python", OK, f"{found} on {platform.platform()}")


def package_checks() -> Iterator[Check]:
    """Check that every required package is there and new enough."""
    yield Check("foxtrot", OK, f"{importlib.metadata.version('foxtrot')} in {Path(__file__).parents[2]}")
    for text in importlib.metadata.requires("foxtrot") or ():
        match = _REQUIREMENT.match(text)
        if match is not None and "extra ==" not in text:
            yield _package_check(match["name"], match["least"] or "0")


def _package_check(name: str, least: str) -> Check:
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Check(name, FAIL, f"is not installed; pip install '{name}>={least}'")
    if _numbers(found) < _numbers(least):
        return Check(name, FAIL, f"{found} is older than {least}; pip install '{name}>={least}'")
    return Check(name, OK, found)


def _numbers(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"[0-9]+", version)[:3]]


def sqlite_check() -> Check:
    """Check the database library of the journal, which brings its own; Python's is another and is not used."""
    from foxtrot.storage.journal_file import check_library, library_version

    try:
        check_library()
    except ConfigError as error:
        return Check("sqlite", FAIL, str(error))
    return Check("sqlite", OK, library_version())


def clock_check(clock: Clock) -> Check:
    """Check that the system's date can be true; without a network its exact error is not known."""
    now = datetime.fromtimestamp(clock.now_ns() / 1e9, UTC)
    if now.year not in SANE_YEARS:
        return Check("clock", FAIL, f"the system says {now:%Y-%m-%d}; set its clock, best by NTP")
    return Check("clock", OK, f"{now:%Y-%m-%d %H:%M:%S} UTC")


def zone_check() -> Check:
    """Check that time zones are known to Python."""
    try:
        ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        return Check("time zones", FAIL, "the system has no time zone data; pip install tzdata")
    return Check("time zones", OK, "known")


def home_check(home: Path) -> Check:
    """Check that the home folder can be written."""
    try:
        make_private_folder(home)
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"foxtrot")
    except OSError as error:
        return Check("home", FAIL, f"{home} cannot be written ({error.strerror or error}); set --home or FOXTROT_HOME")
    return Check("home", OK, f"{home} can be written")


def room_check(home: Path) -> Check:
    """Check that there is room for journals and logs."""
    folder = next(path for path in (home, *home.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    state = OK if free >= ROOM_BYTES else WARN
    return Check("disk", state, f"{free / 1e9:.1f} GB free where {home} is")


def port_check() -> Check:
    """Check that a port of this machine can be listened on."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
    except OSError as error:
        return Check("ports", FAIL, f"no port on 127.0.0.1 can be listened on ({error.strerror or error})")
    return Check("ports", OK, f"127.0.0.1 can be listened on, such as at {port}")
