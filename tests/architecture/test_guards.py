"""The guards every test runs under do fail a test that deserves it."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.source_tree import REPOSITORY

CASES = {
    "a thread is left behind": (
        "import threading\nstop = threading.Event()\n"
        "def test_it():\n    threading.Thread(target=stop.wait, name='foxtrot-lost', daemon=True).start()\n",
        "threads left behind: ['foxtrot-lost']",
    ),
    "an exception in a thread is not seen": (
        "import threading\ndef test_it():\n    thread = threading.Thread(target=int, args=('x',))\n"
        "    thread.start()\n    thread.join()\n",
        "exceptions nobody saw, in threads: ",
    ),
    "a socket leaves the machine": (
        "import socket\ndef test_it():\n    with socket.socket() as s:\n        s.connect(('192.0.2.1', 80))\n",
        "a test tried to reach ('192.0.2.1', 80)",
    ),
    "a name is looked up": (
        "import socket\ndef test_it():\n    socket.create_connection(('example.com', 80))\n",
        "a test tried to reach ('example.com',)",
    ),
    "a warning is raised": (
        "import warnings\ndef test_it():\n    warnings.warn('careless')\n",
        "UserWarning: careless",
    ),
}

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


@pytest.mark.parametrize("case", CASES)
def test_a_test_fails_when(case: str, tmp_path: Path) -> None:
    text, message = CASES[case]
    ran = run(tmp_path, text)
    assert ran.returncode == 1, ran.stdout + ran.stderr
    assert message in ran.stdout


def test_a_harmless_test_passes(tmp_path: Path) -> None:
    ran = run(tmp_path, HARMLESS)
    assert ran.returncode == 0, ran.stdout + ran.stderr
