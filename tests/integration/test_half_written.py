"""A process is killed at each call by which it replaces a file of its home: the old file is there, or the whole new one."""

import sys
from pathlib import Path

import pytest

from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.port_file import write_private
from foxtrot.strategy.variables import VariableFiles
from tests.support.half_written_child import LONG, main
from tests.support.strace import traced, why_not

pytestmark = pytest.mark.skipif(why_not() != "", reason=why_not())
FILES = 3
CALLS = ("write", "fsync", "rename")
OLD = ({"position": 1}, Halt("old", "tester", 1), LONG + b"old")
NEW = ({"position": 2}, Halt("new", "tester", 2), LONG + b"new")


def _begin(folder: Path) -> None:
    VariableFiles(folder).save("s", {"position": 1})
    HaltFile(folder).write(Halt("old", "tester", 1))
    write_private(folder / "secrets.json", LONG + b"old")


def _found(folder: Path) -> tuple[object, ...]:
    return VariableFiles(folder).load("s"), HaltFile(folder).read(), (folder / "secrets.json").read_bytes()


@pytest.mark.parametrize("call", CALLS)
def test_a_kill_at_any_call_leaves_the_old_file_or_the_new_one(tmp_path: Path, call: str) -> None:
    replaced = set()
    for when in range(1, FILES + 1):
        folder = tmp_path / f"{when}"
        _begin(folder)
        command = [sys.executable, "-m", "tests.support.half_written_child", str(folder)]
        inject = f"inject={call}:signal=KILL:when={when}"
        ended = traced(command, tmp_path / "calls", "-e", f"trace={call}", "-e", inject)
        assert ended.returncode != 0, "the process was not killed"
        found = _found(folder)
        for place, one in enumerate(found):
            assert one in (OLD[place], NEW[place])
        replaced.add(sum(one == NEW[place] for place, one in enumerate(found)))
        main(folder)
        assert _found(folder) == NEW, "what was begun stands in the way of the next time"
    assert replaced == {0, 1, 2}, f"the points were not those of the three files: {replaced}"
