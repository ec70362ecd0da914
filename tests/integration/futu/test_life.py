"""The life of a link to OpenD, with the real SDK and a tiny OpenD on loopback: made, refused, lost in every way, and closed."""

import asyncio
import random
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from loguru import logger

from foxtrot.adapter.base_adapter import Setting
from foxtrot.adapter.futu import reach
from foxtrot.adapter.futu.errors import NotLinked
from foxtrot.adapter.reconnect import Backoff
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import ConnectionLost
from tests.support import futu_stand_in as opend
from tests.support.futu_session_rig import BACKING_OFF, LOST, READY, SessionRig
from tests.support.futu_stand_in import FutuStandIn
from tests.support.waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.skipif(
    find_spec("futu") is None, reason="futu-api is not installed: pip install 'foxtrot[futu]'"
)


@pytest.fixture(autouse=True, scope="module")
def loaded() -> None:
    """Import the SDK before threads are counted."""
    from foxtrot.adapter.futu.sdk import load_sdk

    load_sdk(None)


@pytest.fixture
def server() -> Iterator[FutuStandIn]:
    made = FutuStandIn().start()
    yield made
    made.stop()


@pytest.fixture
def rig(server: FutuStandIn) -> Iterator[SessionRig]:
    with running(server.port) as made:
        yield made


@contextmanager
def running(port: int, environment: str = "", **settings: Setting) -> Iterator[SessionRig]:
    made = SessionRig(port, environment, **settings).start()
    yield made
    assert made.close() == ""
    assert made.ended == 1


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- made -----------------------------------------------------------------------------------------------------------


def test_both_contexts_are_connected_before_ready_and_the_accounts_pushes_asked_for(
    server: FutuStandIn, rig: SessionRig
) -> None:
    rig.wait_for(READY)
    assert rig.states() == [AdapterState.CONNECTING, AdapterState.CONNECTED, READY]
    assert len(server.connections) == 2
    assert server.pushed_accounts == [(1000001,)]
    assert {market: account.account_id for market, account in rig.session.accounts.items()} == {
        "HK": 1000001,
        "US": 1000001,
    }
    assert rig.session.linked


def test_its_threads_are_named(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    names = {thread.name for thread in threading.enumerate()}
    assert {"futu-io", "futu-quote", "futu-trade", "futu-beat", "futu-push", "futu-hands", "futu-sdk-network"} <= names
    assert not [name for name in names if re.match(r"Thread-\d+ \((run|_loop)\)", name)]


def test_its_parts_move_while_it_runs(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    assert [part.name for part in rig.session.parts()] == ["futu-io of life", "link of life"]
    assert [part.death() for part in rig.session.parts()] == ["", ""]


def test_messages_are_encrypted_with_the_key_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "key.pem"
    key = rsa.generate_private_key(65537, 1024)
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    server = FutuStandIn(str(file)).start()
    with running(server.port, encrypt=True, rsa_file=str(file)) as rig:
        rig.wait_for(READY)
        assert server.pushed_accounts == [(1000001,)]
        assert rig.lose(server.drop).endswith("RemoteClose")
    server.stop()


# --- not made -------------------------------------------------------------------------------------------------------


def test_while_nobody_listens_it_tries_on_says_so_and_is_there_when_opend_is() -> None:
    server = FutuStandIn()
    server.port = free_port()
    with running(server.port) as rig:
        cause = rig.wait_for(BACKING_OFF)
        assert f"nobody listens on 127.0.0.1:{server.port}" in cause
        assert "is OpenD running?" in cause
        wait_until(lambda: rig.states().count(BACKING_OFF) >= 3)
        server.start()
        rig.wait_for(READY)
    server.stop()


def test_a_port_that_listens_again_is_tried_long_before_the_pause_is_over() -> None:
    server = FutuStandIn()
    server.port = free_port()
    rig = SessionRig(server.port)
    rig.session.backoff = Backoff(random.Random(1), base_s=10_000.0, cap_s=10_000.0)
    rig.start()
    try:
        rig.wait_for(BACKING_OFF)
        server.start()
        rig.wait_for(READY)
        assert rig.session.backoff.attempt == 0, "what follows is another story"
    finally:
        assert rig.close() == ""
        server.stop()


def test_one_that_listens_again_and_does_not_answer_yet_is_asked_again_soon() -> None:
    server = FutuStandIn()
    server.port = free_port()
    server.refused[opend.INIT] = (-1, "not yet")
    rig = SessionRig(server.port)
    rig.session.backoff = Backoff(random.Random(1), base_s=0.01, cap_s=10_000.0)
    rig.session.backoff.attempt = 50
    rig.start()
    try:
        rig.wait_for(BACKING_OFF)
        server.start()
        wait_until(lambda: "not yet" in " ".join(cause for _, cause in rig.said))
        server.refused.clear()
        rig.wait_for(READY)
    finally:
        assert rig.close() == ""
        server.stop()


def test_a_port_that_listens_but_refuses_waits_its_pause_out(server: FutuStandIn) -> None:
    server.refused[opend.INIT] = (-1, "not yet")
    rig = SessionRig(server.port)
    rig.session.backoff = Backoff(random.Random(1), base_s=10_000.0, cap_s=10_000.0)
    rig.start()
    try:
        rig.wait_for(BACKING_OFF)
        wait_until(lambda: server.taken >= 6)  # probes of the port
        assert server.asked.count(opend.INIT) <= 2, "both contexts, once"
        assert rig.states().count(BACKING_OFF) == 1
    finally:
        assert rig.close() == ""


def test_a_name_that_is_none_is_told_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str) -> str:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(reach, "look_up", unknown)
    with running(1, host="opend.invalid") as rig:
        assert "host 'opend.invalid' has no IPv4 address" in rig.wait_for(BACKING_OFF)
        wait_until(lambda: rig.states().count(BACKING_OFF) >= 2)


def test_a_name_that_nobody_answers_for_holds_nothing_up(monkeypatch: pytest.MonkeyPatch) -> None:
    free = threading.Event()

    def hang(host: str) -> str:
        free.wait(10.0)
        raise OSError("too late")

    monkeypatch.setattr(reach, "look_up", hang)
    monkeypatch.setattr(reach, "LOOK_S", 0.2)
    try:
        with running(1, host="slow.invalid") as rig:
            assert "was not found in 0.2 s" in rig.wait_for(BACKING_OFF)
    finally:
        free.set()


def test_a_name_is_looked_up_and_the_sdk_given_its_dotted_address(server: FutuStandIn) -> None:
    with running(server.port, host="localhost") as rig:
        rig.wait_for(READY)


def test_a_refused_introduction_is_told_in_opends_words_and_tried_again(server: FutuStandIn) -> None:
    server.refused[opend.INIT] = (-1, "client version too low")
    with running(server.port) as rig:
        assert "client version too low" in rig.wait_for(BACKING_OFF)
        wait_until(lambda: rig.states().count(BACKING_OFF) >= 2)
        server.refused.clear()
        rig.wait_for(READY)


@pytest.mark.slow
def test_an_opend_that_does_not_answer_is_told_and_tried_again(server: FutuStandIn) -> None:
    server.muted.add(opend.INIT)
    with running(server.port, mute_after_s=1.0) as rig:
        assert "took the connection and said nothing for 1 s" in rig.wait_for(BACKING_OFF)
        wait_until(lambda: len(server.connections) == 0)
        server.muted.clear()
        rig.wait_for(READY)


def test_closing_works_at_once_while_the_introduction_is_not_answered(server: FutuStandIn) -> None:
    server.muted.add(opend.INIT)
    rig = SessionRig(server.port, mute_after_s=30.0).start()
    wait_until(lambda: server.asked.count(opend.INIT) == 2)
    assert rig.close(deadline_s=2.0) == ""


@pytest.mark.parametrize("host", ["127.0.0.1", "nobody.invalid"])
def test_closing_works_at_once_while_there_is_nobody(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    free = threading.Event()
    monkeypatch.setattr(reach, "look_up", lambda name: str(free.wait(5.0)))
    rig = SessionRig(free_port(), host=host).start()
    rig.wait_for(AdapterState.CONNECTING)
    assert rig.close(deadline_s=2.0) == ""
    free.set()


def test_an_account_that_is_not_listed_is_told_with_those_that_are_and_not_tried_again(server: FutuStandIn) -> None:
    with running(server.port, account_id=5) as rig:
        cause = rig.wait_for(AdapterState.FAILED)
        assert "no simulate account with account_id = 5 trades HK; OpenD lists 1000001" in cause
        assert "it is not tried again" in cause
        wait_until(lambda: len(server.connections) == 0)
        assert [part.death() for part in rig.session.parts()] == ["", ""]


def test_real_money_needs_a_real_account(server: FutuStandIn) -> None:
    server.accounts.append((281756000000000001, True, (1, 2)))
    with running(server.port, "real") as rig:
        rig.wait_for(READY)
        assert server.pushed_accounts == [(281756000000000001,)]


# --- lost -----------------------------------------------------------------------------------------------------------


def test_a_connection_that_is_ended_is_told_once_and_made_anew(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    assert rig.lose(server.drop) == "the connection is gone: RemoteClose"
    assert rig.losses == 1
    assert rig.opened == 2
    assert rig.states() == [
        AdapterState.CONNECTING, AdapterState.CONNECTED, READY,
        LOST, BACKING_OFF, AdapterState.CONNECTING, AdapterState.CONNECTED, READY,
    ]  # fmt: skip
    assert len(server.connections) == 2


def test_a_connection_that_is_reset_is_told_and_made_anew(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    assert rig.lose(server.abort).startswith("the connection is gone: ")
    assert rig.losses == 1


@pytest.mark.slow
def test_an_opend_that_falls_silent_is_found_and_its_connection_made_anew(
    server: FutuStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("foxtrot.adapter.futu.dialling.BEAT_S", 0.05)
    with running(server.port, mute_after_s=1.0) as rig:
        rig.wait_for(READY)
        mark = len(rig.said)
        server.muted.add(opend.STATE)
        assert "said nothing for 1 s" in rig.wait_for(LOST, mark)
        server.muted.clear()
        rig.wait_for(READY, mark)


def test_one_that_was_away_is_there_again_soon_after_it_listens(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    server.stop()
    wait_until(lambda: rig.states().count(BACKING_OFF) >= 3)
    mark = len(rig.said)
    server.start()
    rig.wait_for(READY, mark)
    assert rig.losses == 1


def test_an_opend_that_lost_its_own_way_up_is_told_and_believed_when_it_is_back(
    server: FutuStandIn, rig: SessionRig
) -> None:
    rig.wait_for(READY)
    mark = len(rig.said)
    server.tell_upstream(False, True)
    assert rig.wait_for(LOST, mark) == "OpenD is not logged in to Futu's quote server"
    wait_until(lambda: len(rig.said) == mark + 2)
    assert not rig.session.linked
    server.tell_upstream(True, False)
    wait_until(lambda: "OpenD is not logged in to Futu's trade server" in [cause for _, cause in rig.said[mark:]])
    server.tell_upstream(True, True)
    rig.wait_for(READY, mark)
    assert len(server.connections) == 2
    assert server.asked.count(opend.INIT) == 2, "the sockets stayed"


def test_an_opend_that_is_not_logged_in_yet_is_waited_for(server: FutuStandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foxtrot.adapter.futu.dialling.BEAT_S", 0.05)
    server.logged_in = (False, False)
    with running(server.port) as rig:
        wait_until(
            lambda: "OpenD is not logged in to Futu's quote and trade server" in [cause for _, cause in rig.said]
        )
        assert READY not in rig.states()
        server.logged_in = (True, True)
        rig.wait_for(READY)


def test_a_connection_that_goes_while_opend_is_not_logged_in_is_made_anew(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    mark = len(rig.said)
    server.tell_upstream(False, False)
    rig.wait_for(LOST, mark)
    server.logged_in = (True, True)
    server.drop()
    rig.wait_for(READY, mark)
    assert rig.losses == 1


def test_a_fault_of_ours_costs_the_link_and_not_the_session(server: FutuStandIn) -> None:
    class Faulty(SessionRig):
        async def open_link(self) -> None:
            await super().open_link()
            if self.opened == 1:
                raise RuntimeError("a fault of ours")

    async def fail() -> None:
        raise RuntimeError("another one")

    rig = Faulty(server.port).start()
    try:
        assert rig.wait_for(LOST) == "RuntimeError: a fault of ours"
        rig.wait_for(READY)
        cause = rig.lose(lambda: rig.session.call_soon(lambda: rig.session.run(fail(), "something")))
        assert cause == "something failed: another one"
    finally:
        assert rig.close() == ""


def test_the_supervisors_wish_for_a_new_link_is_followed(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    cause = rig.lose(lambda: rig.session.call_soon(lambda: rig.session.lose("the process stood still")))
    assert cause == "the process stood still"


# --- calls ----------------------------------------------------------------------------------------------------------


def ask(rig: SessionRig, kind: str) -> "asyncio.Future[Any]":
    """Ask for the accounts in a kind of call, from the test's thread."""
    session = rig.session
    pack = session.sdk.request("GetAccountList")
    arguments = {"trd_category": session.sdk.futu.TrdCategory.SECURITY, "need_general_sec_acc": True, "user_id": 7}
    return session.bridge.submit(session.trade(kind, lambda context: context.ask(pack, **arguments)))  # type: ignore[return-value]


def test_a_call_gives_the_answer_as_it_is(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    answer = ask(rig, "accounts").result(5.0)  # type: ignore[call-arg]
    assert [row.accID for row in answer.accList] == [1000001]


def test_what_the_sdks_own_methods_return_is_taken_apart(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    session = rig.session
    table = session.bridge.submit(session.trade("accounts", lambda context: context.get_acc_list())).result(5.0)
    assert list(table["acc_id"]) == [1000001]


def test_a_call_in_flight_ends_with_the_connection_and_its_outcome_is_unknown(
    server: FutuStandIn, rig: SessionRig
) -> None:
    rig.wait_for(READY)
    server.muted.add(opend.ACCOUNTS)
    asked = server.asked.count(opend.ACCOUNTS)
    waiting, behind = ask(rig, "accounts"), ask(rig, "accounts")
    wait_until(lambda: server.asked.count(opend.ACCOUNTS) > asked)
    server.muted.clear()
    server.drop()
    with pytest.raises(ConnectionLost) as cut:
        waiting.result(5.0)  # type: ignore[call-arg]
    assert not isinstance(cut.value, NotLinked)
    with pytest.raises(NotLinked):
        behind.result(5.0)  # type: ignore[call-arg]


def test_an_order_does_not_wait_behind_a_question_that_is_not_answered(server: FutuStandIn, rig: SessionRig) -> None:
    rig.wait_for(READY)
    server.muted.add(opend.ACCOUNTS)
    question = ask(rig, "accounts")
    wait_until(lambda: server.asked.count(opend.ACCOUNTS) == 2)
    session = rig.session
    placed = session.bridge.submit(session.trade("place", lambda context: (0, "placed")))
    assert placed.result(5.0) == "placed"
    assert not question.done()


def test_without_a_connection_nothing_leaves() -> None:
    with running(free_port()) as rig:
        rig.wait_for(BACKING_OFF)
        session = rig.session
        asked = session.bridge.submit(session.trade("place", lambda context: (0, "placed")))
        with pytest.raises(NotLinked):
            asked.result(5.0)


# --- pushes ---------------------------------------------------------------------------------------------------------


def ticker() -> Any:
    push = opend.message("Qot_UpdateTicker")
    push.retType = 0
    push.s2c.security.market, push.s2c.security.code = 1, "00700"
    row = push.s2c.tickerList.add()
    row.time, row.sequence, row.dir, row.price, row.volume, row.turnover = (
        "2026-11-27 10:00:00",
        5,
        1,
        410.2,
        100,
        41020.0,
    )
    return push


def test_pushes_come_as_they_are_on_the_sdks_thread_and_one_that_fails_does_not_end_the_next(
    server: FutuStandIn,
) -> None:
    heard: list[tuple[str, float]] = []

    def hear(push: Any) -> None:
        heard.append((threading.current_thread().name, push.tickerList[0].price))
        if len(heard) == 1:
            raise ValueError("a fault of ours")

    lines: list[str] = []
    sink = logger.add(lambda line: lines.append(str(line)), level="ERROR")
    rig = SessionRig(server.port)
    rig.session.on_push["ticker"] = hear
    rig.start()
    try:
        rig.wait_for(READY)
        server.push(3011, ticker())
        server.push(3011, ticker())
        wait_until(lambda: len(heard) == 2)
        assert heard == [("futu-push", 410.2)] * 2
        assert len([line for line in lines if "a fault of ours" in line]) == 1
    finally:
        logger.remove(sink)
        assert rig.close() == ""


# --- closed ---------------------------------------------------------------------------------------------------------


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.slow
def test_a_hundred_lives_leave_no_thread_and_no_socket(server: FutuStandIn) -> None:
    before, files = set(threading.enumerate()), open_files()
    for _ in range(100):
        rig = SessionRig(server.port).start()
        rig.wait_for(READY)
        assert rig.close() == ""
    wait_until(lambda: not server.connections)
    assert [thread.name for thread in threading.enumerate() if thread not in before] == []
    assert open_files() <= files


LIFE = """
import sys
from tests.support.futu_session_rig import READY, SessionRig
rig = SessionRig(int(sys.argv[1])).start()
rig.wait_for(READY)
if sys.argv[2] == "close":
    assert rig.close() == ""
print("done", flush=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", ["close", "leave"])
def test_the_process_ends_by_itself_also_when_nobody_closed_it(server: FutuStandIn, how: str, tmp_path: Path) -> None:
    environment = {"HOME": str(tmp_path), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(REPOSITORY)}
    with subprocess.Popen(
        [sys.executable, "-c", LIFE, str(server.port), how],
        cwd=REPOSITORY, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "done\n", process.stderr.read()
        assert process.wait(2.0) == 0
        assert process.stderr.read() == ""
    assert list(tmp_path.iterdir()) == []
