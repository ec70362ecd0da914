"""The socket to TWS with the real ibapi and a tiny TWS on loopback: what ibapi's own would lose, hang on or close late."""

import logging
import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import pytest
from loguru import logger

from foxtrot.adapter.ib.errors import NotLinked, PermitClosed
from foxtrot.adapter.ib.pacing import Lane
from foxtrot.domain.errors import ConnectionLost, VenueRejected
from tests.support.ib_raw_server import IbRawServer, RawClient, frame
from tests.support.ib_session_rig import BACKING_OFF, LOST, READY, SessionRig
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
def lines() -> Iterator[list[str]]:
    found: list[str] = []
    logging.getLogger("ibapi").setLevel(logging.WARNING)  # which another test may have raised
    sink = logger.add(lambda message: found.append(str(message)), level="DEBUG", format="{message}")
    yield found
    logger.remove(sink)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def depth(request_id: int, row: int) -> bytes:
    return frame(12, 1, request_id, row, 0, 1, 189.5, 100)


# --- the handshake --------------------------------------------------------------------------------------------------


def test_the_version_that_is_offered_is_one_of_those_that_were_proved_and_the_client_id_is_ours(
    server: IbRawServer,
) -> None:
    with running(server.port, client_id=7) as rig:
        rig.wait_for(READY)
        assert server.client.greeting.startswith("v100..")
        assert int(server.client.greeting.partition("..")[2]) <= 178
        assert server.client.messages(71)[0][2] == "7"
        assert rig.session.account_id == "DU1000001"


def test_a_version_reply_in_many_segments_with_everything_behind_it_loses_nothing(server: IbRawServer) -> None:
    def greet(client: RawClient, reply: bytes) -> None:
        client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for position in range(len(reply) - 1):
            client.send(reply[position : position + 1])
        client.send(reply[-1:] + frame(15, 1, "DU77") + frame(9, 1, 41))

    server.on_greet = greet
    server.on_message = None
    server.accounts, server.next_id = "DU77", 41
    with running(server.port) as rig:
        rig.wait_for(READY)
        assert rig.session.account_id == "DU77"
        assert rig.on_loop(rig.session.ids.take) >= 41


def test_a_burst_of_4096_bytes_and_then_silence_arrives_whole(server: IbRawServer) -> None:
    heard: list[tuple[Any, ...]] = []
    rig = SessionRig(server.port)
    rig.session.hear_on_run("updateMktDepth", lambda *told: heard.append(told))
    rig.start()
    rig.wait_for(READY)
    one = depth(5, 0)
    burst = one * (4096 // len(one))
    rest = 4096 - len(burst)
    burst += struct.pack("!I", rest - 4) + b"12\0" + b"\0" * (rest - 7) if rest > 8 else b""
    server.client.send(burst)
    wait_until(lambda: len(heard) >= 4096 // len(one))
    assert rig.close() == ""


def test_messages_that_end_anywhere_are_put_together(server: IbRawServer) -> None:
    heard: list[int] = []
    rig = SessionRig(server.port)
    rig.session.hear_on_run("updateMktDepth", lambda *told: heard.append(told[1]))
    rig.start()
    rig.wait_for(READY)
    data = b"".join(depth(5, row) for row in range(300))
    cuts = random.Random(3)
    while data:
        size = cuts.randint(1, 97)
        server.client.send(data[:size])
        data = data[size:]
    wait_until(lambda: len(heard) == 300)
    assert heard == list(range(300))
    assert rig.close() == ""


# --- not there ------------------------------------------------------------------------------------------------------


def test_where_nobody_listens_it_returns_at_once_says_so_and_finds_tws_when_it_comes() -> None:
    port = free_port()
    with running(port) as rig:
        assert f"127.0.0.1:{port} cannot be reached" in rig.wait_for(BACKING_OFF)
        late = IbRawServer(port).start()
        try:
            rig.wait_for(READY)
        finally:
            late.stop()
            rig.wait_for(LOST, len(rig.said) - 1)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "256.256.256.256"])
def test_a_bad_address_is_told_and_tried_again(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_arguments: Any, **_named: Any) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr("foxtrot.adapter.ib.connection.socket.getaddrinfo", unknown)
    with running(free_port(), host=host) as rig:
        assert f"there is no host {host!r}" in rig.wait_for(BACKING_OFF)
        mark = len(rig.said)
        rig.wait_for(BACKING_OFF, mark)


def test_a_mute_server_is_told_after_the_patience_and_close_does_not_wait_for_it(server: IbRawServer) -> None:
    server.mute = True
    with running(server.port, mute_after_s=1.0) as rig:
        assert "said nothing for 1 s" in rig.wait_for(BACKING_OFF)
        server.mute = False
        rig.wait_for(READY)
    with running(server.port) as rig:
        server.mute = True
        wait_until(lambda: len(server.clients) >= 3)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", struct.pack("!I", 9) + b"hello\0yo\0", b"\0\0\0\0" * 3]
)
def test_what_is_no_tws_is_told(server: IbRawServer, answer: bytes) -> None:
    server.on_greet = lambda client, _reply: (client.send(answer), client.fin())[0]
    with running(server.port) as rig:
        cause = rig.wait_for(BACKING_OFF)
        assert "no TWS" in cause or "before it told its version" in cause or "ended" in cause, cause


def test_an_old_tws_is_told(server: IbRawServer) -> None:
    server.version = 142
    with running(server.port) as rig:
        assert "version 142" in rig.wait_for(BACKING_OFF)


def test_a_client_id_in_use_is_told_with_the_fix_and_tried_again(server: IbRawServer) -> None:
    server.used_ids = True
    with running(server.port, client_id=3) as rig:
        assert "client_id = 3 is in use" in rig.wait_for(BACKING_OFF)
        server.used_ids = False
        rig.wait_for(READY)


# --- what cannot be read --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "bad",
    [
        frame(3, 5, "Submitted"),  # an orderStatus that ends too soon
        frame(1, 6, 9, 1, "abc", 5, 0),  # a price that is no number
        frame("x", "y"),
        frame(),
        struct.pack("!I", 3) + b"abc",
        frame(5, 1),
        frame(12, 1, 5, 0),  # one that is read by its signature
        frame(11, 1, 2, 3),
    ],
)
def test_a_message_that_cannot_be_read_is_logged_and_costs_itself_alone_or_the_link_is_renewed(
    server: IbRawServer, lines: list[str], bad: bytes
) -> None:
    heard: list[Any] = []
    rig = SessionRig(server.port)
    rig.session.hear_on_run("updateMktDepth", lambda *told: heard.append(told))
    rig.start()
    rig.wait_for(READY)
    server.client.send(bad + depth(5, 0))
    wait_until(lambda: bool(heard))
    assert rig.states()[-1] is READY
    assert rig.close() == ""
    if bad != frame():  # ibapi's reader passes over one without a body
        assert any("BadMessage" in line for line in lines)


def test_an_exception_in_a_callback_on_either_thread_ends_nothing(server: IbRawServer, lines: list[str]) -> None:
    heard: list[str] = []

    def fail(*_told: Any) -> None:
        raise ZeroDivisionError("in our code")

    rig = SessionRig(server.port)
    rig.session.hear_on_run("updateMktDepth", fail)
    rig.session.hear_on_loop("orderStatus", fail)
    rig.session.hear_on_loop("orderStatus", lambda *told: heard.append(str(told[1])))
    rig.start()
    rig.wait_for(READY)
    status = frame(3, 5, "Submitted", 0, 100, 0, 77, 0, 0, 1, "", 0)
    server.client.send(depth(5, 0) + status + depth(5, 1) + status)
    wait_until(lambda: len(heard) == 2)
    assert rig.states()[-1] is READY
    assert rig.close() == ""
    assert sum("in our code" in line for line in lines) >= 2


# --- sending --------------------------------------------------------------------------------------------------------


def fill(writer: socket.socket, filler: bytes) -> None:
    """Send until there has been no room for a while: the other side's system goes on taking for a moment."""
    full = 0
    while full < 5:
        try:
            writer.send(filler)
            full = 0
        except BlockingIOError:
            full += 1
            threading.Event().wait(0.05)


def an_order(rig: SessionRig) -> tuple[Any, Any]:
    sdk = rig.session.sdk
    contract, order = sdk.Contract(), sdk.Order()
    contract.symbol, contract.secType, contract.exchange, contract.currency = "AAPL", "STK", "SMART", "USD"
    order.action, order.orderType, order.totalQuantity, order.lmtPrice = "BUY", "LMT", Decimal(1), 100.0
    for name in ("eTradeOnly", "firmQuoteOnly"):
        if hasattr(order, name):
            setattr(order, name, False)
    return contract, order


def send(rig: SessionRig, order_id: int) -> None:
    contract, order = an_order(rig)
    rig.do(lambda: rig.session.send_order(order_id, contract, order, lambda go: rig.permit.send(go, reduces=False)))


def test_a_closed_permit_lets_nothing_of_an_order_onto_the_wire(server: IbRawServer) -> None:
    with running(server.port) as rig:
        rig.wait_for(READY)
        rig.permit.close("the test says so")
        with pytest.raises(PermitClosed):
            send(rig, 11)
        assert server.client.messages(3) == []
        rig.do(lambda: rig.session.cancel_order(11))  # a cancel asks no permit
        wait_until(lambda: bool(server.client.messages(4)))
        assert server.client.messages(3) == []


def test_the_permit_is_read_when_the_bytes_go_and_not_while_the_socket_is_full(server: IbRawServer) -> None:
    with running(server.port, mute_after_s=30.0) as rig:
        rig.wait_for(READY)
        dialled = rig.session.dialling.link._client.dialled  # type: ignore[union-attr]
        server.deaf.set()
        server.hears_again.clear()
        checks: list[bool] = []
        filler = struct.pack("!I", 2**31) + b"x" * 65_536  # the beginning of a message without end
        fill(dialled._writer, filler)
        contract, order = an_order(rig)

        def check(go: Any) -> bool:
            checks.append(True)
            return rig.permit.send(go, reduces=False)

        waiting = rig.session.bridge.submit(rig.session.send_order(12, contract, order, check))
        wait_until(lambda: bool(checks))
        rig.permit.close("while it waits")
        assert rig.permit.is_free(1.0)
        server.hears_again.set()
        server.deaf.clear()
        with pytest.raises(PermitClosed):
            waiting.result(20)


def test_what_ibapi_itself_refuses_left_nothing_and_the_line_goes_on(server: IbRawServer) -> None:
    with running(server.port) as rig:
        rig.wait_for(READY)
        contract, order = an_order(rig)
        order.orderRef = "ü"
        with pytest.raises(VenueRejected):
            rig.do(lambda: rig.session.send_order(13, contract, order, lambda go: rig.permit.send(go, reduces=False)))
        send(rig, 14)
        wait_until(lambda: [fields[1] for fields in server.client.messages(3)] == ["14"])


def test_an_order_without_a_link_did_not_leave(server: IbRawServer) -> None:
    with running(server.port) as rig:
        rig.wait_for(READY)
        server.stop()
        rig.wait_for(LOST)
        with pytest.raises(NotLinked):
            send(rig, 15)


def test_a_link_that_breaks_while_it_is_used_is_told_as_lost_and_nothing_hangs(server: IbRawServer) -> None:
    with running(server.port) as rig:
        rig.wait_for(READY)
        for _ in range(5):
            link = rig.session.dialling.link
            assert link is not None
            mark = len(rig.said)
            asked = rig.session.bridge.submit(
                rig.session.ask(
                    "contract", lambda client, number: client.reqContractDetails(number, rig.session.sdk.Contract())
                )
            )
            wait_until(lambda: bool(server.client.messages(9)))
            server.client.rst()
            with pytest.raises(ConnectionLost):
                asked.result(20)
            rig.wait_for(READY, mark)


def test_cancels_go_first_then_orders_then_questions(server: IbRawServer) -> None:
    with running(server.port) as rig:
        rig.wait_for(READY)
        link = rig.session.dialling.link
        assert link is not None
        blocked, order = threading.Event(), list[str]()

        async def all_at_once() -> None:
            import asyncio

            first = asyncio.ensure_future(link.send(lambda _client: _quietly(blocked.wait), Lane.CANCEL))
            await asyncio.sleep(0)
            rest = [
                asyncio.ensure_future(link.send(_noting(order, lane.name), lane))
                for lane in (Lane.QUESTION, Lane.ORDER, Lane.CANCEL)
            ]
            await asyncio.sleep(0)
            blocked.set()
            await asyncio.gather(first, *rest, return_exceptions=True)

        rig.do(all_at_once)
        assert order == ["CANCEL", "ORDER", "QUESTION"]


def _quietly(wait: Any) -> None:
    wait(10)


def _noting(order: list[str], name: str) -> Any:
    return lambda _client: order.append(name)
