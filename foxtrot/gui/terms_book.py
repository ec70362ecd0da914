"""What each account's venue takes, asked once for each platform and kept for every panel that asks."""

from PySide6.QtCore import QObject, Signal

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.app.desktop_requests import AskTerms, TermsFound
from foxtrot.gui.desk import Desk


class TermsBook(QObject):
    """Asks for the terms of accounts.

    Thread: the desktop's.
    """

    changed = Signal()

    def __init__(self, desk: Desk, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._desk = desk
        self._found: dict[str, Capabilities] = {}
        self._asked: set[str] = set()
        desk.connected.connect(self._begin_anew)

    def of(self, account: str) -> Capabilities | None:
        """Return what an account's venue takes; None while that is being asked."""
        found = self._found.get(account)
        if found is None and account not in self._asked and self._desk.questions is not None:
            self._asked.add(account)
            self._desk.ask(AskTerms(account=account), self._hear)
        return found

    def _hear(self, found: object, error: str) -> None:
        if isinstance(found, TermsFound):
            self._found[found.account] = found.capabilities
            self.changed.emit()
        elif error:
            self._desk.said.emit("WARNING", error)

    def _begin_anew(self) -> None:
        self._found.clear()
        self._asked.clear()
