"""Promise 7: close is idempotent in every state and leaves no thread, task, socket or subscription behind."""

import threading

from foxtrot.core.notices import RequestFailed
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus, Side
from foxtrot.domain.order import OrderData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.contract_rig import ContractRig


def _busy(rig: ContractRig) -> None:
    """Connect, subscribe to everything and leave an order resting."""
    rig.connect()
    for instrument in (rig.spot, rig.contract):
        wishes = {"trades": rig.capabilities.market_trades, "depth_changes": rig.capabilities.depth_changes}
        rig.adapter.subscribe(SubscribeRequest(instrument.instrument_id, depth_levels=5, **wishes))
    rig.send()


def test_7_closing_leaves_nothing_behind(rig: ContractRig) -> None:
    _busy(rig)
    assert rig.remains() != []
    assert rig.adapter.close() == ""
    assert rig.remains() == []


def test_7_closing_tells_closed_once_and_last(rig: ContractRig) -> None:
    _busy(rig)
    rig.adapter.close()
    rig.settle()
    assert rig.heard.states()[-1] is AdapterState.CLOSED
    assert rig.heard.states().count(AdapterState.CLOSED) == 1
    assert getattr(rig.heard.events()[-1], "state", None) is AdapterState.CLOSED


def test_7_nothing_is_published_after_closing(rig: ContractRig) -> None:
    _busy(rig)
    rig.adapter.close()
    before = len(rig.heard)
    rig.take(Side.BUY, 300)
    rig.take(Side.SELL, 2_000)
    rig.settle()
    assert rig.heard.events(before) == []


def test_7_closing_twice_is_as_closing_once(rig: ContractRig) -> None:
    _busy(rig)
    assert rig.adapter.close() == ""
    before = len(rig.heard)
    assert rig.adapter.close() == ""
    assert rig.heard.events(before) == []
    assert rig.remains() == []


def test_7_every_part_lives_until_the_adapter_is_closed_and_none_is_missed_after(rig: ContractRig) -> None:
    _busy(rig)
    parts = rig.adapter.parts()
    assert {part.serves for part in parts} <= {rig.adapter.account}
    assert [part.death() for part in parts] == [""] * len(parts)
    rig.adapter.close()
    assert [part.death() for part in parts] == [""] * len(parts)
    assert [part.beat_ns() for part in parts if part.beat_ns is not None] == [None] * sum(
        part.beat_ns is not None for part in parts
    )


def test_7_closing_before_connecting_leaves_nothing(rig: ContractRig) -> None:
    rig.adapter.subscribe(SubscribeRequest(rig.spot.instrument_id, depth_levels=5))
    assert rig.adapter.close() == ""
    assert rig.adapter.close() == ""
    assert rig.remains() == []


def test_7_closing_while_connecting_leaves_nothing(rig: ContractRig) -> None:
    with rig.held():
        rig.adapter.connect()
        rig.returns(lambda: rig.adapter.close(0.05))
    rig.adapter.close()
    rig.settle()
    assert rig.remains() == []
    assert rig.heard.states()[-1] is AdapterState.CLOSED
    assert AdapterState.READY not in rig.heard.states()


def test_7_closing_from_two_threads_at_once_closes_once(rig: ContractRig) -> None:
    _busy(rig)
    results: list[str] = []
    with rig.together([lambda: results.append(rig.adapter.close())] * 3):
        pass
    assert results == ["", "", ""]
    assert rig.heard.states().count(AdapterState.CLOSED) == 1
    assert rig.remains() == []


def test_7_closing_while_backing_off_ends_the_reconnecting(rig: ContractRig) -> None:
    _busy(rig)
    rig.lose_link("cable pulled")
    assert rig.adapter.close() == ""
    assert rig.remains() == []
    before = len(rig.heard)
    rig.restore_link()
    rig.advance(60)
    assert rig.heard.events(before) == []


def test_7_closing_has_a_deadline_and_names_the_thread_that_overran(rig: ContractRig) -> None:
    _busy(rig)
    overran: list[str] = []
    with rig.held():
        assert rig.returns(lambda: overran.append(rig.adapter.close(0.05)))
    assert overran == [rig.io_thread]
    rig.settle()
    assert rig.remains() == []


def test_7_closing_on_the_adapters_own_thread_does_not_wait_for_itself(rig: ContractRig) -> None:
    rig.connect()
    done = threading.Event()
    put = rig.heard.put

    def close_on_order(event: object) -> None:
        put(event)
        if isinstance(event, OrderData) and not done.is_set():
            done.set()
            rig.adapter.close(5.0)

    rig.heard.put = close_on_order  # type: ignore[method-assign]
    rig.adapter.send_order(rig.order())
    assert done.wait(5)
    assert rig.returns(lambda: rig.adapter.close(5.0))
    assert rig.remains() == []


def test_7_connecting_after_closing_does_nothing(rig: ContractRig) -> None:
    rig.connect().close()
    before = len(rig.heard)
    rig.adapter.connect()
    rig.settle()
    assert rig.heard.events(before) == []
    assert rig.remains() == []


def test_7_subscribing_after_closing_comes_back_and_subscribes_nothing(rig: ContractRig) -> None:
    rig.connect().close()
    before = len(rig.heard)
    rig.adapter.subscribe(SubscribeRequest(rig.spot.instrument_id, trades=True))
    rig.settle()
    assert [type(event) for event in rig.heard.events(before)] == [RequestFailed]
    assert rig.remains() == []


def test_7_twenty_adapters_one_after_another_leave_nothing(rig: ContractRig) -> None:
    rig.adapter.close()
    for _ in range(20):
        rig.new_adapter()
        before = len(rig.heard)
        _busy(rig)
        assert AdapterState.READY in rig.heard.states(before)
        assert rig.adapter.close() == ""
    assert rig.remains() == []
    assert len(rig.open_orders()) == 20


def test_7_what_the_venue_holds_outlives_the_adapter(rig: ContractRig) -> None:
    _busy(rig)
    resting = rig.open_orders()
    rig.adapter.close()
    assert rig.open_orders() == resting != set()


def test_7_closing_one_account_leaves_the_others_working(rig: ContractRig) -> None:
    _busy(rig)
    other, heard = rig.other_adapter()
    assert rig.adapter.close() == ""
    before = len(heard)
    other.query_account()
    rig.settle()
    assert len(heard.of(AccountData, before)) == 1
    ours = len(rig.heard)
    order = rig.order(account=other.account)
    other.send_order(order)
    rig.settle()
    assert heard.reports(order.order_id)[-1].status is OrderStatus.ACCEPTED
    assert rig.heard.events(ours) == []
    assert other.close() == ""
    assert rig.remains() == []


def test_7_orders_asked_for_before_closing_are_answered_before_it(rig: ContractRig) -> None:
    rig.connect()
    orders = [rig.order() for _ in range(20)]
    for order in orders:
        rig.adapter.send_order(order)
    rig.adapter.close()
    assert all(rig.heard.reports(order.order_id) for order in orders)
    assert rig.heard.states()[-1] is AdapterState.CLOSED
