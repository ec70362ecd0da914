"""Arguments of backtest and optimise: which strategy, on what history, under which assumptions."""

import re
from argparse import ArgumentTypeError
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from foxtrot.app.verbs.command_parser import (
    CommandParser,
    milliseconds,
    not_negative,
    positive_amount,
    share,
    whole,
)
from foxtrot.domain.calendar_presets import CALENDAR_NAMES

UNNAMED_VENUE = "HISTORY"
_FILE_SYMBOL = re.compile(r"[A-Za-z0-9]+")


class HistoryFile(NamedTuple):
    """A file and the symbol it belongs to, as the command line names them; the symbol may be empty."""

    symbol: str
    path: Path


def add_history_arguments(parser: CommandParser) -> None:
    """Declare everything that backtest and optimise share."""
    _add_what(parser)
    _add_history(parser)
    _add_instrument(parser)
    _add_assumptions(parser)
    parser.add_argument(
        "--progress-lines",
        action="store_true",
        help="tell on stderr how far it is, as lines of JSON for another program",
    )


def _add_what(parser: CommandParser) -> None:
    what = parser.add_argument_group("strategy")
    what.add_argument(
        "config",
        nargs="?",
        type=Path,
        metavar="CONFIG.toml",
        help="take strategies and limits from a configuration instead",
    )
    what.add_argument(
        "--strategy", metavar="NAME", help="name from `foxtrot strategies`, module:Class, or file.py[:Class]"
    )
    what.add_argument(
        "--param", action="append", default=[], type=setting, metavar="K=V", help="set a parameter; may be repeated"
    )


def _add_history(parser: CommandParser) -> None:
    history = parser.add_argument_group("history")
    files = "; FILE or SYMBOL=FILE, may be repeated"
    history.add_argument(
        "--bars",
        action="append",
        default=[],
        type=history_file,
        metavar="FILE",
        help=f"CSV, CSV.gz, zip, JSON or Parquet{files}",
    )
    history.add_argument(
        "--ticks", action="append", default=[], type=history_file, metavar="FILE", help=f"trades or quotes{files}"
    )
    history.add_argument(
        "--depth", action="append", default=[], type=history_file, metavar="FILE", help=f"raw depth capture{files}"
    )
    history.add_argument("--symbol", metavar="S", help="instrument from the store")
    history.add_argument("--interval", metavar="I", help="bars the strategy hears, such as 5m (those of the file)")
    history.add_argument(
        "--start", type=moment, metavar="D", help="first moment, such as 2025-01-31 or 2025-01-31T09:30, UTC"
    )
    history.add_argument("--end", type=moment, metavar="D", help="first moment no longer taken")


def _add_instrument(parser: CommandParser) -> None:
    grid = parser.add_argument_group("instrument", "what the file does not say; by default its smallest decimal steps")
    grid.add_argument(
        "--product",
        choices=("linear", "spot"),
        default="linear",
        help="linear: net positions, no margin limit; spot: what is owned (linear)",
    )
    grid.add_argument("--tick", type=positive_amount, default=Decimal(0), metavar="X", help="price step")
    grid.add_argument("--lot", type=positive_amount, default=Decimal(0), metavar="X", help="quantity step")
    grid.add_argument(
        "--multiplier", type=positive_amount, default=Decimal(1), metavar="X", help="money per point and contract (1)"
    )
    grid.add_argument("--currency", default="USDT", metavar="C", help="currency of prices and balance (USDT)")
    grid.add_argument(
        "--calendar",
        default="",
        metavar="NAME",
        help=f"when the market trades: {', '.join(CALENDAR_NAMES)} (that of the venue, such as XHKG of 00700.SEHK; else 24x7)",
    )


def _add_assumptions(parser: CommandParser) -> None:
    assumed = parser.add_argument_group("assumptions")
    assumed.add_argument(
        "--balance", type=positive_amount, default=Decimal(1_000_000), metavar="X", help="money at the start (1000000)"
    )
    assumed.add_argument(
        "--fee",
        default="0",
        metavar="F",
        help="fraction of a fill's value such as 0.001, or a preset such as binance_spot (0)",
    )
    assumed.add_argument(
        "--slippage", type=not_negative, default=0.0, metavar="X", help="money per unit on market and stop orders (0)"
    )
    assumed.add_argument(
        "--latency-ms", type=milliseconds, default=0.0, metavar="X", help="delay of orders and of answers, each (0)"
    )
    assumed.add_argument(
        "--feed-latency-ms",
        type=milliseconds,
        default=0.0,
        metavar="X",
        help="delay of market data, beside a capture's own (0)",
    )
    assumed.add_argument(
        "--fill-on", choices=("touch", "through"), default="through", help="what fills a resting limit (through)"
    )
    assumed.add_argument(
        "--max-volume-share",
        type=share,
        default=0.0,
        metavar="X",
        help="largest share of a bar's volume per order; 0 is no limit (0)",
    )
    assumed.add_argument("--seed", type=whole, default=1, metavar="N", help="seed of whatever is random (1)")


def setting(text: str) -> tuple[str, str]:
    """Return the name and value of k=v."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip() and value.strip()):
        raise ArgumentTypeError(f"{text!r} must be NAME=VALUE, such as fast=20")
    return name.strip(), value.strip()


def history_file(text: str) -> HistoryFile:
    """Return FILE or SYMBOL=FILE; a file whose name has a = in it is found as it is."""
    symbol, equals, path = text.partition("=")
    if not equals or Path(text).exists() or "/" in symbol:
        return HistoryFile("", Path(text).expanduser())
    if not symbol or not path:
        raise ArgumentTypeError(f"{text!r} must be FILE or SYMBOL=FILE")
    return HistoryFile(symbol, Path(path).expanduser())


def moment(text: str) -> int:
    """Return a date or time as UTC nanoseconds; without an offset it is UTC."""
    from datetime import UTC, datetime

    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} must be a date such as 2025-01-31 or a time such as 2025-01-31T09:30"
        ) from None
    aware = found if found.tzinfo else found.replace(tzinfo=UTC)
    return (int(aware.timestamp()) * 1_000_000 + aware.microsecond) * 1_000


def instrument_id_of(file: HistoryFile, wanted: Sequence[str]) -> str:
    """Return the instrument a file belongs to.

    Args:
        file: what the command line says.
        wanted: the instruments a configuration names, which a bare symbol is matched with.
    """
    symbol = file.symbol
    if not symbol:
        if len(wanted) == 1:
            return wanted[0]
        match = _FILE_SYMBOL.match(file.path.name)
        symbol = match[0].upper() if match else "UNNAMED"
    if "." in symbol:
        return symbol
    return next((name for name in wanted if name.partition(".")[0] == symbol), f"{symbol}.{UNNAMED_VENUE}")
