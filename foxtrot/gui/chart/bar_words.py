"""A bar of the chart in words."""

from foxtrot.domain.instrument import Instrument
from foxtrot.gui.chart.bar_series import BarSeries
from foxtrot.gui.numbers import money_text, price_decimals, price_text, size_decimals, size_text, time_text
from foxtrot.gui.texts import tr


def bar_words(series: BarSeries, place: int, instrument: Instrument | None) -> tuple[str, ...]:
    """Return a bar in figures: time, prices exact to the tick, change and volume."""
    opened, high, low, close, volume = series.figures(place)
    decimals = price_decimals(instrument)
    names = ("chart.o", "chart.h", "chart.l", "chart.c")
    prices = [
        f"{tr(name)} {price_text(one, decimals)}" for name, one in zip(names, (opened, high, low, close), strict=True)
    ]
    change = (close / opened - 1) * 100 if opened else 0.0
    arrow = "▲" if close > opened else "▼" if close < opened else "■"
    when = time_text(int(series.bars.times[place]), with_date=True)[:16]
    amount = f"{tr('chart.v')} {size_text(volume, size_decimals(instrument))}"
    return when, *prices, f"{arrow} {money_text(change, signed=True)} %", amount
