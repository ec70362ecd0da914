"""What a strategy leaves behind: every pair of exit keys on every occasion, fills on their way, dust, refusals."""

from decimal import Decimal
from itertools import product

import pytest

from foxtrot.api import OrderStatus, Parameter, Side
from foxtrot.core.commands import StartStrategy
from foxtrot.core.notices import StrategyStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.commands import CancelAll
from foxtrot.strategy.settings import OCCASIONS, ExitPolicy, OrderExit, PositionExit
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording

ENTRY, TARGET = 90.0, 120.0


class Trader(Recording):
    breaks = Parameter(False, "whether on_tick raises")

    def on_tick(self, tick: object) -> None:
        """Raise when told to."""
        if self.breaks:
            raise ValueError("broken")


def holding(policy: ExitPolicy) -> tuple[LineRig, Trader]:
    """A strategy that is long 2, with an entry resting below and a target above."""
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    strategy = rig.start(Trader, exit_policy=policy)
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    strategy.buy(1.0, ENTRY)
    strategy.sell(2.0, TARGET)
    rig.settle()
    assert (strategy.position, len(strategy.open_orders())) == (2.0, 2)
    return rig, strategy


def end(rig: LineRig, strategy: Trader, occasion: str) -> None:
    if occasion == "on_error":
        strategy.__dict__["breaks"] = True
        rig.quote(99.0, 101.5)
    else:
        rig.stop(occasion=occasion)
    rig.settle()


@pytest.mark.parametrize(("orders", "position", "occasion"), list(product(OrderExit, PositionExit, OCCASIONS)))
def test_every_pair_of_keys_on_every_occasion(orders: OrderExit, position: PositionExit, occasion: str) -> None:
    rig, strategy = holding(ExitPolicy({occasion: orders}, {occasion: position}))
    end(rig, strategy, occasion)
    left = sorted(order.price for order in strategy.open_orders())
    if position is PositionExit.FLATTEN:
        assert (left, strategy.position, rig.net()) == ([], 0.0, {})
    else:
        expected = {OrderExit.KEEP: [ENTRY, TARGET], OrderExit.CANCEL_ALL: [], OrderExit.CANCEL_ENTRIES: [TARGET]}
        assert (left, strategy.position, rig.net()) == (expected[orders], 2.0, {"main": 2.0})
    assert rig.line.strategies.leaving == frozenset()
    assert rig.line.dispatcher.failures == (1 if occasion == "on_error" else 0)


@pytest.mark.parametrize("occasion", OCCASIONS)
def test_without_keys_entries_are_cancelled_and_the_position_kept(occasion: str) -> None:
    rig, strategy = holding(ExitPolicy())
    end(rig, strategy, occasion)
    assert ([order.price for order in strategy.open_orders()], strategy.position) == ([TARGET], 2.0)


def test_an_occasion_that_never_comes_is_refused() -> None:
    with pytest.raises(ConfigError, match="no occasion 'on_stp'"):
        ExitPolicy({"on_stp": OrderExit.KEEP})


def test_a_position_is_closed_only_when_nothing_can_trade_any_more() -> None:
    rig, strategy = holding(ExitPolicy(position={"on_stop": PositionExit.FLATTEN}))
    asked = []
    adapter = rig.line.adapters["main"]
    cancel, adapter.cancel_order = adapter.cancel_order, asked.append  # type: ignore[method-assign,assignment]
    rig.stop()
    assert (len(asked), strategy.position, rig.line.strategies.leaving) == (2, 2.0, {"one"})
    rig.hit(Side.SELL, 1.0, ENTRY)
    rig.hit(Side.SELL, 10.0, ENTRY)
    assert strategy.position == 3.0
    rig.quote(95.0, 101.0)
    for request in asked:
        cancel(request)
    rig.settle()
    assert (strategy.position, rig.net(), rig.line.strategies.leaving) == (0.0, {}, frozenset())


def test_while_its_position_is_being_closed_it_cannot_be_started() -> None:
    rig, strategy = holding(ExitPolicy(position={"on_stop": PositionExit.FLATTEN}))
    rig.line.adapters["main"].cancel_order = lambda _request: None  # type: ignore[method-assign]
    rig.stop()
    rig.put(StartStrategy("one"))
    assert "still being closed" in rig.told(StrategyStatus)[-1].reason
    assert strategy.trading is False


def test_a_closing_order_that_comes_to_nothing_is_said_and_not_repeated() -> None:
    rig, strategy = holding(ExitPolicy(position={"on_stop": PositionExit.FLATTEN}))
    for account in ("crowd1", "crowd2"):
        rig.session.execute(CancelAll(rig.clock.now_ns(), account))
    orders = len(list(rig.line.desk.records()))
    rig.stop()
    rig.settle()
    assert strategy.position == 2.0
    assert "BTCUSDT.PERP was not closed" in rig.lines()[-1]
    refused = len(rig.line.desk.denied)
    assert len(list(rig.line.desk.records())) + refused == orders + 1
    assert rig.line.strategies.leaving == frozenset()


def test_dust_is_left_told_and_not_tried() -> None:
    instrument = a_perpetual(min_notional=Decimal(50))
    rig = LineRig(instrument)
    rig.quote(99.0, 101.0)
    strategy = rig.start(Trader, exit_policy=ExitPolicy(position={"on_stop": PositionExit.FLATTEN}))
    rig.settle()
    strategy.buy(1.0)
    rig.settle()
    strategy.sell(0.7)
    rig.settle()
    assert (strategy.position, strategy.is_flat, strategy.dust()) == (0.3, True, 0.3)
    assert strategy.close_position() is None
    sent = len(list(rig.line.desk.records()))
    rig.stop()
    rig.settle()
    assert (len(list(rig.line.desk.records())), rig.line.desk.denied) == (sent, {})
    assert rig.lines()[-1].endswith("BTCUSDT.PERP stays: too little to sell")


class LastWord(Trader):
    def on_stop(self) -> None:
        """Send what the exit policy must take back."""
        self.buy(1.0, 80.0)
        super().on_stop()


def test_orders_of_on_stop_come_under_the_exit_policy() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    strategy = rig.start(LastWord)
    rig.settle()
    rig.stop()
    rig.settle()
    order = strategy.facts("on_order")[-1]
    assert (order.price, order.status, strategy.open_orders()) == (80.0, OrderStatus.CANCELLED, [])
