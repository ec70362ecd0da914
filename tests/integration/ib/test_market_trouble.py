"""What goes wrong with market data, by a TWS of frames alone: refusals, resets, rows that do not follow, late messages, several contracts."""

from collections.abc import Callable, Iterator
from random import Random

import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib import streams
from foxtrot.adapter.ib.config import read_settings
from foxtrot.adapter.ib.market_data import IbMarketData
from foxtrot.adapter.ib.session import IbSession
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import BookStateChanged, RequestFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, BookState, Side
from foxtrot.domain.market import DELAYED, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.ib_market_rig import AAPL, Up
from tests.support.ib_raw_server import IbRawServer, RawClient, frame
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

pytest.importorskip("ibapi", reason="IB's client library is not installed")

QUOTE, CANCEL_QUOTE, DEPTH, CANCEL_DEPTH, PRINTS, DETAILS = 1, 2, 10, 11, 97, "9"
BID, ASK, INSERT, UPDATE = 1, 0, 0, 1


def apple(con_id: int = 265598, primary: str = "NASDAQ", currency: str = "USD") -> tuple[object, ...]:
    """The fields of contract details after the request's id, at version 157."""
    return (
        "AAPL", "STK", "", "0", "", "SMART", currency, "AAPL", "NMS", "NMS", con_id, "0.01", 1, "", "LMT,MKT", "SMART,NASDAQ", 1, 0,
        "APPLE INC", primary, "", "", "", "", "US/Eastern", "", "", "", "", 0, "", "", "", "26,26", "", "COMMON",
    )  # fmt: skip


class Tws(IbRawServer):
    """Knows a contract or several, and notes what is subscribed."""

    def __init__(self) -> None:
        super().__init__()
        self.known: list[tuple[object, ...]] = [apple()]
        self.refuses: dict[int, tuple[int, str]] = {}
        self.on_message = self._hear

    def ids(self, message_id: int, place: int = 2) -> list[int]:
        """Request ids of the requests of a kind, in their order."""
        return [int(fields[place]) for fields in self.client.messages(message_id)]

    def row(self, request_id: int, place: int, operation: int, side: int, price: float, size: int) -> None:
        self.client.tell(12, 1, request_id, place, operation, side, price, size)

    def error(self, request_id: int, code: int, text: str) -> None:
        self.client.tell(4, 2, request_id, code, text)

    def fill(self, request_id: int, bid: float = 199.99, ask: float = 200.01) -> None:
        """Send a book of one row a side."""
        self.row(request_id, 0, INSERT, BID, bid, 10)
        self.row(request_id, 0, INSERT, ASK, ask, 20)

    def _hear(self, client: RawClient, fields: list[str]) -> None:
        if fields[0] == DETAILS:
            found = b"".join(frame(10, 8, fields[2], *row) for row in self.known)
            client.send(
                (found or frame(4, 2, fields[2], 200, "No security definition has been found"))
                + frame(52, 1, fields[2])
            )
        elif fields[0] == "91":
            client.tell(93, fields[1], 2, 0, "0.0001", 1, "0.01")
        elif int(fields[0]) in self.refuses:
            request_id = fields[1] if int(fields[0]) == PRINTS else fields[2]
            client.tell(4, 2, request_id, *self.refuses[int(fields[0])])


class Rig:
    """A client of that TWS."""

    def __init__(self, tws: Tws, market_data: str = "live") -> None:
        self.tws = tws
        self.heard = Recorder()
        clock = SystemClock()
        settings = {"port": tws.port, "always_open": True, "market_data": market_data}
        context = AdapterContext("ours", self.heard, SendPermit(), clock, settings, {})
        self.session = IbSession(context, read_settings(context), Random(1))
        self.up = Up(self.heard, clock)  # type: ignore[arg-type]
        self.data = self.up.data = IbMarketData(self.up, self.session)
        self.session.start(self.up)
        self.wait(lambda: AdapterState.READY in self.heard.states())

    def wait(self, condition: Callable[[], bool]) -> None:
        wait_until(condition, 10.0)

    def subscribe(self, **wishes: object) -> None:
        request = SubscribeRequest(AAPL, **{"ticks": False, **wishes})  # type: ignore[arg-type]
        self.session.call_soon(lambda: self.data.add(request))

    def failures(self) -> list[tuple[str, str]]:
        return [(one.what, one.error) for one in self.heard.of(RequestFailed)]

    def states(self) -> list[BookState]:
        return [one.state for one in self.heard.of(BookStateChanged)]

    def depth_id(self, number: int = 1) -> int:
        """The id of the so manieth subscription of depth."""
        self.wait(lambda: len(self.tws.ids(DEPTH)) >= number)
        return self.tws.ids(DEPTH)[number - 1]

    def is_live(self) -> bool:
        return self.data.exact_book(AAPL) is not None


@pytest.fixture
def tws() -> Iterator[Tws]:
    made = Tws()
    made.start()
    yield made
    made.stop()


@pytest.fixture
def rig(tws: Tws) -> Iterator[Rig]:
    made = Rig(tws)
    yield made
    assert made.session.close(lambda: None, 5.0) == ""


def test_several_contracts_that_fit_are_named_and_none_is_taken(rig: Rig) -> None:
    rig.tws.known = [apple(1, primary="LSE"), apple(2, primary="TSE", currency="CAD")]
    rig.subscribe(ticks=True)
    rig.wait(lambda: bool(rig.failures()))
    error = rig.failures()[0][1]
    assert "fits 2 contracts at IB" in error
    assert all(words in error for words in ("LSE", "TSE", "CAD", "conId 1", "conId 2"))


def test_of_several_contracts_the_one_that_has_the_id_is_taken(rig: Rig) -> None:
    rig.tws.known = [apple(1, primary="NYSE"), apple(2)]
    rig.subscribe(ticks=True)
    rig.wait(lambda: bool(rig.tws.ids(QUOTE)))
    assert rig.data.contract_of(AAPL).conId == 2


def test_a_contract_that_is_listed_elsewhere_is_refused_with_its_own_id(rig: Rig) -> None:
    rig.tws.known = [apple(primary="NYSE")]
    rig.subscribe(ticks=True)
    rig.wait(lambda: bool(rig.failures()))
    assert "AAPL.NASDAQ is AAPL.NYSE at IB" in rig.failures()[0][1]


def test_price_steps_come_from_the_market_rule(rig: Rig) -> None:
    rig.subscribe(ticks=True)
    rig.wait(lambda: bool(rig.tws.ids(QUOTE)))
    instrument = rig.session.find_instrument(AAPL)
    assert instrument is not None
    assert [(band.from_units, band.step_units) for band in instrument.price_bands] == [(0, 1), (10_000, 100)]


def test_a_reset_empties_the_book_and_it_is_subscribed_by_a_new_id_whose_rows_alone_count(rig: Rig) -> None:
    rig.subscribe(depth_levels=1)
    first = rig.depth_id()
    rig.tws.fill(first)
    rig.wait(rig.is_live)
    rig.tws.error(
        first, 317, "Market depth data has been RESET. Please empty deep book contents before applying any new entries."
    )
    second = rig.depth_id(2)
    assert not rig.is_live()
    rig.tws.fill(first, 1.0, 2.0)  # late, of the subscription before
    rig.tws.fill(second, 150.0, 151.0)
    rig.wait(rig.is_live)
    book = rig.data.exact_book(AAPL)
    assert book is not None
    assert float(book.bids[0][0]) == 150.0
    assert {depth.bids[0][0] for depth in rig.heard.of(DepthData)} == {199.99, 150.0}
    assert rig.tws.ids(CANCEL_DEPTH) == [first]


def test_a_row_that_does_not_follow_makes_the_book_begin_anew(rig: Rig) -> None:
    rig.subscribe(depth_levels=1)
    first = rig.depth_id()
    rig.tws.fill(first)
    rig.wait(rig.is_live)
    rig.tws.row(first, 7, UPDATE, BID, 199.0, 1)
    rig.tws.fill(rig.depth_id(2))
    rig.wait(rig.is_live)
    assert rig.states() == [BookState.SYNCING, BookState.LIVE, BookState.STALE, BookState.SYNCING, BookState.LIVE]
    assert AdapterState.LOST not in rig.heard.states()


def test_a_message_that_cannot_be_read_costs_nothing_else(rig: Rig) -> None:
    rig.subscribe(depth_levels=1, ticks=True)
    first = rig.depth_id()
    rig.tws.client.tell(12, 1, first, 0, INSERT, BID, "much", 10)
    rig.tws.client.tell(12, 1, first, 0)
    rig.tws.client.tell(1, 6, rig.tws.ids(QUOTE)[0], 1, "half", 5, 0)
    rig.tws.client.tell(58, 1, rig.tws.ids(QUOTE)[0], 9)
    rig.tws.fill(first)
    rig.wait(rig.is_live)
    assert AdapterState.LOST not in rig.heard.states()


def test_prints_come_from_the_quote_where_ib_refuses_them_tick_by_tick(rig: Rig) -> None:
    rig.tws.refuses[PRINTS] = (10190, "Max number of tick-by-tick requests has been reached")
    rig.subscribe(trades=True)
    rig.wait(lambda: bool(rig.tws.client.messages(PRINTS)))
    rig.wait(lambda: rig.data._entries[AAPL].prints.by_quote)
    quote = rig.tws.ids(QUOTE)[0]
    assert rig.tws.client.messages(QUOTE)[0][-4] == "233"
    rig.tws.client.tell(46, 6, quote, 48, "200.01;5;1795000000500;1000;200.0;true")
    rig.wait(lambda: bool(rig.heard.of(MarketTrade)))
    found = rig.heard.of(MarketTrade)[0]
    assert (found.price, found.size, found.venue_time_ns, found.aggressor) == (
        200.01, 5.0, 1_795_000_000_500_000_000, Side.BUY,
    )  # fmt: skip
    for kind, price in ((3, 201.0), (2, 202.0), (1, 203.0)):  # delayed, frozen, live
        rig.tws.client.tell(58, 1, quote, kind)
        rig.tws.client.tell(46, 6, quote, 48, f"{price};5;1795000001500;{1000 + price};200.0;true")
    rig.wait(lambda: rig.heard.of(MarketTrade)[-1].price == 203.0)
    assert len(rig.heard.of(MarketTrade)) == 2  # a print has no mark that says that it is late


def test_where_ib_gives_no_depth_the_quote_stands_in_and_a_delayed_one_does_not(rig: Rig) -> None:
    rig.tws.refuses[DEPTH] = (309, "Max number (3) of market depth requests has been reached")
    rig.subscribe(depth_levels=5)
    rig.wait(lambda: bool(rig.tws.ids(QUOTE)))
    quote = rig.tws.ids(QUOTE)[0]
    rig.tws.client.tell(1, 6, quote, 1, 199.99, 7, 0)
    rig.tws.client.tell(1, 6, quote, 2, 200.01, 8, 0)
    rig.wait(lambda: rig.data.best(AAPL) is not None)
    assert "309" in rig.failures()[0][1]
    told = len(rig.heard.of(DepthData))
    rig.tws.client.tell(58, 1, quote, 3)
    rig.tws.client.tell(1, 6, quote, 66, 198.0, 7, 0)
    rig.tws.client.tell(1, 6, quote, 67, 199.0, 8, 0)
    rig.wait(lambda: rig.states()[-1] is BookState.STALE)
    rig.wait(lambda: bool(rig.tws.client.messages(49)))
    assert rig.data.best(AAPL) is None
    assert len(rig.heard.of(DepthData)) == told


@pytest.mark.parametrize(
    ("code", "lives", "says"),
    [
        (354, False, "Market Data Subscriptions"), (10168, False, 'market_data = "delayed"'), (10167, True, "until then it is delayed"),
        (10197, True, "log out of TWS"), (10090, True, "a part of it"),
    ],
)  # fmt: skip
def test_each_refusal_of_data_is_told_once_with_its_remedy(rig: Rig, code: int, lives: bool, says: str) -> None:
    rig.subscribe(ticks=True)
    rig.wait(lambda: bool(rig.tws.ids(QUOTE)))
    quote = rig.tws.ids(QUOTE)[0]
    for _ in range(2):
        rig.tws.error(quote, code, "what IB says")
    rig.wait(lambda: bool(rig.failures()))
    rig.tws.client.tell(1, 6, quote, 1, 199.99, 7, 0)
    rig.tws.client.tell(1, 6, quote, 2, 200.01, 7, 0)
    if lives:
        rig.wait(lambda: bool(rig.heard.of(TickData)))
    rig.tws.error(-1, 2106, "HMDS data farm connection is OK:ushmds")
    (what, error), *more = rig.failures()
    assert (what, more) == (f"stream quote of {AAPL}", [])
    assert says in error
    assert str(code) in error


def test_the_kind_of_market_data_is_asked_for_first_and_ticks_are_what_ib_says_they_are(tws: Tws) -> None:
    rig = Rig(tws, "delayed_frozen")
    try:
        assert [fields[2] for fields in tws.client.messages(59)] == ["4"]
        rig.subscribe(ticks=True)
        rig.wait(lambda: bool(tws.ids(QUOTE)))
        tws.client.tell(1, 6, tws.ids(QUOTE)[0], 66, 199.99, 7, 0)
        rig.wait(lambda: bool(rig.heard.of(TickData)))
        assert rig.heard.of(TickData)[-1].source == DELAYED
    finally:
        assert rig.session.close(lambda: None, 5.0) == ""


def test_what_nobody_wants_any_more_is_ended_and_says_nothing(rig: Rig) -> None:
    rig.subscribe(ticks=True, depth_levels=1)
    first = rig.depth_id()
    rig.tws.fill(first)
    rig.wait(rig.is_live)
    told = len(rig.heard.of(DepthData))
    rig.session.call_soon(lambda: rig.data.remove(AAPL))
    rig.wait(lambda: rig.tws.ids(CANCEL_DEPTH) == [first] and len(rig.tws.ids(CANCEL_QUOTE)) == 1)
    rig.tws.row(first, 0, UPDATE, BID, 199.98, 5)
    assert len(rig.heard.of(DepthData)) == told
    assert (rig.data.callbacks.books, rig.data.callbacks.quotes) == ({}, {})


def test_a_competing_session_takes_the_data_away_and_depth_is_asked_for_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "COMPETING_S", 0.05)
    rig.subscribe(ticks=True, depth_levels=1)
    first = rig.depth_id()
    rig.tws.fill(first)
    rig.wait(rig.is_live)
    rig.tws.error(first, 10197, "No market data during competing live session")
    rig.tws.fill(rig.depth_id(2))
    rig.wait(rig.is_live)
    assert [what for what, _ in rig.failures()] == [f"stream depth of {AAPL}"]
