"""Market data of IB by the real ibapi on the served exchange: contracts, ticks, books, prints, bars, history, and what is lost and found."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from foxtrot.adapter.ib.history_cache import FOLDER
from foxtrot.core.notices import BookStateChanged, ContractsLoaded, Gap
from foxtrot.domain.enums import AdapterState, BookState, Product, Side
from foxtrot.domain.market import DELAYED, STREAM, BarData, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_market_rig import AAPL, ES, EUR, HK, IbMarketRig, ib_market

pytest.importorskip("ibapi", reason="IB's client library is not installed")


def books(rig: IbMarketRig, name: str = AAPL) -> list[DepthData]:
    return [depth for depth in rig.heard.of(DepthData) if depth.instrument_id == name]


def book_states(rig: IbMarketRig, since: int = 0) -> list[BookState]:
    return [one.state for one in rig.heard.of(BookStateChanged, since)]


def quote(
    rig: IbMarketRig, bids: tuple[str, ...] = ("199.99", "199.98"), asks: tuple[str, ...] = ("200.01", "200.02")
) -> None:
    for side, prices in ((Side.BUY, bids), (Side.SELL, asks)):
        for place, price in enumerate(prices):
            rig.market.rest(side, price, 10 * (place + 1))


def is_equal(rig: IbMarketRig, levels: int, name: str = AAPL) -> bool:
    """Whether the last book that was told is the venue's."""
    told = books(rig, name)
    bids, asks = rig.market.book(levels, name)
    return bool(told) and (list(told[-1].bids), list(told[-1].asks)) == (
        [(price, float(size)) for price, size in bids], [(price, float(size)) for price, size in asks],
    )  # fmt: skip


# --- contracts ------------------------------------------------------------------------------------------------------


def test_contracts_of_the_settings_are_told_and_others_are_found_when_they_are_asked_for() -> None:
    with ib_market(instruments=f"{AAPL}, {ES}, {EUR}, {HK}") as rig:
        rig.start()
        found = {one.instrument_id: one for one in rig.heard.of(ContractsLoaded)[0].instruments}
        assert set(found) == {AAPL, ES, EUR, HK}
        for name, instrument in found.items():
            listed = rig.market.instrument(name)
            assert (instrument.product, instrument.price_grid, instrument.multiplier, instrument.quote_asset) == (
                listed.product, listed.price_grid, listed.multiplier, listed.quote_asset,
            )  # fmt: skip
            assert [instrument.step_units(units) for units in (1, 9_999, 10**6, 4 * 10**6)] == [
                listed.step_units(units) for units in (1, 9_999, 10**6, 4 * 10**6)
            ]
            assert (instrument.expiry_ns, instrument.base_asset) == (listed.expiry_ns, listed.base_asset)
            con_id = rig.data.contract_of(name).conId
            assert rig.data.instrument_of(con_id) == instrument


def test_an_option_is_found_with_its_strike_right_expiry_and_underlying() -> None:
    with ib_market() as rig:
        rig.start()
        listed = rig.market.instrument("AAPL261218C00200000.OPRA")
        rig.subscribe(listed.instrument_id, ticks=True)
        found = rig.session.find_instrument(listed.instrument_id)
        assert found is not None
        assert (found.product, found.strike, found.right, found.expiry_ns, found.underlying, found.multiplier) == (
            Product.OPTION, Decimal(200), "call", listed.expiry_ns, AAPL, Decimal(100),
        )  # fmt: skip


def test_an_instrument_that_the_settings_do_not_name_is_looked_up_when_it_is_wanted() -> None:
    with ib_market() as rig:
        rig.start()
        rig.subscribe(ES, ticks=True)
        assert [one.instruments[0].product for one in rig.heard.of(ContractsLoaded)[1:]] == [Product.FUTURE]
        assert rig.session.find_instrument(ES) is not None


@pytest.mark.parametrize(("name", "says"), [("NOPE.NASDAQ", "IB knows no contract"), ("AAPL", "has no venue")])
def test_what_ib_does_not_know_is_told_with_what_to_do_and_costs_nothing_else(name: str, says: str) -> None:
    with ib_market() as rig:
        rig.start()
        rig.do(lambda: rig.data.add(SubscribeRequest(name)))
        rig.wait(lambda: bool(rig.failures()))
        what, error = rig.failures()[0]
        assert (what, says in error) == (f"subscribe {name}", True)
        assert AdapterState.LOST not in rig.heard.states()


def test_routing_decides_which_exchange_a_contract_names() -> None:
    for routing, exchange in (("smart", "SMART"), ("direct", "NASDAQ")):
        with ib_market(routing=routing) as rig:
            rig.start()
            assert rig.data.contract_of(AAPL).exchange == exchange


# --- ticks ----------------------------------------------------------------------------------------------------------


def test_ticks_have_best_prices_last_trade_and_volume_and_both_times() -> None:
    with ib_market() as rig:
        quote(rig)
        rig.start()
        rig.subscribe(ticks=True)
        rig.market.trade("200.00", 7)

        def told() -> bool:
            ticks = rig.heard.of(TickData)
            return bool(ticks) and ticks[-1].last_price == 200.0 and ticks[-1].volume >= 7.0

        rig.wait(told)
        tick = rig.heard.of(TickData)[-1]
        assert (tick.bid_price, tick.bid_size, tick.ask_price, tick.ask_size) == (199.99, 10.0, 200.01, 10.0)
        assert (tick.last_size, tick.source) == (7.0, STREAM)
        assert tick.local_time_ns > 0
        assert tick.venue_time_ns > 0


def test_an_account_without_quotes_gets_delayed_ticks_that_are_marked_where_it_asks_for_them() -> None:
    with ib_market(IbSettings(has_quotes=False, delay_s=1), market_data="delayed") as rig:
        quote(rig)
        rig.start()
        rig.subscribe(ticks=True)
        rig.wait(lambda: bool(rig.heard.of(TickData)), step_s=0.5)
        assert {tick.source for tick in rig.heard.of(TickData)} == {DELAYED}


def test_an_account_without_quotes_is_told_what_to_do() -> None:
    with ib_market(IbSettings(has_quotes=False)) as rig:
        quote(rig)
        rig.start()
        rig.subscribe(ticks=True)
        rig.wait(lambda: bool(rig.failures()))
        what, error = rig.failures()[0]
        assert what == f"stream quote of {AAPL}"
        assert "Market Data Subscriptions" in error
        assert not [tick for tick in rig.heard.of(TickData) if tick.source == STREAM]


# --- books ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("newest", [157, 178])
def test_the_book_is_the_venues_after_every_change(newest: int) -> None:
    with ib_market(IbSettings(newest_version=newest)) as rig:
        quote(rig)
        rig.start()
        rig.subscribe(depth_levels=5)
        rig.wait(lambda: is_equal(rig, 5))
        assert book_states(rig) == [BookState.SYNCING, BookState.LIVE]
        added = rig.market.rest(Side.BUY, "200.00", 3)
        for change in (
            lambda: rig.market.rest(Side.SELL, "200.03", 4),
            lambda: rig.market.cancel(added),
            lambda: rig.market.rest(Side.BUY, "200.01", 4, account="bob"),
            lambda: rig.market.rest(Side.SELL, "199.99", 30, account="bob"),
        ):
            change()
            rig.wait(lambda: is_equal(rig, 5))
        exact = rig.data.exact_book(AAPL)
        assert exact is not None
        assert exact.bids[0] == (Decimal("199.98"), Decimal(20))
        best = rig.data.best(AAPL)
        assert best is not None
        assert (best.ask, best.source) == (Decimal("199.99"), "stream")


def test_a_book_that_is_only_asked_for_is_read_and_its_subscription_ended() -> None:
    with ib_market() as rig:
        quote(rig)
        rig.start()
        asked = rig.session.bridge.submit(rig.data.read_book(AAPL, 2))
        rig.wait(asked.done)
        book = asked.result()
        assert (book.bids[0], book.asks[0], book.source) == (
            (Decimal("199.99"), Decimal(10)), (Decimal("200.01"), Decimal(10)), "rest",
        )  # fmt: skip
        assert rig.data.callbacks.books == {}


def test_beyond_the_limit_of_depth_the_best_bid_and_ask_stand_in_and_it_is_said() -> None:
    with ib_market(IbSettings(depth_lines=1), instruments=f"{AAPL}, {EUR}") as rig:
        quote(rig)
        rig.start()
        rig.subscribe(EUR, depth_levels=5)
        rig.subscribe(AAPL, depth_levels=5)
        rig.wait(lambda: bool(books(rig)))
        assert (books(rig)[-1].bids, books(rig)[-1].asks) == (((199.99, 10.0),), ((200.01, 10.0),))
        what, error = rig.failures()[0]
        assert what == f"stream depth of {AAPL}"
        assert "309" in error
        assert "the best bid and ask stand in for it" in error
        assert rig.data.exact_book(AAPL) is None
        assert rig.data.best(AAPL) is not None


def test_depth_that_there_was_no_room_for_is_asked_for_again_once_there_is() -> None:
    with ib_market(IbSettings(depth_lines=1), instruments=f"{AAPL}, {EUR}") as rig:
        quote(rig)
        rig.start()
        rig.subscribe(EUR, depth_levels=5)
        rig.subscribe(AAPL, depth_levels=5)
        rig.wait(lambda: bool(books(rig)))
        rig.do(lambda: rig.data.remove(EUR))
        rig.wait(lambda: is_equal(rig, 5) and rig.data.exact_book(AAPL) is not None)


def test_no_change_is_told_and_whoever_asks_for_them_hears_why() -> None:
    with ib_market() as rig:
        rig.start()
        rig.subscribe(depth_changes=True)
        assert rig.failures()[0][0] == f"depth changes of {AAPL}"


# --- prints ---------------------------------------------------------------------------------------------------------


def test_prints_come_tick_by_tick_each_once_with_the_side_that_took() -> None:
    with ib_market() as rig:
        quote(rig)
        rig.start()
        rig.subscribe(trades=True)
        rig.wait(lambda: bool(rig.data._entries[AAPL].ticks.quote[0]))
        for price, quantity in (("200.00", 3), ("200.00", 4), ("200.00", 5)):
            rig.market.trade(price, quantity)
        rig.wait(lambda: len(rig.heard.of(MarketTrade)) >= 3)
        prints = rig.heard.of(MarketTrade)
        assert [(one.price, one.size) for one in prints] == [(200.0, 3.0), (200.0, 4.0), (200.0, 5.0)]
        assert len({one.trade_id for one in prints}) == 3


# --- bars and history -----------------------------------------------------------------------------------------------


def trade_and_wait(rig: IbMarketRig, price: str, seconds: float) -> None:
    rig.market.trade(price, 2)
    end_ns = rig.clock.now_ns() + int(seconds * 1e9)
    rig.wait(lambda: rig.clock.now_ns() >= end_ns, step_s=2.0)


def test_a_bar_is_told_once_at_its_close_and_in_order() -> None:
    with ib_market() as rig:
        quote(rig)
        rig.start()
        rig.subscribe(bars=("1m",))
        for price in ("200.00", "200.00", "200.00", "200.00"):
            trade_and_wait(rig, price, 40.0)
        rig.wait(lambda: len(rig.heard.of(BarData)) >= 2, step_s=2.0)
        bars = rig.heard.of(BarData)
        assert [bar.open_time_ns for bar in bars] == sorted({bar.open_time_ns for bar in bars})
        assert all(bar.close_time_ns - bar.open_time_ns == 60 * 10**9 for bar in bars)
        assert {(bar.interval, bar.close, bar.backfilled) for bar in bars} == {("1m", 200.0, False)}
        assert all(bar.local_time_ns >= bar.close_time_ns for bar in bars)


def test_history_is_paged_kept_on_disk_and_not_asked_for_twice(tmp_path: Path) -> None:
    with ib_market(home=tmp_path) as rig:
        quote(rig)
        rig.start()
        for _ in range(5):
            trade_and_wait(rig, "200.00", 60.0)
        end_ns = rig.clock.now_ns()
        first = rig.history(HistoryRequest("1", AAPL, "1m", 4, end_ns))
        assert first.error == ""
        assert len(first.bars) == 4
        assert all(bar.close_time_ns <= end_ns and bar.volume == 2.0 for bar in first.bars)
        assert [bar.open_time_ns for bar in first.bars] == sorted({bar.open_time_ns for bar in first.bars})
        asked = rig.session.health.requests
        again = rig.history(HistoryRequest("2", AAPL, "1m", 4, first.bars[-1].close_time_ns))
        assert [bar.open_time_ns for bar in again.bars] == [bar.open_time_ns for bar in first.bars]
        assert [bar.volume for bar in again.bars] == [bar.volume for bar in first.bars]
        assert rig.session.health.requests == asked
        assert len(list((tmp_path / FOLDER).iterdir())) == 1
        hourly = rig.history(HistoryRequest("3", AAPL, "1d", 3, end_ns))
        assert hourly.error == ""
        refused = rig.history(HistoryRequest("4", AAPL, "7m", 3, end_ns))
        assert "IB has no bars of 7m" in refused.error


# --- lost and found -------------------------------------------------------------------------------------------------


def everything(rig: IbMarketRig) -> None:
    quote(rig)
    rig.start()
    rig.subscribe(ticks=True, trades=True, depth_levels=5, bars=("1m",))
    rig.wait(lambda: is_equal(rig, 5))


def ids(rig: IbMarketRig) -> tuple[set[int], set[int]]:
    callbacks: Any = rig.data.callbacks
    return set(callbacks.quotes), set(callbacks.books)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "reset"},
        {"kind": "upstream_lost", "code": 1101, "for_s": 2.0},
        {"kind": "upstream_lost", "code": 1102, "for_s": 2.0},
    ],
)
def test_after_a_loss_all_is_subscribed_again_by_new_ids_and_nobody_believes_the_book_meanwhile(
    fault: dict[str, Any],
) -> None:
    with ib_market() as rig:
        everything(rig)
        rig.market.trade("200.00", 3)
        rig.wait(lambda: bool(rig.heard.of(MarketTrade)))
        before, mark = ids(rig), len(rig.heard)
        rig.fault(**fault)
        rig.wait(lambda: AdapterState.LOST in rig.heard.states(mark))
        assert rig.data.exact_book(AAPL) is None
        assert BookState.STALE in book_states(rig, mark)
        rig.wait(lambda: AdapterState.READY in rig.heard.states(mark), step_s=0.5)
        rig.market.rest(Side.BUY, "199.97", 50)
        rig.wait(lambda: is_equal(rig, 5) and rig.data.exact_book(AAPL) is not None)
        after = ids(rig)
        assert [len(one) for one in after] == [1, 1]
        assert before[0].isdisjoint(after[0])
        assert before[1].isdisjoint(after[1])
        assert rig.heard.of(Gap, mark) == [Gap(AAPL, "MarketTrade", 1)]
        rig.market.trade("200.00", 4)
        rig.wait(lambda: [one.size for one in rig.heard.of(MarketTrade)] == [3.0, 4.0])
