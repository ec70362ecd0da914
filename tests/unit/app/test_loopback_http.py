"""The server for this machine alone: who is let in, what is refused, and that junk does not end it."""

import contextlib
import http.client
import socket
import threading
from collections.abc import Iterator
from random import Random

import msgspec
import pytest

from foxtrot.app.loopback_http import (
    LOCKED_S,
    MOST_AT_ONCE,
    MOST_BODY,
    WRONG_TOKENS,
    HttpAnswer,
    HttpRequest,
    LoopbackHttp,
    TokenDoor,
    json_answer,
)
from foxtrot.core.clock import ManualClock
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError
from tests.support.waiting import wait_until

TOKEN = "a-token-of-this-test"
GOOD = {"Authorization": f"Bearer {TOKEN}"}


class Rig:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.asked: list[HttpRequest] = []
        self.held = threading.Event()
        self.held.set()
        self.server = LoopbackHttp("foxtrot-test-http", self.answer, Secret(TOKEN), self.clock)
        self.port = self.server.start(0)

    def answer(self, request: HttpRequest) -> HttpAnswer:
        self.asked.append(request)
        assert self.held.wait(10)
        if request.path == "/fails":
            raise ValueError("a fault of ours")
        return json_answer(200, {"path": request.path, "body": request.body.decode()})

    def ask(
        self, method: str = "GET", path: str = "/", body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            link.request(method, path, body, GOOD if headers is None else headers)
            answer = link.getresponse()
            assert answer.getheader("Access-Control-Allow-Origin") is None
            return answer.status, answer.read()
        finally:
            link.close()

    def send_raw(self, data: bytes) -> bytes:
        found = []
        with (
            socket.create_connection(("127.0.0.1", self.port), timeout=10) as link,
            contextlib.suppress(ConnectionError),
        ):
            link.sendall(data)
            link.shutdown(socket.SHUT_WR)
            while more := link.recv(65536):
                found.append(more)
        return b"".join(found)


@pytest.fixture
def rig() -> Iterator[Rig]:
    made = Rig()
    yield made
    made.held.set()
    assert made.server.stop() == ""


def test_a_request_with_the_token_is_handed_on_whole(rig: Rig) -> None:
    assert rig.ask("GET", "/health?verbose=1") == (200, b'{"path":"/health","body":""}')
    assert rig.ask("POST", "/kill", b"{}") == (200, b'{"path":"/kill","body":"{}"}')
    assert rig.asked[1].headers["authorization"] == GOOD["Authorization"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer another"}, 401),
        ({"Authorization": "Bearer é".encode().decode("latin-1")}, 401),
        ({**GOOD, "Host": "evil.example"}, 403),
        ({**GOOD, "Host": "127.0.0.1:1"}, 403),
        ({**GOOD, "Origin": "http://127.0.0.1"}, 403),
        ({**GOOD, "Host": "localhost"}, 200),
    ],
)
def test_who_is_let_in(rig: Rig, headers: dict[str, str], status: int) -> None:
    found, body = rig.ask(headers=headers)
    assert found == status
    assert bool(rig.asked) is (status == 200)
    assert TOKEN.encode() not in body


def test_a_thousand_wrong_tokens_lock_the_door_for_a_while() -> None:
    clock = ManualClock()
    door = TokenDoor(Secret(TOKEN), clock)
    found = [door.refusal(f"Bearer {number}") for number in range(1_000)]
    assert found == [401] * (WRONG_TOKENS - 1) + [429] * (1_000 - WRONG_TOKENS + 1)
    assert door.refusal(GOOD["Authorization"]) == 429
    clock.advance(int(LOCKED_S * 1e9))
    assert door.refusal(GOOD["Authorization"]) == 0
    assert door.lockouts == 1


def test_the_lockout_is_told_over_the_wire_and_a_right_token_begins_the_count_anew(rig: Rig) -> None:
    for _ in range(WRONG_TOKENS - 1):
        assert rig.ask(headers={})[0] == 401
    assert rig.ask()[0] == 200
    for _ in range(WRONG_TOKENS):
        rig.ask(headers={})
    assert rig.ask()[0] == 429


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"POST / HTTP/1.1\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n", b"411"),
        (b"POST / HTTP/1.1\r\nContent-Length: %d\r\n" % (MOST_BODY + 1), b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n", b"413"),
        (b"POST / HTTP/1.1\r\nContent-Length: 9\r\n", b"400"),
        (b"DELETE / HTTP/1.1\r\n", b"501"),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n", b"414"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200, b"431"),
        (b"GET / HTTP/9.9\r\n", b"505"),
    ],
)
def test_what_is_no_proper_request_is_refused(rig: Rig, head: bytes, status: bytes) -> None:
    host = b"Host: 127.0.0.1\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
    answer = rig.send_raw(head + host)
    assert answer.split(b" ", 2)[1:2] == [status]
    assert rig.asked == []


def test_a_storm_of_malformed_frames_does_not_end_it(rig: Rig) -> None:
    random = Random(5)
    for _ in range(150):
        rig.send_raw(random.randbytes(random.randrange(1, 400)))
    assert rig.ask()[0] == 200


def test_a_handler_that_raises_costs_its_own_request_only(rig: Rig) -> None:
    assert rig.ask(path="/fails")[0] == 500
    assert rig.ask()[0] == 200


def test_more_connections_than_are_served_are_closed_and_slow_ones_are_ended(rig: Rig) -> None:
    links = [socket.create_connection(("127.0.0.1", rig.port), timeout=10) for _ in range(MOST_AT_ONCE + 1)]
    assert links[-1].recv(1) == b""
    rig.clock.advance(11_000_000_000)
    assert [link.recv(1) for link in links] == [b""] * len(links)
    for link in links:
        link.close()
    wait_until(lambda: not [one for one in threading.enumerate() if one.name.startswith("foxtrot-test-http-")])
    assert rig.ask()[0] == 200


def test_stopping_ends_open_connections_and_can_be_repeated() -> None:
    made = Rig()
    with socket.create_connection(("127.0.0.1", made.port), timeout=10) as link:
        wait_until(lambda: any(one.name == "foxtrot-test-http-1" for one in threading.enumerate()))
        assert made.server.stop() == ""
        assert link.recv(1) == b""
    assert made.server.stop() == ""
    with pytest.raises(ConnectionRefusedError):
        made.ask()


def test_a_stop_names_the_thread_that_overran() -> None:
    made = Rig()
    made.held.clear()
    asking = threading.Thread(
        target=lambda: made.send_raw(
            b"GET / HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer " + TOKEN.encode() + b"\r\n\r\n"
        )
    )
    asking.start()
    wait_until(lambda: bool(made.asked))
    made.server._clock.advance(1)  # type: ignore[attr-defined]
    assert made.server.stop(0.0) in ("foxtrot-test-http", "foxtrot-test-http-1")
    made.held.set()
    asking.join()


def test_a_port_that_is_taken_and_a_number_that_is_none_are_named(rig: Rig) -> None:
    with pytest.raises(ConfigError, match=rf"port {rig.port} of 127.0.0.1 cannot be had: .*; name another, or 0"):
        LoopbackHttp("foxtrot-second", rig.answer, Secret(TOKEN)).start(rig.port)
    with pytest.raises(ConfigError, match="port 70000"):
        LoopbackHttp("foxtrot-third", rig.answer, Secret(TOKEN)).start(70_000)


def test_a_server_without_a_token_is_refused() -> None:
    with pytest.raises(ConfigError, match="must not be empty"):
        LoopbackHttp("foxtrot-open", lambda _: json_answer(200, {}), Secret(""))


def test_an_answer_may_be_plain_text() -> None:
    assert HttpAnswer(200, "text/plain", b"x").body == b"x"
    assert msgspec.json.decode(json_answer(200, {"a": 1}).body) == {"a": 1}
