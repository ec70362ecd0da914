"""Messages of a connection leave in order, never more in a second than Binance takes, pings counted but not kept waiting."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from foxtrot.adapter.binance.fast_client import FastClient
from foxtrot.adapter.binance.message_pace import MessagePace
from tests.support.scripted_binance import ScriptedSession, run

SECOND_NS = 1_000_000_000
Story = Callable[[ScriptedSession, MessagePace, list[int]], Awaitable[None]]


def play(story: Story, most: int = 4) -> list[int]:
    """Play a story with a pace; returns when each turn came."""
    session, turns = ScriptedSession(), []

    async def whole() -> None:
        await story(session, MessagePace(most, session.clock.monotonic_ns, session.wait_s), turns)
        await session.end()

    run(whole)
    return turns


async def take(session: ScriptedSession, turns: list[int], turn: Callable[[], Awaitable[bool]]) -> None:
    assert await turn()
    turns.append(session.clock.monotonic_ns())


def most_in_a_second(turns: list[int]) -> int:
    return max(sum(0 <= other - one < SECOND_NS for other in turns) for one in turns)


@pytest.mark.parametrize("most", [4, 8])
def test_a_burst_leaves_at_once_and_the_rest_as_there_is_room(most: int) -> None:
    async def story(session: ScriptedSession, pace: MessagePace, turns: list[int]) -> None:
        for number in range(3 * most):
            session.spawn(take(session, turns, pace.turn), f"message {number}")
        await session.settle()
        assert len(turns) == most
        await session.advance(4.0)

    turns = play(story, most)
    assert len(turns) == 3 * most
    assert most_in_a_second(turns) == most


def test_a_ping_passes_those_who_wait_and_takes_the_room_of_a_message() -> None:
    async def story(session: ScriptedSession, pace: MessagePace, turns: list[int]) -> None:
        for number in range(8):
            session.spawn(take(session, turns, pace.turn), f"message {number}")
        await session.settle()
        for number in range(2):
            session.spawn(take(session, turns, pace.control_turn), f"ping {number}")
        await session.settle()
        assert len(turns) == 5  # Binance takes 5: the second ping waits too
        await session.advance(4.0)

    turns = play(story)
    assert len(turns) == 10
    assert most_in_a_second(turns) == 5


def test_without_a_limit_nothing_waits_and_a_closed_connection_gives_no_turn() -> None:
    async def story(session: ScriptedSession, pace: MessagePace, turns: list[int]) -> None:
        for _ in range(100):
            await take(session, turns, pace.turn)
        pace.end()
        assert not await pace.turn()
        assert not await pace.control_turn()

    assert len(play(story, most=0)) == 100


def test_who_waits_when_the_connection_closes_does_not_send() -> None:
    async def story(session: ScriptedSession, pace: MessagePace, turns: list[int]) -> None:
        for _ in range(4):
            await take(session, turns, pace.turn)
        late = asyncio.ensure_future(pace.turn())
        await session.settle()
        pace.end()
        await session.advance(2.0)
        assert late.result() is False

    assert len(play(story)) == 4


class Socket:
    """A socket of aiohttp's, as far as ccxt pings by it."""

    closed = True

    def __init__(self) -> None:
        self.sent: list[str] = []

    async def ping(self, message: bytes = b"") -> None:
        self.sent.append(f"ping {message.decode()}")

    async def pong(self, message: bytes = b"") -> None:
        self.sent.append(f"pong {message.decode()}")


def test_the_pings_and_pongs_that_ccxt_sends_are_counted() -> None:
    socket = Socket()

    async def story(session: ScriptedSession, pace: MessagePace, turns: list[int]) -> None:
        client = FastClient("ws://127.0.0.1/stream", *[lambda *_heard: None] * 4)
        client.asyncio_loop, client.connection, client.pace = asyncio.get_running_loop(), socket, pace
        client.receive_loop()
        await client.connection.ping()
        await client.connection.pong(b"4711")
        for number in range(4):
            session.spawn(take(session, turns, pace.turn), f"message {number}")
        await session.settle()
        await client.reader

    assert len(play(story)) == 2
    assert socket.sent == ["ping ", "pong 4711"]
