"""Order ids: on the disk before they are used, and only ever raised."""

import os
from pathlib import Path

import pytest

from foxtrot.adapter.ib.errors import NotSetUp
from foxtrot.adapter.ib.ids import BLOCK, HIGHEST, OrderIds
from foxtrot.domain.errors import ConfigError


def opened(home: Path | None, next_valid: int = 1, account: str = "DU1", client_id: int = 1) -> OrderIds:
    ids = OrderIds(home, client_id)
    ids.open(account, next_valid)
    return ids


def mark(home: Path) -> int:
    return int((home / "ib" / "DU1-1.json").read_text("ascii").partition(":")[2].rstrip("}"))


def test_an_id_is_on_the_disk_before_it_is_given_out(tmp_path: Path) -> None:
    ids = opened(tmp_path, 100)
    for expected in range(100, 100 + 2 * BLOCK):
        assert mark(tmp_path) > ids.following or ids.following == mark(tmp_path)
        assert ids.take() == expected
        assert mark(tmp_path) > expected


def test_whoever_is_killed_uses_none_again_and_whoever_closes_wastes_none(tmp_path: Path) -> None:
    killed = opened(tmp_path)
    used = [killed.take() for _ in range(3)]
    after = opened(tmp_path)
    assert after.take() > max(used)
    after.close()
    assert opened(tmp_path).following == after.following


@pytest.mark.parametrize("told", [1, 38_099, 0])
def test_a_rolled_back_id_is_not_believed(tmp_path: Path, told: int) -> None:
    ids = opened(tmp_path, 38_103)
    used = {ids.take() for _ in range(4)}
    ids.open("DU1", told)
    assert ids.take() not in used
    assert opened(tmp_path, told).take() not in used


def test_a_higher_id_of_tws_and_of_any_order_counts(tmp_path: Path) -> None:
    ids = opened(tmp_path, 5)
    ids.open("DU1", 5_000)
    assert ids.take() == 5_000
    ids.saw(6_000)
    assert ids.take() == 6_001
    assert mark(tmp_path) > 6_001
    ids.saw(3)
    assert ids.take() == 6_002
    ids.saw(2**31 - 1)  # of another program; it is beyond what we use
    assert ids.take() == 6_003


def test_accounts_and_client_ids_are_apart(tmp_path: Path) -> None:
    opened(tmp_path, 500)
    assert opened(tmp_path, 1, client_id=2).take() == 1
    assert opened(tmp_path, 1, account="DU2").take() == 1


def test_without_a_home_the_word_of_tws_counts() -> None:
    ids = opened(None, 7)
    assert [ids.take(), ids.take()] == [7, 8]
    ids.close()


def test_a_file_that_cannot_be_read_stops_everything(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "ib" / "DU1-1.json").write_text("what?")
    with pytest.raises(ConfigError, match=r"DU1-1\.json cannot be read"):
        opened(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_lets_no_id_out(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(ConfigError, match="cannot be written"):
        opened(tmp_path)


def test_a_disk_that_fails_lets_no_id_out_and_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = opened(tmp_path)
    for _ in range(BLOCK):
        ids.take()

    def fail(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("foxtrot.core.private_file.os.fsync", fail)
    with pytest.raises(ConfigError, match="No space left"):
        ids.take()
    monkeypatch.undo()
    assert [file.name for file in (tmp_path / "ib").iterdir()] == ["DU1-1.json"]
    assert ids.take() == BLOCK + 1


def test_a_tws_beyond_all_ids_is_told_with_the_fix(tmp_path: Path) -> None:
    with pytest.raises(NotSetUp, match="Reset API order ID sequence"):
        opened(tmp_path, HIGHEST)
