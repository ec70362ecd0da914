"""One account or data folder, one platform: who is refused, who is not, and what is left."""

import os
import platform
from pathlib import Path

import msgspec
import pytest

from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.account_lock import AccountLocks, Lock, account_keys, data_key, lock_folder
from foxtrot.app.config import load_config
from foxtrot.app.guardian import EventQueue
from foxtrot.app.run_lock import Holder
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError

CONFIG = """
[account.{name}]
adapter = "binance"
environment = "testnet"
settings = {{ product = "{product}", api_key_env = "{key}_KEY", api_secret_env = "{key}_SECRET" }}
[account.paper]
adapter = "simulated"
"""
SECRETS = {
    "A_KEY": "canary-key-1",
    "A_SECRET": "canary-secret-1",
    "B_KEY": "canary-key-2",
    "B_SECRET": "canary-secret-2",
}


def keys(folder: Path, name: str, product: str, key: str) -> list[tuple[str, str]]:
    path = folder / f"{name}.toml"
    path.write_text(CONFIG.format(name=name, product=product, key=key), "utf-8")
    config = load_config(path)
    maker = AccountAdapters(config, EventQueue(), SendPermit(), ManualClock(), SECRETS)
    return account_keys(maker.make(name) for name in config.accounts)


def test_the_second_platform_is_told_who_was_first(tmp_path: Path) -> None:
    with AccountLocks(tmp_path / "locks", tmp_path / "one") as first:
        first.take("account main", "key")
        first.take("account main", "key")
        with AccountLocks(tmp_path / "locks", tmp_path / "two") as second:
            with pytest.raises(
                ConfigError, match=rf"account other is in use by .*{tmp_path}/one \(pid {os.getpid()}\)"
            ):
                second.take("account other", "key")
            second.take("account third", "another key")
    assert list((tmp_path / "locks").iterdir()) == []


def test_a_lock_whose_holder_is_gone_is_taken_over(tmp_path: Path) -> None:
    with AccountLocks(tmp_path, tmp_path) as first:
        first.take("account main", "key")
        (path,) = tmp_path.iterdir()
        dead = Lock(Holder(2**22 + 1, "", platform.node(), ""), "gone", "account main")
        path.write_bytes(msgspec.json.encode(dead))
        with AccountLocks(tmp_path, tmp_path) as second:
            second.take("account main", "key")
        path.write_bytes(b"{half")
        with AccountLocks(tmp_path, tmp_path) as third:
            third.take("account main", "key")


def test_an_account_is_the_same_by_its_key_whatever_it_is_called_and_another_by_key_or_product(tmp_path: Path) -> None:
    (main,) = keys(tmp_path, "main", "spot", "A")
    (same,) = keys(tmp_path, "same", "spot", "A")
    (other,) = keys(tmp_path, "other", "spot", "B")
    (futures,) = keys(tmp_path, "futures", "usdm", "A")
    assert main[0] == "account main"
    assert main[1] == same[1]
    assert len({main[1], other[1], futures[1]}) == 3


def test_no_secret_is_written(tmp_path: Path) -> None:
    with AccountLocks(tmp_path / "locks", tmp_path) as locks:
        locks.take(*keys(tmp_path, "main", "spot", "A")[0])
        (path,) = (tmp_path / "locks").iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
        assert "canary" not in path.read_text("utf-8") + path.name


def test_a_data_folder_is_the_same_by_every_way_to_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "data")
    assert data_key(tmp_path / "data")[1] == data_key(tmp_path / "link")[1]


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="FOXTROT_LOCKS"):
        AccountLocks(tmp_path / "file" / "locks", tmp_path).take("account main", "key")


def test_the_folder_is_the_users_own_unless_it_is_named(tmp_path: Path) -> None:
    assert lock_folder({"FOXTROT_LOCKS": str(tmp_path)}) == tmp_path
    assert lock_folder({}).name == "locks"
