"""Market data of the Futu client, by the unmodified SDK, against the served exchange."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from foxtrot.core.notices import AdapterStatus, BookStateChanged, ContractsLoaded, Gap, HistoryLoaded, RequestFailed
from foxtrot.domain.enums import AdapterState, BookState, Side
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.market import BarData, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from tests.support.futu_market_rig import HK, MORNING_NS, US, FutuMarketRig, hong_kong

pytestmark = pytest.mark.usefixtures("futu_sdk")
MINUTE_NS = 60_000_000_000


@pytest.fixture
def rig() -> Iterator[FutuMarketRig]:
    with FutuMarketRig() as made:
        made.order(Side.BUY, "399.8", 500)
        made.order(Side.SELL, "400.2", 700)
        yield made.start()


def subscribe(rig: FutuMarketRig, name: str = HK, **wishes: object) -> int:
    """Wish for something and wait until it is subscribed; returns how much was heard before."""
    since = len(rig.heard)
    request = SubscribeRequest(name, **({"ticks": False} | wishes))  # type: ignore[arg-type]
    rig.do(lambda: rig.data.add(request))
    rig.idle()
    return since


def test_contracts_of_both_markets_come_before_ready(rig: FutuMarketRig) -> None:
    (contracts,) = rig.heard.of(ContractsLoaded)
    assert [(one.instrument_id, one.lot_units, one.quote_asset) for one in contracts.instruments] == [
        (HK, 100, "HKD"),
        (US, 1, "USD"),
    ]


def test_depth_comes_at_once_and_with_every_change(rig: FutuMarketRig) -> None:
    since = subscribe(rig, depth_levels=5)
    rig.wait(lambda: len(rig.heard.of(DepthData, since)) == 1)
    rig.order(Side.BUY, "400.0", 300)
    rig.wait(lambda: len(rig.heard.of(DepthData, since)) == 2)
    first, second = rig.heard.of(DepthData, since)
    assert (first.bids, first.asks) == (((399.8, 500.0),), ((400.2, 700.0),))
    assert second.bids == ((400.0, 300.0), (399.8, 500.0))
    assert first.update_id < second.update_id
    assert [change.state for change in rig.heard.of(BookStateChanged)] == [BookState.LIVE]
    assert rig.heard.of(TickData) == []
    assert rig.heard.of(MarketTrade) == []


def test_prints_are_told_once_each_with_side_and_sequence(rig: FutuMarketRig) -> None:
    rig.trade("400.0", 100)
    since = subscribe(rig, trades=True)
    rig.trade("400.0", 300, Side.BUY)
    rig.trade("400.0", 200, Side.SELL)
    rig.wait(lambda: len(rig.heard.of(MarketTrade, since)) == 2)
    told = rig.heard.of(MarketTrade, since)
    assert [(one.price, one.size, one.aggressor) for one in told] == [
        (400.0, 300.0, Side.BUY),
        (400.0, 200.0, Side.SELL),
    ]
    assert len({one.trade_id for one in told}) == 2
    assert rig.heard.threads(since).isdisjoint({"futu-io", "futu-quote"}), "they are told on the SDK's own thread"


def test_a_fault_of_ours_costs_one_push_and_not_those_behind_it(rig: FutuMarketRig) -> None:
    subscribe(rig, trades=True)
    tell, failures = rig.up.on_market_trade, iter([RuntimeError("a fault of ours")])

    def fail_once(trade: MarketTrade) -> None:
        for error in failures:
            raise error
        tell(trade)

    rig.up.on_market_trade = fail_once  # type: ignore[method-assign]
    rig.trade("400.0", 100)
    rig.trade("400.0", 200)
    rig.wait(lambda: [one.size for one in rig.heard.of(MarketTrade)] == [200.0])


def test_a_tick_has_the_best_prices_the_last_print_and_the_totals(rig: FutuMarketRig) -> None:
    since = subscribe(rig, ticks=True)
    rig.trade("400.0", 300)
    rig.wait(lambda: any(one.volume == 300.0 for one in rig.heard.of(TickData, since)))
    rig.wait(lambda: (tick := rig.heard.of(TickData)[-1]).ask_price == 400.2 and tick.last_size == 300.0)
    tick = rig.heard.of(TickData)[-1]
    assert (tick.bid_price, tick.bid_size, tick.ask_size) == (399.8, 500.0, 700.0)
    assert (tick.last_price, tick.turnover, tick.open_price) == (400.0, 120_000.0, 400.0)
    assert rig.heard.of(DepthData) == []


def test_wishes_add_up_and_only_what_is_new_is_asked_for(rig: FutuMarketRig) -> None:
    subscribe(rig, trades=True)
    subscribe(rig, depth_levels=1)
    before = rig.requests("Qot_Sub")
    subscribe(rig, trades=True, depth_levels=1)
    assert rig.requests("Qot_Sub") == before == 2
    rig.idle()
    assert rig.session.quota.used == 2


def test_the_book_in_memory_is_exact(rig: FutuMarketRig) -> None:
    assert rig.data.exact_book(HK) is None
    subscribe(rig, depth_levels=5)
    rig.wait(lambda: rig.data.exact_book(HK) is not None)
    book, best = rig.data.exact_book(HK), rig.data.best(HK)
    assert book is not None
    assert best is not None
    assert book.bids == ((Decimal("399.8"), Decimal(500)),)
    assert (best.ask, best.ask_size, best.source) == (Decimal("400.2"), Decimal(700), "stream")


def test_a_book_that_nobody_streams_is_asked_for_and_its_slot_given_back(rig: FutuMarketRig) -> None:
    book = rig.session.bridge.submit(rig.data.read_book(HK, 5)).result(5.0)
    assert (book.source, book.bids, book.asks) == (
        "rest", ((Decimal("399.8"), Decimal(500)),), ((Decimal("400.2"), Decimal(700)),)
    )  # fmt: skip
    assert rig.session.quota.used == 1
    rig.advance(62, 2)
    rig.wait(lambda: rig.session.quota.used == 0)
    assert rig.heard.of(DepthData) == []


def test_a_book_of_what_is_not_listed_is_refused(rig: FutuMarketRig) -> None:
    with pytest.raises(AdapterError, match=r"not_listed: Futu does not list NOPE\.SEHK in HK, US"):
        rig.session.bridge.submit(rig.data.read_book("NOPE.SEHK", 5)).result(5.0)


def test_a_bar_is_told_at_its_close_once_with_the_venues_figures(rig: FutuMarketRig) -> None:
    since = subscribe(rig, bars=("1m",))
    rig.trade("400.0", 300)
    rig.advance(35)
    rig.trade("399.8", 400, Side.SELL)
    assert rig.heard.of(BarData, since) == []
    rig.advance(6)
    rig.wait(lambda: len(rig.heard.of(BarData, since)) == 1)
    rig.trade("400.2", 100)
    rig.advance(61)
    rig.wait(lambda: len(rig.heard.of(BarData, since)) == 2)
    first, second = rig.heard.of(BarData, since)
    assert (first.open_time_ns, first.close_time_ns) == (
        hong_kong("2026-03-10 10:00:00"),
        hong_kong("2026-03-10 10:01:00"),
    )
    assert (first.open, first.low, first.close) == (400.0, 399.8, 399.8)
    assert (first.backfilled, second.backfilled) == (False, False)
    assert second.open_time_ns == first.close_time_ns


def test_an_interval_that_futu_has_not_is_refused_and_the_rest_is_streamed(rig: FutuMarketRig) -> None:
    since = subscribe(rig, bars=("7m", "1m"))
    (failed,) = rig.heard.of(RequestFailed, since)
    assert failed.what == f"subscribe {HK} 7m"
    assert "it has 1m" in failed.error
    assert rig.data.wanted[HK].bars == ("1m",)


def test_depth_changes_are_refused_in_words_and_depth_comes_instead(rig: FutuMarketRig) -> None:
    since = subscribe(rig, depth_changes=True)
    (failed,) = rig.heard.of(RequestFailed, since)
    assert "no change follows" in failed.error
    rig.wait(lambda: len(rig.heard.of(DepthData, since)) == 1)


def test_an_instrument_that_is_not_listed_is_refused(rig: FutuMarketRig) -> None:
    since = subscribe(rig, "NOPE.SEHK", ticks=True)
    (failed,) = rig.heard.of(RequestFailed, since)
    assert "does not list NOPE.SEHK" in failed.error
    assert rig.data.wanted == {}


def test_nothing_is_told_after_unsubscribing_and_the_slots_are_free_a_minute_later(rig: FutuMarketRig) -> None:
    subscribe(rig, ticks=True, trades=True, depth_levels=5, bars=("1m",))
    rig.wait(lambda: rig.data.exact_book(HK) is not None)
    assert len(rig.session.health.streams) == 2
    assert list(rig.session.health.books) == [HK]
    rig.do(lambda: rig.data.remove(HK))
    assert (rig.session.health.streams, rig.session.health.books) == ({}, {})
    since = len(rig.heard)
    rig.trade("400.0", 300)
    rig.advance(50, 2)
    assert rig.session.quota.used == 4
    rig.advance(12, 2)
    rig.wait(lambda: rig.session.quota.used == 0)
    assert rig.heard.events(since) == []
    assert rig.data.exact_book(HK) is None


def test_history_is_the_last_closed_bars_and_not_adjusted(rig: FutuMarketRig) -> None:
    for price in ("400.0", "400.2", "399.8"):
        rig.trade(price, 100)
        rig.advance(60, 10)
    since = len(rig.heard)
    request = HistoryRequest("r1", HK, "1m", 2, rig.clock.now_ns())
    rig.session.bridge.submit(rig.data.tell_history(request)).result(5.0)
    (answer,) = rig.heard.of(HistoryLoaded, since)
    assert (answer.error, answer.request_id, answer.interval) == ("", "r1", "1m")
    assert [bar.close_time_ns - MORNING_NS for bar in answer.bars] == [100 * 10**9, 160 * 10**9]
    assert [bar.close for bar in answer.bars][-1] == 399.8


def test_a_history_that_cannot_be_had_says_why(rig: FutuMarketRig) -> None:
    for interval, count in (("7m", 5), ("1m", 0)):
        request = HistoryRequest("r", HK, interval, count, rig.clock.now_ns())
        rig.session.bridge.submit(rig.data.tell_history(request)).result(5.0)
    assert [(one.bars, one.error[:4]) for one in rig.heard.of(HistoryLoaded)] == [((), "Futu"), ((), "0 ba")]


# --- a lost link ----------------------------------------------------------------------------------------------------------


def lose(rig: FutuMarketRig) -> int:
    """Lose the link and wait until that is told."""
    since = len(rig.heard)
    rig.session.call_soon(lambda: rig.session.lose("cable pulled"))
    rig.wait(lambda: AdapterState.LOST in rig.heard.states(since))
    return since


def test_after_a_loss_everything_is_subscribed_once_and_told_anew(rig: FutuMarketRig) -> None:
    subscribe(rig, ticks=True, trades=True, depth_levels=5)
    rig.wait(lambda: rig.data.exact_book(HK) is not None)
    before = rig.requests("Qot_Sub")
    since = lose(rig)
    assert rig.data.exact_book(HK) is None
    assert rig.data.best(HK) is None
    rig.come_back(since)
    rig.wait(lambda: rig.data.exact_book(HK) is not None)
    assert rig.requests("Qot_Sub") - before == 2, "one with a first push and one without"
    assert [one.state for one in rig.heard.of(BookStateChanged, since)] == [BookState.STALE, BookState.LIVE]
    assert len(rig.heard.of(DepthData, since)) == 1
    rig.trade("400.0", 300)
    rig.wait(lambda: len(rig.heard.of(MarketTrade, since)) == 1)


def test_prints_of_a_lost_link_are_told_before_newer_ones(rig: FutuMarketRig) -> None:
    subscribe(rig, trades=True)
    rig.trade("400.0", 100)
    rig.wait(lambda: len(rig.heard.of(MarketTrade)) == 1)
    since = lose(rig)
    rig.trade("400.0", 200)
    rig.trade("400.0", 300)
    rig.come_back(since)
    rig.trade("400.0", 400)
    rig.wait(lambda: len(rig.heard.of(MarketTrade)) == 4)
    assert [one.size for one in rig.heard.of(MarketTrade)] == [100.0, 200.0, 300.0, 400.0]
    assert rig.heard.of(Gap) == []


def test_bars_of_a_lost_link_are_told_before_ready(rig: FutuMarketRig) -> None:
    subscribe(rig, bars=("1m",))
    rig.trade("400.0", 100)
    rig.advance(42)
    rig.wait(lambda: len(rig.heard.of(BarData)) == 1)
    since = lose(rig)
    for price in ("400.0", "399.8"):
        rig.trade(price, 200)
        rig.clock.advance(MINUTE_NS)
    rig.come_back(since)
    missed = rig.heard.of(BarData, since)
    assert len(missed) >= 2
    assert missed[0].backfilled
    events = rig.heard.events(since)
    ready = next(place for place, one in enumerate(events) if isinstance(one, AdapterStatus) and one.state == "ready")
    assert events.index(missed[1]) < ready
    rig.trade("400.2", 300)
    rig.advance(62, 2)
    rig.wait(lambda: rig.heard.of(BarData)[-1].close == 400.2)
    opens = [bar.open_time_ns for bar in rig.heard.of(BarData)]
    assert opens == sorted(set(opens))


def test_wishes_before_the_link_are_kept_for_it() -> None:
    with FutuMarketRig() as rig:
        rig.session.bridge.start()
        rig.do(lambda: rig.data.add(SubscribeRequest(HK, ticks=False, depth_levels=5)))
        rig.order(Side.BUY, "399.8", 500)
        rig.start()
        rig.wait(lambda: len(rig.heard.of(DepthData)) == 1)


# --- sessions and silence --------------------------------------------------------------------------------------------------


def test_a_lunch_break_and_a_weekend_are_no_silence() -> None:
    with FutuMarketRig(hong_kong("2026-03-13 11:59:30")) as rig:
        rig.order(Side.BUY, "399.8", 500)
        rig.start()
        subscribe(rig, ticks=True, depth_levels=5)
        asked = rig.requests("Qot_GetOrderBook")
        rig.advance(31, 1)
        rig.advance(3_400, 10)
        stale = [
            stream.name for stream in rig.session.health.snapshot(rig.clock.monotonic_ns()).streams if stream.stale
        ]
        assert stale == []
        assert rig.requests("Qot_GetOrderBook") == asked
        assert BookState.STALE not in [one.state for one in rig.heard.of(BookStateChanged)]


def test_a_quiet_market_is_looked_at_and_its_book_is_believed(rig: FutuMarketRig) -> None:
    subscribe(rig, depth_levels=5)
    rig.wait(lambda: rig.data.exact_book(HK) is not None)
    asked = rig.requests("Qot_GetOrderBook")
    rig.advance(70, 1)
    rig.wait(lambda: rig.requests("Qot_GetOrderBook") > asked)
    rig.idle()
    assert BookState.STALE not in [one.state for one in rig.heard.of(BookStateChanged)]


def test_a_stream_that_fell_silent_while_its_market_has_not_is_found_and_made_good(rig: FutuMarketRig) -> None:
    subscribe(rig, ticks=True, depth_levels=5)
    rig.wait(lambda: rig.data.exact_book(HK) is not None)
    rig.fault("go_silent", stream="Qot_UpdateOrderBook")
    rig.order(Side.BUY, "400.0", 300)
    before = rig.requests("Qot_Sub")
    rig.advance(58, 1)
    assert rig.data.exact_book(HK) is not None, "it might be quiet"
    rig.advance(10, 1)
    rig.wait(lambda: (book := rig.data.exact_book(HK)) is not None and book.bids[0][0] == Decimal("400.0"))
    assert [one.state for one in rig.heard.of(BookStateChanged)] == [BookState.LIVE, BookState.STALE, BookState.LIVE]
    assert rig.heard.of(DepthData)[-1].bids[0] == (400.0, 300.0)
    assert rig.heard.of(TickData)[-1].bid_price == 400.0
    assert rig.requests("Qot_Sub") > before


def test_prints_that_are_not_pushed_any_more_are_found_and_told(rig: FutuMarketRig) -> None:
    subscribe(rig, trades=True)
    rig.trade("400.0", 100)
    rig.wait(lambda: len(rig.heard.of(MarketTrade)) == 1)
    fault = rig.fault("go_silent", stream="Qot_UpdateTicker")
    rig.trade("400.0", 200)
    rig.advance(66, 1)
    rig.wait(lambda: [one.size for one in rig.heard.of(MarketTrade)] == [100.0, 200.0])
    rig.server.clear_faults(fault)
    rig.trade("400.0", 300)
    rig.wait(lambda: [one.size for one in rig.heard.of(MarketTrade)] == [100.0, 200.0, 300.0])
    assert rig.heard.of(Gap) == []


def test_the_first_prints_of_a_stock_may_fall_into_a_lost_link(rig: FutuMarketRig) -> None:
    rig.trade("400.0", 100)
    rig.advance(2)
    subscribe(rig, trades=True)
    since = lose(rig)
    rig.advance(1)
    rig.trade("400.0", 200)
    rig.come_back(since)
    rig.wait(lambda: [one.size for one in rig.heard.of(MarketTrade)] == [200.0])


def test_contracts_are_asked_for_once_a_day_however_often_the_link_is_lost(rig: FutuMarketRig) -> None:
    before = rig.requests("Qot_GetStaticInfo")
    for _ in range(2):
        rig.come_back(lose(rig))
    assert rig.requests("Qot_GetStaticInfo") == before
    assert len(rig.heard.of(ContractsLoaded)) == 3


# --- quotas, rights and hours ---------------------------------------------------------------------------------------------


def test_a_real_quota_and_its_minute_are_kept_without_a_refusal() -> None:
    with FutuMarketRig(limits=True, subscription_quota=3) as rig:
        rig.start()
        subscribe(rig, ticks=True)
        since = subscribe(rig, US, trades=True)
        (failed,) = rig.heard.of(RequestFailed, since)
        assert failed.what == f"stream ticker of {US}"
        assert "3 of 3 in use" in failed.error
        rig.do(lambda: rig.data.remove(HK))
        rig.advance(65, 1)
        rig.wait(lambda: rig.session.quota.used == 1)
        rig.trade("200.00", 7, name=US)
        rig.wait(lambda: [one.size for one in rig.heard.of(MarketTrade)] == [7.0])
        assert rig.session.health.failed_requests == 0, "nothing was asked that OpenD refuses"


def test_trading_days_are_those_of_our_calendar(rig: FutuMarketRig) -> None:
    days = rig.session.bridge.submit(rig.data.trading_days.between("HK", date(2026, 2, 13), date(2026, 2, 23))).result(
        5.0
    )
    assert days == (date(2026, 2, 13), date(2026, 2, 16), date(2026, 2, 20), date(2026, 2, 23)), (
        "the New Year of the moon"
    )
    assert rig.session.bridge.submit(rig.data.trading_days.compare("US", rig.clock.now_ns())).result(5.0) == ()


def listen(rig: FutuMarketRig, monkeypatch: pytest.MonkeyPatch, query: str, method: str) -> list[dict[str, Any]]:
    """Keep what one of the SDK's requests is made of."""
    kind, asked = getattr(rig.session.sdk.futu.quote.quote_query, query), list[dict[str, Any]]()
    real = getattr(kind, method)

    def pack(**arguments: Any) -> Any:
        asked.append(arguments)
        return real(**arguments)

    pack.__qualname__ = f"{query}.{method}"
    monkeypatch.setattr(kind, method, pack)
    return asked


def test_extended_hours_are_asked_for_us_stocks_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    with FutuMarketRig(extended_hours=True) as rig:
        rig.start()
        asked = listen(rig, monkeypatch, "SubscriptionQuery", "pack_subscribe_req")
        subscribe(rig, US, trades=True)
        subscribe(rig, HK, trades=True)
    assert [(one["code_list"], one["extended_time"], one["session"]) for one in asked] == [
        (["US.AAPL"], True, "ETH"), (["HK.00700"], False, "N/A")
    ]  # fmt: skip


def test_bars_are_asked_for_as_they_were_traded(rig: FutuMarketRig, monkeypatch: pytest.MonkeyPatch) -> None:
    live = listen(rig, monkeypatch, "CurKlineQuery", "pack_req")
    past = listen(rig, monkeypatch, "RequestHistoryKlineQuery", "pack_req")
    subscribe(rig, bars=("1m",))
    rig.trade("400.0", 100)
    rig.advance(42)
    rig.wait(lambda: len(rig.heard.of(BarData)) == 1)
    request = HistoryRequest("r1", HK, "1m", 1, rig.clock.now_ns())
    rig.session.bridge.submit(rig.data.tell_history(request)).result(5.0)
    assert {one["autype"] for one in (*live, *past)} == {"None"}
    assert live
    assert past


def test_us_stocks_have_their_own_time_money_and_steps(rig: FutuMarketRig) -> None:
    since = subscribe(rig, US, ticks=True, depth_levels=10, bars=("1m",))
    rig.order(Side.BUY, "199.99", 3, name=US)
    rig.trade("200.01", 5, name=US)
    rig.wait(lambda: any(one.bids for one in rig.heard.of(DepthData, since)))
    rig.wait(lambda: any(one.last_size == 5.0 for one in rig.heard.of(TickData, since)))
    assert rig.heard.of(DepthData, since)[-1].bids == ((199.99, 3.0),)
    tick = rig.heard.of(TickData, since)[-1]
    assert tick.venue_time_ns <= rig.clock.now_ns() < tick.venue_time_ns + MINUTE_NS
    rig.advance(45)
    rig.wait(lambda: len(rig.heard.of(BarData, since)) == 1)
    assert rig.heard.of(BarData, since)[0].open_time_ns == hong_kong("2026-03-10 10:00:00")


@pytest.mark.parametrize("kind", ["close", "reset"])
def test_a_cut_socket_costs_a_moment_and_no_print(rig: FutuMarketRig, kind: str) -> None:
    subscribe(rig, trades=True, depth_levels=5)
    rig.trade("400.0", 100)
    rig.wait(lambda: len(rig.heard.of(MarketTrade)) == 1)
    since = len(rig.heard)
    rig.fault(kind, connection="quote")
    rig.wait(lambda: AdapterState.LOST in rig.heard.states(since))
    rig.trade("400.0", 200)
    rig.come_back(since)
    rig.trade("400.0", 300)
    rig.wait(lambda: [one.size for one in rig.heard.of(MarketTrade)] == [100.0, 200.0, 300.0])
    rig.wait(lambda: rig.data.exact_book(HK) is not None)
