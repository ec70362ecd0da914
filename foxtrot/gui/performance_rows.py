"""What was made, paid and charged as rows: by strategy, by symbol, by day, by kind of cost, and the cash ledger."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.app.blotter_requests import ProfitRow
from foxtrot.app.history_requests import CashLine, CostTotal, DayTotals
from foxtrot.gui.blotter_cells import amount_cell, money_cell, origin_cell
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, sign_tone, word
from foxtrot.gui.numbers import NOTHING, asset_text, moment_text, money_text, plain_text, time_text
from foxtrot.gui.texts import table, tr
from foxtrot.gui.totals_bar import sums_by

RIGHT: Final = Align.RIGHT
ZERO: Final = Decimal(0)
HALF_DAY_S: Final = 43_200


class GroupRow(msgspec.Struct, frozen=True):
    """What a strategy, or a symbol, has made over all its positions; `profit` is None where a price or a rate is missing."""

    name: str
    profit: Decimal | None
    fees: dict[str, Decimal]
    funding: dict[str, Decimal]
    fills: int
    held: int


class DayRow(msgspec.Struct, frozen=True):
    """What an owner, "" for all, made in a trading day; `net` is all of it in the base currency, None where a rate is missing."""

    day_ns: int
    owner: str
    net: Decimal | None
    realised: dict[str, Decimal]
    fees: dict[str, Decimal]
    funding: dict[str, Decimal]
    fills: int


def group_rows(rows: Iterable[ProfitRow], name_of: Callable[[ProfitRow], str]) -> list[GroupRow]:
    """Return rows by a name of theirs."""
    groups: dict[str, list[ProfitRow]] = {}
    for row in rows:
        groups.setdefault(name_of(row), []).append(row)
    return [_group(name, members) for name, members in sorted(groups.items())]


def _group(name: str, members: list[ProfitRow]) -> GroupRow:
    made = [row.profit for row in members]
    known = [amount for amount in made if amount is not None]
    return GroupRow(
        name,
        sum(known, ZERO) if len(known) == len(made) else None,
        sums_by(pair for row in members for pair in row.fees.items()),
        sums_by(pair for row in members for pair in row.funding.items()),
        sum(row.fills for row in members),
        sum(bool(row.quantity) for row in members),
    )


def day_rows(days: Iterable[DayTotals], rates: Mapping[str, Decimal | None]) -> list[DayRow]:
    """Return what each owner made in each day, and all together, at what assets are worth now."""
    groups: dict[tuple[int, str], list[DayTotals]] = {}
    for day in days:
        for owner in ("", day.owner):
            groups.setdefault((day.day_ns, owner), []).append(day)
    return [_day(day_ns, owner, members, rates) for (day_ns, owner), members in groups.items()]


def _day(day_ns: int, owner: str, members: list[DayTotals], rates: Mapping[str, Decimal | None]) -> DayRow:
    realised = sums_by(pair for one in members for pair in one.realised.items())
    fees = sums_by(pair for one in members for pair in one.fees.items())
    funding = sums_by(pair for one in members for pair in one.funding.items())
    moved = sums_by([*realised.items(), *funding.items(), *((asset, -fee) for asset, fee in fees.items())])
    parts = [_worth(amount, rates.get(asset)) for asset, amount in moved.items()]
    known = [part for part in parts if part is not None]
    net = sum(known, ZERO) if len(known) == len(parts) else None
    return DayRow(day_ns, owner, net, realised, fees, funding, sum(one.fills for one in members))


def _worth(amount: Decimal, rate: Decimal | None) -> Decimal | None:
    return ZERO if not amount else None if rate is None else amount * rate


def kind_text(kind: str) -> str:
    """Return what a kind of charge is called; one that is not known by its own name."""
    key = f"performance.kind_{kind}"
    return tr(key) if key in table("en") else kind


def _amounts_cell(amounts: dict[str, Decimal], *, signed: bool = False) -> Cell:
    """Return the cell of amounts in several assets: one is a number, more are words, exact in the hint."""
    moved = {asset: amount for asset, amount in sorted(amounts.items()) if amount}
    if not moved:
        return number(0.0, NOTHING, Tone.DIM)
    if len(moved) == 1:
        ((asset, amount),) = moved.items()
        return amount_cell(amount, asset, sign_tone(float(amount)) if signed else Tone.PLAIN, signed=signed)
    text = ", ".join(f"{asset_text(amount, signed=signed)} {asset}" for asset, amount in moved.items())
    exact = ", ".join(f"{plain_text(amount)} {asset}" for asset, amount in moved.items())
    return number(float(next(iter(moved.values()))), text, Tone.PLAIN, exact)


def _cost_cell(amount: Decimal) -> Cell:
    return amount_cell(amount, tone=sign_tone(float(amount)), signed=True)


def _day_cell(row: DayRow) -> Cell:
    """Return the cell of a trading day: the date of its middle, for one that begins in the evening is named after the next day."""
    middle = datetime.fromtimestamp(row.day_ns // 1_000_000_000 + HALF_DAY_S, UTC)
    return number(float(row.day_ns), f"{middle:%Y-%m-%d}", exact=f"{middle:%Y-%m-%d}")


def _owner_cell(row: DayRow) -> Cell:
    return origin_cell(row.owner) if row.owner else word(tr("performance.everybody"))


def _cash_time_cell(row: CashLine) -> Cell:
    """Return the cell of a line's moment; lines of one moment stay in the order in which they were counted."""
    return number(
        row.time_ns + row.number * 1e-3, time_text(row.time_ns, with_date=True), Tone.DIM, moment_text(row.time_ns)
    )


def _group_columns(title: str, name: Callable[[GroupRow], Cell]) -> tuple[Column[GroupRow], ...]:
    return (
        Column("name", title, name, width=140),
        Column("profit", "performance.profit", lambda row: money_cell(row.profit, signed=True), align=RIGHT, width=110),
        Column("fees", "performance.fees", lambda row: _amounts_cell(row.fees), align=RIGHT, width=190),
        Column("funding", "performance.funding", lambda row: _amounts_cell(row.funding, signed=True), align=RIGHT, width=130, rank=2),
        Column("fills", "performance.fills", lambda row: number(row.fills, f"{row.fills:,}"), align=RIGHT, width=60, rank=3),
        Column("held", "performance.held", lambda row: number(row.held, str(row.held)), align=RIGHT, width=60, rank=2),
    )  # fmt: skip


STRATEGIES: Final = _group_columns("performance.strategy", lambda row: origin_cell(row.name))
SYMBOLS: Final = _group_columns("performance.symbol", lambda row: word(row.name))
DAYS: Final = (
    Column[DayRow]("day", "performance.day", _day_cell, width=90),
    Column[DayRow]("owner", "performance.strategy", _owner_cell, width=110),
    Column[DayRow]("net", "performance.net", lambda row: money_cell(row.net, signed=True), align=RIGHT, width=100),
    Column[DayRow]("realised", "performance.realised", lambda row: _amounts_cell(row.realised, signed=True), align=RIGHT, width=140),
    Column[DayRow]("fees", "performance.fees", lambda row: _amounts_cell(row.fees), align=RIGHT, width=190, rank=1),
    Column[DayRow]("funding", "performance.funding", lambda row: _amounts_cell(row.funding, signed=True), align=RIGHT, width=130, rank=2),
    Column[DayRow]("fills", "performance.fills", lambda row: number(row.fills, f"{row.fills:,}"), align=RIGHT, width=60, rank=3),
)  # fmt: skip
COSTS: Final = (
    Column[CostTotal]("kind", "performance.kind", lambda row: word(kind_text(row.kind)), width=130),
    Column[CostTotal]("account", "performance.account", lambda row: word(row.account), width=100),
    Column[CostTotal]("asset", "performance.asset", lambda row: word(row.asset), width=80),
    Column[CostTotal]("amount", "performance.amount", lambda row: _cost_cell(row.amount), align=RIGHT, width=120),
    Column[CostTotal]("count", "performance.count", lambda row: number(row.count, f"{row.count:,}"), align=RIGHT, width=80, rank=2),
)  # fmt: skip
CASH: Final = (
    Column[CashLine]("time", "performance.time", _cash_time_cell, width=160),
    Column[CashLine]("account", "performance.account", lambda row: word(row.account), width=90, rank=2),
    Column[CashLine]("kind", "performance.kind", lambda row: word(kind_text(row.kind), exact=row.kind), width=110),
    Column[CashLine]("instrument", "performance.symbol", lambda row: word(row.instrument_id or NOTHING), width=150, rank=1),
    Column[CashLine]("asset", "performance.asset", lambda row: word(row.asset), width=70),
    Column[CashLine]("amount", "performance.amount", lambda row: _cost_cell(row.amount), align=RIGHT, width=110),
    Column[CashLine]("reference", "performance.reference", lambda row: word(row.reference, Tone.DIM), width=220, rank=3),
)  # fmt: skip


def profit_text(amount: Decimal, currency: str) -> str:
    """Return a profit with its currency."""
    return f"{money_text(amount, signed=True)} {currency}".rstrip()
