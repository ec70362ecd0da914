"""Tables for people: what they must not leave out."""

from foxtrot.app.control_requests import PositionRow
from foxtrot.app.verbs.steering_text import positions_text


def test_a_position_says_why_it_is_not_protected() -> None:
    naked = PositionRow("maker", "main", "BTCUSDT.BINANCE", "net", 0.5, 100.0, None, "naked", "no stop is wished")
    safe = PositionRow("trend", "main", "BTCUSDT.BINANCE", "net", 0.5, 100.0, None, "at the venue")
    head, first, second = positions_text([naked, safe]).splitlines()
    assert head.endswith("why")
    assert first.endswith("naked         no stop is wished")
    assert second.rstrip().endswith("at the venue")
