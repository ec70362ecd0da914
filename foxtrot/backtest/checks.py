"""What is asked of the settings of a backtest before anything is built."""

from collections import Counter

from foxtrot.backtest.settings import BacktestSettings
from foxtrot.domain.errors import ConfigError


def check_settings(settings: BacktestSettings) -> None:
    """Refuse what cannot be replayed.

    Raises:
        ConfigError: no history, no strategy, an instrument without terms or given twice, or no sound balance.
    """
    if not settings.history:
        raise ConfigError("a backtest needs history: bars, trades, quotes or depth")
    _check_instruments(settings)
    quotes = {instrument.settle_asset for instrument in settings.instruments}
    if len(quotes) > 1:
        raise ConfigError(f"a backtest has one currency; the instruments settle in {', '.join(sorted(quotes))}")
    if not settings.balance.is_finite() or settings.balance <= 0:
        raise ConfigError(f"balance {settings.balance} must be a finite number above 0")
    if min(settings.latency_ns, settings.feed_latency_ns) < 0:
        raise ConfigError("latencies must not be negative")
    if not settings.strategies:
        raise ConfigError("a backtest needs a strategy")


def _check_instruments(settings: BacktestSettings) -> None:
    named = {history.instrument_id for history in settings.history}
    known = Counter(instrument.instrument_id for instrument in settings.instruments)
    if named != set(known) or max(known.values()) > 1:
        raise ConfigError(
            f"history of {', '.join(sorted(named))} needs one instrument of each id; there are: "
            f"{', '.join(known.elements()) or 'none'}"
        )
    for what, group in (
        ("bars", settings.bars),
        ("trades", settings.trades),
        ("quotes", settings.quotes),
        ("depth", settings.depth),
    ):
        counts = Counter(history.instrument_id for history in group)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise ConfigError(f"{what} of {twice[0]} are given twice; join the files")
    barred = {bars.instrument_id for bars in settings.bars}
    finer = {history.instrument_id for history in settings.history[len(settings.bars) :]}
    if barred & finer:
        raise ConfigError(
            f"{min(barred & finer)} has bars and something finer; give one, bars are built from the finer"
        )
