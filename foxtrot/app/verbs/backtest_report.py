"""What the report of a backtest says, from its settings and its result."""

from datetime import UTC, datetime

from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.report.report_input import ReportInput
from foxtrot.backtest.runner import BacktestResult
from foxtrot.backtest.settings import BacktestSettings
from foxtrot.strategy.parameters import Parameter, declared


def report_input(settings: BacktestSettings, found: BacktestResult) -> ReportInput:
    """Return the page's contents."""
    names = ", ".join(item.class_name for item, _ in settings.strategies)
    symbols = ", ".join(instrument.instrument_id for instrument in settings.instruments)
    warnings = [*(f"{bars.instrument_id}: {text}" for bars in settings.bars for text in bars.warnings), *found.failures]
    warnings += [f"{count} orders were refused by the rule {rule}" for rule, count in found.denied.items()]
    return ReportInput(
        title=f"{names} on {symbols} {settings.bars[0].interval}",
        assumptions=_assumptions(settings),
        zero_cost=settings.fills.slippage == 0 and (settings.fees is None or settings.fees.is_zero),
        zero_latency=settings.latency_ns == 0,
        warnings=warnings,
        parameters=_parameters(settings),
        statistics=found.statistics,
        bars=settings.bars[0],
        equity_time_ns=found.equity_time_ns,
        equity=found.equity,
        trades=found.fills,
    )


def _assumptions(settings: BacktestSettings) -> list[tuple[str, str]]:
    fills, fees = settings.fills, settings.fees
    rows = [
        ("Starting balance", f"{settings.balance} {settings.instruments[0].settle_asset}"),
        ("Fees", "none" if fees is None else ", ".join(f"{item.name} per {item.unit}" for item in fees.items)),
        ("Slippage", f"{fills.slippage:g} per unit"),
        ("Latency", f"{settings.latency_ns / 1e6:g} ms each way"),
        ("Limit orders fill on", str(fills.fill_on)),
        ("Share of a bar's volume", f"at most {fills.max_volume_share:g}" if fills.max_volume_share else "no limit"),
        ("At the end", "open positions are marked at the last close"),
    ]
    for bars, instrument in zip(settings.bars, settings.instruments, strict=True):
        grid = f"tick {instrument.price_grid.step}, lot {instrument.quantity_grid.step}, multiplier {instrument.multiplier}"
        rows.append(
            (
                instrument.instrument_id,
                f"{len(bars)} bars of {bars.interval}, {_span(bars)}; {instrument.product}; {grid}",
            )
        )
    return rows


def _span(bars: BarColumns) -> str:
    first, last = (
        datetime.fromtimestamp(int(ns) // 10**9, UTC) for ns in (bars.open_time_ns[0], bars.close_time_ns[-1])
    )
    return f"{first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"


def _parameters(settings: BacktestSettings) -> dict[str, object]:
    many = len(settings.strategies) > 1
    found: dict[str, object] = {}
    for item, kind in settings.strategies:
        for name, parameter in declared(kind, Parameter).items():
            found[f"{item.strategy_id}.{name}" if many else name] = item.parameters.get(name, parameter.default)
    return found
