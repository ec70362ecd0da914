"""What people enter by hand is protected as a strategy's entries are, and what makes no sense is refused in words."""

import pytest

from foxtrot.core.commands import ProtectPosition, SendProtectedOrder
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
