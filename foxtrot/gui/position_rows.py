"""What is held as rows: a position with the price it stands at; the orders that close it or turn it round."""

import msgspec

from foxtrot.app.control_requests import PositionRow
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.blotter_cells import (
    long_or_short,
    money_cell,
    origin_cell,
    price_cell,
    side_cell,
    size_cell,
)
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, sign_tone, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import NOTHING, rate_text
from foxtrot.gui.order_actions import OWNER
from foxtrot.gui.texts import tr

RIGHT = Align.RIGHT
AT_VENUE, HERE, NAKED = "at the venue", "while this process lives", "naked"
_PROTECTIONS = {AT_VENUE: ("venue", Tone.GOOD), HERE: ("here", Tone.WARNING), NAKED: ("naked", Tone.DANGER)}
_NO_SHORT = frozenset({Product.SPOT, Product.STOCK, Product.FOREX, Product.OPTION})


class Holding(msgspec.Struct, frozen=True):
    """A position and the price that it stands at, 0.0 where none was heard; `worth` and `unrealised` are in `currency`, 0.0 then."""

    row: PositionRow
    mark: float
    worth: float
    unrealised: float
    currency: str

    @property
    def account(self) -> str:
        """Return the account that holds it."""
        return self.row.account

    @property
    def key(self) -> tuple[str, str, str, str]:
        """Return what it is filed under."""
        row = self.row
        return row.owner, row.account, row.instrument_id, row.position_side

    @property
    def return_share(self) -> float:
        """Return what it has made per money put in; nan where that is not known."""
        row = self.row
        if not (self.mark and row.average_price):
            return float("nan")
        return (self.mark / row.average_price - 1) * (1 if row.quantity > 0 else -1)


def holding_of(row: PositionRow, instrument: Instrument | None, mark: float) -> Holding:
    """Return a position with the price it stands at."""
    each = float(instrument.multiplier) if instrument is not None else 1.0
    currency = instrument.quote_asset if instrument is not None else ""
    worth = abs(row.quantity) * mark * each
    unrealised = row.quantity * (mark - row.average_price) * each if mark and row.average_price else 0.0
    return Holding(row, mark, worth, unrealised, currency)


def protection_cell(protection: str, remark: str = "") -> Cell:
    """Return how a position is protected: a sign, a word and a colour."""
    name, tone = _PROTECTIONS.get(protection, ("", Tone.DIM))
    if not name:
        return word(NOTHING, tone)
    text = tr(f"positions.{name}")
    return word(f"{text} ({remark})" if remark else text, tone)


def columns_of(desk: Desk) -> tuple[Column[Holding], ...]:
    """Return the columns."""

    def known(one: Holding) -> Instrument | None:
        return desk.instruments.get(one.row.instrument_id)

    return (
        Column("instrument", "positions.instrument", lambda one: word(one.row.instrument_id), width=200),
        Column("side", "positions.side", lambda one: side_cell(long_or_short(one.row.quantity)), width=70, rank=1),
        Column("quantity", "positions.quantity", lambda one: size_cell(one.row.quantity, known(one)), align=RIGHT),
        Column("average", "positions.average", lambda one: price_cell(one.row.average_price, known(one), more=2), align=RIGHT, width=100, rank=2),
        Column("mark", "positions.mark", lambda one: price_cell(one.mark, known(one), more=1), align=RIGHT, width=100, rank=3),
        Column("value", "positions.value", _worth_cell, align=RIGHT, width=130, rank=5),
        Column("unrealised", "positions.unrealised", _unrealised_cell, align=RIGHT, width=130, rank=2),
        Column("return", "positions.return", _return_cell, align=RIGHT, width=80, rank=5),
        Column("profit", "positions.profit", lambda one: money_cell(one.row.profit, signed=True), align=RIGHT, width=100),
        Column("protection", "positions.protection", lambda one: protection_cell(one.row.protection), width=170, rank=1),
        Column("origin", "positions.origin", lambda one: origin_cell(one.row.owner), width=100, rank=4),
        Column("account", "positions.account", lambda one: word(one.account), width=80, rank=4),
        Column("remark", "positions.remark", lambda one: word(" ".join((one.row.remark, one.row.dust)).strip(), Tone.DIM), width=220, rank=6),
    )  # fmt: skip


def why_no_reverse(one: Holding, instrument: Instrument | None) -> str:
    """Return why a position cannot be turned round, "" when it can."""
    if one.row.owner == EXTERNAL:
        return tr("positions.not_ours")
    if instrument is None or instrument.product in _NO_SHORT:
        return tr("positions.no_short", instrument=one.row.instrument_id)
    return ""


def is_of_strategy(one: Holding) -> bool:
    """Tell whether a strategy holds it."""
    return one.row.owner not in (OWNER, EXTERNAL)


def _worth_cell(one: Holding) -> Cell:
    return money_cell(one.worth, unit=one.currency) if one.mark else number(one.worth, NOTHING)


def _unrealised_cell(one: Holding) -> Cell:
    if not (one.mark and one.row.average_price):
        return number(float("nan"), NOTHING, Tone.DIM)
    return money_cell(one.unrealised, signed=True, unit=one.currency)


def _return_cell(one: Holding) -> Cell:
    share = one.return_share
    return number(share, rate_text(share, signed=True) if share == share else NOTHING, sign_tone(share))  # noqa: PLR0124
