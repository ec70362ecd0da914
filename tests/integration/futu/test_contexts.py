"""One context of the SDK as the adapter makes it: dialled once, asked, lost, thrown away."""

import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import pytest

from foxtrot.adapter.futu.contexts import make_quote_context, make_trade_context
from foxtrot.adapter.futu.errors import NotLinked
from foxtrot.adapter.futu.sdk import Sdk, load_sdk
from foxtrot.domain.errors import BadMessage, ConnectionLost, RequestTimedOut, VenueRejected
from tests.support import futu_stand_in as opend
from tests.support.futu_stand_in import FutuStandIn
from tests.support.waiting import wait_until

Make = Callable[..., Any]


@pytest.fixture
def sdk(futu_sdk: object) -> Sdk:
    return load_sdk(None)


@pytest.fixture
def server() -> Iterator[FutuStandIn]:
    made = FutuStandIn().start()
    yield made
    made.stop()


@pytest.fixture
def make(sdk: Sdk) -> Iterator[Make]:
    """Makes contexts, which must leave nothing when they are discarded."""
    made: list[Any] = []

    def quote(port: int, on_end: Callable[[str], None] = print) -> Any:
        made.append(make_quote_context(sdk, on_end, {}, host="127.0.0.1", port=port, is_encrypt=False))
        return made[-1]

    yield quote
    for context in made:
        context.discard()
        assert context.join(3.0)


def state(sdk: Sdk, context: Any) -> Any:
    return context.ask(sdk.request("GlobalStateQuery"), user_id=context.get_login_user_id())


def test_it_is_made_without_a_connection_and_dialled_once(sdk: Sdk, server: FutuStandIn, make: Make) -> None:
    context = make(server.port)
    assert server.taken == 0
    context.dial()
    assert server.asked == [opend.INIT]
    assert state(sdk, context).qotLogined is True


def test_a_trade_context_asks_for_nothing_by_itself(sdk: Sdk, server: FutuStandIn) -> None:
    where = {"host": "127.0.0.1", "port": server.port, "is_encrypt": False, "security_firm": "N/A"}
    context = make_trade_context(sdk, print, {}, **where)
    try:
        context.dial()
        assert server.asked == [opend.INIT]
    finally:
        context.discard()
        assert context.join(3.0)


def test_where_nobody_listens_it_says_so_and_leaves_nothing(make: Make) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        context = make(probe.getsockname()[1])
        with pytest.raises(ConnectionLost):
            context.dial()


def test_one_that_is_not_wanted_any_more_is_not_dialled(server: FutuStandIn, make: Make) -> None:
    context = make(server.port)
    context.discard()
    with pytest.raises(NotLinked):
        context.dial()
    assert server.taken == 0


def test_a_loss_is_told_once_and_the_sdk_does_not_try_again(sdk: Sdk, server: FutuStandIn, make: Make) -> None:
    told: list[str] = []
    context = make(server.port, told.append)
    context.dial()
    server.drop()
    wait_until(lambda: told == ["RemoteClose"])
    assert context.status == "CLOSED"
    with pytest.raises(NotLinked):
        state(sdk, context)
    context.discard()
    assert told == ["RemoteClose"]


def test_who_throws_it_away_is_not_told_of_a_loss(server: FutuStandIn, make: Make) -> None:
    told: list[str] = []
    context = make(server.port, told.append)
    context.dial()
    context.discard()
    assert context.join(3.0)
    assert told == []
    wait_until(lambda: not server.connections)


def test_answers_that_bring_nothing_are_told_apart(sdk: Sdk, server: FutuStandIn, make: Make) -> None:
    context = make(server.port)
    context.dial()
    server.refused[opend.STATE] = (-1, "no")
    with pytest.raises(VenueRejected, match="no"):
        state(sdk, context)
    server.refused[opend.STATE] = (-100, "the server did not answer")
    with pytest.raises(RequestTimedOut):
        state(sdk, context)
    server.refused.clear()
    server.spoilt.add(opend.STATE)
    with pytest.raises(BadMessage):
        state(sdk, context)


def test_a_request_that_the_sdk_cannot_make_is_refused_and_does_not_leave(
    sdk: Sdk, server: FutuStandIn, make: Make
) -> None:
    context = make(server.port)
    context.dial()
    pack = sdk.futu.quote.quote_query.RequestTradeDayQuery.pack_req
    with pytest.raises(VenueRejected):
        context.ask(pack, market="nowhere", start_date="2026-01-01", end_date="2026-01-02", code=None)
    assert server.asked == [opend.INIT]


def test_a_call_in_flight_ends_when_the_context_is_thrown_away(sdk: Sdk, server: FutuStandIn, make: Make) -> None:
    context = make(server.port)
    context.dial()
    server.muted.add(opend.STATE)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(state, sdk, context)
        wait_until(lambda: opend.STATE in server.asked)
        context.discard()
        with pytest.raises(ConnectionLost):
            asked.result(5.0)


@pytest.mark.slow
def test_one_that_is_thrown_away_while_it_connects_waits_for_nothing_for_ever(make: Make) -> None:
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(3):  # they fill the queue of a listener that takes nobody
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        context = make(full.getsockname()[1])
        pool = stack.enter_context(ThreadPoolExecutor(1))
        dialled: Future[None] = pool.submit(context.dial)
        wait_until(lambda: context.status == "CONNECTING")
        closer = threading.Thread(target=context.discard)
        closer.start()
        closer.join(2.0)
        assert not closer.is_alive()
        for _ in range(2):
            full.accept()[0].close()
        with pytest.raises((ConnectionLost, VenueRejected)):
            dialled.result(20.0)
