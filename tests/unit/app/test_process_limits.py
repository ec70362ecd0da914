"""Trading ends before the system refuses the next descriptor."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from foxtrot.app import process_limits
from foxtrot.app.process_limits import descriptors, descriptors_part

EXHAUST = """
import os, resource, sys
from foxtrot.app.process_limits import descriptors, descriptors_part
resource.setrlimit(resource.RLIMIT_NOFILE, (128, 128))
part, said, opened = descriptors_part(), "", []
try:
    while not said:
        opened.append(os.open("/dev/null", os.O_RDONLY))
        said = part.death()
except OSError as error:
    said = f"too late: {error}"
print(said)
"""


def test_what_is_open_is_counted() -> None:
    found = descriptors()
    assert found is not None
    used, most = found
    assert most == resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    one = os.open("/dev/null", os.O_RDONLY)
    try:
        assert (descriptors() or (0, 0))[0] == used + 1
    finally:
        os.close(one)
    assert descriptors_part().death() == ""
    assert descriptors_part().halts


def test_a_process_that_opens_more_and_more_is_told_while_there_are_some_left() -> None:
    ran = subprocess.run([sys.executable, "-c", EXHAUST], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    used = int(ran.stdout.split()[0])
    assert 100 <= used < 125
    assert ran.stdout.strip() == f"{used} of 128 are open; raise the limit (ulimit -n) or stop what opens them"


def test_where_the_system_does_not_tell_nothing_is_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_limits, "OPEN", (Path("/nowhere"),))
    assert descriptors() is None
    assert descriptors_part().death() == ""
