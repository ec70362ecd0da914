"""A kill that meets what it did not expect on its way to the platform: it goes to the venues, whatever that is."""

import getpass
import json
import os
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from foxtrot.api import OrderType, Side
from foxtrot.app.control_client import ControlClient, PlatformFrozen
from foxtrot.app.control_requests import FollowKill
from foxtrot.app.halt_file import HaltFile
from foxtrot.cli import main
from foxtrot.core.commands import SendOrder
from foxtrot.domain.order import OrderRequest
from tests.support.steered_platform import Steered, steered, write_config
from tests.support.waiting import wait_until

Asked = list[tuple[object, ...]]
Kill = Callable[..., tuple[int, str]]


@pytest.fixture
def cold(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Stand in for the kill at the venues, and keep what it was asked for."""
    asked: Asked = []

    def cold_kill(*arguments: object) -> dict[str, object]:
        asked.append(arguments)
        return {"cancelled": 2, "needs_person": False}

    module = types.ModuleType("foxtrot.app.cold_kill")
    module.cold_kill = cold_kill  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "foxtrot.app.cold_kill", module)
    return asked


@pytest.fixture
def kill(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Kill:
    """Return the verb at a home with a configuration of its own; it returns the status and what was told beside the result."""
    home, config = tmp_path / "home", write_config(tmp_path)
    home.mkdir(mode=0o700)

    def run(*words: str) -> tuple[int, str]:
        status = main(["kill", str(config), *words, "--home", str(home)])
        return status, capsys.readouterr().err

    return run


@pytest.mark.parametrize("body", [b"", b'{"pid": 1', b"\xff\xfe", b"[]"])
def test_a_file_that_says_nothing_does_not_stop_a_kill(tmp_path: Path, kill: Kill, cold: Asked, body: bytes) -> None:
    (tmp_path / "home" / "control.json").write_bytes(body)
    status, told = kill("--flatten", "--as", "Ann")
    assert (status, [one[2:] for one in cold]) == (0, [(True, False, "Ann")])
    assert "does not say where a platform listens" in told
    assert HaltFile(tmp_path / "home").read() is not None


@pytest.mark.parametrize("name", ["control.json", "run.lock"])
def test_a_file_that_cannot_be_read_does_not_stop_a_kill(tmp_path: Path, kill: Kill, cold: Asked, name: str) -> None:
    (tmp_path / "home" / name).mkdir()
    status, told = kill("--as", "Ann")
    assert (status, len(cold)) == (0, 1)
    assert "cannot be read" in told
    assert HaltFile(tmp_path / "home").read() is not None


def test_a_user_without_a_name_kills_by_number(
    tmp_path: Path, kill: Kill, cold: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nameless() -> str:
        raise KeyError("getpwuid(): uid not found: 54321")

    monkeypatch.setattr(getpass, "getuser", nameless)
    assert kill()[0] == 0
    assert kill("--as", " ")[0] == 0
    assert {str(one[4]) for one in cold} == {f"uid {os.getuid()}@{os.uname().nodename}"}


def test_words_that_are_too_long_are_cut(tmp_path: Path, kill: Kill, cold: Asked) -> None:
    assert kill("--why", "mad " * 1_000, "--as", "Ann" * 1_000)[0] == 0
    halt = HaltFile(tmp_path / "home").read()
    assert halt is not None
    assert (len(halt.reason), len(halt.who)) == (499, 500)


# --- flattening through the platform ----------------------------------------------------------------------------------


@pytest.fixture
def platform(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Steered]:
    with steered(tmp_path, capsys) as running:
        running.settle()
        yield running


def test_what_people_hold_is_neither_listed_nor_waited_for(platform: Steered) -> None:
    order = OrderRequest(
        instrument_id="BTCUSDT.BINANCE_USDM", account="paper", side=Side.BUY, order_type=OrderType.MARKET, quantity=0.01
    )
    platform.platform.put(SendOrder(order, "manual"))
    wait_until(lambda: platform.platform.ask(lambda: "manual" in platform.platform.line.portfolio.owners()))
    status, found = platform.ask("kill", "--flatten", "--as", "Ann")
    assert (status, found["needs_person"]) == (0, False)
    assert [row["owner"] for row in found["sold"]] == ["holder"]  # type: ignore[attr-defined]
    assert [row["owner"] for row in found["positions"]] == ["manual"]  # type: ignore[attr-defined]


def lose_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a platform answer everything but how far a kill is."""
    ask = ControlClient.ask

    def deaf(client: ControlClient, request: object, kind: type[msgspec.Struct]) -> msgspec.Struct:
        if isinstance(request, FollowKill):
            raise PlatformFrozen("it has not answered")
        return ask(client, request, kind)  # type: ignore[arg-type]

    monkeypatch.setattr(ControlClient, "ask", deaf)


@pytest.mark.parametrize("lives", [True, False])
def test_positions_are_not_closed_a_second_time_beside_a_platform_that_lives(
    platform: Steered, cold: Asked, monkeypatch: pytest.MonkeyPatch, lives: bool
) -> None:
    lose_sight(monkeypatch)
    if lives:
        me = {"pid": os.getpid(), "start": "", "host": os.uname().nodename, "token": "t"}
        (platform.home / "run.lock").write_text(json.dumps(me))
    status, _, told = platform.say("kill", str(platform.home.parent / "foxtrot.toml"), "--flatten", "--as", "Ann")
    assert [one[2] for one in cold] == [not lives]
    assert status == (3 if lives else 0)
    assert ("nothing is sold beside it" in told) == lives
