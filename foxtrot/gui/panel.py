"""What a panel is, and the table of all kinds of them."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar, Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from foxtrot.gui.desk import Desk
from foxtrot.gui.outer_text import cut_text
from foxtrot.gui.texts import tr

State = dict[str, Any]
"""What a panel is saved as: JSON."""


class Panel(QWidget):
    """One panel of a window. It hears facts through `hear`, and paints once a flush, in `flush`, while it is seen.

    A panel says its kind, and whether it follows a link group (`follows`); `show_instrument` is then called when that changes.

    Thread: the desktop's.
    """

    kind: ClassVar[str] = ""
    follows: ClassVar[bool] = False
    chooses: ClassVar[bool] = False
    """It chooses an instrument for its group when nobody has, where there are few."""
    least_size: ClassVar[tuple[int, int]] = (220, 140)

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.desk = desk
        self.chip = "blue" if self.follows else ""
        self.instrument_id = ""
        self.failing = ""
        """Why its last flush went wrong, "" where it did not: what it shows is old then."""
        self._fault: QLabel | None = None
        self._forget: list[Callable[[], None]] = []
        self.setObjectName(self.kind)
        self.setMinimumSize(*(desk.theme.pixels(length) for length in self.least_size))
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        desk.bridge.flushed.connect(self._flush)
        if self.follows:
            desk.groups.changed.connect(self._follow)
            desk.instruments_changed.connect(self._begin_seen)

    # --- for panels -------------------------------------------------------------------------------------------------

    @property
    def title(self) -> str:
        """Return the title in the language in force."""
        return tr(f"panel.{self.kind}")

    @property
    def is_seen(self) -> bool:
        """Tell whether any of it can be seen: Qt keeps panels behind another tab visible, but puts them outside of the window."""
        return self.isVisible() and not self.visibleRegion().isEmpty()

    def hear(self, kind: type, heard: Callable[[Any], None]) -> None:
        """Hear facts of a class until the panel is closed."""
        self._forget.append(self.desk.bridge.on(kind, heard))

    def flush(self) -> None:
        """Show what was heard; called once a flush while the panel is seen, and when it comes to be seen."""

    def show_instrument(self, instrument_id: str) -> None:
        """Show another instrument; panels that follow a group override it and call this."""
        self.instrument_id = instrument_id

    def choose_instrument(self, instrument_id: str) -> None:
        """Let this panel and all of its group show an instrument."""
        if self.chip:
            self.desk.groups.show(self.chip, instrument_id)
        if self.instrument_id != instrument_id:
            self.show_instrument(instrument_id)

    def set_chip(self, chip: str) -> None:
        """Join a link group, or leave it with ""."""
        self.chip = chip
        shown = self.desk.groups.shown(chip)
        if shown and self.follows and shown != self.instrument_id:
            self.show_instrument(shown)

    def save_state(self) -> State:
        """Return what is to be found again when the workspace is opened."""
        return {"chip": self.chip, "instrument": self.instrument_id}

    def restore_state(self, state: State) -> None:
        """Take up what was saved; what makes no sense is passed over."""
        chip, instrument_id = state.get("chip"), state.get("instrument")
        if isinstance(chip, str):
            self.set_chip(chip)
        if isinstance(instrument_id, str) and instrument_id and not self.instrument_id:
            self.choose_instrument(instrument_id)

    def leave(self) -> None:
        """Hear nothing any more; called once, before the panel is thrown away."""
        for forget in self._forget:
            forget()
        self._forget = []
        self.desk.bridge.flushed.disconnect(self._flush)
        if self.follows:
            self.desk.groups.changed.disconnect(self._follow)
            self.desk.instruments_changed.disconnect(self._begin_seen)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        if self.is_seen:
            self._try_flush()

    def _try_flush(self) -> None:
        """Paint; what fails is said, and does not reach Qt: out of an event of it an error can end the program."""
        why = self.desk.bridge.try_out(self.flush)
        if why != self.failing:
            self.failing = why
            self._show_failing()

    def _show_failing(self) -> None:
        """Say over the panel that it shows no news; gone once it does again."""
        if self._fault is None:
            self._fault = QLabel(self)
            self._fault.setObjectName("panel_fault")
            self._fault.setTextFormat(Qt.TextFormat.PlainText)
            self._fault.setWordWrap(True)
            colours, px = self.desk.theme.colours, self.desk.theme.pixels
            self._fault.setStyleSheet(f"background:{colours.danger};color:white;padding:{px(4)}px")
            self.body.insertWidget(0, self._fault)
        self._fault.setText(cut_text(tr("window.panel_fault", why=self.failing)) if self.failing else "")
        self._fault.setVisible(bool(self.failing))

    def _begin(self) -> None:
        """Show what the group shows; where nothing was chosen yet, what there is first."""
        if self.follows and self.chip and not self.instrument_id:
            first = self.desk.groups.shown(self.chip) or (self.desk.first_instrument() if self.chooses else "")
            if first:
                self.choose_instrument(first)

    def _begin_seen(self) -> None:
        if self.is_seen:
            self._begin()

    def _follow(self, chip: str, instrument_id: str) -> None:
        if chip == self.chip and instrument_id != self.instrument_id:
            self.show_instrument(instrument_id)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802
        """Show what was heard while nobody looked."""
        super().showEvent(event)
        self._begin()
        self._try_flush()

    def hideEvent(self, event: QHideEvent) -> None:  # noqa: N802
        """Paint nothing while nobody looks."""
        super().hideEvent(event)


class PanelKinds:
    """Every kind of panel by its name."""

    def __init__(self, kinds: Iterable[type[Panel]]) -> None:
        self._kinds: Final = {kind.kind: kind for kind in kinds}

    def names(self) -> tuple[str, ...]:
        """Return the names, in the order of the menu."""
        return tuple(self._kinds)

    def make(self, name: str, desk: Desk) -> Panel | None:
        """Return a new panel, None where there is no such kind (any more)."""
        kind = self._kinds.get(name)
        return None if kind is None else kind(desk)
