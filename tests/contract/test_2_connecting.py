"""Promise 2: after connecting, in this order: status, contracts, account, positions, open orders, trades, READY."""

from foxtrot.core.notices import (
    AdapterStatus,
    ContractsLoaded,
    OpenOrdersLoaded,
    PositionsLoaded,
    TradesLoaded,
)
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, Side
from tests.support.contract_rig import ContractRig

OPENING = (AdapterStatus, ContractsLoaded, AccountData, PositionsLoaded, OpenOrdersLoaded, TradesLoaded)


def opening(rig: ContractRig, since: int = 0) -> list[object]:
    """What was heard of the kinds that belong to connecting: the class, or the state of a status."""
    found = [event for event in rig.heard.events(since) if isinstance(event, OPENING)]
    return [event.state if isinstance(event, AdapterStatus) else type(event) for event in found]


def test_2_connecting_tells_everything_once_and_in_the_promised_order(rig: ContractRig) -> None:
    rig.connect()
    assert opening(rig) == [
        AdapterState.CONNECTING,
        AdapterState.CONNECTED,
        ContractsLoaded,
        AccountData,
        PositionsLoaded,
        OpenOrdersLoaded,
        TradesLoaded,
        AdapterState.READY,
    ]


def test_2_ready_is_said_when_everything_else_has_been_told(rig: ContractRig) -> None:
    rig.connect()
    kinds = opening(rig)
    assert kinds.count(AdapterState.READY) == 1
    assert all(kinds.index(AdapterState.READY) > kinds.index(kind) for kind in OPENING[1:])


def test_2_a_venue_that_does_not_answer_is_not_ready(rig: ContractRig) -> None:
    with rig.held():
        rig.adapter.connect()
        assert AdapterState.READY not in rig.heard.states()
    rig.settle()
    assert rig.heard.states()[-1] is AdapterState.READY


def test_2_the_contracts_are_those_that_can_be_traded(rig: ContractRig) -> None:
    rig.connect()
    told = {instrument.instrument_id: instrument for instrument in rig.heard.of(ContractsLoaded)[0].instruments}
    assert told[rig.spot.instrument_id] == rig.spot
    assert told[rig.contract.instrument_id] == rig.contract


def test_2_the_account_is_told_exactly(rig: ContractRig) -> None:
    rig.connect()
    account = rig.heard.of(AccountData)[0]
    assert account.account == rig.account
    assert {row.asset: (row.total, row.locked) for row in account.balances} == rig.balances()


def test_2_positions_of_an_earlier_session_are_told(rig: ContractRig) -> None:
    rig.require_derivative()
    rig.connect()
    rig.send(quantity=700, price=0, instrument_id=rig.contract.instrument_id)
    rig.adapter.close()
    rig.new_adapter()
    before = len(rig.heard)
    rig.connect()
    told = rig.heard.of(PositionsLoaded, before)[0].positions
    assert {(row.instrument_id, row.position_side): row.quantity for row in told if row.quantity} == rig.positions()
    assert rig.positions() != {}


def test_2_open_orders_of_an_earlier_session_are_told_with_their_ids_and_fills(rig: ContractRig) -> None:
    rig.connect()
    order_id = rig.send(price=9_950)
    rig.take(Side.SELL, 400)
    rig.adapter.close()
    rig.new_adapter()
    before = len(rig.heard)
    rig.connect()
    (order,) = rig.heard.of(OpenOrdersLoaded, before)[0].orders
    assert (order.order_id, order.quantity, order.filled_quantity, order.price) == (order_id, 1.0, 0.4, 99.5)
    assert order.average_price == 99.5


def test_2_trades_of_an_earlier_session_are_told_oldest_first(rig: ContractRig) -> None:
    rig.connect()
    sent = []
    for _ in range(3):
        sent.append(rig.send(price=0, quantity=100))
        rig.advance(1)
    rig.adapter.close()
    rig.new_adapter()
    before = len(rig.heard)
    rig.connect()
    assert [trade.order_id for trade in rig.heard.of(TradesLoaded, before)[0].trades] == sent


def test_2_connecting_twice_connects_once(rig: ContractRig) -> None:
    with rig.held():
        rig.adapter.connect()
        rig.adapter.connect()
    rig.settle()
    rig.connect()
    assert rig.heard.states() == [AdapterState.CONNECTING, AdapterState.CONNECTED, AdapterState.READY]


def test_2_connecting_from_two_threads_connects_once(rig: ContractRig) -> None:
    with rig.together([rig.adapter.connect, rig.adapter.connect]):
        pass
    rig.settle()
    assert rig.heard.states().count(AdapterState.READY) == 1


def test_2_every_status_names_account_adapter_and_time(rig: ContractRig) -> None:
    rig.connect()
    for status in rig.heard.of(AdapterStatus):
        assert (status.account, status.adapter) == (rig.account, rig.adapter.adapter_name)
        assert status.local_time_ns > 0
