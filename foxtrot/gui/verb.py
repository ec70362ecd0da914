"""`foxtrot gui`: the desktop."""

from argparse import Namespace
from pathlib import Path

from foxtrot.app.private_folder import AS_ROOT, check_folder, check_user, private_home
from foxtrot.app.run_lock import RunLock
from foxtrot.app.stop_signals import stop_signals
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome, listed
from foxtrot.domain.errors import ConfigError

DESCRIPTION = (
    "Open the desktop over the accounts and strategies of a configuration, or with --demo over the embedded exchange, which needs no\n"
    'keys and no network. Orders go to a real venue only when the configuration says mode = "live" and --live is given.'
)
EXAMPLE = "  foxtrot gui --demo\n  foxtrot gui my.toml"
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
        ConfigError: the configuration is wrong, both a configuration and --demo are given, or what the desktop is made of is not installed.
    """
    if arguments.config is not None and arguments.demo:
        raise ConfigError("give a configuration or --demo, not both")
    with stop_signals(), private_home(arguments.home), RunLock(arguments.home):
        try:
            from foxtrot.gui.application import run_desktop
            from foxtrot.gui.demo_venue import DemoVenue
        except ImportError as error:
            raise ConfigError(f"{MISSING} ({error})") from None
        from foxtrot.app.config import load_config
        from foxtrot.app.live import RunOrder
        from foxtrot.app.logging_setup import start_logging

        order, demo, log_file = None, None, None
        if arguments.demo:
            demo = DemoVenue(arguments.home)
            demo.start()
            order = demo.order()
        elif arguments.config is not None:
            config = load_config(arguments.config)
            check_user(live=arguments.live, as_root=arguments.as_root)
            check_folder(config.data_dir(arguments.home))
            order, log_file = RunOrder(config, arguments.home, live=arguments.live), config.log_file()
        log = start_logging("DEBUG" if arguments.debug else "INFO", log_file)
        try:
            summary, why = run_desktop(arguments.home, order, demo, log)
        finally:
            log.stop()
    if why:
        return Outcome({"error": why}, why, FAILED)
    result = summary or {}
    return Outcome(result, listed(result), FAILED if result.get("reconciled") is False else DONE)
