"""That the venue has no order is told only when it has said so twice, a bound apart and not long ago, with nothing heard in between."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.binance.order_queries import OrderQueries
from foxtrot.adapter.order_look_up import RECENT, OrderLookUp
from foxtrot.adapter.order_tracker import OrderTracker
from foxtrot.domain.enums import OrderStatus, OrderType, Side
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.order import OrderData
from tests.support.builders import a_trade

BOUND_S = 17.0
ORDER_ID, INSTRUMENT_ID = "F-a-run0000001-1", "BTCUSDT.BINANCE"
RESTS = OrderData(
    ORDER_ID, "ours", INSTRUMENT_ID, Side.BUY, OrderType.LIMIT, 1.0, 100.0, OrderStatus.ACCEPTED, 0.0, 0.0, "28", 1, 2
)


class Rig:
    """A venue that does not find the order unless `found`, a clock that is set, and what was told."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.found = False
        self.missing: list[float] = []
        self.tracker = OrderTracker(lambda _order: None, lambda _trade: None)
        clock = SimpleNamespace(monotonic_ns=self._now_ns, now_ns=self._now_ns)
        adapter = SimpleNamespace(
            clock=clock,
            capabilities=SimpleNamespace(unknown_bound_s=BOUND_S),
            on_order_missing=lambda *_place: self.missing.append(self.now_s),
            on_order=lambda _order: None,
        )
        queries = SimpleNamespace(ask=self._ask, is_listed=self._ask)
        self.look_up = OrderLookUp(cast(BaseAdapter, adapter), "BINANCE", self.tracker, cast(OrderQueries, queries))

    def ask(self, at_s: float) -> str:
        """Ask at a time; returns why that proves nothing."""
        self.now_s = at_s
        try:
            asyncio.run(self.look_up.tell(ORDER_ID, INSTRUMENT_ID))
        except AdapterError as error:
            return error.code
        return ""

    def _now_ns(self) -> int:
        return int(self.now_s * 1e9)

    async def _ask(self, *_question: object) -> bool:
        if self.found:
            self.tracker.report(RESTS)
        return self.found


def test_two_answers_a_bound_apart_are_believed() -> None:
    rig = Rig()
    assert [rig.ask(at_s) for at_s in (0.0, 10.0, 20.0)] == ["not_found_yet", "not_found_yet", ""]
    assert rig.missing == [20.0]
    assert rig.ask(21.0) == "not_found_yet"  # and it begins anew


def test_what_was_not_found_long_ago_proves_nothing() -> None:
    rig = Rig()
    assert rig.ask(0.0) == "not_found_yet"
    assert rig.ask(3_600.0) == "not_found_yet"
    assert not rig.missing
    assert rig.ask(3_600.0 + BOUND_S) == ""
    assert rig.missing == [3_600.0 + BOUND_S]


def test_as_long_as_it_is_asked_for_often_enough_the_first_answer_counts() -> None:
    rig = Rig()
    rig.ask(0.0)
    assert rig.ask(RECENT * BOUND_S - 1) == ""


@pytest.mark.parametrize(
    "tell",
    [
        lambda tracker: tracker.note_order(RESTS),
        lambda tracker: tracker.report(RESTS),
        lambda tracker: tracker.fill(a_trade(ORDER_ID, "1", 0.1, 100.0)),
        lambda tracker: tracker.note_fill(a_trade(ORDER_ID, "2", 0.1, 100.0)),
    ],
    ids=["list", "stream", "fill", "listed fill"],
)
def test_an_order_that_was_told_in_between_is_asked_for_anew(tell: Callable[[OrderTracker], None]) -> None:
    rig = Rig()
    rig.tracker.report(RESTS)
    assert rig.ask(0.0) == "not_found_yet"
    tell(rig.tracker)
    assert rig.ask(20.0) == "not_found_yet"
    assert not rig.missing


def test_what_we_say_of_it_ourselves_is_not_taken_for_the_venues_word() -> None:
    rig = Rig()
    rig.ask(0.0)
    rig.tracker.report(msgspec.structs.replace(RESTS, status=OrderStatus.UNKNOWN))
    assert rig.ask(20.0) == ""


def test_an_order_that_is_found_in_between_is_asked_for_anew() -> None:
    rig = Rig()
    rig.ask(0.0)
    rig.found = True
    assert rig.ask(10.0) == ""
    rig.found = False
    assert rig.ask(20.0) == "not_found_yet"
    assert not rig.missing
