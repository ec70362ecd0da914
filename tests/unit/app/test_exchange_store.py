"""What an exchange keeps: private files, keys that a configuration overrides, and damage that is named."""

import stat
from pathlib import Path

import pytest

from foxtrot.app.exchange_store import KEYS_FILE, VENUE_FILE, ExchangeStore
from foxtrot.app.exchange_tables import ExchangeAccount
from foxtrot.cli import main
from foxtrot.domain.errors import ConfigError


def test_keys_come_back_unless_the_configuration_has_its_own(tmp_path: Path) -> None:
    store = ExchangeStore(tmp_path / "state")
    accounts = {"a": ExchangeAccount(), "b": ExchangeAccount(api_key="own", api_secret="own-secret")}
    assert store.with_keys(accounts) == accounts
    store.save_keys({"a": ("k1", "s1"), "b": ("k2", "s2")})
    found = store.with_keys({**accounts, "c": ExchangeAccount()})
    assert (found["a"].api_key, found["a"].api_secret) == ("k1", "s1")
    assert (found["b"].api_key, found["b"].api_secret) == ("own", "own-secret")
    assert found["c"] == ExchangeAccount()


def test_what_is_kept_is_nobody_elses(tmp_path: Path) -> None:
    store = ExchangeStore(tmp_path / "state")
    assert store.snapshot() is None
    store.save_keys({"a": ("k1", "s1")})
    store.save(b"venue")
    assert store.snapshot() == b"venue"
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in store.folder.iterdir()}
    assert modes == {KEYS_FILE: 0o600, VENUE_FILE: 0o600}
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_damage_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store = ExchangeStore(tmp_path)
    (tmp_path / KEYS_FILE).write_text("{", "utf-8")
    with pytest.raises(ConfigError, match=r"keys\.json is damaged; remove it"):
        store.with_keys({"a": ExchangeAccount()})
    (tmp_path / KEYS_FILE).unlink()
    (tmp_path / VENUE_FILE).write_text("no venue", "utf-8")
    (tmp_path / "file").write_text("", "utf-8")
    line = ["exchange", "--control", "0", "--port-file", str(tmp_path / "p.json")]
    assert main([*line, "--data", str(tmp_path)]) == 2
    assert "venue.msgpack: not a venue snapshot" in capsys.readouterr().err
    assert main([*line, "--data", str(tmp_path / "file")]) == 2
    assert "cannot be made: File exists; name another folder" in capsys.readouterr().err
