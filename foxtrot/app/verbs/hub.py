"""`foxtrot hub`: order books and tickers shared with other local programs."""

import importlib
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from foxtrot.app.stop_signals import stop_signals
from foxtrot.app.verbs.command_parser import CommandParser, seconds
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome, listed
from foxtrot.domain.errors import ConfigError

if TYPE_CHECKING:
    from foxtrot.app.config import Config

DESCRIPTION = (
    "Share the order books and tickers that [hub] of a configuration names with other programs on this machine, over\n"
    "WebSocket, until SIGINT or SIGTERM; a page in a browser shows them too. The hub sends no orders, whatever the\n"
    "configuration says. The protocol and a client are in docs/hub.md.\n\n"
    "What cannot be had is told by one warning and in the summary (missing); the rest is shared. Exit status: 0 stopped as asked,\n"
    "1 failed, or nothing at all could be shared, 2 bad arguments, configuration, port or port file."
)
EXAMPLE = "  foxtrot hub my.toml\n  foxtrot hub my.toml --port 0 --port-file hub.json --seconds 60"
EXTRA = "aiohttp"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    from foxtrot.app.verbs.exchange import port

    parser.add_argument("config", type=Path, metavar="CONFIG.toml", help="the configuration, with a table [hub]")
    parser.add_argument("--port", type=port, metavar="PORT", help="listen here instead; 0 picks one")
    parser.add_argument("--port-file", type=Path, metavar="F", help="write where it listens, once it accepts (JSON)")
    parser.add_argument("--seconds", type=seconds, metavar="N", help="stop after so long (until a signal)")


def run(arguments: Namespace) -> Outcome:
    """Share until told to stop.

    Raises:
        ConfigError: the configuration is wrong, or the port is taken.
    """
    with stop_signals() as stopped:
        _import_server()
        from foxtrot.app.hub_runner import HubRun
        from foxtrot.app.logging_setup import start_logging

        config = _config(arguments)
        log = start_logging("DEBUG" if arguments.debug else config.log.level, config.log_file())
        try:
            result = HubRun(config, arguments.port_file).run(stopped, arguments.seconds)
        finally:
            log.stop()
    return Outcome(result.summary, listed(result.summary), FAILED if result.shared_nothing else DONE)


def _import_server() -> None:
    try:
        importlib.import_module("foxtrot.hub.server")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != EXTRA:
            raise
        raise ConfigError(f"{error.name} is not installed; try: pip install 'foxtrot[hub]'") from None


def _config(arguments: Namespace) -> "Config":
    import msgspec

    from foxtrot.app.config import load_config

    config = load_config(arguments.config)
    if config.hub is None or arguments.port is None:
        return config
    return msgspec.structs.replace(config, hub=msgspec.structs.replace(config.hub, port=arguments.port))
