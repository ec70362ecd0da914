"""Our socket in place of ibapi's, on a pair of sockets: what it sends, what it reads, and how it closes."""

import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from foxtrot.adapter.ib.connection import LONGEST_HELLO, Outgoing, SafeConnection
from foxtrot.core.send_permit import SendPermit
from tests.support.waiting import wait_until


class Pair:
    """A connection whose other end is in our hands."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.connection = SafeConnection("127.0.0.1", self.listener.getsockname()[1])
        self.closings: list[str] = []
        self.connection.on_closed = lambda: self.closings.append(self.connection.cause)
        self.connection.connect()
        self.other, _ = self.listener.accept()

    def greet(self) -> None:
        self.other.sendall(frame(b"157\0now\0"))
        assert self.connection.recvMsg() == frame(b"157\0now\0")

    def end(self) -> None:
        self.connection.disconnect("the end")
        self.other.close()
        self.listener.close()


def frame(body: bytes) -> bytes:
    return struct.pack("!I", len(body)) + body


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.end()


# --- reading --------------------------------------------------------------------------------------------------------


def test_the_handshake_is_read_frame_by_frame_and_nothing_behind_it_is_lost(pair: Pair) -> None:
    news, reply, behind = frame(b"4\0002\0x\0y\0"), frame(b"157\0now\0"), frame(b"9\0001\0007\0")
    pair.other.sendall(news + reply + behind)
    assert pair.connection.recvMsg() == news
    assert pair.connection.recvMsg() == reply
    assert pair.connection.recvMsg() == behind


def test_a_full_buffer_and_then_silence_is_handed_over_at_once(pair: Pair) -> None:
    pair.greet()
    pair.other.sendall(b"x" * 4096)
    found = b""
    while len(found) < 4096:
        found += pair.connection.recvMsg()
    assert found == b"x" * 4096


def test_silence_is_no_loss(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    pair.greet()
    assert pair.connection.socket is not None
    pair.connection.socket.settimeout(0.01)
    assert pair.connection.recvMsg() == b""
    assert pair.connection.isConnected()


def test_the_end_and_a_break_are_losses_with_their_cause_told_once(pair: Pair) -> None:
    pair.greet()
    pair.other.close()
    assert pair.connection.recvMsg() == b""
    assert not pair.connection.isConnected()
    pair.connection.disconnect("later")
    assert pair.closings == ["TWS has closed the connection"]
    assert pair.connection.recvMsg() == b""


def test_what_is_no_tws_is_given_up(pair: Pair) -> None:
    pair.other.sendall(struct.pack("!I", LONGEST_HELLO + 1))
    assert pair.connection.recvMsg() == b""
    assert "no TWS" in pair.closings[0]


# --- sending --------------------------------------------------------------------------------------------------------


def test_a_message_larger_than_all_buffers_arrives_whole_and_the_permit_is_asked_for_its_beginning_alone(
    pair: Pair,
) -> None:
    permit, asked = SendPermit(), [0]
    message = bytes(range(256)) * 40_000

    def check(go: object) -> bool:
        asked[0] += 1
        return permit.send(go, reduces=False)  # type: ignore[arg-type]

    outgoing = pair.connection.outgoing = Outgoing(check)
    found = bytearray()

    def read() -> None:
        while len(found) < len(message):
            if asked[0]:
                permit.close("when it has begun")
            found.extend(pair.other.recv(1_000_000))

    reader = threading.Thread(target=read)
    reader.start()
    assert pair.connection.sendMsg(message) == len(message)
    reader.join(10)
    assert bytes(found) == message
    assert (outgoing.whole, outgoing.begun, outgoing.refused) == (True, True, False)
    assert asked[0] == 1


def test_a_closed_permit_lets_no_byte_out(pair: Pair) -> None:
    permit = SendPermit()
    permit.close("closed")
    outgoing = pair.connection.outgoing = Outgoing(lambda go: permit.send(go, reduces=False))
    assert pair.connection.sendMsg(b"order") == 0
    assert (outgoing.refused, outgoing.begun, outgoing.whole) == (True, False, False)
    pair.connection.outgoing = None
    pair.connection.sendMsg(b"question")
    assert pair.other.recv(100) == b"question"


def test_a_tws_that_takes_nothing_is_given_up(pair: Pair) -> None:
    pair.connection.stall_s = 0.05
    outgoing = pair.connection.outgoing = Outgoing()
    pair.connection.sendMsg(b"x" * 50_000_000)
    assert (outgoing.begun, outgoing.whole) == (True, False)
    assert "taken nothing" in pair.closings[0]


def test_what_is_closed_sends_nothing_and_says_why(pair: Pair) -> None:
    pair.connection.disconnect("because")
    outgoing = pair.connection.outgoing = Outgoing()
    assert pair.connection.sendMsg(b"x") == 0
    assert (outgoing.begun, outgoing.failure) == (False, "because")


# --- closing --------------------------------------------------------------------------------------------------------


def test_the_other_side_sees_the_end_at_once_while_we_read(pair: Pair) -> None:
    pair.greet()
    pair.other.settimeout(10)
    assert pair.connection.socket is not None
    pair.connection.socket.settimeout(60)
    reader = threading.Thread(target=pair.connection.recvMsg, daemon=True)
    reader.start()
    threading.Event().wait(0.05)  # it reads now, or closing is the easier
    pair.connection.disconnect("over")
    assert pair.other.recv(10) == b""
    reader.join(5)
    assert not reader.is_alive()
    assert pair.closings == ["over"]


def test_one_that_is_not_wanted_before_it_connects_does_not(pair: Pair) -> None:
    late = SafeConnection("127.0.0.1", pair.listener.getsockname()[1])
    late.disconnect("too soon")
    with pytest.raises(ConnectionAbortedError):
        late.connect()
    assert not late.isConnected()


def test_many_who_close_at_once_close_once(pair: Pair) -> None:
    start = threading.Event()

    def close(number: int) -> None:
        start.wait()
        pair.connection.disconnect(str(number))

    threads = [threading.Thread(target=close, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    start.set()
    for thread in threads:
        thread.join()
    wait_until(lambda: len(pair.closings) == 1)
    assert pair.closings == [pair.connection.cause]


def test_an_address_that_refuses_is_named_and_a_name_with_two_addresses_is_tried_at_both(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        closed = probe.getsockname()[1]
    kind = (socket.AF_INET, socket.SOCK_STREAM, 6, "")
    found = [(*kind, ("127.0.0.1", closed)), (*kind, ("127.0.0.1", port))]
    monkeypatch.setattr("foxtrot.adapter.ib.connection.socket.getaddrinfo", lambda *_a, **_n: found)
    both = SafeConnection("tws.example", port)
    both.connect()
    assert both.isConnected()
    both.disconnect()
    monkeypatch.setattr("foxtrot.adapter.ib.connection.socket.getaddrinfo", lambda *_a, **_n: found[:1])
    one = SafeConnection("tws.example", closed)
    with pytest.raises(ConnectionRefusedError):
        one.connect()
    assert f"tws.example:{closed} cannot be reached" in one.cause
    listener.close()
