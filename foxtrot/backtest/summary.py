"""A result told to programs and to people: one object of figures, and the contents of the report page."""

from foxtrot.backtest.assumptions import assumptions, is_free, is_instant
from foxtrot.backtest.report.report_input import ReportInput
from foxtrot.backtest.result import BacktestResult
from foxtrot.backtest.settings import BacktestSettings
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
        "refused": result.refused,
        "failures": list(result.failures),
        "warnings": result.every_warning,
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
    warnings = [*result.warnings, *result.failures, *result.refusals]
    warnings += [f"{count} orders were refused by the rule {rule}" for rule, count in result.denied.items()]
    return ReportInput(
        title=title or f"{_strategies(settings)} on {symbols}{interval}",
        assumptions=assumptions(settings),
        zero_cost=is_free(settings),
        zero_latency=is_instant(settings),
        warnings=warnings,
        parameters=_parameters(settings),
        statistics=result.statistics,
        bars=settings.bars[0] if settings.bars else None,
        equity_time_ns=result.equity_time_ns,
        equity=result.equity,
        trades=result.fills,
    )


def _strategies(settings: BacktestSettings) -> str:
    return ", ".join(item.class_name or item.strategy_id for item, _ in settings.strategies)


def _parameters(settings: BacktestSettings) -> dict[str, object]:
    many = len(settings.strategies) > 1
    return {
        f"{item.strategy_id}.{name}" if many else name: item.parameters.get(name, parameter.default)
        for item, kind in settings.strategies
        for name, parameter in declared(kind, Parameter).items()
    }
