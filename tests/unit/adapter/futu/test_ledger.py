"""Calls by kind in half a minute, and the slots of subscriptions."""

import asyncio

import pytest

from foxtrot.adapter.futu.config import FutuSettings
from foxtrot.adapter.futu.errors import NotSent
from foxtrot.adapter.futu.ledger import CallLedger, SubscriptionQuota
from foxtrot.domain.errors import VenueRejected

SECOND = 1_000_000_000


class Time:
    """Passes when somebody waits."""

    def __init__(self) -> None:
        self.now_ns = 5 * SECOND
        self.waited: list[float] = []

    def __call__(self) -> int:
        return self.now_ns

    async def wait_s(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.now_ns += round(seconds * SECOND)


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def ledger(time: Time) -> CallLedger:
    settings = FutuSettings(orders_per_30_s=3, changes_per_30_s=6, queries_per_30_s=2)
    return CallLedger(settings, time, time.wait_s)


def spend(ledger: CallLedger, kind: str, times: int) -> None:
    async def turns() -> None:
        for _ in range(times):
            await ledger.turn(kind)

    asyncio.run(turns())


def test_an_order_beyond_the_limit_is_refused_at_once_and_says_when_there_is_room(
    ledger: CallLedger, time: Time
) -> None:
    spend(ledger, "place", 3)
    time.now_ns += 10 * SECOND
    with pytest.raises(NotSent) as refused:
        spend(ledger, "place", 1)
    assert refused.value.rule == "call_frequency"
    assert "3 calls of this kind left in 30 s; the next may in 20.0 s" in refused.value.reason
    assert time.waited == []
    time.now_ns += 20 * SECOND
    spend(ledger, "place", 3)


def test_the_last_changes_are_kept_for_cancels(ledger: CallLedger, time: Time) -> None:
    spend(ledger, "modify", 2)
    with pytest.raises(NotSent):
        spend(ledger, "modify", 1)
    spend(ledger, "cancel", 4)
    assert time.waited == []


def test_a_cancel_is_never_refused_but_waits(ledger: CallLedger, time: Time) -> None:
    spend(ledger, "cancel", 7)
    assert time.waited == [30.0]


def test_questions_wait_each_kind_by_itself(ledger: CallLedger, time: Time) -> None:
    spend(ledger, "funds", 2)
    spend(ledger, "positions", 2)
    assert time.waited == []
    time.now_ns += 12 * SECOND
    spend(ledger, "funds", 1)
    assert time.waited == [18.0]


def test_orders_do_not_wait_for_questions(ledger: CallLedger, time: Time) -> None:
    spend(ledger, "orders", 2)
    spend(ledger, "place", 1)
    assert time.waited == []


def test_what_opend_has_in_memory_is_not_counted(ledger: CallLedger, time: Time) -> None:
    spend(ledger, "book", 1000)
    assert time.waited == []
    assert ledger.spent("book") == 0


def test_a_kind_that_is_none_is_our_mistake(ledger: CallLedger) -> None:
    with pytest.raises(KeyError):
        spend(ledger, "fund", 1)
    assert "funds" in ledger.kinds


def test_slots_are_taken_all_or_none_and_once_each(time: Time) -> None:
    quota = SubscriptionQuota(3, time)
    quota.take([("HK.00700", "TICKER"), ("HK.00700", "QUOTE")])
    quota.take([("HK.00700", "TICKER")])
    with pytest.raises(VenueRejected) as refused:
        quota.take([("US.AAPL", "TICKER"), ("US.AAPL", "QUOTE")])
    assert "2 more than the 2 of 3 in use" in refused.value.text
    assert "subscription_quota" in refused.value.text
    assert quota.used == 2
    quota.give_back([("HK.00700", "QUOTE")])
    quota.take([("US.AAPL", "TICKER"), ("US.AAPL", "QUOTE")])
    assert quota.used == 3
    quota.forget()
    assert quota.used == 0


def test_a_subscription_is_ripe_for_its_end_after_a_minute(time: Time) -> None:
    quota = SubscriptionQuota(10, time)
    quota.take([("HK.00700", "TICKER")])
    time.now_ns += 20 * SECOND
    quota.take([("HK.00700", "QUOTE"), ("HK.00700", "TICKER")])
    assert quota.ripe_in_s([("HK.00700", "TICKER")]) == 40.0
    assert quota.ripe_in_s([("HK.00700", "TICKER"), ("HK.00700", "QUOTE")]) == 60.0
    assert quota.ripe_in_s([("HK.00700", "BROKER")]) == 0.0
    time.now_ns += 60 * SECOND
    assert quota.ripe_in_s([("HK.00700", "TICKER"), ("HK.00700", "QUOTE")]) == 0.0
