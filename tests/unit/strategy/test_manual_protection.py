"""What people enter by hand is protected as a strategy's entries are, and what makes no sense is refused in words."""

import pytest

from foxtrot.core.commands import CancelAllOrders, ClosePosition, KillSwitch, ProtectPosition, SendProtectedOrder
from foxtrot.core.notices import OrderChanged, ProtectionChanged, RequestFailed
from foxtrot.domain.enums import OrderStatus, OrderType, PositionMode, PositionSide, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.builders import a_perpetual
from tests.support.line_rig import LineRig

NAME = "BTCUSDT.PERP"
ME = ("manual", "main", NAME, PositionSide.NET)


@pytest.fixture
def rig() -> LineRig:
    made = LineRig(a_perpetual())
    made.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    made.quote(99.9, 100.1)
    return made


def entry(side: Side = Side.BUY, **terms: object) -> OrderRequest:
    return OrderRequest(NAME, "main", side, OrderType.MARKET, 1.0, **terms)  # type: ignore[arg-type]


def resting(rig: LineRig) -> list[tuple[str, float]]:
    return [(str(r.terms.order_type), r.terms.trigger_price) for r in rig.line.desk.open_records("manual")]


def test_a_bracket_stands_from_the_first_fill_on(rig: LineRig) -> None:
    rig.put(SendProtectedOrder(entry(), "manual", stop=95.0, take_profit=110.0))
    rig.settle()
    view = rig.line.protections.view(ME)
    assert view is not None
    assert (view.terms.stop, view.terms.take_profit) == (95.0, 110.0)
    assert resting(rig) == [("stop", 95.0)]
    assert [told.owner for told in rig.told(ProtectionChanged)] == ["manual"] * len(rig.told(ProtectionChanged))
    rig.quote(94.0, 94.2)
    rig.trade(94.1)
    rig.settle()
    assert rig.net() == {}


def test_a_stop_on_the_wrong_side_denies_the_entry(rig: LineRig) -> None:
    rig.put(SendProtectedOrder(entry(), "manual", stop=105.0))
    (change,) = rig.told(OrderChanged)
    assert (change.order.status, change.order.rule) == (OrderStatus.DENIED, "protection")
    assert rig.net() == {}


def test_an_account_or_instrument_that_is_not_there_denies_the_entry(rig: LineRig) -> None:
    rig.put(SendProtectedOrder(OrderRequest(NAME, "nobody", Side.BUY, OrderType.MARKET, 1.0), "manual", stop=95.0))
    rig.put(SendProtectedOrder(OrderRequest("GONE", "main", Side.BUY, OrderType.MARKET, 1.0), "manual", stop=95.0))
    assert [change.order.rule for change in rig.told(OrderChanged)] == ["account", "instrument"]


def test_a_position_that_stands_is_protected_changed_and_let_go(rig: LineRig) -> None:
    rig.line.desk.submit(entry(), "manual")
    rig.settle()
    rig.put(ProtectPosition("manual", "main", NAME, stop=95.0))
    rig.settle()
    assert resting(rig) == [("stop", 95.0)]
    rig.put(ProtectPosition("manual", "main", NAME, stop=96.0))
    rig.settle()
    assert resting(rig) == [("stop", 96.0)]
    rig.put(ProtectPosition("manual", "main", NAME, 0.0, 0.0, 0.0))
    rig.settle()
    assert (resting(rig), rig.line.protections.view(ME)) == ([], None)


def test_what_is_not_held_is_not_protected(rig: LineRig) -> None:
    rig.put(ProtectPosition("manual", "main", NAME, stop=95.0))
    rig.put(ProtectPosition("manual", "nobody", NAME, stop=95.0))
    assert [("holds no" in one.error, "nobody" in one.error) for one in rig.told(RequestFailed)] == [
        (True, False),
        (False, True),
    ]


def test_in_a_hedging_account_each_side_has_its_own() -> None:
    rig = LineRig(a_perpetual(), mode=PositionMode.HEDGING)
    rig.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    rig.quote(99.9, 100.1)
    rig.put(SendProtectedOrder(entry(position_side=PositionSide.LONG), "manual", stop=95.0))
    rig.settle()
    assert rig.line.protections.view(("manual", "main", NAME, PositionSide.LONG)) is not None


def test_closing_withdraws_the_stop_first_and_leaves_nothing(rig: LineRig) -> None:
    rig.put(SendProtectedOrder(entry(), "manual", stop=95.0, take_profit=110.0))
    rig.settle()
    rig.put(ClosePosition("manual", "main", NAME))
    rig.settle()
    assert (rig.net(), resting(rig), rig.line.protections.view(ME)) == ({}, [], None)
    ended = [change.order for change in rig.told(OrderChanged) if change.order.order_type is OrderType.STOP]
    assert ended[-1].status is OrderStatus.CANCELLED


def test_what_is_not_protected_is_closed_by_an_order_that_only_reduces(rig: LineRig) -> None:
    rig.line.desk.submit(entry(), "manual")
    rig.settle()
    rig.put(ClosePosition("manual", "main", NAME))
    rig.settle()
    assert rig.net() == {}
    closing = [change.order for change in rig.told(OrderChanged)][-1]
    assert (closing.side, closing.quantity, closing.reduce_only) == (Side.SELL, 1.0, True)


def test_what_is_not_held_is_not_closed(rig: LineRig) -> None:
    rig.put(ClosePosition("manual", "main", NAME))
    rig.put(ClosePosition("manual", "nobody", NAME))
    assert [one.what for one in rig.told(RequestFailed)] == [f"close {NAME}"] * 2
    assert "manual holds no" in rig.told(RequestFailed)[0].error


def test_a_position_is_turned_round_and_its_stop_opens_nothing(rig: LineRig) -> None:
    rig.put(SendProtectedOrder(entry(), "manual", stop=95.0))
    rig.settle()
    rig.put(ClosePosition("manual", "main", NAME, reverse=True))
    rig.settle()
    position = rig.line.portfolio.position(*ME)
    assert position is not None
    assert (float(position.exact_quantity), resting(rig), rig.line.protections.view(ME)) == (-1.0, [], None)
    rig.quote(94.0, 94.2)
    rig.trade(94.1)  # where the stop stood
    rig.settle()
    assert float(position.exact_quantity) == -1.0


def test_a_part_is_closed_and_what_is_left_has_its_stop_again(rig: LineRig) -> None:
    rig.put(SendProtectedOrder(entry(), "manual", stop=95.0, take_profit=110.0))
    rig.settle()
    rig.put(ClosePosition("manual", "main", NAME, quantity=0.25))
    rig.settle()
    (record,) = rig.line.desk.open_records("manual")
    view = rig.line.protections.view(ME)
    assert view is not None
    assert (view.terms.stop, view.terms.take_profit, view.terms.local) == (95.0, 110.0, False)
    assert (record.instrument.quantity(record.remaining_units), record.terms.trigger_price) == (0.75, 95.0)
    assert rig.line.protections.cover(ME).protection == "at the venue"
    denied = [change.order for change in rig.told(OrderChanged) if change.order.status is OrderStatus.DENIED]
    assert (denied, rig.told(RequestFailed)) == ([], [])


def test_while_the_stop_is_being_cancelled_nothing_is_asked_twice_and_a_kill_takes_back_the_other_side(
    rig: LineRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.put(SendProtectedOrder(entry(), "manual", stop=95.0))
    rig.settle()
    adapter, held = rig.line.adapters["main"], []
    cancel = adapter.cancel_order
    monkeypatch.setattr(adapter, "cancel_order", held.append)
    rig.put(ClosePosition("manual", "main", NAME, reverse=True))
    rig.put(ClosePosition("manual", "main", NAME, reverse=True))
    assert ["being closed already" in one.error for one in rig.told(RequestFailed)] == [True]
    rig.put(KillSwitch("a test", "ann"))
    monkeypatch.undo()
    for request in held:
        cancel(request)
    rig.settle()
    assert rig.net() == {"main": 1.0}  # the gate is halted: it is closed when that opens, and nothing is opened


def test_a_part_that_is_killed_meanwhile_is_not_sold_and_stays_protected(
    rig: LineRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig.put(SendProtectedOrder(entry(), "manual", stop=95.0))
    rig.settle()
    adapter, held = rig.line.adapters["main"], []
    cancel = adapter.cancel_order
    monkeypatch.setattr(adapter, "cancel_order", held.append)
    rig.put(ClosePosition("manual", "main", NAME, quantity=0.25))
    assert len(held) == 1
    rig.put(CancelAllOrders("nobody"))
    for request in held:
        cancel(request)
    monkeypatch.undo()
    rig.settle()
    assert (rig.net(), resting(rig)) == ({"main": 1.0}, [("stop", 95.0)])
