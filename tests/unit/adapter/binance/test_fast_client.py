"""What a connection does with frames that are not text."""

import asyncio
from collections.abc import Mapping
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMessage, WSMsgType

from foxtrot.adapter.binance.fast_client import FastClient

PING = WSMessage(WSMsgType.PING, b"7", None)


class _Socket:
    """Answers pings, or is closing.

    Thread: the loop's.
    """

    def __init__(self, *, closing: bool) -> None:
        self.closing = closing
        self.pongs: list[bytes] = []

    async def pong(self, payload: bytes) -> None:
        if self.closing:
            raise aiohttp.ClientConnectionResetError("Cannot write to closing transport")
        self.pongs.append(payload)


@pytest.mark.parametrize("closing", [False, True])
def test_a_ping_is_answered_and_on_a_closing_connection_nobody_is_alarmed(closing: bool) -> None:
    alarms: list[Mapping[str, Any]] = []

    async def hear() -> list[bytes]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _loop, context: alarms.append(context))
        client = FastClient.__new__(FastClient)
        client.asyncio_loop, client.connection, client.answers = loop, _Socket(closing=closing), set()
        client._handle(PING)
        while client.answers:
            await asyncio.gather(*client.answers, return_exceptions=False)
        return client.connection.pongs

    assert asyncio.run(hear()) == ([] if closing else [b"7"])
    assert alarms == []
