"""What IB leaves open, and mostly answers by itself a moment later: states that judge nothing, and fills without their commission."""

from typing import Final

from loguru import logger

from foxtrot.adapter.ib.fills import Fills
from foxtrot.adapter.ib.order_questions import OrderQuestions
from foxtrot.adapter.ib.session import IbSession
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.order_state import TERMINAL

LOOK_S: Final = 2.0
"""How long IB has to answer by itself."""


class Doubts:
    """Asks for orders in doubt, and tells fills whose commission does not come without it.

    Thread: ib-io.
    """

    def __init__(
        self, session: IbSession, account: str, tracker: OrderTracker, questions: OrderQuestions, fills: Fills
    ) -> None:
        self._session = session
        self._account = account
        self._tracker = tracker
        self._questions = questions
        self._fills = fills
        self._doubted: dict[str, None] = {}
        self._looks = self._charges = False

    def note(self, name: str) -> None:
        """See to it that an order is asked for unless IB says soon what became of it."""
        self._doubted[name] = None
        if not self._looks:
            self._looks = True
            self._session.spawn(self._look(), "orders in doubt")

    def note_fill(self) -> None:
        """See to it that a fill is told though its commission does not come."""
        if self._fills.uncharged and not self._charges:
            self._charges = True
            self._session.spawn(self._tell_uncharged(), "fills without a commission")

    async def _look(self) -> None:
        try:
            while self._doubted:
                await self._session.wait_s(LOOK_S)
                names, self._doubted = tuple(self._doubted), {}
                for name in names:
                    await self._ask(name)
        finally:
            self._looks = False

    async def _ask(self, name: str) -> None:
        last = self._tracker.last(name)
        if not self._session.linked or (last is not None and last.status in TERMINAL):
            return
        try:
            await self._questions.ask(name, "")
        except AdapterError as error:
            logger.warning("{}: order {} could not be asked for: {}", self._account, name, error)

    async def _tell_uncharged(self) -> None:
        try:
            while self._fills.uncharged:
                await self._session.wait_s(LOOK_S / 4)
                self._fills.tell_waiting(self._session.clock.monotonic_ns() - int(LOOK_S * 1e9))
        finally:
            self._charges = False
