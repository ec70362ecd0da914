"""A result told to programs and to people: one object of figures, and the contents of the report page."""

from datetime import UTC, datetime

from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.depth_capture import DepthCapture
from foxtrot.backtest.report.report_input import ReportInput
from foxtrot.backtest.result import BacktestResult
from foxtrot.backtest.settings import BacktestSettings, History
from foxtrot.strategy.parameters import Parameter, declared


def result_object(result: BacktestResult, settings: BacktestSettings) -> dict[str, object]:
    """Return every figure of a backtest by name, ready for JSON, those that everybody asks for first."""
    elapsed_s = result.elapsed_s
    first: dict[str, object] = {
        "strategy": _strategies(settings),
        "symbols": [instrument.instrument_id for instrument in settings.instruments],
        "bars": result.bars,
        "orders": result.orders,
        "trades": len(result.trades),
        "start_balance": float(result.start_balance),
        "end_balance": float(result.end_balance),
        "total_return": result.statistics["total_return"],
        "max_drawdown": result.statistics["max_drawdown"],
        "sharpe": result.statistics["sharpe"],
        "fees": float(result.fees),
    }
    last: dict[str, object] = {
        "denied": result.denied,
        "failures": list(result.failures),
        "warnings": list(result.warnings),
        "assumptions": dict(assumptions(settings)),
        "moments": result.moments,
        "elapsed_s": elapsed_s,
        "bars_per_s": result.bars / elapsed_s if elapsed_s > 0 else None,
        "state_hash": result.state_hash,
    }
    rest = {name: value for name, value in result.statistics.items() if name not in first}
    return {**first, **rest, **last}


def report_input(result: BacktestResult, settings: BacktestSettings, title: str = "") -> ReportInput:
    """Return the contents of the report page; the candles are those of the first bars."""
    symbols = ", ".join(instrument.instrument_id for instrument in settings.instruments)
    interval = f" {settings.bars[0].interval}" if settings.bars else ""
    warnings = [*result.warnings, *result.failures]
    warnings += [f"{count} orders were refused by the rule {rule}" for rule, count in result.denied.items()]
    slow = settings.latency_ns or settings.feed_latency_ns
    return ReportInput(
        title=title or f"{_strategies(settings)} on {symbols}{interval}",
        assumptions=assumptions(settings),
        zero_cost=settings.fills.slippage == 0 and (settings.fees is None or settings.fees.is_zero),
        zero_latency=not slow and not (settings.depth and settings.recorded_latency),
        warnings=warnings,
        parameters=_parameters(settings),
        statistics=result.statistics,
        bars=settings.bars[0] if settings.bars else None,
        equity_time_ns=result.equity_time_ns,
        equity=result.equity,
        trades=result.fills,
    )


def assumptions(settings: BacktestSettings) -> list[tuple[str, str]]:
    """Return what was assumed, as (name, value), in the order a person wants to read it."""
    fees = settings.fees
    rows = [
        ("starting balance", f"{settings.balance} {settings.instruments[0].settle_asset}"),
        (
            "fees",
            "none" if fees is None else ", ".join(f"{item.name} per {item.unit}" for item in fees.items) or "none",
        ),
        ("slippage", f"{settings.fills.slippage:g} per unit on market and stop orders"),
        ("order latency", f"{settings.latency_ns / 1e6:g} ms each way"),
        ("feed latency", _feed_latency(settings)),
        *_fill_rules(settings),
        ("at the end", "open positions are marked at the last price, not closed"),
    ]
    rows += [(f"{kind} of {part.instrument_id}", _described(part)) for kind, part in _files(settings)]
    for item in settings.instruments:
        grid = f"tick {item.price_grid.step}, lot {item.quantity_grid.step}, multiplier {item.multiplier}"
        rows.append((item.instrument_id, f"{item.product}; {grid}"))
    return rows


def _fill_rules(settings: BacktestSettings) -> list[tuple[str, str]]:
    fills, rows = settings.fills, []
    if settings.bars:
        share = fills.max_volume_share
        rows.append(("limit orders in a bar", f"fill when it trades {fills.fill_on} their price"))
        rows.append(("share of a bar's volume", f"at most {share:g} per order" if share else "no limit"))
    if settings.trades or settings.quotes:
        rows.append(("limit orders in ticks", f"fill when quotes reach or prints trade {fills.fill_on} their price"))
    if settings.depth:
        rows.append(("queue in recorded depth", f"{fills.queue.name}: behind the displayed size"))
    return rows


def _feed_latency(settings: BacktestSettings) -> str:
    constant = f"{settings.feed_latency_ns / 1e6:g} ms"
    return f"as recorded plus {constant}" if settings.depth and settings.recorded_latency else constant


def _files(settings: BacktestSettings) -> list[tuple[str, History]]:
    groups: tuple[tuple[str, tuple[History, ...]], ...] = (
        ("bars", settings.bars),
        ("trades", settings.trades),
        ("quotes", settings.quotes),
        ("depth", settings.depth),
    )
    return [(kind, part) for kind, parts in groups for part in parts]


def _described(part: History) -> str:
    if isinstance(part, BarColumns):
        return f"{len(part)} of {part.interval}, {_span(int(part.open_time_ns[0]), int(part.close_time_ns[-1]))}"
    if isinstance(part, DepthCapture):
        return f"{len(part)} frames, {_span(part.start_ns, part.end_ns)}"
    return f"{len(part)}, {_span(int(part.time_ns[0]), int(part.time_ns[-1]))}"


def _span(start_ns: int, end_ns: int) -> str:
    first, last = (datetime.fromtimestamp(time_ns // 10**9, UTC) for time_ns in (start_ns, end_ns))
    return f"{first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"


def _strategies(settings: BacktestSettings) -> str:
    return ", ".join(item.class_name or item.strategy_id for item, _ in settings.strategies)


def _parameters(settings: BacktestSettings) -> dict[str, object]:
    many = len(settings.strategies) > 1
    return {
        f"{item.strategy_id}.{name}" if many else name: item.parameters.get(name, parameter.default)
        for item, kind in settings.strategies
        for name, parameter in declared(kind, Parameter).items()
    }
