"""The depth chart: how much the book would take down to each price."""

from typing import ClassVar, Final

from PySide6.QtWidgets import QWidget

from foxtrot.core.notices import BookStateChanged
from foxtrot.domain.market import DepthData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.chart.depth_view import DepthView
from foxtrot.gui.desk import Desk
from foxtrot.gui.panel import Panel
from foxtrot.gui.streams import Streams

LEVELS: Final = 200
"""So many levels a side are asked for; a venue that has fewer gives those."""


class DepthPanel(Panel):
    """Shows the book of the instrument of its link group.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = "depth"
    follows: ClassVar[bool] = True
    least_size: ClassVar[tuple[int, int]] = (280, 160)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.view = DepthView(desk.theme, self)
        self.body.addWidget(self.view, 1)
        self._streams = Streams(desk, self)
        self._is_new = True
        self.hear(DepthData, self._hear)
        self.hear(BookStateChanged, self._hear_state)

    def show_instrument(self, instrument_id: str) -> None:
        """Show another book."""
        super().show_instrument(instrument_id)
        self._is_new = True
        if instrument_id:
            self._streams.ask(SubscribeRequest(instrument_id, depth_levels=LEVELS))

    def flush(self) -> None:
        """Show the book as it is now."""
        if self._is_new:
            self._is_new = False
            self.view.instrument = self.desk.instruments.get(self.instrument_id)
            self.view.show_book(self.desk.depths.get(self.instrument_id))

    def _hear(self, book: DepthData) -> None:
        self._is_new = self._is_new or book.instrument_id == self.instrument_id

    def _hear_state(self, change: BookStateChanged) -> None:
        self._is_new = self._is_new or change.instrument_id == self.instrument_id
