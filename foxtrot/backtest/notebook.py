"""A backtest in one call, for notebooks and scripts."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from difflib import get_close_matches
from pathlib import Path
from typing import TypeAlias, TypedDict, TypeVar, Unpack

from foxtrot.backtest.columns import BarColumns, QuoteColumns, TradeColumns
from foxtrot.backtest.depth_capture import DepthCapture, read_depth
from foxtrot.backtest.fill_settings import FillOn, FillSettings
from foxtrot.backtest.frame_table import DataFrameLike
from foxtrot.backtest.instrument_terms import instrument_for
from foxtrot.backtest.read_bars import bars_from_frame, read_bars
from foxtrot.backtest.read_ticks import read_ticks
from foxtrot.backtest.result import BacktestResult
from foxtrot.backtest.runner import Backtest
from foxtrot.backtest.settings import ACCOUNT, BacktestSettings, History, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.domain.instrument import Instrument
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.loader import load_strategy
from foxtrot.strategy.parameters import Value
from foxtrot.strategy.settings import StrategySettings

Bars = DataFrameLike | BarColumns | Path | str
Ticks = TradeColumns | QuoteColumns | Path | str
Depth = DepthCapture | Path | str
T = TypeVar("T")
Named: TypeAlias = T | Mapping[str, T]
"""One, or several by instrument."""


class Assumptions(TypedDict, total=False):
    """What a backtest may be told besides strategy and history; each has a default.

    symbol: the instrument of history that is given without a name ("UNNAMED.HISTORY", or that of the columns).
    interval: bars built from ticks ("1m"); bars that are given tell their own.
    product: "perpetual" (long and short, no margin limit), "spot", "stock", "future" or "forex".
    tick, lot, multiplier, currency: terms of the instruments; by default the smallest decimal steps found, 1 and "USDT".
    calendar: when the market trades, such as "XNYS_EXT" (by default that of the venue in the symbol, else it never closes).
    balance: money at the start (1,000,000).
    fee: fraction of a fill's value such as 0.001, the name of a preset such as "binance_spot", or a FeeSchedule (0).
    slippage: money per unit on market and stop orders (0).
    fill_on: "through" or "touch", what fills a resting limit.
    max_volume_share: largest share of a bar's volume per order (0: no limit).
    latency_ms, feed_latency_ms: delay of orders and answers, and of data (0).
    seed: of whatever is random (1).
    progress: called with the number of moments replayed.
    """

    symbol: str
    interval: str
    product: str
    tick: float | str
    lot: float | str
    multiplier: float | str
    currency: str
    calendar: str
    balance: float | str
    fee: float | str | FeeSchedule
    slippage: float
    fill_on: str
    max_volume_share: float
    latency_ms: float
    feed_latency_ms: float
    seed: int
    progress: Callable[[int], None]


def backtest(
    strategy: type[Strategy] | str,
    *,
    bars: Named[Bars] | None = None,
    ticks: Named[Ticks] | None = None,
    depth: Named[Depth] | None = None,
    params: Mapping[str, Value] | None = None,
    **assume: Unpack[Assumptions],
) -> BacktestResult:
    """Run a strategy over history and return what it did: `statistics`, `equity`, `trades`, `report(folder)`.

    Args:
        strategy: a class, or a name as the command line takes it.
        bars: a DataFrame (time, open, high, low, close, volume), a file, columns, or several of these by instrument.
        ticks: trades or quotes, likewise, as files or columns.
        depth: raw depth captures, likewise.
        params: parameters of the strategy.
        assume: see Assumptions.

    Blocks: until it is done.

    Raises:
        ConfigError: an argument, a parameter or a file is wrong.
    """
    _check_names(assume)
    history = _history(bars, ticks, depth, assume.get("symbol", ""))
    settings = _settings(history, assume)
    kind = load_strategy(strategy) if isinstance(strategy, str) else strategy
    item = StrategySettings(
        strategy_id=kind.__name__.lower()[:20],
        class_name=strategy if isinstance(strategy, str) else kind.__name__,
        account=ACCOUNT,
        symbols=tuple(instrument.instrument_id for instrument in settings["instruments"]),
        interval=next(
            (part.interval for part in history if isinstance(part, BarColumns)), assume.get("interval", "1m")
        ),
        capital=settings["balance"],
        parameters=dict(params or {}),
    )
    return Backtest(BacktestSettings(strategies=((item, kind),), **settings), assume.get("progress")).run()


class _Settings(TypedDict):
    bars: tuple[BarColumns, ...]
    trades: tuple[TradeColumns, ...]
    quotes: tuple[QuoteColumns, ...]
    depth: tuple[DepthCapture, ...]
    instruments: tuple[Instrument, ...]
    balance: Decimal
    fees: FeeSchedule | None
    fills: FillSettings
    latency_ns: int
    feed_latency_ns: int
    seed: int


def _settings(history: list[History], assume: Assumptions) -> _Settings:
    names = dict.fromkeys(part.instrument_id for part in history)
    files = [[part for part in history if part.instrument_id == name] for name in names]
    terms = _terms(assume)
    return {
        "bars": tuple(part for part in history if isinstance(part, BarColumns)),
        "trades": tuple(part for part in history if isinstance(part, TradeColumns)),
        "quotes": tuple(part for part in history if isinstance(part, QuoteColumns)),
        "depth": tuple(part for part in history if isinstance(part, DepthCapture)),
        "instruments": tuple(instrument_for(first, terms, also) for first, *also in files),
        "balance": Decimal(str(assume.get("balance", 1_000_000))),
        "fees": _fees(assume.get("fee", 0)),
        "fills": FillSettings(
            slippage=assume.get("slippage", 0.0),
            fill_on=FillOn(assume.get("fill_on", FillOn.THROUGH)),
            max_volume_share=assume.get("max_volume_share", 0.0),
        ),
        "latency_ns": round(assume.get("latency_ms", 0.0) * 1e6),
        "feed_latency_ns": round(assume.get("feed_latency_ms", 0.0) * 1e6),
        "seed": assume.get("seed", 1),
    }


def _terms(assume: Assumptions) -> InstrumentTerms:
    return InstrumentTerms(
        product=Product(assume.get("product", Product.PERPETUAL)),
        tick=Decimal(str(assume.get("tick", 0))),
        lot=Decimal(str(assume.get("lot", 0))),
        multiplier=Decimal(str(assume.get("multiplier", 1))),
        currency=assume.get("currency", "USDT"),
        calendar=assume.get("calendar", ""),
    )


def _fees(fee: float | str | FeeSchedule) -> FeeSchedule | None:
    if isinstance(fee, FeeSchedule):
        return fee
    if isinstance(fee, str):
        return load_preset(fee)
    rate = Decimal(str(fee))
    if not (rate.is_finite() and abs(rate) < 1):
        raise ConfigError(f"fee {fee} must be a fraction below 1: 0.001 is 0.1 %")
    return FeeSchedule.percentage(rate, rate) if rate else None


def _history(
    bars: Named[Bars] | None, ticks: Named[Ticks] | None, depth: Named[Depth] | None, symbol: str
) -> list[History]:
    bar_files: list[tuple[str, Bars]] = _named(bars, symbol)
    tick_files: list[tuple[str, Ticks]] = _named(ticks, symbol)
    captures: list[tuple[str, Depth]] = _named(depth, symbol)
    found: list[History] = [_bars(name, item) for name, item in bar_files]
    found += [_ticks(name, item) for name, item in tick_files]
    found += [_depth(name, item) for name, item in captures]
    if not found:
        raise ConfigError("give history: bars=, ticks= or depth=")
    return found


def _named(given: Named[T] | None, symbol: str) -> list[tuple[str, T]]:
    if given is None:
        return []
    return list(given.items()) if isinstance(given, Mapping) else [(symbol, given)]


def _bars(name: str, item: Bars) -> BarColumns:
    if isinstance(item, BarColumns):
        return item
    name = name or "UNNAMED.HISTORY"
    return read_bars(Path(item).expanduser(), name) if isinstance(item, Path | str) else bars_from_frame(item, name)


def _ticks(name: str, item: Ticks) -> TradeColumns | QuoteColumns:
    return read_ticks(Path(item).expanduser(), name or "UNNAMED.HISTORY") if isinstance(item, Path | str) else item


def _depth(name: str, item: Depth) -> DepthCapture:
    return read_depth(Path(item).expanduser(), instrument_id=name) if isinstance(item, Path | str) else item


def _check_names(assume: Assumptions) -> None:
    known = Assumptions.__annotations__
    for name in assume:
        if name not in known:
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
            raise ConfigError(f"backtest() knows no {name}; {hint} (parameters of the strategy go into params={{}})")
