"""Orders and money where OpenD's answers and the calendar are not as they should be."""

import asyncio
from pathlib import Path

import pytest

from foxtrot.adapter.futu import orders
from foxtrot.adapter.futu.accounts import FutuAccount
from foxtrot.adapter.futu.derived_trades import DerivedTrades
from foxtrot.adapter.futu.unlock import MOST_WRONG, TRIED_NO_MORE
from foxtrot.core.notices import RequestFailed
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import OrderRefused, VenueRejected
from tests.support import futu_messages as m
from tests.support.futu_market_rig import hong_kong
from tests.unit.adapter.futu.test_derived_trades import row, told
from tests.unit.adapter.futu.test_order_codecs import approved
from tests.unit.adapter.futu.test_orders import World, failing, played

pytestmark = pytest.mark.usefixtures("futu_sdk")
S = OrderStatus


def test_an_order_whose_time_is_rounded_in_one_of_its_reports_is_the_same_order() -> None:
    derived = DerivedTrades(None, "ours")
    told(derived, row(100, 400.0, createTime="2026-03-10 10:00:00.999"))
    later = told(derived, row(300, 400.0, createTime="2026-03-10 10:00:01"))
    assert [step[:2] for step in later] == [("FT7-100", "100.0"), ("FT7-300", "200.0")]


def test_a_guardian_and_its_platform_derive_the_same_fills_and_none_twice(tmp_path: Path) -> None:
    ours, guardian = DerivedTrades(tmp_path, "ours"), DerivedTrades(tmp_path, "ours")
    told(ours, row(100, 400.0))
    first = told(ours, row(300, 400.0))
    assert told(guardian, row(300, 400.0)) == first
    later = told(guardian, row(600, 400.0))
    assert told(ours, row(500, 400.0), row(600, 400.0)) == later
    assert [step[0] for step in later] == ["FT7-100", "FT7-300", "FT7-600"]
    assert told(DerivedTrades(tmp_path, "ours"), row(600, 400.0)) == later


def test_a_wrong_password_is_not_tried_until_futu_locks_the_account() -> None:
    tried = []

    async def story(world: World) -> None:
        before = world.opend.count("UnlockTrade")
        world.opend.script["UnlockTrade"] = failing(VenueRejected("futu", "UnlockTrade", "wrong password"))
        for _ in range(3):
            await world.trading.open()
            await world.advance(600, 10)
        tried.append(world.opend.count("UnlockTrade") - before)
        await world.place(approved())

    world = played(story, real=True)
    assert tried == [MOST_WRONG]
    assert [(report.status, report.rule) for report in world.heard.reports("t-1-1")] == [(S.DENIED, "locked")]
    assert TRIED_NO_MORE in [failure.error for failure in world.heard.of(RequestFailed)]


def test_an_order_in_the_queue_that_cannot_wait_any_more_is_denied_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story(world: World) -> None:
        sent = asyncio.ensure_future(world.trading.place(approved()))
        await world.settle()

        def refuse(*_asked: object) -> int:
            raise OrderRefused("outside_session", "a day that the market's calendar knows", "another")

        monkeypatch.setattr(orders, "waits_until_ns", refuse)
        await world.advance(6)
        await sent

    world = played(story, outside_session="queue", now_ns=hong_kong("2026-03-10 12:30:00"))
    assert world.statuses() == [S.DENIED]
    assert world.opend.count("PlaceOrder") == 0


@pytest.mark.parametrize("real", [False, True])
def test_a_market_of_which_nothing_is_listed_keeps_no_link_from_standing(real: bool) -> None:
    async def story(world: World) -> None:
        connect = FutuAccount(m.REAL_ACCOUNT if real else 2, real=real, markets=(1, 4) if real else (3,))
        world.session.accounts = {**world.session.accounts, "CN": connect}
        await world.trading.open()
        await world.place(approved())

    world = played(story, real=real, markets="HK, CN")
    assert world.statuses() == [S.ACCEPTED]
    environments = {asked["trd_env"] for _, asked in world.opend.asked if "trd_env" in asked}
    assert environments == {"REAL" if real else "SIMULATE"}


def test_an_order_in_the_queue_does_not_leave_any_more_once_the_adapter_closes() -> None:
    async def story(world: World) -> None:
        sent = asyncio.ensure_future(world.trading.place(approved()))
        await world.settle()
        world.session.closing = True
        await world.advance(1800 + 6, 5)
        await sent

    world = played(story, outside_session="queue", now_ns=hong_kong("2026-03-10 12:30:00"))
    assert world.statuses() == [S.DENIED]
    assert world.opend.count("PlaceOrder") == 0
