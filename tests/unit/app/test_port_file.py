"""The port file: whole or not at all, readable by its owner alone, and gone at the end unless somebody else's."""

import json
import os
import socket
import stat
from pathlib import Path

import msgspec
import pytest

from foxtrot.app import port_file
from foxtrot.app.port_file import HubFacts, PortAccount, PortFacts, PortFile
from foxtrot.domain.errors import ConfigError

FACTS = PortFacts(pid=7, binance_spot=1234, accounts=(PortAccount("main", "the-key", "the-secret"),))
OLD = '{"pid": 6, "control": null}'
KEYS = [
    "pid", "binance_spot", "binance_usdm", "binance_spot_tls", "binance_usdm_tls", "ca_file", "futu", "ib", "api",
    "control", "accounts",
]  # fmt: skip


def test_it_has_exactly_its_keys_and_absent_services_are_null(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    PortFile(path).write(FACTS)
    found = json.loads(path.read_text())
    assert list(found) == KEYS
    assert (found["pid"], found["binance_spot"], found["control"]) == (7, 1234, None)
    assert found["accounts"] == [{"name": "main", "api_key": "the-key", "api_secret": "the-secret"}]
    PortFile(path).write(msgspec.structs.replace(FACTS, control=5, control_token="t"))
    assert list(json.loads(path.read_text())) == [*KEYS, "control_token"]


def test_nobody_else_can_read_it_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    path.write_text(OLD)
    path.chmod(0o666)
    before = os.umask(0)
    try:
        PortFile(path).write(FACTS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_reader_never_sees_half_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "ports.json"
    path.write_text(OLD)
    seen: list[str] = []
    replace = Path.replace

    def watched(self: Path, target: Path) -> Path:
        seen.append(path.read_text())
        seen.append(self.read_text())
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", watched)
    PortFile(path).write(FACTS)
    assert seen[0] == OLD
    assert seen[1] == path.read_text()
    assert [entry.name for entry in tmp_path.iterdir()] == ["ports.json"]


def test_a_failed_write_leaves_nothing_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(port_file.os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left on device; name another file"):
        PortFile(tmp_path / "ports.json").write(FACTS)
    assert list(tmp_path.iterdir()) == []


def test_it_is_removed_by_its_writer_alone(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    first, second = PortFile(path), PortFile(path)
    first.write(FACTS)
    second.write(msgspec.structs.replace(FACTS, pid=8))
    first.remove()
    assert json.loads(path.read_text())["pid"] == 8
    second.remove()
    assert not path.exists()
    second.remove()


def test_where_nothing_can_be_written_is_said_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"folder .*none does not exist; make it first"):
        PortFile(tmp_path / "none" / "ports.json")
    with pytest.raises(ConfigError, match="is a folder; name a file in it"):
        PortFile(tmp_path)


def test_no_secret_is_shown() -> None:
    assert "the-" not in repr(FACTS)


def test_the_file_of_an_exchange_that_runs_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        PortFile(path).write(PortFacts(pid=1, control=port))
        with pytest.raises(ConfigError, match=str(port)):
            PortFile(path)
    PortFile(path).write(PortFacts(pid=2))


def test_the_file_of_a_hub_that_runs_is_not_taken_either(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        PortFile(path).write(HubFacts(1, port, f"ws://127.0.0.1:{port}/ws", ""))
        with pytest.raises(ConfigError, match=rf"belongs to a hub that runs \(it listens on port {port}\); stop that"):
            PortFile(path)
    PortFile(path).write(PortFacts(pid=2))


def test_a_file_that_somebody_who_runs_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    late = PortFile(path)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        PortFile(path).write(PortFacts(pid=1, binance_spot=port))
        with pytest.raises(ConfigError, match=f"belongs to an exchange that runs .*{port}"):
            late.write(PortFacts(pid=2))
    late.remove()
    assert json.loads(path.read_text())["pid"] == 1


def test_ones_own_port_in_an_old_file_is_nobody_elses(tmp_path: Path) -> None:
    path = tmp_path / "ports.json"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        path.write_text(OLD.replace("null", str(port)))
        listening.close()
        mine = PortFile(path)
    with socket.create_server(("127.0.0.1", port)):
        mine.write(PortFacts(pid=2, control=port))
    assert json.loads(path.read_text())["pid"] == 2


@pytest.mark.parametrize("text", ["my notes", "{}", '{"pid": 5}', '{"pid": "5", "hub": 1}', "[1]", "\xff"])
def test_a_file_that_is_no_port_file_is_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "notes.txt"
    path.write_text(text, "latin-1")
    with pytest.raises(
        ConfigError, match=r"notes.txt exists and is no port file; it would be overwritten: name another"
    ):
        PortFile(path)
    assert path.read_text("latin-1") == text


def test_an_empty_file_is_taken_and_no_device(tmp_path: Path) -> None:
    path = tmp_path / "made_by_mktemp"
    path.touch()
    PortFile(path).write(FACTS)
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(ConfigError, match="is no plain file"):
        PortFile(pipe)
