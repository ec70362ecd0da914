"""The list of faults and that of invariants: every row has a test that there is, or says why it has none."""

import ast
import re
from functools import cache
from pathlib import Path

from tests.architecture.source_tree import REPOSITORY

PAGE = REPOSITORY / "docs" / "faults.md"
ROWS = [str(number) for number in range(1, 77)] + [f"I{number}" for number in range(1, 29)]
"""The faults, then the invariants."""
ROW = re.compile(r"^\| (I?\d+) \| (.+?) \| (.+?) \| (.+?) \|$", re.MULTILINE)
TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
REASON = re.compile(r"not covered: \S.{9,}")
RUN = re.compile(r"20\d\d-\d\d-\d\d\b")


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file, none where there is no such file."""
    file = Path(REPOSITORY / path)
    if not file.is_file():
        return frozenset()
    tree = ast.parse(file.read_text("utf-8"))
    kinds = ast.FunctionDef | ast.AsyncFunctionDef
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, kinds) and node.name.startswith("test_"))


def faults_of(text: str) -> list[str]:
    """What is wrong with the rows of a page."""
    wrong, seen = [], []
    for number, _, tests, run in ROW.findall(text):
        seen.append(number)
        named = TEST.findall(tests)
        wrong += [f"row {number}: {path} has no {name}" for path, name in named if name not in names_in(path)]
        if not named and not REASON.search(tests):
            wrong.append(f"row {number}: names no test and no reason")
        if named and not RUN.match(run):
            wrong.append(f"row {number}: does not say when its tests ran last")
        if "not mapped yet" in tests:
            wrong.append(f"row {number}: nobody has looked for its tests")
    if seen != ROWS:
        wrong.append(f"rows are {seen}, not 1 to 76 and I1 to I28")
    return wrong


def test_every_fault_has_a_test_or_a_reason() -> None:
    assert faults_of(PAGE.read_text("utf-8")) == []


def test_a_row_without_a_test_a_wrong_test_and_a_missing_row_are_caught() -> None:
    good = PAGE.read_text("utf-8")
    row = next(ROW.finditer(good))
    bare = "| 1 | TCP reset | | - |".replace("| |", "| none |")
    assert "row 1: names no test and no reason" in faults_of(good.replace(row[0], bare))
    wrong = "| 1 | TCP reset | `tests/architecture/test_faults.py::test_nothing` | 2026-01-01 |"
    assert faults_of(good.replace(row[0], wrong))[0] == "row 1: tests/architecture/test_faults.py has no test_nothing"
    dateless = "| 1 | TCP reset | `tests/architecture/test_faults.py::test_every_fault_has_a_test_or_a_reason` | - |"
    assert "row 1: does not say when its tests ran last" in faults_of(good.replace(row[0], dateless))
    assert faults_of(good.replace(row[0] + "\n", ""))[-1].startswith("rows are ['2', '3'")
    last = list(ROW.finditer(good))[-1]
    assert faults_of(good.replace(last[0] + "\n", ""))[-1].endswith("'I27'], not 1 to 76 and I1 to I28")
