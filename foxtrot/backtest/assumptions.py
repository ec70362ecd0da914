"""What a backtest assumed, told to people, and the assumptions that no reader may miss."""

from datetime import UTC, datetime

from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.depth_capture import DepthCapture
from foxtrot.backtest.fee_text import fee_text
from foxtrot.backtest.settings import BacktestSettings, History

ZERO_COST = "Zero cost: neither fees nor slippage were charged. Real trading pays both; do not trust this profit."
ZERO_LATENCY = "Zero latency: data and orders arrived at once. Real orders arrive later, at other prices."


def is_free(settings: BacktestSettings) -> bool:
    """Tell whether neither fees nor slippage are charged."""
    return settings.fills.slippage == 0 and (settings.fees is None or settings.fees.is_zero)


def is_instant(settings: BacktestSettings) -> bool:
    """Tell whether orders and data arrive at once."""
    slow = settings.latency_ns or settings.feed_latency_ns
    return not slow and not (settings.depth and settings.recorded_latency)


def cautions(settings: BacktestSettings) -> list[str]:
    """Return what no reader may miss: that nothing is charged, that nothing is late."""
    return [ZERO_COST] * is_free(settings) + [ZERO_LATENCY] * is_instant(settings)


def assumptions(settings: BacktestSettings) -> list[tuple[str, str]]:
    """Return what was assumed, as (name, value), in the order a person wants to read it."""
    rows = [
        ("starting balance", f"{settings.balance} {settings.instruments[0].settle_asset}"),
        ("fees", fee_text(settings.fees)),
        ("slippage", f"{settings.fills.slippage:g} per unit on market and stop orders"),
        ("order latency", f"{settings.latency_ns / 1e6:g} ms each way"),
        ("feed latency", _feed_latency(settings)),
        *_fill_rules(settings),
        ("at the end", "open positions are marked at the last price, not closed"),
    ]
    rows += [(f"{kind} of {part.instrument_id}", _described(part)) for kind, part in _files(settings)]
    for item in settings.instruments:
        grid = f"tick {item.price_grid.step}, lot {item.quantity_grid.step}, multiplier {item.multiplier}, calendar {item.calendar}"
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
