"""Closing by hand when something stands in its way: a halted gate, nobody who buys, a cancel that is not answered, senseless sizes."""

import pytest

from foxtrot.core.commands import ClosePosition, KillSwitch, ProtectPosition, ResumeTrading, SendProtectedOrder
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderType, PositionSide, Side
from foxtrot.domain.order import CancelRequest, OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import CancelAll
from foxtrot.trading.protection_state import ProtectionTerms
from tests.support.builders import a_perpetual
from tests.support.line_rig import CROWD, LineRig

NAME = "BTCUSDT.PERP"
ME = ("manual", "main", NAME, PositionSide.NET)


@pytest.fixture
def rig() -> LineRig:
    made = LineRig(a_perpetual())
    made.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    made.quote(99.9, 100.1)
    return made


def order(side: Side = Side.BUY, quantity: float = 1.0) -> OrderRequest:
    return OrderRequest(NAME, "main", side, OrderType.MARKET, quantity)


def enter(rig: LineRig, stop: float = 0.0) -> None:
    if stop:
        rig.put(SendProtectedOrder(order(), "manual", stop=stop))
    else:
        rig.line.desk.submit(order(), "manual")
    rig.settle()


def close(rig: LineRig, quantity: float = 0.0, *, reverse: bool = False) -> None:
    rig.put(ClosePosition("manual", "main", NAME, quantity=quantity, reverse=reverse))
    rig.settle()


def let_nobody_buy(rig: LineRig) -> None:
    for account in CROWD:
        rig.session.execute(CancelAll(rig.clock.now_ns(), account))
    rig.settle()


def stops(rig: LineRig) -> list[float]:
    return [record.terms.trigger_price for record in rig.line.desk.open_records("manual")]


@pytest.mark.parametrize(("quantity", "reverse"), [(0.25, False), (0.0, False), (0.0, True)])
def test_a_stop_is_not_withdrawn_for_an_order_that_a_halted_gate_would_not_let_out(
    rig: LineRig, quantity: float, reverse: bool
) -> None:
    enter(rig, stop=95.0)
    rig.put(KillSwitch("a test", "ann"))
    close(rig, quantity, reverse=reverse)
    assert stops(rig) == [95.0]
    assert rig.line.protections.cover(ME).protection == "at the venue"
    assert "stays as it is" in rig.told(RequestFailed)[-1].error


def test_a_closing_order_that_found_nobody_opens_nothing_later_and_is_no_obstacle(rig: LineRig) -> None:
    enter(rig)
    let_nobody_buy(rig)
    close(rig, reverse=True)
    assert "nothing is opened on the other side" in rig.told(RequestFailed)[-1].error
    rig.quote(99.9, 100.1)
    close(rig)
    assert rig.net() == {}


def test_what_was_not_answered_in_time_is_no_obstacle_for_ever(rig: LineRig, monkeypatch: pytest.MonkeyPatch) -> None:
    enter(rig, stop=95.0)
    adapter, held = rig.line.adapters["main"], list[CancelRequest]()
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "cancel_order", held.append)
        close(rig, reverse=True)
        rig.wait(31.0)
        close(rig)
    assert ["it took too long" in one.error for one in rig.told(RequestFailed)] == [True]
    for request in held:
        adapter.cancel_order(request)
    rig.settle()
    assert rig.net() == {}


@pytest.mark.parametrize("quantity", [-0.25, float("nan"), float("inf")])
def test_a_senseless_quantity_is_not_taken_for_all(rig: LineRig, quantity: float) -> None:
    enter(rig)
    close(rig, quantity)
    assert rig.net() == {"main": 1.0}
    assert "quantity" in rig.told(RequestFailed)[-1].error


@pytest.mark.parametrize(("stop", "left"), [(96.0, [96.0]), (0.0, [])])
def test_a_stop_that_is_changed_or_taken_away_meanwhile_does_not_come_back_as_it_was(
    rig: LineRig, monkeypatch: pytest.MonkeyPatch, stop: float, left: list[float]
) -> None:
    enter(rig, stop=95.0)
    adapter, held = rig.line.adapters["main"], list[CancelRequest]()
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "cancel_order", held.append)
        close(rig, 0.25)
        rig.put(ProtectPosition("manual", "main", NAME, stop, 0.0, 0.0))
    for request in held:
        adapter.cancel_order(request)
    rig.settle()
    assert (rig.net(), stops(rig)) == ({"main": 0.75}, left)


def test_a_position_that_turned_over_meanwhile_does_not_get_the_stop_of_the_other(
    rig: LineRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter(rig, stop=95.0)
    adapter, held = rig.line.adapters["main"], list[CancelRequest]()
    with monkeypatch.context() as patch:
        patch.setattr(adapter, "cancel_order", held.append)
        close(rig, 0.25)
        rig.line.desk.submit(order(Side.SELL, 2.0), "manual")
        rig.settle()
    for request in held:
        adapter.cancel_order(request)
    rig.settle()
    assert (rig.net(), rig.line.protections.view(ME)) == ({"main": -1.0}, None)


def test_what_a_strategy_closes_at_a_halted_gate_keeps_its_stop_until_it_is_closed(rig: LineRig) -> None:
    enter(rig, stop=95.0)
    rig.put(KillSwitch("a test", "ann"))
    assert rig.line.protections.close(ME)
    rig.settle()
    assert (stops(rig), rig.line.protections.cover(ME).protection) == ([95.0], "at the venue")
    rig.put(ResumeTrading("ann", "goes on"))
    rig.settle()
    assert (rig.net(), stops(rig), rig.line.protections.view(ME)) == ({}, [], None)


def test_a_stop_is_not_taken_over_from_the_venue_while_it_could_not_be_carried_out_here(rig: LineRig) -> None:
    enter(rig, stop=95.0)
    rig.put(KillSwitch("a test", "ann"))
    rig.line.protections.protect(ME, ProtectionTerms(95.0, local=True))
    rig.settle()
    assert stops(rig) == [95.0]
    rig.put(ResumeTrading("ann", "goes on"))
    rig.settle()
    assert (stops(rig), rig.line.protections.cover(ME).protection) == ([], "while this process lives")
