"""The page of Binance's contract tests names the tests that there are; what it skips, the capability table lacks."""

import re
from pathlib import Path

import pytest

from foxtrot.adapter.binance.capabilities import SPOT, USDM
from foxtrot.adapter.capabilities import Capabilities
from tests.contract.conftest import OF_THE_MARKET
from tests.support.contract_document import DOCUMENT, RIGS, SUITE, Cell, promises, read, written

ROWS: dict[str, Capabilities] = {rig: USDM if "usdm" in rig else SPOT for rig in RIGS}
RIG_FILES = (SUITE.parent / "support" / "contract_rig.py", SUITE.parent / "support" / "binance_rig.py")
ABSENT = re.compile(r"the capability table says no (?P<field>\w+)(?: (?P<value>\w+))?")
LIMIT_ONLY = re.compile(r"the capability table says that only limit orders may be (?P<value>\w+)")
AGAIN = "FOXTROT_WRITE_DOCS=1 .venv/bin/python -m pytest tests/contract -k binance writes the page anew"


def is_reason(why: str, row: Capabilities) -> bool:
    """Tell whether a reason to skip is true by a row of the table, or is a rig's own words."""
    if found := ABSENT.fullmatch(why):
        has = getattr(row, found["field"])
        return not has if found["value"] is None else found["value"] not in {str(one) for one in has}
    if found := LIMIT_ONLY.fullmatch(why):
        return found["value"] in {str(one) for one in row.limit_only}
    return any(f": {why}" in file.read_text(encoding="utf-8") for file in RIG_FILES)


def _markets() -> set[str]:
    """The tests of the files that run on every way to the public market."""
    files = sorted(SUITE.glob("test_*.py"))
    return {
        name
        for file, tests in zip(files, promises().values(), strict=True)
        if file.stem in OF_THE_MARKET
        for name in tests
    }


def test_the_page_names_exactly_the_tests_of_each_promise() -> None:
    named: dict[str, list[str]] = {}
    section = ""
    for line in DOCUMENT.read_text(encoding="utf-8").partition("## Skipped")[0].splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
            named[section] = []
        elif line.startswith("| test_"):
            named[section].append(line.split("|")[1].strip())
    assert named == promises(), AGAIN


def test_every_test_was_run_on_every_rig_it_runs_on_and_failed_on_none() -> None:
    cells, markets = read(), _markets()
    expected = {
        (test, rig)
        for tests in promises().values()
        for test in tests
        for rig in RIGS
        if test in markets or "ccxt" not in rig
    }
    assert set(cells) == expected, AGAIN
    assert [key for key, cell in cells.items() if cell.failed] == []


def test_what_is_skipped_is_what_the_capability_table_lacks() -> None:
    untrue = [
        (test, rig, why)
        for (test, rig), cell in read().items()
        for why in cell.skipped
        if not is_reason(why, ROWS[rig])
    ]
    assert untrue == [], AGAIN


@pytest.mark.parametrize(
    ("why", "true"),
    [
        ("the capability table says no reduce_only", True),
        ("the capability table says no times_in_force gtd", True),
        ("the capability table says no times_in_force gtc", False),
        ("the capability table says no post_only", False),
        ("the capability table says that only limit orders may be fok", True),
        ("the capability table says that only limit orders may be gtc", False),
        ("an account here has no positions", True),
        ("it was late", False),
    ],
)
def test_a_reason_is_judged_by_the_table(why: str, *, true: bool) -> None:
    assert is_reason(why, SPOT) is true


def test_a_page_that_is_written_reads_as_it_was(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    test = next(iter(promises().values()))[0]
    cell = Cell(3, 1)
    cell.skipped["it is late"] += 2
    page.write_text(written({(test, "binance_usdm"): cell}), encoding="utf-8")
    monkeypatch.setattr("tests.support.contract_document.DOCUMENT", page)
    assert read() == {(test, "binance_usdm"): cell}
