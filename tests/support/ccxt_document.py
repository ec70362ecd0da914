"""docs/venues/ccxt.md: the tables of venues with a row, written by a test from the rows and the scripts, and held against them."""

from importlib import import_module
from pathlib import Path

import ccxt.pro

from foxtrot.adapter.capabilities import BookKind
from foxtrot.adapter.ccxt.capabilities import capabilities_of
from foxtrot.adapter.ccxt.config import CcxtSettings
from foxtrot.adapter.ccxt.venue import Snapshots, Venue
from foxtrot.adapter.ccxt.venue_rows import venue_rows

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "venues" / "ccxt.md"
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
_COLUMNS = (
    "venue", "exchange", "instruments", "book", "levels", "kept by", "snapshot", "checksum", "every, ms", "best by stream", "changes",
    "REST levels (weight)", "frames of the tests",
)  # fmt: skip
_BEGINNINGS = {
    Snapshots.STREAM: "by the stream, after each subscription",
    Snapshots.REST: "by a request",
    Snapshots.EVERY: "every message is one",
}


def tables() -> str:
    """Return the generated part of the page."""
    rows = [row for _, row in sorted(venue_rows().items())]
    table = [_line(_COLUMNS), _line(["---"] * len(_COLUMNS)), *[_line(_cells(row)) for row in rows]]
    said = [f"- **{row.title}**: {row.notes}. {' '.join(f'<{url}>' for url in row.sources)}" for row in rows]
    frames = [f"- **{row.title}**: {_script_evidence(row.exchange)}." for row in rows]
    audits = [f"- **{row.title}**: {_audit(row)}." for row in rows]
    parts = ["\n".join(table), "What the streams give and where that is written:", "\n".join(said)]
    parts += ["Whether a book is compared with a fresh snapshot now and then:", "\n".join(audits)]
    parts += ["What the frames of the scripted servers are:", "\n".join(frames)]
    return "\n\n".join(parts)


def written(page: str) -> str:
    """Return a page with the generated part as it should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n\n{END}{after}"


def _cells(row: Venue) -> list[str]:
    has = getattr(ccxt.pro, row.exchange)().has
    able = capabilities_of(row, CcxtSettings(exchange=row.exchange, environment="live"), has)
    rule = "whole books" if row.snapshots is Snapshots.EVERY else row.rule().name if row.rule is not None else "nobody"
    suffixes = ", ".join(f"`.{suffix}` {kind}" for kind, suffix in sorted(row.suffixes.items()))
    levels = "1" if able.book is BookKind.BEST else str(able.book_levels or "all")
    beginning = _BEGINNINGS[row.snapshots] if row.keeps_book else "none"
    rest = f"{row.rest_levels or 'ccxt’s own'} ({row.rest_cost:g})" if row.rest_cost else str(row.rest_levels or "")
    return [
        row.title, f"`{row.exchange}`", suffixes, str(able.book), levels, rule, beginning, _yes(able.book_checksums),
        f"{able.book_interval_ms:g}" if able.book_interval_ms else "at once", _yes(able.best_by_stream), _yes(able.depth_changes), rest,
        str(row.evidence),
    ]  # fmt: skip


def _audit(row: Venue) -> str:
    """Return how a book is audited, or why it is not."""
    return f"by {row.audit_levels} levels of a request" if row.audit_levels else f"unknown: {row.unaudited}"


def _script_evidence(exchange: str) -> str:
    script = import_module(f"tests.support.scripted_venues.{exchange}").SCRIPT
    return str(script.evidence)


def _line(cells: "list[str] | tuple[str, ...]") -> str:
    return "| " + " | ".join(cells) + " |"


def _yes(value: bool) -> str:
    return "yes" if value else "no"
