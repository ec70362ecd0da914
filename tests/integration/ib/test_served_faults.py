"""What the TWS server does wrong when it is told to, as frames show it and as unmodified ibapi meets it."""

from collections.abc import Iterator

import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_served_rig import RawIb, ib_port, served_ib, stock_fields
from tests.support.ibapi_rig import connected
from tests.support.waiting import wait_until

START_NS = 1_795_000_000_000_000_000
SECOND_NS = 1_000_000_000


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """A server with one account, no agents, and no limit of requests, for tests ask until something has come."""
    with served_ib(ib=IbSettings(limits=False)) as served:
        yield served


@pytest.fixture
def raw(server: ExchangeServer) -> Iterator[RawIb]:
    """A client that has started."""
    one = RawIb(ib_port(server))
    one.start()
    yield one
    one.close()


def ib(kind: str, **more: object) -> Fault:
    """A fault of TWS's connections."""
    return Fault(kind=kind, product="ib", **more)  # type: ignore[arg-type]


def notice(fields: list[str]) -> int:
    """The code of a message that must be a notice."""
    assert fields[:3] == ["4", "2", "-1"]
    return int(fields[3])


def trade(server: ExchangeServer, price: str = "200") -> None:
    """Let somebody else bid for AAPL, which moves its market, and what that causes be sent."""
    server.inject(ib("other_order", account="main", symbol="AAPL", quantity="100", price=price))
    server.step()


def subscribe(raw: RawIb, request_id: int = 1) -> None:
    """Ask for the ticks of AAPL."""
    raw.send(1, 11, request_id, *stock_fields(), 0, "", 0, 0, "")


def told_prices(raw: RawIb, request_id: int = 1) -> list[float]:
    """The bids that were told so far, when the server has answered what was asked before."""
    raw.send(49, 1)
    raw.read_until(49)
    bids = [float(fields[4]) for fields in raw.heard if fields[:4] == ["1", "6", str(request_id), "1"]]
    return [bid for bid in bids if bid > 0]


# --- connections ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["close", "close_without_frame", "reset"])
def test_open_connections_end_and_ibapi_hears_it(server: ExchangeServer, kind: str) -> None:
    with connected(ib_port(server)) as client:
        server.inject(ib(kind))
        client.wait_for("connectionClosed")
        assert not client.isConnected()
    with connected(ib_port(server)) as client:
        assert client.isConnected()


def test_start_api_is_refused_as_often_as_told(server: ExchangeServer) -> None:
    server.inject(ib("refuse_handshake", count=1))
    with connected(ib_port(server), is_ready=False) as client:
        client.wait_for("connectionClosed")
        assert client.codes() == [326]
    with connected(ib_port(server)) as client:
        assert client.isConnected()


def test_the_version_comes_in_two_segments(server: ExchangeServer) -> None:
    server.inject(ib("split_handshake"))
    raw = RawIb(ib_port(server))
    raw.socket.sendall(b"API\0" + (9).to_bytes(4, "big") + b"v100..157")
    first = raw.socket.recv(4096)
    rest = b""
    while len(first + rest) < 4 + int.from_bytes(first[:4], "big"):
        rest += raw.socket.recv(4096)
    assert rest
    assert (first + rest)[4:].startswith(b"157\0")
    raw.close()
    again = RawIb(ib_port(server))
    assert again.greet()[0] == "157"
    again.close()


def test_a_mute_server_takes_requests_and_says_nothing_until_it_is_told_to(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("mute"))
    raw.send(49, 1)
    server.step()
    raw.socket.settimeout(0.1)
    with pytest.raises(TimeoutError):
        raw.read()
    server.clear_faults()
    raw.socket.settimeout(10)
    raw.send(49, 1)
    assert raw.read()[0] == "49"


def test_a_half_open_connection_says_nothing_and_hears_nothing(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("half_open", for_s=60))
    raw.send(49, 1)
    server.step()
    raw.socket.settimeout(0.1)
    with pytest.raises(TimeoutError):
        raw.read()


def test_one_byte_at_a_time_is_still_the_same(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("one_byte_writes"))
    raw.send(49, 1)
    assert raw.read()[0] == "49"


def test_a_delay_holds_one_answer_back(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("delay", endpoint="reqCurrentTime", delay_s=0.05))
    raw.send(49, 1)
    raw.send(8, 1, 1)
    assert [raw.read()[0], raw.read()[0]] == ["9", "49"]


def test_a_slow_reader_gets_the_newest_when_it_reads_again(server: ExchangeServer, raw: RawIb) -> None:
    subscribe(raw)
    assert told_prices(raw) == []
    server.inject(ib("slow_reader"))
    for price in range(100, 120):
        trade(server, str(price))
    server.clear_faults()
    wait_until(lambda: told_prices(raw)[-1:] == [119])
    assert len(told_prices(raw)) < 20


# --- what is told ---------------------------------------------------------------------------------------------------


def test_a_burst_of_4096_bytes_is_followed_by_silence(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("burst_4096", stream="currentTime", delay_s=0.3))
    raw.send(49, 1)
    server.step()
    got = b""
    while len(got) < 4096:
        got += raw.socket.recv(4096 - len(got))
    assert len(got) == 4096
    assert got[4:].startswith(b"49\x001\0")
    raw.send(8, 1, 1)
    server.step()
    raw.socket.setblocking(False)
    with pytest.raises(BlockingIOError):
        raw.socket.recv(1)
    raw.socket.settimeout(10)
    assert raw.read()[0] == "9"


def test_ibapi_forgets_such_a_burst(server: ExchangeServer) -> None:
    with connected(ib_port(server)) as client:
        client.wait_for("error", 3)
        server.inject(ib("burst_4096", stream="currentTime"))
        client.reqCurrentTime()
        wait_until(lambda: fired(server) == 1)
        client.reqIds(1)
        client.wait_for("nextValidId", 2)
        assert client.named("currentTime") == []


def fired(server: ExchangeServer) -> int:
    """How often the first fault acted."""
    return server.call(lambda one: one.faults.script.armed()[0].fired)


def test_a_short_message_and_a_wrong_number_and_half_a_message(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("malformed_frame", stream="currentTime"))
    server.inject(ib("malformed_number", stream="currentTime", text="soon"))
    for _ in range(3):
        raw.send(49, 1)
    assert raw.read() == ["49", "1"]
    assert raw.read() == ["49", "1", "soon"]
    assert raw.read()[2].isdecimal()
    server.inject(ib("cut_mid_frame", stream="currentTime"))
    raw.send(49, 1)
    assert raw.is_closed()


def test_an_error_of_any_code_names_the_request(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("error_code", endpoint="reqContractDetails", code=322, msg="not now"))
    raw.send(9, 8, 77, *stock_fields(), 0, "", "")
    assert raw.read() == ["4", "2", "77", "322", "not now"]


def test_history_is_refused_for_its_pacing_and_everything_else_for_the_rate(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("too_many_requests", count=2))
    raw.send(20, 5, *stock_fields(), 0, "", "1 min", "1 D", 1, "TRADES", 2, 0, "")
    assert raw.read()[2:4] == ["5", "162"]
    raw.send(49, 1)
    assert raw.read()[2:4] == ["-1", "100"]


def test_an_answer_is_lost_with_the_connection(server: ExchangeServer, raw: RawIb) -> None:
    server.inject(ib("ack_lost", endpoint="reqContractDetails"))
    raw.send(9, 8, 77, *stock_fields(), 0, "", "")
    heard = len(raw.heard)
    assert raw.is_closed()
    assert len(raw.heard) == heard


# --- TWS's own links ------------------------------------------------------------------------------------------------


def test_1100_then_1102_keeps_what_was_asked_for(server: ExchangeServer, raw: RawIb) -> None:
    subscribe(raw)
    trade(server, "100")
    number = server.inject(ib("upstream_lost"))
    assert notice(raw.read_until(4)) == 1100
    trade(server, "101")
    assert told_prices(raw) == [100]
    raw.send(9, 8, 77, *stock_fields(), 0, "", "")  # gets no answer
    server.clear_faults(number)
    assert notice(raw.read_until(4)) == 1102
    wait_until(lambda: told_prices(raw) == [100, 101])
    assert "10" not in [fields[0] for fields in raw.heard]


@pytest.mark.parametrize("kind", ["upstream_lost", "farm_broken"])
def test_what_moved_while_no_data_flowed_is_told_when_it_flows_again(kind: str) -> None:
    clock = ManualClock(START_NS)
    with served_ib(clock=clock, ib=IbSettings(limits=False)) as server:
        raw = RawIb(ib_port(server))
        raw.start()
        subscribe(raw)
        trade(server, "100")
        number = server.inject(ib(kind))
        trade(server, "101")
        for _ in range(3):
            clock.advance(SECOND_NS)
            server.step()
        assert told_prices(raw) == [100]
        server.clear_faults(number)
        clock.advance(SECOND_NS)
        server.step()
        assert told_prices(raw) == [100, 101]
        raw.close()


def test_1100_then_1101_forgets_every_subscription(server: ExchangeServer, raw: RawIb) -> None:
    subscribe(raw)
    trade(server, "100")
    number = server.inject(ib("upstream_lost", code=1101))
    assert notice(raw.read_until(4)) == 1100
    server.clear_faults(number)
    assert notice(raw.read_until(4)) == 1101
    trade(server, "101")
    assert told_prices(raw) == [100]
    subscribe(raw, 2)
    assert told_prices(raw, 2) == [101]


def test_who_connects_while_the_link_is_lost_is_told_by_2110(server: ExchangeServer) -> None:
    server.inject(ib("upstream_lost"))
    with connected(ib_port(server)) as client:
        client.wait_for("error")
        assert client.codes() == [2110]
        server.clear_faults()
        client.wait_for("error", 2)
        assert client.codes() == [2110, 1102]


@pytest.mark.parametrize(
    ("farm", "broken", "mended"), [("", 2103, 2104), ("ushmds", 2105, 2106), ("secdefil", 2157, 2158)]
)
def test_a_farm_breaks_and_comes_back(server: ExchangeServer, raw: RawIb, farm: str, broken: int, mended: int) -> None:
    server.inject(ib("farm_broken", text=farm))
    assert notice(raw.read()) == broken
    other = RawIb(ib_port(server))
    assert str(broken) in [fields[3] for fields in other.start(client_id=9)[2:]] or farm == "secdefil"
    other.close()
    server.clear_faults()
    assert notice(raw.read()) == mended


def test_no_ticks_come_while_the_farm_of_market_data_is_broken(server: ExchangeServer, raw: RawIb) -> None:
    subscribe(raw)
    server.inject(ib("farm_broken"))
    trade(server, "100")
    assert told_prices(raw) == []
    server.clear_faults()
    wait_until(lambda: told_prices(raw) == [100])


def test_the_nightly_reset_is_a_lost_link_with_its_farms_and_then_1101() -> None:
    clock = ManualClock(START_NS)
    with served_ib(clock=clock) as server:
        raw = RawIb(ib_port(server))
        raw.start()
        server.inject(ib("nightly_reset", for_s=60))
        assert notice(raw.read()) == 1100
        clock.advance(61 * SECOND_NS)
        server.step()
        assert [notice(raw.read()) for _ in range(4)] == [1101, 2104, 2106, 2158]
        raw.close()


def test_after_a_restart_order_ids_may_come_back_lower(server: ExchangeServer, raw: RawIb) -> None:
    server.call(lambda one: one.host.ib.note_order_id(1, 40))  # type: ignore[union-attr]
    raw.send(8, 1, 1)
    assert raw.read() == ["9", "1", "41"]
    server.restart(lower_by=15)
    assert raw.is_closed()
    with connected(ib_port(server), client_id=1) as client:
        assert client.named("nextValidId") == [(26,)]


def test_a_client_that_never_reads_is_dropped() -> None:
    with served_ib(queue_bytes=20_000) as server:
        raw = RawIb(ib_port(server), receive_bytes=4096)
        raw.start(versions="v100..157 +PACEAPI")
        server.inject(ib("slow_reader"))
        raw.socket.settimeout(10)
        for _ in range(2_000):
            try:
                raw.send(17, 1)
            except OSError:
                break
        wait_until(lambda: server.call(lambda one: one._doors.ib_sockets()) == ())
        raw.close()
