"""docs/venues/*_faults.md: a row for every fault that is tested, written by the tests and held against them.

`FOXTROT_WRITE_DOCS=1 pytest tests/integration/binance/faults` (or `.../futu/faults`, `.../ib/faults`) writes the rows that are run; otherwise a row
that is missing, or a recovery that takes longer than its row allows, fails the test. Measured times are shown and never compared.
"""

import os
from pathlib import Path

import msgspec

_VENUES = Path(__file__).resolve().parents[2] / "docs" / "venues"
STREAMS = "Market streams and connections"
ACCOUNT = "Orders, requests and the account's stream"
REPLACED = "Connections that are replaced while they go on"
_BINANCE_HEAD = """# Binance: what goes wrong, and what the adapter makes of it

Every row is a test in `tests/integration/binance/faults`: the real adapter on real sockets, the embedded exchange doing the
wrong thing while ticks, trades, depth and depth changes stream and an order rests. Times are by the adapter's clock, with the
longest back-off that it may draw; "recovers in" was measured when the table was written, "at most" is what the tests allow. Both
count from the end of the fault, to one second. The tests write the table:

```
FOXTROT_WRITE_DOCS=1 .venv/bin/python -m pytest tests/integration/binance/faults
```
"""
_FUTU_HEAD = """# Futu: what goes wrong, and what the adapter makes of it

Every row is a test in `tests/integration/futu/faults`: the real adapter by the unmodified SDK on real sockets, the embedded
exchange in OpenD's place doing the wrong thing while ticks, prints and books of two stocks stream and an order rests, of which a part
is filled. Afterwards subscriptions are as desired, prints told once each or counted in a gap, books the venue's, and every order at
the venue once with all its fills. Times are by the adapter's clock; where a pause grows it is the longest that may be drawn.
"Recovers in" was measured when the table was written, "at most" is what the tests allow; both count from the end of the fault, to a
tenth of a second. How long a real OpenD takes is not in them. The tests write the table:

```
FOXTROT_WRITE_DOCS=1 .venv/bin/python -m pytest -n 0 -m "slow or not slow" tests/integration/futu/faults
```
"""


_IB_HEAD = """# Interactive Brokers: what goes wrong, and what the adapter makes of it

Every row is a test in `tests/integration/ib/faults`: the real adapter by the unmodified ibapi on real sockets, the embedded exchange in
TWS's place doing the wrong thing while quotes, prints and books of two stocks stream and an order rests, of which a part is filled.
Afterwards the books are the venue's and every order is at the venue once with all its fills. Times are by the adapter's clock; where a
pause grows it is the longest that may be drawn. "Recovers in" was measured when the table was written, "at most" is what the tests
allow; both count from the end of the fault, to a tenth of a second. How long a real TWS takes is not in them. The tests write the table:

```
FOXTROT_WRITE_DOCS=1 .venv/bin/python -m pytest -n 0 -m "slow or not slow" tests/integration/ib/faults
```
"""


class FaultRow(msgspec.Struct, frozen=True):
    """One fault at one product; the first two fields name it within its section."""

    fault: str
    product: str
    seen: str
    recovered_s: float
    bound_s: float


Rows = dict[str, dict[tuple[str, str], FaultRow]]


class FaultDocument:
    """One page: its file, what stands before the tables, its sections, and what the second column is called."""

    def __init__(self, path: Path, head: str, sections: tuple[str, ...], product: str = "product") -> None:
        self.path = path
        self._head = head
        self._sections = sections
        self._columns = ("fault", product, "what is seen", "recovers in, s", "at most, s")

    def record(self, section: str, row: FaultRow) -> None:
        """Write a row, or hold it against the document.

        Raises:
            AssertionError: the row is not in the document, or took longer than it allows.
        """
        assert row.recovered_s <= row.bound_s, f"{row.fault}: {row.recovered_s} s, allowed are {row.bound_s} s"
        rows = self.read()
        if os.environ.get("FOXTROT_WRITE_DOCS") == "1":
            rows[section][row.fault, row.product] = row
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text(self.written(rows), encoding="utf-8")
            return
        found = rows[section].get((row.fault, row.product))
        assert found is not None, f"{self.path.name} has no row of {row.fault!r}, {row.product}; see its head"
        assert row.recovered_s <= found.bound_s, f"{row.fault}: {row.recovered_s} s, documented are {found.bound_s} s"

    def documented(self, section: str) -> set[tuple[str, str]]:
        """Return fault and product of every row of a section."""
        return set(self.read()[section])

    def read(self) -> Rows:
        """Return the rows of the document by section; none where it does not exist."""
        rows: Rows = {section: {} for section in self._sections}
        section = ""
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            if line.startswith("## "):
                section = line.removeprefix("## ")
            elif section in rows and line.startswith("| ") and not line.startswith(f"| {self._columns[0]} |"):
                fault, product, seen, recovered, bound = (cell.strip() for cell in line.strip("| ").split(" | "))
                rows[section][fault, product] = FaultRow(fault, product, seen, float(recovered), float(bound))
        return rows

    def written(self, rows: Rows) -> str:
        """Return the document of some rows."""
        lines = [self._head]
        for section in self._sections:
            lines += [f"## {section}", "", f"| {' | '.join(self._columns)} |", "|---|---|---|---|---|"]
            for _, row in sorted(rows[section].items()):
                lines.append(f"| {row.fault} | {row.product} | {row.seen} | {row.recovered_s:g} | {row.bound_s:g} |")
            lines.append("")
        return "\n".join(lines).rstrip() + "\n"


BINANCE = FaultDocument(_VENUES / "binance_faults.md", _BINANCE_HEAD, (STREAMS, REPLACED, ACCOUNT))
FUTU = FaultDocument(_VENUES / "futu_faults.md", _FUTU_HEAD, (STREAMS, ACCOUNT), "account")
IB = FaultDocument(_VENUES / "ib_faults.md", _IB_HEAD, (STREAMS, ACCOUNT), "client library")
record, documented = BINANCE.record, BINANCE.documented
