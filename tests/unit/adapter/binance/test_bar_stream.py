"""One stream of bars, push by push: closed ones once and in order, with those that did not come before them."""

from foxtrot.adapter.binance.bar_stream import LATE_NS, BarStream
from foxtrot.adapter.binance.frames import Kline
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData

MINUTE_MS = 60_000
MINUTE_NS = 60_000_000_000
START_NS = 28_333_334 * MINUTE_NS
NAME = "BTCUSDT.BINANCE"


class Bars:
    """Takes what a stream tells, and counts what it asks for."""

    def __init__(self, interval: str = "1m", *texts: str) -> None:
        self.told: list[BarData] = []
        self.asked = 0
        self.stream = BarStream(NAME, Interval.parse(interval), self, self._ask)
        self.stream.texts += texts or (interval,)
        self.stream.begin(START_NS + 5_000_000_000)

    def on_bar(self, bar: BarData) -> None:
        self.told.append(bar)

    def push(self, number: int, *, closed: bool = True, late_ns: int = 1_000_000) -> None:
        """A push of the bar with a number, counted from the one that was open at the beginning."""
        self.stream.take(kline(number, closed=closed), START_NS + (number + 1) * MINUTE_NS + late_ns)

    def numbers(self) -> list[int]:
        return [(bar.open_time_ns - START_NS) // MINUTE_NS for bar in self.told]

    def _ask(self, _stream: BarStream) -> None:
        self.asked += 1


def kline(number: int, *, closed: bool = True) -> Kline:
    opened = START_NS // 1_000_000 + number * MINUTE_MS
    return Kline(opened, opened + MINUTE_MS - 1, "1m", 100.0, 102.0, 99.0, 101.0, 1.5, 150.0, 3, closed)


def asked_for(*numbers: int) -> list[BarData]:
    opens = [START_NS + number * MINUTE_NS for number in numbers]
    return [BarData(NAME, "1m", at, at + MINUTE_NS, 100.0, 102.0, 99.0, 101.0, 1.5, 150.0, 3, 0) for at in opens]


def test_only_the_push_that_closes_a_bar_tells_it() -> None:
    bars = Bars()
    bars.push(0, closed=False)
    assert bars.told == []
    bars.push(0)
    (bar,) = bars.told
    assert (bar.open, bar.high, bar.low, bar.close, bar.volume, bar.turnover, bar.trade_count) == (
        100.0, 102.0, 99.0, 101.0, 1.5, 150.0, 3,
    )  # fmt: skip
    assert bar.close_time_ns == START_NS + MINUTE_NS
    assert not bar.backfilled
    assert bars.asked == 0


def test_a_closing_push_that_comes_again_is_told_once() -> None:
    bars = Bars()
    for number in (0, 0, 1, 0, 1):
        bars.push(number)
    assert bars.numbers() == [0, 1]


def test_a_bar_waits_for_those_before_it_that_did_not_come() -> None:
    bars = Bars()
    bars.push(0)
    bars.push(3)
    bars.push(4)
    assert bars.numbers() == [0]
    assert bars.asked >= 1
    bars.stream.fill(asked_for(1, 2, 3), START_NS + 4 * MINUTE_NS, START_NS + 4 * MINUTE_NS)
    assert bars.numbers() == [0, 1, 2, 3, 4]


def test_bars_that_the_venue_does_not_have_are_not_waited_for() -> None:
    bars = Bars()
    bars.push(3)
    bars.stream.fill([], START_NS + 4 * MINUTE_NS, START_NS + 4 * MINUTE_NS)
    bars.push(4)
    assert bars.numbers() == [3, 4]


def test_a_push_of_a_later_open_bar_shows_that_a_close_was_lost() -> None:
    bars = Bars()
    bars.push(1, closed=False)
    assert bars.asked == 1
    assert bars.told == []


def test_a_bar_that_closed_while_ours_was_a_little_fast_is_told() -> None:
    bars = Bars()
    bars.push(-1)
    bars.push(0)
    assert bars.numbers() == [-1, 0]


def test_what_is_told_long_after_its_close_is_backfilled() -> None:
    bars = Bars()
    now_ns = START_NS + 3 * MINUTE_NS + 1
    bars.stream.fill(asked_for(0, 1, 2), now_ns, now_ns)
    assert [bar.backfilled for bar in bars.told] == [True, True, False]
    bars.push(3, late_ns=LATE_NS + 1)
    assert bars.told[-1].backfilled


def test_an_answer_that_crosses_a_push_is_told_once() -> None:
    bars = Bars()
    bars.push(0)
    bars.stream.fill(asked_for(0, 1), START_NS + 2 * MINUTE_NS, START_NS + 2 * MINUTE_NS)
    bars.push(1)
    assert bars.numbers() == [0, 1]


def test_after_a_loss_it_goes_on_where_it_was() -> None:
    bars = Bars()
    bars.push(0)
    bars.stream.begin(START_NS + 5 * MINUTE_NS)
    assert bars.stream.expected_ns == START_NS + MINUTE_NS


def test_a_bar_is_told_in_each_of_the_words_it_was_asked_for_in() -> None:
    bars = Bars("1m", "1m", "60s")
    bars.push(0)
    assert [bar.interval for bar in bars.told] == ["1m", "60s"]


def test_weeks_begin_on_monday() -> None:
    week = BarStream(NAME, Interval.parse("1w"), Bars(), lambda _stream: None)
    assert week.open_of(1_700_000_000_000_000_000) == 1_699_833_600_000_000_000
