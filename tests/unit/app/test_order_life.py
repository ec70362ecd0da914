"""One order's life from the journal: its steps, how long each leg took, what its fills cost, and how it ended."""

from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.order_life import OrderStory, story_of
from foxtrot.app.order_life_text import story_lines
from foxtrot.cli import main
from foxtrot.domain.enums import OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import InputError
from foxtrot.domain.order import ApprovedOrder
from foxtrot.storage.journal_reader import read_only
from foxtrot.storage.journal_records import (
    Arrival,
    FillBooked,
    Handed,
    InstrumentListed,
    Intent,
    JournalRecord,
    NotSent,
    OrderResolved,
    OrderTold,
    VenueSaid,
)
from tests.support.builders import T0, a_perpetual, a_trade, an_order
from tests.support.journal_rig import write_all

ID = "F-alpha-run0000001-1"
MS = 1_000_000
INSTRUMENT = a_perpetual()
ARRIVAL = Arrival("DepthData", 36, T0 - 9 * MS, T0 - 2 * MS, 99.9, 100.1, 100.0, T0 - 2 * MS, "live")


def intent(side: Side = Side.BUY, arrival: Arrival | None = ARRIVAL, pair_id: str = "") -> Intent:
    quantity, price = INSTRUMENT.quantity_grid.from_float(2.0), INSTRUMENT.price_grid.from_float(100.1)
    order = ApprovedOrder(
        ID, "alpha", "main", INSTRUMENT.instrument_id, side, OrderType.LIMIT, quantity, price, 0, TimeInForce.GTC,
        False, False, PositionSide.NET, 0, 0, 0, T0, pair_id=pair_id,
    )  # fmt: skip
    return Intent(T0, order, "ab" * 32, arrival)


def told(status: OrderStatus, at_ns: int, filled: float = 0.0) -> OrderTold:
    order = an_order(ID, status=status, filled=filled, venue_order_id="v1", local_time_ns=at_ns)
    return OrderTold(at_ns, "alpha", order)


def fill(trade_id: str, quantity: float, price: float, at_ns: int, side: Side = Side.BUY) -> FillBooked:
    trade = a_trade(ID, trade_id, quantity, price, side=side, fee=Decimal("0.05"), local_time_ns=at_ns)
    return FillBooked(at_ns, "alpha", trade)


def life(tmp_path: Path, *records: JournalRecord) -> OrderStory:
    path = tmp_path / "journal.db"
    write_all(path, InstrumentListed(T0 - 1, INSTRUMENT), *records)
    with read_only(path) as view:
        return story_of(view, ID)


def test_a_filled_order_is_told_from_cause_to_cost(tmp_path: Path) -> None:
    story = life(
        tmp_path,
        intent(),
        Handed(T0 + 1 * MS, ID),
        VenueSaid(T0 + 2 * MS, "main", ID, "out", "order.place {}"),
        told(OrderStatus.ACCEPTED, T0 + 5 * MS),
        VenueSaid(T0 + 5 * MS, "main", ID, "in", "{}"),
        fill("1", 0.5, 100.1, T0 + 10 * MS),
        fill("2", 1.5, 100.3, T0 + 11 * MS),
        told(OrderStatus.FILLED, T0 + 12 * MS, 2.0),
    )
    assert (story.strategy_id, story.account, story.status, story.filled) == ("alpha", "main", "filled", 2.0)
    assert story.order["quantity"] == 2.0
    assert story.order["price"] == 100.1
    assert [step.what for step in story.steps] == [
        "event", "intent", "gate", "sent", "order", "heard", "fill", "fill", "order",
    ]  # fmt: skip
    assert {leg.name: leg.ms for leg in story.legs} == {
        "venue to us": 7.0,
        "event to intent": 2.0,
        "intent to durable and handed over": 1.0,
        "handed over to sent": 1.0,
        "sent to acknowledged": 3.0,
        "acknowledged to fill 1": 5.0,
        "event to first fill": 12.0,
        "acknowledged to fill 2": 6.0,
    }
    assert story.fees == {"USDT": Decimal("0.10")}
    slippage = story.slippage
    assert slippage is not None
    tick = float(INSTRUMENT.price_grid.step * INSTRUMENT.step_units(1000))
    assert slippage.average_price == 100.25
    assert slippage.touch_ticks == pytest.approx(0.15 / tick)
    assert slippage.mid_ticks == pytest.approx(0.25 / tick)
    assert slippage.touch_money == Decimal("0.30") * INSTRUMENT.multiplier
    assert slippage.currency == INSTRUMENT.quote_asset


def test_a_sale_above_the_bid_cost_less_than_nothing(tmp_path: Path) -> None:
    story = life(tmp_path, intent(Side.SELL), fill("1", 2.0, 100.05, T0 + MS, Side.SELL))
    assert story.slippage is not None
    assert story.slippage.touch_money == Decimal("-0.3") * INSTRUMENT.multiplier
    assert story.slippage.mid_money == Decimal("-0.1") * INSTRUMENT.multiplier


@pytest.mark.parametrize(
    ("last", "status", "reason"),
    [
        (NotSent(T0 + 1, ID, "gate", "halted"), "denied", "gate: halted"),
        (OrderResolved(T0 + 1, ID, OrderStatus.CANCELLED, "ann", "seen at the venue"), "cancelled", "resolved by ann"),
        (Handed(T0 + 1, ID), "created", "nothing was heard of it yet"),
    ],
)
def test_how_it_ended_is_what_the_last_word_says(tmp_path: Path, last: JournalRecord, status: str, reason: str) -> None:
    story = life(tmp_path, intent(), last)
    assert story.status == status
    assert reason in story.reason
    assert story.slippage is None


def test_an_order_without_a_quote_at_arrival_has_no_slippage(tmp_path: Path) -> None:
    assert life(tmp_path, intent(arrival=None), fill("1", 2.0, 100.0, T0 + MS)).slippage is None


def test_an_order_that_is_not_there_is_refused(tmp_path: Path) -> None:
    write_all(tmp_path / "journal.db", intent())
    with read_only(tmp_path / "journal.db") as view, pytest.raises(InputError, match="F-other is not in"):
        story_of(view, "F-other")


def test_a_leg_names_the_other_order_of_its_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = "R-alpha-run0000001-2"
    assert life(tmp_path / "a", intent(pair_id=other)).pair_id == other
    assert life(tmp_path / "b", intent()).pair_id == ""
    for folder, count in (("a", 1), ("b", 0)):
        assert main(["order", ID, "--data", str(tmp_path / folder)]) == 0
        assert capsys.readouterr().out.count(f"one of a pair with {other}") == count


def test_the_algorithm_that_an_order_names_is_shown(tmp_path: Path) -> None:
    plain = intent()
    order = msgspec.structs.replace(plain.order, algo="Adaptive", algo_params=(("adaptivePriority", "Patient"),))
    story = life(tmp_path, msgspec.structs.replace(plain, order=order))
    assert story.order["algo"] == "Adaptive adaptivePriority=Patient"
    assert "algo Adaptive adaptivePriority=Patient" in "\n".join(story_lines(story))
