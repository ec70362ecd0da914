"""A market connection gives its place to another while everything trades: nothing is told twice, nothing is lost, nothing stays behind.

What must hold is in tests/support/fault_rig.py: every book, change, quote and print that was told is held against what the venue
did, changes must follow each other without a break, and streams, tasks and connections are as many as before.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from foxtrot.adapter.connection_counts import ConnectionFigures
from foxtrot.core.notices import BookStateChanged, Gap
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.market import BarData, DepthChange, MarketTrade, TickData
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.fault_document import REPLACED, documented
from tests.support.fault_insight import FAULTY_S, NORMAL_S
from tests.support.fault_rig import FaultRig

SPOT, USDM = Product.SPOT, Product.PERPETUAL
BOTH = (SPOT, USDM)
DEPTH, TRADES, QUOTES = "btcusdt@depth*", "btcusdt@trade", "btcusdt@bookTicker"
AGED, SILENT, DEAD = "a connection is old", "one stream silent, its connection answers", "a connection answers nothing"
OLD_S = 5.0


class ReplacementRig(FaultRig):
    """The fault rig with a view of the connections' care, and with a flow of trades that waits for nobody."""

    @property
    def care(self) -> Any:
        """Return what takes care of the market connections."""
        return self._market_data().topics.care

    @property
    def counts(self) -> ConnectionFigures:
        """Return what health counts of them."""
        return self.adapter.health().connections

    def with_bars(self) -> None:
        """Stream bars too; on USD-M they come over a connection of their own."""
        self.adapter.subscribe(SubscribeRequest(self.spot.instrument_id, bars=("1m",)))
        self.pass_s(2)
        self._streams, self._tasks = self._served(), self._running()
        self._begun_at = len(self.heard)

    def flow(self, steps: int, step_s: float = 0.11) -> None:
        """Let others trade while time passes in steps, whatever the adapter does; then it catches up."""
        for _ in range(steps):
            self.pulse()
            self.clock.advance(int(step_s * 1e9))
            self.server.step()
        self.step(0.2, trading=False)

    def snapshots(self) -> int:
        """Return how often a book was asked for."""
        base = "/api/v3" if self.product is SPOT else "/fapi/v1"
        return self.server.call(lambda server: server._doors.shared.traffic.requests[f"{self.side} GET {base}/depth"])

    def requests(self) -> int:
        """Return how often the market was asked for."""
        counted = self.server.call(lambda server: dict(server._doors.shared.traffic.requests))
        return sum(times for name, times in counted.items() if name.endswith(("/depth", "/trades", "/bookTicker")))

    def reads(self, client: Any, *, on: bool) -> None:
        """Let a connection read, or leave what it is sent in its socket."""
        transport = client.connection._response.connection.transport
        self._session().bridge.call_soon(transport.resume_reading if on else transport.pause_reading)

    def account_events(self) -> list[str]:
        """Return what is heard of the account from now on, as text; the list grows."""
        session, heard = self._session(), list[str]()
        passed_on = session.user_tap

        def tap(client: Any, event: Any) -> bool:
            heard.append(repr(event))
            return bool(passed_on(client, event))

        session.user_tap = tap
        return heard

    def moving(self) -> Any:
        """Let time pass until a connection begins to be replaced, and return the old one."""
        self.care.rotate_after_s = OLD_S
        for _ in range(10):
            self.pass_s(1)
            if self.care._move is not None:
                break
        self.care.rotate_after_s = 0.0
        return next(one for one in self._session().exchange.clients.values() if one.leaving)

    def market_connections(self) -> int:
        """Return how many connections of market data the server has."""
        return sum("@" in "".join(one["streams"]) for one in self._connections())

    def untouched(self) -> list[str]:
        """Return what shows that a stream was interrupted since the beginning; nothing when all went on."""
        events = self.heard.events(self._begun_at)
        found = [f"{event}" for event in events if isinstance(event, BookStateChanged | Gap)]
        entries = self._market_data()._entries.values()
        found += [f"{entry.symbol}: {entry.ticks.gaps} gaps in prints" for entry in entries if entry.ticks.gaps]
        ticks = [(event.instrument_id, event.bid_price, event.bid_size, event.ask_price, event.ask_size, event.last_price,
                  event.last_size) for event in events if isinstance(event, TickData)]  # fmt: skip
        for name in (self.spot.instrument_id, self.contract.instrument_id):
            own = [tick for tick in ticks if tick[0] == name]
            found += [f"the tick {one} was told twice" for one, after in pairwise(own) if one == after]
        return found + [f"restarts: {self._market_data().topics.restarts}"] * bool(self._market_data().topics.restarts)


@pytest.fixture(params=[(SPOT, True), (USDM, True), (SPOT, False)], ids=["spot", "usdm", "spot-ccxt"])
def rig(request: pytest.FixtureRequest) -> Iterator[ReplacementRig]:
    product, hot_path = request.param
    with ReplacementRig(product, hot_path=hot_path) as made:
        made.begin()
        yield made


def test_an_old_connection_is_replaced_in_full_flow_without_a_gap(rig: ReplacementRig) -> None:
    rig.with_bars()
    connections, made = rig.market_connections(), rig.connections_made()
    rig.care.rotate_after_s = OLD_S
    asked = rig.snapshots()
    for _ in range(40):
        if rig.counts.rotations >= 2 * connections:
            break
        rig.flow(10)
    rig.care.rotate_after_s = 0.0
    for _ in range(6):  # a pause now and then, in which pings come back: ccxt pings by the machine's clock
        rig.flow(10, 1.0)
    recovered_s = rig.recovered_s(5)
    assert rig.untouched() == []
    assert rig.snapshots() == asked > 0, "a book that goes on is not asked for"
    assert rig.market_connections() == connections
    assert rig.connections_made() - made == rig.counts.rotations >= 2 * connections
    assert (rig.counts.replacements, rig.counts.failed_replacements, rig.counts.failed_probes) == (0, 0, 0)
    told = rig.heard.events(rig._begun_at)
    assert sum(isinstance(event, DepthChange) for event in told) > 50
    assert sum(isinstance(event, MarketTrade) for event in told) > 150
    bars = [event.open_time_ns for event in told if isinstance(event, BarData)]
    assert bars == sorted(set(bars))
    assert bars, "a minute has passed"
    assert rig.link_states() == []
    rig.check()
    assert rig.judge.compared > 200
    _record(rig, AGED, recovered_s, 5)


def test_a_newcomer_that_is_ahead_waits_for_what_the_old_connection_has_to_say(rig: ReplacementRig) -> None:
    rig.patience_s = FAULTY_S
    old = next(one for one in rig._session().exchange.clients.values() if one.is_market)
    rig.reads(old, on=False)
    rig.flow(5)
    rig.moving()
    rig.flow(5)
    rig.flow(5)
    assert rig.care._move is not None, "the old one has not answered yet"
    rig.reads(old, on=True)
    rig.patience_s = NORMAL_S
    rig.flow(5)
    rig.recovered_s(5)
    assert rig.counts.rotations == 1
    assert rig.untouched() == []
    rig.check()


def test_a_silent_stream_is_asked_about_and_only_that_one_begins_anew(rig: ReplacementRig) -> None:
    connections, begun_at = rig.market_connections(), len(rig.heard)
    rig.inject("go_silent", stream=DEPTH)
    noticed_s = 0.0
    while not (rig.counts.replacements or rig.counts.failed_replacements):
        assert noticed_s < 60, rig.counts
        rig.pass_s(1)
        noticed_s += 1.0
        if rig.subscribed() > 0 and rig.care._move is not None:
            rig.over()
    rig.over()
    recovered_s = noticed_s + rig.recovered_s(10)
    assert rig.counts.probes >= 1
    assert (rig.counts.failed_probes, rig.counts.replacements) == (0, 1)
    states = rig.heard.of(BookStateChanged, begun_at)
    assert {event.instrument_id for event in states} == {rig.spot.instrument_id}, "the other book goes on"
    assert states[0].state is BookState.STALE
    assert rig.heard.of(Gap) == []
    assert rig.market_connections() == connections
    assert rig.market_connections() == connections
    assert rig.link_states() == []
    rig.check()
    _record(rig, SILENT, recovered_s, 30)


def test_a_connection_that_answers_nothing_is_replaced_without_waiting_for_it(rig: ReplacementRig) -> None:
    connections = rig.market_connections()
    rig.inject("half_open", connection=rig.market)
    passed_s = 0.0
    while not rig.counts.replacements:
        assert passed_s < 60, rig.counts
        rig.pass_s(1)
        passed_s += 1.0
        if rig.care._move is not None:
            rig.over()
    rig.over()
    recovered_s = passed_s + rig.recovered_s(10)
    assert rig.counts.failed_probes >= 1
    assert BookState.STALE in {event.state for event in rig.heard.of(BookStateChanged, rig._begun_at)}
    assert rig.market_connections() == connections
    assert rig.link_states() == []
    rig.check()
    _record(rig, DEAD, recovered_s, 35)


def test_while_no_other_connection_can_be_had_the_old_one_goes_on(rig: ReplacementRig) -> None:
    connections = rig.market_connections()
    rig.inject("refuse_websockets", connection=rig.market)
    rig.care.rotate_after_s = OLD_S
    rig.pass_s(30)
    assert (rig.counts.rotations, rig.counts.failed_replacements) == (0, 1), "it is tried again after a minute"
    assert rig.market_connections() == connections
    rig.over()
    passed_s = 0.0
    while not rig.counts.rotations:
        assert passed_s < 90, rig.counts
        rig.pass_s(1)
        passed_s += 1.0
    rig.care.rotate_after_s = 0.0
    rig.recovered_s(5)
    assert rig.untouched() == []
    assert rig.market_connections() == connections
    rig.check()


def test_a_newcomer_that_does_not_answer_is_given_up_and_the_old_one_goes_on(rig: ReplacementRig) -> None:
    connections = rig.market_connections()
    rig.inject("drop_subscribe_reply", count=0)
    rig.care.rotate_after_s = OLD_S
    rig.pass_s(30)
    rig.care.rotate_after_s = 0.0
    rig.over()
    assert (rig.counts.rotations, rig.counts.failed_replacements) == (0, 1)
    rig.recovered_s(5)
    assert rig.untouched() == []
    assert rig.market_connections() == connections
    rig.check()


def test_what_the_old_connection_misses_while_it_is_replaced_shows_in_the_book(rig: ReplacementRig) -> None:
    rig.inject("go_silent", stream=DEPTH)
    rig.inject("go_silent", stream=TRADES)
    rig.pass_s(2)
    rig.over()
    rig.care.rotate_after_s = 1.0
    rig.pass_s(1)
    rig.care.rotate_after_s = 0.0
    rig.recovered_s(10)
    rig.check()


def test_the_old_connection_breaks_while_it_is_replaced(rig: ReplacementRig) -> None:
    connections = rig.market_connections()
    rig.inject("drop_subscribe_reply", stream=TRADES, count=0)
    old = rig.moving()
    rig._session().bridge.call_soon(old.connection._response.connection.transport.abort)
    rig.pass_s(1)
    rig.over()
    rig.recovered_s(15)
    assert rig.market_connections() == connections
    assert rig.link_states() == []
    rig.check()


def test_an_instrument_comes_and_another_goes_while_a_connection_is_replaced(rig: ReplacementRig) -> None:
    connections = rig.market_connections()
    rig.inject("drop_subscribe_reply", stream=QUOTES, count=0)
    rig.moving()
    rig.adapter.unsubscribe(rig.contract.instrument_id)
    rig.pass_s(2)
    rig.over()
    rig.pass_s(20)
    assert rig.streams(rig.contract.instrument_id) == 0
    rig.adapter.subscribe(SubscribeRequest(rig.contract.instrument_id, True, True, 5))
    rig.pass_s(2)
    rig.expect_prints_from_now(rig.contract.instrument_id)
    rig.recovered_s(10)
    assert rig.market_connections() == connections
    rig.check()


@pytest.mark.parametrize("code", [0, -1000], ids=["late", "refused"])
def test_a_book_that_is_being_fetched_while_its_connection_is_replaced_comes(rig: ReplacementRig, code: int) -> None:
    base = "/api/v3" if rig.product is SPOT else "/fapi/v1"
    rig.inject("delay", endpoint=f"GET {base}/depth", delay_s=8, count=1)
    if code:
        rig.inject("error_code", endpoint=f"GET {base}/depth", code=code, count=1)
    rig.inject("gap", stream=DEPTH)
    rig.patience_s = FAULTY_S
    rig.pass_s(2)
    assert rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id) is None
    rig.care.rotate_after_s = 1.0
    for _ in range(10):
        rig.pass_s(1)
        if rig.counts.rotations:
            break
    rig.care.rotate_after_s = 0.0
    assert rig.counts.rotations == 1
    rig.pass_s(8)
    rig.over()
    rig.recovered_s(10)
    rig.check()


def test_the_accounts_connection_is_replaced_and_every_event_is_told_once(rig: ReplacementRig) -> None:
    made, told, events = rig.connections_made(), len(rig.heard), rig.account_events()
    for replaced in range(1, 4):
        rig._session().bridge.call_soon(rig._session().user_stream.hear_leaving)
        for _ in range(12):
            order_id = rig.place()
            rig.hit_ours(100)
            rig.clock.advance(200_000_000)
            rig.server.step()
        rig.pass_s(8)
        assert rig.counts.rotations == replaced
        assert rig.heard.reports(order_id)
    assert rig.connections_made() == made + 3
    assert len(rig._session().exchange.clients) == len(rig._connections())
    assert len(events) > 36
    assert len(events) == len(set(events)), "an event was heard twice"
    reports = [(one.order_id, one.status, one.filled_quantity) for one in rig.heard.of(OrderData, told)]
    assert sorted(set(reports)) == sorted(reports)
    assert len(rig.heard.of(TradeData, told)) == 36
    assert rig.link_states() == []
    rig.check()


def test_what_the_accounts_old_connection_has_not_read_yet_is_not_lost(rig: ReplacementRig) -> None:
    session, told = rig._session(), len(rig.heard)
    old = session.exchange.clients[session.user_stream.url]
    rig.patience_s = FAULTY_S
    rig.reads(old, on=False)
    rig.hit_ours(100)
    session.bridge.call_soon(session.user_stream.hear_leaving)
    rig.pass_s(2, trading=False)
    assert rig.heard.of(TradeData, told) == []
    rig.reads(old, on=True)
    rig.patience_s = NORMAL_S
    rig.pass_s(1, trading=False)
    assert len(rig.heard.of(TradeData, told)) == 1
    rig.pass_s(8)
    assert rig.counts.rotations == 1
    assert rig.link_states() == []
    rig.check()


def test_the_accounts_connection_goes_on_when_no_other_can_be_had(rig: ReplacementRig) -> None:
    rig.inject("refuse_handshake", status=503, count=1)
    rig._session().bridge.call_soon(rig._session().user_stream.hear_leaving)
    rig.pass_s(3)
    assert (rig.counts.rotations, rig.counts.failed_replacements) == (0, 1)
    rig.hit_ours(100)
    rig.pass_s(70)
    assert (rig.counts.rotations, rig.counts.failed_replacements) == (1, 1)
    assert rig.link_states() == []
    rig.check()


def test_both_connections_are_replaced_at_the_age_that_is_set(rig: ReplacementRig) -> None:
    assert (rig.care.rotate_after_s, rig._session().user_stream.rotate_after_s) == (23 * 3600, 23 * 3600)


def test_of_a_silent_connection_one_stream_at_a_time_is_asked_about(rig: ReplacementRig) -> None:
    asked = rig.requests()
    rig.pass_s(20, trading=False)
    assert 1 <= rig.counts.probes <= 8
    assert rig.requests() - asked <= 8
    assert (rig.counts.replacements, rig.market_connections()) == (0, 1), "nothing happened, so nothing was missed"
    assert rig.untouched() == []
    rig.check()


def test_every_documented_row_has_a_test() -> None:
    products = ("spot", "USD-M", "spot, by ccxt")
    assert documented(REPLACED) == {(what, product) for what in (AGED, SILENT, DEAD) for product in products}


def _record(rig: ReplacementRig, what: str, recovered_s: float, bound_s: float) -> None:
    by_ccxt = not rig._hot_path
    rig.record(REPLACED, what, recovered_s, bound_s, by_ccxt=by_ccxt)
