"""The watchdog: silence is counted by beats, so that a jump of the clock proves nothing, and each is told once."""

from types import SimpleNamespace

import pytest

from foxtrot.adapter.binance.watchdog import Watchdog
from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.adapter.health import AdapterHealth, StalenessRule, StreamHealth
from foxtrot.core.clock import ManualClock

SECOND_NS = 1_000_000_000


class _Scene:
    def __init__(self) -> None:
        self.kicked: list[tuple[str, str]] = []
        self.stale: list[str] = []
        self.health = AdapterHealth("ours")
        bridge = AsyncBridge("test-io", ManualClock(SECOND_NS))
        self.dog = Watchdog(
            bridge, self.health, lambda url, why: self.kicked.append((url, why)), lambda s: self.stale.append(s.name)
        )
        self.client = SimpleNamespace(url="ws://127.0.0.1:1/ws", last_message_at=None)

    def beats(self, number: int, elapsed_s: float = 1.0) -> None:
        for _ in range(number):
            self.dog.beat(0, elapsed_s)


@pytest.fixture
def scene() -> _Scene:
    return _Scene()


def test_a_connection_without_a_frame_for_35_seconds_is_kicked_once(scene: _Scene) -> None:
    scene.dog.heard(scene.client)
    scene.beats(35)
    assert scene.kicked == []
    scene.beats(40)
    assert scene.kicked == [("ws://127.0.0.1:1/ws", "no frame for 36 s")]


def test_a_frame_of_any_kind_begins_the_count_anew(scene: _Scene) -> None:
    scene.dog.heard(scene.client)
    for at in range(20):
        scene.beats(30)
        if at % 2:
            scene.dog.heard(scene.client)
        else:
            scene.client.last_message_at = at
            scene.beats(1)
    assert scene.kicked == []


def test_an_hour_that_passed_at_once_proves_nothing(scene: _Scene) -> None:
    scene.dog.heard(scene.client)
    scene.beats(3, 3_600.0)
    assert scene.kicked == []


def test_connections_that_are_forgotten_are_not_kicked(scene: _Scene) -> None:
    scene.dog.heard(scene.client)
    scene.dog.forget()
    scene.beats(100)
    assert scene.kicked == []


def test_a_stream_that_falls_silent_is_told_once_for_each_silence(scene: _Scene) -> None:
    stream = scene.health.stream("trades", lambda name: StreamHealth(name, StalenessRule(ceiling_s=5.0)))
    stream.up(0)
    scene.beats(20)
    assert scene.stale == ["trades"]
    stream.heard(SECOND_NS)
    scene.beats(20)
    assert scene.stale == ["trades", "trades"]
