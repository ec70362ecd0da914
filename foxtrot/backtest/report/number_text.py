"""Statistics as a person reads them: grouped, named, with units."""

from collections.abc import Mapping

import msgspec

from foxtrot.backtest.statistics import Statistic

NOT_AVAILABLE = "n/a"

_MINUTE_S = 60
_HOUR_S = 3_600
_DAY_S = 86_400

_PERCENT = {"total_return", "cagr", "max_drawdown", "volatility", "best_day", "worst_day", "win_rate", "exposure"}
_SIGNED = {"total_return", "cagr", "best_day", "worst_day"}
_NAMES = {
    "cagr": "Annual growth (CAGR)",
    "max_drawdown_duration_s": "Drawdown lasted",
    "end_balance": "End balance",
    "trades": "Own fills",
    "average_trip": "Average round trip",
    "best_trip": "Best round trip",
    "worst_trip": "Worst round trip",
    "volatility": "Volatility (annual)",
    "exposure": "Time in the market",
    "elapsed_s": "Run time",
    "bars_per_s": "Bars per second",
}
_GROUPS = {
    "Returns": ("start_balance", "end_balance", "total_return", "cagr", "best_day", "worst_day", "days"),
    "Risk": ("max_drawdown", "max_drawdown_duration_s", "volatility", "sharpe", "sortino", "calmar", "exposure"),
    "Round trips": (
        "round_trips", "win_rate", "profit_factor", "average_trip", "average_win", "average_loss", "best_trip",
        "worst_trip", "longest_losing_streak",
    ),
    "Activity": ("orders", "trades", "fees", "traded_notional", "turnover"),
}  # fmt: skip
_HEADLINE = ("total_return", "max_drawdown", "sharpe", "win_rate", "trades", "fees", "end_balance")


class Line(msgspec.Struct, frozen=True):
    """One number on the page: its name, its text and "good", "bad" or "" for the colour."""

    name: str
    text: str
    tone: str


def headline(values: Mapping[str, Statistic | str]) -> list[Line]:
    """Return the few numbers that stand large above the charts."""
    return [_line(name, values[name]) for name in _HEADLINE if name in values]


def groups(values: Mapping[str, Statistic | str]) -> list[tuple[str, list[Line]]]:
    """Return all numbers in named groups; names that no group knows come last."""
    known = {name for names in _GROUPS.values() for name in names}
    named = {title: [name for name in names if name in values] for title, names in _GROUPS.items()}
    named["Run"] = [name for name in values if name not in known]
    return [(title, [_line(name, values[name]) for name in names]) for title, names in named.items() if names]


def _line(name: str, value: Statistic | str) -> Line:
    tone = ""
    if name in _SIGNED and isinstance(value, int | float) and value:
        tone = "good" if value > 0 else "bad"
    return Line(_NAMES.get(name, name.removesuffix("_s").replace("_", " ").capitalize()), text_of(name, value), tone)


def text_of(name: str, value: Statistic | str) -> str:
    """Return a value as text: shares in percent, seconds as a duration, large numbers grouped, None as n/a."""
    if value is None:
        return NOT_AVAILABLE
    if isinstance(value, str):
        return value
    if name in _PERCENT:
        return f"{100 * value:+.2f} %" if name in _SIGNED else f"{100 * value:.2f} %"
    if isinstance(value, int):
        return f"{value:,}"
    if name.endswith("_s") and not name.endswith("per_s"):
        return duration_text(value)
    return f"{value:,.0f}" if name.endswith("per_s") else f"{value:,.2f}"


def duration_text(seconds: float) -> str:
    """Return a duration in its two largest units, such as "3 d 4 h" or "12.5 s"."""
    if seconds < _MINUTE_S:
        return f"{seconds:.3g} s"
    for unit, below, name, smaller in ((_DAY_S, _HOUR_S, "d", "h"), (_HOUR_S, _MINUTE_S, "h", "min")):
        if seconds >= unit:
            rest = int(seconds % unit // below)
            return f"{int(seconds // unit)} {name}" + (f" {rest} {smaller}" if rest else "")
    return f"{int(seconds // _MINUTE_S)} min"
