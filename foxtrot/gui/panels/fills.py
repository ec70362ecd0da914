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
from foxtrot.gui.blotter import Blotter, Choice
from foxtrot.gui.blotter_cells import (
    fee_text,
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


def key_of(row: TradeRow) -> Key:
    """Return what makes a fill unique."""
    return row.account, row.instrument_id, row.trade_id, row.order_id


def columns_of(desk: Desk) -> tuple[Column[TradeRow], ...]:
    """Return the columns."""
    known = desk.instruments.get

    def slippage(row: TradeRow) -> Cell:
        cost = row.slippage
        if cost is None:
            return number(float("nan"), NOTHING, Tone.DIM)
        tone = Tone.DOWN if cost > 0 else Tone.UP if cost < 0 else Tone.PLAIN
        return number(cost, money_text(cost, price_decimals(known(row.instrument_id)), signed=True), tone)

    def value(row: TradeRow) -> Cell:
        currency, amount = worth_of(row, desk)
        return number(float(amount), f"{money_text(amount)} {currency}".rstrip())

    return (
        Column("time", "fills.time", lambda row: time_cell(row.time_ns), width=100),
        Column("instrument", "fills.instrument", lambda row: word(row.instrument_id), width=140),
        Column("side", "fills.side", lambda row: side_cell(row.side), width=70),
        Column("quantity", "fills.quantity", lambda row: size_cell(row.quantity, known(row.instrument_id)), align=RIGHT),
        Column("price", "fills.price", lambda row: price_cell(row.price, known(row.instrument_id)), align=RIGHT),
        Column("value", "fills.value", value, align=RIGHT, width=130),
        Column("fee", "fills.fee", lambda row: number(float(row.fee), f"{fee_text(row.fee)} {row.fee_asset}"), align=RIGHT, width=120),
        Column("liquidity", "fills.liquidity", lambda row: word(name_of(row.liquidity), Tone.DIM), width=70),
        Column("slippage", "fills.slippage", slippage, align=RIGHT),
        Column("origin", "fills.origin", lambda row: origin_cell(row.owner), width=100),
        Column("account", "fills.account", lambda row: word(row.account), width=80),
        Column("order", "fills.order", lambda row: word(row.order_id, Tone.DIM), width=190),
        Column("trade", "fills.trade", lambda row: word(row.trade_id, Tone.DIM), width=110),
    )  # fmt: skip


def worth_of(row: TradeRow, desk: Desk) -> tuple[str, Decimal]:
    """Return the currency and the value of a fill."""
    instrument = desk.instruments.get(row.instrument_id)
    each = instrument.multiplier if instrument is not None else Decimal(1)
    value = Decimal(repr(row.quantity)) * Decimal(repr(row.price)) * each
    return (instrument.quote_asset if instrument is not None else ""), value


class FillsPanel(Blotter):
    """Shows fills, the newest first.

    Thread: the desktop's; slippage is looked up in the journal beside it.
    """

    kind: ClassVar[str] = "fills"

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, columns_of(desk), key_of, MOST, parent)
        self._without: dict[Key, TradeRow] = {}
        """Fills whose slippage nobody has looked up yet."""
        self._looked_s = float("-inf")
        self._polling = Polling(desk, lambda: ListTrades(limit=ASKED), self._take, 0.0)
        self.hear(TradeBooked, self._hear)
        self.view.chosen.connect(lambda row: self.choose_instrument(row.instrument_id))
        self.view.sortByColumn(0, Qt.SortOrder.DescendingOrder)

    def choices(self, row: TradeRow) -> list[Choice]:
        """Return what can be done with a fill."""
        name = row.instrument_id
        return [
            Choice(tr("blotter.show_order"), partial(self.desk.order_asked.emit, row.order_id)),
            Choice(tr("blotter.show_fills"), partial(self.words.setText, row.order_id)),
            Choice(tr("blotter.show_instrument", instrument=name), partial(self.choose_instrument, name)),
        ]

    def totals(self) -> list[Piece]:
        """Return value and fees by currency."""
        rows: list[TradeRow] = self.model.shown()
        pieces = [
            *sum_pieces(tr("blotter.value"), sums_by(worth_of(row, self.desk) for row in rows)),
            *sum_pieces(tr("blotter.fees"), sums_by((row.fee_asset, row.fee) for row in rows if row.fee), None),
        ]
        makers = sum(row.liquidity == "maker" for row in rows)
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
        self.model.put(row)
        if row.slippage is None:
            self._without[key_of(row)] = row
            if len(self._without) > MOST:
                self._without.pop(next(iter(self._without)))

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
                self.model.put(row)
