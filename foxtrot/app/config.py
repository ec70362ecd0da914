"""The configuration of a platform, from one TOML file."""

from decimal import Decimal
from pathlib import Path
from typing import TypeVar

import msgspec

from foxtrot.app.config_reader import TomlFile, nearest, read_mapping, read_struct
from foxtrot.app.config_tables import (
    OCCASIONS,
    AccountTable,
    AlertsTable,
    GuardianTable,
    LogTable,
    PlatformTable,
    ReconcileTable,
    RecorderTable,
    StrategyTable,
)
from foxtrot.app.health_table import HealthTable
from foxtrot.app.hub_tables import HubTable, read_hub
from foxtrot.domain.calendar import DayStart
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.settings import StrategySettings, check_strategy_name
from foxtrot.trading.limits import Limits, LimitTable

S = TypeVar("S", bound=msgspec.Struct)
TABLES = {
    "platform": None,
    "account": None,
    "strategy": None,
    "risk": None,
    "rates": None,
    "reconcile": None,
    "recorder": None,
    "hub": None,
    "alerts": None,
    "guardian": None,
    "health": None,
    "log": None,
}
FRACTIONS = ("price_collar", "market_sweep")
INHERITED = ("price_collar", "market_sweep", "quote_age_s", "messages_per_s", "duplicate_window_s", "check_funds",
             "repeated_executions", "repeated_window_s", "orders_per_minute", "roll_days")  # fmt: skip
"""Limits that an account or strategy takes from [risk] unless it says otherwise; the others are its own alone."""


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration; without a file, all defaults.

    `rates` names an instrument or gives a number for each pair such as "EUR/USD".
    """

    platform: PlatformTable = PlatformTable()
    accounts: dict[str, AccountTable] = {}
    strategies: dict[str, StrategyTable] = {}
    risk: Limits = Limits()
    rates: dict[str, str | float] = {}
    reconcile: ReconcileTable = ReconcileTable()
    recorder: RecorderTable = RecorderTable()
    hub: HubTable | None = None
    alerts: AlertsTable = AlertsTable()
    guardian: GuardianTable = GuardianTable()
    health: HealthTable = HealthTable()
    log: LogTable = LogTable()
    source: Path = Path()

    @property
    def folder(self) -> Path:
        """Return the folder that relative paths start from."""
        return self.source.absolute().parent

    @property
    def day_start(self) -> DayStart:
        """Return when a day begins."""
        return self.platform.day()

    def limit_table(self) -> LimitTable:
        """Return the limits of platform, accounts and strategies as risk takes them."""
        return LimitTable(
            self.risk,
            {name: account.limits for name, account in self.accounts.items()},
            {name: strategy.limits for name, strategy in self.strategies.items()},
        )

    def strategy_settings(self) -> tuple[StrategySettings, ...]:
        """Return the strategies as the strategy engine takes them; a class file is found beside the configuration."""
        return tuple(self._located(name, table) for name, table in self.strategies.items())

    def data_dir(self, home: Path) -> Path:
        """Return the folder of journal, recordings and stores."""
        return self._path(self.platform.data_dir, home / "data")

    def strategies_dir(self, home: Path) -> Path:
        """Return the folder of strategy files."""
        return self._path(self.platform.strategies_dir, home / "strategies")

    def log_file(self) -> Path | None:
        """Return the log file, or None when there is to be none."""
        return self._path(self.log.file, Path()) if self.log.file else None

    def _path(self, text: str, default: Path) -> Path:
        return self.folder / Path(text).expanduser() if text else default

    def _located(self, name: str, table: StrategyTable) -> StrategySettings:
        path, colon, attribute = table.class_name.partition(":")
        beside = self._path(path, Path())
        if path.endswith(".py") and beside.is_file():
            table = msgspec.structs.replace(table, class_name=f"{beside}{colon}{attribute}")
        return table.settings(name)


def load_config(path: Path) -> Config:
    """Read and check a configuration file.

    Raises:
        ConfigError: one line that names file, line, table and key, the value and the fix.
    """
    return read_config(TomlFile.read(path))


def read_config(file: TomlFile) -> Config:
    """Check a TOML file and return it as a configuration.

    Raises:
        ConfigError: one line that names file, line, table and key, the value and the fix.
    """
    tables = file.tables
    for name in tables:
        if name not in TABLES:
            raise file.fault((name,), f"unknown table {name!r}{nearest(name, TABLES)}")
    risk = _limits(file, ("risk",), tables.get("risk", {}), Limits())
    config = Config(
        platform=read_struct(file, ("platform",), tables.get("platform", {}), PlatformTable),
        accounts={name: _account(file, name, raw, risk) for name, raw in _named(file, "account").items()},
        strategies={name: _strategy(file, name, raw, risk) for name, raw in _named(file, "strategy").items()},
        risk=risk,
        rates=_rates(file),
        reconcile=read_struct(file, ("reconcile",), tables.get("reconcile", {}), ReconcileTable),
        recorder=read_struct(file, ("recorder",), tables.get("recorder", {}), RecorderTable),
        hub=read_hub(file, dict(_named(file, "account"))),
        alerts=read_struct(file, ("alerts",), tables.get("alerts", {}), AlertsTable),
        guardian=read_struct(file, ("guardian",), tables.get("guardian", {}), GuardianTable),
        health=read_struct(file, ("health",), tables.get("health", {}), HealthTable),
        log=read_struct(file, ("log",), tables.get("log", {}), LogTable),
        source=file.path,
    )
    for name, strategy in config.strategies.items():
        if strategy.account not in config.accounts:
            hint = nearest(strategy.account, config.accounts)
            raise file.fault(("strategy", name, "account"), f"account {strategy.account!r} has no table{hint}")
    for name in config.guardian.keys:
        if name not in config.accounts:
            hint = nearest(name, config.accounts)
            raise file.fault(("guardian", "keys", name), f"account {name!r} has no table{hint}")
    return config


def _named(file: TomlFile, kind: str) -> dict[str, object]:
    found = dict(read_mapping(file, (kind,), file.tables.get(kind, {})))
    for name, raw in found.items():
        if not isinstance(raw, dict):
            raise file.fault((kind, name), f"[{kind}] needs a name: write [{kind}.NAME] above {name!r}")
        if not name or len(name) > 64 or not name.replace("-", "").replace("_", "").isalnum() or not name.isascii():
            raise file.fault((kind, name, ""), f"name {name!r} must be 1 to 64 of A-Z a-z 0-9 _ -")
    return found


def _account(file: TomlFile, name: str, raw: object, risk: Limits) -> AccountTable:
    key = ("account", name)
    table = dict(read_mapping(file, key, raw))
    limits = _limits(file, (*key, "limits"), table.pop("limits", {}), _inherited(risk))
    return msgspec.structs.replace(read_struct(file, key, table, AccountTable), limits=limits)


def _strategy(file: TomlFile, name: str, raw: object, risk: Limits) -> StrategyTable:
    key = ("strategy", name)
    try:
        check_strategy_name(name)
    except ConfigError as error:
        raise file.fault((*key, ""), str(error)) from None
    table = dict(read_mapping(file, key, raw))
    limits = _limits(file, (*key, "limits"), table.pop("limits", {}), _inherited(risk))
    for exits in ("orders", "position"):
        if isinstance(table.get(exits), str):
            table[exits] = dict.fromkeys(OCCASIONS, table[exits])
    if isinstance(table.get("symbols"), str):
        table["symbols"] = [table["symbols"]]
    return msgspec.structs.replace(read_struct(file, key, table, StrategyTable), limits=limits)


def _inherited(risk: Limits) -> Limits:
    return Limits(**{name: getattr(risk, name) for name in INHERITED})


def _limits(file: TomlFile, key: tuple[str, ...], raw: object, base: Limits) -> Limits:
    limits = read_struct(file, key, raw, Limits, base)
    for name in read_mapping(file, key, raw):
        value = getattr(limits, name)
        if not isinstance(value, bool) and value < 0:
            raise file.fault((*key, name), f"{name} must not be negative, not {value}; 0 means no limit")
        if name in FRACTIONS and value > 1:
            raise file.fault((*key, name), f"{name} is a fraction, so 5 % is 0.05, not {value}")
    return limits


def _rates(file: TomlFile) -> dict[str, str | float]:
    rates: dict[str, str | float] = {}
    for pair, source in read_mapping(file, ("rates",), file.tables.get("rates", {})).items():
        asset, slash, into = pair.partition("/")
        if not (slash and asset and into) or "/" in into:
            raise file.fault(("rates", pair), f'pair {pair!r} must be "ASSET/CURRENCY" such as "EUR/USD"')
        if isinstance(source, bool) or not isinstance(source, str | int | float) or not source:
            raise file.fault(
                ("rates", pair), f'{pair} must be an instrument such as "EURUSD.IDEALPRO" or a number above 0'
            )
        if not isinstance(source, str) and not Decimal(0) < Decimal(str(source)) < Decimal("Infinity"):
            raise file.fault(("rates", pair), f"{pair} must be a number above 0, not {source}")
        rates[pair] = source
    return rates
