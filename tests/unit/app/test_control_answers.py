"""What is answered over the control port: rows as trading has them, and wishes that become commands or are refused."""

from collections.abc import Callable

import pytest

from foxtrot.api import OrderType
from foxtrot.app.control_answers import ControlAnswers, UnknownName, Wish
from foxtrot.app.control_kill import KillAnswers
from foxtrot.app.control_notices import ControlNotices
from foxtrot.app.control_requests import (
    Blocks,
    Cancel,
    ListBlocks,
    ListOrders,
    ListPositions,
    ListStrategies,
    ListTrades,
    Orders,
    Positions,
    Reconcile,
    Request,
    Resolve,
    Resume,
    Settle,
    SetValues,
    Step,
    Strategies,
    Trades,
)
from foxtrot.core.commands import (
    CancelOrder,
    KillSwitch,
    ReconcileNow,
    ReloadStrategy,
    ResolveOrder,
    ResumeTrading,
    SetParameters,
    StartStrategy,
    StopStrategy,
)
from foxtrot.domain.enums import GateState, OrderStatus, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderData
from foxtrot.strategy.parameters import Parameter
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording

ENTRY, STOP = 90.0, 80.0


class Tuned(Recording):
    """A strategy with a parameter."""

    fast = Parameter(20, "window", minimum=1)


class Scene:
    """A strategy that is long 2 with an entry below and a stop, and what is answered about it."""

    def __init__(self) -> None:
        self.rig = LineRig(a_perpetual(), accounts=("main", "other"))
        self.line = self.rig.line
        self.notices = ControlNotices(self.rig.dispatcher)
        self.answers = ControlAnswers(self.line, self.notices)
        self.kills = KillAnswers(self.line, self.answers.rows)
        self.rig.quote(99.0, 101.0)
        self.strategy = self.rig.start(Tuned)
        self.rig.settle()
        self.strategy.buy(2.0)
        self.rig.settle()
        self.entry = self.strategy.buy(1.0, ENTRY)
        self.stop = self.strategy.sell(2.0, order_type=OrderType.STOP, trigger_price=STOP)
        self.rig.settle()

    def orders(self, request: ListOrders | None = None) -> tuple[str, ...]:
        found = self.answers.answer(request or ListOrders())
        assert isinstance(found, Orders)
        return tuple(row.order_id for row in found.orders)

    def command(self, request: Request) -> object:
        found = self.answers.answer(request)
        assert isinstance(found, Wish)
        return found.command

    def lose(self, order_id: str) -> None:
        """Let nobody know what became of an order."""
        record = next(r for r in self.line.desk.records() if r.terms.order_id == order_id)
        record.status = OrderStatus.UNKNOWN
        record.reason = "no answer within 10 s"


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_open_orders_have_owner_role_and_status_and_all_has_those_that_ended(scene: Scene) -> None:
    found = scene.answers.answer(ListOrders())
    assert isinstance(found, Orders)
    assert [
        (row.owner, row.account, row.price, row.trigger_price, row.status, row.reduces) for row in found.orders
    ] == [
        ("one", "main", ENTRY, 0.0, "accepted", False),
        ("one", "main", 0.0, STOP, "accepted", True),
    ]
    assert all(row.venue_order_id and row.created_ns for row in found.orders)
    assert len(scene.orders(ListOrders(every=True))) == 3


def test_an_order_that_was_denied_is_among_all(scene: Scene) -> None:
    scene.line.gate.close("enough")
    scene.strategy.buy(1.0, 95.0)
    scene.rig.settle()
    found = scene.answers.answer(ListOrders(every=True))
    assert isinstance(found, Orders)
    assert [row.status for row in found.orders if "enough" in row.reason] == ["denied"]


def test_an_order_of_unknown_outcome_says_since_when_and_why(scene: Scene) -> None:
    scene.lose(scene.entry)
    found = scene.answers.answer(ListOrders())
    assert isinstance(found, Orders)
    unknown = {row.order_id: row for row in found.orders}[scene.entry]
    assert (unknown.status, unknown.reason) == ("unknown", "no answer within 10 s")
    assert unknown.unknown_since_ns == unknown.changed_ns
    blocks = scene.answers.answer(ListBlocks())
    assert isinstance(blocks, Blocks)
    assert [row.order_id for row in blocks.unknown] == [scene.entry]


@pytest.mark.parametrize(
    ("narrowed", "count"),
    [
        (ListOrders(account="main"), 2),
        (ListOrders(account="other"), 0),
        (ListOrders(strategy="one"), 2),
        (ListOrders(strategy="EXTERNAL"), 0),
        (ListOrders(instrument="BTCUSDT"), 2),
        (ListOrders(instrument="BTCUSDT.PERP"), 2),
    ],
)
def test_orders_are_narrowed_by_account_strategy_and_instrument(scene: Scene, narrowed: ListOrders, count: int) -> None:
    assert len(scene.orders(narrowed)) == count


@pytest.mark.parametrize(
    ("request_", "what", "known"),
    [
        (ListOrders(account="mian"), "account", "main"),
        (ListPositions(strategy="onne"), "strategy", "one"),
        (ListTrades(instrument="BTCUSD"), "instrument", "BTCUSDT.PERP"),
        (Resume("Ann", "why", account="nain"), "account", "main"),
        (Resume("Ann", "why", strategy="two"), "strategy", "one"),
        (Step("two", "start", "Ann"), "strategy", "one"),
        (Reconcile("Ann", "mian"), "account", "main"),
        (Settle("D-1", "adopt", "Ann", "why"), "open difference", ""),
    ],
)
def test_a_name_that_there_is_not_is_told_with_those_that_there_are(
    scene: Scene, request_: Request, what: str, known: str
) -> None:
    with pytest.raises(UnknownName) as told:
        scene.answers.answer(request_)
    assert told.value.what == what
    assert known in told.value.known or (not known and not told.value.known)


def test_an_unknown_order_is_told_with_all_the_ids_open_ones_first(scene: Scene) -> None:
    with pytest.raises(UnknownName) as told:
        scene.answers.answer(Cancel("F-one-x", "Ann"))
    assert set(told.value.known[:2]) == set(scene.orders())
    assert len(told.value.known) == 3


def test_the_newest_orders_and_fills_are_told_up_to_a_limit(scene: Scene) -> None:
    found = scene.answers.answer(ListOrders(every=True, limit=2))
    assert isinstance(found, Orders)
    assert ([row.order_id for row in found.orders], found.more) == ([scene.entry, scene.stop], True)
    scene.strategy.buy(1.0)
    scene.rig.settle()
    fills = scene.answers.answer(ListTrades(limit=1))
    assert isinstance(fills, Trades)
    assert ([row.quantity for row in fills.trades], fills.more) == ([1.0], True)


def test_one_order_is_told_by_its_id_also_when_it_was_denied_and_named_by_the_venue_s(scene: Scene) -> None:
    assert scene.orders(ListOrders(order=scene.stop)) == (scene.stop,)
    row = scene.answers.answer(ListOrders(order=scene.stop))
    assert isinstance(row, Orders)
    wish = scene.answers.answer(Cancel(row.orders[0].venue_order_id, "Ann"))
    assert isinstance(wish, Wish)
    assert (wish.command, wish.taken.subject) == (CancelOrder(scene.stop), scene.stop)
    scene.line.gate.close("enough")
    denied = scene.strategy.buy(1.0, 95.0)
    scene.rig.settle()
    assert scene.orders(ListOrders(order=denied)) == (denied,)


def test_positions_have_owner_protection_and_the_account_s_net(scene: Scene) -> None:
    found = scene.answers.answer(ListPositions())
    assert isinstance(found, Positions)
    (held,) = found.positions
    assert (held.owner, held.account, held.quantity, held.average_price) == ("one", "main", 2.0, 101.0)
    assert held.protection == "at the venue"
    assert held.profit is not None
    assert [(row.account, row.quantity) for row in found.net] == [("main", 2.0)]
    scene.strategy.cancel(scene.stop)
    scene.rig.settle()
    found = scene.answers.answer(ListPositions())
    assert isinstance(found, Positions)
    assert found.positions[0].protection == "naked"


def test_trades_have_price_fee_owner_and_order(scene: Scene) -> None:
    found = scene.answers.answer(ListTrades())
    assert isinstance(found, Trades)
    (fill,) = found.trades
    assert (fill.owner, fill.side, fill.price, fill.quantity, fill.liquidity) == ("one", "buy", 101.0, 2.0, "taker")
    assert fill.time_ns
    assert fill.order_id.startswith("F-")


def test_strategies_have_stage_parameters_positions_and_what_they_said(scene: Scene) -> None:
    found = scene.answers.answer(ListStrategies())
    assert isinstance(found, Strategies)
    (row,) = found.strategies
    assert (row.strategy_id, row.class_name, row.stage, row.parameters, row.open_orders) == (
        "one", "Tuned", "running", {"fast": 20}, 2,
    )  # fmt: skip
    assert [(held.quantity, held.protection) for held in row.positions] == [(2.0, "at the venue")]
    scene.line.halted.halt("one", "loop", "400 orders in a second")
    found = scene.answers.answer(ListStrategies())
    assert isinstance(found, Strategies)
    assert found.strategies[0].needs_rearm == "400 orders in a second"


def test_blocks_say_who_since_when_and_why(scene: Scene) -> None:
    scene.line.gate.close("mad market", "Ann", lasting=True, killed=True)
    scene.line.gate.block("main", "BTCUSDT.PERP", GateState.REDUCING, "odd", "Bob")
    found = scene.answers.answer(ListBlocks())
    assert isinstance(found, Blocks)
    assert (found.gate, found.gate_reason) == ("halted", "mad market")
    assert [(row.account, row.state, row.reason, row.who, row.killed) for row in found.blocks] == [
        ("", "halted", "mad market", "Ann", True),
        ("main", "reducing", "odd", "Bob", False),
    ]
    assert all(row.since_ns == scene.rig.clock.now_ns() for row in found.blocks)


COMMANDS: dict[str, tuple[Callable[[Scene], Request], Callable[[Scene], object]]] = {
    "resume": (
        lambda _: Resume("Ann", "fixed", "main", "BTCUSDT"),
        lambda _: ResumeTrading("Ann", "fixed", "main", "BTCUSDT.PERP", ""),
    ),
    "cancel": (lambda scene: Cancel(scene.entry, "Ann"), lambda scene: CancelOrder(scene.entry)),
    "start": (lambda _: Step("one", "start", "Ann"), lambda _: StartStrategy("one")),
    "stop": (lambda _: Step("one", "stop", "Ann"), lambda _: StopStrategy("one")),
    "reconcile": (lambda _: Reconcile("Ann"), lambda _: ReconcileNow("", "asked for by Ann")),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_a_wish_becomes_its_command_and_changes_nothing_by_itself(scene: Scene, name: str) -> None:
    make_request, make_command = COMMANDS[name]
    before = len(scene.rig.events)
    assert scene.command(make_request(scene)) == make_command(scene)
    scene.rig.dispatcher.drain()
    assert len(scene.rig.events) == before


def test_only_an_order_of_unknown_outcome_is_resolved(scene: Scene) -> None:
    request = Resolve(scene.entry, OrderStatus.REJECTED, "Ann", "it never came")
    with pytest.raises(ConfigError, match="is accepted: only an order of unknown outcome"):
        scene.answers.answer(request)
    scene.lose(scene.entry)
    assert scene.command(request) == ResolveOrder(scene.entry, OrderStatus.REJECTED, "Ann", "it never came")


def test_an_order_that_has_ended_cannot_be_cancelled(scene: Scene) -> None:
    scene.strategy.cancel(scene.entry)
    scene.rig.settle()
    with pytest.raises(ConfigError, match="is cancelled: there is nothing to cancel"):
        scene.answers.answer(Cancel(scene.entry, "Ann"))


def test_parameters_are_set_and_code_is_loaded_only_at_rest(scene: Scene) -> None:
    values = SetValues("one", {"fast": "30"}, "Ann")
    for request in (values, Step("one", "reload", "Ann")):
        with pytest.raises(ConfigError, match=r"is running: .* while it is stopped; stop it first"):
            scene.answers.answer(request)
    scene.rig.stop()
    assert scene.command(values) == SetParameters("one", (("fast", "30"),))
    assert scene.command(Step("one", "reload", "Ann")) == ReloadStrategy("one")
    with pytest.raises(UnknownName, match="parameter of one fats"):
        scene.answers.answer(SetValues("one", {"fats": 1}, "Ann"))
    with pytest.raises(ConfigError, match="fast must be at least 1, not 0"):
        scene.answers.answer(SetValues("one", {"fast": 0}, "Ann"))


def test_what_a_strategy_says_and_what_is_refused_is_counted(scene: Scene) -> None:
    said = scene.notices.said("one").number
    scene.rig.stop()
    assert scene.notices.said("one") == (said + 1, "on_stop")
    scene.rig.put(ResumeTrading("Ann", "why not"))
    assert scene.notices.refused.number == 1
    assert "not halted" in scene.notices.refused.text


def test_a_kill_counts_the_entries_it_found_and_follows_them(scene: Scene) -> None:
    foreign = OrderData(
        "by hand",
        "main",
        "BTCUSDT.PERP",
        Side.BUY,
        OrderType.LIMIT,
        1.0,
        70.0,
        OrderStatus.ACCEPTED,
        0.0,
        0.0,
        "v9",
        1,
        1,
    )
    scene.rig.put(foreign)
    found = scene.kills.survey(scene.kills.next_id())
    assert (found.kill_id, found.entries, found.engine_answered) == (1, 1, True)
    assert [row.quantity for row in found.positions] == [2.0]
    before = scene.kills.follow(1)
    assert {row.order_id for row in before.staying} == {scene.stop, "by hand"}
    assert (before.still_open, before.reducing, before.foreign) == (1, 1, 1)
    assert ([row.order_id for row in before.open], before.cancels_asked, before.cancelled) == ([scene.entry], 0, 0)
    scene.line.gate.close("mad", "Ann", lasting=True, killed=True)
    scene.rig.put(KillSwitch("mad", "Ann"))
    scene.rig.settle()
    after = scene.kills.follow(1)
    assert (after.open, after.cancels_asked, after.cancelled, after.filled, after.ended_otherwise) == ((), 1, 1, 0, 0)
    assert {row.order_id for row in after.staying} == {scene.stop, "by hand"}


def test_only_the_last_kills_are_remembered(scene: Scene) -> None:
    for _ in range(5):
        scene.kills.survey(scene.kills.next_id())
    assert scene.kills.follow(5).entries == 1
    with pytest.raises(ConfigError, match="nothing is known of kill 1"):
        scene.kills.follow(1)
