"""`foxtrot hub` as a process: shared with this one, killed, started again; ended by a signal; refused in words."""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from foxtrot.cli import main
from foxtrot.domain.enums import BookState
from foxtrot.hub.client import HubClient
from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
[hub]
port = {port}
[hub.instrument."BTCUSDT.BINANCE"]
levels = 20
"""


@contextmanager
def hub(folder: Path, *arguments: str) -> "Iterator[subprocess.Popen[str]]":
    environment = {**os.environ, "FOXTROT_HOME": str(folder / "home")}
    command = [sys.executable, "-m", "foxtrot", "hub", str(folder / "hub.toml"), "--json", *arguments]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
                process.communicate()


def told(port_file: Path) -> dict[str, object]:
    wait_until(port_file.exists, deadline_s=60)
    found: dict[str, object] = json.loads(port_file.read_text())
    return found


def test_a_client_survives_kill_9_of_the_hub(tmp_path: Path) -> None:
    (tmp_path / "hub.toml").write_text(CONFIG.format(port=0))
    ports = tmp_path / "ports.json"
    with hub(tmp_path, "--port-file", str(ports)) as first:
        facts = told(ports)
        with HubClient(str(facts["url"])) as client:
            feed = client.book("BTCUSDT.BINANCE")
            before = feed.wait(30)
            first.kill()
            first.communicate()
            wait_until(lambda: feed.state is BookState.STALE)
            assert feed.latest.bids == ()
            ports.unlink()
            with hub(tmp_path, "--port", str(facts["hub"]), "--port-file", str(ports)) as second:
                after = feed.wait(60)
                assert after.local_time_ns > before.local_time_ns
                assert client.status().books[0].adapter == "simulated"
                second.send_signal(signal.SIGTERM)
                out, err = second.communicate(timeout=30)
                assert second.returncode == 0, err
    result = json.loads(out)
    assert result["accepted"] == 1
    assert result["books"][0]["state"] == "live"
    assert "shares BTCUSDT.BINANCE" in err
    assert not ports.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[account.paper]\nadapter = "simulated"\n', 'nothing is offered; add tables [hub] and [hub.instrument."BTCUSDT.BINANCE"]'),
        ('[hub.instrument."BTCUSDT.BINANCE"]\n', 'no account to take it from; add [account.NAME] with adapter = "simulated" or another'),
        (CONFIG.format(port=0).replace("levels = 20", "levels = 0"), "levels must be a whole number, at least 1"),
        (CONFIG.format(port=0).replace("[hub]", '[hub]\ntoken_env = "NO_SUCH_TOKEN"'), "[hub] environment variable NO_SUCH_TOKEN is not set"),
    ],
)  # fmt: skip
def test_a_wrong_configuration_is_one_line_and_status_2(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    (tmp_path / "hub.toml").write_text(text)
    assert main(["--home", str(tmp_path), "hub", str(tmp_path / "hub.toml"), "--json"]) == 2
    said = capsys.readouterr()
    assert message in json.loads(said.out)["error"]["message"]
    assert said.err.count("\n") == 1


def test_a_port_that_is_taken_is_one_line_and_leaves_nothing_behind(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        (tmp_path / "hub.toml").write_text(CONFIG.format(port=port))
        assert main(["--home", str(tmp_path), "hub", str(tmp_path / "hub.toml"), "--json"]) == 2
    message = json.loads(capsys.readouterr().out)["error"]["message"]
    assert message == f"port {port} of 127.0.0.1 is taken or not allowed; choose another, or 0 to have one picked"


def test_a_hub_for_some_seconds_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hub.toml").write_text(CONFIG.format(port=0))
    assert main(["--home", str(tmp_path), "hub", str(tmp_path / "hub.toml"), "--seconds", "0.2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["instrument"] for row in result["books"]] == ["BTCUSDT.BINANCE"]
    assert result["clients"] == 0


@pytest.mark.parametrize("port", [[], ["--port", "0"]], ids=["its port", "another port"])
def test_a_second_hub_leaves_the_port_file_of_the_first_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], port: list[str]
) -> None:
    (tmp_path / "hub.toml").write_text(CONFIG.format(port=0))
    ports = tmp_path / "ports.json"
    with hub(tmp_path, "--port-file", str(ports)) as first:
        facts = told(ports)
        (tmp_path / "second.toml").write_text(CONFIG.format(port=facts["hub"]))
        line = ["hub", str(tmp_path / "second.toml"), "--port-file", str(ports), "--seconds", "0.1", "--json", *port]
        assert main(["--home", str(tmp_path), *line]) == 2
        message = json.loads(capsys.readouterr().out)["error"]["message"]
        assert f"belongs to a hub that runs (it listens on port {facts['hub']})" in message
        assert json.loads(ports.read_text()) == facts
        assert facts["pid"] == first.pid


def test_a_file_of_somebody_else_is_no_port_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "hub.toml").write_text(CONFIG.format(port=0))
    notes = tmp_path / "notes.txt"
    notes.write_text("buy milk\n")
    for line in (["hub", str(tmp_path / "hub.toml"), "--seconds", "0.1"], ["exchange", "--control", "0"]):
        assert main(["--home", str(tmp_path), *line, "--port-file", str(notes), "--json"]) == 2
        assert "notes.txt exists and is no port file" in json.loads(capsys.readouterr().out)["error"]["message"]
        assert notes.read_text() == "buy milk\n"


@pytest.mark.parametrize(("more", "status"), [("", 1), ('[hub.instrument."BTCUSDT.BINANCE"]\n', 0)])
def test_the_status_is_1_where_nothing_at_all_can_be_shared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: str, status: int
) -> None:
    text = CONFIG.format(port=0).replace("BTCUSDT", "NOPE") + more
    (tmp_path / "hub.toml").write_text(text)
    line = ["--home", str(tmp_path), "hub", str(tmp_path / "hub.toml"), "--seconds", "1", "--json"]
    assert main(line) == status
    said = capsys.readouterr()
    text = "account paper lists no NOPE.BINANCE; "
    assert json.loads(said.out)["missing"]["NOPE.BINANCE"].startswith(text)
    warned = [one for one in said.err.splitlines() if "WARNING" in one and f"NOPE.BINANCE is not shared: {text}" in one]
    assert len(warned) == 1
    assert ("nothing of what it offers could be shared" in said.err) is bool(status)


def test_help_says_the_statuses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["hub", "--help"]) == 0
    assert "Exit status: 0 stopped as asked" in capsys.readouterr().out
