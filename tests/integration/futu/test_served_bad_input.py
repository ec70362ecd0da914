"""Requests that no SDK would send: each gets an answer that says what is wrong, and the server goes on."""

from collections.abc import Iterator
from contextlib import closing
from types import ModuleType

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.futu.frame import HEADER, digest_of
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS
from tests.support.futu_raw import RawFutu, response_of
from tests.support.futu_rig import futu_port, served_futu

ASKED = sorted(set(PROTOCOLS) - {1003, 2208, 2218, 3005, 3007, 3011, 3013})


@pytest.fixture(scope="module")
def server(futu_sdk: ModuleType) -> Iterator[ExchangeServer]:
    """A server that none of it may break."""
    with served_futu() as served:
        yield served


@pytest.fixture
def client(server: ExchangeServer) -> Iterator[RawFutu]:
    """A connection that has shaken hands."""
    with closing(RawFutu(futu_port(server))) as raw:
        assert raw.init().retType == 0
        yield raw


@pytest.mark.parametrize("proto_id", [one for one in ASKED if one != 1001])
def test_nothing_is_answered_before_init_connect(server: ExchangeServer, proto_id: int) -> None:
    with closing(RawFutu(futu_port(server))) as raw:
        raw.send_bytes(proto_id, b"")
        answer = response_of(raw.read())
        assert (answer.retType, answer.retMsg) == (-1, "InitConnect must come first")


@pytest.mark.parametrize("proto_id", ASKED)
def test_a_body_that_is_no_message_is_refused_by_the_name_of_the_request(client: RawFutu, proto_id: int) -> None:
    name = PROTOCOLS[proto_id]
    for body, said in ((b"\xff\xff\xff", f"the body is no {name} request"), (b"", f"{name} lacks c2s")):
        client.send_bytes(proto_id, body)
        answer = response_of(client.read())
        assert (answer.retType, answer.retMsg.partition(".")[0]) == (-500, said)


def test_a_push_cannot_be_asked_for(client: RawFutu) -> None:
    client.send_bytes(3005, b"")
    assert response_of(client.read()).retMsg == "Unknown protocol ID 3005"


def test_json_and_a_wrong_digest_are_refused(client: RawFutu) -> None:
    body = b'{"c2s":{"userID":0}}'
    client.socket.sendall(HEADER.pack(b"FT", 1002, 1, 0, 5, len(body), digest_of(body), bytes(8)) + body)
    assert "use Protobuf" in response_of(client.read()).retMsg
    client.socket.sendall(HEADER.pack(b"FT", 1002, 0, 0, 6, len(body), bytes(20), bytes(8)) + body)
    assert response_of(client.read()).retMsg == "the SHA-1 of the header is not that of the body"


def test_bytes_that_are_no_frame_end_that_connection_alone(server: ExchangeServer, client: RawFutu) -> None:
    with closing(RawFutu(futu_port(server))) as other:
        other.socket.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: */*\r\n\r\n")
        with pytest.raises(EOFError):
            other.read()
    assert client.ask(1004, time=1).retType == 0


@given(proto_id=st.sampled_from(ASKED), body=st.binary(max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
def test_any_body_is_answered(client: RawFutu, proto_id: int, body: bytes) -> None:
    serial = client.send_bytes(proto_id, body)
    frame = client.read()
    while frame.serial != serial or frame.proto_id != proto_id:
        frame = client.read()
    assert response_of(frame).retType in (0, -1, -500)
