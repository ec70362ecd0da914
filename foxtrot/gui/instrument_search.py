"""A line in which an instrument is searched by its name; what fits is listed below while one types."""

from typing import Final

from PySide6.QtCore import QModelIndex, QStringListModel, Qt, Signal
from PySide6.QtWidgets import QCompleter, QLineEdit, QListView, QWidget

from foxtrot.domain.instrument import Instrument
from foxtrot.gui.desk import Desk
from foxtrot.gui.instrument_facts import product_text
from foxtrot.gui.texts import tr

MOST: Final = 20


class InstrumentSearch(QLineEdit):
    """Searches among all instruments; `found` comes with the id of the one that was chosen by a click or by Enter.

    Thread: the desktop's.

    Args:
        desk: knows the instruments.
        hint: what is read in the line while it is empty.
    """

    found = Signal(str)

    def __init__(self, desk: Desk, hint: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._ids: list[str] = []
        self._lines = QStringListModel(self)
        completer = QCompleter(self._lines, self)
        completer.setCompletionMode(QCompleter.CompletionMode.UnfilteredPopupCompletion)
        completer.setMaxVisibleItems(MOST)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setWidget(self)  # and not setCompleter, by which Qt would write the chosen line into the box
        self._completer = completer
        self._popup = QListView()
        completer.setPopup(self._popup)
        self._popup.clicked.connect(self._take)
        self.setPlaceholderText(hint)
        self.setClearButtonEnabled(True)
        self.textEdited.connect(self.list_what_fits)
        self.returnPressed.connect(self._take_first)

    def list_what_fits(self, words: str) -> None:
        """List the instruments that fit."""
        fitting = self._desk.find(words, MOST)
        self._ids = [one.instrument_id for one in fitting]
        self._lines.setStringList([line_of(one) for one in fitting])
        if fitting:
            self._completer.complete()
        else:
            self._popup.hide()

    def _take(self, index: QModelIndex) -> None:
        if 0 <= index.row() < len(self._ids):
            self._choose(self._ids[index.row()])

    def _take_first(self) -> None:
        """Take the line that was gone to with the arrow keys, else what fits best; where nothing does, say so."""
        words = self.text().strip()
        place = self._popup.currentIndex()
        if not words:
            return
        if place.isValid() and self._ids:
            self._take(place)
        elif fitting := self._desk.find(words, 1):
            self._choose(fitting[0].instrument_id)
        else:
            self._desk.said.emit("WARNING", tr("search.nothing", words=words))

    def _choose(self, instrument_id: str) -> None:
        """Tell it once, whichever of key and list was heard first."""
        self._ids = []
        self._popup.hide()
        self.clear()
        self.found.emit(instrument_id)


def line_of(one: Instrument) -> str:
    """Return an instrument as one line of a list."""
    return "   ".join(part for part in (one.instrument_id, one.name, product_text(one)) if part)
