"""Whatever a connection does to a stream, a LIVE book is the venue's as of its id; and it is LIVE again soon after that ends.

The venue is the embedded exchange; the connection loses, repeats, reorders and cuts messages, and breaks; the venue restarts with lower
ids; snapshots come late, stale, twice or not at all. Two things are not in it, because no client could see them from the stream: a
restart whose ids go on exactly where the book stands, and, for rules without a checksum, a change with right ids and wrong levels: there
only an audit helps, which the kind "silent" shows.
"""

import time

import pytest

from tests.support.book_world import KINDS, Figures, Kind, World

UPDATES = 1_000_000
WORLDS = 10
"""So many worlds of each kind in the long form, each with a venue of its own."""


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_a_live_book_is_the_venues_whatever_the_connection_does(kind: Kind) -> None:
    figures = World(kind, seed=7).run(800)
    assert figures.live_again
    assert figures.compared or kind.silent_errors


@pytest.mark.slow
@pytest.mark.timeout(3_600)
def test_a_live_book_is_the_venues_over_a_million_updates() -> None:
    began, total = time.perf_counter(), Figures()
    for kind in KINDS:
        figures = Figures()
        for seed in range(WORLDS):
            figures.add(World(kind, seed).run(UPDATES // WORLDS // len(KINDS)))
        print(f"{kind.name}: {figures}")
        total.add(figures)
    print(f"{total.updates:,} updates in {time.perf_counter() - began:,.0f} s: {total}")
    assert total.updates >= UPDATES
    assert total.restarts > 100
    assert total.cuts > 100
    assert total.repaired
