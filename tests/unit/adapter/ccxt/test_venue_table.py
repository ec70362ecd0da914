"""The page of ccxt's venues says what the rows say; `FOXTROT_WRITE_DOCS=1` writes it."""

import os

import ccxt
import pytest

from foxtrot.adapter.ccxt.venue import Evidence, Venue
from foxtrot.adapter.ccxt.venue_rows import venue_rows
from tests.support.ccxt_document import DOCUMENT, written


def test_the_page_has_the_tables_of_the_rows() -> None:
    page = DOCUMENT.read_text("utf-8")
    if os.environ.get("FOXTROT_WRITE_DOCS"):
        DOCUMENT.write_text(written(page), "utf-8")
        return
    assert page == written(page), "write it: FOXTROT_WRITE_DOCS=1 scripts/test tests/unit/adapter/ccxt"


@pytest.mark.parametrize("row", venue_rows().values(), ids=list(venue_rows()))
def test_a_row_says_where_it_is_from_and_what_its_stream_gives(row: Venue) -> None:
    assert row.exchange in ccxt.pro.exchanges
    assert row.sources
    assert row.notes
    assert bool(row.audit_levels) != bool(row.unaudited), "a book is audited, or the row says why not"
    assert row.evidence is not Evidence.UNTESTED


def test_no_two_instruments_of_two_venues_share_a_suffix() -> None:
    suffixes = [suffix for row in venue_rows().values() for suffix in row.suffixes.values()]
    assert len(set(suffixes)) == len(suffixes)
