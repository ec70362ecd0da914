"""K-lines: how they are cut and stamped in each market, history page by page, quotas, and what the venue remembers."""

from importlib.util import find_spec
from typing import Any

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.futu.quote_limits import QuoteSettings
from foxtrot.exchange.wire.futu.quote_times import BARS_STAMPED_AT_END
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from tests.support.futu_quote_rig import APPLE, TENCENT, QuoteClient, QuoteRig, at, securities

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")
DAY = "2026-03-10"
MIN_1, DAILY, WEEKLY, MONTHLY, YEARLY, MIN_5, MIN_60, QUARTERLY = 1, 2, 3, 4, 5, 6, 9, 11


def traded(key: tuple[int, str], moments: list[str], **more: Any) -> QuoteRig:
    """A rig on which one lot traded at each moment, at 400.0, 400.2, 400.4 ...; a time alone is of the day."""
    texts = [text if " " in text else f"{DAY} {text}" for text in moments]
    rig = QuoteRig(at(key, texts[0]), **more)
    for number, text in enumerate(texts):
        rig.go_to(at(key, text))
        rig.trade(key, round(400.0 + 0.2 * number, 1), 100)
    return rig


def history(client: QuoteClient, key: tuple[int, str], kind: int, **more: Any) -> Any:
    known = {"rehabType": 0, "beginTime": "2026-01-01", "endTime": "2026-12-31"}
    return client.ask(3103, security=securities(key)[0], klType=kind, **(known | more))


def times(s2c: Any) -> list[str]:
    return [row.time.removeprefix(f"{DAY} ") for row in s2c.klList]


def refusal(client: QuoteClient, **more: Any) -> str:
    with pytest.raises(FutuRefused) as caught:
        history(client, TENCENT, **({"kind": MIN_1} | more))
    return caught.value.message


def test_minute_bars_carry_their_end() -> None:
    assert BARS_STAMPED_AT_END
    rig = traded(TENCENT, ["09:30:00", "09:30:59.999", "09:31:00"])
    s2c = history(rig.open(), TENCENT, MIN_1)
    assert times(s2c) == ["09:31:00", "09:32:00"]
    first, second = s2c.klList
    assert (first.openPrice, first.highPrice, first.lowPrice, first.closePrice) == (400.0, 400.2, 400.0, 400.2)
    assert (first.volume, first.turnover, first.timestamp) == (200, 80_020.0, at(TENCENT, f"{DAY} 09:31:00") / 1e9)
    assert (second.lastClosePrice, second.changeRate, second.isBlank) == (400.2, 0.05, False)


def test_hong_kong_s_bars_span_neither_lunch_nor_auctions() -> None:
    rig = traded(TENCENT, ["09:20:00", "09:29:59", "11:59:59", "12:30:00", "13:00:00", "15:59:00", "16:08:00"])
    client = rig.open()
    assert times(history(client, TENCENT, MIN_1)) == ["09:31:00", "12:00:00", "13:01:00", "16:00:00"]
    assert times(history(client, TENCENT, MIN_60)) == ["10:30:00", "12:00:00", "14:00:00", "16:00:00"]
    [day] = history(client, TENCENT, DAILY).klList
    assert (day.time, day.volume, day.closePrice) == (f"{DAY} 00:00:00", 600, 401.2)


def test_new_york_s_bars_have_extended_hours_only_when_asked_for() -> None:
    rig = traded(APPLE, ["04:00:30", "09:29:00", "09:30:00", "15:59:59", "16:00:00", "19:59:59", "20:30:00"])
    client = rig.open()
    assert times(history(client, APPLE, MIN_1)) == ["09:31:00", "16:00:00"]
    extended = ["04:01:00", "09:30:00", "09:31:00", "16:00:00", "16:01:00", "20:00:00"]
    assert times(history(client, APPLE, MIN_1, extendedTime=True)) == extended
    assert times(history(client, APPLE, MIN_1, session=2)) == extended
    assert times(history(client, APPLE, MIN_1, session=1)) == ["09:31:00", "16:00:00"]
    assert times(history(client, APPLE, MIN_60, session=3)) == [
        "05:00:00", "09:30:00", "10:30:00", "16:00:00", "17:00:00", "20:00:00",
    ]  # fmt: skip
    [day] = history(client, APPLE, DAILY, session=3).klList
    assert day.volume == 200


def test_longer_bars_carry_the_day_on_which_they_begin() -> None:
    rig = traded(TENCENT, ["2026-03-06 10:00:00", "2026-03-09 10:00:00", "2026-03-10 10:00:00"])
    client = rig.open()
    assert [row.time[:10] for row in history(client, TENCENT, DAILY).klList] == ["2026-03-06", "2026-03-09", DAY]
    assert [row.time[:10] for row in history(client, TENCENT, WEEKLY).klList] == ["2026-03-02", "2026-03-09"]
    assert [row.time[:10] for row in history(client, TENCENT, MONTHLY).klList] == ["2026-03-01"]
    for kind in (QUARTERLY, YEARLY):
        [row] = history(client, TENCENT, kind).klList
        assert (row.time, row.volume) == ("2026-01-01 00:00:00", 300)
    monday = history(client, TENCENT, DAILY).klList[1]
    assert (monday.lastClosePrice, monday.closePrice) == (400.0, 400.2)


def test_a_market_that_never_closes_has_bars_at_any_hour_of_the_local_day() -> None:
    rig = traded(TENCENT, ["00:00:10", "12:30:00", "23:59:50"], always_open=True)
    client = rig.open()
    assert times(history(client, TENCENT, MIN_5)) == ["00:05:00", "12:35:00", "2026-03-11 00:00:00"]
    assert history(client, TENCENT, DAILY).klList[0].volume == 300


def test_history_comes_page_by_page_with_a_key_only_while_there_is_more() -> None:
    rig = traded(TENCENT, [f"10:{minute:02}:30" for minute in range(5)])
    client = rig.open()
    first = history(client, TENCENT, MIN_1, maxAckKLNum=2)
    second = history(client, TENCENT, MIN_1, maxAckKLNum=2, nextReqKey=first.nextReqKey)
    third = history(client, TENCENT, MIN_1, maxAckKLNum=2, nextReqKey=second.nextReqKey)
    assert [times(page) for page in (first, second, third)] == [
        ["10:01:00", "10:02:00"], ["10:03:00", "10:04:00"], ["10:05:00"],
    ]  # fmt: skip
    assert [page.HasField("nextReqKey") for page in (first, second, third)] == [True, True, False]
    assert not history(client, TENCENT, MIN_1, maxAckKLNum=5).HasField("nextReqKey")
    assert len(history(client, TENCENT, MIN_1).klList) == 5


@pytest.mark.parametrize("key", [b"x", b"0", b"5", b"-1", b"99999999999", b"\xff"])
def test_a_key_of_no_page_is_refused(key: bytes) -> None:
    rig = traded(TENCENT, [f"10:{minute:02}:30" for minute in range(5)])
    text = refusal(rig.open(), nextReqKey=key, maxAckKLNum=2)
    assert text == "nextReqKey is not one that this OpenD has given for this request"


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (DAY, DAY, ["10:01:00", "10:02:00", "10:03:00"]),
        (f"{DAY} 10:02:00", f"{DAY} 10:02:00", ["10:02:00"]),
        (f"{DAY} 10:01:01", f"{DAY} 23:59:59", ["10:02:00", "10:03:00"]),
        ("2026-03-11", "2026-03-12", []),
    ],
)
def test_both_ends_of_the_range_count(begin: str, end: str, expected: list[str]) -> None:
    rig = traded(TENCENT, ["10:00:00", "10:01:00", "10:02:00"])
    assert times(history(rig.open(), TENCENT, MIN_1, beginTime=begin, endTime=end)) == expected


def test_only_the_fields_that_are_asked_for_are_told() -> None:
    rig = traded(TENCENT, ["10:00:00"])
    [row] = history(rig.open(), TENCENT, MIN_1, needKLFieldsFlag=8 | 32).klList
    told = {field.name for field, _ in row.ListFields()}
    assert told == {"time", "isBlank", "timestamp", "closePrice", "volume"}
    [whole] = history(rig.open(), TENCENT, MIN_1, needKLFieldsFlag=1023).klList
    assert len(whole.ListFields()) == 13


@pytest.mark.parametrize("rehab", [0, 1, 2])
def test_every_rehabilitation_type_gives_prices_as_traded(rehab: int) -> None:
    rig = traded(TENCENT, ["10:00:00"])
    assert history(rig.open(), TENCENT, MIN_1, rehabType=rehab).klList[0].closePrice == 400.0


def test_wrong_wishes_are_refused_by_name() -> None:
    client = traded(TENCENT, ["10:00:00"]).open()
    assert refusal(client, rehabType=3).startswith("Rehabilitation type 3 is unknown")
    assert refusal(client, kind=99).startswith("K-line type 99 is unknown; there are 1 KL_1Min, 10 KL_3Min")
    assert refusal(client, session=4).startswith("Session 4 has no data here")
    assert refusal(client, beginTime="10/03/2026") == (
        "beginTime is '10/03/2026'; it must be YYYY-MM-DD or YYYY-MM-DD HH:MM:SS"
    )


def test_the_history_quota_counts_distinct_securities_of_thirty_days() -> None:
    rig = QuoteRig(settings=QuoteSettings(history_quota=1))
    client = rig.open()
    history(client, TENCENT, MIN_1)
    history(client, TENCENT, DAILY)
    with pytest.raises(FutuRefused, match=r"Insufficient historical candlestick quota.* released after 30 days"):
        history(client, APPLE, MIN_1)
    rig.wait(29 * 86_400)
    with pytest.raises(FutuRefused, match="Insufficient"):
        history(rig.open(), APPLE, MIN_1)
    rig.wait(86_400)
    history(client, APPLE, MIN_1)


def test_first_pages_are_limited_to_sixty_in_thirty_seconds_and_later_ones_are_not() -> None:
    rig = traded(TENCENT, ["10:00:00", "10:01:00"])
    client = rig.open()
    key = history(client, TENCENT, MIN_1, maxAckKLNum=1).nextReqKey
    for _ in range(59):
        history(client, TENCENT, MIN_1)
    assert refusal(rig.open()) == "Request with high frequency: at most 60 times in 30 seconds"
    history(client, TENCENT, MIN_1, maxAckKLNum=1, nextReqKey=key)
    rig.wait(30)
    history(client, TENCENT, MIN_1)


def test_live_bars_are_the_newest_ones_and_their_number_is_limited() -> None:
    rig = traded(TENCENT, [f"10:{minute:02}:30" for minute in range(5)])
    client = rig.open()
    client.subscribe([TENCENT], [11])
    asked = {"security": securities(TENCENT)[0], "rehabType": 1, "klType": MIN_1}
    assert times(client.ask(3006, reqNum=2, **asked)) == ["10:04:00", "10:05:00"]
    for number in (0, 1001, -1):
        with pytest.raises(FutuRefused, match=f"reqNum is {number}; it must be 1 to 1000"):
            client.ask(3006, reqNum=number, **asked)


def test_a_forming_bar_is_pushed_again_under_the_same_time() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [11])
    for seconds in (0, 30, 30):
        rig.wait(seconds)
        rig.trade(TENCENT, 400.0, 100)
    rows = [told.s2c.klList[0] for told in client.take()]
    assert [(row.time[11:], row.volume) for row in rows] == [("10:01:00", 100), ("10:01:00", 200), ("10:02:00", 100)]


def test_pushed_bars_are_of_the_rehabilitation_types_that_were_asked_for() -> None:
    rig = QuoteRig()
    client, plain = rig.open(), rig.open()
    client.subscribe([TENCENT], [11], regPushRehabTypeList=[0, 2, 0])
    plain.subscribe([TENCENT], [11])
    rig.trade(TENCENT, 400.0, 100)
    assert [told.s2c.rehabType for told in client.take()] == [0, 2]
    assert [told.s2c.rehabType for told in plain.take()] == [1]


def test_what_the_venue_remembers_is_there_when_the_surface_begins() -> None:
    rig = traded(TENCENT, ["2026-03-09 15:00:00", "2026-03-10 10:00:00", "2026-03-10 10:01:00"])
    again = QuoteRig(rig.now_ns)
    again.venue.take_up(rig.venue.snapshot())
    client = again.open()
    assert times(history(client, TENCENT, MIN_1)) == ["2026-03-09 15:01:00", "10:01:00", "10:02:00"]
    [told] = client.subscribe([TENCENT], [1])
    row = told.s2c.basicQotList[0]
    assert (row.curPrice, row.lastClosePrice, row.volume) == (400.4, 400.0, 200)


def test_trades_of_one_command_are_counted_once_each_however_they_are_asked_for() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [1, 11, 6, 7], isFirstPush=False)
    for _ in range(3):
        rig.order(TENCENT, Side.SELL, 400.0, 100, "bob")
    rig.order(TENCENT, Side.BUY, 400.0, 300)
    for kind in (MIN_1, MIN_5, MIN_60, DAILY):
        assert [row.volume for row in history(client, TENCENT, kind).klList] == [300]


def test_tickers_are_the_newest_ones_oldest_first() -> None:
    rig = traded(APPLE, ["09:00:00", "10:00:00", "11:00:00"])
    client, extended = rig.open(), rig.open()
    client.subscribe([APPLE], [4])
    extended.subscribe([APPLE], [4], session=3)
    asked = {"security": securities(APPLE)[0]}
    assert [row.sequence for row in client.ask(3010, maxRetNum=1000, **asked).tickerList] == [2, 3]
    assert [row.sequence for row in client.ask(3010, maxRetNum=1, **asked).tickerList] == [3]
    rows = extended.ask(3010, maxRetNum=1000, **asked).tickerList
    assert [(row.sequence, row.type, row.pushDataType) for row in rows] == [(1, 21, 3), (2, 1, 3), (3, 1, 3)]
    with pytest.raises(FutuRefused, match="maxRetNum is 1001; it must be 1 to 1000"):
        client.ask(3010, maxRetNum=1001, **asked)


def test_an_odd_lot_book_is_refused() -> None:
    rig = QuoteRig()
    client = rig.open()
    client.subscribe([TENCENT], [2])
    with pytest.raises(FutuRefused, match="there are 0 \\(whole lots\\)"):
        client.ask(3012, security=securities(TENCENT)[0], num=10, orderBookType=1)
