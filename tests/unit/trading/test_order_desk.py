"""The order desk: the way down through journal and gate, the way up from reports and fills."""

from decimal import Decimal

from foxtrot.core.notices import (
    HandlerFailed,
    IntentDurable,
    JournalFailed,
    OpenOrdersLoaded,
    OrderChanged,
    RequestFailed,
    TradeBooked,
    TradesLoaded,
)
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import GateState, OrderStatus, Side
from foxtrot.storage.journal import InMemoryJournal
from foxtrot.storage.journal_records import Intent, JournalRecord, NotSent
from foxtrot.trading.journal_wait import JOURNAL_DEADLINE_NS
from foxtrot.trading.order_ids import OrderIds
from tests.support.builders import (
    ACCOUNT,
    OWNER,
    T0,
    TradingFloor,
    a_perpetual,
    a_request,
    a_tick,
    a_trade,
    an_account,
    an_order,
)

ID, BUY, SELL = "BTCUSDT.PERP", Side.BUY, Side.SELL
S = OrderStatus


class SlowJournal:
    """A journal that answers when the test says so."""

    keeps_reports = False

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        return


def floor(journal: SlowJournal | None = None, **options: object) -> TradingFloor:
    made = TradingFloor(journal=journal, **options)  # type: ignore[arg-type]
    made.put(a_tick())
    return made


# --- down ---------------------------------------------------------------------------------------------------------------


def test_an_order_is_journalled_before_it_is_sent_and_both_are_the_same_order() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    assert isinstance(made.journal, InMemoryJournal)
    assert made.journal.records == [Intent(T0, order) for order in made.adapter.sent]
    assert made.adapter.sent[0].order_id == order.order_id
    assert order.status is S.SUBMITTED


def test_a_refused_order_gets_an_id_is_told_to_its_owner_and_is_not_journalled() -> None:
    made = floor()
    order = made.send(a_request(price=200.0))
    assert made.heard(OrderChanged) == [OrderChanged(OWNER, order)]
    assert (order.status, order.rule, order.strategy_id) == (S.DENIED, "price_collar", OWNER)
    assert made.journal.records == []  # type: ignore[attr-defined]
    assert made.desk.denied == {order.order_id: order}


def test_nothing_is_sent_until_the_intent_is_durable() -> None:
    journal = SlowJournal()
    made = floor(journal)
    order = made.send(a_request(price=100.0))
    assert (order.status, made.adapter.sent) == (S.CREATED, [])
    made.put(IntentDurable((order.order_id,)))
    assert [sent.order_id for sent in made.adapter.sent] == [order.order_id]
    made.put(IntentDurable((order.order_id,)))
    assert len(made.adapter.sent) == 1


def test_one_answer_for_a_group_of_intents_sends_them_in_order() -> None:
    made = floor(SlowJournal())
    ids = [made.send(a_request(price=price)).order_id for price in (99.0, 98.0, 97.0)]
    made.put(IntentDurable(tuple(ids)))
    assert [sent.order_id for sent in made.adapter.sent] == ids


def test_an_intent_that_the_gate_refuses_after_it_was_journalled_gets_a_not_sent_record() -> None:
    journal = SlowJournal()
    made = floor(journal)
    order_id = made.send(a_request(price=100.0)).order_id
    made.gate.close("kill switch")
    made.put(IntentDurable((order_id,)))
    denied = made.desk.order(order_id)
    assert denied is not None
    assert (denied.status, denied.rule, made.adapter.sent) == (S.DENIED, "gate", [])
    assert [type(record) for record in journal.records] == [Intent, NotSent]
    assert journal.records[1] == NotSent(T0, order_id, "gate", denied.reason)


def test_an_order_cancelled_while_it_waits_for_the_journal_is_never_sent() -> None:
    journal = SlowJournal()
    made = floor(journal)
    order_id = made.send(a_request(price=100.0)).order_id
    assert made.desk.cancel(order_id)
    made.put(IntentDurable((order_id,)))
    order = made.desk.order(order_id)
    assert order is not None
    assert (order.status, made.adapter.sent, made.adapter.cancels) == (S.CANCELLED, [], [])
    assert isinstance(journal.records[-1], NotSent)


def test_a_journal_that_fails_closes_the_gate_and_its_orders_are_denied() -> None:
    made = floor(SlowJournal())
    order_id = made.send(a_request(price=100.0)).order_id
    made.put(JournalFailed((order_id,), "disk full"))
    order = made.desk.order(order_id)
    assert order is not None
    assert (order.status, order.rule, order.reason) == (S.DENIED, "journal", "disk full")
    assert (made.gate.state, made.gate.reason) == (GateState.HALTED, "the journal failed: disk full")
    made.put(IntentDurable((order_id,)))
    assert made.adapter.sent == []


def test_a_failure_told_after_the_order_was_sent_closes_the_gate_but_does_not_undo_the_order() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    made.put(JournalFailed((order.order_id,), "disk full"))
    assert made.desk.order(order.order_id) == order
    assert made.gate.state is GateState.HALTED


def test_a_journal_that_does_not_answer_within_the_deadline_closes_the_gate() -> None:
    journal = SlowJournal()
    made = floor(journal)
    order_id = made.send(a_request(price=100.0)).order_id
    made.clock.advance(JOURNAL_DEADLINE_NS)
    made.desk.journal_wait.check()
    assert made.gate.state is GateState.ACTIVE
    made.clock.advance(1)
    made.desk.journal_wait.check()
    assert made.gate.state is GateState.HALTED
    assert order_id in made.gate.reason
    assert isinstance(journal.records[-1], NotSent)
    made.gate.reopen("Ann")
    made.put(IntentDurable((order_id,)))
    assert made.adapter.sent == []


def test_cancel_tells_whether_there_is_anything_to_cancel() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    assert made.desk.cancel(order.order_id)
    assert made.adapter.cancels[0].order_id == order.order_id
    made.put(an_order(order.order_id, S.CANCELLED))
    assert not made.desk.cancel(order.order_id)
    assert not made.desk.cancel("nowhere")


def test_cancel_all_takes_an_owners_orders_or_everybodys_but_never_a_strangers() -> None:
    made = floor()
    for owner, price in (("a", 98.0), ("a", 97.0), ("b", 96.0)):
        made.send(a_request(price=price), owner=owner)
    made.put(an_order("web_1"))
    assert made.desk.cancel_all("a") == 2
    assert made.desk.cancel_all() == 3
    assert "web_1" not in [cancel.order_id for cancel in made.adapter.cancels]
    assert made.desk.cancel_all(EXTERNAL) == 1
    assert made.adapter.cancels[-1].order_id == "web_1"


def test_cancel_all_can_leave_what_reduces() -> None:
    made = floor()
    made.hold(1000)
    entry = made.send(a_request(BUY, 1.0, 99.0))
    made.send(a_request(SELL, 1.0, 101.0))
    assert made.desk.cancel_all(OWNER, keep_reducing=True) == 1
    assert [cancel.order_id for cancel in made.adapter.cancels] == [entry.order_id]


# --- up -----------------------------------------------------------------------------------------------------------------


def test_a_fill_is_booked_once_however_often_it_comes() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    trade = a_trade(order.order_id, quantity=0.4)
    made.put(trade, trade, TradesLoaded(ACCOUNT, (trade, trade), T0))
    position = made.portfolio.position(OWNER, ACCOUNT, ID)
    assert position is not None
    assert position.quantity == 400
    assert made.desk.duplicate_fills == 3
    assert made.heard(TradeBooked) == [TradeBooked(OWNER, trade, late=False)]
    partly = made.desk.order(order.order_id)
    assert partly is not None
    assert (partly.status, partly.filled_quantity, partly.average_price) == (S.PARTIALLY_FILLED, 0.4, 100.0)


def test_when_strategies_hear_of_a_fill_desk_and_portfolio_hold_it_already() -> None:
    made = floor()
    seen: list[tuple[float, float]] = []

    def hear(booked: TradeBooked) -> None:
        order, position = made.desk.order(booked.trade.order_id), made.portfolio.position(OWNER, ACCOUNT, ID)
        assert order is not None
        assert position is not None
        seen.append((order.filled_quantity, float(position.exact_quantity)))

    made.dispatcher.subscribe(TradeBooked, hear, owner=OWNER)
    order = made.send(a_request(price=100.0))
    made.put(a_trade(order.order_id, quantity=0.4))
    assert seen == [(0.4, 0.4)]


def test_a_fill_after_the_end_of_an_order_is_booked_and_flagged() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    made.put(an_order(order.order_id, S.CANCELLED))
    trade = a_trade(order.order_id, quantity=0.4)
    made.put(trade)
    assert made.heard(TradeBooked) == [TradeBooked(OWNER, trade, late=True)]
    assert made.desk.late_fills == 1
    ended = made.desk.order(order.order_id)
    assert ended is not None
    assert (ended.status, ended.filled_quantity) == (S.CANCELLED, 0.4)


def test_the_fill_that_a_report_has_announced_is_not_late() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    made.put(an_order(order.order_id, S.CANCELLED, 0.4, 100.0), a_trade(order.order_id, quantity=0.4))
    assert made.desk.late_fills == 0


def test_a_venue_that_says_more_is_believed_over_our_own_denial() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    made.put(an_order(order.order_id, S.DENIED, rule="send_permit"))
    assert made.desk.open_count == 0
    made.put(an_order(order.order_id, S.ACCEPTED))
    assert made.desk.open_count == 1


def test_a_report_that_says_nothing_new_is_not_told_again() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    made.put(an_order(order.order_id), an_order(order.order_id), an_order(order.order_id))
    assert len(made.heard(OrderChanged)) == 2


def test_an_order_of_an_earlier_run_goes_to_its_strategy_and_a_strangers_to_external() -> None:
    made = floor()
    made.desk.strategy_ids.add(OWNER)
    ours = OrderIds("9999999999").next(OWNER)
    made.put(OpenOrdersLoaded(ACCOUNT, (an_order(ours), an_order("web_1")), T0))
    assert [record.owner for record in made.desk.open_records()] == [OWNER, EXTERNAL]
    assert made.desk.cancel(ours)
    made.put(a_trade(ours), a_trade("web_1", "t2"))
    assert [booked.strategy_id for booked in made.heard(TradeBooked)] == [OWNER, EXTERNAL]  # type: ignore[attr-defined]
    external = made.portfolio.position(EXTERNAL, ACCOUNT, ID)
    assert external is not None
    assert external.quantity == 1000


def test_fills_that_come_before_their_order_are_counted_once_and_joined_to_it() -> None:
    made = floor()
    trade = a_trade("web_1", quantity=0.4)
    made.put(trade, trade, an_order("web_1"), trade)
    order = made.desk.order("web_1")
    assert order is not None
    assert (order.status, order.filled_quantity) == (S.PARTIALLY_FILLED, 0.4)
    assert made.desk.duplicate_fills == 2
    assert [record.key for record in made.desk.open_records()] == ["web_1"]
    assert made.desk.fills(ACCOUNT) == [trade]


def test_trade_ids_of_two_instruments_may_be_equal() -> None:
    made = TradingFloor(a_perpetual(), a_perpetual("ETHUSDT"))
    made.put(a_trade("", "7"), a_trade("", "7", instrument_id="ETHUSDT.PERP"))
    assert len(made.heard(TradeBooked)) == 2


def test_foreign_orders_of_two_accounts_may_have_equal_ids() -> None:
    made = floor(accounts=(ACCOUNT, "second"))
    made.put(an_order("5"), an_order("5", account="second"))
    made.put(a_trade("5", quantity=0.4, account="second"))
    filled = {record.terms.account: record.filled_units for record in made.desk.open_records()}
    assert filled == {ACCOUNT: 0, "second": 400}
    made.put(an_order("5", S.CANCELLED, account="second"))
    assert [record.terms.account for record in made.desk.open_records()] == [ACCOUNT]


def test_trades_older_than_the_opening_move_from_external_to_their_strategy_and_leave_the_account_alone() -> None:
    made = floor()
    made.desk.strategy_ids.add(OWNER)
    ours = OrderIds("9999999999").next(OWNER)
    made.put(an_account({"USDT": "1000"}, at=T0))
    old = a_trade(ours, "1", venue_time_ns=T0 - 1, fee=Decimal("0.1"))
    fresh = a_trade(ours, "2", quantity=0.5, venue_time_ns=T0 + 1)
    made.put(TradesLoaded(ACCOUNT, (old, fresh), T0))
    held = {owner: position.quantity for (owner, *_), position in made.portfolio.positions()}
    assert held == {OWNER: 1500, EXTERNAL: -1000}
    net = made.portfolio.net_position(ACCOUNT, ID)
    assert net is not None
    assert net.quantity == 500
    assert made.portfolio.balances(ACCOUNT) == {"USDT": 1000}


def test_trades_of_a_later_list_are_new_whatever_their_time() -> None:
    made = floor()
    made.put(an_account({"USDT": "1000"}, at=T0), TradesLoaded(ACCOUNT, (), T0))
    made.put(TradesLoaded(ACCOUNT, (a_trade("web_1", venue_time_ns=T0),), T0))
    net = made.portfolio.net_position(ACCOUNT, ID)
    assert net is not None
    assert net.quantity == 1000


def test_a_fill_of_our_own_order_that_cannot_be_counted_halts_trading() -> None:
    made = floor()
    order = made.send(a_request(price=100.0))
    made.put(a_trade(order.order_id, price=99.95))
    assert made.gate.state is GateState.HALTED
    assert "99.9 or 100.0" in made.heard(HandlerFailed)[0].error  # type: ignore[attr-defined]


def test_an_intent_that_the_send_permit_refuses_gets_one_not_sent_record() -> None:
    journal = SlowJournal()
    made = floor(journal)
    order_id = made.send(a_request(price=100.0)).order_id
    made.put(IntentDurable((order_id,)))
    denied = an_order(order_id, S.DENIED, rule="send_permit", reason="kill switch", venue_order_id="")
    made.put(denied, denied)
    assert [type(record) for record in journal.records] == [Intent, NotSent]
    assert journal.records[1] == NotSent(T0, order_id, "send_permit", "kill switch")


def test_a_denial_of_an_order_that_this_run_did_not_journal_leaves_no_record() -> None:
    made = floor()
    made.put(an_order("web_1", S.DENIED, rule="send_permit"))
    assert made.journal.records == []  # type: ignore[attr-defined]


def test_order_answers_none_for_an_id_that_was_never_seen() -> None:
    assert floor().desk.order("nowhere") is None


def test_a_fill_that_its_report_counted_already_is_booked_without_telling_the_order_again() -> None:
    made = floor()
    order = made.send(a_request(quantity=1.0, price=100.0))
    made.put(an_order(order.order_id, S.FILLED, 1.0, 100.0, quantity=1.0))
    told = len(made.heard(OrderChanged))
    made.put(a_trade(order.order_id, "1", price=100.0, quantity=1.0))
    assert (len(made.heard(OrderChanged)), len(made.heard(TradeBooked))) == (told, 1)
    assert made.desk.order(order.order_id) == made.heard(OrderChanged)[-1].order


def test_a_fill_before_its_report_or_at_another_price_tells_the_order() -> None:
    made = floor()
    order = made.send(a_request(quantity=1.0, price=100.0))
    made.put(a_trade(order.order_id, "1", price=100.0, quantity=0.5))
    made.put(an_order(order.order_id, S.FILLED, 1.0, 99.0, quantity=1.0))
    made.put(a_trade(order.order_id, "2", price=99.0, quantity=0.5))
    rows = [
        (told.order.status, told.order.filled_quantity, told.order.average_price) for told in made.heard(OrderChanged)
    ]
    assert rows[-3:] == [(S.PARTIALLY_FILLED, 0.5, 100.0), (S.FILLED, 1.0, 99.0), (S.FILLED, 1.0, 99.5)]


def test_an_order_that_was_held_to_be_over_and_is_alive_counts_again_and_is_told_of() -> None:
    made = floor()
    order_id = made.send(a_request(price=100.0)).order_id
    made.put(an_order(order_id, S.DENIED, rule="never_reached_market", reason="not found"))
    made.put(an_order(order_id, S.ACCEPTED))
    alive = made.desk.order(order_id)
    assert alive is not None
    assert (alive.status, made.desk.open_count) == (S.ACCEPTED, 1)
    told = [event for event in made.events if isinstance(event, RequestFailed)]
    assert [event.what for event in told] == [f"order {order_id}"]
    assert "held to be denied and is accepted" in told[0].error
