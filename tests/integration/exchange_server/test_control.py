"""The control port: who may use it, what it shows and what it does; and restarts that keep orders."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import aiohttp
import pytest

from foxtrot.core.clock import ManualClock
from foxtrot.exchange.commands import Deposit
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.echo_surface import address, echo, echo_server, fault, socket_of, until

ALICE = AccountSetup("alice", (ApiKey("KEY", "alice", secret="s3cret"),), {"USDT": Decimal(100_000), "BTC": Decimal(2)})
ORDER = {"account": "alice", "symbol": "BTCUSDT", "side": "BUY", "quantity": "0.5", "price": "50000"}
Ask = Callable[..., Awaitable[tuple[int, dict[str, object]]]]


def run(story: Callable[[ExchangeServer, Ask], Awaitable[None]], **settings: object) -> None:
    async def told(server: ExchangeServer) -> None:
        async with aiohttp.ClientSession(headers={"X-Foxtrot-Token": server.control_token}) as session:

            async def ask(
                method: str, path: str, body: object = None, **options: object
            ) -> tuple[int, dict[str, object]]:
                url = address(server, path, port="control")
                async with session.request(method, url, json=body, **options) as answer:  # type: ignore[arg-type]
                    return answer.status, await answer.json()

            await story(server, ask)

    with echo_server(accounts=(ALICE,), **settings) as server:
        asyncio.run(told(server))


@pytest.mark.parametrize("token", ["", "wrong", "ключ"])
def test_without_the_token_nothing_is_told_or_done(token: str) -> None:
    async def story(server: ExchangeServer, _ask: Ask) -> None:
        headers = {"X-Foxtrot-Token": token} if token else {}
        async with aiohttp.ClientSession(headers=headers) as session:
            for method, path in (("GET", "/state"), ("POST", "/restart"), ("GET", "/nothing")):
                async with session.request(method, address(server, path, port="control")) as answer:
                    assert answer.status == 403
                    text = await answer.text()
                    assert "X-Foxtrot-Token" in text
                    assert server.control_token not in text

    run(story)


def test_the_state_names_accounts_orders_connections_and_counts() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        async with (
            aiohttp.ClientSession(headers={"X-MBX-APIKEY": "KEY"}) as session,
            socket_of(server, "/ws/btcusdt@trade") as ws,
        ):
            for name in ("one", "two"):
                await session.post(address(server, f"/api/v3/order?newClientOrderId={name}&symbol=BTCUSDT"))
            await session.post(
                address(server, "/fapi/v1/batchOrders", port="binance_usdm"),
                data='batchOrders=[{"newClientOrderId":"b%2F1"},{"newClientOrderId":"b2"}]',
            )
            await ws.send_json({"id": 1, "method": "SUBSCRIBE", "params": ["btcusdt@depth"]})
            await ws.receive_json(timeout=5)
            assert (await ask("POST", "/orders", ORDER))[0] == 200
            status, state = await ask("GET", "/state")
        assert status == 200
        account = state["accounts"]["alice"]  # type: ignore[index]
        assert list(state["accounts"]) == ["alice"]  # type: ignore[call-overload]
        (order,) = account["open_orders"]
        assert (order["client_order_id"], order["quantity"], order["price"]) == ("other-1", "0.50000000", "50000.00")
        assert account["balances"]["USDT"] == {"total": "100000", "locked": "25000"}
        (connection,) = state["connections"]  # type: ignore[misc]
        assert connection["streams"] == ["btcusdt@depth", "btcusdt@trade"]
        counters = state["counters"]
        assert [one["client_order_id"] for one in counters["orders"]] == ["one", "two", "b/1", "b2"]  # type: ignore[index,call-overload]
        assert counters["orders"][0]["account"] == "alice"  # type: ignore[index,call-overload]
        assert counters["requests"]["spot POST /api/v3/order"] == 2  # type: ignore[index,call-overload]
        assert "s3cret" not in str(state)

    run(story)


def test_faults_are_set_seen_and_removed() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        assert await ask("POST", "/faults", {"kind": "http_status", "status": 502}) == (200, {"numbers": [1]})
        both = {"faults": [{"kind": "gap"}, {"kind": "clock_skew", "skew_ms": 500}]}
        assert await ask("POST", "/faults", both) == (200, {"numbers": [2, 3]})
        async with aiohttp.ClientSession() as session, session.get(address(server, "/api/v3/time")) as answer:
            assert answer.status == 502
        _, told = await ask("GET", "/faults")
        rows = told["faults"]
        assert [(row["number"], row["fired"], row["is_active"]) for row in rows] == [
            (1, 1, False),
            (2, 0, True),
            (3, 0, True),
        ]  # type: ignore[attr-defined]
        assert await ask("DELETE", "/faults?number=3") == (200, {"removed": 1})
        assert server.call(lambda s: s.host.skew_ns) == 0
        assert await ask("DELETE", "/faults") == (200, {"removed": 2})

    run(story)


@pytest.mark.parametrize(
    ("method", "path", "body", "message"),
    [
        ("POST", "/faults", {"kind": "go_silnt"}, "did you mean go_silent"),
        ("POST", "/faults", {"kind": "gap", "steam": "x"}, "did you mean stream"),
        ("DELETE", "/faults?number=x", None, "number of a fault"),
        ("POST", "/orders", {**ORDER, "symbol": "DOGE"}, "there are: BTCUSDT"),
        ("POST", "/orders", {**ORDER, "price": "0.001"}, "nearest legal"),
        ("POST", "/orders", {**ORDER, "quantity": "100"}, "was refused"),
        ("POST", "/orders", {**ORDER, "account": "bob"}, "was refused"),
        ("POST", "/deposit", {"account": "alice", "asset": "USDT"}, "amount"),
        ("POST", "/deposit", {"account": "alice", "asset": "USDT", "amount": "much"}, "not a decimal"),
        ("POST", "/restart", {"lower": 3}, "lower"),
        ("POST", "/restart", [1], "JSON object"),
    ],
)
def test_what_cannot_be_done_is_refused_with_the_fix(method: str, path: str, body: object, message: str) -> None:
    async def story(_server: ExchangeServer, ask: Ask) -> None:
        status, answer = await ask(method, path, body)
        assert status == 400
        assert message in answer["error"]["message"]  # type: ignore[index]

    run(story)


def test_what_is_not_served_is_named_with_what_is() -> None:
    async def story(_server: ExchangeServer, ask: Ask) -> None:
        status, answer = await ask("GET", "/stat")
        assert status == 404
        assert "GET /state" in answer["error"]["message"]  # type: ignore[index]

    run(story)


def test_a_deposit_arrives_and_the_surface_hears_of_it() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        assert (await ask("POST", "/deposit", {"account": "alice", "asset": "BTC", "amount": "0.25"}))[0] == 200
        assert server.call(lambda s: s.host.venue.balances("alice")["BTC"][0]) == Decimal("2.25")
        assert [type(event).__name__ for event in echo(server).events][-1] == "BalanceChanged"

    run(story)


def test_a_restart_keeps_orders_and_ports_and_may_lower_update_ids() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        ports = server.ports
        for _ in range(3):
            await ask("POST", "/orders", ORDER)
        before, open_before = server.call(
            lambda s: (s.host.venue.depth("BTCUSDT.BINANCE"), s.host.venue.open_orders("alice"))
        )
        async with socket_of(server) as ws:
            assert (await ask("POST", "/restart", {"lower_by": 2}))[0] == 200
            assert (await ws.receive(timeout=5)).data == 1001
        assert server.ports == ports
        after, open_after = server.call(
            lambda s: (s.host.venue.depth("BTCUSDT.BINANCE"), s.host.venue.open_orders("alice"))
        )
        assert open_after == open_before
        assert after[0] == before[0] - 2
        assert after[1:] == before[1:]
        server.call(lambda s: s.host.venue.validate())
        async with socket_of(server):
            assert server.call(lambda s: s.host.sides["spot"].venue is s.host.venue)
        server.restart()
        assert server.call(lambda s: s.host.venue.open_orders("alice")) == open_before

    run(story)


def test_a_restart_by_a_fault_leaves_the_ports_shut_for_a_while() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        fault(server, "restart", down_s=0.05)
        port = server.ports["binance_spot"]

        async def is_shut() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except (ConnectionRefusedError, ConnectionResetError):  # taken by a listener that closes just now
                return True
            writer.close()
            return False

        async def wait_for(wanted: bool) -> None:
            while await is_shut() is not wanted:  # noqa: ASYNC110  # a port has no event
                await asyncio.sleep(0.002)

        await asyncio.wait_for(wait_for(True), 5)
        await asyncio.wait_for(wait_for(False), 5)
        assert (await ask("GET", "/state"))[0] == 200
        await until(lambda: server.ports["binance_spot"] == port)

    run(story)


def test_a_step_moves_the_market_by_the_clock_and_observers_hear_of_it() -> None:
    clock = ManualClock(1_700_000_000 * 1_000_000_000)

    async def story(server: ExchangeServer, ask: Ask) -> None:
        observed: list[object] = []
        server.call(lambda s: setattr(s.host, "observers", (observed.append,)))
        before = server.call(lambda s: s.host.venue.sequence)
        clock.advance(1_000_000_000)
        assert (await ask("POST", "/step"))[0] == 200
        assert server.call(lambda s: s.host.venue.sequence) == before + len(observed)
        assert observed

    run(story, agents=4, clock=clock)


def test_feeds_are_executed_in_every_round() -> None:
    def deposits(now_ns: int) -> tuple[Deposit, ...]:
        return (Deposit(now_ns, "alice", "BTC", Decimal(1)),)

    async def story(server: ExchangeServer, _ask: Ask) -> None:
        server.call(lambda s: s.host.feeds.append(deposits))
        server.step()
        assert server.call(lambda s: s.host.venue.balances("alice")["BTC"][0]) >= 3

    run(story)
