"""What we hold to be true against what the venue answers."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.enums import OrderStatus, Product, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.trading.audit import DEADLINE_NS, Audit, AuditFinished, Difference, VenueAnswers, compare, our_state
from foxtrot.trading.difference import Comparison
from tests.support.builders import (
    ACCOUNT,
    T0,
    TradingFloor,
    a_perpetual,
    a_position,
    a_request,
    a_spot,
    a_tick,
    a_trade,
    an_account,
    an_order,
    changed,
)

ID = "BTCUSDT.PERP"


class Audited:
    """A floor with one order half filled and cancelled, one filled, one resting, and a venue that tells the same."""

    def __init__(self) -> None:
        self.floor = made = TradingFloor(a_perpetual(), a_spot())
        self.audit = Audit(made.dispatcher, made.desk, made.portfolio)
        made.put(
            a_tick(), an_account({"USDT": "1000"}), PositionsLoaded(ACCOUNT, (), T0), TradesLoaded(ACCOUNT, (), T0)
        )
        first = made.send(a_request(Side.BUY, 1.0, 100.0))
        second = made.send(a_request(Side.SELL, 0.1, 101.0))
        self.resting = made.send(a_request(Side.BUY, 1.0, 99.0))
        self.fills = [
            a_trade(first.order_id, "1", 0.3, 100.0, fee=Decimal("0.03")), a_trade(first.order_id, "2", 0.2, 99.9),
            a_trade(second.order_id, "3", 0.1, 101.0, side=Side.SELL),
        ]  # fmt: skip
        made.put(an_order(first.order_id, OrderStatus.CANCELLED, 0.5, 99.96))
        made.put(an_order(self.resting.order_id))
        self.open = [an_order(self.resting.order_id)]
        self.position = 0.4
        self.balance = "1000.074"

    def hear(self, *fills: TradeData) -> None:
        self.floor.put(*fills)

    def run(self) -> AuditFinished:
        answers = self.floor.adapter.answers
        answers["orders"] = OpenOrdersLoaded(ACCOUNT, tuple(self.open), T0)
        answers["trades"] = TradesLoaded(ACCOUNT, tuple(self.fills), T0)
        answers["positions"] = PositionsLoaded(ACCOUNT, (a_position(self.position, 99.96),), T0)
        answers["account"] = an_account({"USDT": self.balance, "BNB": "0"})
        self.audit.start(ACCOUNT)
        self.floor.dispatcher.drain()
        (finished,) = self.floor.heard(AuditFinished)
        assert isinstance(finished, AuditFinished)
        return finished


@pytest.fixture
def audited() -> Audited:
    return Audited()


def test_events_that_told_everything_leave_no_difference(audited: Audited) -> None:
    audited.hear(*audited.fills)
    finished = audited.run()
    assert finished.differences == ()
    assert finished.reconciled
    assert audited.floor.adapter.asked == ["orders", "trades", "positions", "account"]


@pytest.mark.parametrize("withheld", [0, 1, 2])
def test_one_fill_withheld_is_found_though_the_answers_then_tell_of_it(audited: Audited, withheld: int) -> None:
    audited.hear(*(fill for index, fill in enumerate(audited.fills) if index != withheld))
    finished = audited.run()
    assert not finished.reconciled
    assert {difference.kind for difference in finished.differences} >= {"fill", "position"}
    fill = next(difference for difference in finished.differences if difference.kind == "fill")
    assert (fill.ours, fill.subject) == ("none", f"{withheld + 1} of {audited.fills[withheld].order_id} in {ID}")
    net = audited.floor.portfolio.net_position(ACCOUNT, ID)
    assert net is not None
    assert net.quantity == 400, "the desk has learnt it from the answers"


@pytest.mark.parametrize(
    ("field", "value", "ours", "venue"),
    [
        ("price", 99.8, "0.2 at 99.9, fee 0 ", "0.2 at 99.8, fee 0 "),
        ("quantity", 0.3, "0.2 at 99.9, fee 0 ", "0.3 at 99.9, fee 0 "),
        ("fee", Decimal("0.010"), "0.2 at 99.9, fee 0 ", "0.2 at 99.9, fee 0.01 USDT"),
    ],
)
def test_a_fill_told_otherwise_is_a_difference(
    audited: Audited, field: str, value: object, ours: str, venue: str
) -> None:
    audited.hear(*audited.fills)
    audited.fills[1] = changed(audited.fills[1], **{field: value})  # type: ignore[call-overload]
    (difference,) = audited.run().differences
    assert (difference.kind, difference.ours, difference.venue) == ("fill", ours, venue)


def test_an_order_that_the_venue_does_not_have_and_one_that_we_do_not_have_are_differences(audited: Audited) -> None:
    audited.hear(*audited.fills)
    audited.open = [an_order("web_1")]
    mine, theirs = sorted(audited.run().differences, key=lambda difference: difference.ours == "none")
    assert mine == Difference("order", ACCOUNT, audited.resting.order_id, "accepted, 0.0 of 1.0 filled", "none")
    assert theirs == Difference("order", ACCOUNT, "web_1", "none", "accepted, 0.0 of 1.0 filled")


@pytest.mark.parametrize(
    "report", [an_order("", OrderStatus.PARTIALLY_FILLED, 0.5, 99.0), an_order("", OrderStatus.PARTIALLY_FILLED)]
)
def test_an_order_with_another_status_or_filled_quantity_is_a_difference(audited: Audited, report: OrderData) -> None:
    audited.hear(*audited.fills)
    audited.open = [changed(report, order_id=audited.resting.order_id)]  # type: ignore[list-item]
    (difference,) = audited.run().differences
    assert (difference.kind, difference.ours) == ("order", "accepted, 0.0 of 1.0 filled")


def test_position_and_balance_are_compared_exactly(audited: Audited) -> None:
    audited.hear(*audited.fills)
    audited.position, audited.balance = 0.401, "1000.0740001"
    assert audited.run().differences == (
        Difference("position", ACCOUNT, ID, "0.400", "0.401"),
        Difference("balance", ACCOUNT, "USDT", "1000.074", "1000.0740001"),
    )


def test_a_venue_may_round_the_profit_of_each_fill_of_a_contract(audited: Audited) -> None:
    audited.hear(*audited.fills)
    audited.balance = "1000.07400001"
    assert audited.run().reconciled


@pytest.mark.parametrize(
    ("step", "off", "agrees"), [("0", "0.001", False), ("0.01", "0.01", True), ("0.01", "0.011", False)]
)
def test_a_venue_that_rounds_the_balances_it_tells_is_believed_to_its_step(step: str, off: str, agrees: bool) -> None:
    made = TradingFloor(a_spot())
    made.put(an_account({"USDT": "1000"}))
    told = msgspec.structs.replace(an_account({"USDT": str(1000 + Decimal(off))}), step=Decimal(step))
    findings = list(Comparison(made.desk, made.portfolio).balances(ACCOUNT, told))
    assert [finding.subject for finding in findings] == ([] if agrees else ["USDT"])
    answers = VenueAnswers()
    answers.orders, answers.trades = OpenOrdersLoaded(ACCOUNT, (), T0), TradesLoaded(ACCOUNT, (), T0)
    answers.positions, answers.account = PositionsLoaded(ACCOUNT, (), T0), told
    ours = our_state(made.desk, made.portfolio, ACCOUNT)
    assert (compare(ACCOUNT, ours, answers.state(made.instruments)) == ()) is agrees


def test_shares_are_compared_as_positions_whether_or_not_the_broker_lists_them_as_balances() -> None:
    for listed in ({"USD": "800"}, {"USD": "800", "AAPL": "2"}):
        made = TradingFloor(a_spot("AAPL", "AAPL", "USD", instrument_id="AAPL.X", product=Product.STOCK))
        audit = Audit(made.dispatcher, made.desk, made.portfolio)
        made.put(an_account({"USD": "1000"}), a_trade("web_1", quantity=2.0, instrument_id="AAPL.X"))
        made.adapter.answers = {
            "orders": OpenOrdersLoaded(ACCOUNT, (), T0), "positions": PositionsLoaded(ACCOUNT, (a_position(2.0, 100.0, "AAPL.X"),), T0),
            "trades": TradesLoaded(ACCOUNT, (a_trade("web_1", quantity=2.0, instrument_id="AAPL.X"),), T0), "account": an_account(listed),
        }  # fmt: skip
        audit.start(ACCOUNT)
        made.dispatcher.drain()
        assert made.heard(AuditFinished) == [AuditFinished(ACCOUNT, ())]


def test_fills_before_the_cursor_are_left_out(audited: Audited) -> None:
    audited.hear(*audited.fills)
    audited.fills = []
    answers = audited.floor.adapter.answers
    answers["orders"] = OpenOrdersLoaded(ACCOUNT, tuple(audited.open), T0)
    answers["trades"] = TradesLoaded(ACCOUNT, (), T0)
    answers["positions"] = PositionsLoaded(ACCOUNT, (a_position(0.4, 99.96),), T0)
    answers["account"] = an_account({"USDT": audited.balance})
    audited.audit.start(ACCOUNT, since_ns=T0 + 1)
    audited.floor.dispatcher.drain()
    assert audited.floor.heard(AuditFinished) == [AuditFinished(ACCOUNT, ())]


def test_a_venue_that_does_not_answer_ends_the_audit_with_what_is_missing(audited: Audited) -> None:
    audited.floor.adapter.answers["orders"] = OpenOrdersLoaded(ACCOUNT, (), T0)
    audited.audit.start(ACCOUNT)
    audited.floor.dispatcher.drain()
    assert audited.floor.heard(AuditFinished) == []
    audited.floor.clock.advance(DEADLINE_NS)
    audited.floor.dispatcher.fire_timers(audited.floor.clock.now_ns())
    finished = audited.floor.heard(AuditFinished)
    assert finished == [AuditFinished(ACCOUNT, (), "no answer in time for trades, positions, account")]
    assert not finished[0].reconciled  # type: ignore[attr-defined]


def test_a_question_that_fails_ends_the_audit(audited: Audited) -> None:
    audited.floor.adapter.answers["trades"] = "rate limit"
    audited.audit.start(ACCOUNT)
    audited.floor.dispatcher.drain()
    (finished,) = audited.floor.heard(AuditFinished)
    assert finished == AuditFinished(ACCOUNT, (), "the venue did not answer for trades: rate limit")


def test_answers_of_other_accounts_and_outside_an_audit_are_ignored(audited: Audited) -> None:
    audited.floor.put(OpenOrdersLoaded("other", (), T0), an_account({"USDT": "5"}))
    assert audited.floor.heard(AuditFinished) == []


def test_an_account_without_an_adapter_cannot_be_audited(audited: Audited) -> None:
    with pytest.raises(ConfigError, match="there are: main"):
        audited.audit.start("nobody")


def test_an_audit_without_a_difference_lifts_the_block_of_an_orphan_and_one_with_a_difference_does_not() -> None:
    for balance, blocked in (("1000.074", False), ("999", True)):
        audited = Audited()
        audited.balance = balance
        audited.hear(*audited.fills)
        audited.floor.put(an_order("web_1", instrument_id="nowhere"))
        assert audited.floor.gate.blocked(ACCOUNT, "") is not None
        assert audited.run().reconciled is not blocked
        assert (audited.floor.gate.blocked(ACCOUNT, "") is not None) is blocked
