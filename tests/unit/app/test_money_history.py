"""Money over two runs: what is read out of the journal against a recount of its own, made of the raw rows in the plainest way."""

import json
import os
import sqlite3
import threading
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from time import monotonic

import msgspec
import pytest

from foxtrot.app import money_history, money_replay
from foxtrot.app.history_requests import CashLine, DayTotals, HistoryFound, ListHistory
from foxtrot.app.money_history import THREAD, MoneyHistory
from foxtrot.app.money_replay import MoneyReplay
from foxtrot.core.clock import ManualClock
from foxtrot.domain.account import EXTERNAL, AccountCharge, PositionData
from foxtrot.domain.enums import PositionSide, Side
from foxtrot.domain.instrument import InstrumentTable
from foxtrot.storage.journal_records import (
    Adjusted,
    BalancesFound,
    ChargeBooked,
    FillBooked,
    InstrumentListed,
    JournalRecord,
    PositionsFound,
    RunStarted,
    RunStopped,
)
from foxtrot.trading.losses import TradingDay
from foxtrot.trading.market_view import MarketView
from foxtrot.trading.rates import RateTable
from tests.support.builders import T0, a_charge, a_perpetual, a_spot, a_trade, an_account
from tests.support.journal_rig import write_all
from tests.support.waiting import wait_until as until

HOUR = 3_600_000_000_000
PERP, SPOT = a_perpetual(), a_spot()
OWNERS = ("alpha", "beta", "manual", EXTERNAL)
ADJUSTED = Adjusted(
    T0 + 90 * HOUR, "a1", "main", EXTERNAL, "", PositionSide.NET, 0, 0.0, "USDT", Decimal("-3.25"), "a gift", "ann"
)


def a_moved(amount: str, charge_id: str, when_ns: int, *kind: str) -> AccountCharge:
    return msgspec.structs.replace(a_charge(amount, charge_id, *kind), venue_time_ns=when_ns)


def a_run(name: str, first_hour: int, count: int, chance: Random) -> list[JournalRecord]:
    """Fills of all owners on both markets, and funding, over some days."""
    records: list[JournalRecord] = [RunStarted(T0 + first_hour * HOUR, name, "ann", "1", "c" * 64, {})]
    for number in range(count):
        when_ns = T0 + (first_hour + number) * HOUR
        one = chance.choice((PERP, SPOT))
        fee = Decimal(chance.randrange(-5, 200)).scaleb(-5)
        trade = a_trade(
            f"{name}-{number}", f"{name}-t{number}", chance.randrange(1, 4000) / 1000, chance.randrange(900, 1100) / 10,
            instrument_id=one.instrument_id, side=chance.choice((Side.BUY, Side.SELL)), fee=fee,
            fee_asset=chance.choice(("USDT", "BNB", "BTC")), venue_time_ns=when_ns,
        )  # fmt: skip
        records.append(FillBooked(when_ns + 1, chance.choice(OWNERS), trade))
        if number % 7 == 3:
            records.append(ChargeBooked(when_ns + 2, a_moved("-0.125", f"{name}-f{number}", when_ns)))
        if number % 11 == 5:
            paid = a_moved("250", f"{name}-d{number}", when_ns, "deposit", "")
            records.append(ChargeBooked(when_ns + 3, paid))
    return [*records, RunStopped(T0 + (first_hour + count) * HOUR, name)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal of two runs: the second takes over what the first left."""
    chance, file = Random(5), tmp_path / "journal.db"
    found = PositionData("main", PERP.instrument_id, PositionSide.NET, 2.5, 95.0, Decimal(0), Decimal(0), T0, T0)
    opening = an_account({"USDT": "10000", "BTC": "3"})
    write_all(
        file, InstrumentListed(T0, PERP), InstrumentListed(T0, SPOT), BalancesFound(T0, opening), PositionsFound(T0, "main", (found,)),
        *a_run("run1", 1, 60, chance),
    )  # fmt: skip
    write_all(file, *a_run("run2", 70, 40, chance), ADJUSTED)
    return file


def history(path: Path, day: TradingDay | None = None, **options: int) -> MoneyHistory:
    table, view = InstrumentTable(), MarketView()
    rates = RateTable(view, table, ManualClock(T0), {"BNB/USDT": 500.0})
    return MoneyHistory(path, day or TradingDay(), rates, "USDT", **options)


def read(made: MoneyHistory) -> tuple[list[DayTotals], list[CashLine], HistoryFound]:
    """Ask page by page until nothing is new, as a panel does."""
    days: dict[tuple[int, str, str, str], DayTotals] = {}
    lines: list[CashLine] = []
    seen = 0
    last: list[HistoryFound] = []

    def is_whole() -> bool:
        nonlocal seen
        found = made.answer(ListHistory(days=seen, lines=lines[-1].number if lines else 0))
        assert msgspec.json.decode(msgspec.json.encode(found), type=HistoryFound) == found
        days.update({(one.day_ns, one.owner, one.account, one.instrument_id): one for one in found.days})
        seen = found.days[-1].change if found.days else seen
        lines.extend(found.lines)
        last[:] = [found]
        told = lines[-1].number if lines else 0
        return not found.reading and bool(found.line_count) and (seen, told) == (found.changes, found.line_count)

    until(is_whole)
    return list(days.values()), lines, last[0]


# --- the recount ------------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> list[dict[str, object]]:
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        return [json.loads(body) for (body,) in connection.execute("SELECT body FROM record ORDER BY sequence")]


def exact(number: object) -> Fraction:
    return Fraction(str(number))


class Recount:
    """Average cost in fractions, a ledger as sums: no part of the platform is used."""

    def __init__(self, path: Path, day_starts_h: int = 0) -> None:
        self.held: dict[tuple[str, str], list[Fraction]] = defaultdict(lambda: [Fraction(0), Fraction(0)])
        self.realised: dict[tuple[int, str, str], Fraction] = defaultdict(Fraction)
        self.fees: dict[tuple[int, str, str, str], Fraction] = defaultdict(Fraction)
        self.funding: dict[int, Fraction] = defaultdict(Fraction)
        self.cash: dict[str, Fraction] = defaultdict(Fraction)
        self.costs: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        self._shift = day_starts_h * HOUR
        for row in rows_of(path):
            getattr(self, str(row["kind"]), lambda _row: None)(row)

    def day(self, when_ns: int) -> int:
        return (when_ns - self._shift) // (24 * HOUR) * 24 * HOUR + self._shift

    def balances_found(self, row: dict) -> None:
        for one in row["account"]["balances"]:
            self.cash[one["asset"]] += exact(one["total"])

    def positions_found(self, row: dict) -> None:
        for one in row["positions"]:
            for owner in (EXTERNAL, "the account"):
                self.fill(owner, one["instrument_id"], exact(one["quantity"]), exact(one["average_price"]))

    def charge_booked(self, row: dict) -> None:
        charge = row["charge"]
        amount = exact(charge["amount"])
        self.cash[charge["asset"]] += amount
        self.costs[charge["kind"], charge["asset"]] += amount
        if charge["instrument_id"]:
            self.funding[self.day(charge["venue_time_ns"])] += amount

    def adjusted(self, row: dict) -> None:
        self.cash[row["asset"]] += exact(row["amount"])

    def fill_booked(self, row: dict) -> None:
        trade, owner = row["trade"], row["owner"]
        name, fee = trade["instrument_id"], exact(trade["fee"])
        sign = 1 if trade["side"] == "buy" else -1
        quantity, price, day = sign * exact(trade["quantity"]), exact(trade["price"]), self.day(trade["venue_time_ns"])
        self.realised[day, owner, name] += self.fill(owner, name, quantity, price)
        made = self.fill("the account", name, quantity, price)
        self.fees[day, owner, name, trade["fee_asset"]] += fee
        self.costs["fee", trade["fee_asset"]] -= fee
        self.cash[trade["fee_asset"]] -= fee
        if name == SPOT.instrument_id:
            self.cash["BTC"] += quantity
            self.cash["USDT"] -= quantity * price
        else:
            self.cash["USDT"] += made

    def fill(self, owner: str, name: str, quantity: Fraction, price: Fraction) -> Fraction:
        """Change a position and return what it realised."""
        held, cost = self.held[owner, name]
        if held * quantity >= 0:
            self.held[owner, name] = [held + quantity, cost + quantity * price]
            return Fraction(0)
        closed = -quantity if abs(quantity) <= abs(held) else held
        released = cost * closed / held
        opened = quantity + closed
        self.held[owner, name] = [held + quantity, cost - released + opened * price]
        return closed * price - released


def close(one: Fraction, other: Decimal) -> bool:
    """Tell whether they are equal but for what average cost is rounded to, which is far below a digit that anybody pays."""
    return abs(one - Fraction(other)) < Fraction(1, 10**14)


@pytest.mark.parametrize("day_starts_h", [0, 17])
def test_days_costs_and_ledger_of_two_runs_are_what_a_recount_of_the_raw_rows_makes(
    path: Path, day_starts_h: int
) -> None:
    days, lines, last = read(history(path, TradingDay("UTC", f"{day_starts_h:02}:00")))
    count = Recount(path, day_starts_h)
    realised = {(one.day_ns, one.owner, one.instrument_id): one.realised.get("USDT", Decimal(0)) for one in days}
    assert len({day for day, *_ in realised}) >= 4
    assert set(count.realised) <= set(realised)
    assert all(close(amount, realised[key]) for key, amount in count.realised.items())
    fees = {(one.day_ns, one.owner, one.instrument_id, asset): fee for one in days for asset, fee in one.fees.items()}
    assert {key: Fraction(fee) for key, fee in fees.items()} == {key: fee for key, fee in count.fees.items() if fee}
    funding: dict[int, Decimal] = defaultdict(Decimal)
    for one in days:
        funding[one.day_ns] += one.funding.get("USDT", Decimal(0))
    assert {day: Fraction(amount) for day, amount in funding.items() if amount} == count.funding
    cash: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        cash[line.asset] += line.amount
    assert all(close(amount, cash[asset]) for asset, amount in count.cash.items())
    assert set(cash) == set(count.cash)
    told = {(one.kind, one.asset): Fraction(one.amount) for one in last.costs if one.kind != "adjustment"}
    assert told == dict(count.costs)
    assert last.rates == {"BNB": Decimal(500), "BTC": None, "USDT": Decimal(1)}


def test_the_ledger_of_an_account_sums_to_its_balances_to_the_last_digit(path: Path) -> None:
    made = history(path)
    _, lines, _ = read(made)
    cash: dict[str, Decimal] = defaultdict(Decimal)
    for line in lines:
        cash[line.asset] = Decimal(cash[line.asset]) + line.amount
    assert dict(cash) == made._replay.portfolio.balances("main")


def test_pages_and_a_ring_of_lines_lose_nothing_but_the_oldest(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole_days, whole_lines, _ = read(history(path))
    monkeypatch.setattr(money_history, "PAGE", 7)
    days, lines, last = read(history(path, most_lines=50))
    assert sorted(map(repr, days)) == sorted(map(repr, whole_days))
    assert lines[-50:] == whole_lines[-50:]
    assert last.first_line == last.line_count - 49


def test_what_is_written_later_is_told_later(path: Path) -> None:
    made = history(path)
    _, lines, _ = read(made)
    write_all(path, ChargeBooked(T0 + 99 * HOUR, a_charge("7", "late", "deposit", "")))
    more: list[CashLine] = []
    until(lambda: bool(more.extend(made.answer(ListHistory(lines=lines[-1].number)).lines) or more))
    assert [(line.kind, line.amount, line.number) for line in more[:1]] == [
        ("deposit", Decimal(7), lines[-1].number + 1)
    ]


def test_older_fills_are_forgotten_and_what_they_came_to_stays(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, _, _ = read(history(path))
    monkeypatch.setattr(money_replay, "MOST_REMEMBERED", 3)
    monkeypatch.setattr("foxtrot.storage.journal_reader.JournalView.PAGE", 10)
    made = history(path)
    trimmed, _, _ = read(made)
    assert sorted(map(repr, trimmed)) == sorted(map(repr, whole))
    assert max(len(position.history) for _, position in made._replay.portfolio.positions()) < 20


def test_a_fill_that_was_in_the_opening_moves_no_money(path: Path) -> None:
    replay = MoneyReplay(TradingDay())
    for record in (InstrumentListed(T0, SPOT), BalancesFound(T0, an_account({"USDT": "100", "BTC": "1"}))):
        replay.take(record)
    trade = a_trade("o", "t", 0.5, 90.0, instrument_id=SPOT.instrument_id, fee=Decimal("0.1"))
    replay.take(FillBooked(T0, "alpha", trade, opened=True))
    assert [line.kind for line in replay.lines] == ["opening", "opening"]
    assert replay.portfolio.balances("main") == {"USDT": Decimal(100), "BTC": Decimal(1)}


def test_what_a_fill_takes_from_nobody_of_ours_is_counted_for_it_too() -> None:
    replay = MoneyReplay(TradingDay())
    found = PositionData("main", PERP.instrument_id, PositionSide.NET, -1.0, 95.0, Decimal(0), Decimal(0), T0, T0)
    replay.take(InstrumentListed(T0, PERP))
    replay.take(PositionsFound(T0, "main", (found,)))
    replay.take(FillBooked(T0, "alpha", a_trade("o", "t", 1.0, 100.0, side=Side.SELL), opened=True))
    made = {day.owner: day.realised.get("USDT", Decimal(0)) for day in replay.days.values()}
    assert made == {"alpha": 0, EXTERNAL: -5}
    assert not replay.lines


def test_a_journal_that_is_damaged_is_said_and_none_is_no_history(path: Path, tmp_path: Path) -> None:
    assert history(tmp_path / "none.db").answer(ListHistory()).line_count == 0
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE record SET body = x'7b7d' WHERE kind = 'fill_booked' AND sequence > 30")
    made = history(path)
    until(lambda: bool(made.answer(ListHistory()).error))
    assert "hash" in made.answer(ListHistory()).error


def test_nobody_waits_for_the_reader_and_its_thread_ends(path: Path) -> None:
    made = history(path)
    began_s = monotonic()
    made.answer(ListHistory())
    assert monotonic() - began_s < 0.5
    read(made)
    until(lambda: not [one for one in threading.enumerate() if one.name == THREAD])


def test_an_answer_asks_the_disk_for_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = history(path)

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the engine's thread has asked the disk")

    with monkeypatch.context() as patched:
        patched.setattr(os, "stat", touched)
        patched.setattr(threading.Thread, "start", lambda _self: None)
        made.answer(ListHistory())
