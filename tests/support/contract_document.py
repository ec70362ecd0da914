"""docs/venues/binance_contract.md: what each contract test came to on the Binance rigs, written by the tests themselves.

`FOXTROT_WRITE_DOCS=1 pytest tests/contract -k binance` writes the rows of the tests that were run; rows of tests that no longer
exist go. tests/unit/adapter/binance/test_contract_page.py holds the page to the suite and to the capability table.
"""

import ast
import os
from collections import Counter
from pathlib import Path
from typing import Final

import msgspec
import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
DOCUMENT = REPOSITORY / "docs" / "venues" / "binance_contract.md"
SUITE = REPOSITORY / "tests" / "contract"
RIGS: Final = {
    "binance_spot": "spot",
    "binance_usdm": "USD-M",
    "binance_spot_by_ccxt": "spot, read by ccxt",
    "binance_usdm_by_ccxt": "USD-M, read by ccxt",
}
"""The rigs that have a column, and what it is called."""
_HEAD = """# Binance: the promises, test by test

Every line is a test of `tests/contract`: the real adapter on loopback sockets, the embedded exchange behind them. The figure is
the number of its cases. "Read by ccxt" is the same adapter with `hot_path = false`; promises 3, 5 and 6 run on it too. What is
skipped, and why, stands at the end. The tests write this page:

```
FOXTROT_WRITE_DOCS=1 .venv/bin/python -m pytest tests/contract -k binance
```
"""
SKIPS: Final = "Skipped"
_CALL, _NONE = "call", "–"


class Cell(msgspec.Struct):
    """What the cases of one test came to on one rig; `skipped` are the reasons, each as often as it was given."""

    passed: int = 0
    failed: int = 0
    skipped: Counter[str] = msgspec.field(default_factory=Counter)

    @property
    def text(self) -> str:
        """Return the cell as the page shows it."""
        parts = ((self.passed, "passed"), (self.failed, "FAILED"), (self.skipped.total(), "skipped"))
        return ", ".join(f"{number} {word}" for number, word in parts if number) or _NONE


Page = dict[tuple[str, str], Cell]
"""By test and rig."""


class Ledger:
    """Collects the outcomes of one run; used as a pytest plugin."""

    def __init__(self) -> None:
        self.cells: Page = {}

    @pytest.hookimpl
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the outcome of a case."""
        test, rig = _parts(report.nodeid)
        if rig not in RIGS or (report.when != _CALL and report.passed):
            return
        cell = self.cells.setdefault((test, rig), Cell())
        if report.skipped and isinstance(report.longrepr, tuple):
            _, _, said = report.longrepr
            cell.skipped[said.removeprefix("Skipped: ").partition(": ")[2]] += 1
        else:
            cell.passed += report.passed
            cell.failed += report.failed

    @pytest.hookimpl
    def pytest_sessionfinish(self) -> None:
        """Write the page."""
        if self.cells:
            DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
            DOCUMENT.write_text(written(read() | self.cells), encoding="utf-8")


def register(config: pytest.Config) -> None:
    """Let this run write the page, where that is asked for and whole tests are run."""
    whole = not any("[" in argument for argument in config.args)
    if os.environ.get("FOXTROT_WRITE_DOCS") == "1" and whole:
        config.pluginmanager.register(Ledger())


def promises() -> dict[str, list[str]]:
    """Return the tests of each file of the suite, in its order, by the first line of the file."""
    found = {}
    for file in sorted(SUITE.glob("test_*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        title = (ast.get_docstring(tree) or "").splitlines()[0]
        found[title] = [one.name for one in tree.body if isinstance(one, ast.FunctionDef) and _is_test(one.name)]
    return found


def written(cells: Page) -> str:
    """Return the page of some cells."""
    lines = [_HEAD]
    for title, tests in promises().items():
        lines += [f"## {title}", "", f"| test | {' | '.join(RIGS.values())} |", f"|---|{'---|' * len(RIGS)}"]
        lines += [f"| {test} | {' | '.join(_text(cells, test, rig) for rig in RIGS)} |" for test in tests]
        lines.append("")
    lines += [f"## {SKIPS}", "", "| test | rig | cases | why |", "|---|---|---|---|"]
    for test in [name for tests in promises().values() for name in tests]:
        for rig, column in RIGS.items():
            skipped = cells[test, rig].skipped if (test, rig) in cells else Counter[str]()
            lines += [f"| {test} | {column} | {number} | {why} |" for why, number in sorted(skipped.items())]
    return "\n".join(lines) + "\n"


def read() -> Page:
    """Return the cells of the page as it is; none where there is no page."""
    cells: Page = {}
    section = ""
    columns = {column: rig for rig, column in RIGS.items()}
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if DOCUMENT.exists() else ():
        section = line.removeprefix("## ") if line.startswith("## ") else section
        if not line.startswith("| test_"):
            continue
        test, *rest = (part.strip() for part in line.strip("| ").split(" | "))
        if section == SKIPS:
            column, number, why = rest
            cells[test, columns[column]].skipped[why] += int(number)
        else:
            counted = {rig: _counts(text) for rig, text in zip(RIGS, rest, strict=True) if text != _NONE}
            cells |= {(test, rig): Cell(one["passed"], one["FAILED"]) for rig, one in counted.items()}
    return cells


def _text(cells: Page, test: str, rig: str) -> str:
    return cells[test, rig].text if (test, rig) in cells else _NONE


def _counts(text: str) -> Counter[str]:
    return Counter({word: int(number) for number, word in (part.split() for part in text.split(", "))})


def _parts(node_id: str) -> tuple[str, str]:
    """Return test and rig of a case."""
    name, _, case = node_id.rpartition("::")[2].partition("[")
    return name, case.rstrip("]").partition("-")[0]


def _is_test(name: str) -> bool:
    return name.startswith("test_")
