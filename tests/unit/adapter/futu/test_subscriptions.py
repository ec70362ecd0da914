"""What is subscribed follows what is wanted, as far as the quota and its minute allow."""

import asyncio
from collections.abc import Sequence

import pytest

from foxtrot.adapter.futu.ledger import SubscriptionQuota
from foxtrot.adapter.futu.subscriptions import MOST_CODES, Key, Subscriptions
from foxtrot.domain.errors import AdapterError, ConnectionLost, RequestTimedOut, VenueRejected

TENCENT, HSBC, APPLE = "HK.00700", "HK.00005", "US.AAPL"
SECOND_NS = 1_000_000_000


class OpenD:
    """Notes what is asked; refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, tuple[str, ...], tuple[str, ...], bool]] = []
        self.refuses: set[Key] = set()
        self.error: AdapterError | None = None

    async def subscribe(self, codes: Sequence[str], kinds: Sequence[str], *, first_push: bool) -> None:
        self._hear("subscribe", codes, kinds, first_push=first_push)

    async def unsubscribe(self, codes: Sequence[str], kinds: Sequence[str]) -> None:
        self._hear("unsubscribe", codes, kinds, first_push=False)

    def _hear(self, what: str, codes: Sequence[str], kinds: Sequence[str], *, first_push: bool) -> None:
        self.asked.append((what, tuple(codes), tuple(kinds), first_push))
        if self.error is not None:
            raise self.error
        if self.refuses & {(code, kind) for code in codes for kind in kinds}:
            raise VenueRejected("futu", "-1", "no quote right")

    def take(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
        asked, self.asked = self.asked, []
        return asked


class Rig:
    """Subscriptions with a clock that is moved by hand."""

    def __init__(self, limit: int = 100) -> None:
        self.now_ns = SECOND_NS
        self.opend = OpenD()
        self.quota = SubscriptionQuota(limit, lambda: self.now_ns)
        self.refused: list[tuple[Key, str]] = []
        self.subs = Subscriptions(self.opend, self.quota, lambda key, error: self.refused.append((key, str(error))))

    def bring(self) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
        asyncio.run(self.subs.bring())
        return self.opend.take()

    def sweep_after(self, seconds: float) -> list[tuple[str, tuple[str, ...], tuple[str, ...], bool]]:
        self.now_ns += int(seconds * SECOND_NS)
        asyncio.run(self.subs.sweep())
        return self.opend.take()


def test_everything_is_subscribed_once_grouped_by_kinds_first_push_and_market() -> None:
    rig = Rig()
    for code in (TENCENT, HSBC, APPLE):
        rig.subs.want(code, ("QUOTE", "ORDER_BOOK", "TICKER"))
    assert rig.bring() == [
        ("subscribe", (TENCENT, HSBC), ("QUOTE", "ORDER_BOOK"), True),
        ("subscribe", (TENCENT, HSBC), ("TICKER",), False),
        ("subscribe", (APPLE,), ("QUOTE", "ORDER_BOOK"), True),
        ("subscribe", (APPLE,), ("TICKER",), False),
    ]
    assert rig.bring() == []
    assert rig.quota.used == 9


def test_many_instruments_are_parted() -> None:
    rig = Rig(limit=1_000)
    for number in range(MOST_CODES + 5):
        rig.subs.want(f"HK.{number:05}", ("TICKER",))
    assert [len(codes) for _, codes, _, _ in rig.bring()] == [MOST_CODES, 5]


def test_what_nobody_wants_ends_when_its_minute_is_over_and_not_before() -> None:
    rig = Rig()
    rig.subs.want(TENCENT, ("TICKER", "ORDER_BOOK"))
    rig.bring()
    rig.subs.want(TENCENT, ("TICKER",))
    assert rig.sweep_after(59) == []
    assert rig.quota.used == 2
    assert rig.sweep_after(1) == [("unsubscribe", (TENCENT,), ("ORDER_BOOK",), False)]
    assert rig.quota.used == 1


def test_what_is_wanted_again_within_its_minute_was_never_given_up() -> None:
    rig = Rig()
    rig.subs.want(TENCENT, ("TICKER",))
    rig.bring()
    rig.subs.want(TENCENT, ())
    rig.subs.want(TENCENT, ("TICKER",))
    assert rig.bring() == []
    assert rig.sweep_after(120) == []


def test_without_slots_it_is_refused_by_name_and_brought_when_there_are_some() -> None:
    rig = Rig(limit=2)
    rig.subs.want(TENCENT, ("TICKER", "QUOTE"))
    rig.bring()
    rig.subs.want(HSBC, ("TICKER",))
    assert rig.bring() == []
    assert [key for key, _ in rig.refused] == [(HSBC, "TICKER")]
    assert "2 of 2 in use" in rig.refused[0][1]
    assert rig.subs.why_not((HSBC, "TICKER")) is not None
    rig.subs.want(TENCENT, ("TICKER",))
    rig.sweep_after(60)
    assert rig.bring() == [("subscribe", (HSBC,), ("TICKER",), False)]


def test_room_is_made_before_slots_are_taken() -> None:
    rig = Rig(limit=1)
    rig.subs.want(TENCENT, ("TICKER",))
    rig.bring()
    rig.subs.want(TENCENT, ())
    rig.subs.want(HSBC, ("TICKER",))
    rig.now_ns += 61 * SECOND_NS
    assert [what for what, *_ in rig.bring()] == ["unsubscribe", "subscribe"]
    assert rig.refused == []


def test_what_opend_refuses_is_found_and_the_rest_is_had() -> None:
    rig = Rig()
    rig.opend.refuses = {(HSBC, "ORDER_BOOK")}
    for code in (TENCENT, HSBC, "HK.00001"):
        rig.subs.want(code, ("QUOTE", "ORDER_BOOK"))
    rig.bring()
    assert rig.refused == [((HSBC, "ORDER_BOOK"), "futu -1: no quote right")]
    assert rig.subs.held == {
        (TENCENT, "QUOTE"), (TENCENT, "ORDER_BOOK"), (HSBC, "QUOTE"), ("HK.00001", "QUOTE"), ("HK.00001", "ORDER_BOOK")
    }  # fmt: skip
    assert rig.quota.used == 5
    assert rig.bring() == [], "it is not asked for again over the same link"
    rig.subs.forget()
    rig.opend.refuses = set()
    rig.bring()
    assert len(rig.subs.held) == 6


def test_one_that_is_not_answered_is_refused_without_more_questions() -> None:
    rig = Rig()
    rig.opend.error = RequestTimedOut("futu", "subscribe", "no answer")
    rig.subs.want(TENCENT, ("QUOTE", "ORDER_BOOK"))
    assert len(rig.bring()) == 1
    assert len(rig.refused) == 2
    assert rig.quota.used == 0


def test_a_lost_link_leaves_everything_for_the_next() -> None:
    rig = Rig()
    rig.opend.error = ConnectionLost("futu", "subscribe", "gone")
    rig.subs.want(TENCENT, ("QUOTE",))
    with pytest.raises(ConnectionLost):
        rig.bring()
    assert (rig.refused, rig.quota.used, rig.subs.held) == ([], 0, set())
    rig.opend.error = None
    rig.opend.take()
    assert len(rig.bring()) == 1


def test_a_slot_that_is_borrowed_for_a_question_is_given_back_after_a_minute() -> None:
    rig = Rig()
    key = (TENCENT, "ORDER_BOOK")
    rig.subs.borrow(key)
    rig.bring()
    assert rig.sweep_after(61) == []
    rig.subs.give(key)
    assert [what for what, *_ in rig.sweep_after(0)] == ["unsubscribe"]


def test_one_that_could_not_be_ended_stays_and_is_tried_again() -> None:
    rig = Rig()
    rig.subs.want(TENCENT, ("TICKER",))
    rig.bring()
    rig.subs.want(TENCENT, ())
    rig.opend.error = VenueRejected("futu", "-1", "less than a minute")
    assert len(rig.sweep_after(61)) == 1
    assert rig.quota.used == 1
    rig.opend.error = None
    assert len(rig.sweep_after(1)) == 1
    assert rig.quota.used == 0
