"""All adapters of a platform in one table: started, looked at, closed."""

from foxtrot.adapter.book_paths import BookFigures
from foxtrot.app.unsteady_link import UnsteadyRule
from foxtrot.app.venue_connections import VenueConnections
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus, VenueUnsteady
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from tests.support.recorder import Recorder
from tests.support.scripted_adapter import ScriptedAdapter


class Overrunning(ScriptedAdapter):
    """Cannot be closed in time."""

    def close(self, deadline_s: float = 5.0) -> str:
        self.asked.append(f"close {deadline_s}")
        return "stuck-io"


class Scene:
    """Two accounts by one clock."""

    def __init__(self) -> None:
        self.clock, self.heard = ManualClock(10**12), Recorder()
        permit = SendPermit()
        self.good = ScriptedAdapter.of("good", self.heard, permit, self.clock)
        self.late = Overrunning.of("late", self.heard, permit, self.clock)
        rule = UnsteadyRule(rest_fallbacks=2, reconnects=1, window_s=60)
        adapters = {"good": self.good, "late": self.late}
        self.connections = VenueConnections(adapters, self.heard, self.clock, rule)

    def pass_s(self, seconds: float) -> None:
        self.clock.advance(int(seconds * 1e9))


def test_every_adapter_is_connected_and_closed_and_the_thread_that_overran_is_named() -> None:
    scene = Scene()
    scene.connections.start()
    assert scene.good.asked == scene.late.asked == ["connect"]
    assert scene.connections.close(2.0) == ("stuck-io",)
    assert scene.late.asked[-1] == "close 2.0"


def test_the_table_has_a_row_for_every_account_with_its_state_cause_and_age() -> None:
    scene = Scene()
    scene.good.on_status(AdapterState.READY)
    scene.late.on_status(AdapterState.FAILED, "the key is refused")
    scene.pass_s(7)
    good, late = scene.connections.look()
    assert (good.account, good.adapter, good.state, good.state_s) == ("good", "scripted", AdapterState.READY, 7.0)
    assert good.health.up
    assert good.health.uptime_s == 7.0
    assert (late.account, late.state, late.cause) == ("late", AdapterState.FAILED, "the key is refused")
    assert not late.health.up
    assert set(scene.connections.health()) == {"good", "late"}


def test_a_link_that_comes_back_too_often_is_told_once_with_its_last_cause() -> None:
    scene = Scene()
    for _ in range(3):
        scene.good.on_status(AdapterState.READY)
        scene.pass_s(1)
        scene.connections.look()
        scene.good.on_status(AdapterState.LOST, "cable pulled")
        scene.pass_s(1)
    alerts = scene.heard.of(VenueUnsteady)
    scene.connections.look()
    assert scene.heard.of(VenueUnsteady) == alerts
    (alert,) = alerts
    assert (alert.account, alert.adapter, alert.reconnects, alert.rest_fallbacks) == ("good", "scripted", 2, 0)
    assert (alert.window_s, alert.cause) == (60.0, "cable pulled")
    good, late = scene.connections.look()
    assert (good.unsteady, good.alerts, good.recent.reconnects) == (True, 1, 2)
    assert (late.unsteady, late.alerts) == (False, 0)


def test_answers_by_rest_in_place_of_a_stream_are_told_too() -> None:
    scene = Scene()
    stream = scene.late.link.stream("book of X.V")
    scene.connections.look()
    for _ in range(3):
        stream.fell_back()
    scene.pass_s(1)
    scene.connections.look()
    assert [(one.account, one.rest_fallbacks) for one in scene.heard.of(VenueUnsteady)] == [("late", 3)]


def test_connections_that_silence_forced_to_be_replaced_count_and_planned_ones_do_not() -> None:
    scene = Scene()
    scene.connections.look()
    scene.good.link.connections.rotations = 9
    scene.late.link.connections.replacements = 2
    scene.pass_s(1)
    good, late = scene.connections.look()
    assert [(one.account, one.reconnects) for one in scene.heard.of(VenueUnsteady)] == [("late", 2)]
    assert (good.recent.reconnects, late.recent.reconnects) == (0, 2)


def test_a_book_is_sick_from_when_it_was_first_seen_so_until_it_is_live_again() -> None:
    scene = Scene()
    state = ["live"]
    scene.good.link.books["X.V"] = lambda: BookFigures(implementation="depth_cache", state=state[0])
    assert scene.connections.look()[0].sick_books == {}
    state[0] = "syncing"
    assert scene.connections.look()[0].sick_books == {"X.V": 0.0}
    scene.pass_s(9)
    state[0] = "stale"
    assert scene.connections.look()[0].sick_books == {"X.V": 9.0}
    state[0] = "live"
    assert scene.connections.look()[0].sick_books == {}
    state[0] = "crossed"
    assert scene.connections.look()[0].sick_books == {"X.V": 0.0}


def test_a_book_is_sick_only_while_its_market_is_open() -> None:
    scene, opens = Scene(), [False]
    scene.connections = VenueConnections(
        {"good": scene.good}, scene.heard, scene.clock, trades=lambda name, _ns: name == "X.V" and opens[0]
    )
    scene.good.link.books["X.V"] = lambda: BookFigures(implementation="full_snapshot", state="crossed")
    scene.connections.look()
    scene.pass_s(3_600)
    assert scene.connections.look()[0].sick_books == {"X.V": 0.0}
    opens[0] = True
    scene.pass_s(5)
    assert scene.connections.look()[0].sick_books == {"X.V": 5.0}
    opens[0] = False
    scene.pass_s(3_600)
    assert scene.connections.look()[0].sick_books == {"X.V": 5.0}


def test_a_status_keeps_the_cause_it_was_told_with() -> None:
    scene = Scene()
    scene.good.on_status(AdapterState.READY, "by REST: no WebSockets")
    assert scene.connections.look()[0].cause == "by REST: no WebSockets"
    assert [one.state for one in scene.heard.of(AdapterStatus)] == [AdapterState.READY]


def test_dials_that_fail_count_as_connections_made_again_and_a_loss_counts_once() -> None:
    scene = Scene()
    scene.connections.look()
    for _ in range(2):  # never connected
        scene.late.on_status(AdapterState.CONNECTING)
        scene.late.on_status(AdapterState.LOST, "connection refused")
        scene.late.on_status(AdapterState.BACKING_OFF, "connection refused")
    scene.good.on_status(AdapterState.READY)  # lost once, and back at the first attempt
    scene.good.on_status(AdapterState.LOST, "reset")
    scene.good.on_status(AdapterState.BACKING_OFF, "reset")
    scene.good.on_status(AdapterState.READY)
    scene.pass_s(1)
    good, late = scene.connections.look()
    assert (good.recent.reconnects, late.recent.reconnects) == (1, 2)
    assert [(one.account, one.reconnects, one.cause) for one in scene.heard.of(VenueUnsteady)] == [
        ("late", 2, "connection refused")
    ]


def test_for_how_long_an_account_has_not_been_ready_is_told_over_every_change_until_it_is() -> None:
    scene = Scene()
    scene.pass_s(3)
    scene.good.on_status(AdapterState.CONNECTING)
    scene.pass_s(4)
    good = scene.connections.look()[0]
    assert (good.was_ready, good.unready_s, good.state_s) == (False, 7.0, 4.0)
    scene.good.on_status(AdapterState.READY)
    scene.pass_s(5)
    good = scene.connections.look()[0]
    assert (good.was_ready, good.unready_s) == (True, 0.0)
    scene.good.on_status(AdapterState.LOST, "reset")
    scene.pass_s(2)
    scene.good.on_status(AdapterState.CONNECTING)
    scene.pass_s(2)
    good = scene.connections.look()[0]
    assert (good.was_ready, good.unready_s) == (True, 4.0)
