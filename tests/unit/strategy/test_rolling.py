"""Rolling a future: two legs, each filled once, whatever happens between them, and what is left said in words."""

from collections.abc import Callable
from decimal import Decimal

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.core.commands import RollPosition
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import RequestFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, Side
from foxtrot.domain.errors import ConfigError, FoxtrotError, OrderRefused
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.storage.journal import AnswerSink, InMemoryJournal, Journal
from foxtrot.storage.journal_records import JournalRecord, RollKept
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.strategy.rolling import ROUNDS
from foxtrot.trading.reconcile_settings import ReconcileSettings
from foxtrot.trading.restored_state import fold
from foxtrot.trading.roll_plan import check_contracts
from tests.support.futures import DAY_NS, two_futures
from tests.support.instruments import a_future, a_stock
from tests.support.line_rig import LIMITS, LineRig
from tests.support.recording import Recording

OLD, NEW = two_futures()
WISH = RollPosition("roll-1", "ESZ6", "ESH7.TEST", "Ann")


class Floor:
    """A line that holds 3 of the old contract, bought by the owner "one"."""

    def __init__(
        self,
        held: float = 3.0,
        owner: str = "one",
        size: float = 10.0,
        make_journal: Callable[[Dispatcher], Journal] = InMemoryJournal,
    ) -> None:
        self.rig = LineRig(OLD, NEW, make_journal=make_journal)
        self.line = self.rig.line
        self.line.adapters["main"].subscribe(SubscribeRequest(OLD.instrument_id))
        self.shows(10.0, size)
        self.buy(held, owner)
        self.shows(10.0, size)

    def buy(self, quantity: float, owner: str = "one") -> None:
        side = Side.BUY if quantity > 0 else Side.SELL
        request = OrderRequest(OLD.instrument_id, "main", side, OrderType.MARKET, abs(quantity))
        self.line.desk.submit(request, owner)
        self.rig.settle()

    def roll(self, wish: RollPosition = WISH, rounds: int = 1) -> None:
        self.rig.put(wish)
        self.rig.settle()
        for _ in range(rounds):
            self.rig.wait(0.5)

    def held(self, owner: str = "one") -> tuple[float, float]:
        """What an owner holds of the old and of the new contract."""
        found = (self.line.portfolio.position(owner, "main", one.instrument_id) for one in (OLD, NEW))
        old, new = (0.0 if position is None else float(position.exact_quantity) for position in found)
        return old, new

    def said(self) -> list[str]:
        return [f"{one.what}: {one.error}" for one in self.rig.told(RequestFailed)]

    def shows(self, old: float, new: float) -> None:
        """Let the crowd show so many of each contract on either side, instead of what it showed before."""
        self.rig.quote(4_999.0, 5_001.0, old)
        self.rig.hit(Side.BUY, new, 5_049.0, NEW)
        self.rig.hit(Side.SELL, new, 5_051.0, NEW)


@pytest.mark.parametrize("held", [3.0, -3.0])
def test_a_roll_closes_the_old_contract_and_opens_as_many_of_the_new_for_the_same_owner(held: float) -> None:
    floor = Floor(held)
    floor.roll()
    assert floor.held() == (0.0, held)
    assert floor.rig.net() == {}
    assert floor.rig.net(NEW) == {"main": held}
    told = floor.line.rolling.told("roll-1")
    assert told is not None
    assert (told.over, told.stopped, told.closed_units, told.opened_units) == (True, "", 3, 3)
    assert floor.line.rolling.unfinished() == ()
    assert floor.said() == []


def test_a_part_of_a_position_is_rolled() -> None:
    floor = Floor()
    floor.roll(msgspec.structs.replace(WISH, quantity=Decimal(2)))
    assert floor.held() == (1.0, 2.0)


def test_legs_go_one_after_the_other_and_what_was_not_closed_is_not_opened() -> None:
    floor = Floor()
    floor.shows(2.0, 10.0)
    floor.roll()
    orders = [record.to_order() for record in floor.line.desk.records()][1:]
    assert [(order.instrument_id, order.side, order.filled_quantity) for order in orders] == [
        (OLD.instrument_id, Side.SELL, 2.0), (NEW.instrument_id, Side.BUY, 2.0),
    ]  # fmt: skip
    assert floor.held() == (1.0, 2.0)
    told = floor.line.rolling.told("roll-1")
    assert told is not None
    assert told.over
    assert floor.said()[0].startswith("rolling ESZ6.TEST into ESH7.TEST: 2 of 3 ESZ6.TEST closed, 2 ESH7.TEST opened (")


def test_what_the_new_market_does_not_give_at_once_is_opened_in_further_rounds() -> None:
    floor = Floor(size=1.0)
    floor.roll()
    assert floor.held() == (0.0, 1.0)
    floor.shows(10.0, 1.0)
    floor.rig.wait(0.5)
    floor.shows(10.0, 5.0)
    floor.rig.wait(0.5)
    assert floor.held() == (0.0, 3.0)


def test_nothing_is_closed_while_the_new_contract_has_no_price() -> None:
    rig = LineRig(OLD, NEW)
    rig.line.adapters["main"].subscribe(SubscribeRequest(OLD.instrument_id))
    rig.quote(4_999.0, 5_001.0)
    rig.line.desk.submit(OrderRequest(OLD.instrument_id, "main", Side.BUY, OrderType.MARKET, 1.0), "one")
    rig.settle()
    rig.put(WISH)
    rig.wait(0.5 * (ROUNDS + 2))
    assert rig.net() == {"main": 1.0}
    assert rig.lines()[-1] == (
        "rolling ESZ6.TEST into ESH7.TEST: 0 of 1 ESZ6.TEST closed, 0 ESH7.TEST opened (nothing was done: no price of ESH7.TEST was heard)"
    )


def test_nothing_is_closed_while_the_gate_lets_no_entry_through_and_the_roll_goes_on_when_it_does() -> None:
    floor = Floor()
    floor.line.gate.block("main", NEW.instrument_id, GateState.REDUCING, "a person looks at it")
    floor.roll(rounds=3)
    assert floor.held() == (3.0, 0.0)
    floor.line.gate.block("main", NEW.instrument_id, GateState.ACTIVE, "fine")
    floor.rig.wait(0.5)
    assert floor.held() == (0.0, 3.0)


def test_a_roll_that_is_cut_between_its_legs_says_what_is_left_and_the_same_wish_does_the_rest_once() -> None:
    floor = Floor(size=2.0)
    floor.roll()
    floor.line.gate.block("main", "", GateState.REDUCING, "the market is mad")
    floor.rig.wait(0.5 * (ROUNDS + 2))
    assert floor.held() == (0.0, 2.0)
    assert "3 of 3 ESZ6.TEST closed, 2 ESH7.TEST opened (the gate is reducing: the market is mad)" in floor.said()[-1]
    assert floor.said()[-1].endswith(
        "1 ESH7.TEST are still to be opened, which `foxtrot roll ESZ6.TEST ESH7.TEST` does"
    )
    floor.line.gate.block("main", "", GateState.ACTIVE, "fine")
    floor.shows(10.0, 10.0)
    floor.rig.wait(30)
    assert floor.held() == (0.0, 2.0), "a person decides"
    floor.roll(msgspec.structs.replace(WISH, roll_id="roll-2"))
    assert floor.held() == (0.0, 3.0)
    assert floor.line.rolling.unfinished() == ()
    floor.roll(msgspec.structs.replace(WISH, roll_id="roll-3"))
    assert floor.held() == (0.0, 3.0)
    assert "nothing of ESZ6.TEST is held" in floor.said()[-1]


def test_a_roll_that_stopped_is_forgotten_by_a_persons_decision() -> None:
    floor = Floor(size=2.0)
    floor.roll()
    floor.line.gate.block("main", "", GateState.REDUCING, "mad")
    floor.rig.wait(0.5 * (ROUNDS + 2))
    floor.roll(msgspec.structs.replace(WISH, forget=True))
    assert floor.line.rolling.unfinished() == ()
    assert "forgotten by Ann" in floor.said()[-1]
    floor.roll(msgspec.structs.replace(WISH, forget=True))
    assert "nothing to forget" in floor.said()[-1]


def test_the_same_wish_twice_rolls_once() -> None:
    floor = Floor(size=1.0)
    floor.roll(rounds=0)
    floor.roll(msgspec.structs.replace(WISH, roll_id="roll-2"), rounds=0)
    assert "is under way: roll-1" in floor.said()[-1]
    floor.shows(10.0, 5.0)
    floor.rig.wait(1.0)
    assert floor.held() == (0.0, 3.0)


def test_several_holders_are_named_and_one_is_chosen() -> None:
    floor = Floor()
    floor.buy(1.0, "two")
    with pytest.raises(ConfigError, match=r"several hold ESZ6.TEST: one on main \+3; two on main \+1; name one"):
        floor.line.rolling.plan(WISH)
    floor.roll(msgspec.structs.replace(WISH, owner="two"))
    assert (floor.held(), floor.held("two")) == ((3.0, 0.0), (0.0, 1.0))


def test_orders_in_the_old_contract_stand_in_the_way() -> None:
    floor = Floor()
    request = OrderRequest(OLD.instrument_id, "main", Side.SELL, OrderType.LIMIT, 1.0, 6_000.0, reduce_only=True)
    order_id = floor.line.desk.submit(request, "one")
    floor.rig.settle()
    with pytest.raises(FoxtrotError, match=f"one has orders in ESZ6.TEST that may still trade: {order_id}"):
        floor.line.rolling.plan(WISH)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        ({"old": "ESX"}, "instrument ESX is not known"),
        ({"new": "ESZ6"}, "cannot be rolled into itself"),
        ({"owner": "nobody"}, r"holders: one on main \+3"),
        ({"quantity": Decimal(4)}, "at most the 3 held"),
        ({"quantity": Decimal("0.5")}, "0 or 1"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_in_words(wish: dict[str, object], says: str) -> None:
    with pytest.raises(FoxtrotError, match=says):
        Floor().line.rolling.plan(msgspec.structs.replace(WISH, **wish))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (a_stock(), "only futures are rolled"),
        (a_future(instrument_id="NQH7.TEST", base_asset="NQ"), "not of one underlying: ES and NQ"),
        (a_future(instrument_id="ESH7.TEST", underlying="SPX"), "not of one underlying: ES and SPX"),
        (a_future(instrument_id="MESH7.TEST", multiplier=Decimal(5)), "not of one multiplier: 50 and 5"),
        (a_future(instrument_id="ESH7.TEST", quote_asset="EUR"), "not of one currency: USD and EUR"),
        (a_future(instrument_id="ESH7.TEST", quantity_grid=Grid.of("0.1")), "not of one quantity step"),
    ],
)
def test_contracts_that_do_not_carry_each_other_on_are_refused(other: Instrument, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        check_contracts(OLD, other)


def test_a_contract_that_is_about_to_end_itself_is_no_target_and_one_that_has_ended_no_source() -> None:
    floor = Floor()
    floor.rig.clock.move_to(OLD.expiry_ns - DAY_NS)
    floor.roll()
    assert floor.held() == (0.0, 3.0), "within roll_days is when one rolls"
    late = Floor()
    late.rig.clock.move_to(OLD.expiry_ns + 1)
    with pytest.raises(ConfigError, match=r"ESZ6.TEST has expired \(last trade on 2023-11-25\)"):
        late.line.rolling.plan(WISH)
    back = msgspec.structs.replace(WISH, old="ESH7", new="ESZ6")
    with pytest.raises(ConfigError, match=r"ESZ6.TEST is about to end itself \(last trade on 2023-11-25\)"):
        floor.line.rolling.plan(back)


def test_every_order_of_a_roll_belongs_to_the_owner_of_the_position() -> None:
    floor = Floor(owner="manual")
    floor.roll()
    assert floor.held("manual") == (0.0, 3.0)
    assert {record.owner for record in floor.line.desk.records()} == {"manual"}
    assert all(record.status is OrderStatus.FILLED for record in floor.line.desk.records())


def test_a_strategy_rolls_its_own_position_and_nobody_elses() -> None:
    floor = Floor(owner="two")
    strategy = floor.rig.start(Recording, symbols=(OLD.instrument_id,))
    floor.rig.settle()
    strategy.buy(2.0)
    floor.rig.settle()
    floor.shows(10.0, 10.0)
    strategy.roll("ESZ6", "ESH7")
    floor.rig.settle()
    floor.rig.wait(1.0)
    assert (floor.held(), floor.held("two")) == ((0.0, 2.0), (3.0, 0.0))
    assert [trade.instrument_id for trade in strategy.facts("on_trade")] == [
        OLD.instrument_id, OLD.instrument_id, NEW.instrument_id,
    ]  # fmt: skip
    floor.rig.stop()
    with pytest.raises(OrderRefused, match="a roll needs a running strategy"):
        strategy.roll("ESZ6", "ESH7")


# --- over a restart ---------------------------------------------------------------------------------------------------


class Dying(InMemoryJournal):
    """Keeps reports as the journal on disk does, and nothing at all once it has died: then nothing more leaves either."""

    keeps_reports = True

    def __init__(self, sink: AnswerSink) -> None:
        super().__init__(sink)
        self.left = 10_000

    def append(self, record: JournalRecord) -> None:
        """Keep a record as long as the process lives."""
        self.left -= 1
        if self.left >= 0:
            super().append(record)


def cut_after(count: int, size: float) -> Floor:
    """A platform that begins to roll and ends so many records later, and the one after it, with what the journal had."""
    floor = Floor(size=size, make_journal=Dying)
    journal = floor.line.journal
    assert isinstance(journal, Dying)
    journal.left = count
    floor.roll(rounds=5)
    return restarted(floor, journal.records)


def restarted(floor: Floor, records: list[JournalRecord]) -> Floor:
    """The line of the next run, at the venue of the last."""
    rig = floor.rig
    floor.line.adapters["main"].close()
    rig.dispatcher = Dispatcher(rig.clock)
    rig.events = []
    rig.dispatcher.add_tap(lambda _, event: rig.events.append(event))
    permit = SendPermit()
    settings = LineSettings(run_id="run0000002", limits=LIMITS, reconcile=ReconcileSettings())
    rig.line = floor.line = Line(rig.dispatcher, permit, settings, make_journal=Dying, restored=fold(records))
    context = AdapterContext("main", rig.dispatcher, permit, rig.clock, {}, {})
    rig.line.add_adapter(SimulatedAdapter(context, rig.session))
    rig.line.start_housekeeping()
    rig.connect()
    rig.wait(30)
    return floor


@pytest.mark.parametrize("size", [10.0, 1.0])
@pytest.mark.parametrize("count", range(24))
def test_wherever_a_run_ends_the_same_wish_in_the_next_rolls_the_rest_and_nothing_twice(
    count: int, size: float
) -> None:
    floor = cut_after(count, size)
    old, new = floor.rig.net().get("main", 0.0), floor.rig.net(NEW).get("main", 0.0)
    assert floor.held() == (old, new)
    assert old + new <= 3.0
    if old or new < 3.0:
        floor.shows(10.0, 10.0)
        floor.roll(msgspec.structs.replace(WISH, roll_id="roll-2"), rounds=3)
    assert floor.held() == (0.0, 3.0)
    assert (floor.rig.net(), floor.rig.net(NEW)) == ({}, {"main": 3.0})
    assert floor.line.rolling.unfinished() == ()


def test_what_an_earlier_run_left_is_said_once_its_account_is_known_again() -> None:
    floor = Floor(size=2.0, make_journal=Dying)
    floor.roll()
    again = restarted(floor, floor.line.journal.records)  # type: ignore[attr-defined]
    assert [said for said in again.said() if said.startswith("rolling")] == [
        "rolling ESZ6.TEST into ESH7.TEST: 3 of 3 ESZ6.TEST closed, 2 ESH7.TEST opened (the run that began it ended before it was "
        "over): 1 ESH7.TEST are still to be opened, which `foxtrot roll ESZ6.TEST ESH7.TEST` does"
    ]
    again.rig.wait(60)
    assert again.held() == (0.0, 2.0), "a person decides"


def test_a_roll_in_the_journal_that_cannot_be_read_is_refused_with_its_text() -> None:
    with pytest.raises(ConfigError, match=r"a roll in the journal cannot be read .*: \{\}"):
        Floor().line.rolling.restore([RollKept(0, "roll-1", "one", "main", "{}")])
