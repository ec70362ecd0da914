"""`foxtrot keys`: what is kept, listed and forgotten; a value is no argument and is never shown."""

import io
import json
from pathlib import Path

import pytest

from foxtrot.app.passphrase import VARIABLE
from foxtrot.app.secret_store import NAME
from foxtrot.cli import main

CANARY = "canary-of-keys-3f9c1d"
CONFIG = '[account.main]\nadapter = "binance"\nenvironment = "demo"\n'


@pytest.fixture(autouse=True)
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("foxtrot.app.secret_cipher.COST", 2)
    monkeypatch.setattr("foxtrot.app.private_folder.forbid_core_dumps", lambda: True)
    monkeypatch.setattr("foxtrot.app.os_keyring.OsKeyring.name", "")
    file = tmp_path / "passphrase"
    file.write_text("correct horse")
    file.chmod(0o600)
    monkeypatch.setenv(VARIABLE, str(file))
    monkeypatch.setenv("FOXTROT_HOME", str(tmp_path / "home"))
    (tmp_path / "c.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)


def said(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, *words: str, stdin: str = ""
) -> tuple[int, str, str]:
    monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
    status = main(["keys", *words])
    text = capsys.readouterr()
    assert CANARY not in text.out + text.err
    return status, text.out, text.err


def test_a_key_is_set_listed_and_deleted(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    status, out, _ = said(capsys, monkeypatch, "set", "main", "api_key", "--config", "c.toml", stdin=f"{CANARY}\n")
    assert (status, "api_key of account main (binance, demo) is kept" in out) == (0, True)
    _, out, _ = said(capsys, monkeypatch, "list", "--json")
    (row,) = json.loads(out)["secrets"]
    assert (row["account"], row["environment"], row["name"], row["where"]) == ("main", "demo", "api_key", "file")
    assert len(row["fingerprint"]) == 8
    assert CANARY not in (tmp_path / "home" / NAME).read_text()
    _, out, _ = said(capsys, monkeypatch, "list")
    assert row["fingerprint"] in out
    same = ("main", "api_key", "--adapter", "binance", "--environment", "demo")
    assert [said(capsys, monkeypatch, "delete", *same)[0] for _ in range(2)] == [0, 1]
    assert "nothing is kept" in said(capsys, monkeypatch, "list")[1]


def test_no_environment_is_the_safest_one_by_its_name(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, out, _ = said(capsys, monkeypatch, "set", "main", "api_key", "--adapter", "binance", "--json", stdin=CANARY)
    assert json.loads(out)["environment"] == "testnet"


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("set", "main", "api_key", CANARY), "a value is never an argument"),
        (("set", "main", CANARY, "--adapter", "binance"), "takes no secret ***"),
        (("set", "main", "api_keyy", "--adapter", "binance"), "did you mean api_key?"),
        (("set", "main"), "write: foxtrot keys set ACCOUNT NAME"),
        (("set", "main", "api_key"), "give either --config"),
        (("set", "man", "api_key", "--config", "c.toml"), "did you mean main?"),
        (("set", "main", "api_key", "--config", "c.toml", "--environment", "live"), "has its own"),
        (("set", "main", "api_key", "--adapter", "binanse"), "did you mean binance?"),
        (("set", "main", "api_key", "--adapter", "binance"), "no value was given"),
        (
            ("set", "main", "api_key", "--adapter", "binance", "--environment", "lopback"),
            "loopback; did you mean loopback?",
        ),
        (("list", "all"), "write: foxtrot keys list"),
        (("test",), "write: foxtrot keys test CONFIG.toml [ACCOUNT]"),
        (("test", "c.toml", "man"), "has no account man"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_fix(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], message: str
) -> None:
    status, out, err = said(capsys, monkeypatch, *words)
    assert (status, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


def test_too_much_on_stdin_is_no_secret(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    status, _, err = said(capsys, monkeypatch, "set", "main", "api_key", "--adapter", "binance", stdin=CANARY * 2_000)
    assert (status, "that is no secret" in err) == (2, True)


def test_an_account_without_keys_is_not_connected(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    status, out, _ = said(capsys, monkeypatch, "test", "c.toml")
    assert status == 1
    assert "keep api_key and api_secret with `foxtrot keys set main`" in out
