"""Promise 3: reconnecting is the adapter's own business: back-off, desired set once, fresh snapshots, reconcile, READY."""

from foxtrot.core.notices import AdapterStatus, OpenOrdersLoaded, RequestFailed, TradesLoaded
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus, Side
from foxtrot.domain.market import DepthData, MarketTrade, TickData
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.subscription import SubscribeRequest
from tests.contract.test_2_connecting import opening
from tests.support.contract_rig import ContractRig


def _everything(rig: ContractRig) -> SubscribeRequest:
    return SubscribeRequest(rig.spot.instrument_id, ticks=True, trades=True, depth_levels=5)


def test_3_a_lost_link_is_told_with_its_cause_and_the_back_off_with_attempt_and_delay(rig: ContractRig) -> None:
    rig.connect()
    before = len(rig.heard)
    rig.lose_link("cable pulled", 5.0)
    lost, backing_off = rig.heard.of(AdapterStatus, before)
    assert lost.state is AdapterState.LOST
    assert rig.is_told_as(lost.cause, "cable pulled")
    assert backing_off.state is AdapterState.BACKING_OFF
    assert backing_off.attempt == 1
    assert 0.0 <= backing_off.delay_s <= 5.0


def test_3_after_a_loss_everything_is_told_again_in_order_up_to_ready(rig: ContractRig) -> None:
    rig.connect()
    first = opening(rig)
    before = len(rig.heard)
    rig.lose_link("cable pulled")
    rig.restore_link()
    assert opening(rig, before) == [AdapterState.LOST, AdapterState.BACKING_OFF, *first]


def test_3_a_link_that_is_renewed_is_given_up_and_everything_is_told_again_over_another(rig: ContractRig) -> None:
    rig.connect()
    first = opening(rig)
    before = len(rig.heard)
    rig.adapter.renew_link("the process stood still")
    rig.settle()
    rig.restore_link()
    assert opening(rig, before) == [AdapterState.LOST, AdapterState.BACKING_OFF, *first]
    assert rig.heard.of(AdapterStatus, before)[0].cause == "the process stood still"


def test_3_it_does_not_come_back_before_its_delay(rig: ContractRig) -> None:
    rig.connect()
    rig.lose_link("cable pulled", 5.0)
    before = len(rig.heard)
    rig.advance(4)
    assert rig.heard.states(before) == []
    rig.advance(1.1)
    assert rig.heard.states(before)[-1] is AdapterState.READY


def test_3_fills_missed_while_lost_are_delivered(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=9_950)
    rig.lose_link("cable pulled")
    before = len(rig.heard)
    rig.take(Side.SELL, 1_000)
    rig.settle()
    assert rig.heard.of(TradeData, before) == []
    rig.restore_link()
    (missed,) = [trade for trade in rig.heard.of(TradesLoaded, before)[0].trades if trade.order_id == order_id]
    assert (missed.price, missed.quantity, missed.trade_id) == (99.5, 1.0, rig.fills()[-1][0])


def test_3_trades_older_than_the_cursor_are_not_told_again(rig: ContractRig) -> None:
    rig.connect()
    old = rig.send(price=0, quantity=100)
    rig.advance(1)
    rig.send(price=0, quantity=100)
    rig.advance(1)
    resting = rig.send(price=9_950)
    rig.lose_link("cable pulled")
    rig.take(Side.SELL, 1_000)
    before = len(rig.heard)
    rig.restore_link()
    told = [trade.order_id for trade in rig.heard.of(TradesLoaded, before)[0].trades]
    assert resting in told
    assert old not in told


def test_3_an_order_that_ended_while_lost_is_no_longer_listed(rig: ContractRig) -> None:
    rig.connect()
    kept, gone = rig.send(), rig.send()
    rig.lose_link("cable pulled")
    rig.cancel_elsewhere(gone)
    before = len(rig.heard)
    rig.restore_link()
    assert [order.order_id for order in rig.heard.of(OpenOrdersLoaded, before)[0].orders] == [kept]


def test_3_the_account_is_told_anew_after_a_loss(rig: ContractRig) -> None:
    rig.connect()
    rig.send(price=9_950)
    rig.lose_link("cable pulled")
    rig.take(Side.SELL, 1_000)
    before = len(rig.heard)
    rig.restore_link()
    told = rig.heard.of(AccountData, before)[0]
    assert {row.asset: (row.total, row.locked) for row in told.balances} == rig.balances()


def test_3_nothing_is_heard_of_the_venue_while_the_link_is_lost(rig: ContractRig) -> None:
    rig.connect().subscribe(_everything(rig))
    rig.send(price=9_950)
    rig.lose_link("cable pulled")
    before = len(rig.heard)
    rig.take(Side.SELL, 500)
    rig.rest(Side.BUY, 9_940, 100)
    rig.settle()
    assert rig.heard.events(before) == []


def test_3_each_desired_stream_is_opened_once_however_often_the_link_is_lost(rig: ContractRig) -> None:
    rig.require("market_trades")
    rig.connect().subscribe(_everything(rig))
    for _ in range(3):
        rig.lose_link("cable pulled")
        rig.restore_link()
    assert rig.streams(rig.spot.instrument_id) == 1
    before = len(rig.heard)
    rig.take(Side.BUY, 100)
    rig.settle()
    assert len(rig.heard.of(MarketTrade, before)) == 1
    assert len(rig.heard.of(TickData, before)) in rig.ticks_per_change
    assert len(rig.heard.of(DepthData, before)) == 1


def test_3_every_desired_stream_goes_on_after_a_loss(rig: ContractRig) -> None:
    rig.connect()
    for instrument in (rig.spot, rig.contract):
        rig.adapter.subscribe(SubscribeRequest(instrument.instrument_id, trades=rig.capabilities.market_trades))
    rig.settle()
    rig.lose_link("cable pulled")
    rig.restore_link()
    for instrument in (rig.spot, rig.contract):
        before = len(rig.heard)
        rig.take(Side.BUY, 100, instrument)
        rig.settle()
        assert {tick.instrument_id for tick in rig.heard.of(TickData, before)} == {instrument.instrument_id}
        assert len(rig.heard.of(MarketTrade, before)) == int(rig.capabilities.market_trades)


def test_3_a_fresh_snapshot_shows_what_was_missed_before_ready(rig: ContractRig) -> None:
    rig.connect().subscribe(_everything(rig))
    rig.settle()
    rig.lose_link("cable pulled")
    rig.rest(Side.BUY, 9_960, 700)
    before = len(rig.heard)
    rig.restore_link()
    events = rig.heard.events(before)
    ready = next(n for n, e in enumerate(events) if isinstance(e, AdapterStatus) and e.state is AdapterState.READY)
    snapshots = [event for event in events[:ready] if isinstance(event, DepthData)]
    assert [snapshot.bids[0] for snapshot in snapshots] == [(99.6, 0.7)]


def test_3_a_snapshot_is_fresh_even_when_nothing_changed_while_lost(rig: ContractRig) -> None:
    rig.connect().subscribe(_everything(rig))
    rig.settle()
    before = len(rig.heard)
    rig.lose_link("cable pulled")
    rig.restore_link()
    assert len(rig.heard.of(DepthData, before)) == 1
    assert len(rig.heard.of(TickData, before)) in rig.ticks_per_change


def test_3_what_is_subscribed_before_connecting_streams_after_it(rig: ContractRig) -> None:
    rig.adapter.subscribe(_everything(rig))
    rig.connect()
    assert len(rig.heard.of(DepthData)) == 1


def test_3_what_is_subscribed_while_lost_streams_after_it(rig: ContractRig) -> None:
    rig.connect()
    rig.lose_link("cable pulled")
    rig.adapter.subscribe(_everything(rig))
    rig.settle()
    assert rig.heard.of(TickData) == []
    rig.restore_link()
    assert len(rig.heard.of(TickData)) in rig.ticks_per_change


def test_3_what_is_unsubscribed_while_lost_does_not_come_back(rig: ContractRig) -> None:
    rig.connect().subscribe(_everything(rig))
    rig.settle()
    rig.lose_link("cable pulled")
    rig.adapter.unsubscribe(rig.spot.instrument_id)
    rig.restore_link()
    before = len(rig.heard)
    rig.take(Side.BUY, 100)
    rig.settle()
    assert rig.heard.events(before) == []
    assert rig.streams(rig.spot.instrument_id) == 0


def test_3_an_order_while_lost_comes_back_denied_and_never_reaches_the_venue(rig: ContractRig) -> None:
    rig.connect()
    rig.lose_link("cable pulled")
    order_id = rig.send()
    (report,) = rig.heard.reports(order_id)
    assert report.status is OrderStatus.DENIED
    assert report.rule
    assert report.reason
    rig.restore_link()
    assert rig.received() == []
    assert len(rig.heard.reports(order_id)) == 1


def test_3_a_cancel_while_lost_comes_back_and_the_order_stays(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send()
    rig.lose_link("cable pulled")
    rig.cancel(order_id)
    assert len(rig.heard.of(RequestFailed)) == 1
    assert rig.open_orders() == {order_id}
    assert rig.heard.reports(order_id)[-1].status is OrderStatus.ACCEPTED


def test_3_losing_a_lost_link_is_told_once(rig: ContractRig) -> None:
    rig.connect()
    rig.lose_link("cable pulled")
    rig.lose_link("cable pulled again")
    assert rig.heard.states().count(AdapterState.LOST) == 1
    rig.restore_link()
    assert rig.heard.states().count(AdapterState.READY) == 2


def test_3_orders_trade_as_before_after_a_loss(rig: ContractRig) -> None:
    rig.connect()
    resting = rig.send(price=9_950)
    rig.lose_link("cable pulled")
    rig.restore_link()
    rig.take(Side.SELL, 1_000)
    taking = rig.send(price=0)
    for order_id in (resting, taking):
        assert rig.heard.reports(order_id)[-1].status is OrderStatus.FILLED
        assert len(rig.heard.fills(order_id)) == 1


def test_3_a_fill_after_a_loss_is_told_once(rig: ContractRig) -> None:
    rig.connect()
    for _ in range(2):
        rig.lose_link("cable pulled")
        rig.restore_link()
    order_id = rig.send(price=0)
    assert len(rig.heard.fills(order_id)) == 1
    statuses = [order.status for order in rig.heard.of(OrderData)]
    assert statuses == [OrderStatus.ACCEPTED, OrderStatus.FILLED]
