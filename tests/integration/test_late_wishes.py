"""A wish of which whoever asked was told that it failed is not carried out later; a kill always is."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.app.control_place import PATH
from foxtrot.app.loopback_http import HttpAnswer, HttpRequest, LoopbackHttp, json_answer
from foxtrot.core.clock import suspend_aware_ns
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import GateState
from tests.support.steered_platform import Steered, steered
from tests.support.waiting import wait_until

RESUME = {"ask": "resume", "who": "Ann", "why": "all is well"}
KILL = {"ask": "kill", "who": "Ann", "reason": "mad"}


@pytest.fixture
def killed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Steered]:
    with steered(tmp_path, capsys) as running:
        running.platform.kill("mad", "Ann")
        yield running


def hand(running: Steered, body: dict[str, object], *, awaited: bool = True) -> tuple[int, str]:
    request = HttpRequest("POST", PATH, {}, json.dumps(body).encode(), lambda: awaited)
    answer = running.server.handle(request)
    return answer.status, answer.body.decode()


def gate(running: Steered) -> GateState:
    return running.platform.ask(lambda: running.platform.line.gate.state)


def test_a_resume_that_comes_after_its_time_lifts_nothing(killed: Steered) -> None:
    status, text = hand(killed, {**RESUME, "until_ns": suspend_aware_ns() - 1})
    assert (status, "too late" in text) == (503, True)
    assert gate(killed) is GateState.HALTED
    assert hand(killed, {**KILL, "until_ns": 1}, awaited=False)[0] == 200, "a kill is wanted however late it comes"
    assert hand(killed, {**RESUME, "until_ns": suspend_aware_ns() + 10**10})[0] == 200
    wait_until(lambda: gate(killed) is GateState.ACTIVE)


def test_a_resume_for_whose_answer_nobody_listens_lifts_nothing(killed: Steered) -> None:
    status, text = hand(killed, RESUME, awaited=False)
    assert (status, "too late" in text) == (503, True)
    assert gate(killed) is GateState.HALTED


def test_a_resume_that_was_asked_before_a_standstill_ended_lifts_nothing(killed: Steered) -> None:
    asked_ns = suspend_aware_ns()
    killed.platform.permit.allow_until(suspend_aware_ns() - 1)
    status, text = hand(killed, {**RESUME, "asked_ns": asked_ns})
    assert (status, "stood still" in text) == (503, True)
    assert gate(killed) is GateState.HALTED
    assert hand(killed, {**RESUME, "asked_ns": suspend_aware_ns()})[0] == 200


def test_a_handler_can_tell_that_who_asked_has_hung_up() -> None:
    begun, gone, seen = threading.Event(), threading.Event(), list[bool]()

    def handler(request: HttpRequest) -> HttpAnswer:
        seen.append(request.is_awaited())
        begun.set()
        gone.wait(10)
        wait_until(lambda: not request.is_awaited())
        seen.append(request.is_awaited())
        return json_answer(200, "")

    server = LoopbackHttp("foxtrot-test", handler, Secret("token"))
    port = server.start(0)
    try:
        with socket.create_connection(("127.0.0.1", port)) as asker:
            asker.sendall(f"GET / HTTP/1.0\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer token\r\n\r\n".encode())
            assert begun.wait(10)
        gone.set()
        wait_until(lambda: len(seen) == 2)
    finally:
        assert server.stop() == ""
    assert seen == [True, False]
