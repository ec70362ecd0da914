"""What the Futu server does wrong when it is told to, as the unmodified SDK meets it."""

from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal

import pytest

from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.futu.frame import digest_of
from tests.support.futu_raw import RawFutu
from tests.support.futu_rig import futu_port, served_futu
from tests.support.futu_sdk import FutuContexts, hear_pushes, settled_rows
from tests.support.waiting import wait_until

STATE = "GetGlobalState"


@pytest.fixture
def server() -> Iterator[ExchangeServer]:
    """A server with one account and no agents."""
    with served_futu() as served:
        yield served


def futu(kind: str, **more: object) -> Fault:
    """A fault of Futu's connections."""
    return Fault(kind=kind, product="futu", **more)  # type: ignore[arg-type]


def bid(server: ExchangeServer, price: str) -> None:
    """Let somebody else bid for 00700, and what that causes be sent."""
    server.inject(futu("other_order", account="main", symbol="00700", quantity="100", price=price))
    server.step()


def count(server: ExchangeServer, name: str) -> int:
    """How many requests of a protocol came."""
    return server.call(lambda one: one.traffic.requests[f"futu {name}"])


@pytest.mark.parametrize("kind", ["close", "close_without_frame", "reset"])
def test_open_connections_end_and_the_client_is_back_by_itself(
    server: ExchangeServer, futu_contexts: FutuContexts, kind: str
) -> None:
    context = futu_contexts.quote(futu_port(server))
    before = context.get_sync_conn_id()
    server.inject(futu(kind))
    wait_until(lambda: context.get_sync_conn_id() not in (0, before))
    wait_until(lambda: context.status == futu_contexts.futu.ContextStatus.READY)
    assert context.get_global_state()[0] == 0
    assert count(server, "InitConnect") == 2


def test_init_connect_is_refused_as_often_as_told(server: ExchangeServer, futu_sdk: object) -> None:
    server.inject(futu("refuse_handshake", count=2, msg="not today"))
    with closing(RawFutu(futu_port(server))) as client:
        assert [(answer.retType, answer.retMsg) for answer in (client.init(), client.init())] == [(-1, "not today")] * 2
        assert client.ask(1004, time=1).retMsg == "InitConnect must come first"
        assert client.init().retType == 0
        assert client.ask(1004, time=1).retType == 0


def test_a_muted_protocol_is_not_executed_and_the_rest_is_answered(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    context = futu_contexts.quote(futu_port(server))
    context._query_timeout = 0.5
    server.inject(futu("mute", endpoint=STATE))
    assert context.get_global_state() == (-1, "PacketErr.Timeout")
    assert context.get_user_info()[0] == 0
    server.clear_faults()
    assert context.get_global_state()[0] == 0


def test_a_lost_answer_closes_the_connection(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    context = futu_contexts.quote(futu_port(server))
    server.inject(futu("ack_lost", endpoint=STATE))
    assert context.get_global_state() == (-1, "Disconnect")


def test_an_answer_can_be_a_refusal_of_any_type_and_text(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    context = futu_contexts.quote(futu_port(server))
    server.inject(futu("error_code", endpoint=STATE, code=-400, msg="no idea"))
    assert context.get_global_state() == (-1, "no idea")
    assert context.get_global_state()[0] == 0


def test_a_request_can_wait(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    context = futu_contexts.quote(futu_port(server))
    server.inject(futu("delay", endpoint=STATE, delay_s=0.2, count=2))
    for executed in (False, True):
        assert context.get_global_state()[0] == 0, executed


def test_a_cut_answer_ends_the_connection(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    context = futu_contexts.quote(futu_port(server))
    server.inject(futu("cut_answer", endpoint=STATE))
    assert context.get_global_state() == (-1, "Disconnect")


def test_the_link_upstream_is_lost_and_comes_back_by_notices(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    context = futu_contexts.quote(futu_port(server))
    heard = hear_pushes(context, futu_contexts.futu.SysNotifyHandlerBase)
    server.inject(futu("upstream_lost"))
    wait_until(lambda: len(heard) == 1)
    state = context.get_global_state()[1]
    assert (state["qot_logined"], state["trd_logined"]) == (False, False)
    assert context.get_market_snapshot(["HK.00700"])[0] == -1
    server.clear_faults()
    wait_until(lambda: len(heard) == 2)
    said = [(one.s2c.type, one.s2c.connectStatus.qotLogined, one.s2c.connectStatus.trdLogined) for one in heard]
    assert said == [(3, False, False), (3, True, True)]


def test_a_new_connection_is_told_at_once_that_the_link_upstream_is_lost(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    server.inject(futu("upstream_lost", connection="trade"))
    context = futu_contexts.quote(futu_port(server))
    state = context.get_global_state()[1]
    assert (state["qot_logined"], state["trd_logined"]) == (True, False)


def test_frozen_connections_say_nothing_and_end_with_the_fault(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    context = futu_contexts.quote(futu_port(server))
    context._query_timeout = 0.5
    server.inject(futu("half_open"))
    assert context.get_global_state() == (-1, "PacketErr.Timeout")
    before = context.get_sync_conn_id()
    server.clear_faults()
    wait_until(lambda: context.get_sync_conn_id() not in (0, before))


def test_bytes_one_by_one_make_the_same_answers(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    server.inject(futu("one_byte_writes"))
    context = futu_contexts.quote(futu_port(server))
    assert context.get_global_state()[0] == 0


def test_a_muted_connection_is_neither_answered_nor_pushed_to_until_the_fault_ends(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    quote = futu_contexts.quote(futu_port(server))
    books = hear_pushes(quote, futu_contexts.futu.OrderBookHandlerBase)
    assert quote.subscribe(["HK.00700"], ["ORDER_BOOK"])[0] == 0
    wait_until(lambda: len(books) == 1)
    quote._query_timeout = 0.5
    server.inject(futu("mute", connection="quote"))
    bid(server, "300")
    assert quote.get_global_state() == (-1, "PacketErr.Timeout")
    assert len(books) == 1
    server.clear_faults()
    bid(server, "301")
    wait_until(lambda: len(books) == 2)
    assert [level.price for level in books[-1].s2c.orderBookBidList] == [301, 300]


@pytest.mark.parametrize("is_executed", [False, True])
def test_an_order_whose_answer_is_muted_is_there_or_not_as_told(
    server: ExchangeServer, futu_contexts: FutuContexts, *, is_executed: bool
) -> None:
    trade = futu_contexts.trade(futu_port(server))
    trade._query_timeout = 0.5
    server.inject(futu("mute", endpoint="Trd_PlaceOrder", executed=is_executed))
    placed = trade.place_order(300.0, 100, "HK.00700", "BUY", trd_env="SIMULATE", remark="once")
    assert placed == (-1, "PacketErr.Timeout")
    rows = settled_rows(trade.order_list_query(trd_env="SIMULATE", refresh_cache=True)[1])
    assert [row["remark"] for row in rows] == (["once"] if is_executed else [])


def test_one_push_is_swallowed(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    quote = futu_contexts.quote(futu_port(server))
    books = hear_pushes(quote, futu_contexts.futu.OrderBookHandlerBase)
    server.inject(futu("gap", stream="Qot_UpdateOrderBook"))
    assert quote.subscribe(["HK.00700"], ["ORDER_BOOK"])[0] == 0
    bid(server, "300")
    wait_until(lambda: len(books) == 1)
    assert books[0].s2c.orderBookBidList[0].price == 300


def test_a_fill_is_told_twice(server: ExchangeServer, futu_contexts: FutuContexts) -> None:
    trade = futu_contexts.trade(futu_port(server))
    fills = hear_pushes(trade, futu_contexts.futu.TradeDealHandlerBase)
    assert trade.unlock_trade("foxtrot")[0] == 0
    server.inject(futu("duplicate_fills"))
    server.inject(futu("other_order", account="main-simulate", symbol="00700", quantity="100", price="300", side="BUY"))
    server.inject(futu("other_order", account="main", symbol="00700", quantity="100", price="301", side="BUY"))
    server.call(lambda one: one.host.deposit("main-simulate", "00700", Decimal(100)))
    server.inject(
        futu("other_order", account="main-simulate", symbol="00700", quantity="100", price="301", side="SELL")
    )
    wait_until(lambda: len(fills) == 2)
    assert fills[0].s2c.orderFill.fillID == fills[1].s2c.orderFill.fillID


@pytest.mark.parametrize("kind", ["malformed_frame", "cut_mid_frame"])
def test_a_broken_push_is_broken_where_it_says(server: ExchangeServer, kind: str, futu_sdk: object) -> None:
    with closing(RawFutu(futu_port(server))) as client:
        client.init()
        server.inject(futu(kind, stream="Notify"))
        server.inject(futu("upstream_lost"))
        if kind == "cut_mid_frame":
            with pytest.raises(EOFError):
                client.read()
        else:
            frame = client.read()
            assert (frame.proto_id, digest_of(frame.body) == frame.digest) == (1003, False)


def test_without_its_link_upstream_no_quotes_are_pushed_and_the_newest_come_after_it(
    server: ExchangeServer, futu_contexts: FutuContexts
) -> None:
    quote = futu_contexts.quote(futu_port(server))
    books = hear_pushes(quote, futu_contexts.futu.OrderBookHandlerBase)
    assert quote.subscribe(["HK.00700"], ["ORDER_BOOK"])[0] == 0
    wait_until(lambda: len(books) == 1)
    server.inject(futu("upstream_lost"))
    server.step()
    bid(server, "300")
    assert quote.get_global_state()[1]["qot_logined"] is False
    assert len(books) == 1
    server.clear_faults()
    bid(server, "301")
    wait_until(lambda: len(books) > 1)
    wait_until(lambda: [level.price for level in books[-1].s2c.orderBookBidList] == [301, 300])
