"""A configuration as TOML text: what is in force, and the commented file to start from."""

import enum
from collections.abc import Iterator, Mapping
from decimal import Decimal

import msgspec

from foxtrot.app.config import Config
from foxtrot.app.config_schema import LIMIT_DESCRIPTIONS, description_of, title_of
from foxtrot.app.config_tables import AlertsTable, GuardianTable, LogTable, PlatformTable, ReconcileTable, RecorderTable
from foxtrot.app.health_table import HealthTable
from foxtrot.core.secret import masked
from foxtrot.trading.limits import Limits

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_ACCOUNT = """\
# Accounts: one table each; the name is what strategies and reports call it.
[account.paper]
adapter = "simulated"
# environment = ""
# position_mode = "netting"

# Limits of this account alone, keys as in [risk].
# [account.paper.limits]
# max_open_orders = 20

# Given to the adapter. A key NAME_env takes the secret NAME from an environment variable: api_key_env = "VENUE_API_KEY".
# [account.paper.settings]
# balances = "USDT=100000"
"""
_STRATEGY = """\
# Strategies: one table each; `foxtrot strategies` lists what there is, with parameters and defaults.
[strategy.first]
class = "double_ma"
account = "paper"
symbols = ["BTCUSDT.BINANCE"]
interval = "1m"
capital = 100000
params = { fast = 20, slow = 50 }
# What happens to its orders and its position: one text for all occasions, or a table with on_stop, on_error, on_shutdown.
# orders = "cancel_entries"    # or cancel_all, keep
# position = "keep"            # or flatten
"""
_HUB = """\
# Books and tickers for other local programs: `foxtrot hub FILE` shares them. All keys: docs/configuration.md.
# [hub]
# port = 8790
# [hub.instrument."BTCUSDT.BINANCE"]
# levels = 100
"""


def config_object(config: Config) -> dict[str, object]:
    """Return a configuration in the shape of its file, secrets masked, as plain values for TOML or JSON."""
    found: dict[str, object] = {
        "platform": _plain(config.platform),
        "account": {name: _plain(account) for name, account in config.accounts.items()},
        "strategy": {name: _plain(strategy) for name, strategy in config.strategies.items()},
        "risk": _plain(config.risk),
        "rates": dict(config.rates),
        "reconcile": _plain(config.reconcile),
        "recorder": _plain(config.recorder),
        "alerts": _plain(config.alerts),
        "guardian": _plain(config.guardian),
        "health": _plain(config.health),
        "log": _plain(config.log),
    }
    if config.hub is not None:
        found["hub"] = _plain(config.hub)
    return found


def config_text(config: Config) -> str:
    """Return everything that is in force as TOML, defaults included and secrets masked; it can be read back."""
    return "\n".join(_toml(config_object(config), ())).lstrip("\n") + "\n"


def default_config_text() -> str:
    """Return the commented file that `config init` writes: every key with its default and what it means."""
    parts = [
        "# Foxtrot configuration. Lines that begin with # show the defaults; all keys: docs/configuration.md.\n",
        _commented("platform", PlatformTable),
        _ACCOUNT,
        _STRATEGY,
        _commented("risk", Limits),
        "# Conversion between currencies: an instrument whose price is the rate, or a fixed number.\n[rates]\n"
        '# "EUR/USD" = "EURUSD.IDEALPRO"\n# "USDT/USD" = 1.0\n',
        _commented("reconcile", ReconcileTable),
        _commented("recorder", RecorderTable),
        _HUB,
        _commented("alerts", AlertsTable),
        _commented("guardian", GuardianTable),
        _commented("health", HealthTable),
        _commented("log", LogTable),
    ]
    return "\n".join(parts)


def _commented(table: str, kind: type[msgspec.Struct]) -> str:
    lines = [f"# {title_of(kind)}", f"[{table}]"]
    for field in msgspec.structs.fields(kind):
        said = LIMIT_DESCRIPTIONS[field.name] if kind is Limits else description_of(field)
        lines += [f"# {said}", f"# {field.encode_name} = {toml_value(plain_scalar(field.default))}"]
    return "\n".join(lines) + "\n"


def _plain(value: object) -> object:
    if isinstance(value, msgspec.Struct):
        return {field.encode_name: _plain(getattr(value, field.name)) for field in msgspec.structs.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): _plain(masked(str(name), inner)) for name, inner in value.items()}
    if isinstance(value, tuple):
        return [_plain(inner) for inner in value]
    return plain_scalar(value)


def plain_scalar(value: object) -> object:
    """Return an enum's value or a decimal as TOML can hold it; anything else as it is."""
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def _toml(table: Mapping[str, object], path: tuple[str, ...]) -> Iterator[str]:
    values = {name: value for name, value in table.items() if not isinstance(value, dict)}
    if path and (values or not table):
        yield f"\n[{'.'.join(_key(part) for part in path)}]"
    for name, value in values.items():
        yield f"{_key(name)} = {toml_value(value)}"
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _toml(value, (*path, name))


def _key(name: str) -> str:
    return name if name and set(name) <= _BARE else _quoted(name)


def toml_value(value: object) -> str:
    """Return a plain value as TOML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"[{', '.join(toml_value(inner) for inner in value)}]"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char >= " " and char != "\x7f" else f"\\u{ord(char):04x}" for char in escaped) + '"'
