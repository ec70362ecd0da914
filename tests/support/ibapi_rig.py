"""ibapi 9.81, unmodified, as a test client: everything it calls back is kept in order, and its threads end with the test."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.support.waiting import wait_until

pytest.importorskip("ibapi", reason="ibapi is not installed; scripts/setup installs it for tests")

HOST = "127.0.0.1"


def ib_client() -> Any:
    """Return an EClient and EWrapper in one, which keeps what it hears as (name, arguments) in `heard`."""
    from ibapi.client import EClient
    from ibapi.wrapper import EWrapper

    logging.getLogger("ibapi").setLevel(logging.CRITICAL)

    class Recorder(EWrapper, EClient):  # type: ignore[misc]  # ibapi has no types
        def __init__(self) -> None:
            EClient.__init__(self, self)
            self.heard: list[tuple[str, tuple[Any, ...]]] = []
            self.runner: threading.Thread | None = None

        def __getattribute__(self, name: str) -> Any:
            found = super().__getattribute__(name)
            if name in callbacks:
                return _keeping(self.heard, name)
            return found

        def named(self, name: str) -> list[tuple[Any, ...]]:
            return [arguments for told, arguments in self.heard if told == name]

        def wait_for(self, name: str, count: int = 1) -> tuple[Any, ...]:
            wait_until(lambda: len(self.named(name)) >= count)
            return self.named(name)[count - 1]

        def codes(self) -> list[int]:
            return [arguments[1] for arguments in self.named("error")]

    callbacks = {name for name in vars(EWrapper) if not name.startswith("_")} - {"logAnswer"}
    return Recorder()


def _keeping(heard: list[tuple[str, tuple[Any, ...]]], name: str) -> Callable[..., None]:
    def keep(*arguments: Any, **named: Any) -> None:
        heard.append((name, (*arguments, *named.values())))

    return keep


@contextmanager
def connected(port: int, client_id: int = 1, *, is_ready: bool = True) -> Iterator[Any]:
    """A client that is connected and runs; it is disconnected at the end."""
    client = ib_client()
    client.connect(HOST, port, client_id)
    client.runner = threading.Thread(target=client.run, name="test-ib-run")
    client.runner.start()
    try:
        if is_ready:
            client.wait_for("nextValidId")
        yield client
    finally:
        client.disconnect()
        client.runner.join(10)
        assert not client.runner.is_alive()
        reader = getattr(client, "reader", None)
        if reader is not None:
            reader.join(10)
