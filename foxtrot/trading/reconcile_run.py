"""One reconciliation of one account: what was asked, what has come, and what it has seen so far."""

from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import OrderStatus
from foxtrot.trading.audit import VenueAnswers
from foxtrot.trading.difference import Finding

EVERYTHING = frozenset({"orders", "positions", "account", "trades"})
ORDERS = frozenset({"orders"})
LOOKS = 6
"""So often an account is looked at in one run until what differs has come to rest."""
SURE = 2
SURE_IN_MOTION = 4
"""In so many looks on end a difference must be the same; the latter where its instrument trades meanwhile."""

Answer = OpenOrdersLoaded | TradesLoaded | PositionsLoaded | AccountData
Place = tuple[str, str]
"""(order id, instrument id)"""
Single = tuple[OrderStatus, int]
"""Status and filled units of an order at the moment at which the venue was asked for it alone."""


class Run:
    """What one reconciliation knows.

    It looks once or several times. A look asks for `questions` but the trades, then for the orders that the venue's list lacks
    one by one (`singles`), then for the trades, so that whatever the other answers count is told by them.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "account", "answers", "asked", "cause", "gone", "known_ns", "looks", "moved", "questions", "sighted", "singles", "timer",
    )  # fmt: skip

    def __init__(self, account: str, cause: str, questions: frozenset[str]) -> None:
        self.account = account
        self.cause = cause
        self.questions = questions
        self.looks = 0
        self.timer = 0
        self.known_ns = 0
        self.sighted: dict[object, int] = {}
        self.begin_look()

    @property
    def is_whole(self) -> bool:
        """Tell whether the run looks at everything."""
        return self.questions == EVERYTHING

    def begin_look(self) -> None:
        """Forget the answers of the last look."""
        self.answers = VenueAnswers()
        self.asked: set[str] = set()
        self.moved: set[str] = set()
        self.singles: dict[Place, Single] | None = None
        self.gone: dict[Place, Single] = {}

    def take(self, question: str, answer: Answer) -> bool:
        """Take an answer; False when it was not asked for, or is there already."""
        if question not in self.asked or getattr(self.answers, question) is not None:
            return False
        setattr(self.answers, question, answer)
        return True

    def hear(self, order_id: str, instrument_id: str, *, missing: bool) -> bool:
        """Note that an order was told, or is missing at the venue; tells whether it was the last one that was waited for."""
        if not missing:
            self.moved.update((order_id, instrument_id))
        place = (order_id, instrument_id)
        if not self.singles or place not in self.singles:
            return False
        before = self.singles.pop(place)
        if missing:
            self.gone[place] = before
        return not self.singles

    @property
    def waits_for(self) -> list[str]:
        """Return what was asked for and is not answered."""
        return self.lacks(*sorted(EVERYTHING)) + [f"order {order_id}" for order_id, _ in self.singles or ()]

    def lacks(self, *questions: str) -> list[str]:
        """Return which of the questions were asked and are not answered."""
        return [one for one in questions if one in self.asked and getattr(self.answers, one) is None]

    def note(self, findings: list[Finding]) -> list[Finding]:
        """Count a look with its findings; returns those that are not sure yet."""
        self.looks += 1
        self.sighted = {finding.key: self.sighted.get(finding.key, 0) + 1 for finding in findings}
        return [finding for finding in findings if not self._is_sure(finding)]

    def _is_sure(self, finding: Finding) -> bool:
        times = self.sighted[finding.key]
        return times >= (SURE_IN_MOTION if self.moved & set(finding.places) else SURE)
