"""What is pushed and when: first values, trades, whole books, quotes; keys for conflation; sessions."""

from importlib.util import find_spec

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.commands import SetTradingState, TradingState
from tests.support.futu_quote_rig import APPLE, TENCENT, QuoteClient, QuoteRig, at, securities

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")
QUOTE, BOOK, TICKER, K_1M, K_DAY = 1, 2, 4, 11, 6
DAY = "2026-03-10"


def kinds(client: QuoteClient) -> list[int]:
    return [told.proto_id for told in client.take()]


def test_first_pushes_come_once_in_the_order_of_the_request_and_only_when_wanted() -> None:
    rig = QuoteRig()
    rig.trade(TENCENT, 400.0, 100)
    client = rig.open()
    first = client.subscribe([TENCENT], [BOOK, QUOTE, TICKER, K_1M])
    assert [told.proto_id for told in first] == [3013, 3005, 3011, 3007]
    assert [row.pushDataType for row in first[2].s2c.tickerList] == [3]
    assert client.subscribe([TENCENT], [QUOTE], isFirstPush=False) == []
    assert rig.open().subscribe([TENCENT], [QUOTE], isFirstPush=False) == []


def test_a_stock_that_never_traded_has_its_reference_as_last_price_and_no_time() -> None:
    [told] = QuoteRig().open().subscribe([TENCENT], [QUOTE, TICKER, K_1M])
    [row] = told.s2c.basicQotList
    assert (row.curPrice, row.lastClosePrice, row.openPrice, row.volume, row.updateTime) == (400.0, 400.0, 0.0, 0, "")


def test_a_trade_is_told_to_all_who_listen_with_its_direction() -> None:
    rig = QuoteRig()
    one, two = rig.open(), rig.open()
    for client in (one, two):
        client.subscribe([TENCENT], [TICKER])
    rig.trade(TENCENT, 400.2, 300, Side.SELL)
    rig.trade(TENCENT, 400.4, 100, Side.BUY)
    for client in (one, two):
        told = client.take()
        rows = [row for one_push in told for row in one_push.s2c.tickerList]
        assert [(row.price, row.volume, row.dir, row.sequence) for row in rows] == [
            (400.2, 300, 2, 1),
            (400.4, 100, 1, 2),
        ]
        assert [one_push.key for one_push in told] == ["", ""]


def test_an_order_that_meets_three_makers_tells_three_trades_and_one_book() -> None:
    rig = QuoteRig()
    for price in (400.0, 400.2, 400.4):
        rig.order(TENCENT, Side.SELL, price, 100, "bob")
    client = rig.open()
    client.subscribe([TENCENT], [TICKER, BOOK, QUOTE, K_1M])
    rig.order(TENCENT, Side.BUY, 400.4, 300)
    told = client.take()
    assert [one.s2c.tickerList[0].price for one in told if one.proto_id == 3011] == [400.0, 400.2, 400.4]
    books = [one.s2c for one in told if one.proto_id == 3013]
    assert [len(book.orderBookAskList) for book in books] == [0]
    quotes = [one.s2c.basicQotList[0] for one in told if one.proto_id == 3005]
    assert [(row.curPrice, row.volume) for row in quotes] == [(400.0, 100), (400.2, 200), (400.4, 300)]
    assert [one.s2c.klList[0].volume for one in told if one.proto_id == 3007] == [100, 200, 300]


def test_a_book_is_whole_each_time_ten_levels_best_first_with_the_number_of_orders() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [BOOK], isFirstPush=False)
    for step in range(12):
        rig.order(TENCENT, Side.BUY, round(399.8 - step * 0.2, 1), 100 * (step + 1))
    rig.order(TENCENT, Side.BUY, 399.8, 400)
    rig.order(TENCENT, Side.SELL, 400.0, 700)
    book = client.take()[-1].s2c
    assert [row.price for row in book.orderBookBidList] == [round(399.8 - step * 0.2, 1) for step in range(10)]
    assert [(row.volume, row.orederCount) for row in book.orderBookBidList][:2] == [(500, 2), (200, 1)]
    assert [(row.price, row.volume, row.orederCount) for row in book.orderBookAskList] == [(400.0, 700, 1)]
    assert book.svrRecvTimeBid == f"{DAY} 10:00:00.000"


def test_a_book_is_told_only_when_it_changed() -> None:
    rig = QuoteRig()
    order = rig.order(TENCENT, Side.BUY, 399.8, 100)
    client = rig.open()
    client.subscribe([TENCENT], [BOOK])
    rig.order(APPLE, Side.BUY, 199.0, 1)
    assert client.take() == []
    rig.cancel(TENCENT, order)
    [told] = client.take()
    assert (told.key, len(told.s2c.orderBookBidList)) == ("3013:1:00700", 0)


def test_the_times_of_receipt_are_hong_kong_s_alone() -> None:
    rig = QuoteRig(at(APPLE, f"{DAY} 10:00:00"))
    rig.order(APPLE, Side.BUY, 199.0, 5)
    [told] = rig.open().subscribe([APPLE], [BOOK])
    assert not told.s2c.HasField("svrRecvTimeBid")
    assert told.s2c.orderBookBidList[0].price == 199.0


def test_newer_quotes_and_bars_replace_older_ones_of_their_stock_but_never_another_bar() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, K_1M, K_DAY])
    rig.trade(TENCENT, 400.0, 100)
    before = client.take()
    rig.wait(60)
    rig.trade(TENCENT, 400.2, 100)
    after = client.take()

    def keys(told: list[object]) -> list[str]:
        return [one.key for one in told]  # type: ignore[attr-defined]

    assert "3005:1:00700" in keys(before)
    assert len(set(keys(before)) & set(keys(after))) == 2, "the quote and the day's bar; the minute is another"


@pytest.mark.parametrize(("price", "step"), [(400.0, 0.2), (100.0, 0.1), (60.0, 0.05), (0.26, 0.005)])
def test_the_price_spread_is_that_of_the_last_price_s_band(price: float, step: float) -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE], isFirstPush=False)
    rig.trade(TENCENT, price, 100)
    assert client.take()[-1].s2c.basicQotList[0].priceSpread == step


def test_a_halt_is_told_in_the_quote() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE], isFirstPush=False)
    rig.do(SetTradingState(rig.now_ns, "00700.SEHK", TradingState.HALTED))
    [told] = client.take()
    assert (told.s2c.basicQotList[0].isSuspended, told.s2c.basicQotList[0].secStatus) == (True, 9)


@pytest.mark.parametrize("time", ["09:10:00", "12:30:00", "16:05:00", "20:00:00"])
def test_a_stock_that_the_venue_halts_for_a_break_is_not_suspended(time: str) -> None:
    rig = QuoteRig(at(TENCENT, f"{DAY} {time}"))
    rig.do(SetTradingState(rig.now_ns, "00700.SEHK", TradingState.HALTED))
    client = rig.open()
    [told] = client.subscribe([TENCENT], [QUOTE])
    assert (told.s2c.basicQotList[0].isSuspended, told.s2c.basicQotList[0].secStatus) == (False, 1)
    [row] = client.ask(3203, securityList=[told.s2c.basicQotList[0].security]).snapshotList
    assert (row.basic.isSuspend, row.basic.secStatus) == (False, 1)


def test_nothing_is_pushed_while_opend_is_cut_off_from_its_server() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, BOOK, TICKER, K_1M])
    rig.side.quote_is_up = False
    rig.trade(TENCENT, 400.0, 100)
    assert client.take() == []
    rig.side.quote_is_up = True
    rig.trade(TENCENT, 400.2, 100)
    told = client.take()
    assert {one.proto_id for one in told} == {3005, 3007, 3011, 3013}
    assert next(one for one in told if one.proto_id == 3005).s2c.basicQotList[0].volume == 200


@pytest.mark.parametrize(
    ("time", "is_told"),
    [
        ("08:59:59", False), ("09:00:00", True), ("09:30:00", True), ("11:59:59", True), ("12:00:00", False),
        ("12:59:59", False), ("13:00:00", True), ("16:09:59", True), ("16:10:00", False),
    ],
)  # fmt: skip
def test_hong_kong_is_silent_at_night_and_over_lunch(time: str, is_told: bool) -> None:
    rig = QuoteRig(at(TENCENT, f"{DAY} {time}"))
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, BOOK, TICKER, K_1M], isFirstPush=False)
    rig.trade(TENCENT, 400.0, 100)
    assert bool(kinds(client)) is is_told


def test_hong_kong_is_silent_on_a_weekend_and_subscribing_still_tells_what_is_there() -> None:
    rig = QuoteRig(at(TENCENT, "2026-03-13 15:59:00"))
    rig.trade(TENCENT, 400.2, 100)
    rig.go_to(at(TENCENT, "2026-03-14 11:00:00"))
    client = rig.open()
    first = client.subscribe([TENCENT], [QUOTE, BOOK])
    assert [told.proto_id for told in first] == [3005, 3013]
    assert first[0].s2c.basicQotList[0].updateTime == "2026-03-13 15:59:00.000"
    rig.trade(TENCENT, 400.4, 100)
    assert client.take() == []
    assert client.ask(3203, securityList=[first[0].s2c.basicQotList[0].security]).snapshotList[0].basic.volume == 100


def test_before_and_after_hours_of_new_york_go_to_those_who_asked_for_them() -> None:
    rig = QuoteRig(at(APPLE, f"{DAY} 08:00:00"))
    regular, extended = rig.open(), rig.open()
    regular.subscribe([APPLE], [TICKER, K_1M, BOOK])
    extended.subscribe([APPLE], [TICKER, K_1M], extendedTime=True)
    rig.trade(APPLE, 201.0, 10)
    assert set(kinds(regular)) == {3013}
    told = extended.take()
    assert [one.proto_id for one in told] == [3011, 3007]
    assert told[0].s2c.tickerList[0].type == 21
    assert told[1].s2c.klList[0].time == f"{DAY} 08:01:00"
    rig.go_to(at(APPLE, f"{DAY} 09:30:00"))
    rig.trade(APPLE, 202.0, 10)
    assert {3011, 3007} <= set(kinds(regular))
    rig.go_to(at(APPLE, f"{DAY} 16:00:00"))
    rig.trade(APPLE, 203.0, 10)
    assert set(kinds(regular)) == {3013}
    rig.go_to(at(APPLE, f"{DAY} 20:00:00"))
    rig.trade(APPLE, 204.0, 10)
    extended.take()
    assert kinds(regular) == []


def test_the_quote_keeps_regular_hours_apart_from_those_around_them() -> None:
    rig = QuoteRig(at(APPLE, f"{DAY} 15:00:00"))
    rig.trade(APPLE, 200.0, 10)
    rig.go_to(at(APPLE, f"{DAY} 17:00:00"))
    client = rig.open()
    client.subscribe([APPLE], [QUOTE])
    rig.trade(APPLE, 206.0, 7)
    [told] = client.take()
    row = told.s2c.basicQotList[0]
    assert (row.curPrice, row.volume, row.updateTime) == (200.0, 10, f"{DAY} 15:00:00.000")
    after = row.afterMarket
    assert (after.price, after.volume, after.turnover, after.changeVal, after.changeRate) == (
        206.0,
        7,
        1442.0,
        6.0,
        3.0,
    )
    assert not row.HasField("preMarket")
    rig.go_to(at(APPLE, "2026-03-11 05:00:00"))
    rig.trade(APPLE, 198.0, 3)
    before = client.take()[-1].s2c.basicQotList[0]
    assert (before.curPrice, before.preMarket.price, before.preMarket.changeVal) == (200.0, 198.0, -2.0)
    rig.go_to(at(APPLE, "2026-03-11 10:00:00"))
    rig.trade(APPLE, 204.0, 1)
    open_row = client.take()[-1].s2c.basicQotList[0]
    assert (open_row.curPrice, open_row.lastClosePrice, open_row.volume) == (204.0, 200.0, 1)
    assert open_row.preMarket.changeVal == -2.0


def test_a_market_that_never_closes_pushes_at_any_hour() -> None:
    rig = QuoteRig(at(TENCENT, "2026-03-14 03:00:00"), always_open=True)
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, BOOK, TICKER, K_1M], isFirstPush=False)
    rig.trade(TENCENT, 400.0, 100)
    assert set(kinds(client)) == {3005, 3007, 3011, 3013}


def test_a_closed_connection_hears_no_more() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, BOOK, TICKER, K_1M])
    rig.close(client)
    rig.trade(TENCENT, 400.0, 100)
    assert client.take() == []


def test_a_venue_taken_back_to_a_snapshot_is_told_as_it_is_then() -> None:
    rig = QuoteRig()
    rig.trade(TENCENT, 400.0, 100)
    image = rig.venue.snapshot()
    rig.wait(1)
    rig.trade(TENCENT, 410.0, 100)
    rig.trade(TENCENT, 410.0, 100)
    rig.venue.take_up(image)
    client = rig.open()
    first = client.subscribe([TENCENT], [QUOTE])
    assert first[0].s2c.basicQotList[0].curPrice == 400.0
    rig.trade(TENCENT, 402.0, 100)
    assert client.take()[-1].s2c.basicQotList[0].volume == 200


def test_a_venue_taken_back_tells_its_next_trade_right_though_nobody_asked_for_anything() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE, K_1M], isFirstPush=False)
    rig.trade(TENCENT, 400.0, 100)
    image = rig.venue.snapshot()
    for _ in range(3):
        rig.trade(TENCENT, 410.0, 100)
    client.take()
    rig.venue.take_up(image)
    rig.trade(TENCENT, 402.0, 100)
    told = {one.proto_id: one.s2c for one in client.take()}
    assert (told[3005].basicQotList[0].volume, told[3005].basicQotList[0].highPrice) == (200, 402.0)
    assert told[3007].klList[0].volume == 200


def test_a_question_between_trades_and_their_telling_counts_them_once_and_begins_anew_once() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [QUOTE], isFirstPush=False)
    rig.trade(TENCENT, 400.0, 100)
    client.take()
    deliver, rig.flush = rig.flush, lambda: None  # type: ignore[method-assign]
    for _ in range(3):
        rig.trade(TENCENT, 400.2, 100)
    [row] = client.ask(3203, securityList=securities(TENCENT)).snapshotList
    assert row.basic.volume == 400
    stock = rig.quotes._table.by_key(TENCENT)
    assert stock is not None
    known = rig.quotes._table.latest(stock)
    deliver()
    assert rig.quotes._table.latest(stock) is known
    assert [one.s2c.basicQotList[0].volume for one in client.take()] == [400, 400, 400]
