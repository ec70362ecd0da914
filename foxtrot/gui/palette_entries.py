"""What the command palette offers of a window: instruments, panels, workspaces, looks and actions."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Final

from foxtrot.gui.instrument_facts import product_text
from foxtrot.gui.palette import Entry
from foxtrot.gui.shortcuts import CAME_WITH as KEYS
from foxtrot.gui.texts import DEFAULT, table, tr
from foxtrot.gui.theme import Direction, Mode
from foxtrot.gui.workspaces import CAME_WITH

if TYPE_CHECKING:
    from foxtrot.gui.main_window import MainWindow

GROUP: Final = "blue"
"""The link group in which an instrument is shown: the one that panels begin with."""


class PaletteEntries:
    """Gives the entries of one window.

    Thread: the desktop's.

    Args:
        window: the window.
        kinds: names of all kinds of panel.
        names: gives the names of all workspaces.
    """

    def __init__(self, window: "MainWindow", kinds: tuple[str, ...], names: Callable[[], list[str]]) -> None:
        self._window = window
        self._desk = window.desk
        self._kinds = kinds
        self._names = names
        self._symbols: list[Entry] = []
        self._known = -1
        self._actions: list[Entry] = []
        for mode in Mode:
            self.add(str(mode), partial(self._choose, "mode", mode))
        for direction in Direction:
            self.add(str(direction), partial(self._choose, "direction", direction))
        self.add("english", partial(self._choose, "language", "en"))
        self.add("chinese", partial(self._choose, "language", "zh"))
        self.add("reset_workspace", window.reset_workspace)
        self.add("fullscreen", window.menu_actions.fill_screen, window.shortcuts.key_of("fullscreen"))
        self.add("all_accounts", partial(window.desk.choose_account, ""))

    def add(self, name: str, do: Callable[[], object], key: str = "") -> None:
        """Offer an action; its text is that of `palette.NAME`.

        Nothing that sends an order belongs here, for Enter takes what is marked.
        """
        text = tr(f"palette.{name}")
        self._actions.append(Entry(f"action {name}", text, _words(f"palette.{name}"), tr("palette.action"), do, key))

    def __call__(self, typed: str) -> Iterator[Entry]:
        """Give all entries; instruments when something is typed."""
        yield from self._panels()
        yield from self._workspaces()
        yield from self._actions
        if typed.strip():
            yield from self._instruments()

    def _panels(self) -> Iterator[Entry]:
        kind_text = tr("palette.panel")
        for kind in self._kinds:
            key = self._window.shortcuts.key_of(kind) if kind in KEYS else ""
            text = f"panel.{kind}"
            yield Entry(f"panel {kind}", tr(text), _words(text), kind_text, partial(self._window.docks.show, kind), key)

    def _workspaces(self) -> Iterator[Entry]:
        kind_text = tr("palette.workspace")
        for place, name in enumerate(self._names(), 1):
            came = name in CAME_WITH
            text = tr(f"workspace.{name}") if came else name
            words = _words(f"workspace.{name}") if came else name.casefold()
            key = self._window.shortcuts.key_of(f"workspace_{place}") if place <= len(CAME_WITH) else ""
            yield Entry(f"workspace {name}", text, words, kind_text, partial(self._window.switch_workspace, name), key)

    def _instruments(self) -> list[Entry]:
        """Return the entries of all instruments; made again when there are more of them."""
        if self._known != len(self._desk.instruments):
            self._known = len(self._desk.instruments)
            self._symbols = [
                Entry(
                    f"instrument {one.instrument_id}",
                    f"{one.instrument_id}   {one.name}".rstrip(),
                    f"{one.instrument_id} {one.name}".casefold().rstrip(),
                    product_text(one),
                    partial(self._show, one.instrument_id),
                )
                for one in self._desk.instruments.values()
            ]
        return self._symbols

    def _show(self, instrument_id: str) -> None:
        """Show an instrument in the main group."""
        self._desk.groups.show(GROUP, instrument_id)

    def _choose(self, field: str, value: object) -> None:
        setattr(self._desk.settings, field, value)
        self._window.looks_changed.emit()


def _words(key: str) -> str:
    """Return what finds a text: as it reads, and in English."""
    text, english = tr(key), table(DEFAULT).get(key, "")
    return (text if text == english else f"{text} {english}").casefold()
