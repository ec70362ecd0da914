"""Changes of orders over the real ibapi in races: a refusal that comes late, a cancel that overtakes, fills of the larger order."""

from collections.abc import Iterator
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.ib.pacing import Lane
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AmendAnswered, TradesLoaded
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend
from foxtrot.domain.outcome import Outcome
from tests.support.ib_order_tws import Order, OrderTws
from tests.support.ib_raw_server import RawClient
from tests.support.ib_trading_rig import AAPL, TradingRig, trading
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")
S = OrderStatus
START_NS = 1_795_876_200 * 10**9  # 2026-11-28 14:30:00 UTC
OTHER_ID = 272093
OTHER = msgspec.structs.replace(AAPL, instrument_id="MSFT.NASDAQ", symbol="MSFT", base_asset="MSFT")


@pytest.fixture
def tws() -> Iterator[OrderTws]:
    made = OrderTws()
    made.start()
    yield made
    made.server.stop()


@pytest.fixture
def rig(tws: OrderTws) -> Iterator[TradingRig]:
    with trading(tws.server.port) as made:
        yield made


@pytest.fixture
def slow(tws: OrderTws) -> Iterator[TradingRig]:
    """A rig whose time passes only when the test says so."""
    with trading(tws.server.port, clock=ManualClock(START_NS), mute_after_s=60.0) as made:
        yield made


def amend(rig: TradingRig, order_id: str, **changes: Any) -> None:
    rig.adapter.amend_order(ApprovedAmend(1, msgspec.structs.replace(rig.order(order_id), **changes)))


def answer(rig: TradingRig) -> AmendAnswered:
    wait_until(lambda: bool(rig.heard.of(AmendAnswered)))
    (found,) = rig.heard.of(AmendAnswered)
    return found


def exhaust(rig: TradingRig) -> None:
    """Let no order have a turn before time passes; cancels have a part of their own."""
    pace = rig.adapter.session.pace
    while pace.left(Lane.ORDER):
        pace._sent.append(rig.clock.monotonic_ns())


def test_a_trailing_stop_whose_price_moves_is_changed_when_its_distance_is_told(tws: OrderTws, rig: TradingRig) -> None:
    def follow(tws: OrderTws, client: RawClient, order: Order) -> None:
        wanted, order.aux = order.aux, "1.50"
        for told, stop in (("1.50", "187.11"), (wanted, "187.48")):  # it moves while the former distance holds
            order.aux, order.trail_stop = told, stop
            if told == "1.50" or not held:
                tws.tell_order(order, client)

    held: list[bool] = []
    tws.on_place = follow
    order = msgspec.structs.replace(
        rig.order(side=Side.SELL, price=0, order_type=OrderType.TRAILING_STOP, trigger_units=18_800),
        trailing_offset_units=150,
    )
    rig.adapter.send_order(order)
    rig.until(order.order_id, S.ACCEPTED)
    held.append(True)
    rig.adapter.amend_order(ApprovedAmend(1, msgspec.structs.replace(order, trailing_offset_units=200)))
    wait_until(lambda: len(tws.placed) == 2)
    for _ in range(20):
        rig.beat()
    assert rig.heard.of(AmendAnswered) == []
    tws.tell_order(tws.orders[0])
    assert answer(rig).outcome is Outcome.CONFIRMED


def test_a_refusal_after_the_new_terms_were_told_does_not_end_the_order(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)

    def echo_and_refuse(tws: OrderTws, client: RawClient, order: Order) -> None:
        tws.tell_order(order, client)
        order.price = "189.50"
        tws.tell_error(order.number, 201, "Order rejected - reason:the exchange refuses the change", client)

    tws.on_place = echo_and_refuse
    amend(rig, order_id, price_units=18_900)
    assert answer(rig).outcome is Outcome.CONFIRMED
    wait_until(lambda: rig.reports(order_id)[-1].price == 189.5, 10.0)
    assert set(rig.statuses(order_id)) == {S.ACCEPTED}


def test_a_refusal_that_comes_after_the_time_for_it_does_not_end_the_order(tws: OrderTws, slow: TradingRig) -> None:
    order_id = slow.send()
    slow.until(order_id, S.ACCEPTED)

    def keep(_tws: OrderTws, _client: RawClient, order: Order) -> None:
        order.price = "189.50"

    tws.on_place = keep
    amend(slow, order_id, price_units=18_900)
    slow.pass_time(15, lambda: bool(slow.heard.of(AmendAnswered)))
    assert answer(slow).outcome is Outcome.UNKNOWN
    tws.tell_error(tws.orders[0].number, 201, "Order rejected - reason:too late")
    for _ in range(5):
        slow.pass_time(1, lambda: True)
        slow.clock.advance(10**9)  # type: ignore[attr-defined]
        slow.beat()
    assert slow.last(order_id) is S.ACCEPTED


@pytest.mark.parametrize("how", ["cancelled", "cancel asked", "filled"])
def test_a_change_that_waits_for_its_turn_does_not_leave_once_the_order_ends(
    tws: OrderTws, slow: TradingRig, how: str
) -> None:
    order_id = slow.send()
    slow.until(order_id, S.ACCEPTED)
    exhaust(slow)
    amend(slow, order_id, price_units=18_900)
    slow.beat()
    if how == "filled":
        tws.fill(tws.orders[0], "0001.01.01", 100, 189.5)
        slow.until(order_id, S.FILLED)
    else:
        if how == "cancel asked":
            tws.on_cancel = lambda *_: None
        slow.cancel(order_id)
        wait_until(lambda: bool(tws.cancelled))
        if how == "cancelled":
            slow.until(order_id, S.CANCELLED)
    slow.pass_time(5, lambda: bool(slow.heard.of(AmendAnswered)))
    assert (answer(slow).outcome, answer(slow).rule) == (Outcome.DENIED_LOCALLY, "amend")
    assert len(tws.placed) == 1


def test_what_fills_the_former_quantity_does_not_end_the_larger_order(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)

    def take_and_fill(tws: OrderTws, client: RawClient, order: Order) -> None:
        order.status = "PendingSubmit"
        tws.tell_order(order, client)
        order.status = "Submitted"
        tws.fill(order, "0001.01.01", 100, 189.5)

    tws.on_place = take_and_fill
    amend(rig, order_id, quantity_units=200)
    rig.until(order_id, S.PARTIALLY_FILLED)
    assert answer(rig).outcome is Outcome.CONFIRMED
    wait_until(lambda: len(rig.trades()) == 1)
    assert rig.statuses(order_id) == [S.ACCEPTED, S.PARTIALLY_FILLED]
    assert (rig.reports(order_id)[-1].quantity, rig.reports(order_id)[-1].filled_quantity) == (200.0, 100.0)
    tws.fill(tws.orders[0], "0002.01.01", 100, 189.5)
    rig.until(order_id, S.FILLED)


def test_what_fills_an_order_whose_larger_change_is_refused_ends_it(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)

    def fill_and_refuse(tws: OrderTws, client: RawClient, order: Order) -> None:
        order.quantity = "100"
        tws.fill(order, "0001.01.01", 100, 189.5)
        tws.tell_error(order.number, 104, "Cannot modify a filled order.", client)

    tws.on_place = fill_and_refuse
    amend(rig, order_id, quantity_units=200)
    rig.until(order_id, S.FILLED)
    assert answer(rig).outcome is Outcome.REFUSED
    wait_until(lambda: len(rig.trades()) == 1)


def test_a_change_of_a_contract_that_was_not_looked_up_costs_itself_alone(tws: OrderTws, rig: TradingRig) -> None:
    order_id = rig.send()
    rig.until(order_id, S.ACCEPTED)

    def unknown(instrument_id: str) -> Any:
        raise ConfigError(f"{instrument_id} was not looked up yet")

    rig.adapter.market.contract_of = unknown  # type: ignore[method-assign]
    rig.adapter.submit(
        lambda: rig.adapter.trading.amend(
            ApprovedAmend(1, msgspec.structs.replace(rig.order(order_id), price_units=18_900))
        ),
        "amend",
    )
    assert answer(rig).outcome is Outcome.DENIED_LOCALLY
    assert rig.heard.states().count(AdapterState.LOST) == 0


def test_a_fill_that_a_list_alone_tells_does_not_wait_for_its_commission_for_ever(
    tws: OrderTws, slow: TradingRig
) -> None:
    order_id = slow.send()
    slow.until(order_id, S.ACCEPTED)
    tws.fill(tws.orders[0], "0001.01.01", 40, 189.5, told=False)
    tws.fills[-1][1][1] = "0009.01.01"  # the commission that is told is of something else
    slow.pass_time(40, lambda: bool(slow.trades()))
    assert [one.trade_id for one in slow.trades()] == ["0001.01"]


def test_a_fill_of_what_nobody_has_named_and_nobody_holds_any_more_is_in_the_list(tws: OrderTws) -> None:
    tws.fill(tws.add("earlier-1", 0, 3, side="SELL"), "0001.01.01", 100, 189.5, told=False)
    tws.fills[0][0][1] = OTHER_ID
    rig = TradingRig(tws.server.port)
    market = rig.adapter.market

    async def resolve_con_id(con_id: int) -> Instrument:
        market.con_ids[con_id] = OTHER
        return OTHER

    market.resolve_con_id = resolve_con_id  # type: ignore[method-assign]
    rig.adapter.connect()
    try:
        rig.ready()
    finally:
        rig.adapter.close()
    (loaded,) = rig.heard.of(TradesLoaded)
    assert [(one.instrument_id, one.quantity) for one in loaded.trades] == [("MSFT.NASDAQ", 100.0)]
