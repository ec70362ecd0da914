"""Lists of instruments by name, as the user has made them; plain data that a panel saves."""

from collections.abc import Iterable, Sequence
from typing import Final

MOST_LISTS: Final = 30
MOST_SYMBOLS: Final = 20_000
LONGEST_NAME: Final = 30


class WatchLists:
    """Lists in their order, one of which is shown; there is always one.

    Thread: the desktop's.

    Args:
        name: of the first list.
    """

    def __init__(self, name: str) -> None:
        self._lists: dict[str, dict[str, None]] = {name: {}}
        self.shown = name
        self.untouched = True
        """Nobody has put anything in or made a list."""

    @property
    def names(self) -> list[str]:
        """Return the names in their order."""
        return list(self._lists)

    @property
    def ids(self) -> list[str]:
        """Return the instruments of the list that is shown, in their order."""
        return list(self._lists[self.shown])

    def __contains__(self, instrument_id: object) -> bool:
        """Tell whether the list that is shown has an instrument."""
        return instrument_id in self._lists[self.shown]

    def show(self, name: str) -> None:
        """Show a list; one that is not there is passed over."""
        if name in self._lists:
            self.shown = name

    def add(self, ids: Iterable[str]) -> None:
        """Put instruments at the end of the list that is shown; those it has stay where they are."""
        self.untouched = False
        shown = self._lists[self.shown]
        for instrument_id in ids:
            if len(shown) < MOST_SYMBOLS:
                shown.setdefault(instrument_id)

    def drop(self, ids: Iterable[str]) -> None:
        """Take instruments out of the list that is shown."""
        self.untouched = False
        for instrument_id in ids:
            self._lists[self.shown].pop(instrument_id, None)

    def move(self, ids: Sequence[str], before: str) -> None:
        """Put instruments of the list that is shown before another, at the end with ""."""
        moved = [one for one in self.ids if one in set(ids) and one != before]
        rest = [one for one in self.ids if one not in moved]
        place = rest.index(before) if before in rest else len(rest)
        self._lists[self.shown] = dict.fromkeys([*rest[:place], *moved, *rest[place:]])
        self.untouched = False

    def shift(self, instrument_id: str, by: int) -> None:
        """Put an instrument some places up (below 0) or down."""
        ids = self.ids
        if instrument_id in ids:
            place = min(max(ids.index(instrument_id) + by, 0), len(ids) - 1)
            ids.remove(instrument_id)
            ids.insert(place, instrument_id)
            self._lists[self.shown] = dict.fromkeys(ids)
            self.untouched = False

    # --- the lists --------------------------------------------------------------------------------------------------

    def make(self, name: str) -> bool:
        """Make an empty list and show it; False for a name that is taken, empty or too long."""
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or name in self._lists or len(self._lists) >= MOST_LISTS:
            return False
        self._lists[name] = {}
        self.shown = name
        self.untouched = False
        return True

    def rename(self, name: str) -> bool:
        """Give the list that is shown another name; False where that is taken, empty or too long."""
        name = name.strip()
        if not name or len(name) > LONGEST_NAME or name in self._lists:
            return False
        self._lists = {name if one == self.shown else one: ids for one, ids in self._lists.items()}
        self.shown = name
        self.untouched = False
        return True

    def remove(self) -> bool:
        """Remove the list that is shown, and show the one before it; the only one stays."""
        if len(self._lists) == 1:
            return False
        place = self.names.index(self.shown)
        del self._lists[self.shown]
        self.shown = self.names[max(0, place - 1)]
        self.untouched = False
        return True

    # --- kept -------------------------------------------------------------------------------------------------------

    def saved(self) -> list[list[object]]:
        """Return all lists as JSON."""
        return [[name, list(ids)] for name, ids in self._lists.items()]

    def restore(self, saved: object, shown: object) -> bool:
        """Take up what was saved; False, and nothing changes, where it makes no sense."""
        found: dict[str, dict[str, None]] = {}
        for one in saved if isinstance(saved, list) else ():
            match one:
                case [str(name), list(ids)] if name and len(found) < MOST_LISTS:
                    kept = [text for text in ids if isinstance(text, str)]
                    found[name[:LONGEST_NAME]] = dict.fromkeys(kept[:MOST_SYMBOLS])
        if not found:
            return False
        self._lists = found
        self.shown = shown if isinstance(shown, str) and shown in found else next(iter(found))
        self.untouched = False
        return True
