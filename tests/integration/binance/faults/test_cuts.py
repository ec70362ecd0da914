"""The link is cut again and again, at any message of either direction, while an account trades: nothing is lost or doubled."""

from collections.abc import Iterator
from random import Random

import pytest

from foxtrot.domain.enums import AdapterState, Side
from foxtrot.domain.order import CancelRequest
from foxtrot.domain.subscription import SubscribeRequest
from tests.support import order_truth as truth
from tests.support.binance_rig import BinanceRig
from tests.support.cut_link import BACK, OUT, CutLink
from tests.support.trading_scene import PRODUCTS

RECOVERS_WITHIN_S = 60
STEPS_TO_A_CUT = 200


class CutRig(BinanceRig):
    """The rig whose adapters reach the server over a link that can be cut.

    Thread: the test's.
    """

    link: CutLink | None = None

    def discard(self) -> None:
        try:
            super().discard()
        finally:
            if self.link is not None:
                self.link.close()

    def _port(self) -> int | None:
        if self.link is None:
            port = super()._port()
            assert port is not None
            self.link = CutLink(port)
        return self.link.port


class Trader:
    """Places, takes and cancels by a seed, while others trade with it and move the book.

    Thread: the test's.
    """

    def __init__(self, rig: BinanceRig, random: Random) -> None:
        self._rig = rig
        self._random = random
        self._mine: list[str] = []
        self._theirs: list[int] = []
        self.sent: list[str] = []

    def act(self) -> None:
        """Do one to three things, and let a little time pass."""
        for _ in range(self._random.randint(1, 3)):
            self._random.choice((self._rest, self._rest, self._take, self._cancel, self._hit, self._move))()
        rig = self._rig
        rig.clock.advance(self._random.choice((50, 110, 300)) * 10**6)
        rig.server.step()
        if self._random.random() < 0.7:
            rig._arrive()

    def calm(self) -> None:
        """Cancel most of what rests, so that the book stays as it is."""
        for order_id in self._mine[:-4]:
            self._ask_cancel(order_id)
        self._mine = self._mine[-4:]

    def _rest(self) -> None:
        side = self._random.choice((Side.BUY, Side.SELL))
        price = self._random.randint(9_910, 9_990) if side is Side.BUY else self._random.randint(10_010, 10_090)
        self._send(side, price, self._random.randint(100, 600))

    def _take(self) -> None:
        self._send(self._random.choice((Side.BUY, Side.SELL)), 0, self._random.randint(60, 200))

    def _send(self, side: Side, price: int, quantity: int) -> None:
        order = self._rig.order(side=side, price=price, quantity=quantity)
        self.sent.append(order.order_id)
        if price:
            self._mine.append(order.order_id)
        self._rig.adapter.send_order(order)

    def _cancel(self) -> None:
        if self._mine:
            self._ask_cancel(self._mine.pop(self._random.randrange(len(self._mine))))

    def _ask_cancel(self, order_id: str) -> None:
        rig = self._rig
        rig.adapter.cancel_order(CancelRequest(order_id, rig.account, rig.spot.instrument_id))

    def _hit(self) -> None:
        self._rig.take(self._random.choice((Side.BUY, Side.SELL)), self._random.randint(60, 300))

    def _move(self) -> None:
        rig = self._rig
        self._theirs += [rig.rest(Side.BUY, self._random.randint(9_850, 9_900), 3_000)]
        self._theirs += [rig.rest(Side.SELL, self._random.randint(10_100, 10_150), 3_000)]


@pytest.fixture(params=list(PRODUCTS))
def rig(request: pytest.FixtureRequest) -> Iterator[CutRig]:
    """A connected adapter of each product over a link that can be cut, streaming a book."""
    with CutRig(PRODUCTS[request.param]) as made:
        made.connect().subscribe(SubscribeRequest(made.spot.instrument_id, depth_levels=5))
        made.settle()
        yield made


def test_twenty_cuts_while_trading_leave_everything_as_the_venue_has_it(rig: CutRig) -> None:
    _trade_through_cuts(rig, 20, seed=1)


@pytest.mark.slow
def test_two_hundred_cuts_while_trading_leave_everything_as_the_venue_has_it(rig: CutRig) -> None:
    _trade_through_cuts(rig, 200, seed=2)


def _trade_through_cuts(rig: CutRig, cuts: int, seed: int) -> None:
    random, link = Random(seed), rig.link
    assert link is not None
    trader, desired = Trader(rig, random), truth.all_streams(rig)
    for number in range(1, cuts + 1):
        link.arm(random.choice((OUT, BACK)), random.randint(1, 25), delivered=random.random() < 0.5)
        for _ in range(STEPS_TO_A_CUT):
            trader.act()
            if link.cuts == number:
                break
        assert link.cuts == number
        for _ in range(random.randint(0, 3)):
            trader.act()
        _recover(rig, desired, f"seed {seed}, cut {number}")
        trader.calm()
    received = rig.received()
    assert set(received) <= set(trader.sent)
    assert rig.heard.states().count(AdapterState.LOST) >= cuts // 2


def _recover(rig: CutRig, desired: list[str], where: str) -> None:
    """Let time pass until all that was told is the venue's truth; fails past the limit with what is not."""
    wrong: AssertionError | None = None
    for _ in range(RECOVERS_WITHIN_S):
        rig.clock.advance(10**9)
        rig.server.step()
        rig._arrive()
        wrong = _wrong(rig, desired)
        if wrong is None:
            return
    raise AssertionError(f"{where}: {wrong}") from wrong


def _wrong(rig: CutRig, desired: list[str]) -> AssertionError | None:
    try:
        assert rig.heard.states()[-1] is AdapterState.READY
        assert rig.adapter.trading.orders.unknown == frozenset()  # type: ignore[attr-defined]
        assert truth.user_connections(rig) == 1
        assert truth.all_streams(rig) == desired
        truth.check_orders(rig)
    except AssertionError as error:
        return error
    return None
