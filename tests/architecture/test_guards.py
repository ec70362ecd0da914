"""The guards every test runs under do fail a test that deserves it."""

import shutil
import subprocess
import sys
from pathlib import Path

from tests.architecture.source_tree import REPOSITORY

# One test each in one run; the name is the reason to fail.
UNDESERVING = """
import asyncio, contextlib, socket, threading, warnings
import pytest

stop = threading.Event()

def test_leaves_a_thread_behind():
    threading.Thread(target=stop.wait, name='foxtrot-lost', daemon=True).start()

def test_has_a_thread_that_raises():
    thread = threading.Thread(target=int, args=('x',))
    thread.start()
    thread.join()

def test_reaches_an_address_elsewhere():
    with socket.socket() as s:
        s.connect(('192.0.2.1', 80))

def test_looks_up_a_name():
    socket.create_connection(('example.com', 80))

def test_hides_that_it_reached_an_address_elsewhere():
    try:
        asyncio.run(asyncio.open_connection('198.51.100.7', 443))
    except RuntimeError:
        hidden = True

@pytest.fixture(scope='module')
def elsewhere():
    with contextlib.suppress(RuntimeError):
        socket.gethostbyname('example.org')

def test_has_a_fixture_that_looks_up_a_name(elsewhere):
    assert elsewhere is None

def test_sends_a_datagram_elsewhere():
    with socket.socket(type=socket.SOCK_DGRAM) as s:
        s.sendto(b'?', ('203.0.113.9', 53))

def test_warns():
    warnings.warn('careless')
"""

MESSAGES = [
    "threads left behind: ['foxtrot-lost']",
    "exceptions nobody saw, in threads: ",
    "a test tried to reach ('192.0.2.1', 80)",
    "a test tried to reach ('example.com',)",
    "a test tried to reach ('198.51.100.7', 443)",
    "a test tried to reach ('example.org',)",
    "a test tried to reach ('203.0.113.9', 53)",
    "UserWarning: careless",
]

HARMLESS = """
import socket, threading
from hypothesis import given, strategies as st

def test_a_joined_thread_and_a_loopback_socket():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()
    with socket.create_server(('127.0.0.1', 0)) as server, socket.create_connection(server.getsockname()):
        server.accept()[0].close()

@given(st.integers())
def test_a_property(number):
    assert number == number
"""


def run(folder: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run one test file under this repository's conftest and settings."""
    shutil.copy(REPOSITORY / "tests" / "conftest.py", folder)
    shutil.copy(REPOSITORY / "setup.cfg", folder)
    (folder / "test_case.py").write_text(text, "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "setup.cfg", "test_case.py"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_a_leaked_thread_an_unseen_exception_the_network_and_a_warning_each_fail_their_test(tmp_path: Path) -> None:
    ran = run(tmp_path, UNDESERVING)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert [message for message in MESSAGES if message not in ran.stdout] == []
    assert [line for line in ran.stdout.splitlines() if line.startswith("ERROR")] != []
    assert "4 failed, 4 passed, 7 errors" in ran.stdout


def test_a_harmless_test_passes(tmp_path: Path) -> None:
    ran = run(tmp_path, HARMLESS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
