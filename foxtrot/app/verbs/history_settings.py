"""From the arguments of backtest and optimise to BacktestSettings: the strategy is checked before any file is read."""

from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path

import msgspec
import numpy as np

from foxtrot.app.config import Config, load_config
from foxtrot.app.verbs.command_parser import UsageError
from foxtrot.app.verbs.history_arguments import files_given, instrument_id_of
from foxtrot.backtest.bar_fills import FillOn, FillSettings
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.read_bars import read_bars
from foxtrot.backtest.runner import instrument_for
from foxtrot.backtest.settings import ACCOUNT, BacktestLimits, BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, InputError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.domain.interval import Interval
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.loader import load_strategy
from foxtrot.strategy.parameters import Value, set_parameters
from foxtrot.strategy.settings import StrategySettings
from foxtrot.trading.limits import LimitTable

Chosen = tuple[tuple[StrategySettings, type[Strategy]], ...]
PRODUCTS = {"linear": Product.PERPETUAL, "spot": Product.SPOT}


def history_settings(arguments: Namespace) -> BacktestSettings:
    """Return what the arguments ask for.

    Blocks: reads the files.

    Raises:
        ConfigError: an argument, the configuration, the strategy, a parameter or a file is wrong.
    """
    config = load_config(arguments.config) if arguments.config else None
    chosen = _from_config(arguments, config) if config else _from_arguments(arguments)
    _check_history(arguments)
    fees = fee_schedule(arguments.fee)
    bars = _read(arguments, chosen)
    terms = InstrumentTerms(
        product=PRODUCTS[arguments.product],
        tick=arguments.tick,
        lot=arguments.lot,
        multiplier=arguments.multiplier,
        currency=arguments.currency,
    )
    return BacktestSettings(
        strategies=tuple((_fitted(settings, bars, arguments.interval), kind) for settings, kind in chosen),
        bars=bars,
        instruments=tuple(instrument_for(columns, terms) for columns in bars),
        balance=arguments.balance,
        fees=fees,
        fills=FillSettings(
            slippage=arguments.slippage, fill_on=FillOn(arguments.fill_on), max_volume_share=arguments.max_volume_share
        ),
        latency_ns=round(arguments.latency_ms * 1_000_000),
        limits=_limits(config),
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
    symbols = tuple(dict.fromkeys(instrument_id_of(file, ()) for file in files_given(arguments)))
    strategy_id = Path(arguments.strategy.partition(":")[0]).stem.rpartition(".")[2]
    settings = StrategySettings(
        strategy_id=strategy_id, class_name=arguments.strategy, account=ACCOUNT, symbols=symbols, interval="",
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
        kind = load_strategy(settings.class_name, _folder(config.strategies_dir(arguments.home)))
        parameters = checked_parameters(kind, {**settings.parameters, **dict(arguments.param)})
        chosen.append((msgspec.structs.replace(settings, account=ACCOUNT, parameters=parameters), kind))
    return tuple(chosen)


def _folder(path: Path) -> Path | None:
    return path if path.is_dir() else None


def _check_history(arguments: Namespace) -> None:
    if arguments.ticks or arguments.depth:
        raise UsageError("this version replays --bars only; --ticks and --depth are read but not replayed yet")
    if arguments.symbol and not arguments.bars:
        raise UsageError("--symbol reads from the store, which this version does not have yet; give --bars FILE")
    if not arguments.bars:
        raise UsageError("give history with --bars FILE or --bars SYMBOL=FILE")


def _read(arguments: Namespace, chosen: Chosen) -> tuple[BarColumns, ...]:
    wanted = tuple(dict.fromkeys(symbol for settings, _ in chosen for symbol in settings.symbols))
    found: dict[str, BarColumns] = {}
    for file in arguments.bars:
        name = instrument_id_of(file, wanted)
        if name in found:
            raise UsageError(f"two files for {name}; name them apart as SYMBOL=FILE")
        bars = _span(read_bars(file.path, name), arguments.start, arguments.end, file.path)
        if arguments.tick:
            check_grid(bars, arguments.tick, file.path)
        found[name] = bars
    missing = [name for name in wanted if name not in found]
    if missing:
        raise UsageError(f"no bars for {', '.join(missing)}; add --bars {missing[0]}=FILE")
    return tuple(found.values())


def _span(bars: BarColumns, start_ns: int | None, end_ns: int | None, path: Path) -> BarColumns:
    if start_ns is None and end_ns is None:
        return bars
    first = 0 if start_ns is None else int(bars.open_time_ns.searchsorted(start_ns))
    last = len(bars) if end_ns is None else int(bars.open_time_ns.searchsorted(end_ns))
    if first >= last:
        raise InputError(f"{path} has no bar between --start and --end; widen them")
    return bars[first:last]


def check_grid(bars: BarColumns, tick: Decimal, path: Path) -> None:
    """Check that every price is a multiple of a tick.

    Raises:
        InputError: one is not; the first is named with the nearest legal ones.
    """
    places = max(bars.price_decimals, -int(tick.as_tuple().exponent))
    units = int(tick.scaleb(places))
    for name in ("open", "high", "low", "close"):
        counted = np.rint(getattr(bars, name) * 10.0**places).astype(np.int64)
        off = np.flatnonzero(counted % units)
        if len(off):
            row = int(off[0])
            below = Decimal(int(counted[row]) // units) * tick
            time = datetime.fromtimestamp(int(bars.open_time_ns[row]) // 10**9, UTC)
            raise InputError(
                f"{path}: {name} {getattr(bars, name)[row]} of the bar at {time:%Y-%m-%d %H:%M:%S} is off the grid of --tick {tick}; "
                f"nearest legal: {below} or {below + tick}"
            )


def _fitted(settings: StrategySettings, bars: tuple[BarColumns, ...], interval: str | None) -> StrategySettings:
    """Return the settings with the interval of the files, which must be the one that was asked for."""
    asked = interval or settings.interval
    for columns in bars:
        if columns.instrument_id not in settings.symbols:
            continue
        if asked and Interval.parse(asked).text != columns.interval:
            raise ConfigError(
                f"{settings.strategy_id} wants {asked} bars, {columns.instrument_id} has {columns.interval}; give a file of {asked} bars"
            )
        asked = columns.interval
    return msgspec.structs.replace(settings, interval=asked)


def _limits(config: Config | None) -> LimitTable:
    """Return the limits of a configuration less the check of funds, which is the venue's in a backtest."""
    if config is None:
        return BacktestLimits.DEFAULT
    return LimitTable(
        msgspec.structs.replace(config.risk, check_funds=False),
        {},
        {name: table.limits for name, table in config.strategies.items()},
    )
