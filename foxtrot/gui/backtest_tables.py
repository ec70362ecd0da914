"""Tables of a backtest: figures, returns by month, fills, and the combinations of a search."""

from typing import Any, Final

import msgspec

from foxtrot.backtest.details import BacktestDetails
from foxtrot.backtest.round_trips import Fill
from foxtrot.domain.enums import Side
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, sign_tone, word
from foxtrot.gui.numbers import NOTHING, money_text, rate_text, size_text, time_text
from foxtrot.gui.texts import tr

RATE, RATIO, MONEY, COUNT, SPAN, FALL = "rate", "ratio", "money", "count", "span", "fall"
FIGURES: Final = {
    "total_return": RATE, "cagr": RATE, "max_drawdown": FALL, "max_drawdown_duration_s": SPAN, "sharpe": RATIO, "sortino": RATIO,
    "calmar": RATIO, "volatility": RATIO, "start_balance": MONEY, "end_balance": MONEY, "fees": MONEY, "round_trips": COUNT,
    "win_rate": RATIO, "profit_factor": RATIO, "average_trip": MONEY, "average_win": MONEY, "average_loss": MONEY, "best_trip": MONEY,
    "worst_trip": MONEY, "longest_losing_streak": COUNT, "best_day": RATE, "worst_day": RATE, "days": COUNT, "exposure": RATIO,
    "turnover": RATIO, "traded_notional": MONEY, "trades": COUNT, "orders": COUNT, "bars": COUNT, "elapsed_s": RATIO,
}  # fmt: skip
"""Figure → how it is written, in the order in which they are shown."""
SHARES: Final = ("volatility", "win_rate", "exposure")
"""Ratios that are written as percentages, and have no sign."""
SIGNED: Final = ("average_trip", "best_trip", "worst_trip", "average_win", "average_loss")
SEARCHED: Final = ("total_return", "sharpe", "max_drawdown", "calmar", "profit_factor", "round_trips", "trades")
"""Figures that are shown of each combination."""
MONTHS: Final = tuple(range(1, 13))
Json = dict[str, Any]


class Figure(msgspec.Struct, frozen=True):
    """One figure of a result."""

    name: str
    value: float | None


class Year(msgspec.Struct, frozen=True):
    """The returns of one year by month, and of all of it."""

    year: int
    months: dict[int, float | None]

    @property
    def total(self) -> float | None:
        """Return what the year returned: its months one after the other."""
        total = 1.0
        for value in self.months.values():
            if value is None:
                return None
            total *= 1.0 + value
        return total - 1.0


class NumberedFill(msgspec.Struct, frozen=True):
    """A fill and its place in the list."""

    number: int
    fill: Fill


class Combination(msgspec.Struct, frozen=True):
    """One run of a search: its place when all are sorted, its parameters, its figures, why it failed."""

    place: int
    parameters: Json
    figures: Json
    failures: tuple[str, ...] = ()


def figures_of(result: Json) -> list[Figure]:
    """Return the figures of a result in their order."""
    found = []
    for name in FIGURES:
        value = result.get(name)
        if name in result and (value is None or isinstance(value, int | float)):
            found.append(Figure(name, None if value is None else float(value)))
    return found


def years_of(details: BacktestDetails) -> list[Year]:
    """Return the returns by year, the newest first."""
    years: dict[int, dict[int, float | None]] = {}
    for one in details.months:
        years.setdefault(one.year, {})[one.month] = one.value
    return [Year(year, years[year]) for year in sorted(years, reverse=True)]


def combinations_of(result: Json) -> list[Combination]:
    """Return the runs of a search, best first."""
    return [
        Combination(place, run["parameters"], run, tuple(run.get("failures", ())))
        for place, run in enumerate(result.get("runs", ()), 1)
    ]


def figure_text(name: str, value: float | None) -> str:
    """Return a figure as people read it."""
    if value is None:
        return NOTHING
    how = FIGURES.get(name, RATIO)
    if how in (RATE, FALL):
        return rate_text(-value if how == FALL else value, signed=True)
    if how == SPAN:
        return tr("figure.span", days=f"{value / 86_400:,.1f}")
    if how == COUNT:
        return f"{value:,.0f}"
    if how == MONEY:
        return money_text(value, signed=name in SIGNED)
    return rate_text(value) if name in SHARES else money_text(value)


def figure_cell(name: str, value: object) -> Cell:
    """Return the cell of a figure; one that tells profit has its colour."""
    known = float(value) if isinstance(value, int | float) else None
    tells = FIGURES.get(name) == RATE or name in SIGNED
    tone = sign_tone(known) if known is not None and tells else Tone.PLAIN
    return number(float("nan") if known is None else known, figure_text(name, known), tone)


def figure_columns() -> tuple[Column[Figure], ...]:
    """Return the columns of the figures."""
    return (
        Column("figure", "backtest.figure", lambda one: word(tr(f"figure.{one.name}")), width=168),
        Column("value", "backtest.value", lambda one: figure_cell(one.name, one.value), align=Align.RIGHT, width=122),
    )


def month_columns() -> tuple[Column[Year], ...]:
    """Return a column for each month, and one for the year."""
    found: list[Column[Year]] = [
        Column("year", "backtest.year", lambda one: number(float(one.year), str(one.year)), width=56)
    ]
    found += [Column(f"m{month}", f"backtest.m{month}", _month(month), align=Align.RIGHT, width=62) for month in MONTHS]
    return (*found, Column("total", "backtest.total", lambda one: _return(one.total), align=Align.RIGHT, width=80))


def fill_columns(decimals: int) -> tuple[Column[NumberedFill], ...]:
    """Return the columns of the fills; prices have so many decimals."""
    right = Align.RIGHT
    return (
        Column("time", "backtest.time", lambda one: _time(one.fill.time_ns), width=170),
        Column("symbol", "backtest.symbol", lambda one: word(one.fill.instrument_id), width=130),
        Column("side", "backtest.side", _side, width=76),
        Column("size", "backtest.size", lambda one: number(one.fill.quantity, size_text(one.fill.quantity, 8)), align=right, width=90),
        Column("price", "backtest.price", lambda one: number(one.fill.price, f"{one.fill.price:,.{decimals}f}"), align=right, width=100),
        Column("fee", "backtest.fee", lambda one: number(one.fill.fee, money_text(one.fill.fee)), align=right, width=80),
        Column("profit", "backtest.profit", _profit, align=right, width=100),
    )  # fmt: skip


def search_columns(parameters: list[str]) -> tuple[Column[Combination], ...]:
    """Return the columns of a search: its parameters, then its figures."""
    found: list[Column[Combination]] = [
        Column("place", "backtest.place", lambda one: number(float(one.place), str(one.place), Tone.DIM), align=Align.RIGHT, width=44)
    ]  # fmt: skip
    found += [Column(f"p_{name}", name, _parameter(name), align=Align.RIGHT, width=80) for name in parameters]
    found += [Column(name, f"figure.{name}", _figure(name), align=Align.RIGHT, width=90) for name in SEARCHED]
    return (*found, Column("failed", "backtest.failed", _failed, width=160))


def _month(month: int) -> Any:
    return lambda one: _return(one.months.get(month)) if month in one.months else word("")


def _return(value: float | None) -> Cell:
    if value is None:
        return number(float("nan"), NOTHING, Tone.DIM)
    return number(value, rate_text(value, signed=True).removesuffix(" %"), sign_tone(round(value, 4)))


def _time(ns: int) -> Cell:
    return number(float(ns), time_text(ns, with_date=True), Tone.DIM)


def _side(one: NumberedFill) -> Cell:
    buys = one.fill.side is Side.BUY
    return word(f"▲ {tr('backtest.buy')}" if buys else f"▼ {tr('backtest.sell')}", Tone.UP if buys else Tone.DOWN)


def _profit(one: NumberedFill) -> Cell:
    profit = one.fill.profit
    if profit is None:
        return number(float("nan"), NOTHING, Tone.DIM)
    return number(profit, money_text(profit, signed=True), sign_tone(profit))


def _parameter(name: str) -> Any:
    def cell(one: Combination) -> Cell:
        value = one.parameters.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return number(float(value), f"{value:g}")
        return word(str(value))

    return cell


def _figure(name: str) -> Any:
    return lambda one: figure_cell(name, one.figures.get(name))


def _failed(one: Combination) -> Cell:
    return word(f"✕ {' '.join(one.failures[0].split())}" if one.failures else "", Tone.DANGER)
