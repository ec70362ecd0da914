"""Whatever a venue sends, its tap gives facts with possible figures, leaves the message to ccxt, or says that it cannot be read."""

import copy
from importlib import import_module
from math import isfinite
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.adapter.ccxt.errors import UNREADABLE
from foxtrot.adapter.ccxt.venue import Confirmed, Quote
from foxtrot.adapter.ccxt.venue_rows import venue_rows
from foxtrot.domain.enums import Side
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade
from tests.support.scripted_venues.script import VenueScript
from tests.support.tap_context import FixedContext

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.sampled_from(["0.1", "-1", "NaN", "Infinity", "1e400", "", "1,5", "buy", "2026-10-06T08:04:56Z", "snapshot"]),
    st.just([]),
    st.just({}),
    st.lists(st.integers(), max_size=2),
)
"""What stands where something else is expected; ccxt reads NaN and Infinity as numbers."""
GONE = object()


class AnyContext(FixedContext):
    """A listing that knows every text."""

    def find(self, market_id: str, product: str = "") -> str | None:
        """Return the one instrument there is."""
        hash(market_id)
        return "X.TEST"


@pytest.mark.parametrize("exchange", [name for name, row in venue_rows().items() if row.tap is not None])
@settings(max_examples=100)
@given(data=st.data())
def test_a_damaged_frame_is_read_or_refused(exchange: str, data: st.DataObject) -> None:
    """One or two places of a frame hold something else, or nothing."""
    tap = venue_rows()[exchange].tap
    assert tap is not None
    frame = copy.deepcopy(data.draw(st.sampled_from(frames(exchange))))
    for _ in range(data.draw(st.integers(1, 2))):
        frame = damaged(frame, data)
    try:
        facts = tap(frame, AnyContext({}, url="ws://127.0.0.1:1/fstream/spot"))
    except UNREADABLE:
        return
    for fact in facts or ():
        assert_possible(fact)


def frames(exchange: str) -> list[Any]:
    """Return what the scripted venue sends."""
    script: VenueScript = import_module(f"tests.support.scripted_venues.{exchange}").SCRIPT()
    found = [
        script.change(Side.BUY, script.price[0], script.size[0]),
        script.trade(Side.SELL, script.price[0], script.size[0])[1],
    ]
    found += [script.quote()] if "quote" in script.streams else []
    return [*found, script.snapshot()] if hasattr(script, "snapshot") else found


def damaged(frame: Any, data: st.DataObject) -> Any:
    """Return a frame with one place replaced or gone."""
    paths = list(places(frame))
    if not paths:
        return frame
    *way, last = data.draw(st.sampled_from(paths))
    holder = frame
    for step in way:
        holder = holder[step]
    value = data.draw(st.one_of(VALUES, st.just(GONE)))
    if value is GONE:
        del holder[last]
    else:
        holder[last] = value
    return frame


def places(value: Any, way: tuple[Any, ...] = ()) -> Any:
    """Yield the ways to every value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, one in inner:
        yield (*way, step)
        yield from places(one, (*way, step))


def assert_possible(fact: Any) -> None:
    """See that a fact's figures are numbers that a book and a trade can have."""
    match fact:
        case Confirmed():
            figures: list[float] = []
        case DepthChange() | DepthData():
            figures = [figure for side in (fact.bids, fact.asks) for level in side for figure in level]
        case MarketTrade():
            figures = [fact.price, fact.size]
        case Quote():
            figures = [fact.bid, fact.bid_size, fact.ask, fact.ask_size]
        case _:
            pytest.fail(f"no fact: {fact!r}")
    assert all(isfinite(figure) and figure >= 0 for figure in figures)
