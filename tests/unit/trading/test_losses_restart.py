"""What has been lost today counts over a restart: the budget of a day is given once."""

from decimal import Decimal

import pytest

from foxtrot.core.commands import ResumeTrading
from foxtrot.domain.enums import GateState, Side
from foxtrot.storage.journal_records import LossesMarked
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.restored_state import decode_state, encode_state, fold
from tests.support.builders import a_perpetual
from tests.support.reconcile_rig import ACCOUNT, OWNER, ReconcileRig

FREE = {"quote_age_s": 0.0, "messages_per_s": 0, "duplicate_window_s": 0.0, "price_collar": 0.0}
DAY_S = 86_400.0
PERP = a_perpetual()


def make(rule: str = "max_daily_loss", most: int = 100) -> ReconcileRig:
    """A position of 10 bought at 101 on a platform that may lose so much."""
    table = LimitTable(platform=Limits(**FREE, **{rule: Decimal(most)}))  # type: ignore[arg-type]
    rig = ReconcileRig(PERP, limits=table)
    look(rig)
    rig.order(Side.BUY, 10.0)
    look(rig)
    return rig


def look(rig: ReconcileRig) -> None:
    rig.wait(1)
    rig.line.risk.mark_losses()
    rig.settle()


def move(rig: ReconcileRig, price: float) -> None:
    rig.quote(price - 1, price + 1)
    rig.trade(price)
    look(rig)


def again(rig: ReconcileRig, price: float) -> None:
    """Crash and start, at a price."""
    rig.crash()
    rig.restart()
    rig.trade(price)
    look(rig)


def marks(rig: ReconcileRig) -> list[LossesMarked]:
    return [record for record in rig.records if isinstance(record, LossesMarked)]


@pytest.mark.parametrize("rule", ["max_daily_loss", "max_drawdown"])
def test_losses_before_a_restart_count_after_it(rule: str) -> None:
    rig = make(rule)
    for price in (97.0, 94.0):
        move(rig, price)
        again(rig, price)
        assert rig.line.gate.state is GateState.ACTIVE
    move(rig, 91.0)
    assert rig.line.gate.state is GateState.REDUCING
    assert rule in rig.line.gate.reason


def test_a_new_day_begins_anew_though_it_begins_between_two_runs() -> None:
    rig = make()
    move(rig, 94.0)
    rig.crash()
    rig.clock.advance(int(DAY_S * 1e9))
    rig.restart()
    rig.trade(94.0)
    look(rig)
    move(rig, 88.0)
    assert rig.line.gate.state is GateState.ACTIVE
    move(rig, 83.0)
    assert rig.line.gate.state is GateState.REDUCING


def test_what_a_person_resumed_counts_anew_over_a_restart_too() -> None:
    rig = make()
    move(rig, 90.0)
    assert rig.line.gate.state is GateState.REDUCING
    rig.put(ResumeTrading("Ann", "I know"))
    rig.settle()
    again(rig, 90.0)
    assert rig.line.gate.state is GateState.ACTIVE
    move(rig, 79.0)
    assert rig.line.gate.state is GateState.REDUCING


def test_a_peak_is_written_in_steps_and_the_start_of_a_day_once() -> None:
    rig = make("max_drawdown", 500)
    before = len(marks(rig))
    for price in (110.0, 110.1, 110.2, 110.0, 112.0, 110.0, 112.0):
        move(rig, price)
    assert len(marks(rig)) - before == 2
    daily = make()
    for price in (100.0, 104.0, 99.0):
        move(daily, price)
    assert len(marks(daily)) == 1


def test_losses_are_in_a_snapshot_and_go_with_the_account_that_made_them() -> None:
    rig = make()
    state = decode_state(encode_state(fold(rig.records)))
    assert set(state.decisions.losses) == {"platform"}
    assert set(state.without(["another"]).decisions.losses) == {"platform"}
    assert state.without([ACCOUNT]).decisions.losses == {}


def test_another_capital_is_no_profit() -> None:
    rig = make()
    rig.line.portfolio.capital[OWNER] = Decimal(1_000)
    look(rig)
    rig.line.portfolio.capital[OWNER] = Decimal(10)
    look(rig)
    assert rig.line.gate.state is GateState.ACTIVE
