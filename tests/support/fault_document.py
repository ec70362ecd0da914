"""docs/venues/binance_faults.md: a row for every fault that is tested, written by the tests and held against them.

`FOXTROT_WRITE_DOCS=1 pytest tests/integration/binance/faults` writes the rows that are run; otherwise a row that is missing, or a
recovery that takes longer than its row allows, fails the test. Measured times are shown and never compared.
"""

import os
from pathlib import Path

import msgspec

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "venues" / "binance_faults.md"
STREAMS = "Market streams and connections"
ACCOUNT = "Orders, requests and the account's stream"
REPLACED = "Connections that are replaced while they go on"
SECTIONS = (STREAMS, REPLACED, ACCOUNT)
_HEAD = """# Binance: what goes wrong, and what the adapter makes of it

Every row is a test in `tests/integration/binance/faults`: the real adapter on real sockets, the embedded exchange doing the
wrong thing while ticks, trades, depth and depth changes stream and an order rests. Times are by the adapter's clock, with the
longest back-off that it may draw; "recovers in" was measured when the table was written, "at most" is what the tests allow. Both
count from the end of the fault, to one second. The tests write the table:

```
FOXTROT_WRITE_DOCS=1 .venv/bin/python -m pytest tests/integration/binance/faults
```
"""
_COLUMNS = ("fault", "product", "what is seen", "recovers in, s", "at most, s")


class FaultRow(msgspec.Struct, frozen=True):
    """One fault at one product; the first two fields name it within its section."""

    fault: str
    product: str
    seen: str
    recovered_s: float
    bound_s: float


Rows = dict[str, dict[tuple[str, str], FaultRow]]


def record(section: str, row: FaultRow) -> None:
    """Write a row, or hold it against the document.

    Raises:
        AssertionError: the row is not in the document, or took longer than it allows.
    """
    assert row.recovered_s <= row.bound_s, f"{row.fault}: {row.recovered_s} s, allowed are {row.bound_s} s"
    rows = read()
    if os.environ.get("FOXTROT_WRITE_DOCS") == "1":
        rows[section][row.fault, row.product] = row
        DOCUMENT.parent.mkdir(parents=True, exist_ok=True)
        DOCUMENT.write_text(written(rows), encoding="utf-8")
        return
    found = rows[section].get((row.fault, row.product))
    assert found is not None, f"{DOCUMENT.name} has no row of {row.fault!r}, {row.product}; see its head"
    assert row.recovered_s <= found.bound_s, f"{row.fault}: {row.recovered_s} s, documented are {found.bound_s} s"


def documented(section: str) -> set[tuple[str, str]]:
    """Return fault and product of every row of a section."""
    return set(read()[section])


def read() -> Rows:
    """Return the rows of the document by section; none where it does not exist."""
    rows: Rows = {section: {} for section in SECTIONS}
    section = ""
    for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if DOCUMENT.exists() else ():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif section in rows and line.startswith("| ") and not line.startswith(f"| {_COLUMNS[0]} |"):
            fault, product, seen, recovered, bound = (cell.strip() for cell in line.strip("| ").split(" | "))
            rows[section][fault, product] = FaultRow(fault, product, seen, float(recovered), float(bound))
    return rows


def written(rows: Rows) -> str:
    """Return the document of some rows."""
    lines = [_HEAD]
    for section in SECTIONS:
        lines += [f"## {section}", "", f"| {' | '.join(_COLUMNS)} |", "|---|---|---|---|---|"]
        for _, row in sorted(rows[section].items()):
            lines.append(f"| {row.fault} | {row.product} | {row.seen} | {row.recovered_s:g} | {row.bound_s:g} |")
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"
