"""Historical bars: sizes, durations, ends, prices, hours, dates, updates; and every refusal."""

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from foxtrot.exchange.wire.ib.venue_side import HISTORY_FARM
from tests.support.ib_quote_rig import APPLE, EURO, EURUSD, QuoteClient, QuoteRig, error_of, new_york

UNLIMITED = IbSettings(limits=False)


class Asked:
    """A request for bars with the usual terms, some of them others."""

    def __init__(self, client: QuoteClient, **terms: object) -> None:
        told = {
            "contract": APPLE, "end": "", "size": "1 min", "back": "3600 S", "rth": 0, "what": "TRADES", "form": 2, "keep": 0,
        } | terms  # fmt: skip
        contract = told["contract"]
        assert isinstance(contract, tuple)
        fields = (told["end"], told["size"], told["back"], told["rth"], told["what"], told["form"], told["keep"])
        self.told = client.ask(20, 9, *contract, 0, *fields, "")

    @property
    def bars(self) -> list[list[str]]:
        """Date, open, high, low, close, volume, average and count of each bar."""
        (only,) = self.told
        assert only[0] == "17", only
        assert only[1] == "9"
        count, rows = int(only[4]), only[5:]
        assert len(rows) == 8 * count
        return [rows[n : n + 8] for n in range(0, len(rows), 8)]

    @property
    def ohlc(self) -> list[tuple[float, ...]]:
        return [tuple(float(part) for part in bar[1:5]) for bar in self.bars]

    @property
    def dates(self) -> list[str]:
        return [bar[0] for bar in self.bars]


def traded(settings: IbSettings = UNLIMITED) -> QuoteRig:
    """Three trades a minute for five minutes from 10:00:00 on, 1 to 15 cents above 200; it is 10:05:00 then."""
    rig = QuoteRig(settings=settings)
    for n in range(15):
        rig.trade(f"200.{n + 1:02}", n + 1)
        rig.wait(20)
    return rig


def test_minutes_of_trades() -> None:
    rig = traded()
    asked = Asked(rig.client())
    first = new_york("2026-03-10 10:00:00") // 10**9
    assert asked.bars[0] == [str(first), "200.01", "200.03", "200.01", "200.03", "6", "200.02333333", "3"]
    assert asked.dates == [str(first + 60 * n) for n in range(5)]
    assert asked.ohlc[-1] == (200.13, 200.15, 200.13, 200.15)
    assert asked.told[0][2:4] == ["20260310  14:00:00", "20260310  14:05:00"]


@pytest.mark.parametrize(
    ("size", "back", "count"),
    [
        ("1 secs", "60 S", 3), ("5 secs", "120 S", 6), ("10 secs", "300 S", 15), ("15 secs", "300 S", 15),
        ("30 secs", "300 S", 10), ("1 min", "300 S", 5), ("2 mins", "1 D", 3), ("3 mins", "1 D", 2), ("5 mins", "1 D", 1),
        ("10 mins", "1 D", 1), ("15 mins", "1 D", 1), ("20 mins", "1 D", 1), ("30 mins", "1 D", 1), ("1 hour", "1 D", 1),
        ("2 hours", "1 D", 1), ("3 hours", "1 D", 1), ("4 hours", "1 W", 1), ("8 hours", "1 W", 1), ("1 day", "1 M", 1),
        ("1W", "1 Y", 1), ("1 week", "1 Y", 1), ("1M", "1 Y", 1), ("1 month", "2 Y", 1),
    ],
)  # fmt: skip
def test_every_size_of_bar(size: str, back: str, count: int) -> None:
    bars = Asked(traded().client(), size=size, back=back).bars
    assert len(bars) == count
    assert sum(int(bar[5]) for bar in bars) == {"60 S": 13 + 14 + 15, "120 S": 75}.get(back, 120)


def test_a_bar_is_whole_where_the_duration_begins_in_its_middle() -> None:
    rig = traded()
    rig.wait(30)
    assert Asked(rig.client(), size="5 mins", back="120 S").ohlc == [(200.01, 200.15, 200.01, 200.15)]


def test_an_end_in_each_of_its_forms_cuts_there() -> None:
    rig = traded()
    for end in ("20260310 14:03:00", "20260310  14:03:00", "20260310-14:03:00", "20260310 10:03:00 US/Eastern",
                "20260310 14:03:00 UTC"):  # fmt: skip
        assert len(Asked(rig.client(), end=end).bars) == 3, end
    assert error_of(Asked(rig.client(), end="20260310 14:00:00").told) == (9, 162)
    assert len(Asked(rig.client(), end="20270310 14:00:00", back="400 D", size="1 day").told) == 1


@pytest.mark.parametrize("always_open", [True, False])
def test_the_ends_of_the_calendar_are_ends_too(always_open: bool) -> None:
    client = traded(IbSettings(limits=False, always_open=always_open)).client()
    client.link.is_paced = True
    for end in ("00010101-00:00:00", "00010101 00:00:00 Asia/Tokyo", "19000101-00:00:00"):
        for back in ("1 S", "1 D", "1 W", "12 M", "999999 Y"):
            assert error_of(Asked(client, end=end, back=back).told) == (9, 162)
    for end in ("99991231-23:59:59", "99991231 23:59:59 America/New_York"):
        for back in ("1 D", "1 W", "12 M", "999999 Y"):
            for size in ("1 min", "8 hours", "1 day", "1W", "1M"):
                assert Asked(client, end=end, back=back, size=size).told[0][3] == "20260310  14:05:00"


def test_dates_are_texts_of_the_login_where_they_are_asked_for() -> None:
    rig = traded()
    assert Asked(rig.client(), form=1).dates[0] == "20260310  14:00:00"
    assert Asked(rig.client(), form=1, size="1 day", back="1 M").dates == ["20260310"]
    assert Asked(rig.client(), form=2, size="1 day", back="1 M").dates == ["20260310"]


def test_quotes_have_bars_also_where_nothing_happened() -> None:
    rig = QuoteRig(settings=UNLIMITED)
    rig.rest(Side.BUY, "200", 5)
    rig.rest(Side.SELL, "200.1", 5)
    for _ in range(3):
        rig.wait(1)
    rig.rest(Side.BUY, "200.05", 5)
    terms = {"size": "1 secs", "back": "30 S"}
    assert Asked(rig.client(), what="BID", **terms).ohlc == [(200.0,) * 4] * 3 + [(200.0, 200.05, 200.0, 200.05)]
    assert Asked(rig.client(), what="ASK", **terms).ohlc == [(200.1,) * 4] * 4
    assert Asked(rig.client(), what="MIDPOINT", **terms).ohlc[-1] == (200.05, 200.075, 200.05, 200.075)
    assert Asked(rig.client(), what="MIDPOINT", **terms).bars[0][5:] == ["-1", "-1.0", "-1"]
    both = Asked(rig.client(), what="BID_ASK", size="1 min", back="60 S").ohlc
    assert both == [(pytest.approx(200.01, abs=0.01), 200.1, 200.0, 200.1)]


def test_currencies_have_quotes_and_no_trades() -> None:
    rig = QuoteRig(settings=UNLIMITED)
    rig.trade("1.1", 25_000, name=EURUSD)
    rig.rest(Side.BUY, "1.0999", 25_000, name=EURUSD)
    asked = Asked(rig.client(), contract=EURO)
    assert error_of(asked.told) == (9, 162)
    assert "HMDS query returned no data: EUR.USD@IDEALPRO Trades" in asked.told[0][4]
    assert len(Asked(rig.client(), contract=EURO, what="BID").bars) == 1


def test_only_regular_hours_where_that_is_asked_for() -> None:
    rig = QuoteRig(new_york("2026-03-10 09:00:00"), IbSettings(always_open=False, limits=False))
    rig.trade("199", 1)
    rig.move_to(new_york("2026-03-10 09:45:00"))
    rig.trade("200", 2)
    rig.move_to(new_york("2026-03-10 10:10:00"))
    rig.trade("201", 3)
    rig.move_to(new_york("2026-03-11 09:40:00"))
    rig.trade("202", 4)
    terms = {"size": "1 hour", "back": "5 D"}
    starts = ("2026-03-10 09:30:00", "2026-03-10 10:00:00", "2026-03-11 09:30:00")
    regular = Asked(rig.client(), rth=1, **terms)
    assert regular.dates == [str(new_york(text) // 10**9) for text in starts]
    assert len(Asked(rig.client(), rth=0, **terms).bars) == 4
    assert Asked(rig.client(), rth=1, size="1 day", back="1 D").dates == ["20260311"]
    days = Asked(rig.client(), rth=1, size="1 day", back="1 M")
    assert [(bar[0], *bar[1:6]) for bar in days.bars] == [
        ("20260310", "200.0", "201.0", "200.0", "201.0", "5"), ("20260311", "202.0", "202.0", "202.0", "202.0", "4"),
    ]  # fmt: skip
    assert Asked(rig.client(), rth=1, size="1W", back="1 M").dates == ["20260311"]


def test_a_bar_that_forms_is_kept_up_to_date_until_it_is_cancelled() -> None:
    rig = traded()
    client = rig.client()
    Asked(client, size="5 secs", back="300 S", keep=1)
    rig.trade("201", 2)
    rig.wait(0.5)
    first = rig.now_ns // 10**9
    assert client.take() == [["90", "9", "1", str(first), "201.0", "201.0", "201.0", "201.0", "201.0", "2"]]
    rig.wait(1)
    assert client.take() == []
    rig.trade("200", 2)
    rig.wait(4)
    rig.trade("202", 1)
    rig.wait(0.5)
    assert client.take() == [
        ["90", "9", "2", str(first), "201.0", "200.0", "201.0", "200.0", "200.5", "4"],
        ["90", "9", "1", str(first + 5), "202.0", "202.0", "202.0", "202.0", "202.0", "1"],
    ]
    told = client.ask(25, 1, 9)
    assert error_of(told) == (9, 162)
    assert told[0][4].endswith("API historical data query cancelled: 9")
    rig.trade("200", 2)
    rig.wait(6)
    assert client.take() == []
    assert error_of(client.ask(25, 1, 9)) == (9, 366)


@pytest.mark.parametrize(
    "terms",
    [
        {"size": "7 mins"}, {"size": ""}, {"back": "1"}, {"back": "0 D"}, {"back": "1 X"}, {"back": "90000 S"}, {"back": "13 M"},
        {"back": "500 D"}, {"what": "OPTION"}, {"end": "yesterday"}, {"end": "20261340 00:00:00"},
        {"end": "20260310 14:00:00 Mars/Olympus"}, {"form": 3}, {"keep": 1, "end": "20260310 14:00:00"},
        {"keep": 1, "size": "1 secs", "back": "60 S"}, {"keep": 1, "what": "BID_ASK"}, {"rth": "x"},
    ],
)  # fmt: skip
def test_a_term_that_is_not_legal_is_refused(terms: dict[str, object]) -> None:
    assert error_of(Asked(traded().client(), **terms).told) == (9, 321)


@pytest.mark.parametrize(
    ("size", "back"), [("1 secs", "1801 S"), ("5 secs", "1 D"), ("15 secs", "14401 S"), ("30 secs", "1 D")]
)
def test_too_many_small_bars_are_refused(size: str, back: str) -> None:
    asked = Asked(traded().client(), size=size, back=back)
    assert error_of(asked.told) == (9, 162)
    assert "Time length exceed max" in asked.told[0][4]


def is_paced(asked: Asked) -> bool:
    (only,) = asked.told
    return only[0] == "4" and only[3] == "162" and "pacing violation" in only[4]


def small(client: QuoteClient, n: int, what: str = "TRADES") -> Asked:
    """A request that differs from every other, for bars of five seconds."""
    return Asked(client, size="5 secs", back=f"{300 + n} S", what=what)


def test_the_same_request_is_refused_for_fifteen_seconds() -> None:
    rig = traded(IbSettings())
    client = rig.client()
    assert not is_paced(small(client, 0))
    rig.wait(14)
    assert is_paced(small(rig.client(), 0))
    rig.wait(1)
    assert not is_paced(small(client, 0))


def test_the_sixth_request_of_two_seconds_for_a_contract_is_refused() -> None:
    rig = traded(IbSettings())
    client = rig.client()
    assert [is_paced(small(client, n)) for n in range(6)] == [False] * 5 + [True]
    rig.wait(2)
    assert not is_paced(small(client, 6))


def test_the_sixty_first_request_of_ten_minutes_is_refused_and_both_prices_count_twice() -> None:
    rig = traded(IbSettings())
    rig.rest(Side.BUY, "200", 5)
    rig.rest(Side.SELL, "200.3", 5)
    client = rig.client()
    for n in range(58):
        rig.wait(2)
        assert not is_paced(small(client, n))
    rig.wait(2)
    assert not is_paced(small(client, 0, "BID_ASK"))
    assert is_paced(small(client, 59))
    assert not is_paced(Asked(client, size="1 min"))
    rig.wait(600)
    assert not is_paced(small(client, 3_000 - 300))


def test_no_more_than_fifty_may_be_open() -> None:
    rig = traded(IbSettings())
    client = rig.client()
    client.link.is_paced = True
    for request_id in range(50):
        (told,) = client.ask(20, 100 + request_id, *APPLE, 0, "", "1 min", "1 D", 0, "TRADES", 2, 1, "")
        assert told[0] == "17"
    assert error_of(Asked(client).told) == (9, 322)
    client.ask(25, 1, 100)
    assert len(Asked(client).bars) == 5


def test_without_right_farm_or_data_there_is_no_history() -> None:
    assert error_of(Asked(QuoteRig(settings=IbSettings(has_quotes=False)).client()).told) == (9, 162)
    rig = traded()
    rig.side.farms[HISTORY_FARM] = False
    assert "HMDS server disconnect" in Asked(rig.client()).told[0][4]
    assert "HMDS query returned no data: AAPL@SMART Trades" in Asked(QuoteRig().client()).told[0][4]


def test_history_begins_with_what_the_venue_remembers() -> None:
    rig = traded()
    later = QuoteRig(rig.now_ns, UNLIMITED)
    later.venue.take_up(rig.venue.snapshot())
    later.trade("201", 1)
    assert len(Asked(later.client()).bars) == 6
