"""The questions about a silent stream: their table, what a list of streams proves, and how long a stream may be silent."""

from random import Random

import pytest

from foxtrot.adapter.binance.stale_stream import ACTIONS, Action, Market, Probe, needs_market, probed
from foxtrot.adapter.binance.topic import Topic, TopicKind
from foxtrot.adapter.binance.vigil import ASK_AFTER_S, LONGEST_PAUSE_S, SHORTEST_S, Silence
from foxtrot.adapter.reconnect import Backoff


def topic(kind: TopicKind, detail: str = "") -> Topic:
    return Topic(kind, "BTCUSDT.BINANCE", "BTC/USDT", Backoff(Random(1)), detail)


def test_every_pair_of_answers_has_an_action() -> None:
    assert set(ACTIONS) == {(probe, market) for probe in Probe for market in Market}


def test_only_a_stream_that_its_connection_brings_needs_the_market() -> None:
    assert [probe for probe in Probe if needs_market(probe)] == [Probe.LISTED]


def test_nothing_is_replaced_for_silence_alone() -> None:
    assert ACTIONS[Probe.LISTED, Market.QUIET] is ACTIONS[Probe.LISTED, Market.UNKNOWN] is Action.WAIT


@pytest.mark.parametrize(
    ("listed", "probe"),
    [
        (None, Probe.UNANSWERED),
        (frozenset(), Probe.LISTED),
        (frozenset({"btcusdt@trade", "btcusdt@depth@100ms"}), Probe.LISTED),
        (frozenset({"btcusdt@trade"}), Probe.FORGOTTEN),
    ],
)
def test_what_a_list_of_streams_proves(listed: frozenset[str] | None, probe: Probe) -> None:
    assert probed(topic(TopicKind.BOOK), "BTCUSDT", listed) is probe


@pytest.mark.parametrize(
    ("kind", "detail", "name"),
    [
        (TopicKind.BOOK, "", "btcusdt@depth@100ms"),
        (TopicKind.TRADE, "", "btcusdt@trade"),
        (TopicKind.QUOTE, "", "btcusdt@bookTicker"),
        (TopicKind.TOTALS, "", "btcusdt@ticker"),
        (TopicKind.KLINE, "1m", "btcusdt@kline_1m"),
    ],
)
def test_a_stream_has_the_venues_name(kind: TopicKind, detail: str, name: str) -> None:
    assert topic(kind, detail).stream("BTCUSDT") == name


def silent_until_asked(silence: Silence, mark: object) -> int:
    """Return after how many beats of a second without a new mark the stream is to be asked about."""
    silence.count(mark, 1.0)
    beats = 1
    while not silence.count(mark, 1.0):
        beats += 1
    return beats


def test_a_stream_of_which_little_is_known_is_asked_about_after_the_longest_time() -> None:
    assert silent_until_asked(Silence(), 1) == ASK_AFTER_S


@pytest.mark.parametrize(("every_s", "limit_s"), [(1, SHORTEST_S), (2, 10.0), (10, ASK_AFTER_S)])
def test_how_long_a_stream_may_be_silent_is_learnt_from_its_silences(every_s: int, limit_s: float) -> None:
    silence, mark = Silence(), 0
    for _ in range(40):
        mark += 1
        for _ in range(every_s + 1 if every_s > 1 else 1):
            silence.count(mark, 1.0)
    assert silent_until_asked(silence, mark + 1) == limit_s


def test_each_question_in_vain_doubles_the_pause_up_to_a_limit() -> None:
    silence = Silence()
    silence.count(1, 1.0)
    asked_at, passed_s = [], 0
    while len(asked_at) < 7:
        passed_s += 1
        if silence.count(1, 1.0):
            asked_at.append(passed_s)
            silence.asked()
    assert asked_at[:4] == [15, 45, 105, 225]
    assert asked_at[-1] - asked_at[-2] == LONGEST_PAUSE_S


def test_a_jump_of_the_clock_proves_no_silence() -> None:
    silence = Silence()
    silence.count(1, 1.0)
    assert not silence.count(1, 3_600.0)
