"""From the arguments of backtest and optimise to BacktestSettings: the strategy is checked before any file is read."""

from argparse import Namespace
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec

from foxtrot.app.config import Config, load_config
from foxtrot.app.config_places import placed
from foxtrot.app.config_tables import AccountTable
from foxtrot.app.verbs.command_parser import UsageError
from foxtrot.app.verbs.history_files import History, check_history, read_history
from foxtrot.backtest.fill_settings import FillOn, FillSettings
from foxtrot.backtest.instrument_terms import instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.domain.interval import Interval
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.loader import load_strategy
from foxtrot.strategy.parameters import Value, set_parameters
from foxtrot.strategy.settings import StrategySettings
from foxtrot.trading.limits import LimitTable

Chosen = tuple[tuple[StrategySettings, type[Strategy]], ...]
BUILT_INTERVAL = "1m"
"""Bars built from ticks or depth, unless --interval says otherwise."""
PRODUCTS = {"linear": Product.PERPETUAL, "spot": Product.SPOT}


def history_settings(arguments: Namespace) -> BacktestSettings:
    """Return what the arguments ask for.

    Blocks: reads the files.

    Raises:
        ConfigError: an argument, the configuration, the strategy, a parameter or a file is wrong.
    """
    config = load_config(arguments.config) if arguments.config else None
    chosen = _from_config(arguments, config) if config else _from_arguments(arguments)
    check_history(arguments)
    fees = fee_schedule(arguments.fee)
    wanted = tuple(dict.fromkeys(symbol for settings, _ in chosen for symbol in settings.symbols))
    history = read_history(arguments, wanted)
    chosen = tuple((_fitted(settings, history, arguments.interval), kind) for settings, kind in chosen)
    terms = InstrumentTerms(
        product=PRODUCTS[arguments.product],
        tick=arguments.tick,
        lot=arguments.lot,
        multiplier=arguments.multiplier,
        currency=arguments.currency,
        calendar=arguments.calendar,
    )
    settings = _settings(arguments, chosen, fees)
    if config is not None:
        settings = _as_configured(settings, config)
    instruments = tuple(instrument_for(files[0], terms, files[1:]) for files in history.by_instrument())
    return msgspec.structs.replace(settings, instruments=instruments, **history.by_kind())


def _settings(arguments: Namespace, chosen: Chosen, fees: FeeSchedule | None) -> BacktestSettings:
    return BacktestSettings(
        strategies=chosen,
        balance=arguments.balance,
        fees=fees,
        fills=FillSettings(
            slippage=arguments.slippage, fill_on=FillOn(arguments.fill_on), max_volume_share=arguments.max_volume_share
        ),
        latency_ns=round(arguments.latency_ms * 1_000_000),
        feed_latency_ns=round(arguments.feed_latency_ms * 1_000_000),
        seed=arguments.seed,
    )


def fee_schedule(text: str) -> FeeSchedule | None:
    """Return the fees of --fee: a fraction of the value, or a preset by name; None for nothing.

    Raises:
        ConfigError: the fraction is not from 0 to below 1, or there is no such preset.
    """
    try:
        rate = Decimal(text)
    except InvalidOperation:
        return load_preset(text)
    if not (rate.is_finite() and 0 <= rate < 1):
        raise UsageError(f"--fee {text} must be a fraction from 0 to below 1: 0.001 is 0.1 %")
    return FeeSchedule.percentage(rate, rate) if rate else None


def checked_parameters(strategy_class: type[Strategy], values: Mapping[str, Value]) -> dict[str, Value]:
    """Return parameters in their declared types, without making the strategy.

    Raises:
        ConfigError: an unknown name, a wrong type, or out of range.
    """
    bare = strategy_class.__new__(strategy_class)
    set_parameters(bare, values)
    return {name: bare.__dict__[name] for name in values}


def _from_arguments(arguments: Namespace) -> Chosen:
    if not arguments.strategy:
        raise UsageError("name a strategy with --strategy NAME (see foxtrot strategies), or give a CONFIG.toml")
    kind = load_strategy(arguments.strategy, _folder(arguments.home / "strategies"))
    parameters = checked_parameters(kind, dict(arguments.param))
    strategy_id = Path(arguments.strategy.partition(":")[0]).stem.rpartition(".")[2]
    settings = StrategySettings(
        strategy_id=strategy_id, class_name=arguments.strategy, account=ACCOUNT, symbols=(), interval="",
        capital=arguments.balance, parameters=parameters,
    )  # fmt: skip
    return ((settings, kind),)


def _from_config(arguments: Namespace, config: Config) -> Chosen:
    if arguments.strategy:
        raise UsageError("give --strategy or a CONFIG.toml, not both")
    if not config.strategies:
        raise ConfigError(f"{config.source} has no [strategy.NAME] to test")
    if arguments.param and len(config.strategies) > 1:
        raise UsageError(f"--param fits a configuration of one strategy; {config.source} has {len(config.strategies)}")
    chosen = []
    for settings in config.strategy_settings():
        try:
            kind = load_strategy(settings.class_name, _folder(config.strategies_dir(arguments.home)))
        except ConfigError as error:
            raise placed(config, ("strategy", settings.strategy_id), error, "class") from error
        parameters = checked_parameters(kind, {**settings.parameters, **dict(arguments.param)})
        chosen.append((msgspec.structs.replace(settings, account=ACCOUNT, parameters=parameters), kind))
    return tuple(chosen)


def _folder(path: Path) -> Path | None:
    return path if path.is_dir() else None


def _fitted(settings: StrategySettings, history: History, interval: str | None) -> StrategySettings:
    """Return the settings with the instruments of the files, where none are named, and the interval of their bars."""
    symbols = settings.symbols or history.names()
    asked = interval or settings.interval
    for bars in history.bars:
        if bars.instrument_id not in symbols:
            continue
        if asked and Interval.parse(asked).text != bars.interval:
            raise ConfigError(
                f"{settings.strategy_id} wants {asked} bars, {bars.instrument_id} has {bars.interval}; give a file of {asked} bars"
            )
        asked = bars.interval
    return msgspec.structs.replace(settings, symbols=symbols, interval=Interval.parse(asked or BUILT_INTERVAL).text)


def _as_configured(settings: BacktestSettings, config: Config) -> BacktestSettings:
    """Return settings with the account, limits, rates and day of a configuration.

    The check of funds is left out: it is the venue's in a backtest.

    Raises:
        ConfigError: the strategies trade on accounts that differ; a backtest has one.
    """
    account = _one_account(config)
    platform = config.platform
    limits = LimitTable(
        msgspec.structs.replace(config.risk, check_funds=False),
        {ACCOUNT: account.limits},
        {name: table.limits for name, table in config.strategies.items()},
    )
    return msgspec.structs.replace(
        settings, limits=limits, position_mode=account.position_mode, base_currency=platform.base_currency,
        rates=dict(config.rates), timezone=platform.timezone, day_start=platform.day_start,
    )  # fmt: skip


def _one_account(config: Config) -> AccountTable:
    """Return the account of all strategies, or any of several that are alike."""
    names = list(dict.fromkeys(table.account for table in config.strategies.values()))
    first = config.accounts[names[0]]
    for name in names[1:]:
        other = config.accounts[name]
        if (other.limits, other.position_mode) != (first.limits, first.position_mode):
            raise ConfigError(
                f"{config.source}: [account.{names[0]}] and [account.{name}] differ in limits or position_mode and a "
                "backtest has one account; test their strategies apart"
            )
    return first
