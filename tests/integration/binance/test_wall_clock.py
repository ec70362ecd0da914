"""The time of day is set while a platform trades: what waits goes on waiting as long as before, and no order is sent again."""

from collections.abc import Callable, Iterator
from random import Random

import msgspec
import pytest

from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.order import OrderData
from tests.support.binance_bench import KEY, SECRET, BinanceBench

S = OrderStatus
STEPS_S = [-90, 3_600]
PLACE = "POST /api/v3/order"


class Stepped:
    """The bench's clock as a machine has it whose time of day is set: the other time goes on. The venue's own is left alone.

    Thread: set by the test's; read by any.
    """

    def __init__(self, inner: ManualClock) -> None:
        self._inner = inner
        self.step_s = 0

    def now_ns(self) -> int:
        return self._inner.now_ns() + self.step_s * 10**9

    def monotonic_ns(self) -> int:
        return self._inner.monotonic_ns()

    def on_move(self, listener: Callable[[], None]) -> None:
        self._inner.on_move(listener)


class Scene(BinanceBench):
    """A connected bench whose adapter has a clock that can be set.

    Thread: the test's.
    """

    def __init__(self) -> None:
        super().__init__("spot")
        self.stepped = Stepped(self.clock)
        secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
        context = msgspec.structs.replace(self.adapter.context, clock=self.stepped, secrets=secrets)
        self.adapter = BinanceAdapter(context, Random(1))

    def pass_s(self, seconds: float) -> None:
        """Let time pass, a second at a time, with whatever is due in it."""
        for _ in range(int(seconds)):
            self.advance(1.0)
            self.server.step()
            self.adapter.session.bridge.submit(_nothing()).result(5)

    def pass_until(self, condition: Callable[[], bool]) -> None:
        """Let time pass slowly, so that answers come in between, until something holds."""

        def holds() -> bool:
            self.advance(0.05)
            return condition()

        self.wait(holds)

    def told(self, order_id: str) -> list[OrderStatus]:
        """Return what was told of an order, without repetitions."""
        reports = [order.status for order in self.heard.of(OrderData) if order.order_id == order_id]
        return [status for place, status in enumerate(reports) if place == 0 or reports[place - 1] is not status]

    def send(self) -> str:
        """Send an order."""
        order = self.order()
        self.adapter.send_order(order)
        return order.order_id

    def received(self) -> list[str]:
        """Return the ids of orders that the venue has received, in order."""
        return self.server.call(lambda server: [one.client_order_id for one in server._doors.shared.traffic.orders])


async def _nothing() -> None:
    """Do nothing."""


@pytest.fixture
def scene() -> Iterator[Scene]:
    with Scene() as made:
        made.connect()
        yield made


@pytest.mark.parametrize("step_s", STEPS_S)
def test_an_order_of_unknown_outcome_is_asked_for_as_long_as_without_the_step(scene: Scene, step_s: int) -> None:
    scene.fault("http_status", endpoint=PLACE, status=503, code=-1000, msg="Unknown error", count=1)
    order_id = scene.send()
    scene.wait(lambda: scene.told(order_id) == [S.UNKNOWN])
    scene.stepped.step_s = step_s
    scene.pass_s(scene.adapter.capabilities.unknown_bound_s - 2)
    assert scene.told(order_id) == [S.UNKNOWN], "the step passed for the bound"
    scene.pass_until(lambda: scene.told(order_id) == [S.UNKNOWN, S.DENIED])


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_lost_answer_is_found_and_the_order_is_not_sent_again(scene: Scene, step_s: int) -> None:
    scene.fault("ack_lost", endpoint=PLACE, count=1)
    order_id = scene.send()
    scene.wait(lambda: scene.open_orders() == [order_id])
    scene.stepped.step_s = step_s
    scene.pass_until(lambda: scene.told(order_id)[-1:] == [S.ACCEPTED])
    assert scene.received() == [order_id]
    assert scene.open_orders() == [order_id]


@pytest.mark.parametrize("step_s", STEPS_S)
def test_the_link_stays_and_the_first_order_after_it_is_refused_at_most(scene: Scene, step_s: int) -> None:
    since = len(scene.heard)
    scene.stepped.step_s = step_s
    first = scene.send()
    scene.wait(lambda: bool(scene.told(first)) and scene.told(first)[-1] is not S.SUBMITTED)
    assert scene.told(first)[-1] in (S.REJECTED, S.ACCEPTED)
    second = scene.send()
    scene.wait(lambda: scene.told(second)[-1:] == [S.ACCEPTED])
    scene.pass_s(60)
    assert scene.heard.states(since) == [], "the link was given up, or made again, for a step of the time of day"
    assert scene.received() == [first, second]


@pytest.mark.parametrize("step_s", STEPS_S)
def test_a_pause_of_back_off_is_as_long_as_it_was_drawn(scene: Scene, step_s: int) -> None:
    since = len(scene.heard)
    scene.fault("reset")
    told = scene.wait_state(AdapterState.BACKING_OFF, since)
    scene.stepped.step_s = step_s
    scene.advance(told.delay_s * 0.9)
    scene.adapter.session.bridge.submit(_nothing()).result(5)
    assert AdapterState.CONNECTING not in scene.heard.states(since)
    scene.advance(told.delay_s * 0.2 + 0.001)
    scene.wait_state(AdapterState.CONNECTING, since)
