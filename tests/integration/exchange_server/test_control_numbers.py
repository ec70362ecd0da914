"""The control port under wrong and extreme input: everything is judged before anything is closed, nothing answers 500."""

import asyncio
from collections.abc import Awaitable, Callable
from decimal import Decimal

import aiohttp
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup
from tests.support.echo_surface import address, echo_server, fault, socket_of, until

Ask = Callable[..., Awaitable[tuple[int, str]]]
ALICE = AccountSetup("alice", (), {"USDT": Decimal(1_000)})
DEPOSIT = {"account": "alice", "asset": "USDT", "amount": "5"}


def run(story: Callable[[ExchangeServer, Ask], Awaitable[None]]) -> None:
    async def told(server: ExchangeServer) -> None:
        async with aiohttp.ClientSession(headers={"X-Foxtrot-Token": server.control_token}) as session:

            async def ask(method: str, path: str, body: object = None) -> tuple[int, str]:
                data = body if isinstance(body, bytes) else msgspec.json.encode(body) if body is not None else None
                async with session.request(method, address(server, path, port="control"), data=data) as answer:
                    return answer.status, await answer.text()

            await story(server, ask)

    with echo_server(accounts=(ALICE,)) as server:
        asyncio.run(told(server))


def test_a_second_restart_is_refused_and_the_ports_stay() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        ports = server.ports
        answers = await asyncio.gather(*(ask("POST", "/restart", {"down_s": 0.05}) for _ in range(3)))
        assert sorted(status for status, _ in answers) == [200, 409, 409]
        assert all("under way" in text for status, text in answers if status == 409)
        assert server.ports == ports
        async with socket_of(server):
            assert (await ask("POST", "/restart"))[0] == 200

    run(story)


def test_a_restart_by_a_fault_and_one_by_the_control_port_do_not_meet() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        ports = server.ports
        fault(server, "restart", down_s=0.05)
        fault(server, "restart", down_s=0.05)
        await ask("POST", "/restart")
        await until(lambda: server.ports == ports and not server.call(lambda s: s._doors._moving.locked()))
        async with socket_of(server):
            assert server.ports == ports

    run(story)


def test_a_server_that_stops_in_a_restart_opens_nothing_again() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        asked = asyncio.ensure_future(ask("POST", "/restart", {"down_s": 3_000}))
        await until(lambda: server.call(lambda s: bool(s.faults._waits)))
        assert await asyncio.to_thread(server.stop) == ""
        with pytest.raises(aiohttp.ClientError):
            await asked
        assert set(server.ports.values()) == {None}

    run(story)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"lower_by": -1}, "lower_by = -1 must be"),
        (b'{"lower_by": -1000000000000000000000000000000}', "lower_by = -1000000000000000000000000000000 must be"),
        (b'{"lower_by": 1000000000000000000000000000000}', "lower_by"),
        ({"down_s": -0.5}, "down_s = -0.5 must be"),
        ({"down_s": 1e300}, "down_s = 1e+300 must be"),
    ],
)
def test_a_restart_with_a_wrong_figure_closes_nothing(body: object, message: str) -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        async with socket_of(server) as ws:
            status, text = await ask("POST", "/restart", body)
            assert (status, message in text) == (400, True), text
            await ws.send_json({"id": 1, "method": "x"})
            assert (await ws.receive_json(timeout=5))["id"] == 1

    run(story)


def test_what_fails_in_a_restart_leaves_the_products_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_lower_by: int) -> None:
        raise ValueError("disk")

    async def story(server: ExchangeServer, ask: Ask) -> None:
        ports = server.ports
        monkeypatch.setattr(server.host, "reload", fails)
        with pytest.raises(ValueError, match="disk"):
            await asyncio.to_thread(server.restart)
        async with socket_of(server):
            assert server.ports == ports

    run(story)


@pytest.mark.parametrize(
    "amount", ["1e999999", "-1e999999", "1e999999999999999999", "NaN", "sNaN", "Infinity", "0", "-5", "1e25"]
)
def test_an_amount_out_of_bounds_is_named(amount: str) -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        status, text = await ask("POST", "/deposit", {**DEPOSIT, "amount": amount})
        assert (status, amount in text) == (400, True), text
        assert server.call(lambda s: s.host.venue.balances("alice")["USDT"][0]) == 1_000

    run(story)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("DELETE", "/faults?number=" + "9" * 5_000, None),
        ("POST", "/faults", b'{"kind":"clock_skew","skew_ms":1000000000000000000000000000000}'),
        ("POST", "/faults", {"kind": "close", "code": 70_000}),
        ("POST", "/faults", {"kind": "error_code", "code": -(10**15)}),
        ("POST", "/faults", {"kind": "gap", "count": 10**12}),
        ("POST", "/faults", b'{"kind":"delay","delay_s":1e400}'),
        ("POST", "/orders", {"account": "alice", "symbol": "BTCUSDT", "quantity": "1e999999", "price": "1"}),
        ("POST", "/orders", {"account": "alice", "symbol": "BTCUSDT", "quantity": "1", "price": "9" * 5_000}),
        ("POST", "/orders", b'{"account":"alice","symbol":"BTCUSDT","quantity":' + b"9" * 5_000 + b"}"),
        ("POST", "/deposit", b'{"account":"\\ud800"}'),
        ("POST", "/deposit", b"[" * 20_000),
    ],
)
def test_what_has_no_sane_size_is_refused(method: str, path: str, body: object) -> None:
    async def story(_server: ExchangeServer, ask: Ask) -> None:
        status, text = await ask(method, path, body)
        assert status == 400
        assert "error" in text

    run(story)


NUMBERS = (
    st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["1e999999", "NaN", "-0", "1e-30", "9" * 5_000, "0.1", "1"])
)
VALUES = st.none() | st.booleans() | NUMBERS | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
KNOWN = {
    "account": "alice", "asset": "USDT", "symbol": "BTCUSDT", "side": "BUY", "kind": "gap", "product": "spot",
}  # fmt: skip
FIGURES = (
    "amount", "quantity", "price", "lower_by", "down_s", "after", "count", "for_s", "at_s", "skew_ms", "code", "status",
    "lag", "delay_s", "retry_after_s", "stream", "msg", "text", "number",
)  # fmt: skip
KINDS = st.sampled_from(
    ["gap", "close", "clock_skew", "error_code", "delay", "stale_snapshot", "other_order", "http_status"]
)
BODIES = st.one_of(
    st.dictionaries(st.sampled_from(FIGURES), VALUES, max_size=4).map(lambda told: {**KNOWN, **told}),
    st.dictionaries(st.sampled_from((*KNOWN, *FIGURES)), VALUES, max_size=5),
    st.tuples(KINDS, st.sampled_from(FIGURES), VALUES).map(lambda told: {"kind": told[0], told[1]: told[2]}),
    VALUES,
)
PLACES = st.sampled_from(
    [("POST", "/faults"), ("POST", "/orders"), ("POST", "/deposit"), ("POST", "/restart"), ("POST", "/step"),
     ("DELETE", "/faults"), ("GET", "/state"), ("GET", "/faults")]
)  # fmt: skip


def test_whatever_json_comes_is_answered_and_never_with_500() -> None:
    async def story(server: ExchangeServer, ask: Ask) -> None:
        loop = asyncio.get_running_loop()

        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        @given(PLACES, BODIES)
        def fuzz(place: tuple[str, str], body: object) -> None:
            data = msgspec.json.encode(body)
            if place[1] == "/restart" and b'"down_s"' in data:
                return  # a legal one would be waited for
            status, text = asyncio.run_coroutine_threadsafe(ask(*place, data), loop).result(10)
            assert status in (200, 400), (place, data, text)
            assert asyncio.run_coroutine_threadsafe(ask("GET", "/faults"), loop).result(10)[0] == 200
            server.clear_faults()

        await asyncio.to_thread(fuzz)
        assert (await ask("GET", "/state"))[0] == 200
        assert (await ask("POST", "/step"))[0] == 200

    run(story)
