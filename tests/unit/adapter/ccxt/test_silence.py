"""When a connection has been silent for too long."""

from foxtrot.adapter.ccxt.silence import LIVELY_AFTER_S, LONGEST_SILENCE_S, SILENT_AFTER_S, Silence


def silent_until_dropped(silence: Silence) -> float:
    """Beat without a word until it is too long; returns for how long."""
    for second in range(1, 1_000):
        if silence.grew("ws://x", second + 10.0, 1.0):
            return float(second)
    raise AssertionError("it may be silent for ever")


def test_the_next_one_may_be_silent_for_twice_as_long_up_to_a_limit() -> None:
    silence = Silence()
    found = [silent_until_dropped(silence) for _ in range(6)]
    assert found == [31.0, 61.0, 121.0, 241.0, 301.0, 301.0]
    assert (SILENT_AFTER_S, LONGEST_SILENCE_S) == (30.0, 300.0)


def test_a_word_begins_anew_and_a_lively_while_forgets_the_past() -> None:
    silence = Silence()
    for _ in range(20):
        assert not silence.grew("ws://x", 50.0, 1.0)
    assert not silence.grew("ws://x", 0.1, 1.0)
    assert silent_until_dropped(silence) == 31.0
    assert not silence.grew("ws://x", 0.1, 1.0)
    assert silent_until_dropped(silence) == 61.0
    for _ in range(int(LIVELY_AFTER_S) + 1):
        silence.grew("ws://x", 0.1, 1.0)
    assert silent_until_dropped(silence) == 31.0


def test_connections_are_judged_apart() -> None:
    silence = Silence()
    assert silent_until_dropped(silence) == 31.0
    assert not silence.grew("ws://y", 40.0, 1.0)
