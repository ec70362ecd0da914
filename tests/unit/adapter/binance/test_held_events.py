"""Events that are held are heard in their order, and are never more than a bound."""

import pytest

from foxtrot.adapter.binance import held_events
from foxtrot.adapter.binance.held_events import HeldEvents


def test_events_are_kept_in_order_only_between_hold_and_take() -> None:
    held = HeldEvents(pytest.fail)
    assert not held.keeps({"n": 0})
    held.hold()
    assert held.keeps({"n": 1})
    assert held.keeps({"n": 2})
    assert held.take() == [{"n": 1}, {"n": 2}]
    assert not held.keeps({"n": 3})
    assert held.take() == []


def test_too_many_cost_the_link_once_and_no_more_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held_events, "MOST", 3)
    causes: list[str] = []
    held = HeldEvents(causes.append)
    held.hold()
    assert all(held.keeps({"n": number}) for number in range(9))
    assert causes == ["user stream: more than 3 events came while the account was asked for"]
    assert held.take() == [{"n": 0}, {"n": 1}, {"n": 2}]
    held.hold()
    assert held.keeps({"n": 9})
    assert held.take() == [{"n": 9}]
