"""Books for a program without an engine: by callback, by looking and by loops, over sockets from the embedded exchange."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal

import pytest

from foxtrot.adapter.live_books import LiveBook, LiveBooks
from foxtrot.domain.enums import BookState
from foxtrot.domain.errors import AdapterError, ConfigError, RequestTimedOut
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from tests.support.waiting import wait_until

BTC, ETH = "BTCUSDT.BINANCE", "ETHUSDT.BINANCE"
NEITHER = "DOGEBTC.BINANCE"


@pytest.fixture
def exchange() -> Iterator[ExchangeServer]:
    """A served exchange with a living market."""
    accounts = (AccountSetup("reader", (), {"USDT": Decimal(1)}),)
    server = ExchangeServer(ServerSettings(ports=ServerPorts(binance_spot=0), accounts=accounts, agents=8))
    server.start()
    yield server
    assert server.stop() == ""


def books_of(server: ExchangeServer) -> LiveBooks:
    return LiveBooks("binance", {"port": int(server.ports["binance_spot"] or 0)}, "loopback")


def test_many_books_of_one_connection_by_looking_by_callback_and_by_a_loop(exchange: ExchangeServer) -> None:
    heard: list[LiveBook] = []
    with books_of(exchange) as books:
        feed = books.book(BTC, levels=5, on_book=heard.append)
        assert books.book(ETH).wait().is_live
        book = feed.wait()
        assert len(book.bids) == len(book.asks) == 5
        assert book.best_bid is not None
        assert book.best_ask is not None
        assert book.best_bid < book.best_ask
        assert feed.latest.update_id >= book.update_id
        wait_until(lambda: len([one for one in heard if one.is_live]) > 2)
        ids = [one.update_id for one in heard if one.is_live]
        assert ids == sorted(ids)
        for newer in feed:
            if newer.update_id > book.update_id:
                break
    assert feed.latest.state is BookState.EMPTY
    assert heard[-1] is feed.latest  # who only listens hears of the end too
    with pytest.raises(ConfigError, match="closed"):
        books.book(BTC)


def test_an_async_program_waits_without_blocking_its_loop(exchange: ExchangeServer) -> None:
    async def read(books: LiveBooks) -> list[int]:
        ids = []
        async for book in books.book(BTC):
            if book.is_live:
                ids.append(book.update_id)
            if len(ids) == 3:
                break
        return ids

    with books_of(exchange) as books:
        ids = asyncio.run(asyncio.wait_for(read(books), 20))
    assert ids == sorted(set(ids))


def test_a_lost_connection_is_told_before_the_book_is_right_again(exchange: ExchangeServer) -> None:
    heard: list[LiveBook] = []
    with books_of(exchange) as books:
        feed = books.book(BTC, on_book=heard.append)
        feed.wait()
        number = len(heard)
        exchange.inject(Fault(kind="reset"))
        wait_until(lambda: any(not book.is_live for book in heard[number:]))
        assert feed.wait(20.0).is_live
        sick = [book for book in heard if not book.is_live]
        assert all(not book.bids and not book.asks and book.cause for book in sick if book.state is BookState.STALE)


def test_what_the_venue_does_not_list_ends_its_feed_with_the_reason(exchange: ExchangeServer) -> None:
    with books_of(exchange) as books:
        books.book(BTC).wait()
        with pytest.raises(AdapterError, match=NEITHER):
            books.book(NEITHER).wait()


def test_a_callback_that_raises_ends_nothing(exchange: ExchangeServer) -> None:
    def fail(book: LiveBook) -> None:
        raise KeyError(book.instrument_id)

    with books_of(exchange) as books:
        feed = books.book(BTC, on_book=fail)
        first = feed.wait()
        for newer in feed.each(10.0):
            if newer.update_id > first.update_id:
                break
        assert feed.error is None


def test_bad_wishes_are_refused_with_the_fix() -> None:
    with pytest.raises(ConfigError, match="did you mean binance"):
        LiveBooks("binanse")
    with pytest.raises(ConfigError, match="without keys; leave apiSecret out") as refused:
        LiveBooks("binance", {"port": 1, "apiSecret": "SEKRIT"}, "loopback")
    assert "SEKRIT" not in str(refused.value)
    with LiveBooks("binance", {"port": 1}, "loopback") as books:
        with pytest.raises(ConfigError, match="at least 1"):
            books.book(BTC, levels=0)
        with pytest.raises(RequestTimedOut, match="it is"):
            books.book(BTC).wait(0.05)
