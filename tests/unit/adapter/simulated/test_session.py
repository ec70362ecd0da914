"""The simulated venue's session: its thread, its steps, its latency, and what happens when the venue breaks."""

import threading
from collections.abc import Iterator

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.adapter.simulated.session import NEVER_NS, SimulatedSession
from foxtrot.core.clock import ManualClock, SystemClock
from foxtrot.core.notices import AdapterStatus, BookLoaded, HistoryLoaded, OpenOrdersLoaded
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.errors import ConfigError, QueueClosed
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.exchange.commands import OpenAccount
from tests.support.recorder import Recorder
from tests.support.simulated_rig import SimulatedRig


@pytest.fixture
def rig() -> Iterator[SimulatedRig]:
    with SimulatedRig(threaded=True) as made:
        yield made


def test_a_venue_that_breaks_is_told_to_every_account_and_orders_after_it_are_denied(rig: SimulatedRig) -> None:
    rig.connect()
    _, other = rig.other_adapter()

    def break_down() -> None:
        raise ValueError("rotten wood")

    order = rig.order()
    rig.session.submit(break_down)
    rig.adapter.send_order(order)
    assert rig.adapter.close() == ""
    for heard in (rig.heard, other):
        failed = [status for status in heard.of(AdapterStatus) if status.state is AdapterState.FAILED]
        assert [status.cause for status in failed] == ["ValueError: rotten wood"]
    assert [report.status for report in rig.heard.reports(order.order_id)] == [OrderStatus.DENIED]


@pytest.mark.parametrize(
    "changes",
    [
        {"count": 2.5},
        {"count": None},
        {"count": "9"},
        {"interval": 5},
        {"interval": ""},
        {"end_ns": None},
        {"instrument_id": 7},
    ],
    ids=str,
)
def test_a_request_for_history_that_makes_no_sense_is_answered_and_breaks_nothing(
    rig: SimulatedRig, changes: dict[str, object]
) -> None:
    rig.connect()
    request = HistoryRequest("bad", rig.spot.instrument_id, "1m", 5, rig.clock.now_ns())
    rig.adapter.query_history(msgspec.structs.replace(request, **changes))
    rig.settle()
    (answer,) = rig.heard.of(HistoryLoaded)
    assert (answer.request_id, answer.bars, bool(answer.error)) == ("bad", (), True)
    rig.adapter.query_history(request)
    rig.settle()
    assert rig.heard.of(HistoryLoaded)[-1].error == ""


def test_a_request_for_a_book_that_makes_no_sense_is_answered_and_breaks_nothing(rig: SimulatedRig) -> None:
    rig.connect()
    rig.adapter.request_book("bad", rig.spot.instrument_id, "ten")  # type: ignore[arg-type]
    rig.settle()
    rig.adapter.request_book("good", rig.spot.instrument_id, 10)
    rig.settle()
    assert [(book.request_id, bool(book.error)) for book in rig.heard.of(BookLoaded)] == [
        ("bad", True),
        ("good", False),
    ]


def test_a_sink_that_takes_nothing_more_ends_the_session_without_a_trace(rig: SimulatedRig) -> None:
    rig.connect()

    def closed(event: object) -> None:
        raise QueueClosed("the engine has stopped")

    rig.heard.put = closed  # type: ignore[method-assign]
    rig.adapter.query_account()
    assert rig.adapter.close() == ""
    assert [name for name in rig.remains() if name == "simulated-io"] == []


def test_an_account_that_is_not_open_at_the_venue_fails_and_leaves_the_others_alone(rig: SimulatedRig) -> None:
    heard = Recorder()
    stranger = SimulatedAdapter(AdapterContext("stranger", heard, rig.permit, rig.clock, {}, {}), rig.session)
    rig.connect()
    stranger.connect()
    rig.settle()
    assert heard.states() == [AdapterState.CONNECTING, AdapterState.FAILED]
    assert "stranger" in heard.of(AdapterStatus)[-1].cause
    assert rig.heard.reports(rig.send())[-1].status is OrderStatus.ACCEPTED
    assert stranger.close() == ""


def test_the_venue_steps_by_itself_and_also_while_jobs_never_end() -> None:
    session = SimulatedSession(SystemClock(), threaded=True, step_ns=1_000_000)
    steps, stepped = 0, threading.Event()

    def count() -> None:
        nonlocal steps
        steps += 1
        if steps == 20:
            stepped.set()

    def go_on() -> None:
        if not stepped.is_set():
            session.submit(go_on)

    session.after_step.append(count)
    session.enter("a")
    session.submit(go_on)
    assert stepped.wait(5)
    assert session.leave("a", 5.0) == ""


def test_what_is_submitted_before_anybody_entered_is_done_first() -> None:
    session = SimulatedSession(SystemClock(), threaded=True)
    done: list[int] = []
    for number in range(3):
        session.submit(lambda number=number: done.append(number))
    assert done == []
    session.enter("a")
    assert session.leave("a", 5.0) == ""
    assert done == [0, 1, 2]


def test_a_new_thread_waits_for_one_that_overran() -> None:
    session = SimulatedSession(SystemClock(), threaded=True)
    release, order = threading.Event(), []
    session.enter("a")
    session.submit(lambda: order.append(release.wait(5)))
    assert session.leave("a", 0.01) == "simulated-io"
    session.enter("a")
    session.submit(lambda: order.append("second"))
    assert order == []
    release.set()
    assert session.leave("a", 5.0) == ""
    assert order == [True, "second"]


def test_the_thread_runs_as_long_as_any_account_is_in() -> None:
    session = SimulatedSession(SystemClock(), threaded=True)
    session.enter("a")
    session.enter("b")
    assert session.leave("a", 5.0) == ""
    done = threading.Event()
    session.submit(done.set)
    assert done.wait(5)
    assert session.leave("b", 5.0) == ""
    assert "simulated-io" not in {thread.name for thread in threading.enumerate()}


def test_an_instrument_that_is_not_listed_is_named(rig: SimulatedRig) -> None:
    assert rig.session.instrument(rig.spot.instrument_id) == rig.spot
    assert rig.session.find_instrument("NOPE.X") is None
    with pytest.raises(ConfigError, match=r"does not list NOPE\.X"):
        rig.session.instrument("NOPE.X")


def test_in_line_jobs_and_answers_each_take_the_latency_and_keep_their_order() -> None:
    clock = ManualClock(1_000)
    session = SimulatedSession(clock, threaded=False, latency_ns=10)
    session.execute(OpenAccount(1_000, "acc"))
    heard = Recorder()
    adapter = SimulatedAdapter(AdapterContext("acc", heard, SendPermit(), clock, {}, {}), session)
    adapter.connect()
    assert session.next_due_ns == 1_010
    clock.move_to(1_010)
    session.run_due(1_010)
    assert heard.events() == []
    assert session.next_due_ns == 1_020
    clock.move_to(1_020)
    session.run_due(1_020)
    assert heard.states() == [AdapterState.CONNECTING, AdapterState.CONNECTED, AdapterState.READY]
    kinds = [type(event) for event in heard.events()]
    assert kinds.index(AccountData) < kinds.index(OpenOrdersLoaded) < len(kinds) - 1
    assert isinstance(heard.events()[-1], AdapterStatus)
    assert session.next_due_ns == NEVER_NS
    assert adapter.close() == ""


def test_in_line_nothing_is_due_before_its_time() -> None:
    clock = ManualClock(0)
    session = SimulatedSession(clock, threaded=False, latency_ns=10)
    done: list[str] = []
    session.submit(lambda: done.append("first"))
    session.submit(lambda: done.append("second"))
    session.run_due(9)
    assert done == []
    session.run_due(10)
    assert done == ["first", "second"]
