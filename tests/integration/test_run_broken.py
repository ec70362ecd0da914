"""A run that halted itself, for something of its own broke, ends with 1; a person's kill is no failure."""

import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from foxtrot.app import platform_journal
from foxtrot.app.life_signs import LifeSigns
from foxtrot.cli import main
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.trading.order_desk import OrderDesk
from tests.integration.journal.test_disk_faults import DISK
from tests.support.fault_vfs import FaultVfs, fault_vfs
from tests.support.steered_platform import write_config


@pytest.fixture
def vfs() -> Iterator[FaultVfs]:
    with fault_vfs() as made:
        yield made


def ended(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, object]]:
    """Run for a moment; return the status and the summary."""
    config = write_config(folder)
    status = main(["run", str(config), "--seconds", "1.5", "--json", "--home", str(folder / "home")])
    return status, json.loads(capsys.readouterr().out)


def test_a_run_whose_journal_failed_ends_with_1_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], vfs: FaultVfs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform_journal, "DurableJournal", partial(DurableJournal, vfs=vfs.name))
    looked = LifeSigns.look

    def look(signs: LifeSigns) -> None:
        looked(signs)
        vfs.fault = DISK["full"][0]

    monkeypatch.setattr(LifeSigns, "look", look)
    try:
        status, summary = ended(tmp_path, capsys)
    finally:
        vfs.fault = lambda kind, file: None
    (told,) = summary["own_failures"]  # type: ignore[misc]
    assert ("the journal failed" in told, "FULL" in told) == (True, True)
    assert status == 1


def test_a_run_of_which_a_core_handler_raised_ends_with_1_and_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def on_trade(_desk: OrderDesk, _trade: object) -> None:
        raise ZeroDivisionError("a fault of ours")

    monkeypatch.setattr(OrderDesk, "on_trade", on_trade)
    status, summary = ended(tmp_path, capsys)
    assert any("a fault of ours" in told for told in summary["own_failures"])  # type: ignore[attr-defined]
    assert status == 1


def test_a_run_that_a_person_killed_ends_with_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = LifeSigns.look

    def look(signs: LifeSigns) -> None:
        looked(signs)
        signs._platform.kill("enough", "Ann")

    monkeypatch.setattr(LifeSigns, "look", look)
    status, summary = ended(tmp_path, capsys)
    assert (status, summary["own_failures"], summary["gate"]) == (0, [], "halted")
