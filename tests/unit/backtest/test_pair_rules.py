"""How history fills pairs: one test per rule of docs/backtest_rules.md. Prices are in cents, quantities in thousandths."""

from decimal import Decimal

import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.backtest.bar_fills import BarFills
from foxtrot.backtest.fill_model import FillModel
from foxtrot.backtest.fill_settings import FillSettings
from foxtrot.backtest.history_adapter import HistoryAdapter
from foxtrot.backtest.settings import ACCOUNT
from foxtrot.backtest.tick_fills import TickFills
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount
from tests.support.instruments import a_perpetual, a_spot
from tests.support.recorder import Recorder
from tests.unit.backtest.scripted import MINUTE_NS, T0

S = OrderStatus
Fills = list[tuple[str, int, float]]


class Scene:
    """A backtest's venue, adapter and fill model, without a platform above them."""

    def __init__(self, model: type[FillModel], instrument: Instrument | None = None, volume_share: float = 0.0) -> None:
        self.instrument = instrument or a_spot()
        self.clock, self.heard = ManualClock(T0), Recorder()
        self.session = SimulatedSession(self.clock, threaded=False)
        self.session.execute(AddInstrument(T0, self.instrument, "external"))
        self.session.execute(OpenAccount(T0, ACCOUNT))
        for asset, amount in (("BTC", 1), ("USDT", 1_000)):
            self.session.execute(Deposit(T0, ACCOUNT, asset, Decimal(amount)))
        context = AdapterContext(ACCOUNT, self.heard, SendPermit(), self.clock, {}, {})
        self.adapter = HistoryAdapter(context, self.session, ())
        self.adapter.connect()
        self.model = model(self.session.venue, self.instrument, FillSettings(max_volume_share=volume_share))
        self.session.observers = (self.model.observe,)

    def send(self, side: Side = Side.SELL, stop: int = 9_500, limit: int = 10_500) -> None:
        """Send a pair of one whole coin."""
        first = self._order("stop", side, OrderType.STOP, trigger=stop)
        self.adapter.send_pair(first, self._order("limit", side, OrderType.LIMIT, price=limit))
        if isinstance(self.model, TickFills):
            self.model.settle(self.clock.now_ns())

    def bar(self, *prices: float, volume: float = 1_000.0) -> None:
        """Let a bar of open, high, low and close come."""
        assert isinstance(self.model, BarFills)
        self.clock.advance(MINUTE_NS)
        at_ns = self.clock.now_ns()
        self.model.at_open(at_ns, prices, volume)  # type: ignore[arg-type]
        self.model.stops(at_ns)
        self.model.targets(at_ns)

    def print(self, price: int, size: int = 5_000, aggressor: int = 0) -> None:
        """Let a print come, and what has arrived meet it."""
        assert isinstance(self.model, TickFills)
        self.clock.advance(1)
        self.model.on_print(price, size, aggressor, self.clock.now_ns())
        self.model.settle(self.clock.now_ns())

    def quote(self, bid: int, ask: int) -> None:
        """Let a quote come, with all that anybody could want."""
        assert isinstance(self.model, TickFills)
        self.clock.advance(1)
        self.model.on_quote((bid, 0), (ask, 0), self.clock.now_ns())
        self.model.settle(self.clock.now_ns())

    def ends(self) -> list[tuple[OrderStatus, str]]:
        """The last that was told of the stop and of the limit."""
        last = [self.heard.reports(name)[-1] for name in ("stop", "limit")]
        return [(order.status, order.reason) for order in last]

    def fills(self) -> Fills:
        """What was told to be filled, of both."""
        told = [fill for name in ("stop", "limit") for fill in self.heard.fills(name)]
        return [(fill.order_id, round(fill.quantity * 1000), fill.price) for fill in told]

    def _order(self, name: str, side: Side, kind: OrderType, price: int = 0, trigger: int = 0) -> ApprovedOrder:
        return ApprovedOrder(
            name, "tester", ACCOUNT, self.instrument.instrument_id, side, kind, 1_000, price, trigger, TimeInForce.GTC,
            False, kind is OrderType.LIMIT, PositionSide.NET, 0, 0, 0, self.clock.now_ns(), True,
        )  # fmt: skip


@pytest.mark.parametrize("side", list(Side))
def test_a_bar_that_reaches_one_of_the_two_ends_the_other(side: Side) -> None:
    stop, limit = (9_500, 10_500) if side is Side.SELL else (10_500, 9_500)
    for row, name, price in (((100, 106, 99, 100), "high", 105.0), ((100, 101, 94, 100), "low", 95.0)):
        scene = Scene(BarFills)
        scene.send(side, stop, limit)
        scene.bar(*row)
        filled = "limit" if (name == "high") is (side is Side.SELL) else "stop"
        assert scene.fills() == [(filled, 1_000, price)]
        assert sorted(scene.ends()) == sorted([(S.FILLED, ""), (S.EXPIRED, "oco")])
        scene.bar(100, 110, 90, 100)
        assert len(scene.fills()) == 1
        scene.session.venue.validate()


def test_a_bar_that_reaches_both_fills_the_stop() -> None:
    scene = Scene(BarFills)
    scene.send()
    scene.bar(100, 106, 94, 100)
    assert scene.fills() == [("stop", 1_000, 95.0)]
    assert scene.ends() == [(S.FILLED, ""), (S.EXPIRED, "oco")]


def test_an_open_beyond_the_stop_fills_it_there() -> None:
    scene = Scene(BarFills)
    scene.send()
    scene.bar(93, 106, 92, 100)
    assert scene.fills() == [("stop", 1_000, 93.0)]
    assert scene.ends() == [(S.FILLED, ""), (S.EXPIRED, "oco")]


def test_a_first_open_beyond_the_limit_ends_both_and_one_after_it_fills_the_limit() -> None:
    scene = Scene(BarFills)
    scene.send()
    scene.bar(106, 107, 94, 100)
    assert scene.fills() == []
    assert scene.ends() == [(S.EXPIRED, "oco"), (S.EXPIRED, "post_only")]
    scene = Scene(BarFills)
    scene.send()
    scene.bar(100, 101, 99, 100)
    scene.bar(106, 107, 94, 100)
    assert scene.fills() == [("limit", 1_000, 106.0)]
    assert scene.ends() == [(S.EXPIRED, "oco"), (S.FILLED, "")]


def test_the_first_part_of_a_fill_ends_the_other_one() -> None:
    scene = Scene(BarFills, volume_share=0.5)
    scene.send()
    scene.bar(100, 106, 99, 100, volume=0.8)
    assert scene.fills() == [("limit", 400, 105.0)]
    assert scene.ends() == [(S.EXPIRED, "oco"), (S.PARTIALLY_FILLED, "")]
    scene.bar(100, 101, 90, 100)
    assert scene.fills() == [("limit", 400, 105.0)]


def test_a_print_at_the_stop_ends_the_limit_and_the_next_one_fills_the_stop() -> None:
    scene = Scene(TickFills)
    scene.print(10_000)
    scene.send()
    scene.print(10_100)
    scene.print(9_500)
    assert scene.ends() == [(S.ACCEPTED, ""), (S.EXPIRED, "oco")]
    scene.print(9_400)
    assert scene.fills() == [("stop", 1_000, 94.0)]
    scene.print(11_000)
    assert scene.ends() == [(S.FILLED, ""), (S.EXPIRED, "oco")]


def test_a_print_through_the_limit_ends_the_stop() -> None:
    scene = Scene(TickFills)
    scene.print(10_000)
    scene.send()
    scene.print(10_100)
    scene.print(10_501, 300)
    scene.print(9_000)
    assert scene.fills() == [("limit", 300, 105.0)]
    assert scene.ends() == [(S.EXPIRED, "oco"), (S.PARTIALLY_FILLED, "")]


def test_quotes_fill_one_of_the_two_and_end_both_when_the_limit_would_take() -> None:
    scene = Scene(TickFills)
    scene.quote(9_990, 10_010)
    scene.send()
    scene.quote(9_991, 10_010)
    scene.quote(10_510, 10_520)
    assert scene.fills() == [("limit", 1_000, 105.0)]
    scene = Scene(TickFills)
    scene.quote(10_510, 10_520)
    scene.send()
    assert scene.ends() == [(S.EXPIRED, "oco"), (S.EXPIRED, "post_only")]


def test_a_pair_whose_stop_the_market_has_reached_fills_by_it_as_a_stop_alone_does() -> None:
    scene = Scene(TickFills)
    scene.quote(9_400, 9_410)
    scene.send()
    assert scene.ends() == [(S.ACCEPTED, ""), (S.EXPIRED, "oco")]
    scene.quote(9_401, 9_410)
    assert scene.fills() == [("stop", 1_000, 94.01)]


def test_contracts_take_no_pairs() -> None:
    scene = Scene(BarFills, a_perpetual())
    scene.send()
    assert [status for status, _ in scene.ends()] == [S.REJECTED, S.REJECTED]
    assert scene.model.parked == {}
