"""The kill over Binance's protocol: nothing leaves after it, whatever was parked; all cancels are on the wire; in every state of the link."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest

from foxtrot.core.commands import KillSwitch, SendOrder
from foxtrot.domain.enums import AdapterState, GateState, OrderStatus, OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.faults import Fault
from tests.support.binance_platform import ACCOUNT, OWNER, BinancePlatform
from tests.support.waiting import wait_until

KILL = KillSwitch("all is lost", "Ann")
MANY = 50


def kill(platform: BinancePlatform) -> int:
    """Throw the switch as a person does: the gate at once, then the command; returns the moment."""
    platform.line.gate.close(KILL.reason, KILL.who, lasting=True, killed=True)
    at_ns = platform.clock.now_ns()
    platform.dispatcher.put(KILL)
    return at_ns


def received_after(platform: BinancePlatform, at_ns: int) -> list[str]:
    """The orders that the exchange received later than a moment, by its own log."""
    orders = platform.server.call(lambda server: list(server.traffic.orders))
    return [order.client_order_id for order in orders if order.time_ns > at_ns]


def requests(platform: BinancePlatform, endpoint: str) -> int:
    """How many requests of an endpoint the exchange has received."""
    return int(platform.server.call(lambda server: server.traffic.requests[f"{platform.product} {endpoint}"]))


def open_ids(platform: BinancePlatform) -> list[str]:
    """The open orders of the account at the venue."""
    orders = platform.server.call(lambda server: server.host.venue.open_orders(ACCOUNT))
    return sorted(order.client_order_id for order in orders)


def place_at_venue(platform: BinancePlatform, client_order_id: str, price: int) -> None:
    """Let an order of an earlier run rest at the venue."""
    instrument = platform.instrument
    units = instrument.quantity_grid.from_decimal(Decimal("0.1"))
    command = PlaceOrder(
        platform.clock.now_ns(),
        ACCOUNT,
        instrument.instrument_id,
        client_order_id,
        Side.BUY,
        OrderType.LIMIT,
        units,
        price,
    )
    result = platform.server.call(lambda server: server.host.execute(command))
    assert result.ok, result


def submit(platform: BinancePlatform, price: float) -> str:
    """Put an entry into the line, and do not wait for anything."""
    request = OrderRequest(platform.instrument.instrument_id, ACCOUNT, Side.BUY, OrderType.LIMIT, 0.1, price)
    order_id = platform.line.desk.submit(request, OWNER)
    platform.dispatcher.drain()
    return order_id


def status(platform: BinancePlatform, order_id: str) -> OrderStatus:
    order = platform.line.desk.order(order_id)
    assert order is not None
    return order.status


def stand_still(platform: BinancePlatform, condition: Callable[[], bool]) -> None:
    """Wait while the clock stands, so that nothing is tried again."""

    def met() -> bool:
        platform.pump()
        return condition()

    wait_until(met)


def open_entries(platform: BinancePlatform) -> int:
    """How many orders the kill still wants gone."""
    standing = platform.line.kill.standing()
    assert standing is not None
    return len(standing.entries)


@contextmanager
def held(platform: BinancePlatform) -> Iterator[None]:
    """Let the adapter's own thread do nothing, so that all it is given waits in its queue."""
    released = threading.Event()
    platform.adapter.session.bridge.call_soon(lambda: released.wait(10) and None)
    try:
        yield
    finally:
        released.set()


@contextmanager
def lost(platform: BinancePlatform) -> Iterator[None]:
    """Let no connection stand; at the end the adapter may come back."""
    number = platform.server.inject(Fault(kind="reset", count=0))
    platform.wait(
        lambda: platform.states()[-1] in (AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.CONNECTING)
    )
    yield
    platform.server.clear_faults(number)


@pytest.mark.parametrize("product", ["spot", "usdm"])
def test_all_cancels_of_fifty_orders_are_on_the_wire_and_none_is_asked_for_twice(product: str) -> None:
    endpoint = "DELETE /api/v3/order" if product == "spot" else "DELETE /fapi/v1/order"
    with BinancePlatform(product).connect() as platform:
        for step in range(MANY):
            submit(platform, 95.0 + step * 0.05)
        platform.wait(lambda: len(open_ids(platform)) == MANY)
        began = time.monotonic()
        kill(platform)
        platform.dispatcher.drain()
        stand_still(platform, lambda: requests(platform, endpoint) >= MANY)
        print(f"{product}: {MANY} cancels received {time.monotonic() - began:.3f} s after the kill")
        stand_still(platform, lambda: not open_entries(platform))
        assert (requests(platform, endpoint), open_ids(platform)) == (MANY, [])


@pytest.mark.parametrize("product", ["spot", "usdm"])
def test_orders_parked_in_the_adapters_queue_are_denied(product: str) -> None:
    with BinancePlatform(product).connect() as platform:
        with held(platform):
            parked = [submit(platform, 95.0 + step) for step in range(3)]
            at_ns = kill(platform)
        platform.wait(lambda: all(status(platform, order_id) is OrderStatus.DENIED for order_id in parked))
        platform.settle()
        assert (received_after(platform, at_ns - 1), open_ids(platform)) == ([], [])


def test_an_order_that_waits_for_what_must_be_known_first_is_denied() -> None:
    with BinancePlatform("usdm", settings={"leverage": 2}) as platform:
        platform.fault("delay", endpoint="POST /fapi/v1/leverage", delay_s=3)
        platform.connect()
        parked = submit(platform, 95.0)
        at_ns = kill(platform)
        platform.wait(lambda: status(platform, parked) is not OrderStatus.SUBMITTED)
        for _ in range(4):
            platform.settle()
        assert status(platform, parked) is OrderStatus.DENIED
        assert (received_after(platform, at_ns - 1), open_ids(platform)) == ([], [])


def test_nothing_that_was_wished_for_during_a_reconnect_leaves_after_it() -> None:
    with BinancePlatform("usdm").connect() as platform:
        with lost(platform):
            parked = submit(platform, 95.0)
            at_ns = kill(platform)
            later = submit(platform, 94.0)
        platform.wait(lambda: platform.is_ready)
        platform.settle()
        assert status(platform, parked) is OrderStatus.DENIED
        assert status(platform, later) in (OrderStatus.DENIED, OrderStatus.CANCELLED)  # withdrawn before it was sent
        assert (received_after(platform, at_ns - 1), open_ids(platform)) == ([], [])


def test_a_kill_before_the_connection_cancels_what_an_earlier_run_left() -> None:
    with BinancePlatform("usdm") as platform:
        place_at_venue(platform, "F-tester-run0000000-1", 9_500)
        place_at_venue(platform, "R-tester-run0000000-2", 9_400)
        place_at_venue(platform, "somebody-else", 9_300)
        at_ns = kill(platform)
        platform.connect()
        platform.wait(lambda: open_ids(platform) == ["R-tester-run0000000-2", "somebody-else"])
        platform.dispatcher.put(
            SendOrder(OrderRequest(platform.instrument.instrument_id, ACCOUNT, Side.BUY, OrderType.MARKET, 0.1), OWNER)
        )
        platform.settle()
        assert received_after(platform, at_ns - 1) == []


def test_a_kill_during_a_reconnect_cancels_when_the_link_is_back() -> None:
    with BinancePlatform("usdm").connect() as platform:
        entry = submit(platform, 95.0)
        platform.wait(lambda: open_ids(platform) == [entry])
        with lost(platform):
            kill(platform)
            platform.settle()
            assert open_ids(platform) == [entry]
        platform.wait(lambda: not open_ids(platform))
        platform.wait(lambda: status(platform, entry) is OrderStatus.CANCELLED)


def test_a_kill_outlives_a_restart() -> None:
    with BinancePlatform("usdm") as platform:
        kill(platform)
        platform.pump()
        moves = platform.line.gate.blocks()
    with BinancePlatform("usdm") as again:
        place_at_venue(again, "F-tester-run0000000-1", 9_500)
        again.line.gate.restore(moves)
        again.connect()
        again.wait(lambda: open_ids(again) == [])
        assert status(again, submit(again, 95.0)) is OrderStatus.DENIED


def test_one_bitcoin_held_before_stays_when_what_a_strategy_bought_is_sold() -> None:
    with BinancePlatform("spot").connect() as platform:
        command = PlaceOrder(
            platform.clock.now_ns(), ACCOUNT, platform.instrument.instrument_id, "by-hand", Side.BUY, OrderType.MARKET,
            platform.instrument.quantity_grid.from_decimal(Decimal(1)), 0,
        )  # fmt: skip
        assert platform.server.call(lambda server: server.host.execute(command)).ok
        platform.settle()
        before = held_btc(platform)
        platform.line.desk.strategy_ids.add(OWNER)
        assert platform.order(0.06).status is OrderStatus.FILLED
        assert held_btc(platform) > before
        platform.line.gate.close(KILL.reason, KILL.who, lasting=True, killed=True)
        platform.dispatcher.put(KillSwitch(KILL.reason, KILL.who, flatten=True))
        platform.wait(lambda: held_btc(platform) < before + Decimal("0.001"))  # less than a lot of its own stays
        platform.settle()
        assert before <= held_btc(platform) < before + Decimal("0.001")
        assert platform.line.gate.state is GateState.HALTED


def held_btc(platform: BinancePlatform) -> Decimal:
    """What the account holds at the venue."""
    return Decimal(platform.server.call(lambda server: server.host.venue.balances(ACCOUNT)["BTC"][0]))
