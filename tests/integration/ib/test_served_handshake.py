"""How clients of TWS's protocol get in on a socket: versions, START_API, client ids, limits, and what ends a connection."""

from collections.abc import Iterator

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_served_rig import ACCOUNT_ID, RawIb, ib_port, served_ib
from tests.support.ibapi_rig import connected
from tests.support.waiting import wait_until

START_NS = 1_795_000_000_000_000_000


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    with served_ib(accounts=("main", "second")) as running:
        yield running


@pytest.fixture
def raw(server: ExchangeServer) -> Iterator[RawIb]:
    one = RawIb(ib_port(server))
    yield one
    one.close()


def test_a_client_gets_its_accounts_the_next_id_and_the_farms(raw: RawIb) -> None:
    first = raw.start(client_id=5)
    assert first[:2] == [["15", "1", f"{ACCOUNT_ID},DU1000002"], ["9", "1", "1"]]
    assert [(fields[2], fields[3]) for fields in first[2:]] == [("-1", "2104"), ("-1", "2106"), ("-1", "2158")]


@pytest.mark.parametrize(
    ("newest", "told", "agreed"),
    [
        (157, "v100..157", 157),
        (157, "v157..178", 157),
        (157, "v100..225", 157),
        (178, "v100..157", 157),
        (178, "v157..178", 178),
        (178, "v100..225 +PACEAPI", 178),
        (178, "v100..166", 166),
        (157, "v157", 157),
    ],
)
def test_the_version_is_the_highest_that_both_speak(newest: int, told: str, agreed: int) -> None:
    with served_ib(ib=IbSettings(newest_version=newest)) as server:
        raw = RawIb(ib_port(server))
        version, time = raw.greet(told)
        assert int(version) == agreed
        assert time.endswith(" GMT")
        raw.close()


@pytest.mark.parametrize("told", ["v100..156", "v158..178", "hello", "", "v1..99999999", "v157..178\nv", "v157..x"])
def test_without_a_version_in_common_the_connection_ends(raw: RawIb, told: str) -> None:
    with pytest.raises((EOFError, ConnectionError)):
        raw.greet(told)


def test_a_client_that_greets_with_anything_else_is_closed_on(raw: RawIb) -> None:
    raw.socket.sendall(b"GET / HTTP/1.1\r\n\r\n")
    assert raw.is_closed()


def test_nothing_is_answered_before_start_api(raw: RawIb) -> None:
    raw.greet()
    raw.send(49, 1)
    assert raw.is_closed()
    assert len(raw.heard) == 1


def test_nothing_is_said_between_the_version_and_start_api(server: ExchangeServer, raw: RawIb) -> None:
    raw.greet()
    server.step()
    raw.socket.settimeout(0.05)
    with pytest.raises(TimeoutError):
        raw.read()


@pytest.mark.parametrize("client_id", [-1, "x", "99999999999"])
def test_a_client_id_that_is_none_is_refused(raw: RawIb, client_id: object) -> None:
    raw.greet()
    raw.send(71, 2, client_id, "")
    assert raw.read()[:4] == ["4", "2", "-1", "321"]
    assert raw.is_closed()


def test_a_client_id_in_use_is_refused_by_326_until_its_owner_is_gone(server: ExchangeServer, raw: RawIb) -> None:
    raw.start(client_id=7)
    other = RawIb(ib_port(server))
    assert other.start(client_id=7)[0][:4] == ["4", "2", "-1", "326"]
    assert other.is_closed()
    other.close()
    raw.close()
    wait_until(lambda: server.call(lambda one: one._doors.ib_sockets()) == ())
    third = RawIb(ib_port(server))
    assert third.start(client_id=7)[0][0] == "15"
    third.close()


def test_the_connection_answers_about_itself(raw: RawIb) -> None:
    raw.start()
    raw.send(49, 1)
    assert raw.read()[:2] == ["49", "1"]
    raw.send(8, 1, 5)
    assert raw.read() == ["9", "1", "1"]
    raw.send(17, 1)
    assert raw.read() == ["15", "1", f"{ACCOUNT_ID},DU1000002"]
    raw.send(14, 1, 5)
    raw.send(4711, 1)
    assert raw.read() == ["4", "2", "-1", "321", "Error validating request: message 4711 is not supported"]


@pytest.mark.parametrize("body", [b"", b"49", b"\xff\xfe\0", b"\0", b"9\0", b"9\x008\0x\0", b"-1\x001\0", b"3\x00"])
def test_nonsense_is_refused_and_the_connection_goes_on(raw: RawIb, body: bytes) -> None:
    raw.start()
    raw.send_body(body)
    assert raw.read()[:2] == ["4", "2"]
    raw.send(49, 1)
    assert raw.read()[0] == "49"


def test_more_than_fifty_messages_in_a_second_are_warned_of_and_then_the_connection_ends() -> None:
    clock = ManualClock(START_NS)
    with served_ib(clock=clock) as server:
        raw = RawIb(ib_port(server))
        raw.start()
        for second in range(3):
            for _ in range(51):
                raw.send(49, 1)
            assert raw.read_until(4)[2:4] == ["-1", "100"]
            clock.move_to(START_NS + (second + 1) * 2_000_000_000)
            server.step()
        assert raw.is_closed()
        assert sum(fields[0] == "49" for fields in raw.heard) == 150
        raw.close()


@pytest.mark.parametrize(("versions", "limits"), [("v100..157 +PACEAPI", True), ("v100..157", False)])
def test_a_client_that_lets_tws_pace_it_is_never_refused(versions: str, limits: bool) -> None:
    with served_ib(clock=ManualClock(START_NS), ib=IbSettings(limits=limits)) as server:
        raw = RawIb(ib_port(server))
        raw.start(versions=versions)
        for _ in range(120):
            raw.send(49, 1)
        assert [raw.read()[0] for _ in range(120)] == ["49"] * 120
        raw.close()


def test_ibapi_connects_asks_and_leaves(server: ExchangeServer) -> None:
    with connected(ib_port(server), client_id=3) as client:
        assert client.serverVersion() == 157
        assert client.named("managedAccounts") == [(f"{ACCOUNT_ID},DU1000002",)]
        assert client.named("nextValidId") == [(1,)]
        client.wait_for("error", 3)
        assert client.codes() == [2104, 2106, 2158]
        client.reqCurrentTime()
        assert client.wait_for("currentTime")[0] > 1_700_000_000
    wait_until(lambda: server.call(lambda one: one._doors.ib_sockets()) == ())


def test_ibapi_hears_that_its_client_id_is_in_use(server: ExchangeServer) -> None:
    with connected(ib_port(server), client_id=3) as first, connected(ib_port(server), 3, is_ready=False) as second:
        second.wait_for("connectionClosed")
        assert second.codes() == [326]
        assert first.isConnected()
