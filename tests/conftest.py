"""What every test gets: a guard against leaked threads, a guard against the network, the recorded data, one random seed."""

import ipaddress
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REPOSITORY = Path(__file__).resolve().parent.parent
LOCAL_NAMES = ("localhost", "")
JOIN_DEADLINE_S = 1.0
LASTING = ("pytest_timeout", "futu-sdk-network")
"""Threads that stay: pytest's own, and the one that Futu's SDK has for the whole process, see docs/threads.md."""

FOLDER = "FOXTROT_TEST_FOLDER"
"""Names a folder of this process of pytest, which goes when it ends."""

settings.register_profile("default", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", parent=settings.get_profile("default"), derandomize=False, max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


def pytest_configure() -> None:
    """Make the folder, with one for locks: those of accounts are for a whole machine, and tests beside each other are not one platform."""
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="foxtrot-tests-")
    locks = Path(os.environ[FOLDER]) / "locks"
    locks.mkdir()
    os.environ["FOXTROT_LOCKS"] = str(locks)


def pytest_unconfigure() -> None:
    shutil.rmtree(os.environ[FOLDER], ignore_errors=True)


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
        if thread is not threading.current_thread() and not thread.name.startswith(LASTING):
            thread.join(max(0.0, ends_at - time.monotonic()))
    return sorted(thread.name for thread in started if thread.is_alive() and not thread.name.startswith(LASTING))


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
    if not isinstance(address, tuple):
        return True
    host = str(address[0])
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host in LOCAL_NAMES
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback or found.is_unspecified


class Border:
    """The edge of this machine: whether tests may cross it now, and what was refused, also where somebody hid the error."""

    def __init__(self) -> None:
        self.is_open = False
        self.refused: list[str] = []

    def check(self, address: object) -> None:
        if not self.is_open and not is_local(address):
            self.refused.append(f"a test tried to reach {address}; mark it `network` if it must")
            raise RuntimeError(self.refused[-1])

    def guard_address(self, method: Callable[..., object], position: int) -> Callable[..., object]:
        """Check the address that a socket's method is given."""

        def guarded(sock: socket.socket, *arguments: object) -> object:
            if len(arguments) > position:
                self.check(arguments[-1])
            return method(sock, *arguments)

        return guarded

    def guard_name(self, function: Callable[..., object]) -> Callable[..., object]:
        """Check the name that a look-up is given."""

        def guarded(host: str | bytes | None, *arguments: object, **named: object) -> object:
            self.check((host.decode() if isinstance(host, bytes) else host or "localhost",))
            return function(host, *arguments, **named)

        return guarded


@pytest.fixture(scope="session", autouse=True)
def border() -> Iterator[Border]:
    """Guards the sockets of the whole run, so that what a module's fixtures do is seen too.

    Event loops connect and look up by these functions as well, and so does everything that is built on them.
    """
    made = Border()
    with pytest.MonkeyPatch.context() as patch:
        for name, position in (("connect", 0), ("connect_ex", 0), ("sendto", 1), ("sendmsg", 3)):
            patch.setattr(socket.socket, name, made.guard_address(getattr(socket.socket, name), position))
        for name in ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr"):
            patch.setattr(socket, name, made.guard_name(getattr(socket, name)))
        yield made


@pytest.fixture(autouse=True)
def no_network(request: pytest.FixtureRequest, border: Border) -> Iterator[list[str]]:
    """Refuses every connection and look-up that leaves this machine, except in tests marked `network`.

    A test that tries fails, whatever became of the error; one that means to try takes this list of what was refused and
    empties it.
    """
    border.is_open = request.node.get_closest_marker("network") is not None
    yield border.refused
    border.is_open = False
    refused, border.refused = border.refused, []
    assert not refused, f"refused: {refused}"
