"""Brings a chart what is ours: open orders, fills and positions, asked once and then heard."""

import msgspec
from PySide6.QtCore import QObject

from foxtrot.app.blotter_requests import ListProtections, ProtectionLegs
from foxtrot.app.control_requests import (
    ListOrders,
    ListPositions,
    ListTrades,
    Orders,
    Positions,
    Trades,
)
from foxtrot.core.notices import OrderChanged, TradeBooked
from foxtrot.gui.chart.own_marks import OwnMarks
from foxtrot.gui.desk import Desk
from foxtrot.gui.polling import Polling


class OwnFeed(QObject):
    """Keeps the marks of one instrument as the platform tells them.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.marks = OwnMarks("")
        self._desk = desk
        self._positions_old = False
        self._asking = False
        self._protections = Polling(
            desk,
            lambda: ListProtections(instrument=self.marks.instrument_id, account=self.marks.account),
            self._take_legs,
        )

    def open(self, instrument_id: str, account: str) -> None:
        """Show what is ours of an instrument in an account, "" for all accounts."""
        marks = self.marks = OwnMarks(instrument_id, account)
        self._protections.begin_anew()
        self._positions_old, self._asking = True, False
        if not instrument_id or self._desk.questions is None:
            return

        def orders(found: msgspec.Struct | None, _error: str) -> None:
            if isinstance(found, Orders):
                marks.take_orders(found.orders)

        def trades(found: msgspec.Struct | None, _error: str) -> None:
            if isinstance(found, Trades):
                marks.take_trades(found.trades)

        self._desk.ask(ListOrders(instrument=instrument_id, account=account), orders)
        self._desk.ask(ListTrades(instrument=instrument_id, account=account), trades)
        self.look()

    def hear_order(self, change: OrderChanged) -> None:
        """Take a change of an order."""
        self.marks.hear_order(change)

    def hear_trade(self, booked: TradeBooked) -> None:
        """Take a fill; the position is another then."""
        if self.marks.hear_trade(booked):
            self._positions_old = True

    def look(self) -> None:
        """Ask for the positions where they have changed, one question at a time; called once a flush."""
        marks = self.marks
        if marks.instrument_id:
            self._protections.look()
        if not self._positions_old or self._asking or not marks.instrument_id or self._desk.questions is None:
            return
        self._positions_old, self._asking = False, True

        def positions(found: msgspec.Struct | None, _error: str) -> None:
            if marks is self.marks:
                self._asking = False
            if isinstance(found, Positions):
                marks.take_positions(found.net)

        self._desk.ask(ListPositions(instrument=marks.instrument_id, account=marks.account), positions)

    def close(self) -> None:
        """Ask nothing any more."""
        self._protections.end()

    def _take_legs(self, found: msgspec.Struct) -> None:
        if isinstance(found, ProtectionLegs):
            self.marks.take_legs(found.legs)
