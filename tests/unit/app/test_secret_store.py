"""The key store: sealed secrets open with the right passphrase in their own place only, and nothing changed is taken for true."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foxtrot.app.passphrase import VARIABLE, Passphrase, for_child, process_passphrase
from foxtrot.app.secret_cipher import COST
from foxtrot.app.secret_store import NAME, SecretPlace, SecretStore
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import ConfigError

KEY = SecretPlace("binance", "live", "main", "api_key")
VALUE = Secret("canary-value-of-a-key")
NOW_NS = 1_800_000_000_000_000_000


class Ring:
    """A keyring in memory."""

    name = "in memory"

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], Secret] = {}

    def get(self, service: str, user: str) -> Secret | None:
        return self.kept.get((service, user))

    def put(self, service: str, user: str, value: Secret) -> None:
        self.kept[service, user] = value

    def delete(self, service: str, user: str) -> None:
        self.kept.pop((service, user), None)


class NoRing(Ring):
    """What a machine without a desktop has."""

    name = ""


@pytest.fixture(autouse=True)
def quick_scrypt(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let a guess cost little, but for those that look at what it costs."""
    if "costs_what" not in request.node.name:
        monkeypatch.setattr("foxtrot.app.secret_cipher.COST", 2)


@pytest.fixture
def asked() -> list[str]:
    return []


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    before = os.umask(0)
    yield tmp_path / "deep" / "home"
    os.umask(before)


def store(home: Path, asked: list[str], words: str = "correct horse", ring: Any = None) -> SecretStore:
    def ask(prompt: str) -> str:
        asked.append(prompt)
        return words

    return SecretStore(home, Passphrase({}, ask), ring or NoRing())


def changed(home: Path, change: Any) -> None:
    """Change the file as somebody might who can write it."""
    path = home / NAME
    contents = msgspec.json.decode(path.read_bytes())
    change(contents)
    path.write_bytes(msgspec.json.encode(contents))


def test_a_secret_comes_back_in_another_process_and_the_passphrase_is_asked_for_once(
    home: Path, asked: list[str]
) -> None:
    first = store(home, asked)
    first.put(KEY, VALUE, NOW_NS)
    first.put(msgspec.structs.replace(KEY, name="api_secret"), Secret("another"), NOW_NS)
    assert asked == ["new passphrase of the key store: ", "once more: "]
    asked.clear()
    again = store(home, asked)
    assert (again.get(KEY), again.get(msgspec.structs.replace(KEY, name="api_secret"))) == (VALUE, Secret("another"))
    assert asked == ["passphrase of the key store: "]


def test_nothing_is_asked_while_nothing_of_an_account_is_kept(home: Path, asked: list[str]) -> None:
    assert store(home, asked).get(KEY) is None
    assert not home.exists()
    store(home, asked).put(KEY, VALUE, NOW_NS)
    asked.clear()
    for other in ("testnet", ""):
        assert store(home, asked).get(msgspec.structs.replace(KEY, environment=other)) is None
    assert asked == []


def test_the_file_is_its_owners_alone_and_holds_no_value(home: Path, asked: list[str]) -> None:
    store(home, asked).put(KEY, VALUE, NOW_NS)
    assert (home / NAME).stat().st_mode & 0o777 == 0o600
    assert {folder.stat().st_mode & 0o777 for folder in (home, home.parent)} == {0o700}
    assert VALUE.reveal() not in (home / NAME).read_text()
    assert list(home.iterdir()) == [home / NAME]


def test_every_changed_bit_of_a_secret_is_refused(home: Path, asked: list[str]) -> None:
    store(home, asked).put(KEY, VALUE, NOW_NS)
    whole = (home / NAME).read_bytes()
    sealed = msgspec.json.decode(whole)["entries"][0]["sealed"]
    opened = store(home, asked)
    assert opened.get(KEY) == VALUE
    for part, text in sealed.items():
        data = msgspec.convert(text, bytes, strict=False)
        for at in range(len(data) * 8):
            flipped = bytearray(data)
            flipped[at // 8] ^= 1 << at % 8
            changed(
                home,
                lambda contents, part=part, flipped=flipped: contents["entries"][0]["sealed"].update(
                    {part: msgspec.to_builtins(bytes(flipped))}
                ),
            )
            with pytest.raises(ConfigError, match="was changed, or moved"):
                opened.get(KEY)
            (home / NAME).write_bytes(whole)


@pytest.mark.parametrize("part", ["adapter", "environment", "account", "name"])
def test_a_secret_moved_to_another_place_is_refused(home: Path, asked: list[str], part: str) -> None:
    store(home, asked).put(KEY, VALUE, NOW_NS)
    changed(home, lambda contents: contents["entries"][0]["place"].update({part: "other"}))
    with pytest.raises(ConfigError, match="other") as raised:
        store(home, asked).get(msgspec.structs.replace(KEY, **{part: "other"}))
    assert VALUE.reveal() not in str(raised.value)


def test_a_wrong_passphrase_is_told_as_such(home: Path, asked: list[str]) -> None:
    store(home, asked).put(KEY, VALUE, NOW_NS)
    with pytest.raises(ConfigError, match="the passphrase is wrong"):
        store(home, asked, "wrong horse").get(KEY)
    with pytest.raises(ConfigError, match="the passphrase is wrong"):
        store(home, asked, "wrong horse").put(msgspec.structs.replace(KEY, name="b"), VALUE, NOW_NS)


def test_a_cheaper_key_is_refused(home: Path, asked: list[str]) -> None:
    store(home, asked).put(KEY, VALUE, NOW_NS)
    changed(home, lambda contents: contents["key"].update({"n": 4}))
    with pytest.raises(ConfigError, match="the file was changed"):
        store(home, asked).get(KEY)


def test_a_guess_costs_what_it_should(home: Path, asked: list[str]) -> None:
    store(home, asked).put(KEY, VALUE, NOW_NS)
    key = msgspec.json.decode((home / NAME).read_bytes())["key"]
    assert (key["n"], key["r"], key["p"], COST) == (2**17, 8, 1, 2**17)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_file_that_others_can_open_is_refused_with_the_fix(home: Path, asked: list[str], mode: int) -> None:
    store(home, asked).put(KEY, VALUE, NOW_NS)
    (home / NAME).chmod(mode)
    with pytest.raises(ConfigError, match="chmod 600"):
        store(home, asked).get(KEY)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b'{"version": 2}', b'{"entries": 1}', b"\xff", b"[" * 100_000])
def test_a_damaged_file_is_refused(home: Path, asked: list[str], data: bytes) -> None:
    home.mkdir(parents=True)
    (home / NAME).write_bytes(data)
    (home / NAME).chmod(0o600)
    with pytest.raises(ConfigError, match=r"no key store|is of version 2"):
        store(home, asked).entries()


def test_a_keyring_that_is_usable_keeps_the_secret_and_the_file_its_name_only(home: Path, asked: list[str]) -> None:
    ring = Ring()
    kept = store(home, asked, ring=ring).put(KEY, VALUE, NOW_NS)
    assert (kept.where, kept.sealed, len(kept.fingerprint)) == ("keyring", None, 8)
    assert list(ring.kept.values()) == [VALUE]
    assert store(home, asked, ring=ring).get(KEY) == VALUE
    assert asked == []
    ring.kept.clear()
    with pytest.raises(ConfigError, match="has no api_key of account main"):
        store(home, asked, ring=ring).get(KEY)


def test_a_secret_that_moves_into_the_file_leaves_the_keyring(home: Path, asked: list[str]) -> None:
    ring = Ring()
    store(home, asked, ring=ring).put(KEY, VALUE, NOW_NS)
    assert store(home, asked, ring=ring).put(KEY, VALUE, NOW_NS, in_file=True).where == "file"
    assert ring.kept == {}
    assert store(home, asked, ring=ring).get(KEY) == VALUE


@pytest.mark.parametrize("ring", [Ring, NoRing])
def test_a_deleted_secret_is_gone_everywhere(home: Path, asked: list[str], ring: type[Ring]) -> None:
    one = ring()
    store(home, asked, ring=one).put(KEY, VALUE, NOW_NS)
    assert store(home, asked, ring=one).delete(KEY)
    assert not store(home, asked, ring=one).delete(KEY)
    assert (store(home, asked, ring=one).get(KEY), one.kept) == (None, {})
    asked.clear()
    store(home, asked, "a new passphrase", one).put(KEY, VALUE, NOW_NS)
    assert store(home, asked, "a new passphrase", one).get(KEY) == VALUE


def test_fingerprints_differ_by_home_and_short_values_have_none(tmp_path: Path, asked: list[str]) -> None:
    told = [store(tmp_path / name, asked, ring=Ring()).put(KEY, VALUE, NOW_NS).fingerprint for name in ("a", "b")]
    assert told[0] != told[1]
    assert store(tmp_path / "a", asked, ring=Ring()).put(KEY, Secret("123456"), NOW_NS).fingerprint == ""


# --- the passphrase -------------------------------------------------------------------------------------------------


def test_a_file_or_a_descriptor_gives_the_passphrase(tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("correct horse\n")
    file.chmod(0o600)
    assert Passphrase({VARIABLE: str(file)}).get() == Secret("correct horse")
    descriptor = os.open(file, os.O_RDONLY)
    named = Passphrase({VARIABLE: str(descriptor)})
    assert (named.get(), named.get()) == (Secret("correct horse"), Secret("correct horse"))
    os.close(descriptor)


def test_a_child_reads_the_passphrase_from_a_pipe(tmp_path: Path) -> None:
    parent = Passphrase({}, lambda _: "correct horse")
    assert parent.child_descriptor() == -1
    parent.get()
    descriptor = parent.child_descriptor()
    assert Passphrase({VARIABLE: str(descriptor)}).get() == Secret("correct horse")
    os.close(descriptor)


@pytest.mark.parametrize(
    ("data", "mode", "words"),
    [
        (b"correct horse", 0o640, "chmod 600"),
        (b"correct horse", 0o604, "chmod 600"),
        (b"", 0o600, "holds no text"),
        (b"\n", 0o600, "holds no text"),
        (b"x" * 5000, 0o600, "too much"),
        (b"\xff\xfe", 0o600, "no UTF-8"),
        (None, 0, "cannot be read"),
    ],
)
def test_a_wrong_passphrase_file_is_refused_with_the_fix(
    tmp_path: Path, data: bytes | None, mode: int, words: str
) -> None:
    file = tmp_path / "words"
    if data is not None:
        file.write_bytes(data)
        file.chmod(mode)
    with pytest.raises(ConfigError, match=words) as raised:
        Passphrase({VARIABLE: str(file)}).get()
    assert "correct horse" not in str(raised.value)


def test_a_new_passphrase_is_asked_for_twice_and_not_too_short() -> None:
    answers = iter(["correct horse", "correct house"])
    with pytest.raises(ConfigError, match="differ"):
        Passphrase({}, lambda _: next(answers)).get(new=True)
    with pytest.raises(ConfigError, match="at least 8"):
        Passphrase({}, lambda _: "short").get(new=True)
    with pytest.raises(ConfigError, match="no passphrase"):
        Passphrase({}, lambda _: "").get()


def test_without_a_terminal_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(ConfigError, match=VARIABLE):
        Passphrase({}).get()


def test_a_process_asks_once_and_hands_the_passphrase_to_its_child(tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("correct horse")
    file.chmod(0o600)
    environment = {**os.environ, VARIABLE: str(file)}
    with for_child(environment) as (given, kept):
        assert (given, kept) == (environment, ())
    process_passphrase(environment).get()
    file.unlink()
    assert process_passphrase(environment).get() == Secret("correct horse")
    code = (
        "import os, sys\nfrom foxtrot.app.passphrase import Passphrase\n"
        "one = Passphrase(os.environ)\nsys.exit(one.get().reveal() != 'correct horse' or one.get() != one.get())"
    )
    with for_child(environment) as (given, kept):
        assert "correct horse" not in str(given)
        assert subprocess.run([sys.executable, "-c", code], env=given, pass_fds=kept, check=False).returncode == 0
