"""Changes of resting orders: judged as an order, on disk before the wire, counted at their worst until their end is known."""

from itertools import permutations

import pytest
from msgspec.structs import replace

from foxtrot.core.notices import AmendAnswered, IntentDurable, JournalFailed, OrderChanged, RequestFailed
from foxtrot.domain.enums import GateState, OrderStatus, OrderType, Side
from foxtrot.domain.market import REST
from foxtrot.domain.order import AmendRequest, ApprovedAmend, OrderData
from foxtrot.domain.outcome import Outcome
from foxtrot.storage.journal_records import AmendAsked, AmendEnded, JournalRecord
from foxtrot.trading.exposure import Exposure
from foxtrot.trading.journal_wait import JOURNAL_DEADLINE_NS
from foxtrot.trading.limits import Limits
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.restore import Restore
from foxtrot.trading.restored_state import RestoredState, fold
from foxtrot.trading.snapshots import state_of
from tests.support.builders import ACCOUNT, OWNER, T0, TradingFloor, a_request, a_tick, a_trade, an_order
from tests.support.pair_floor import PairFloor, a_stop, a_target
from tests.support.scripted_adapter import ScriptedAdapter

PERP = "BTCUSDT.PERP"
BOUND_S = 5.0
S, O = OrderStatus, Outcome  # noqa: E741


class AmendAdapter(ScriptedAdapter):
    """A scripted adapter whose venue changes orders; `changes` are those that were sent."""

    capabilities = replace(ScriptedAdapter.capabilities, amend=True, unknown_bound_s=BOUND_S)

    def __init__(self, *args: object) -> None:
        super().__init__(*args)  # type: ignore[arg-type]
        self.changes: list[ApprovedAmend] = []
        self.looked_for: list[str] = []

    def amend_order(self, amend: ApprovedAmend) -> None:
        self.changes.append(amend)

    def query_order(self, order_id: str, instrument_id: str) -> None:
        self.looked_for.append(order_id)


class SlowJournal:
    """A journal that answers when the test says so."""

    keeps_reports = True

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        return


class AmendFloor(TradingFloor):
    """A trading floor with such an adapter, and one order to buy 1.0 at 100.0 that rests."""

    adapter_class = AmendAdapter

    def __init__(self, **options: object) -> None:
        super().__init__(**options)  # type: ignore[arg-type]
        self.put(a_tick())
        order_id = self.desk.submit(a_request(price=100.0), OWNER)
        self.dispatcher.drain()
        if isinstance(self.journal, SlowJournal):
            self.put(IntentDurable((order_id,)))
        self.put(an_order(order_id))
        self.order_id = order_id

    @property
    def changes(self) -> list[ApprovedAmend]:
        """The changes that were sent."""
        adapter = self.adapter
        assert isinstance(adapter, AmendAdapter)
        return adapter.changes

    @property
    def order(self) -> OrderData:
        """The order as it stands."""
        found = self.desk.order(self.order_id)
        assert found is not None
        return found

    def amend(self, **terms: float) -> int:
        """Wish for a change of the order."""
        number = self.desk.amends.amend(AmendRequest(self.order_id, **terms))
        self.dispatcher.drain()
        return number

    def answer(self, outcome: Outcome, number: int = 1, rule: str = "", reason: str = "") -> None:
        """Let the adapter answer."""
        self.put(AmendAnswered(self.order_id, ACCOUNT, number, outcome, rule, reason, T0))

    def told(self, quantity: float = 1.0, price: float = 100.0, **terms: object) -> None:
        """Let the venue report the order with some terms."""
        self.put(an_order(self.order_id, quantity=quantity, price=price, **terms))

    def answers(self) -> list[tuple[int, Outcome, str]]:
        """The answers that were heard: number, outcome and rule."""
        return [(one.number, one.outcome, one.rule) for one in self.heard(AmendAnswered)]  # type: ignore[attr-defined]

    def pending(self) -> int:
        """What the order may still buy, in units."""
        place = (PERP, self.order.position_side)
        return Exposure(self.desk, self.portfolio).pending_units(Side.BUY, OWNER, ACCOUNT, place)


def test_a_change_leaves_once_it_is_durable_and_not_before() -> None:
    journal = SlowJournal()
    made = AmendFloor(journal=journal)
    assert made.amend(quantity=2.0, price=99.0) == 1
    assert made.changes == []
    [asked] = [record for record in journal.records if isinstance(record, AmendAsked)]
    made.put(IntentDurable((asked.amend.amend_id,)))
    made.put(IntentDurable((asked.amend.amend_id,)))
    [change] = made.changes
    assert change == asked.amend
    assert (change.number, change.order.order_id, change.venue_order_id) == (1, made.order_id, "v1")
    assert (change.order.quantity_units, change.order.price_units) == (2000, 990)


@pytest.mark.parametrize("quantity", [0.5, 2.0])
def test_the_order_counts_as_the_worse_until_the_end_is_known(quantity: float) -> None:
    made = AmendFloor()
    made.amend(quantity=quantity)
    assert made.pending() == max(1000, round(quantity * 1000))
    assert made.order.quantity == 1.0
    made.answer(O.CONFIRMED)
    assert made.pending() == round(quantity * 1000)
    assert made.order.quantity == quantity
    assert made.heard(OrderChanged)[-1].order == made.order  # type: ignore[attr-defined]


def test_a_refused_change_leaves_the_order_as_it_was() -> None:
    made = AmendFloor()
    made.amend(quantity=2.0, price=99.0)
    made.answer(O.REFUSED, rule="201", reason="no")
    assert (made.order.quantity, made.order.price, made.pending()) == (1.0, 100.0, 1000)
    made.told()
    assert made.heard(RequestFailed) == []


@pytest.mark.parametrize("order", list(permutations(("report", "answer", "old"))))
def test_report_answer_and_a_late_report_of_the_old_terms_end_alike_in_any_order(order: tuple[str, ...]) -> None:
    made = AmendFloor()
    made.amend(quantity=2.0, price=99.0)
    for step in order:
        match step:
            case "report":
                made.told(2.0, 99.0)
            case "answer":
                made.answer(O.CONFIRMED)
            case _:
                made.told()
    assert (made.order.quantity, made.order.price, made.pending()) == (2.0, 99.0, 2000)
    assert made.heard(RequestFailed) == []
    assert made.order.status is S.ACCEPTED
    told = [one for one in made.answers() if one[1] is O.CONFIRMED]
    assert told
    assert made.gate.state is GateState.ACTIVE


def test_a_size_that_the_order_never_had_is_still_in_doubt() -> None:
    made = AmendFloor()
    made.amend(quantity=2.0)
    made.told(3.0)
    assert (made.order.quantity, made.pending()) == (1.0, 2000)
    assert len(made.heard(RequestFailed)) == 1


def test_fills_of_the_larger_order_are_counted_and_end_it() -> None:
    made = AmendFloor()
    made.amend(quantity=2.0)
    made.put(a_trade(made.order_id, "a", 1.5))
    assert made.order.status is S.PARTIALLY_FILLED
    made.answer(O.CONFIRMED)
    made.put(a_trade(made.order_id, "b", 0.5))
    assert (made.order.status, made.pending()) == (S.FILLED, 0)


def test_an_order_made_smaller_than_what_filled_meanwhile_is_filled() -> None:
    made = AmendFloor()
    made.amend(quantity=0.5)
    made.put(a_trade(made.order_id, "a", 0.5))
    assert made.order.status is S.PARTIALLY_FILLED
    made.answer(O.CONFIRMED)
    assert made.order.status is S.FILLED


@pytest.mark.parametrize(
    ("terms", "rule"),
    [
        ({}, "amend"),
        ({"quantity": 1.0, "price": 100.0}, "amend"),
        ({"trigger_price": 90.0}, "amend"),
        ({"price": 99.95}, "off_grid"),
        ({"price": float("nan")}, "finite"),
        ({"quantity": -1.0}, "finite"),
        ({"quantity": 11.0}, "max_order_quantity"),
        ({"price": 120.0}, "price_collar"),
    ],
)
def test_what_no_order_could_be_no_change_makes_of_one(terms: dict[str, float], rule: str) -> None:
    made = AmendFloor(limits=Limits(check_funds=False, max_order_quantity=10.0))
    assert made.amend(**terms) == 0
    [(number, outcome, told)] = made.answers()
    assert (number, outcome) == (0, O.DENIED_LOCALLY)
    assert rule in (told, "off_grid")
    assert made.changes == []
    assert made.pending() == 1000


def test_what_is_open_counts_once_against_the_limits() -> None:
    made = AmendFloor(limits=Limits(check_funds=False, max_position=1.5, max_open_orders=1))
    assert made.amend(quantity=1.5) == 1
    made.answer(O.CONFIRMED)
    assert made.amend(quantity=1.6) == 0
    assert made.answers()[-1][2] == "max_position"


def test_an_order_cannot_be_made_smaller_than_what_is_filled() -> None:
    made = AmendFloor()
    made.put(a_trade(made.order_id, "a", 0.5))
    assert made.amend(quantity=0.5) == 0
    assert made.answers() == [(0, O.DENIED_LOCALLY, "amend")]


def test_an_order_that_only_reduces_stays_one() -> None:
    made = AmendFloor()
    made.put(an_order(made.order_id, S.CANCELLED))
    made.hold(1000)
    exit_id = made.desk.submit(a_request(side=Side.SELL, price=101.0), OWNER)
    made.dispatcher.drain()
    made.put(an_order(exit_id, side=Side.SELL, price=101.0, venue_order_id="v2"))
    made.order_id = exit_id
    assert made.amend(quantity=2.0) == 0
    assert made.answers() == [(0, O.DENIED_LOCALLY, "amend")]
    made.gate.reduce_only("test", "test")
    assert made.amend(price=102.0) == 1
    assert [change.order.reduces for change in made.changes] == [True]


@pytest.mark.parametrize("state", [GateState.HALTED, GateState.REDUCING])
def test_the_gate_lets_no_change_of_an_entry_through(state: GateState) -> None:
    made = AmendFloor()
    if state is GateState.HALTED:
        made.gate.close("test")
    else:
        made.gate.reduce_only("test", "test")
    made.amend(price=99.0)
    assert made.changes == []
    assert made.answers() == [(1, O.DENIED_LOCALLY, "gate")]
    assert made.pending() == 1000


def test_one_change_at_a_time_and_none_of_what_is_being_cancelled() -> None:
    made = AmendFloor()
    made.amend(price=99.0)
    assert made.amend(price=98.0) == 0
    made.answer(O.CONFIRMED)
    assert made.amend(price=98.0) == 2
    made.answer(O.CONFIRMED, 2)
    made.desk.cancel(made.order_id)
    assert made.amend(price=97.0) == 0
    assert [change.number for change in made.changes] == [1, 2]


def test_a_cancel_before_the_change_is_durable_keeps_it_from_leaving() -> None:
    made = AmendFloor(journal=SlowJournal())
    made.amend(price=99.0)
    made.desk.cancel(made.order_id)
    made.put(IntentDurable((f"{made.order_id}/1",)))
    assert made.changes == []
    assert made.answers() == [(1, O.DENIED_LOCALLY, "amend")]


def test_a_journal_that_fails_or_is_silent_denies_the_change() -> None:
    for fail in (True, False):
        made = AmendFloor(journal=SlowJournal())
        made.amend(price=99.0)
        if fail:
            made.put(JournalFailed((f"{made.order_id}/1",), "disk full"))
        else:
            made.clock.advance(JOURNAL_DEADLINE_NS + 1)
            made.desk.amends.check()
            made.dispatcher.drain()
        made.put(IntentDurable((f"{made.order_id}/1",)))
        assert made.changes == []
        assert made.answers() == [(1, O.DENIED_LOCALLY, "journal")]
        assert made.gate.state is GateState.HALTED


def test_an_unknown_change_is_looked_for_and_ends_by_the_venues_word() -> None:
    made = AmendFloor()
    made.amend(quantity=2.0)
    made.answer(O.UNKNOWN, reason="no answer")
    assert isinstance(made.adapter, AmendAdapter)
    assert made.adapter.looked_for == [made.order_id]
    assert made.pending() == 2000
    made.told(source=REST)  # as it was, but it may be on its way
    assert made.pending() == 2000
    made.clock.advance(int(BOUND_S * 1e9))
    made.told()  # a push says nothing of when it was true
    assert made.pending() == 2000
    made.told(source=REST)
    assert made.pending() == 1000
    assert made.answers()[-1] == (1, O.REFUSED, "unanswered")


def test_an_unknown_change_that_was_made_is_confirmed_by_a_list() -> None:
    made = AmendFloor()
    made.amend(quantity=2.0)
    made.answer(O.UNKNOWN)
    made.told(2.0, source=REST)
    assert (made.pending(), made.order.quantity) == (2000, 2.0)
    assert made.answers()[-1] == (1, O.CONFIRMED, "")


def _trailing() -> AmendFloor:
    """A floor on which a trailing stop rests whose stop price the venue tells, wherever it has come to."""
    made = AmendFloor()
    wish = a_request(order_type=OrderType.TRAILING_STOP, trailing_offset=2.0)
    made.order_id = made.desk.submit(wish, OWNER)
    made.dispatcher.drain()
    made.told(price=0.0, order_type=OrderType.TRAILING_STOP, trigger_price=104.3)
    return made


@pytest.mark.parametrize(("listed", "outcome"), [(2.0, O.CONFIRMED), (1.0, O.REFUSED)])
def test_an_unknown_change_of_a_trailing_stop_ends_though_its_price_moves(listed: float, outcome: Outcome) -> None:
    made = _trailing()
    assert made.amend(quantity=2.0) == 1
    made.answer(O.UNKNOWN)
    made.clock.advance(int(BOUND_S * 1e9))
    made.told(listed, 0.0, source=REST, order_type=OrderType.TRAILING_STOP, trigger_price=103.9)
    assert made.answers()[-1][:2] == (1, outcome)
    assert made.order.quantity == listed


def test_what_cannot_be_changed_is_named() -> None:
    made = AmendFloor()
    assert made.desk.amends.amend(AmendRequest("nobody", price=1.0)) == 0
    plain = TradingFloor()
    plain.put(a_tick())
    order = plain.send(a_request(price=100.0))
    plain.put(an_order(order.order_id))
    assert plain.desk.amends.amend(AmendRequest(order.order_id, price=99.0)) == 0
    plain.dispatcher.drain()
    assert "changes none" in plain.heard(AmendAnswered)[-1].reason  # type: ignore[attr-defined]


def test_an_order_of_a_pair_is_not_changed() -> None:
    made = PairFloor()
    made.put(a_tick())
    made.hold(1000)
    ids = made.desk.submit_pair(a_stop(), a_target(), OWNER)
    made.dispatcher.drain()
    made.put(an_order(ids[0], side=Side.SELL, order_type=OrderType.STOP, price=0.0, trigger_price=95.0))
    assert made.desk.amends.amend(AmendRequest(ids[0], trigger_price=94.0)) == 0
    made.dispatcher.drain()
    assert "pair" in made.heard(AmendAnswered)[-1].reason  # type: ignore[attr-defined]


# --- restarts -------------------------------------------------------------------------------------------------------


def _again(records: list[JournalRecord] | RestoredState) -> tuple[AmendFloor, OrderDesk]:
    """Another platform over what the first left."""
    made = AmendFloor()
    fresh = TradingFloor()
    fresh.adapters[ACCOUNT] = AmendAdapter.of(ACCOUNT, fresh.dispatcher, fresh.permit, fresh.clock)
    fresh.desk.adapters = dict(fresh.adapters)
    state = records if isinstance(records, RestoredState) else fold(records)
    Restore(fresh.desk, fresh.portfolio).put(state)
    return made, fresh.desk


@pytest.mark.parametrize("outcome", [O.CONFIRMED, O.REFUSED, None])
@pytest.mark.parametrize("by_snapshot", [False, True])
def test_a_restart_knows_the_terms_and_what_is_under_way(outcome: Outcome | None, by_snapshot: bool) -> None:
    journal = SlowJournal()
    made = AmendFloor(journal=journal)
    made.amend(quantity=2.0, price=99.0)
    made.put(IntentDurable((f"{made.order_id}/1",)))
    if outcome is not None:
        made.answer(outcome)
    state = state_of(made.desk, made.portfolio, made.notes.decisions, 0) if by_snapshot else fold(journal.records)
    _, desk = _again(state)
    [record] = desk.open_records()
    confirmed = outcome is O.CONFIRMED
    assert (record.terms.quantity, record.terms.price) == ((2.0, 99.0) if confirmed else (1.0, 100.0))
    assert record.pending_units == (1000 if outcome is O.REFUSED else 2000)
    assert record.changes == 1
    assert len(record.amends) == (outcome is None)


def test_what_was_told_and_what_ended_is_written_once() -> None:
    journal = SlowJournal()
    made = AmendFloor(journal=journal)
    made.amend(price=99.0)
    made.put(IntentDurable((f"{made.order_id}/1",)))
    made.told(1.0, 99.0)
    made.answer(O.CONFIRMED)
    ended = [record for record in journal.records if isinstance(record, AmendEnded)]
    assert [(one.number, one.outcome) for one in ended] == [(1, O.CONFIRMED)]
