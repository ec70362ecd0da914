"""A balance is not taken as moved outside while an order of ours in that asset has no answer yet, or lacks fills."""

import msgspec

from foxtrot.core.notices import AccountAdjusted, TradesLoaded
from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.domain.order import OrderData, TradeData
from tests.support.builders import a_spot
from tests.support.reconcile_rig import ACCOUNT, OWNER, ReconcileRig


def a_fill_nobody_tells(rig: ReconcileRig) -> OrderData:
    """A market order of ours that trades at the venue, whose lists lag, while nothing of it is heard."""
    rig.link.fate = lambda event: not isinstance(event, TradeData | OrderData)
    put = rig.link.put

    def lagging(event: object) -> None:
        put(msgspec.structs.replace(event, trades=()) if isinstance(event, TradesLoaded) else event)

    rig.link.put = lagging  # type: ignore[method-assign]
    order = rig.order(Side.BUY, 2.0)
    assert order.status is OrderStatus.SUBMITTED
    return order


def heal(rig: ReconcileRig) -> None:
    """Let everything be told again."""
    rig.link.fate = lambda _event: 1
    del rig.link.put  # type: ignore[method-assign]


def test_what_an_unheard_order_may_have_moved_waits_for_its_fills() -> None:
    rig = ReconcileRig(a_spot())
    order = a_fill_nobody_tells(rig)
    assert rig.reconcile().error == ""
    assert not rig.told(AccountAdjusted)
    heal(rig)
    rig.wait(60)
    rig.reconcile()
    told = rig.line.desk.order(order.order_id)
    assert told is not None
    assert told.status is OrderStatus.FILLED
    position = rig.line.portfolio.position(OWNER, ACCOUNT, rig.instruments[0].instrument_id)
    assert position is not None
    assert position.exact_quantity == 2
    assert rig.differences() == []
    assert not rig.told(AccountAdjusted)


def test_a_deposit_is_taken_when_no_order_of_ours_is_unheard() -> None:
    rig = ReconcileRig(a_spot())
    rig.order(Side.BUY, 1.0, 90.0)  # rests, and the venue has said so
    rig.link.fate = lambda _event: 0
    rig.move_money("USDT", "5")
    rig.reconcile()
    assert [told.what for told in rig.told(AccountAdjusted)] == ["5 USDT"]
