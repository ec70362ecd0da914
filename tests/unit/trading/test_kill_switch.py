"""The kill switch: what is cancelled, what stays, what is tried again, and who may resume."""

import pytest

from foxtrot.api import OrderStatus, OrderType, Side
from foxtrot.core.commands import KillSwitch, ResumeTrading, SendOrder, StartStrategy
from foxtrot.core.notices import JournalFailed, RequestFailed, StrategyStatus
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.order import CancelRequest, OrderRequest
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.trading.kill_switch import KillStanding
from tests.support.instruments import a_perpetual, a_spot
from tests.support.line_rig import LineRig
from tests.support.recording import Recording

KILL = KillSwitch("all is lost", "Ann")
ENTRY, STOP, TARGET = 90.0, 80.0, 120.0


def holding(*accounts: str) -> tuple[LineRig, Recording]:
    """A strategy that is long 2, with an entry below, a stop and a target that only reduce."""
    rig = LineRig(a_perpetual(), accounts=accounts or ("main",))
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording)
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    strategy.buy(1.0, ENTRY)
    strategy.sell(1.0, order_type=OrderType.STOP, trigger_price=STOP)
    strategy.sell(1.0, TARGET)
    rig.settle()
    assert (strategy.position, len(strategy.open_orders())) == (2.0, 3)
    return rig, strategy  # type: ignore[return-value]


def kill(rig: LineRig, command: KillSwitch = KILL) -> None:
    """Close the gate, as whoever kills does at once, and put the command."""
    rig.line.gate.close(command.reason, command.who, lasting=True, killed=True)
    rig.put(command)
    rig.settle()


def left(rig: LineRig) -> list[float]:
    """What is open at the venue of our accounts, by price or trigger."""
    orders = [order for name in rig.line.adapters for order in rig.session.venue.open_orders(name)]
    return sorted(rig.instruments[0].price(order.price or order.trigger_price) for order in orders)


def a_wish(side: Side = Side.BUY, quantity: float = 1.0, price: float = ENTRY, account: str = "main") -> OrderRequest:
    return OrderRequest("BTCUSDT.SIM", account, side, OrderType.LIMIT, quantity, price)


def ours(rig: LineRig) -> str:
    return rig.instruments[0].instrument_id


def place_foreign(rig: LineRig, name: str, price: float, client_order_id: str = "by hand") -> None:
    """Let somebody else place an order in one of our accounts."""
    instrument = rig.instruments[0]
    command = PlaceOrder(
        rig.clock.now_ns(), name, instrument.instrument_id, client_order_id, Side.BUY, OrderType.LIMIT,
        instrument.quantity_units(1.0), instrument.price_units(price),
    )  # fmt: skip
    assert rig.session.execute(command).ok
    rig.settle()


def test_entries_are_cancelled_and_what_only_reduces_stays_with_the_position() -> None:
    rig, strategy = holding()
    kill(rig)
    assert left(rig) == [STOP, TARGET]
    assert (strategy.position, rig.net()) == (2.0, {"main": 2.0})
    standing = rig.line.kill.standing()
    assert isinstance(standing, KillStanding)
    assert (standing.reason, standing.who, standing.entries, standing.reducing) == ("all is lost", "Ann", (), 2)


def test_orders_by_hand_of_ours_are_cancelled_and_what_somebody_else_placed_is_not() -> None:
    rig, _ = holding()
    rig.put(SendOrder(OrderRequest(ours(rig), "main", Side.BUY, OrderType.LIMIT, 1.0, 91.0), "manual"))
    place_foreign(rig, "main", 70.0)
    assert left(rig) == [70.0, STOP, ENTRY, 91.0, TARGET]
    kill(rig)
    assert left(rig) == [70.0, STOP, TARGET]


def test_an_order_of_a_strategy_that_is_no_more_is_ours_by_its_id() -> None:
    rig, _ = holding()
    place_foreign(rig, "main", 70.0, "F-gone-run0000000-1")
    place_foreign(rig, "main", 71.0, "R-gone-run0000000-2")
    assert rig.line.desk.order("F-gone-run0000000-1").strategy_id == EXTERNAL  # type: ignore[union-attr]
    kill(rig)
    assert left(rig) == [71.0, STOP, TARGET]


def test_a_stop_goes_when_the_position_that_it_protected_is_flat_and_not_before() -> None:
    rig, strategy = holding()
    kill(rig)
    strategy.sell(0.5, TARGET + 1)
    rig.quote(119.0, 121.0)
    rig.hit(Side.BUY, 1.0, TARGET)
    assert (strategy.position, left(rig)) == (1.0, [STOP])
    rig.line.gate.soften()
    rig.line.desk.cancel(strategy.open_orders()[0].order_id)
    rig.settle()
    strategy.sell(0.5, 119.0)
    strategy.sell(0.25, TARGET)
    strategy.sell(0.25, order_type=OrderType.STOP, trigger_price=STOP)
    rig.settle()
    assert (strategy.position, left(rig)) == (0.5, [STOP, TARGET])
    rig.hit(Side.BUY, 0.25, TARGET)
    assert (strategy.position, left(rig)) == (0.25, [STOP])


def test_what_protected_a_position_goes_when_another_order_of_its_owner_has_closed_it() -> None:
    rig = LineRig(a_perpetual())
    rig.quote(99.0, 101.0)
    strategy = rig.start(Recording)
    rig.settle()
    strategy.buy(2.0)
    rig.settle()
    instrument = rig.instruments[0]
    units = instrument.quantity_units(2.0)
    for number, price, trigger in ((1, 0.0, STOP), (2, TARGET, 0.0)):
        kind = OrderType.STOP if trigger else OrderType.LIMIT
        command = PlaceOrder(
            rig.clock.now_ns(), "main", instrument.instrument_id, f"R-one-run0000000-{number}", Side.SELL, kind, units,
            instrument.price_units(price) if price else 0, instrument.price_units(trigger) if trigger else 0,
        )  # fmt: skip
        assert rig.session.execute(command).ok
    rig.settle()
    kill(rig)
    assert left(rig) == [STOP, TARGET]
    rig.quote(119.0, 121.0)
    rig.hit(Side.BUY, 1.5, TARGET)
    assert left(rig) == [STOP, TARGET]
    rig.hit(Side.BUY, 0.5, TARGET)
    assert (strategy.position, left(rig)) == (0.0, [])


def test_nothing_is_sent_while_the_kill_stands() -> None:
    rig, strategy = holding()
    kill(rig)
    order = rig.line.desk.order(strategy.buy(1.0, 85.0))
    rig.settle()
    assert order is not None
    assert rig.line.desk.order(order.order_id).status is OrderStatus.DENIED  # type: ignore[union-attr]
    rig.wait(30)
    assert left(rig) == [STOP, TARGET]


def test_an_account_that_is_not_connected_is_remembered_and_done_when_its_orders_are_known() -> None:
    rig, _ = holding("main", "other")
    for name in ("main", "other"):
        rig.put(SendOrder(OrderRequest(ours(rig), name, Side.BUY, OrderType.LIMIT, 1.0, 91.0), "manual"))
    rig.settle()
    rig.line.adapters["other"].drop_link("cable", 60.0)  # type: ignore[attr-defined]
    rig.settle()
    kill(rig)
    assert left(rig) == [STOP, 91.0, TARGET]
    standing = rig.line.kill.standing()
    assert standing is not None
    assert [(one.account, one.asked > 0) for one in standing.entries] == [("other", True)]
    assert standing.not_ready == ("other",)
    rig.wait(61)
    assert rig.line.adapters["other"].state is AdapterState.READY
    rig.settle()
    assert left(rig) == [STOP, TARGET]


def test_an_order_that_waits_for_the_journal_is_withdrawn() -> None:
    rig, strategy = holding()
    strategy.buy(1.0, 85.0)  # its intent is not answered before the queue is drained
    rig.line.gate.close("all is lost", "Ann", lasting=True, killed=True)
    rig.line.kill.on_kill(KILL)
    rig.settle()
    assert left(rig) == [STOP, TARGET]
    assert strategy.open_orders()[0].status is not OrderStatus.CREATED


def test_a_cancel_that_comes_to_nothing_is_asked_for_again_with_growing_pauses() -> None:
    rig, _ = holding()
    adapter, asked = rig.line.adapters["main"], list[tuple[int, CancelRequest]]()
    cancel = adapter.cancel_order
    adapter.cancel_order = lambda request: asked.append((rig.clock.now_ns(), request))  # type: ignore[method-assign]
    kill(rig)
    rig.wait(20)
    seconds = [(at - asked[0][0]) / 1e9 for at, _ in asked]
    assert seconds == [0.0, 0.5, 1.5, 3.5, 7.5, 15.5]
    adapter.cancel_order = cancel  # type: ignore[method-assign]
    rig.wait(17)
    assert left(rig) == [STOP, TARGET]


def test_an_unknown_order_that_turns_out_alive_is_cancelled_at_once() -> None:
    rig, strategy = holding()
    adapter = rig.line.adapters["main"]
    cancel, adapter.cancel_order = adapter.cancel_order, lambda request: None  # type: ignore[method-assign]
    entry = next(order for order in strategy.open_orders() if order.price == ENTRY)
    record = rig.line.desk.index.all[entry.order_id]
    record.status = OrderStatus.UNKNOWN
    kill(rig)
    rig.wait(10)
    adapter.cancel_order = cancel  # type: ignore[method-assign]
    adapter.query_orders()
    rig.settle()
    assert left(rig) == [STOP, TARGET]


def test_flatten_closes_what_strategies_own_after_their_other_orders_are_gone() -> None:
    rig, strategy = holding()
    rig.put(SendOrder(OrderRequest(ours(rig), "main", Side.BUY, OrderType.MARKET, 3.0), "manual"))
    rig.settle()
    kill(rig, KillSwitch("all is lost", "Ann", flatten=True))
    rig.settle()
    assert (strategy.position, left(rig), rig.net()) == (0.0, [], {"main": 3.0})
    assert rig.line.gate.state is GateState.HALTED
    assert rig.stages()[-1] == "stopped"


def test_everything_is_closed_when_that_is_wished() -> None:
    rig, _ = holding("main", "other")
    place_foreign(rig, "main", 101.0)
    place_foreign(rig, "other", 101.0)
    place_foreign(rig, "other", 70.0, "too")
    assert rig.net() == {"main": 3.0, "other": 1.0}
    kill(rig, KillSwitch("all is lost", "Ann", flatten=True, everything=True))
    rig.settle()
    assert (left(rig), rig.net()) == ([], {})


def test_what_a_spot_account_held_before_stays_its_own() -> None:
    rig = LineRig(a_spot())
    rig.quote(99.0, 101.0)
    before = rig.session.venue.balances("main")["BTC"][0]
    strategy = rig.start(Recording)
    rig.settle()
    strategy.buy(0.01)
    rig.settle()
    assert rig.session.venue.balances("main")["BTC"][0] > before
    kill(rig, KillSwitch("all is lost", "Ann", flatten=True))
    rig.settle()
    assert rig.session.venue.balances("main")["BTC"][0] == before


def test_a_flatten_waits_for_an_account_that_is_not_reconciled() -> None:
    rig, strategy = holding()
    rig.line.gate.block("main", "", GateState.HALTED, "not reconciled yet", "reconcile")
    kill(rig, KillSwitch("all is lost", "Ann", flatten=True))
    standing = rig.line.kill.standing()
    assert standing is not None
    assert standing.waiting == ("one waits until account main is reconciled",)
    rig.wait(30)
    assert (strategy.position, left(rig)) == (2.0, [STOP, TARGET])
    rig.line.gate.block("main", "", GateState.ACTIVE, "reconciled", "reconcile")
    rig.settle()
    rig.settle()
    assert (strategy.position, left(rig), rig.line.gate.state) == (0.0, [], GateState.HALTED)


def test_a_strategy_does_not_start_while_the_kill_stands_and_does_after_it() -> None:
    rig = LineRig(a_perpetual())
    rig.add(Recording)
    kill(rig)
    rig.put(StartStrategy("one"))
    assert rig.told(StrategyStatus)[-1].reason.startswith("not started: killed by Ann (all is lost); `foxtrot resume`")
    rig.put(ResumeTrading("Bob", "seen to"))
    assert rig.stages()[-1] == "running"


def test_a_stopped_strategy_that_was_held_back_does_not_start_when_trading_resumes() -> None:
    rig = LineRig(a_perpetual())
    rig.add(Recording)
    kill(rig)
    rig.put(StartStrategy("one"))
    rig.stop()
    rig.put(ResumeTrading("Bob", "seen to"))
    assert rig.line.strategies.hosts["one"].stage == "stopped"


@pytest.mark.parametrize("who", ["Ann", "guardian"])
def test_a_kill_while_a_person_resumes_stands(who: str) -> None:
    rig, strategy = holding()
    kill(rig)
    told: list[bool] = []
    rig.line.kill.on_reopened = lambda: told.append(True)
    heard = rig.line.kill.on_resumed

    def kill_meanwhile(command: ResumeTrading) -> bool:
        rig.line.gate.close("once more", who, lasting=True, killed=True)
        return heard(command)

    rig.line.kill.on_resumed = kill_meanwhile
    rig.put(ResumeTrading("Bob", "seen to"))
    assert rig.line.gate.state is GateState.HALTED
    assert "asked for while this was being resumed" in rig.told(RequestFailed)[-1].error
    assert rig.line.kill.standing() is not None
    assert not told, "the halt file stays"
    rig.line.kill.on_resumed = heard
    rig.put(ResumeTrading("Bob", "seen to"))
    assert told == [True]
    assert (rig.line.gate.state, rig.line.kill.standing()) == (GateState.ACTIVE, None)
    strategy.buy(1.0, 85.0)
    rig.settle()
    assert left(rig) == [STOP, 85.0, TARGET]
    rig.wait(60)
    assert left(rig) == [STOP, 85.0, TARGET]


def test_nothing_resumes_once_the_journal_has_failed() -> None:
    rig, _ = holding()
    rig.put(JournalFailed((), "disk full"))
    rig.put(ResumeTrading("Bob", "seen to"))
    assert rig.line.gate.state is GateState.HALTED
    assert "journal has failed (disk full)" in rig.told(RequestFailed)[-1].error


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (ResumeTrading("Bob", "why"), "the platform is not halted"),
        (ResumeTrading("Bob", "why", account="main"), "account main, instrument every one: nothing is blocked there"),
        (ResumeTrading("Bob", "why", strategy_id="one"), "strategy one is not disabled"),
    ],
)
def test_there_must_be_something_to_resume(command: ResumeTrading, text: str) -> None:
    rig = LineRig(a_perpetual())
    with pytest.raises(FoxtrotError, match=text):
        rig.line.kill.resume(command)


def test_a_block_is_lifted_by_its_place_and_one_of_an_unreconciled_account_only_by_itself() -> None:
    rig = LineRig(a_perpetual())
    gate = rig.line.gate
    gate.block("main", ours(rig), GateState.HALTED, "a difference", "reconcile", lasting=True)
    gate.block("main", "", GateState.HALTED, "not reconciled yet", "reconcile")
    with pytest.raises(FoxtrotError, match="opens by itself"):
        rig.line.kill.resume(ResumeTrading("Bob", "seen to", account="main"))
    text = rig.line.kill.resume(ResumeTrading("Bob", "seen to", account="main", instrument_id=ours(rig)))
    assert text.endswith("lifted a difference")
    assert [move.reason for move in gate.blocks()] == ["not reconciled yet"]


def test_a_kill_that_an_earlier_run_left_cancels_as_soon_as_orders_are_known() -> None:
    first, _ = holding()
    kill(first)
    second = LineRig(a_perpetual(), connect=False)
    second.line.gate.restore(first.line.gate.blocks())
    second.dispatcher.drain()
    place_foreign(second, "main", 70.0, "F-one-run0000000-1")
    place_foreign(second, "main", 71.0, "R-one-run0000000-2")
    second.connect()
    second.settle()
    assert (second.line.gate.state, left(second)) == (GateState.HALTED, [71.0])
