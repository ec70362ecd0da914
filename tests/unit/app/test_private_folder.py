"""What is looked at before a platform runs."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from foxtrot.app import private_folder
from foxtrot.app.private_folder import check_folder, check_user, private_home, warn_of_readers
from foxtrot.cli import main
from foxtrot.core.private_file import make_private_folder
from foxtrot.domain.errors import ConfigError


@pytest.fixture(autouse=True)
def open_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def lines() -> Iterator[list[str]]:
    kept: list[str] = []
    number = logger.add(lambda line: kept.append(str(line)), level="WARNING", format="{message}")
    yield kept
    logger.remove(number)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_within_a_home_everything_is_its_owners_alone_and_the_umask_comes_back(tmp_path: Path) -> None:
    home = tmp_path / "a" / "b"
    with private_home(home):
        (home / "log").mkdir()
        (home / "log" / "f").write_text("x")
    (tmp_path / "after").write_text("x")
    assert [mode(path) for path in (tmp_path / "a", home, home / "log")] == [0o700] * 3
    assert (mode(home / "log" / "f"), mode(tmp_path / "after")) == (0o600, 0o666)


@pytest.mark.parametrize("open_mode", [0o770, 0o702, 0o777])
def test_a_home_that_others_can_write_is_refused_with_the_fix(tmp_path: Path, open_mode: int) -> None:
    tmp_path.chmod(open_mode)
    with pytest.raises(ConfigError, match=f"mode {open_mode:o}.*chmod 700"), private_home(tmp_path):
        pass


def test_a_home_that_others_can_read_is_a_warning(tmp_path: Path, lines: list[str]) -> None:
    tmp_path.chmod(0o755)
    with private_home(tmp_path):
        warn_of_readers(tmp_path)
    (line,) = lines
    assert "chmod 700" in line
    tmp_path.chmod(0o700)
    warn_of_readers(tmp_path)
    assert len(lines) == 1


def test_a_home_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_folder, "is_other_user", lambda owner: True)
    with pytest.raises(ConfigError, match="belongs to another user"):
        check_folder(tmp_path)


def test_a_home_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(ConfigError, match="cannot be made"), private_home(tmp_path / "file" / "home"):
        pass
    with pytest.raises(NotADirectoryError):
        make_private_folder(tmp_path / "file")


@pytest.mark.parametrize(
    ("root", "live", "as_root", "ends"),
    [
        (True, True, False, "refused"),
        (True, True, True, "warned"),
        (True, False, False, "warned"),
        (False, True, False, ""),
        (False, False, False, ""),
    ],
)
def test_root_trades_for_real_only_when_told_to(
    monkeypatch: pytest.MonkeyPatch, lines: list[str], root: bool, live: bool, as_root: bool, ends: str
) -> None:
    monkeypatch.setattr(private_folder, "is_root", lambda: root)
    if ends == "refused":
        with pytest.raises(ConfigError, match="--as-root"):
            check_user(live=live, as_root=as_root)
        return
    check_user(live=live, as_root=as_root)
    assert len(lines) == (ends == "warned")


def test_the_runner_refuses_an_open_home(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tmp_path.chmod(0o777)
    assert main(["run", str(tmp_path / "c.toml"), "--home", str(tmp_path)]) == 2
    assert f"chmod 700 {tmp_path}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_runner_refuses_an_open_data_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, data = tmp_path / "c.toml", tmp_path / "data"
    data.mkdir()
    data.chmod(0o770)
    config.write_text('[platform]\ndata_dir = "data"\n[account.main]\nadapter = "simulated"\n')
    assert main(["run", str(config), "--home", str(tmp_path / "home")]) == 2
    assert f"chmod 700 {data}" in capsys.readouterr().err


def test_the_runner_refuses_root_for_real_money_before_any_key_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(private_folder, "is_root", lambda: True)
    config = tmp_path / "c.toml"
    config.write_text(
        '[platform]\nmode = "live"\n[account.main]\nadapter = "binance"\nenvironment = "live"\n'
        'settings = { api_key_env = "FOXTROT_NO_SUCH_KEY" }\n'
    )
    assert main(["run", str(config), "--live", "--home", str(tmp_path / "home")]) == 2
    assert "refuses to run as root" in capsys.readouterr().err


def test_core_dumps_are_off_once_memory_is_guarded() -> None:
    code = (
        "import resource, sys\nfrom foxtrot.app.private_folder import guard_memory\nguard_memory()\n"
        "sys.exit(resource.getrlimit(resource.RLIMIT_CORE) != (0, 0))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
