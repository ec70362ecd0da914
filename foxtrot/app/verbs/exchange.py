"""`foxtrot exchange`: the embedded exchange as a server on loopback."""

import importlib
import math
import os
from argparse import ArgumentTypeError, Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from foxtrot.app.stop_signals import stop_signals
from foxtrot.app.verbs.command_parser import CommandParser, UsageError, whole
from foxtrot.app.verbs.history_arguments import history_file
from foxtrot.app.verbs.outcome import DONE, Outcome, listed
from foxtrot.core.private_file import make_private_folder
from foxtrot.domain.errors import ConfigError

if TYPE_CHECKING:
    from foxtrot.app.exchange_config import ExchangeConfig
    from foxtrot.app.exchange_runner import ExchangeOptions

DESCRIPTION = (
    "Serve the embedded exchange on 127.0.0.1 over the venues' own protocols, with agents that make a living market, until\n"
    "SIGINT or SIGTERM. Port 0 picks one; with no port named, Binance spot, USD-M and the control port are served. The port\n"
    "file (mode 0600) says what listens where and holds the keys; it is written when everything accepts and removed at the end."
)
EXAMPLE = (
    "  foxtrot exchange --port-file ports.json\n"
    "  foxtrot exchange --futu 11111 --control 0\n"
    "  foxtrot exchange --ib 7497 --control 0\n"
    "  foxtrot exchange --binance-spot 8080 --control 8081 --config exchange.toml --data state\n"
    "  foxtrot exchange --replay BTCUSDT-aggTrades-2024-08-08.zip --speed 10"
)
LAST_PORT = 65_535
MOST_AGENTS = 1_000
MOST_SPEED = 1e6
MOST_PAST = 24
EXTRA = ("aiohttp", "cryptography")
SERVED = ("binance_spot", "binance_usdm", "binance_spot_tls", "binance_usdm_tls", "futu", "ib", "control")
NOT_YET = ("api",)
_WORDS = {
    "binance_spot": "Binance spot", "binance_usdm": "Binance USD-M", "binance_spot_tls": "Binance spot behind TLS",
    "binance_usdm_tls": "Binance USD-M behind TLS", "futu": "FutuOpenD: Hong Kong and US stocks",
    "ib": "TWS of Interactive Brokers: stocks, futures, currencies, options",
    "control": "the control port: faults, and what the exchange knows",
    **dict.fromkeys(NOT_YET, "not in this version"),
}  # fmt: skip


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    ports = parser.add_argument_group("ports")
    for name in (*SERVED, *NOT_YET):
        ports.add_argument(f"--{name.replace('_', '-')}", type=port, metavar="PORT", help=_WORDS[name])
    ports.add_argument("--port-file", type=Path, metavar="F", help="the port file (exchange.json in the home folder)")
    parser.add_argument("--config", type=Path, metavar="FILE", help="accounts, instruments, fees, faults (TOML)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="keep orders, balances and keys here from run to run")
    parser.add_argument("--agents", type=agents, metavar="N", help="how many make the market, 0 for none (8)")
    parser.add_argument("--seed", type=whole, metavar="S", help="of the agents (1)")
    parser.add_argument(
        "--past", type=past, metavar="HOURS", dest="past_hours",
        help="play so many hours of trading before opening, so that candles have a past (0; at most 24)",
    )  # fmt: skip
    _add_replay(parser)


def _add_replay(parser: CommandParser) -> None:
    replay = parser.add_argument_group(
        "replay",
        "Recorded times are shifted to now. Raw depth shows every recorded level and print; trades print as recorded, in a\n"
        "made-up book around the last price; bars print open, both extremes and close, a quarter of the volume each, in such a\n"
        "book; quotes show one level a side. The instrument has no least order value, and no agents trade it.",
    )
    replay.add_argument(
        "--replay", type=history_file, metavar="FILE",
        help="bars, Binance trades or aggTrades, quotes or a raw depth capture; FILE or SYMBOL=FILE",
    )  # fmt: skip
    replay.add_argument("--speed", type=speed, metavar="X", help="recorded seconds per second, or max (1)")


def past(text: str) -> float:
    """Return a number of hours from 0 to 24.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        hours = float(text)
    except ValueError:
        hours = math.nan
    if not 0 <= hours <= MOST_PAST:
        raise ArgumentTypeError(f"{text!r} is not a number of hours from 0 to {MOST_PAST}, such as 6")
    return hours


def run(arguments: Namespace) -> Outcome:
    """Serve until told to stop.

    Raises:
        ConfigError: an argument, the configuration or a file is wrong, or a port is taken.
    """
    check(vars(arguments))
    with stop_signals() as stopped:
        _import_server()
        from foxtrot.app.exchange_runner import ExchangeRun
        from foxtrot.app.logging_setup import start_logging

        log = start_logging("DEBUG" if arguments.debug else "INFO")
        try:
            result = ExchangeRun(_config(arguments), _options(arguments)).run(stopped)
        finally:
            log.stop()
    return Outcome(result, listed(result), DONE)


def check(told: Mapping[str, object]) -> None:
    """Refuse arguments that do not go together, before anything is made.

    Raises:
        UsageError: the first that does not.
    """
    for name in NOT_YET:
        if told[name] is not None:
            raise UsageError(
                f"--{name} is not in this version; leave it out (--binance-spot, --binance-usdm, --futu and --ib are served)"
            )
    chosen = [told[name] for name in SERVED if told[name]]
    twice = next((one for one in chosen if chosen.count(one) > 1), None)
    if twice is not None:
        raise UsageError(f"port {twice} is given twice; give each service its own, or 0")
    if told["speed"] is not None and told["replay"] is None:
        raise UsageError("--speed is that of a replay; add --replay FILE, or leave it out")
    if told["replay"] is not None and told["data"] is not None:
        raise UsageError("--replay starts a market anew and --data goes on with an old one; give one of them")


def _import_server() -> None:
    try:
        importlib.import_module("foxtrot.exchange.server")
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in EXTRA:
            raise
        raise ConfigError(f"{error.name} is not installed; try: pip install 'foxtrot[exchange]'") from None


def _config(arguments: Namespace) -> "ExchangeConfig":
    import msgspec

    from foxtrot.app.exchange_config import ExchangeConfig, load_exchange_config

    config = ExchangeConfig() if arguments.config is None else load_exchange_config(arguments.config, os.environ)
    told = {
        name: getattr(arguments, name)
        for name in ("agents", "seed", "past_hours")
        if getattr(arguments, name) is not None
    }
    return msgspec.structs.replace(config, exchange=msgspec.structs.replace(config.exchange, **told))


def _options(arguments: Namespace) -> "ExchangeOptions":
    from foxtrot.app.exchange_runner import ExchangeOptions
    from foxtrot.exchange.server_settings import ServerPorts

    ports = {name: getattr(arguments, name) for name in SERVED}
    if all(number is None for number in ports.values()):
        ports = {**ports, "binance_spot": 0, "binance_usdm": 0, "control": 0}
    port_file = arguments.port_file
    if port_file is None:
        make_private_folder(arguments.home)
        port_file = arguments.home / "exchange.json"
    return ExchangeOptions(
        ports=ServerPorts(**ports),
        port_file=port_file.absolute(),
        data=arguments.data,
        replay=arguments.replay,
        speed=1.0 if arguments.speed is None else arguments.speed,
    )


def port(text: str) -> int:
    """Return a TCP port; 0 lets the system pick one."""
    if not (text.isascii() and text.isdecimal() and len(text) < 6 and int(text) <= LAST_PORT):
        raise ArgumentTypeError(f"{text[:40]} must be a port from 0 to {LAST_PORT}; 0 picks a free one")
    return int(text)


def agents(text: str) -> int:
    """Return how many agents there are to be."""
    if not (text.isascii() and text.isdecimal() and len(text) < 5 and int(text) <= MOST_AGENTS):
        raise ArgumentTypeError(f"{text[:40]} must be a whole number from 0 to {MOST_AGENTS}")
    return int(text)


def speed(text: str) -> float:
    """Return how many recorded seconds pass in one, 0 for as fast as can be."""
    if text == "max":
        return 0.0
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number <= MOST_SPEED:
        raise ArgumentTypeError(f"{text[:40]} must be a number above 0 such as 10, at most {MOST_SPEED:.0f}, or max")
    return number
