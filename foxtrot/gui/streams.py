"""What a panel looks at is streamed: asked once of one account that can have it, again when another platform is opened."""

from PySide6.QtCore import QObject

from foxtrot.core.commands import WatchMarket
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.gui.desk import Desk


class Streams(QObject):
    """Asks for streams, once per instrument and account; what no account lists yet is asked as soon as one does.

    Thread: the desktop's.

    Args:
        desk: the way to the platform.
        parent: the panel.
    """

    def __init__(self, desk: Desk, parent: QObject) -> None:
        super().__init__(parent)
        self._desk = desk
        self._asked: dict[tuple[str, str], SubscribeRequest] = {}
        self._waiting: dict[str, SubscribeRequest] = {}
        desk.instruments_changed.connect(self._ask_waiting)
        desk.connected.connect(self._ask_anew)

    def ask(self, request: SubscribeRequest) -> None:
        """Ask for a stream of an instrument, of the account that is looked at if it can have it."""
        accounts = self._desk.accounts_of(request.instrument_id)
        if not accounts or self._desk.questions is None:
            self._waiting[request.instrument_id] = request
            return
        self._waiting.pop(request.instrument_id, None)
        place = (request.instrument_id, accounts[0])
        if self._asked.get(place) != request and self._desk.put(WatchMarket(accounts[0], request)):
            self._asked[place] = request

    def _ask_waiting(self) -> None:
        for request in list(self._waiting.values()):
            self.ask(request)

    def _ask_anew(self) -> None:
        """Ask the platform that was opened for all that the one before was asked for."""
        before, self._asked = self._asked, {}
        for request in before.values():
            self.ask(request)
        self._ask_waiting()
