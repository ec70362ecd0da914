"""The fills: price, fee, whether they rested, and what they cost against the quote at which their order was wished for."""

from decimal import Decimal
from functools import partial
from time import monotonic
from typing import ClassVar, Final

import msgspec
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from foxtrot.app.control_requests import ListTrades, TradeRow, Trades
from foxtrot.app.last_known import slipped
from foxtrot.core.notices import TradeBooked
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.blotter import Blotter, Choice
from foxtrot.gui.blotter_cells import (
    amount_cell,
    money_cell,
    name_of,
    origin_cell,
    price_cell,
    side_cell,
    size_cell,
    time_cell,
    trade_row,
)
from foxtrot.gui.columns import Align, Cell, Column, Tone, number, word
from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import NOTHING, money_text, price_decimals
from foxtrot.gui.polling import Polling
from foxtrot.gui.texts import tr
from foxtrot.gui.totals_bar import Piece, sum_pieces, sums_by

MOST: Final = 20_000
ASKED: Final = 2_000
AT_ONCE: Final = 200
"""Fills whose slippage is looked up in the journal at one time."""
LOOK_S: Final = 1.0
RIGHT = Align.RIGHT
Key = tuple[str, str, str, str]


class Fill(msgspec.Struct, frozen=True):
    """A fill, and what it came to in the currency of its price."""

    row: TradeRow
    currency: str
    worth: Decimal

    @property
    def account(self) -> str:
        """Return the account that traded."""
        return self.row.account


def key_of(row: TradeRow) -> Key:
    """Return what makes a fill unique."""
    return row.account, row.instrument_id, row.trade_id, row.order_id


def fill_of(row: TradeRow, instrument: Instrument | None) -> Fill:
    """Return a fill with what it came to."""
    each = instrument.multiplier if instrument is not None else Decimal(1)
    worth = Decimal(repr(row.quantity)) * Decimal(repr(row.price)) * each
    return Fill(row, instrument.quote_asset if instrument is not None else "", worth)


def columns_of(desk: Desk) -> tuple[Column[Fill], ...]:
    """Return the columns."""

    def known(one: Fill) -> Instrument | None:
        return desk.instruments.get(one.row.instrument_id)

    def slippage(one: Fill) -> Cell:
        cost = one.row.slippage
        if cost is None:
            return number(float("nan"), NOTHING, Tone.DIM)
        tone = Tone.DOWN if cost > 0 else Tone.UP if cost < 0 else Tone.PLAIN
        return number(cost, money_text(cost, price_decimals(known(one)), signed=True), tone)

    return (
        Column("time", "fills.time", lambda one: time_cell(one.row.time_ns), width=100, rank=1),
        Column("instrument", "fills.instrument", lambda one: word(one.row.instrument_id), width=200),
        Column("side", "fills.side", lambda one: side_cell(one.row.side), width=70),
        Column("quantity", "fills.quantity", lambda one: size_cell(one.row.quantity, known(one)), align=RIGHT),
        Column("price", "fills.price", lambda one: price_cell(one.row.price, known(one)), align=RIGHT),
        Column("value", "fills.value", lambda one: money_cell(one.worth, unit=one.currency), align=RIGHT, width=130, rank=2),
        Column("fee", "fills.fee", lambda one: amount_cell(one.row.fee, one.row.fee_asset), align=RIGHT, width=110, rank=2),
        Column("liquidity", "fills.liquidity", lambda one: word(name_of(one.row.liquidity), Tone.DIM), width=70, rank=4),
        Column("slippage", "fills.slippage", slippage, align=RIGHT, rank=3),
        Column("origin", "fills.origin", lambda one: origin_cell(one.row.owner), width=100, rank=3),
        Column("account", "fills.account", lambda one: word(one.account), width=80, rank=4),
        Column("order", "fills.order", lambda one: word(one.row.order_id, Tone.DIM), width=190, rank=5),
        Column("trade", "fills.trade", lambda one: word(one.row.trade_id, Tone.DIM), width=110, rank=5),
    )  # fmt: skip


class FillsPanel(Blotter):
    """Shows fills, the newest first.

    Thread: the desktop's; slippage is looked up in the journal beside it.
    """

    kind: ClassVar[str] = "fills"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, columns_of(desk), lambda one: key_of(one.row), MOST, parent)
        self._without: dict[Key, TradeRow] = {}
        """Fills whose slippage nobody has looked up yet."""
        self._looked_s = float("-inf")
        self._polling = Polling(desk, lambda: ListTrades(limit=ASKED), self._take, 0.0)
        self.asked = (self._polling,)
        self.hear(TradeBooked, self._hear)
        self.view.chosen.connect(lambda one: self.choose_instrument(one.row.instrument_id))
        self.view.sortByColumn(0, Qt.SortOrder.DescendingOrder)

    def choices(self, row: Fill) -> list[Choice]:
        """Return what can be done with a fill."""
        name, order_id = row.row.instrument_id, row.row.order_id
        return [
            Choice(tr("blotter.show_order"), partial(self.desk.order_asked.emit, order_id)),
            Choice(tr("blotter.show_fills"), partial(self.words.setText, order_id)),
            Choice(tr("blotter.show_instrument", instrument=name), partial(self.choose_instrument, name)),
        ]

    def totals(self) -> list[Piece]:
        """Return value and fees by currency."""
        rows: list[Fill] = self.model.shown()
        pieces = [
            *sum_pieces(tr("blotter.value"), sums_by((one.currency, one.worth) for one in rows)),
            *sum_pieces(
                tr("blotter.fees"), sums_by((one.row.fee_asset, one.row.fee) for one in rows if one.row.fee), None
            ),
        ]
        makers = sum(one.row.liquidity == "maker" for one in rows)
        if rows:
            pieces.append(Piece(tr("fills.makers", share=f"{makers / len(rows):.0%}"), Tone.DIM))
        if self._polling.error:
            pieces.append(Piece(self._polling.error, Tone.WARNING))
        return pieces

    def begin_anew(self) -> None:
        """Ask another platform for its fills."""
        super().begin_anew()
        self._without.clear()
        self._polling.begin_anew()

    def flush(self) -> None:
        """Show what came, and look up what it cost."""
        self._polling.look()
        self._look_up()
        super().flush()

    def leave(self) -> None:
        """Hear nothing any more."""
        self._polling.end()
        super().leave()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _hear(self, booked: TradeBooked) -> None:
        self._put(trade_row(booked))

    def _take(self, found: msgspec.Struct) -> None:
        if isinstance(found, Trades):
            for row in found.trades:
                if self.model.row_by(key_of(row)) is None:
                    self._put(row)

    def _put(self, row: TradeRow) -> None:
        self._show(row)
        if row.slippage is None:
            self._without[key_of(row)] = row
            if len(self._without) > MOST:
                self._without.pop(next(iter(self._without)))

    def _show(self, row: TradeRow) -> None:
        self.model.put(fill_of(row, self.desk.instruments.get(row.instrument_id)))

    def _look_up(self) -> None:
        """Look up the newest fills first, some at a time, and not while the last are looked up."""
        questions, now_s = self.desk.questions, monotonic()
        path = questions.link.journal if questions is not None else None
        if path is None or not self._without or self.aside.running or now_s - self._looked_s < LOOK_S:
            return
        self._looked_s = now_s
        keys = list(self._without)[-AT_ONCE:]
        rows = tuple(self._without.pop(key) for key in keys)
        self.aside.run(partial(slipped, path, rows), self._take_slippage)

    def _take_slippage(self, rows: tuple[TradeRow, ...] | None, _error: str) -> None:
        for row in rows or ():
            if row.slippage is not None and self.model.row_by(key_of(row)) is not None:
                self._show(row)
