"""What every test gets: a guard against leaked threads, a guard against the network, the recorded data, one random seed."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent
LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0", "::ffff:127.")
JOIN_DEADLINE_S = 1.0

settings.register_profile("default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", parent=settings.get_profile("default"), derandomize=False, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """The folder of recorded market data; tests that need it are skipped where it is absent."""
    folder = Path(os.environ.get("FOXTROT_DATA") or REPOSITORY.parent / "shared" / "data")
    if not folder.is_dir():
        pytest.skip(f"no recorded data: {folder} does not exist; set FOXTROT_DATA to the folder that has it")
    return folder


def left_behind(before: set[threading.Thread], deadline_s: float = JOIN_DEADLINE_S) -> list[str]:
    """Names of the threads started since `before` that are still alive after the deadline."""
    ends_at = time.monotonic() + deadline_s
    started = [thread for thread in threading.enumerate() if thread not in before]
    for thread in started:
        if thread is not threading.current_thread() and thread.name != "pytest_timeout":
            thread.join(max(0.0, ends_at - time.monotonic()))
    return sorted(
        thread.name for thread in started if thread.is_alive() and not thread.name.startswith("pytest_timeout")
    )


@pytest.fixture(autouse=True)
def no_thread_left_behind() -> Iterator[None]:
    """Fails a test that leaves a thread behind, or in one of whose threads an exception went unraised."""
    before = set(threading.enumerate())
    raised: list[str] = []
    previous = threading.excepthook

    def keep(arguments: threading.ExceptHookArgs) -> None:
        name = arguments.thread.name if arguments.thread else "a thread that is gone"
        raised.append(f"{name}: {arguments.exc_type.__name__}: {arguments.exc_value}")

    threading.excepthook = keep
    try:
        yield
        leaked = left_behind(before)
    finally:
        threading.excepthook = previous
    assert not raised, f"exceptions nobody saw, in threads: {raised}"
    assert not leaked, f"threads left behind: {leaked}"


def is_local(address: object) -> bool:
    """Whether a socket address stays on this machine; a path is a Unix socket."""
    return not isinstance(address, tuple) or str(address[0]).startswith(LOOPBACK)


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuses every connection that leaves this machine, except in tests marked `network`."""
    if request.node.get_closest_marker("network"):
        return
    connect, connect_ex = socket.socket.connect, socket.socket.connect_ex
    getaddrinfo = socket.getaddrinfo

    def checked(address: object) -> None:
        if not is_local(address):
            raise RuntimeError(f"a test tried to reach {address}; mark it `network` if it must")

    def guarded_connect(self: socket.socket, address: object) -> None:
        checked(address)
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        checked(address)
        return connect_ex(self, address)

    def guarded_getaddrinfo(host: str | bytes | None, *arguments: object, **named: object) -> object:
        checked((host.decode() if isinstance(host, bytes) else host or "localhost",))
        return getaddrinfo(host, *arguments, **named)

    monkeypatch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)
    monkeypatch.setattr(socket.socket, "connect", guarded_connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
