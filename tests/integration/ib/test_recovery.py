"""Each fault of TWS and its gateway while orders live: READY again, none doubled or lost, no number used twice, no fill missing."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import msgspec
import pytest

from foxtrot.adapter.ib.errors import NotSent
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import OpenOrdersLoaded
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.exchange.wire.ib.order_book_of_client import OWNER
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_contract_rig import open_sockets
from tests.support.ib_recovery_rig import RecoveryRig, recovering
from tests.support.ib_served_rig import VENUE_ACCOUNT, ib_port
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")
S = OrderStatus


def resting(rig: RecoveryRig, number: int = 1) -> list[str]:
    """Send orders that rest."""
    names = [rig.send(price=190.0 - step) for step in range(number)]
    for name in names:
        rig.until(name, S.ACCEPTED)
    return names


@pytest.mark.parametrize("code", [1101, 1102])
def test_tws_is_cut_off_from_ib_and_comes_back(code: int) -> None:
    with recovering() as rig:
        filled, still = resting(rig, 2)
        mark = len(rig.heard)
        number = rig.inject("upstream_lost", code=code)
        rig.lost(mark)
        refused = rig.send(price=180.0)
        rig.until(refused, S.DENIED)
        rig.sell_to()
        assert rig.fills() == {}
        rig.server.clear_faults(number)
        rig.ready(mark)
        rig.until(filled, S.FILLED)
        rig.fills_told(1)
        rig.cancel(still)
        rig.until(still, S.CANCELLED)
        rig.check()


def test_a_gateway_that_says_nothing_any_more_is_left_and_found_again() -> None:
    with recovering() as rig:
        filled, still = resting(rig, 2)
        mark = len(rig.heard)
        number = rig.inject("go_silent")
        rig.sell_to()
        rig.lost(mark)
        rig.server.clear_faults(number)
        rig.ready(mark)
        rig.until(filled, S.FILLED)
        rig.fills_told(1)
        rig.cancel(still)
        rig.until(still, S.CANCELLED)
        rig.check()


@pytest.mark.parametrize(
    "kind", ["reset", pytest.param("close", marks=pytest.mark.slow), pytest.param("half_open", marks=pytest.mark.slow)]
)
def test_the_connection_goes_while_an_order_rests_and_another_is_filled(kind: str) -> None:
    with recovering() as rig:
        filled, still = resting(rig, 2)
        mark = len(rig.heard)
        number = rig.inject(kind)
        rig.sell_to()
        rig.lost(mark)
        rig.server.clear_faults(number)
        rig.ready(mark)
        rig.until(filled, S.FILLED)
        rig.fills_told(1)
        rig.cancel(still)
        rig.until(still, S.CANCELLED)
        rig.check()


@pytest.mark.parametrize("how", [pytest.param({"hang": True}, marks=pytest.mark.slow), {"reset": True}])
def test_an_order_whose_answer_is_lost_is_unknown_until_it_is_found(how: dict[str, bool]) -> None:
    with recovering() as rig:
        rig.inject("ack_lost", endpoint="placeOrder", **how)
        order_id = rig.send()
        rig.until(order_id, S.ACCEPTED)
        told = [one.status for one in rig.heard.reports(order_id)]
        assert told in ([S.UNKNOWN, S.ACCEPTED], [S.ACCEPTED])  # the regular look at the open orders may be sooner
        rig.sell_to()
        rig.until(order_id, S.FILLED)
        rig.fills_told(1)
        rig.check()


def test_a_version_reply_in_two_pieces_is_no_hindrance() -> None:
    with recovering() as rig:
        mark = len(rig.heard)
        rig.inject("split_handshake")
        rig.inject("reset")
        rig.lost(mark)
        rig.ready(mark)
        (order_id,) = resting(rig)
        rig.cancel(order_id)
        rig.until(order_id, S.CANCELLED)
        rig.check()


def test_a_gateway_that_was_set_back_gets_no_number_twice(tmp_path: Path) -> None:
    with recovering(tmp_path) as rig:
        before = resting(rig, 3)
        mark = len(rig.heard)
        rig.inject("restart", lag=10)
        rig.lost(mark)
        rig.ready(mark)
        after = resting(rig, 3)
        for name in (before[0], after[0]):
            rig.cancel(name)
            rig.until(name, S.CANCELLED)
        for name in (*before[1:], *after[1:]):
            assert rig.last(name) is S.ACCEPTED
        rig.check()


def test_another_run_gets_no_number_of_an_earlier_one_though_the_gateway_was_set_back(tmp_path: Path) -> None:
    with recovering(tmp_path) as rig:
        before = resting(rig, 3)
        rig.adapter.close()
        rig.inject("restart", lag=10)
        rig.new_adapter()
        rig.connect()
        after = resting(rig, 3)
        rig.sell_to(100)
        filled = before[0]
        rig.until(filled, S.FILLED, S.ACCEPTED)
        rig.cancel(before[1])
        rig.until(before[1], S.CANCELLED)
        for name in after[1:]:
            assert rig.last(name) is S.ACCEPTED
        rig.check()


def test_reports_that_come_twice_change_nothing() -> None:
    with recovering() as rig:
        rig.inject("duplicate_orders", count=0)
        rig.inject("duplicate_fills", count=0)
        filled, still = resting(rig, 2)
        rig.sell_to()
        rig.until(filled, S.FILLED)
        rig.fills_told(1)
        rig.cancel(still)
        rig.until(still, S.CANCELLED)
        assert [one.status for one in rig.heard.reports(filled)] == [S.ACCEPTED, S.FILLED]
        rig.check()


def test_a_client_id_that_is_in_use_for_a_while_is_tried_again() -> None:
    with recovering() as rig:
        (order_id,) = resting(rig)
        mark = len(rig.heard)
        rig.inject("refuse_handshake", count=2)
        rig.inject("reset")
        rig.lost(mark)
        rig.sell_to()
        rig.ready(mark)
        assert rig.heard.states(mark).count(AdapterState.BACKING_OFF) >= 2
        rig.until(order_id, S.FILLED)
        rig.fills_told(1)
        rig.check()


def test_a_nightly_reset_costs_no_order() -> None:
    with recovering() as rig:
        filled, still = resting(rig, 2)
        mark = len(rig.heard)
        number = rig.inject("nightly_reset", code=1102)
        rig.lost(mark)
        refused = rig.send(price=180.0)
        rig.until(refused, S.DENIED)
        rig.sell_to()
        rig.server.clear_faults(number)
        rig.ready(mark)
        rig.until(filled, S.FILLED)
        rig.fills_told(1)
        rig.cancel(still)
        rig.until(still, S.CANCELLED)
        rig.check()


def test_a_broken_message_among_reports_costs_itself_alone() -> None:
    with recovering() as rig:
        rig.inject("malformed_frame", stream="orderStatus")
        (order_id,) = resting(rig)
        rig.sell_to()
        rig.until(order_id, S.FILLED)
        rig.fills_told(1)
        rig.check()


def test_a_preview_says_what_an_order_would_cost_and_places_none() -> None:
    with recovering() as rig:
        order = rig.order(price=190.0)
        told = rig.adapter.session.bridge.submit(rig.adapter.preview(order)).result(15.0)
        assert told.initial_margin_change is not None
        assert told.initial_margin_change > 0
        assert told.commission_currency == "USD"
        assert [one for one in (told.commission, told.most_commission) if one is not None]
        rig.permit.close("kill switch")
        with pytest.raises(NotSent):
            rig.adapter.session.bridge.submit(rig.adapter.preview(order)).result(15.0)
        assert rig.told_ids() == set()
        assert rig.server.call(lambda server: list(server.host.venue.open_orders(VENUE_ACCOUNT))) == []


def listed_by(rig: RecoveryRig) -> set[str]:
    """Return the orders that were told by a list of open orders."""
    return {order.order_id for told in rig.heard.of(OpenOrdersLoaded) for order in told.orders}


@pytest.mark.slow
@pytest.mark.parametrize("lines", [1, 7, 40])
def test_a_process_that_is_killed_in_the_middle_doubles_no_order_and_no_number(tmp_path: Path, lines: int) -> None:
    with recovering(tmp_path, ib=IbSettings(limits=False)) as rig:
        rig.adapter.close()
        command = [sys.executable, "-m", "tests.support.ib_order_child", str(ib_port(rig.server)), str(tmp_path)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as child:
            assert child.stdout is not None
            intents = [child.stdout.readline().strip() for _ in range(lines)]
            child.kill()
            intents += child.stdout.read().split()
        wait_until(lambda: rig.server.call(lambda server: open_sockets(server) == []))  # what had left has been read
        at_venue = rig.server.call(
            lambda server: [one.client_order_id for one in server.host.venue.open_orders(VENUE_ACCOUNT)]
        )
        assert len(at_venue) == len(set(at_venue))
        assert set(at_venue) <= set(intents)
        adapter = rig.new_adapter(messages_per_s=1000)
        adapter.session.active_orders._most = 100_000
        rig.connect()
        for name in intents:
            adapter.recover_order(rig.order(order_id=name, price=150.0, quantity=1), SystemClock().now_ns())
        for name in set(at_venue) - listed_by(rig):  # what the first list has told is told no second time
            rig.until(name, S.ACCEPTED)
        for name in intents:
            rig.send(order_id=name, price=150.0, quantity=1)
        again = resting(rig, 3)
        orders, kept = rig.server.call(
            lambda server: (
                [one.client_order_id for one in server.host.venue.open_orders(VENUE_ACCOUNT)],
                [msgspec.json.decode(one) for one in server.host.venue.notes(OWNER).values()],
            )
        )
        assert sorted(orders) == sorted([*at_venue, *again])
        numbers = [(one["client_id"], one["order_id"]) for one in kept]
        assert len(numbers) == len(set(numbers))
        assert {rig.last(name) for name in set(intents) - set(at_venue)} <= {S.UNKNOWN, S.DENIED}
