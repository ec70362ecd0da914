"""docs/configuration.md, made from the tables: `python -m foxtrot.app.config_docs [FILE]` writes it, or prints it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec

from foxtrot.app.config_reader import expected
from foxtrot.app.config_schema import LIMIT_DESCRIPTIONS, description_of, title_of
from foxtrot.app.config_tables import (
    AccountTable,
    AlertsTable,
    GuardianTable,
    LogTable,
    OrderExits,
    PlatformTable,
    PositionExits,
    ReconcileTable,
    RecorderTable,
    StrategyTable,
)
from foxtrot.app.config_text import default_config_text, plain_scalar, toml_value
from foxtrot.app.health_table import HealthTable
from foxtrot.app.hub_tables import HubInstrument, HubTable
from foxtrot.trading.limits import Limits

_HEAD = """\
# Configuration

Made from the code by `python -m foxtrot.app.config_docs docs/configuration.md`; do not edit by hand.

One TOML file describes a platform. `foxtrot config init FILE` writes one to start from, `foxtrot config show FILE` prints what
is in force with every default, `foxtrot doctor FILE` checks it. An unknown key, a wrong type or a value out of range is one
line with file, line and the fix, and exit status 2. Relative paths start from the folder of the file. Names of accounts and strategies have
1 to 64 of the characters A-Z a-z 0-9 _ -.
"""
_LIMITS_NOTE = """\
The same keys in `[risk]` (the platform), `[account.NAME.limits]` and `[strategy.NAME.limits]`; an order must pass all three. 0 means no limit.
Collar, sweep, quote age, message rate, duplicate window, the check of funds and `roll_days` hold for accounts and strategies as `[risk]` has them,
unless they say otherwise themselves; the other limits are each table's own.
"""
_SECTIONS: tuple[tuple[str, type[msgspec.Struct]], ...] = (
    ("platform", PlatformTable),
    ("account.NAME", AccountTable),
    ("strategy.NAME", StrategyTable),
    ("strategy.NAME.orders", OrderExits),
    ("strategy.NAME.position", PositionExits),
    ("risk", Limits),
    ("reconcile", ReconcileTable),
    ("recorder", RecorderTable),
    ("hub", HubTable),
    ('hub.instrument."ID"', HubInstrument),
    ("alerts", AlertsTable),
    ("guardian", GuardianTable),
    ("health", HealthTable),
    ("log", LogTable),
)
_RATES = """\
## `[rates]`

Conversion between currencies: `"ASSET/CURRENCY"` = an instrument whose price is the rate (`"EUR/USD" = "EURUSD.IDEALPRO"`) or a fixed number
(`"USDT/USD" = 1.0`). Without a rate a value in the base currency is shown as n/a, never taken as 1:1.
"""


def configuration_markdown() -> str:
    """Return the whole document."""
    parts = [_HEAD]
    for name, kind in _SECTIONS:
        parts.append("\n".join(_section(name, kind)) + "\n")
    parts += [_RATES, f"## The file that `config init` writes\n\n```toml\n{default_config_text()}```\n"]
    return "\n".join(parts)


def _section(name: str, kind: type[msgspec.Struct]) -> Iterator[str]:
    yield f"## `[{name}]`\n"
    yield _LIMITS_NOTE if kind is Limits else f"{title_of(kind)}\n"
    yield "| key | value | default | meaning |"
    yield "|---|---|---|---|"
    for field in msgspec.structs.fields(kind):
        said = LIMIT_DESCRIPTIONS[field.name] if kind is Limits else description_of(field)
        words = "a table" if _is_table(field) else expected(field.type).replace("|", "\\|")
        yield f"| `{field.encode_name}` | {words} | {_default(field)} | {said} |"


def _is_table(field: msgspec.structs.FieldInfo) -> bool:
    return isinstance(field.default, msgspec.Struct)


def _default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "required"
    if isinstance(field.default, msgspec.Struct) or field.default is msgspec.NODEFAULT:
        return ""
    return f"`{toml_value(plain_scalar(field.default))}`"


def main(arguments: list[str]) -> int:
    """Write the document to the file given, or to stdout."""
    if arguments:
        Path(arguments[0]).write_text(configuration_markdown(), "utf-8")
    else:
        sys.stdout.write(configuration_markdown())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
