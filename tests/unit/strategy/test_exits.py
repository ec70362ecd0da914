"""What a strategy leaves behind: every pair of exit keys on every occasion, fills on their way, dust, refusals."""

from decimal import Decimal
from itertools import product

import msgspec
import pytest

from foxtrot.api import OrderStatus, Parameter, Side
from foxtrot.core.commands import StartStrategy
from foxtrot.core.notices import StrategyLog, StrategyStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.commands import CancelAll
from foxtrot.strategy.exits import ROUNDS_IN_VAIN
from foxtrot.strategy.settings import OCCASIONS, ExitPolicy, OrderExit, PositionExit
from foxtrot.trading.limits import LimitTable
from tests.support.instruments import a_perpetual
from tests.support.line_rig import CROWD, LIMITS, LineRig
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


FLATTEN = ExitPolicy(position=dict.fromkeys(OCCASIONS, PositionExit.FLATTEN))


def clear_book(rig: LineRig) -> None:
    for account in CROWD:
        rig.session.execute(CancelAll(rig.clock.now_ns(), account))


def test_what_a_thin_book_leaves_is_tried_again_until_it_is_gone() -> None:
    rig, strategy = holding(FLATTEN)
    clear_book(rig)
    rig.hit(Side.BUY, 0.5, 99.0)
    timers = len(rig.dispatcher.timers)
    rig.stop()
    rig.settle()
    assert (strategy.position, rig.line.strategies.leaving) == (1.5, {"one"})
    rig.wait(5.0)
    rig.quote(99.0, 101.0)
    rig.wait(1.0)
    assert (strategy.position, rig.net(), rig.line.strategies.leaving) == (0.0, {}, frozenset())
    assert len([line for line in rig.lines() if "was not closed" in line]) == 1
    assert len(rig.dispatcher.timers) == timers


def test_an_exit_that_finds_nobody_to_trade_with_gives_up_and_names_what_stays() -> None:
    rig, strategy = holding(FLATTEN)
    clear_book(rig)
    before, timers = len(list(rig.line.desk.records())), len(rig.dispatcher.timers)
    rig.stop()
    rig.wait(60.0)
    assert (strategy.position, rig.line.strategies.leaving, len(rig.dispatcher.timers)) == (2.0, frozenset(), timers)
    tried = len(list(rig.line.desk.records())) - before + len(rig.line.desk.denied)
    assert tried == ROUNDS_IN_VAIN
    status, last = rig.told(StrategyStatus)[-1], rig.told(StrategyLog)[-1]
    assert (status.state, last.level, last.text) == ("stopped", "ERROR", status.reason)
    assert status.reason.startswith("not closed after 20 rounds without a fill, close by hand: 2.000 BTCUSDT.PERP (")


class LeavesBadly(Trader):
    def on_stop(self) -> None:
        """Break."""
        raise RuntimeError("in stop")


def test_an_exit_begun_a_second_time_does_not_take_back_the_closing_order_of_the_first() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    strategy = rig.start(LeavesBadly, exit_policy=FLATTEN)
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    rig.stop(occasion="on_shutdown")
    rig.settle()
    assert rig.stages()[-1] == "failed"
    assert [order.status for order in strategy.facts("on_order")[-1:]] == [OrderStatus.FILLED]
    assert (strategy.position, rig.net(), rig.line.strategies.leaving) == (0.0, {}, frozenset())


def test_more_positions_than_the_message_rate_allows_are_closed_one_after_the_other() -> None:
    made = [a_perpetual(instrument_id=f"C{i}.PERP", symbol=f"C{i}") for i in range(5)]
    slow = msgspec.structs.replace(LIMITS.platform, messages_per_s=2)
    rig = LineRig(*made, limits=LimitTable(platform=slow))
    names = tuple(instrument.instrument_id for instrument in made)
    strategy = rig.start(Trader, symbols=names, exit_policy=FLATTEN)
    for instrument in made:
        rig.hit(Side.BUY, 5.0, 99.0, instrument)
        rig.hit(Side.SELL, 5.0, 101.0, instrument)
        strategy.buy(1.0, instrument=instrument.instrument_id)
        rig.wait(1.0)
    assert [strategy.position_of(name) for name in names] == [1.0] * 5
    rig.stop()
    rig.settle()
    assert [strategy.position_of(name) for name in names] == [0.0, 0.0, 1.0, 1.0, 1.0]
    rig.wait(3.0)
    assert [strategy.position_of(name) for name in names] == [0.0] * 5
    assert rig.line.strategies.leaving == frozenset()


def test_a_position_above_the_largest_order_is_closed_in_pieces() -> None:
    rig = LineRig(a_perpetual(max_quantity_units=1000, min_quantity_units=10))
    for _ in range(4):
        rig.hit(Side.BUY, 1.0, 99.0)
        rig.hit(Side.SELL, 1.0, 101.0)
    strategy = rig.start(Trader, exit_policy=FLATTEN)
    rig.settle()
    for quantity in (1.0, 1.0, 0.5, 0.505):
        strategy.buy(quantity)
        rig.settle()
    rig.stop()
    rig.settle()
    assert (strategy.position, rig.net(), rig.line.desk.denied) == (0.0, {}, {})
    sold = [r.to_order().quantity for r in rig.line.desk.records() if r.terms.side is Side.SELL]
    assert sold == [1.0, 1.0, 0.995, 0.01]


def test_a_closing_order_that_would_meet_another_strategy_waits_and_then_says_so() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    strategy = rig.start(Trader, exit_policy=FLATTEN)
    other = rig.start(Trader, "two")
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    resting = other.buy(1.0, 100.0)
    rig.settle()
    rig.stop()
    rig.wait(2.0)
    assert (strategy.position, rig.line.strategies.leaving) == (2.0, {"one"})
    other.cancel(resting)
    rig.wait(1.0)
    assert (strategy.position, rig.line.strategies.leaving) == (0.0, frozenset())

    rig.line.strategies.start("one")
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    other.buy(1.0, 100.0)
    rig.settle()
    rig.stop()
    rig.wait(30.0)
    assert "2.000 BTCUSDT.PERP (self_cross" in rig.told(StrategyStatus)[-1].reason
    assert strategy.position == 2.0


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
