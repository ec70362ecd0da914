"""What the simulated adapter says of pairs beyond the contract: contracts, latency, a venue that breaks, a backtest's market."""

from collections.abc import Iterator

import msgspec
import pytest

from foxtrot.adapter.simulated import codec
from foxtrot.core.notices import OpenOrdersLoaded
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.order import ApprovedOrder, OrderData
from tests.support.simulated_rig import SimulatedRig

S = OrderStatus


@pytest.fixture(params=[True, False], ids=["thread", "in_line"])
def rig(request: pytest.FixtureRequest) -> Iterator[SimulatedRig]:
    with SimulatedRig(threaded=request.param) as made:
        yield made


def a_pair(rig: SimulatedRig, **both: object) -> tuple[ApprovedOrder, ApprovedOrder]:
    """A stop and a limit that sell, around the last price."""
    terms = {"order_type": OrderType.STOP, "trigger_units": 9_850, "price": 0} | both
    return rig.order(Side.SELL, **terms), rig.order(Side.SELL, price=10_050, post_only=True, **both)  # type: ignore[arg-type]


def told(rig: SimulatedRig, order: ApprovedOrder) -> list[tuple[OrderStatus, str]]:
    return [(report.status, report.rule) for report in rig.heard.reports(order.order_id)]


@pytest.mark.parametrize("turned", [False, True])
def test_the_stop_comes_first_in_the_command_whichever_was_given_first(rig: SimulatedRig, turned: bool) -> None:
    stop, limit = a_pair(rig)
    command = codec.place_pair(*((limit, stop) if turned else (stop, limit)), 7)
    assert (command.account, command.time_ns, command.name) == (rig.account, 7, "")
    assert command.stop == codec.place_order(stop, 7)
    assert command.limit == codec.place_order(limit, 7)


def test_a_pair_on_contracts_is_rejected_for_both_with_the_venues_words(rig: SimulatedRig) -> None:
    rig.connect()
    pair = a_pair(rig, instrument_id=rig.contract.instrument_id)
    rig.adapter.send_pair(*pair)
    rig.settle()
    for order in pair:
        assert told(rig, order) == [(S.REJECTED, "order.pair")]
        assert "takes no pairs" in rig.heard.reports(order.order_id)[0].reason
    assert rig.open_orders() == set()


@pytest.mark.parametrize("which", [0, 1])
def test_a_pair_of_which_one_names_an_instrument_that_is_not_listed_is_denied_for_both(
    rig: SimulatedRig, which: int
) -> None:
    rig.connect()
    pair = list(a_pair(rig))
    pair[which] = msgspec.structs.replace(pair[which], instrument_id="NOPE.TEST")
    rig.adapter.send_pair(*pair)
    rig.settle()
    assert [told(rig, order) for order in pair] == [[(S.DENIED, "instrument")]] * 2
    assert "NOPE.TEST" in rig.heard.reports(pair[0].order_id)[0].reason
    assert rig.received() == []


def test_two_orders_on_two_instruments_are_rejected_for_both(rig: SimulatedRig) -> None:
    rig.connect()
    stop, limit = a_pair(rig)
    limit = msgspec.structs.replace(limit, instrument_id=rig.contract.instrument_id)
    rig.adapter.send_pair(stop, limit)
    rig.settle()
    assert [told(rig, order) for order in (stop, limit)] == [[(S.REJECTED, "order.pair")]] * 2


def test_a_pair_cut_off_before_it_is_given_is_denied_and_one_given_before_is_listed_after(rig: SimulatedRig) -> None:
    rig.connect()
    given, cut_off = a_pair(rig), a_pair(rig)
    with rig.held():
        rig.adapter.send_pair(*given)
        rig.adapter.drop_link("cable pulled", 5.0)  # type: ignore[attr-defined]
        rig.adapter.send_pair(*cut_off)
    rig.settle()
    assert [told(rig, order) for order in cut_off] == [[(S.DENIED, "not_connected")]] * 2
    rig.restore_link()
    listed = {order.order_id for order in rig.heard.of(OpenOrdersLoaded)[-1].orders}
    assert listed == rig.open_orders() == {order.order_id for order in given}


def test_a_pair_asked_of_a_venue_that_broke_is_denied_for_both() -> None:
    with SimulatedRig(threaded=True) as rig:
        rig.connect()

        def break_down() -> None:
            raise ValueError("rotten wood")

        pair = a_pair(rig)
        rig.session.submit(break_down)
        rig.adapter.send_pair(*pair)
        assert rig.adapter.close() == ""
        assert [told(rig, order) for order in pair] == [[(S.DENIED, "not_connected")]] * 2


def test_latency_delays_the_pair_there_and_both_answers_back() -> None:
    with SimulatedRig(threaded=False) as rig:
        rig.connect()
        session, began = rig.session, rig.clock.now_ns()
        session.latency_ns = 1_000
        pair = a_pair(rig)
        rig.adapter.send_pair(*pair)
        rig.clock.advance(999)
        session.run_due(rig.clock.now_ns())
        assert rig.received() == []
        rig.clock.advance(1)
        session.run_due(rig.clock.now_ns())
        assert rig.received() == [order.order_id for order in pair]
        assert [told(rig, order) for order in pair] == [[], []]
        rig.clock.advance(1_000)
        session.run_due(rig.clock.now_ns())
        assert [told(rig, order) for order in pair] == [[(S.ACCEPTED, "")]] * 2
        assert {order.venue_time_ns for order in rig.heard.of(OrderData)} == {began + 1_000}
        session.latency_ns = 0


def test_a_permit_that_closes_while_the_pair_is_on_its_way_lets_none_of_it_in() -> None:
    with SimulatedRig(threaded=False) as rig:
        rig.connect()
        rig.session.latency_ns = 1_000
        pair = a_pair(rig)
        rig.adapter.send_pair(*pair)
        rig.permit.close("kill switch")
        rig.clock.advance(1_000)
        rig.session.run_due(rig.clock.now_ns())
        rig.clock.advance(1_000)
        rig.session.run_due(rig.clock.now_ns())
        assert [told(rig, order) for order in pair] == [[(S.DENIED, "send_permit")]] * 2
        assert rig.received() == []
        rig.session.latency_ns = 0
