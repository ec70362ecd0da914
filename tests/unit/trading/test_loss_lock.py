"""The lock of a loss limit: what is cancelled, what stays, and when entries pass again."""

from decimal import Decimal

import pytest

from foxtrot.api import OrderStatus, OrderType
from foxtrot.core.commands import ResumeTrading
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.storage.journal_records import GateMoved, JournalRecord, StrategyHalted, StrategyRearmed
from foxtrot.trading.decisions import Decisions
from foxtrot.trading.limits import Limits, LimitTable
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LIMITS, LineRig
from tests.support.recording import Recording

ENTRY, STOP = 80.0, 70.0
DAY_S = 86_400.0
FREE = {"quote_age_s": 0.0, "messages_per_s": 0, "duplicate_window_s": 0.0, "price_collar": 0.0}


class KeepingJournal:
    """A journal that keeps what it is given."""

    keeps_reports = True

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        self.records.append(record)


def limits(where: str, rule: str = "max_daily_loss") -> LimitTable:
    strict = Limits(**FREE, **{rule: Decimal(10)})  # type: ignore[arg-type]
    free = LIMITS.platform
    return {
        "platform": LimitTable(platform=strict),
        "account": LimitTable(platform=free, accounts={"main": strict}),
        "strategy": LimitTable(platform=free, strategies={"one": strict}),
    }[where]


def pass_time(rig: LineRig, seconds: float = 1.0) -> None:
    """Let time pass, and losses be looked at, as housekeeping does twice a second."""
    rig.wait(seconds)
    rig.line.risk.mark_losses()
    rig.settle()


def move(rig: LineRig, price: float) -> None:
    """Let the market move to a price, and trade there."""
    rig.quote(price - 1.0, price + 1.0)
    rig.trade(price)


def losing(table: LimitTable) -> tuple[LineRig, Recording]:
    """A strategy that is long 2 at 101, with an entry and a stop; then the market falls by 10."""
    rig = LineRig(a_perpetual(), limits=table)
    journal = KeepingJournal()
    rig.line.gate.journal = rig.line.loss_locks.journal = journal  # type: ignore[assignment]
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording)
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    strategy.buy(1.0, ENTRY)
    strategy.sell(1.0, order_type=OrderType.STOP, trigger_price=STOP)
    rig.settle()
    pass_time(rig)
    assert len(strategy.open_orders()) == 2
    move(rig, 90.0)
    pass_time(rig)
    return rig, strategy  # type: ignore[return-value]


def kept(rig: LineRig) -> list[JournalRecord]:
    rig.line.gate.keep_moves()
    return rig.line.gate.journal.records  # type: ignore[union-attr]


def entry(rig: LineRig, strategy: Recording) -> tuple[OrderStatus, str]:
    order_id = strategy.buy(0.5, 79.0)
    rig.settle()
    order = rig.line.desk.order(order_id)
    assert order is not None
    if order.status is not OrderStatus.DENIED:
        strategy.cancel(order_id)
        rig.settle()
    return order.status, order.rule


@pytest.mark.parametrize("where", ["platform", "account", "strategy"])
@pytest.mark.parametrize("rule", ["max_daily_loss", "max_drawdown"])
def test_entries_go_and_stay_away_even_when_the_market_comes_back(where: str, rule: str) -> None:
    rig, strategy = losing(limits(where, rule))
    assert [order.trigger_price for order in strategy.open_orders()] == [STOP]
    assert entry(rig, strategy) == (OrderStatus.DENIED, rule)
    move(rig, 120.0)
    pass_time(rig)
    assert entry(rig, strategy) == (OrderStatus.DENIED, rule)
    strategy.sell(0.5)
    rig.settle()
    assert strategy.position == 1.5
    assert rig.line.gate.state is (GateState.REDUCING if where == "platform" else GateState.ACTIVE)


@pytest.mark.parametrize("where", ["platform", "account", "strategy"])
def test_the_next_trading_day_unlocks_a_daily_loss(where: str) -> None:
    rig, strategy = losing(limits(where))
    pass_time(rig, DAY_S)
    assert entry(rig, strategy)[0] is OrderStatus.ACCEPTED
    assert rig.line.gate.blocks() == ()
    assert type(kept(rig)[-1]) is (StrategyRearmed if where == "strategy" else GateMoved)


def test_a_new_day_does_not_unlock_a_drawdown() -> None:
    rig, strategy = losing(limits("strategy", "max_drawdown"))
    move(rig, 120.0)
    pass_time(rig, DAY_S)
    assert entry(rig, strategy) == (OrderStatus.DENIED, "max_drawdown")


@pytest.mark.parametrize(
    ("where", "command"),
    [
        ("platform", ResumeTrading("Ann", "accepted")),
        ("account", ResumeTrading("Ann", "accepted", account="main")),
        ("strategy", ResumeTrading("Ann", "accepted", strategy_id="one")),
    ],
)
@pytest.mark.parametrize("rule", ["max_daily_loss", "max_drawdown"])
def test_a_person_unlocks_and_losses_count_from_then_on(where: str, command: ResumeTrading, rule: str) -> None:
    rig, strategy = losing(limits(where, rule))
    rig.put(command)
    pass_time(rig)
    assert entry(rig, strategy)[0] is OrderStatus.ACCEPTED
    move(rig, 82.0)
    pass_time(rig)
    assert entry(rig, strategy) == (OrderStatus.DENIED, rule)


@pytest.mark.parametrize("where", ["platform", "account", "strategy"])
def test_a_restart_within_the_day_stays_locked_and_one_after_it_does_not(where: str) -> None:
    first, _ = losing(limits(where))
    decisions = Decisions()
    for record in kept(first):
        decisions.take(record)
    assert decisions.gate or type(kept(first)[-1]) is StrategyHalted
    for later_s, status in ((60.0, OrderStatus.DENIED), (DAY_S, OrderStatus.ACCEPTED)):
        start_ns = first.clock.now_ns() + int(later_s * 1e9)
        second = LineRig(a_perpetual(), limits=limits(where), start_ns=start_ns)
        second.line.gate.restore(decisions.gate)
        second.line.loss_locks.restore(decisions.gate, decisions.halted.values())
        second.quote(99.0, 101.0)
        strategy = second.start(Recording)
        pass_time(second)
        assert entry(second, strategy)[0] is status  # type: ignore[arg-type]


def test_a_kill_that_stands_is_not_lifted_by_a_new_day() -> None:
    rig, strategy = losing(limits("platform"))
    rig.line.gate.close("all is lost", "Bob", lasting=True, killed=True)
    rig.clock.advance(int(DAY_S * 1e9))
    rig.line.risk.mark_losses()
    rig.settle()
    assert entry(rig, strategy) == (OrderStatus.DENIED, "gate")
    decisions = Decisions()
    for record in kept(rig):
        decisions.take(record)
    assert [move.who for move in decisions.gate] == ["Bob"]


def lose_cancels(rig: LineRig, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Let every cancel be lost on its way; returns what was asked for."""
    asked: list[object] = []
    monkeypatch.setattr(rig.line.adapters["main"], "cancel_order", asked.append)
    return asked


def resting(table: LimitTable) -> tuple[LineRig, Recording]:
    """A strategy that is long 2 at 101 with an entry."""
    rig = LineRig(a_perpetual(), limits=table)
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording)
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    strategy.buy(1.0, ENTRY)
    rig.settle()
    pass_time(rig)
    return rig, strategy  # type: ignore[return-value]


@pytest.mark.parametrize("where", ["platform", "account", "strategy"])
def test_a_cancel_that_is_lost_is_asked_for_again_with_growing_pauses(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig, strategy = resting(limits(where))
    with monkeypatch.context() as lost:
        asked = lose_cancels(rig, lost)
        move(rig, 90.0)
        for _ in range(60):
            pass_time(rig, 0.5)
        assert 4 <= len(asked) <= 8
        assert len(strategy.open_orders()) == 1
    for _ in range(40):
        pass_time(rig, 0.5)
    assert strategy.open_orders() == []


def test_a_lost_cancel_is_asked_for_at_once_when_the_account_is_ready_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rig, strategy = resting(limits("platform"))
    with monkeypatch.context() as lost:
        lose_cancels(rig, lost)
        move(rig, 90.0)
        for _ in range(30):
            pass_time(rig, 0.5)
    assert len(strategy.open_orders()) == 1
    rig.dispatcher.put(AdapterStatus("main", "test", AdapterState.READY, "", 0, 0.0, rig.clock.now_ns()))
    rig.settle()
    assert strategy.open_orders() == []


def test_entries_of_others_and_of_what_is_not_locked_are_let_be() -> None:
    rig, strategy = losing(limits("strategy"))
    pass_time(rig, DAY_S)
    order_id = strategy.buy(0.5, 79.0)
    rig.settle()
    for _ in range(4):
        pass_time(rig)
    assert [order.order_id for order in strategy.open_orders() if order.price] == [order_id]
