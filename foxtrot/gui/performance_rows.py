"""What was made, paid and charged as rows: by strategy, by symbol, by day, by kind of cost, and the cash ledger."""

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.app.blotter_requests import DayProfit, ProfitRow
from foxtrot.app.control_requests import TradeRow
from foxtrot.domain.account import AccountCharge
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.blotter_cells import fee_text, money_cell, origin_cell, time_cell
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, sign_tone, word
from foxtrot.gui.numbers import NOTHING, money_text
from foxtrot.gui.texts import table, tr
from foxtrot.gui.totals_bar import sums_by

RIGHT: Final = Align.RIGHT
ZERO: Final = Decimal(0)


class GroupRow(msgspec.Struct, frozen=True):
    """What a strategy, or a symbol, has made over all its positions; `profit` is None where a price or a rate is missing."""

    name: str
    profit: Decimal | None
    fees: dict[str, Decimal]
    funding: dict[str, Decimal]
    fills: int
    held: int


class CostRow(msgspec.Struct, frozen=True):
    """What came and went of one kind, by account and asset; negative is paid."""

    kind: str
    account: str
    asset: str
    amount: Decimal
    count: int


class CashRow(msgspec.Struct, frozen=True):
    """One line of the cash ledger."""

    time_ns: int
    account: str
    kind: str
    instrument_id: str
    asset: str
    amount: Decimal
    reference: str
    part: int

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        """Return what makes it unique."""
        return self.account, self.kind, self.instrument_id, self.reference, self.part


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


def cost_rows(rows: Iterable[ProfitRow], charges: Iterable[AccountCharge]) -> list[CostRow]:
    """Return fees and funding of all fills that are known, and other charges of this run."""
    sums: dict[tuple[str, str, str], tuple[Decimal, int]] = {}

    def add(kind: str, account: str, asset: str, amount: Decimal, count: int) -> None:
        before, times = sums.get((kind, account, asset), (ZERO, 0))
        sums[kind, account, asset] = before + amount, times + count

    for row in rows:
        for asset, fee in row.fees.items():
            add("fee", row.account, asset, -fee, row.fills)
        for asset, paid in row.funding.items():
            add("funding", row.account, asset, paid, 0)
    for charge in charges:
        if charge.kind != "funding":
            add(charge.kind, charge.account, charge.asset, charge.amount, 1)
    return [CostRow(*key, amount, count) for key, (amount, count) in sorted(sums.items())]


def cash_of_charge(charge: AccountCharge) -> CashRow:
    """Return the line of a charge."""
    time_ns = charge.venue_time_ns or charge.local_time_ns
    return CashRow(
        time_ns, charge.account, charge.kind, charge.instrument_id, charge.asset, charge.amount, charge.charge_id, 0
    )


def cash_of_trade(row: TradeRow, instrument: Instrument | None) -> Iterator[CashRow]:
    """Yield the lines of a fill: what was paid and got where something was bought or sold, and the fee."""

    def line(kind: str, asset: str, amount: Decimal, part: int) -> CashRow:
        reference = f"{row.order_id} {row.trade_id}"
        return CashRow(row.time_ns, row.account, kind, row.instrument_id, asset, amount, reference, part)

    if instrument is not None and not instrument.product.is_derivative:
        sign = 1 if row.side == "buy" else -1
        quantity, price = Decimal(repr(row.quantity)), Decimal(repr(row.price))
        yield line(row.side, instrument.base_asset, sign * quantity, 0)
        yield line(row.side, instrument.quote_asset, -sign * quantity * price * instrument.multiplier, 1)
    if row.fee:
        yield line("fee", row.fee_asset, -row.fee, 2)


def kind_text(kind: str) -> str:
    """Return what a kind of charge is called; one that is not known by its own name."""
    key = f"performance.kind_{kind}"
    return tr(key) if key in table("en") else kind


def _amounts_cell(amounts: dict[str, Decimal], *, signed: bool = False) -> Cell:
    if not amounts:
        return word(NOTHING, Tone.DIM)
    parts = [f"{_signed(amount) if signed else fee_text(amount)} {asset}" for asset, amount in sorted(amounts.items())]
    first = float(next(iter(amounts.values())))
    return number(first, ", ".join(parts), sign_tone(first) if signed and len(amounts) == 1 else Tone.PLAIN)


def _signed(amount: Decimal) -> str:
    return f"+{fee_text(amount)}" if amount > 0 else fee_text(amount)


def _amount_cell(amount: Decimal) -> Cell:
    return number(float(amount), _signed(amount), sign_tone(float(amount)))


def _day_cell(row: DayProfit) -> Cell:
    return number(float(row.day_ns), datetime.fromtimestamp(row.day_ns // 1_000_000_000, UTC).strftime("%Y-%m-%d"))


def _owner_cell(row: DayProfit) -> Cell:
    return origin_cell(row.owner) if row.owner else word(tr("performance.everybody"))


def _group_columns(title: str, name: Callable[[GroupRow], Cell]) -> tuple[Column[GroupRow], ...]:
    return (
        Column("name", title, name, width=150),
        Column("profit", "performance.profit", lambda row: money_cell(row.profit, signed=True), align=RIGHT, width=110),
        Column("fees", "performance.fees", lambda row: _amounts_cell(row.fees), align=RIGHT, width=210),
        Column("funding", "performance.funding", lambda row: _amounts_cell(row.funding, signed=True), align=RIGHT, width=150),
        Column("fills", "performance.fills", lambda row: number(row.fills, f"{row.fills:,}"), align=RIGHT, width=70),
        Column("held", "performance.held", lambda row: number(row.held, str(row.held)), align=RIGHT, width=70),
    )  # fmt: skip


STRATEGIES: Final = _group_columns("performance.strategy", lambda row: origin_cell(row.name))
SYMBOLS: Final = _group_columns("performance.symbol", lambda row: word(row.name))
DAYS: Final = (
    Column[DayProfit]("day", "performance.day", _day_cell, width=110),
    Column[DayProfit]("owner", "performance.strategy", _owner_cell, width=150),
    Column[DayProfit]("profit", "performance.profit", lambda row: money_cell(row.profit, signed=True), align=RIGHT, width=120),
)  # fmt: skip
COSTS: Final = (
    Column[CostRow]("kind", "performance.kind", lambda row: word(kind_text(row.kind)), width=130),
    Column[CostRow]("account", "performance.account", lambda row: word(row.account), width=100),
    Column[CostRow]("asset", "performance.asset", lambda row: word(row.asset), width=80),
    Column[CostRow]("amount", "performance.amount", lambda row: _amount_cell(row.amount), align=RIGHT, width=140),
    Column[CostRow]("count", "performance.count", lambda row: number(row.count, f"{row.count:,}" if row.count else NOTHING), align=RIGHT, width=80),
)  # fmt: skip
CASH: Final = (
    Column[CashRow]("time", "performance.time", lambda row: time_cell(row.time_ns), width=100),
    Column[CashRow]("account", "performance.account", lambda row: word(row.account), width=90),
    Column[CashRow]("kind", "performance.kind", lambda row: word(kind_text(row.kind)), width=110),
    Column[CashRow]("instrument", "performance.symbol", lambda row: word(row.instrument_id or NOTHING), width=140),
    Column[CashRow]("asset", "performance.asset", lambda row: word(row.asset), width=80),
    Column[CashRow]("amount", "performance.amount", lambda row: _amount_cell(row.amount), align=RIGHT, width=140),
    Column[CashRow]("reference", "performance.reference", lambda row: word(row.reference, Tone.DIM), width=220),
)  # fmt: skip


def profit_text(amount: Decimal, currency: str) -> str:
    """Return a profit with its currency."""
    return f"{money_text(amount, signed=True)} {currency}".rstrip()
