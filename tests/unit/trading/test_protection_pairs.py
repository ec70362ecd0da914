"""Protections where the venue keeps stop and take-profit as a pair: both rest there, one ends the other, none sells twice."""

from msgspec.structs import replace

from foxtrot.core.notices import ProtectionChanged, RequestFailed, StrategyLog
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderData
from foxtrot.strategy.base import Strategy
from tests.support.instruments import a_spot
from tests.support.line_rig import LineRig


class Trader(Strategy):
    """Does what the test tells it."""


def rig_of() -> tuple[LineRig, Strategy]:
    rig = LineRig(a_spot())
    trader = rig.start(Trader)
    rig.quote(99.0, 101.0)
    return rig, trader


def pair_of(trader: Strategy, price: float = 110.0) -> tuple[OrderData, OrderData]:
    """The one stop and the one limit that rest."""
    (stop,) = [order for order in trader.open_orders() if order.order_type is OrderType.STOP]
    (limit,) = [order for order in trader.open_orders() if order.order_type is OrderType.LIMIT]
    assert limit.price == price
    assert limit.post_only
    assert limit.quantity == stop.quantity
    return stop, limit


def last(rig: LineRig, order_id: str) -> OrderStatus:
    order = rig.line.desk.order(order_id)
    assert order is not None
    return order.status


def warnings(rig: LineRig) -> list[str]:
    return [log.text for log in rig.told(StrategyLog) if log.level in ("WARNING", "ERROR")]


def test_both_rest_at_the_venue_and_the_exposure_counts_them_once() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    records = {record.key: record for record in rig.line.desk.open_records("one")}
    assert records[stop.order_id].partner is records[limit.order_id]
    assert sum(record.pending_units for record in records.values()) == records[stop.order_id].quantity_units
    assert {record.remaining_units for record in records.values()} == {records[stop.order_id].quantity_units}
    assert rig.told(ProtectionChanged)[-1].protection == "at the venue"
    assert warnings(rig) == []


def test_the_take_profit_is_filled_where_it_rests_and_the_stop_is_gone() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    rig.quote(108.0, 112.0)
    rig.hit(Side.BUY, 1.0, 110.0)
    assert (last(rig, stop.order_id), last(rig, limit.order_id)) == (OrderStatus.EXPIRED, OrderStatus.FILLED)
    assert trader.position == 0.0
    assert trader.protection() is None
    assert warnings(rig) == []


def test_a_take_profit_filled_in_part_leaves_the_rest_to_a_new_pair() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    rig.quote(108.0, 112.0)
    rig.hit(Side.BUY, 0.4, 110.0)
    rig.settle()
    assert (last(rig, stop.order_id), last(rig, limit.order_id)) == (OrderStatus.EXPIRED, OrderStatus.CANCELLED)
    again, _ = pair_of(trader)
    assert again.quantity == 0.6
    assert trader.position == 0.6
    assert warnings(rig) == []


def test_the_stop_is_touched_and_the_take_profit_is_gone() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    rig.quote(93.0, 96.0)
    rig.trade(94.0)
    rig.settle()
    assert (last(rig, stop.order_id), last(rig, limit.order_id)) == (OrderStatus.FILLED, OrderStatus.EXPIRED)
    assert trader.position == 0.0
    assert trader.open_orders() == []
    assert warnings(rig) == []


def test_each_partial_fill_of_the_entry_brings_a_pair_of_its_own() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, 100.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    rig.hit(Side.SELL, 0.4, 100.0)
    rig.hit(Side.SELL, 0.6, 100.0)
    kinds = sorted((order.order_type, order.quantity) for order in trader.open_orders())
    assert kinds == [("limit", 0.4), ("limit", 0.6), ("stop", 0.4), ("stop", 0.6)]


def test_a_moved_take_profit_replaces_the_pair() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    trader.protect(stop=95.0, take_profit=120.0)
    rig.settle()
    stop, _ = pair_of(trader, 120.0)
    assert stop.trigger_price == 95.0
    assert warnings(rig) == []


def test_a_take_profit_wished_for_later_makes_a_pair_of_the_lone_stop() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    trader.protect(stop=95.0, take_profit=110.0)
    rig.settle()
    pair_of(trader)
    trader.protect(take_profit=0.0)
    rig.settle()
    (alone,) = trader.open_orders()
    assert alone.order_type is OrderType.STOP


def test_a_take_profit_that_the_market_has_passed_is_watched_here_and_taken() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0)
    rig.settle()
    rig.quote(111.0, 112.0)
    trader.protect(stop=95.0, take_profit=110.0)
    rig.settle()
    rig.quote(111.0, 112.0)
    rig.settle()
    assert trader.position == 0.0
    assert trader.open_orders() == []


def test_closing_withdraws_both_and_sells_once() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    trader.close_position()
    rig.settle()
    assert (last(rig, stop.order_id), last(rig, limit.order_id)) == (OrderStatus.CANCELLED, OrderStatus.CANCELLED)
    assert trader.position == 0.0
    assert trader.open_orders() == []


def test_what_somebody_cancels_of_a_pair_is_placed_again() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    rig.line.desk.cancel(limit.order_id)
    rig.settle()
    rig.wait(1.0)
    again, _ = pair_of(trader)
    assert again.order_id != stop.order_id


def test_the_end_of_the_stop_alone_lets_the_news_of_its_take_profit_come() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    rig.quote(108.0, 112.0)
    rig.put(replace(stop, status=OrderStatus.EXPIRED))
    assert not rig.line.desk.index.all[limit.order_id].cancel_asked
    rig.wait(0.2)
    rig.hit(Side.BUY, 1.0, 110.0)
    rig.wait(1.0)
    assert last(rig, limit.order_id) is OrderStatus.FILLED
    assert rig.told(RequestFailed) == []
    assert trader.protection() is None


def test_news_of_a_take_profit_that_never_comes_is_not_waited_for_long() -> None:
    rig, trader = rig_of()
    trader.buy(1.0, stop_loss=95.0, take_profit=110.0)
    rig.settle()
    stop, limit = pair_of(trader)
    rig.put(replace(stop, status=OrderStatus.EXPIRED))
    rig.wait(0.3)
    assert last(rig, limit.order_id) is OrderStatus.CANCELLED
    again, _ = pair_of(trader)
    assert again.order_id != stop.order_id
