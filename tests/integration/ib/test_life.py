"""The life of a link to TWS with the real ibapi and a tiny TWS on loopback: lost in every way, cut off from IB, and closed."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from foxtrot.adapter.ib import life
from foxtrot.adapter.ib.errors import NotLinked, NotSent
from foxtrot.core.clock import SystemClock
from foxtrot.domain.errors import ConnectionLost, RequestTimedOut, VenueRejected
from tests.support.ib_raw_server import IbRawServer, RawClient
from tests.support.ib_session_rig import CONNECTED, CONNECTING, FAILED, LOST, READY, SessionRig
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")


@pytest.fixture
def server() -> Iterator[IbRawServer]:
    made = IbRawServer().start()
    yield made
    made.stop()


@contextmanager
def running(port: int, **settings: Any) -> Iterator[SessionRig]:
    made = SessionRig(port, **settings).start()
    try:
        yield made
    finally:
        overran = made.close()
    assert overran == ""
    assert made.ended == 1


@pytest.fixture
def rig(server: IbRawServer) -> Iterator[SessionRig]:
    with running(server.port) as made:
        made.wait_for(READY)
        yield made


def open_files() -> int:
    """How many files and sockets the process has open; 0 where the system does not tell."""
    folder = Path("/proc/self/fd")
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def ib_threads() -> list[str]:
    return sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("ib-"))


# --- made and closed ------------------------------------------------------------------------------------------------


def test_the_states_are_told_in_their_order_and_the_user_is_brought_up_to_date_before_ready(rig: SessionRig) -> None:
    assert rig.states() == [CONNECTING, CONNECTED, READY]
    assert rig.opened == 1


def test_a_hundred_connections_leave_no_thread_and_no_socket(server: IbRawServer) -> None:
    before, files = ib_threads(), open_files()
    with running(server.port) as rig:
        rig.wait_for(READY)
    for _ in range(100):
        with running(server.port) as rig:
            rig.wait_for(READY)
    wait_until(lambda: all(client.gone for client in server.clients))
    for client in server.clients:
        client.thread.join(5)
    assert ib_threads() == before
    if files:
        assert open_files() <= files + 1


def test_a_session_is_closed_in_the_middle_of_everything(server: IbRawServer) -> None:
    server.mute = True
    with running(server.port):
        wait_until(lambda: bool(server.clients))
    server.mute = False
    with running(server.port) as rig:
        rig.wait_for(CONNECTING)
    with running(server.port) as rig:
        rig.wait_for(READY)
        rig.session.call_soon(
            lambda: rig.session.run(rig.session.tell("never", lambda client: client.reqIds(1)), "never")
        )


def test_a_session_that_was_closed_tells_nothing_more(server: IbRawServer) -> None:
    with running(server.port) as rig:
        rig.wait_for(READY)
    said = list(rig.said)
    server.client.tell(4, 2, -1, 1100, "too late")
    assert rig.said == said


# --- lost -----------------------------------------------------------------------------------------------------------


def test_the_link_is_back_after_it_was_closed_or_reset(server: IbRawServer, rig: SessionRig) -> None:
    assert "closed the connection" in rig.lose(server.client.fin)
    assert "connection" in rig.lose(server.client.rst)
    assert rig.told == ["cut", "lost"] * 2
    assert rig.opened == 3


def test_a_tws_that_falls_silent_is_found_by_our_own_clock(server: IbRawServer) -> None:
    with running(server.port, mute_after_s=1.0) as rig:
        rig.wait_for(READY)
        server.tells_time = False

        def speak_again() -> None:
            rig.wait_for(LOST)
            server.tells_time = True

        assert "said nothing for 1 s" in rig.lose(speak_again)


def test_what_an_old_link_still_hands_over_is_not_heard(server: IbRawServer) -> None:
    heard: list[Any] = []
    rig = SessionRig(server.port)
    rig.session.hear_on_loop("orderStatus", lambda *told: heard.append(told))
    rig.start()
    rig.wait_for(READY)
    old = rig.session.dialling.link
    assert old is not None
    rig.lose(server.client.fin)
    assert old.wrapper.deaf  # also for what is heard on ib-run
    old.wrapper.deaf = False  # as if it had been handed over a moment before
    old.wrapper.orderStatus(5, "Filled")
    new = rig.session.dialling.link
    assert new is not None
    new.wrapper.orderStatus(6, "Filled")
    wait_until(lambda: heard == [(6, "Filled")])
    assert rig.close() == ""


def test_what_is_asked_fails_at_once_when_the_link_is_lost(server: IbRawServer, rig: SessionRig) -> None:
    asked = [
        rig.session.bridge.submit(rig.session.ask("x", lambda client, number: client.reqMatchingSymbols(number, "A"))),
        rig.session.bridge.submit(
            rig.session.ask_all("y", lambda client: client.reqPositions(), ("position",), "positionEnd")
        ),
    ]
    wait_until(lambda: bool(server.client.messages(81) and server.client.messages(61)))
    rig.lose(server.client.fin)
    for one in asked:
        with pytest.raises(ConnectionLost):
            one.result(10)


def test_a_list_that_is_cancelled_before_it_leaves_is_never_asked_for_and_owes_no_end(
    server: IbRawServer, rig: SessionRig
) -> None:
    def answer(client: RawClient, fields: list[str]) -> None:
        if fields[0] == "61":
            client.tell(62, 1)

    def positions() -> Any:
        return rig.session.ask_all("y", lambda client: client.reqPositions(), ("position",), "positionEnd", 2.0)

    server.on_message = answer
    begun, freed = threading.Event(), threading.Event()
    worker = rig.session.present("y")._send
    busy = rig.session.bridge.submit(worker.run(lambda: (begun.set(), freed.wait(10))))
    assert begun.wait(10)
    cancelled = rig.session.bridge.submit(positions())
    wait_until(lambda: bool(worker._jobs))
    cancelled.cancel()
    wait_until(lambda: not rig.session.asks._by_end)
    freed.set()
    busy.result(10)
    assert rig.do(positions) == []
    assert len(server.client.messages(61)) == 1


def test_a_question_that_is_refused_fails_by_our_class_and_a_notice_with_its_id_ends_nothing(
    server: IbRawServer, rig: SessionRig
) -> None:
    def answer(client: RawClient, fields: list[str]) -> None:
        if fields[0] == "81":
            client.tell(4, 2, fields[1], 2104, "a notice")
            client.tell(4, 2, fields[1], 200, "No security definition has been found for the request")

    server.on_message = answer
    with pytest.raises(VenueRejected, match="ib 200: No security definition"):
        rig.do(lambda: rig.session.ask("x", lambda client, number: client.reqMatchingSymbols(number, "A")))


def test_a_question_without_an_answer_times_out_and_what_comes_later_is_nobodys(server: IbRawServer) -> None:
    heard: list[Any] = []
    rig = SessionRig(server.port)
    rig.session.hear_on_loop("symbolSamples", lambda *told: heard.append(told))
    rig.start()
    rig.wait_for(READY)
    with pytest.raises(RequestTimedOut):
        rig.do(lambda: rig.session.ask("x", lambda client, number: client.reqMatchingSymbols(number, "A"), 0.2))
    number = server.client.messages(81)[0][1]
    server.client.tell(79, number, 0)
    answer = rig.session.bridge.submit(
        rig.session.ask("x", lambda client, other: client.reqMatchingSymbols(other, "B"))
    )
    wait_until(lambda: len(server.client.messages(81)) == 2)
    server.client.tell(79, server.client.messages(81)[1][1], 0)
    assert answer.result(10) == [([],)]
    assert heard == []
    assert rig.close() == ""


def test_a_link_that_is_lost_while_it_is_opened_is_made_again(server: IbRawServer) -> None:
    server.on_message = lambda client, fields: client.fin() if fields[0] == "71" and len(server.clients) < 3 else None
    with running(server.port) as rig:
        wait_until(lambda: len(server.clients) >= 3)
        wait_until(lambda: rig.states()[-1] is READY)


# --- TWS's own line to IB -------------------------------------------------------------------------------------------


def test_after_1100_orders_are_heard_nothing_is_asked_and_1102_brings_everything_up_to_date_over_the_same_socket(
    server: IbRawServer,
) -> None:
    heard: list[str] = []
    rig = SessionRig(server.port)
    rig.session.hear_on_loop("orderStatus", lambda *told: heard.append(str(told[1])))
    rig.start()
    rig.wait_for(READY)
    mark = len(rig.said)
    server.client.tell(4, 2, -1, 1100, "Connectivity between IB and Trader Workstation has been lost.")
    assert "1100" in rig.wait_for(LOST, mark)
    assert "1100" in rig.wait_for(CONNECTING, mark)
    assert rig.told == ["cut"]
    server.client.tell(3, 5, "Submitted", 0, 100, 0, 77, 0, 0, 1, "", 0)
    wait_until(lambda: heard == ["Submitted"])
    with pytest.raises(NotLinked):
        rig.do(lambda: rig.session.tell("x", lambda client: client.reqIds(1)))
    server.client.tell(4, 2, -1, 1102, "Connectivity has been restored - data maintained.")
    rig.wait_for(READY, mark)
    assert rig.told == ["cut"]
    assert rig.opened == 2
    assert len(server.clients) == 1
    assert rig.close() == ""


def test_1101_tells_that_the_streams_are_gone_before_everything_is_brought_up_to_date(
    server: IbRawServer, rig: SessionRig
) -> None:
    mark = len(rig.said)
    server.client.tell(4, 2, -1, 1100, "lost")
    rig.wait_for(LOST, mark)
    server.client.tell(4, 2, -1, 1101, "restored - data lost.")
    rig.wait_for(READY, mark)
    assert rig.told == ["cut", "data lost"]
    assert rig.opened == 2
    assert len(server.clients) == 1


def test_1101_without_a_1100_is_believed_as_well(server: IbRawServer, rig: SessionRig) -> None:
    mark = len(rig.said)
    server.client.tell(4, 2, -1, 1101, "restored - data lost.")
    rig.wait_for(READY, mark)
    assert sorted(rig.told) == ["cut", "data lost"]
    assert rig.opened == 2


def test_2110_cuts_as_1100_and_the_farms_notices_cost_nothing(server: IbRawServer, rig: SessionRig) -> None:
    for code in (2103, 2104, 2105, 2106, 2107, 2108, 2119, 2157, 2158):
        server.client.tell(4, 2, -1, code, "a notice")
    mark = len(rig.said)
    server.client.tell(4, 2, -1, 2110, "Connectivity between TWS and server is broken.")
    assert "2110" in rig.wait_for(LOST, mark)
    server.client.tell(4, 2, -1, 1102, "restored")
    rig.wait_for(READY, mark)
    assert len(server.clients) == 1


def test_a_socket_that_goes_while_tws_is_cut_off_is_made_again_and_the_new_one_is_not_cut_off(
    server: IbRawServer, rig: SessionRig
) -> None:
    server.client.tell(4, 2, -1, 1100, "lost")
    rig.wait_for(LOST)
    mark = len(rig.said)
    server.client.fin()
    rig.wait_for(READY, mark)
    assert rig.told == ["cut", "lost"]


def test_another_port_is_dialled_when_tws_says_so(server: IbRawServer, rig: SessionRig) -> None:
    other = IbRawServer().start()
    try:
        text = f"TWS socket port has been reset and this connection is being dropped. Please reconnect on the new port - {other.port}"
        server.client.tell(4, 2, -1, 1300, text)
        wait_until(lambda: bool(other.clients))
        rig.wait_for(READY, len(rig.said) - 1)
    finally:
        other.stop()
    mark = len(rig.said)
    wait_until(lambda: len(server.clients) == 2)
    rig.wait_for(READY, mark)


# --- who we are -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accounts", "environment", "settings", "words"),
    [
        ("DU1,DU2", "paper", {}, "2 accounts, DU1, DU2"),
        ("DU1,DU2", "paper", {"account": "DU3"}, '"DU3" is not of this login'),
        ("", "paper", {}, "0 accounts"),
        ("DU1", "live", {}, "DU1 is a paper account"),
        ("U1", "paper", {}, "U1 is a live account"),
    ],
)
def test_an_account_that_does_not_fit_is_told_with_the_fix_and_not_tried_again(
    server: IbRawServer, accounts: str, environment: str, settings: dict[str, Any], words: str
) -> None:
    server.accounts = accounts
    with running(server.port, environment=environment, **settings) as rig:
        assert words in rig.wait_for(FAILED)
        assert len(server.clients) == 1


def test_one_of_several_accounts_is_chosen(server: IbRawServer) -> None:
    server.accounts = "DU1,DU2,"
    with running(server.port, account="DU2") as rig:
        rig.wait_for(READY)
        assert (rig.session.account_id, rig.session.account_ids) == ("DU2", ("DU1", "DU2"))


def test_an_id_that_was_used_is_never_used_again_whatever_tws_says_after_its_restart(
    server: IbRawServer, tmp_path: Path
) -> None:
    server.next_id = 38_103
    with running(server.port, home=tmp_path) as rig:
        rig.wait_for(READY)
        used = [rig.on_loop(rig.session.ids.take) for _ in range(5)]
        assert used == list(range(38_103, 38_108))
        server.next_id = 38_099
        rig.lose(server.client.fin)
        used.append(rig.on_loop(rig.session.ids.take))
    with running(server.port, home=tmp_path) as rig:
        rig.wait_for(READY)
        used.append(rig.on_loop(rig.session.ids.take))
    assert used == sorted(set(used))
    with running(server.port, home=tmp_path, client_id=9) as rig:  # ids belong to a client id
        rig.wait_for(READY)
        assert rig.on_loop(rig.session.ids.take) == 38_099


def test_ids_of_a_process_that_was_killed_are_not_used_again(server: IbRawServer, tmp_path: Path) -> None:
    with running(server.port, home=tmp_path) as rig:
        rig.wait_for(READY)
        used = rig.on_loop(rig.session.ids.take)
        kept = (tmp_path / "ib" / "DU1000001-1.json").read_bytes()  # as it is when the process is killed now
    (tmp_path / "ib" / "DU1000001-1.json").write_bytes(kept)
    with running(server.port, home=tmp_path) as rig:
        rig.wait_for(READY)
        assert rig.on_loop(rig.session.ids.take) > used


# --- the nightly reset ----------------------------------------------------------------------------------------------


class DayClock(SystemClock):
    """A clock whose time of day is set, while time passes as it does."""

    def __init__(self, now_ns: int) -> None:
        self.set_ns = now_ns

    def now_ns(self) -> int:
        return self.set_ns


def test_no_order_leaves_in_the_reset_window_and_the_account_is_brought_up_to_date_after_it(
    server: IbRawServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(life, "LOOK_S", 0.05)
    day_ns, minute_ns = 1_795_824_000_000_000_000, 60_000_000_000  # 2026-11-28 00:00 UTC
    clock = DayClock(day_ns)
    with running(server.port, clock=clock, reset_window="00:30-01:30 UTC") as rig:
        rig.wait_for(READY)

        def place() -> None:
            contract, order = rig.session.sdk.Contract(), rig.session.sdk.Order()
            rig.do(lambda: rig.session.send_order(5, contract, order, lambda go: rig.permit.send(go, reduces=True)))

        place()
        clock.set_ns = day_ns + 29 * minute_ns - 1
        place()
        clock.set_ns = day_ns + 29 * minute_ns
        with pytest.raises(NotSent, match="resets its servers"):
            place()
        rig.do(lambda: rig.session.cancel_order(5))  # cancels leave at any time
        wait_until(lambda: bool(server.client.messages(4)))
        clock.set_ns = day_ns + 90 * minute_ns - 1
        with pytest.raises(NotSent, match="resets its servers"):
            place()
        assert rig.opened == 1
        assert rig.states()[-1] is READY
        clock.set_ns = day_ns + 90 * minute_ns
        wait_until(lambda: rig.opened == 2)
        place()
        assert rig.states() == [CONNECTING, CONNECTED, READY]
        wait_until(lambda: len(server.client.messages(3)) == 3)


def test_after_a_reset_nothing_leaves_until_the_account_is_brought_up_to_date(server: IbRawServer) -> None:
    day_ns, minute_ns = 1_795_824_000_000_000_000, 60_000_000_000
    clock = DayClock(day_ns + 40 * minute_ns)
    with running(server.port, clock=clock, reset_window="00:30-01:30 UTC") as rig:
        rig.wait_for(READY)
        clock.set_ns = day_ns + 100 * minute_ns
        with pytest.raises(NotSent, match="until the account is reconciled"):
            rig.do(lambda: rig.session.send_order(5, None, None, lambda go: rig.permit.send(go, reduces=True)))
        rig.lose(server.client.fin)
        assert rig.session.reset_refusal() == ""


def test_a_read_only_account_sends_no_order_and_no_cancel(server: IbRawServer) -> None:
    with running(server.port, read_only=True) as rig:
        rig.wait_for(READY)
        with pytest.raises(NotSent, match="read_only"):
            rig.do(lambda: rig.session.send_order(5, None, None, lambda go: rig.permit.send(go, reduces=True)))
        with pytest.raises(NotSent, match="read_only"):
            rig.do(lambda: rig.session.cancel_order(5))
        assert server.client.messages(3) == server.client.messages(4) == []
