"""The halt file: what is found there, when it is told, and who may open it."""

from pathlib import Path

import pytest

from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.domain.errors import ConfigError

HALT = Halt("all is lost", "Ann", 7)


def test_a_halt_is_found_as_it_was_written_by_its_owner_alone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    HaltFile(home).write(HALT)
    assert HaltFile(home).read() == HALT
    assert (home / "halt.json").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700


def test_each_halt_is_told_once_by_looking(tmp_path: Path) -> None:
    file = HaltFile(tmp_path)
    assert file.look() is None
    HaltFile(tmp_path).write(HALT)
    assert (file.look(), file.look()) == (HALT, None)
    again = Halt("again", "guardian", 8)
    HaltFile(tmp_path).write(again)
    assert (file.look(), file.look()) == (again, None)
    file.remove()
    assert file.look() is None
    HaltFile(tmp_path).write(again)
    assert file.look() == again


def test_who_writes_a_halt_has_obeyed_it(tmp_path: Path) -> None:
    file = HaltFile(tmp_path)
    file.write(HALT)
    assert file.look() is None


def test_a_halt_is_lifted_when_it_is_the_one_that_was_obeyed(tmp_path: Path) -> None:
    file = HaltFile(tmp_path)
    file.lift()
    HaltFile(tmp_path).write(HALT)
    file.lift()
    assert file.look() == HALT, "nobody had obeyed it yet"
    HaltFile(tmp_path).write(Halt("again", "guardian", 8))
    file.lift()
    assert file.look() == Halt("again", "guardian", 8), "it came after the one that was obeyed"
    file.lift()
    assert file.read() is None
    HaltFile(tmp_path).write(Halt("again", "guardian", 8))
    assert file.look() is not None, "the same once more is another"


@pytest.mark.parametrize("text", [b"", b"{", b'{"reason": 1}', b"\xff\xfe"])
def test_what_cannot_be_understood_halts_all_the_same(tmp_path: Path, text: bytes) -> None:
    file = HaltFile(tmp_path)
    file.path.write_bytes(text)
    found = file.read()
    assert found is not None
    assert found.killed
    assert str(file.path) in found.reason
    assert file.look() == found
    assert file.look() is None


def test_what_may_not_be_read_halts_too(tmp_path: Path) -> None:
    file = HaltFile(tmp_path)
    file.path.mkdir()
    assert file.read() is not None
    with pytest.raises(ConfigError, match=r"halt\.json cannot be removed"):
        file.remove()


def test_there_is_none_where_there_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for home in (tmp_path / "missing", tmp_path / "file"):
        assert HaltFile(home).read() is None
        HaltFile(home).remove()


def test_a_home_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="cannot be made"):
        HaltFile(tmp_path / "file" / "home").write(HALT)
