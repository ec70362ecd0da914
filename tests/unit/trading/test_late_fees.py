"""A fill whose fee the venue told when the process was gone: charged once, by the first list that has it."""

from decimal import Decimal

import pytest
from msgspec.structs import replace

from foxtrot.core.notices import IntentDurable, TradesLoaded
from foxtrot.domain.account import COMMISSION, AccountCharge
from foxtrot.domain.order import TradeData
from foxtrot.storage.journal_records import JournalRecord
from foxtrot.trading.restore import Restore
from foxtrot.trading.restored_state import RestoredState, fold
from foxtrot.trading.snapshots import state_of
from tests.support.builders import ACCOUNT, OWNER, T0, TradingFloor, a_request, a_tick, a_trade, an_account

FILL = "0001.01"
"""An id as IB gives it; its commission is charged as 0001.01.01-AMOUNT."""


class Kept:
    """A journal in memory, whose answers the test gives."""

    keeps_reports = True

    def __init__(self) -> None:
        self.records: list[JournalRecord] = []

    def append(self, record: JournalRecord) -> None:
        self.records.append(record)

    def close(self) -> None:
        return


def before() -> tuple[TradingFloor, Kept, TradeData]:
    """Return a run in which an order was filled, and the fill told without its fee."""
    journal = Kept()
    made = TradingFloor(journal=journal)
    made.put(an_account({"USDT": "1000"}), a_tick())
    order_id = made.desk.submit(a_request(price=100.0), OWNER)
    made.dispatcher.drain()
    made.put(IntentDurable((order_id,)))
    fill = a_trade(order_id, FILL, venue_time_ns=T0 + 1)
    made.put(fill)
    return made, journal, fill


def after(state: RestoredState, *, fees_apart: bool = True) -> TradingFloor:
    """Return the run that goes on from it."""
    made = TradingFloor()
    adapter = made.desk.adapters[ACCOUNT]
    adapter.capabilities = replace(adapter.capabilities, fees_apart=fees_apart)  # type: ignore[misc]  # the class's is another
    Restore(made.desk, made.portfolio).put(state)
    return made


def listed(fill: TradeData, fee: str) -> TradesLoaded:
    told = a_trade(fill.order_id, FILL, venue_time_ns=T0 + 1, fee=Decimal(fee))
    return TradesLoaded(ACCOUNT, (told,), T0 + 2, T0)


def charges(made: TradingFloor) -> list[tuple[str, Decimal]]:
    return [(one.kind, one.amount) for one in made.events if isinstance(one, AccountCharge)]


def fees(made: TradingFloor) -> Decimal:
    return made.portfolio.account(ACCOUNT).charges.get("USDT", Decimal(0))


@pytest.mark.parametrize("by_snapshot", [False, True])
def test_a_fee_that_came_after_the_process_died_is_charged_once(by_snapshot: bool) -> None:
    first, journal, fill = before()
    second = after(
        state_of(first.desk, first.portfolio, first.notes.decisions, 0) if by_snapshot else fold(journal.records)
    )
    second.put(listed(fill, "0"))
    assert charges(second) == []
    for _ in range(2):
        second.put(listed(fill, "1.25"))
    assert (charges(second), fees(second)) == ([(COMMISSION, Decimal("-1.25"))], Decimal("-1.25"))
    third = after(state_of(second.desk, second.portfolio, second.notes.decisions, 0))
    third.put(listed(fill, "1.25"))
    assert (charges(third), fees(third)) == ([], Decimal("-1.25"))


def test_a_fee_that_the_adapter_charged_in_time_is_not_charged_again_after_a_restart() -> None:
    first, journal, fill = before()
    first.put(
        AccountCharge(ACCOUNT, COMMISSION, "USDT", Decimal("-1.25"), fill.instrument_id, f"{FILL}.01--1.25", T0, T0)
    )
    second = after(fold(journal.records))
    second.put(listed(fill, "1.25"))
    assert (charges(second), fees(second)) == ([], Decimal("-1.25"))


def test_the_fee_of_another_fill_whose_id_begins_alike_is_owed_all_the_same() -> None:
    first, journal, fill = before()
    first.put(AccountCharge(ACCOUNT, COMMISSION, "USDT", Decimal(-1), fill.instrument_id, f"{FILL}5.01--1", T0, T0))
    second = after(fold(journal.records))
    second.put(listed(fill, "1.25"))
    assert charges(second) == [(COMMISSION, Decimal("-1.25"))]


def test_a_fee_that_an_adapter_reckons_by_itself_is_not_owed_though_it_reckons_otherwise_after_a_restart() -> None:
    """A minimum per order falls on the first fill that is reckoned, which may be another one in the next run."""
    _, journal, fill = before()
    second = after(fold(journal.records), fees_apart=False)
    second.put(listed(fill, "1.99"))
    assert (charges(second), fees(second)) == ([], 0)
