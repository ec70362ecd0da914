"""The menu of a table's headings, by which its columns are chosen."""

from functools import partial

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QMenu

from foxtrot.gui.table_view import FactView
from foxtrot.gui.texts import tr


class ColumnMenu(QMenu):
    """Shows and hides the columns of a table; the first one stays."""

    def __init__(self, view: FactView) -> None:
        super().__init__(view)
        header = view.horizontalHeader()
        for visual in range(header.count()):
            place = header.logicalIndex(visual)
            title = view.model().headerData(place, Qt.Orientation.Horizontal)
            action = self.addAction(str(title))
            action.setCheckable(True)
            action.setChecked(not view.isColumnHidden(place))
            action.setEnabled(place != 0)
            action.toggled.connect(partial(_show_column, view, place))
        self.addSeparator()
        self.addAction(tr("blotter.fit"), view.fit_again).setEnabled(not view.fits_itself)


def _show_column(view: FactView, place: int, shown: bool) -> None:
    view.setColumnHidden(place, not shown)


def offer_columns(view: FactView) -> None:
    """Let a right click on the headings of a table choose its columns."""
    header = view.horizontalHeader()

    def ask(where: QPoint) -> None:
        menu = ColumnMenu(view)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(header.mapToGlobal(where))

    header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
    header.customContextMenuRequested.connect(ask)
