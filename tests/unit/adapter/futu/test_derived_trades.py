"""Fills that are derived from the dealt quantity of orders: exactly once, in every run, at the prices that they had."""

from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.adapter.futu.derived_trades import DerivedTrades
from foxtrot.adapter.futu.fill_facts import FillFacts
from foxtrot.adapter.futu.report_codec import OrderRow, deal_row, order_row
from foxtrot.domain.enums import Liquidity, Side
from foxtrot.domain.errors import InputError
from foxtrot.domain.fees import FeeBasis, load_preset
from foxtrot.exchange.listings import listing
from tests.support.futu_messages import deal_message, order_message

HK = listing("00700.SEHK")
pytestmark = pytest.mark.usefixtures("futu_sdk")


def row(filled: float, average: float, **fields: object) -> OrderRow:
    return order_row(order_message(qty=1_000.0, fillQty=filled, fillAvgPrice=average, **fields), pushed=True)


def told(derived: DerivedTrades, *reports: OrderRow) -> list[tuple[str, str, str]]:
    found: list[tuple[str, str, str]] = []
    for report in reports:
        found = [(step.trade_id, f"{step.size:f}", f"{step.price.normalize():f}") for step in derived.steps(report, HK)]
    return found


def test_each_growth_is_one_fill_at_the_price_that_it_had() -> None:
    derived = DerivedTrades(None, "ours")
    reports = row(100, 400.0), row(300, (100 * 400 + 200 * 400.2) / 300), row(600, 400.3)
    assert told(derived, *reports) == [
        ("FT7-100", "100.0", "400"), ("FT7-300", "200.0", "400.2"), ("FT7-400avg", "100", "400.466"),
        ("FT7-600avg", "200", "400.467"),
    ]  # fmt: skip


def test_an_average_that_was_rounded_to_three_decimals_gives_the_price_all_the_same() -> None:
    derived = DerivedTrades(None, "ours")
    assert [step[2] for step in told(derived, row(100, 400.0), row(300, 400.133))] == ["400", "400.2"]


def test_several_fills_in_one_are_told_at_their_exact_average_and_say_so() -> None:
    (step,) = DerivedTrades(None, "ours").steps(row(300, 400.05), HK)
    assert (step.price, step.on_grid, step.trade_id) == (Decimal("400.05"), False, "FT7-300avg")


@pytest.mark.parametrize("average", [(100 * 400 + 200 * 400.2) / 300, 400.1, 400.05, 400.133, 399.9999999, 1e-9])
def test_whatever_the_average_every_price_is_one_that_can_be_counted_and_the_cost_is_kept(average: float) -> None:
    steps = DerivedTrades(None, "ours").steps(row(300, average), HK)
    assert [HK.price_grid.to_float(HK.price_grid.from_float(float(step.price))) for step in steps] == [
        float(step.price) for step in steps
    ]
    assert sum(step.size for step in steps) == 300
    assert float(sum(step.size * step.price for step in steps)) == pytest.approx(300 * average, abs=0.0006 * 300)


def test_both_parts_of_an_average_are_the_same_in_a_later_run(tmp_path: Path) -> None:
    first = told(DerivedTrades(tmp_path, "ours"), row(300, (100 * 400 + 200 * 400.2) / 300))
    assert first == [("FT7-200avg", "200", "400.133"), ("FT7-300avg", "100", "400.134")]
    assert told(DerivedTrades(tmp_path, "ours"), row(300, 400.13333)) == first


def test_an_older_report_or_the_same_again_adds_nothing() -> None:
    derived = DerivedTrades(None, "ours")
    once = told(derived, row(300, 400.0))
    assert told(derived, row(100, 400.0), row(300, 400.0)) == once


def test_a_later_run_derives_the_same_fills_and_only_the_new_growth(tmp_path: Path) -> None:
    first = told(DerivedTrades(tmp_path, "ours"), row(100, 400.0))
    later = told(DerivedTrades(tmp_path, "ours"), row(300, 400.0))
    assert later[:1] == first
    assert [step[0] for step in later] == ["FT7-100", "FT7-300"]
    assert told(DerivedTrades(tmp_path, "other"), row(300, 400.0))[0][0] == "FT7-300"


def test_a_line_that_was_cut_short_is_left_out_and_a_broken_file_is_refused(tmp_path: Path) -> None:
    told(DerivedTrades(tmp_path, "ours"), row(100, 400.0), row(300, 400.0))
    (path,) = (tmp_path / "futu").iterdir()
    path.write_bytes(path.read_bytes()[:-20])
    assert [step[0] for step in told(DerivedTrades(tmp_path, "ours"), row(500, 400.0))] == ["FT7-100", "FT7-500"]
    assert [step[0] for step in told(DerivedTrades(tmp_path, "ours"), row(500, 400.0))] == ["FT7-100", "FT7-500"]
    path.write_bytes(b"nonsense\n" + path.read_bytes())
    with pytest.raises(InputError, match="line 1 cannot be read"):
        DerivedTrades(tmp_path, "ours")


def test_a_number_that_a_venue_gives_again_is_another_order(tmp_path: Path) -> None:
    derived = DerivedTrades(tmp_path, "ours")
    told(derived, row(300, 400.0))
    again = row(100, 399.8, createTime="2026-03-11 10:00:00")
    assert told(derived, again) == [("FT7-100", "100.0", "399.8")]
    assert told(DerivedTrades(tmp_path, "ours"), again) == [("FT7-100", "100.0", "399.8")]


def test_the_fees_of_fills_add_up_to_that_of_their_order_and_are_the_same_each_time() -> None:
    facts, schedule = FillFacts("ours"), load_preset("futu_hk")
    deals = [deal_row(deal_message(fillID=n, qty=100.0), pushed=True) for n in (1, 2, 3)]
    fees = [facts.of_deal(deal, "t-1-1", HK, None, 9).fee for deal in deals]
    assert [facts.of_deal(deal, "t-1-1", HK, None, 9).fee for deal in deals] == fees
    first = schedule.fee(FeeBasis(Side.BUY, Liquidity.TAKER, Decimal(100), Decimal(40_000)))
    assert fees[0] == first
    assert fees[1] < first
