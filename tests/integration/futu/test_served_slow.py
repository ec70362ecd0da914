"""Clients that read slowly: pushes with a key are conflated to the newest, and who takes nothing is parted with."""

import struct
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType

import pytest

from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.serving.futu_socket import FutuSocket
from foxtrot.exchange.wire.futu.frame import encode_frame
from tests.support.futu_raw import RawFutu
from tests.support.futu_rig import futu_port, served_futu
from tests.support.futu_sdk import FutuContexts, hear_pushes
from tests.support.waiting import wait_until

LIMIT = 2_000_000
BOOK, TICKER = 3013, 3011


@pytest.fixture
def server(futu_sdk: ModuleType) -> Iterator[ExchangeServer]:
    """A server that lets two megabytes wait for a client."""
    with served_futu(queue_bytes=LIMIT) as served:
        yield served


def the_socket(server: ExchangeServer) -> FutuSocket:
    """The one connection there is."""
    (one,) = server.call(lambda s: s._doors.futu_sockets())
    return one


def body(number: int, size: int) -> bytes:
    """A body that tells its number."""
    return struct.pack("<I", number) + bytes(size)


def numbers(client: RawFutu, last: int) -> list[tuple[int, int]]:
    """Protocol and number of every frame up to a number."""
    found = []
    while not found or found[-1][1] != last:
        frame = client.read()
        found.append((frame.proto_id, struct.unpack_from("<I", frame.body)[0]))
    return found


def test_of_each_key_the_newest_reaches_a_client_that_was_slow_and_prints_all_do(server: ExchangeServer) -> None:
    with closing(RawFutu(futu_port(server), receive_bytes=4096)) as client:
        client.init()
        one = the_socket(server)

        def flood(_: ExchangeServer) -> None:
            for number in range(1, 2_001):
                one.put_latest(encode_frame(BOOK, number, body(number, 4_000)), f"book {number % 2}")
                if number % 100 == 0:
                    one.put(encode_frame(TICKER, number, body(number, 10)))

        for _ in range(3):
            server.call(flood)
        server.call(lambda _: one.put_latest(encode_frame(BOOK, 9_999, body(9_999, 10)), "book 1"))
        assert one.waiting_bytes < LIMIT
        found = numbers(client, 9_999)
        books = [number for proto_id, number in found if proto_id == BOOK]
        assert len(books) < 600
        assert [max(one for one in books if one % 2 == odd) for odd in (0, 1)] == [2_000, 9_999]
        assert books[-1] == 9_999
        assert [number for proto_id, number in found if proto_id == TICKER] == [*range(100, 2_001, 100)] * 3


def test_a_client_for_whom_too_much_waits_is_parted_with(server: ExchangeServer) -> None:
    with closing(RawFutu(futu_port(server), receive_bytes=4096)) as client:
        client.init()
        one = the_socket(server)

        def flood(_: ExchangeServer) -> None:
            for number in range(200):
                one.put(encode_frame(TICKER, number, bytes(50_000)))

        server.call(flood)
        assert one.is_closing
        with pytest.raises((EOFError, ConnectionResetError)):
            numbers(client, 9_999)
        wait_until(lambda: server.call(lambda s: s._doors.futu_sockets()) == ())


def test_a_client_made_slow_by_a_fault_gets_the_newest_book_when_it_ends(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    quote = futu_contexts.quote(futu_port(server))
    books = hear_pushes(quote, futu_contexts.futu.OrderBookHandlerBase)
    assert quote.subscribe(["HK.00700"], ["ORDER_BOOK"])[0] == 0
    wait_until(lambda: len(books) == 1)
    server.inject(Fault(kind="slow_reader", product="futu"))
    for number in range(20):
        server.inject(
            Fault(
                kind="other_order",
                product="futu",
                account="main",
                symbol="00700",
                quantity="100",
                price=str(300 + number),
            )
        )
        server.step()
    server.clear_faults()
    server.step()
    wait_until(lambda: len(books) == 2)
    assert books[-1].s2c.orderBookBidList[0].price == 319
    assert len(books[-1].s2c.orderBookBidList) == 10
