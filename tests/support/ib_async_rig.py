"""ib_async, an independent client of TWS's protocol, on a loop of its own, for tests; an error that it logs fails the test."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import pytest

pytest.importorskip("ib_async", reason="ib_async is not installed; scripts/setup installs it for tests")

HOST = "127.0.0.1"
DEADLINE_S = 20.0
Result = TypeVar("Result")


class _Errors(logging.Handler):
    """Keeps what ib_async logs as an error with an exception: a message that it could not take apart."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        if record.exc_info:
            self.texts.append(f"{record.getMessage()}: {record.exc_info[1]!r}")


@contextmanager
def _quiet() -> Iterator[_Errors]:
    logger = logging.getLogger("ib_async")
    errors, level, propagates = _Errors(), logger.level, logger.propagate
    logger.addHandler(errors)
    logger.propagate = False
    try:
        yield errors
    finally:
        logger.removeHandler(errors)
        logger.setLevel(level)
        logger.propagate = propagates


def with_ib_async(
    port: int, work: Callable[[Any], Awaitable[Result]], *, client_id: int = 1, version: int = 0, **more: object
) -> Result:
    """Connect, do something with the `IB` object, disconnect, and return what it gave.

    Blocks: at most the deadline.

    Args:
        port: where the exchange listens.
        work: takes the connected IB.
        client_id: of the connection.
        version: the highest server version that the client offers, 0 for its own.
        more: further arguments of connectAsync.
    """
    import ib_async

    async def run() -> Result:
        ib = ib_async.IB()
        if version:
            ib.client.MaxClientVersion = version
        try:
            await ib.connectAsync(HOST, port, clientId=client_id, timeout=DEADLINE_S, **more)
            return await asyncio.wait_for(_awaited(work(ib)), DEADLINE_S)
        finally:
            ib.disconnect()
            await asyncio.sleep(0)

    with _quiet() as errors, asyncio.Runner() as runner:
        result = runner.run(run())
    assert errors.texts == []
    return result


async def _awaited(work: Awaitable[Result]) -> Result:
    return await work
