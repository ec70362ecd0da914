"""`foxtrot gui`: the desktop."""

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from foxtrot.app.private_folder import AS_ROOT, check_folder, check_user, private_home
from foxtrot.app.run_lock import RunLock
from foxtrot.app.stop_signals import StopSignal, stop_signals
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome, listed
from foxtrot.domain.errors import ConfigError

if TYPE_CHECKING:
    from foxtrot.app.live import RunOrder
    from foxtrot.gui.demo_venue import DemoVenue

DESCRIPTION = (
    "Open the desktop over the accounts and strategies of a configuration, or with --demo over the embedded exchange, which needs no\n"
    'keys and no network; with neither it asks what to open. Orders go to a real venue only when the configuration says mode = "live" and --live is given.'
)
EXAMPLE = "  foxtrot gui\n  foxtrot gui --demo\n  foxtrot gui my.toml"
MISSING = "the desktop needs PySide6 and pyqtgraph: pip install 'foxtrot[gui]'; on Debian also the system packages that docs/desktop.md names"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("config", type=Path, nargs="?", metavar="CONFIG.toml", help="the configuration")
    parser.add_argument("--demo", action="store_true", help="trade in the embedded exchange")
    parser.add_argument("--live", action="store_true", help="trade for real, if the configuration says live too")
    parser.add_argument(AS_ROOT, action="store_true", help="trade for real although root runs it")


def run(arguments: Namespace) -> Outcome:
    """Show the desktop until it is closed.

    Raises:
        ConfigError: the configuration is wrong, both a configuration and --demo are given, what the desktop is made of is not installed, or
            there is no screen.
    """
    if arguments.config is not None and arguments.demo:
        raise ConfigError("give a configuration or --demo, not both")
    with stop_signals() as stopped, private_home(arguments.home), RunLock(arguments.home):
        try:
            from foxtrot.gui.application import run_desktop
        except ImportError as error:
            raise ConfigError(f"{MISSING} ({error})") from None
        from foxtrot.gui.window_libraries import why_no_window

        no_window = why_no_window(os.environ)
        if no_window:
            raise ConfigError(no_window)
        from foxtrot.app.logging_setup import start_logging

        chosen = _chosen(arguments, stopped)
        if chosen is None or stopped.wait(0.0):
            return Outcome({}, "nothing was opened")
        order, demo, log_file = _prepared(arguments, *chosen)
        log = start_logging("DEBUG" if arguments.debug else "INFO", log_file)
        try:
            summary, why = run_desktop(arguments.home, order, demo, log, stopped)
        finally:
            log.stop()
    if why:
        return Outcome({"error": why}, why, FAILED)
    result = summary or {}
    return Outcome(result, listed(result), FAILED if result.get("reconciled") is False else DONE)


def _chosen(arguments: Namespace, stopped: StopSignal) -> tuple[bool, Path | None] | None:
    """Return whether the demo is to be opened, else which configuration; without either the person is asked, None where they went away."""
    if arguments.demo or arguments.config is not None:
        return arguments.demo, arguments.config
    from foxtrot.gui.wizard import first_run

    def check(path: Path) -> str:
        try:
            _order(arguments, path)
        except ConfigError as error:
            return str(error)
        return ""

    return first_run(arguments.home, check, stopped)


def _prepared(
    arguments: Namespace, wants_demo: bool, path: Path | None
) -> tuple["RunOrder", "DemoVenue | None", Path | None]:
    """Return what is to run, the demo's venue where it is that, and the file of the log."""
    if wants_demo or path is None:
        from foxtrot.gui.demo_venue import DemoVenue

        demo = DemoVenue(arguments.home)
        demo.start()
        return demo.order(), demo, None
    from foxtrot.gui.unlocking import unlock

    order = _order(arguments, path)
    unlock(arguments.home, order.config, order.environment)
    return order, None, order.config.log_file()


def _order(arguments: Namespace, path: Path) -> "RunOrder":
    """Return what a configuration says is to run, after every check that a run makes before it begins.

    Raises:
        ConfigError: it is wrong, or may not be run by this user, from this folder or in this mode.
    """
    from foxtrot.app.config import load_config
    from foxtrot.app.live import RunOrder, check_mode

    config = load_config(path)
    check_user(live=arguments.live, as_root=arguments.as_root)
    check_folder(config.data_dir(arguments.home))
    check_mode(config, live=arguments.live)
    return RunOrder(config, arguments.home, live=arguments.live)
