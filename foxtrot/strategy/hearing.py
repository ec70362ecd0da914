"""What a strategy hears, judged by the handlers its class defines: its subscriptions and what must be streamed for them."""

from typing import TYPE_CHECKING

from foxtrot.core.notices import AmendAnswered, BookLoaded, OrderChanged, TimerFired, TradeBooked
from foxtrot.core.subscriptions import Subscription
from foxtrot.domain.market import BarData, DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.strategy.bar_facts import BarCorrection
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.seat import Seat

if TYPE_CHECKING:
    from foxtrot.strategy.host import StrategyHost


def overrides(strategy: Strategy, method: str) -> bool:
    """Tell whether a strategy's class defines a handler of its own."""
    return getattr(type(strategy), method) is not getattr(Strategy, method)


def wishes_of(strategy: Strategy, depth_levels: int) -> SubscribeRequest:
    """Return what a strategy needs streamed of each of its symbols; the instrument is left empty."""
    return SubscribeRequest(
        "",
        ticks=True,
        trades=overrides(strategy, "on_market_trade") or overrides(strategy, "on_bar"),
        depth_levels=depth_levels if overrides(strategy, "on_depth") else 0,
        depth_changes=overrides(strategy, "on_depth_change"),
    )


def hear(host: "StrategyHost", symbols: tuple[str, ...]) -> list[Subscription]:
    """Subscribe a host to what its strategy has handlers for; timers and books always, since they answer its own calls."""
    dispatcher, me, strategy = host.seat.dispatcher, host.strategy_id, host.strategy
    found = [
        dispatcher.subscribe(TimerFired, host.on_timer, owner=me, key=me),
        dispatcher.subscribe(BookLoaded, host.on_book, owner=me, key=me),
    ]
    if overrides(strategy, "on_bar_correction"):
        found.append(dispatcher.subscribe(BarCorrection, host.on_bar_correction, owner=me))
    if overrides(strategy, "on_order"):
        found.append(dispatcher.subscribe(OrderChanged, host.on_order_changed, owner=me, key=me))
    if overrides(strategy, "on_amend"):
        found.append(dispatcher.subscribe(AmendAnswered, host.on_amend_answered, owner=me))
    if overrides(strategy, "on_trade"):
        found.append(dispatcher.subscribe(TradeBooked, host.on_trade_booked, owner=me, key=me))
    for instrument_id in symbols:
        found += _hear_market(host, instrument_id)
    return found


def tell_past(seat: Seat, strategy: Strategy, bar: BarData) -> None:
    """Deliver a bar that was missed, without permission to trade: its prices are those of then."""
    before = seat.may_trade, seat.state
    seat.may_trade, seat.state = False, "catching up"
    try:
        strategy.on_bar(bar)
    finally:
        seat.may_trade, seat.state = before


def _hear_market(host: "StrategyHost", instrument_id: str) -> list[Subscription]:
    dispatcher, me, strategy = host.seat.dispatcher, host.strategy_id, host.strategy
    found = []
    if overrides(strategy, "on_tick"):
        found.append(dispatcher.subscribe(TickData, host.on_tick, owner=me, key=instrument_id))
    if overrides(strategy, "on_depth"):
        found.append(dispatcher.subscribe(DepthData, host.on_depth, owner=me, key=instrument_id))
    if overrides(strategy, "on_depth_change"):
        found.append(dispatcher.subscribe(DepthChange, host.on_depth_change, owner=me, key=instrument_id))
    if overrides(strategy, "on_market_trade"):
        found.append(dispatcher.subscribe(MarketTrade, host.on_market_trade, owner=me, key=instrument_id))
    if overrides(strategy, "on_bar"):
        found.append(dispatcher.subscribe(BarData, host.on_bar, owner=me, key=instrument_id))
    return found
