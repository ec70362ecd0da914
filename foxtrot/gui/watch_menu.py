"""What a right click on an instrument offers: to look at it elsewhere, to be told at a price, to take it out of the list."""

from collections.abc import Callable
from functools import partial
from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMenu, QWidget

from foxtrot.gui.desk import Desk
from foxtrot.gui.numbers import price_text
from foxtrot.gui.texts import tr
from foxtrot.gui.watch_rows import WatchRow

PANELS: Final = ("chart", "ladder", "ticket", "tape", "instruments")
"""Kinds of panel that can be asked to show an instrument."""


class RowMenu(QMenu):
    """The menu of one row.

    Args:
        desk: where panels and alerts are asked for.
        row: the row under the pointer.
        drop: takes what is chosen out of the list.
    """

    def __init__(self, desk: Desk, row: WatchRow, drop: Callable[[], object], parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("watchlist_menu")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        for kind in PANELS:
            self.addAction(tr(f"panel.{kind}"), partial(desk.panel_asked.emit, kind, row.instrument_id))
        self.addSeparator()
        price = row.last or row.bid or row.ask
        text = tr("watchlist.alert", price=price_text(price, row.decimals))
        alert = self.addAction(text, partial(desk.alert_asked.emit, row.instrument_id, price))
        alert.setEnabled(price > 0.0)
        if not price:
            alert.setToolTip(tr("watchlist.alert_no_price"))
            self.setToolTipsVisible(True)
        self.addSeparator()
        self.addAction(tr("watchlist.drop"), drop)
