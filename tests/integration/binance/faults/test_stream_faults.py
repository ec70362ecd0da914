"""What goes wrong with market streams and connections: everything is as at the venue afterwards, and nothing wrong was told between.

Each case does one thing to the adapter while it streams and an order rests. What must hold is in tests/support/fault_rig.py, the
same for all; the rows stand in docs/venues/binance_faults.md.
"""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest

from foxtrot.domain.enums import AdapterState, Product, Side
from foxtrot.domain.market import REST, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import BINANCE, KINDS, Scope
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from tests.support.fault_document import STREAMS, documented
from tests.support.fault_rig import FaultRig
from tests.support.waiting import wait_until

SPOT, USDM = Product.SPOT, Product.PERPETUAL
BOTH = (SPOT, USDM)
DEPTH, TRADES, QUOTES = "btcusdt@depth*", "btcusdt@trade", "btcusdt@bookTicker"
Cause = Callable[[FaultRig], float | None]
"""Does it and returns when it is over: with how long the adapter took to notice, where that is part of the recovery."""


class Case(msgspec.Struct, frozen=True):
    """One fault: its name in the document, the kind it is made of, what does it, how long the recovery may take."""

    fault: str
    kind: str
    cause: Cause
    bound_s: float
    link_stays: bool = False
    products: tuple[Product, ...] = BOTH
    surface: SurfaceSettings | None = None
    slow: bool = False


def once(kind: str, **terms: Any) -> Cause:
    """Set a fault that acts and is over."""
    return lasting(1, (kind, terms))


def lasting(seconds: float, *faults: tuple[str, dict[str, Any]]) -> Cause:
    """Set faults together, and remove them after some seconds, once all that act a number of times have done so."""

    def cause(rig: FaultRig) -> None:
        for kind, terms in faults:
            rig.inject(kind, **_placed(rig, terms))
        rig.pass_s(seconds)
        for _ in range(30):
            if not rig.waiting_faults():
                break
            rig.pass_s(1)
        assert rig.waiting_faults() == []
        rig.over()

    return cause


def until_dropped(kind: str, **terms: Any) -> Cause:
    """Let a connection or stream be bad until the adapter asks for another, which is good; return how long that took."""

    def cause(rig: FaultRig) -> float:
        before, passed_s = rig.subscribed(), 0.0
        rig.inject(kind, **_placed(rig, terms))
        while rig.subscribed() == before:
            assert passed_s < 120, "the adapter does not notice"
            rig.pass_s(1)
            passed_s += 1.0
        rig.over()
        return passed_s

    return cause


def _placed(rig: FaultRig, terms: dict[str, Any]) -> dict[str, Any]:
    """Put the names of a product in the place of those that stand for either."""
    placed = dict(terms)
    if placed.get("connection") == "market data":
        placed["connection"] = rig.market
    if str(placed.get("endpoint", "")).startswith("GET "):
        base = "/api/v3" if rig.product is SPOT else "/fapi/v1"
        placed["endpoint"] = f"GET {base}{placed['endpoint'].removeprefix('GET ')}"
    return placed


MARKET = {"connection": "market data"}
SNAPSHOT = {"endpoint": "GET /depth"}
GAP: tuple[str, dict[str, Any]] = ("gap", {"stream": DEPTH})
RESET: tuple[str, dict[str, Any]] = ("reset", MARKET)


def restarted(**terms: Any) -> Cause:
    """Restart the server: the same orders on the same ports."""

    def cause(rig: FaultRig) -> None:
        rig.inject("restart", **terms)
        rig.pass_s(max(1, terms.get("down_s", 0)))
        rig.wait_for_port()
        rig.over()

    return cause


def told_to_go(rig: FaultRig) -> None:
    """Let the server say that it is about to go, and go on all the same."""
    rig.server.call(lambda server: server.host.surfaces[rig.side].announce_shutdown())
    rig.pass_s(1)


def no_pongs(rig: FaultRig) -> None:
    """Answer no ping while data goes on; pings of ccxt's own are by the machine's clock, and made quick here."""
    rig.inject("stop_pongs")
    rig.ping_every_ms(10)
    wait_until(lambda: rig.heard.states()[-1] is not AdapterState.READY)
    rig.over()
    rig.pass_s(1)


def no_market_sockets(rig: FaultRig) -> None:
    """Refuse the connections of market data alone: what they would bring is asked for meanwhile."""
    rig.inject("reset", connection=rig.market)
    rig.inject("refuse_websockets", connection=rig.market)
    rig.pass_s(30)
    before, judged = len(rig.heard), rig.judge.compared
    rig.pass_s(30)
    told = {type(event) for event in rig.heard.events(before)}
    assert told >= {TickData, DepthData, MarketTrade}, told
    assert rig.judge.compared - judged > 30
    assert rig.acted("refuse_websockets") < 40, "it dials too often"
    rig.over()


def asked_to_wait(rig: FaultRig) -> None:
    """Refuse every handshake and say when to come again: neither of the two connections comes before that."""
    rig.inject("reset")
    rig.inject("refuse_handshake", status=503, retry_after_s=20, count=0)
    rig.pass_s(18)
    assert 1 <= rig.acted("refuse_handshake") <= 2, "it came before it was asked to"
    rig.over()


def refused_subscriptions(rig: FaultRig) -> None:
    """Refuse every SUBSCRIBE for a minute: it is asked again, with pauses that grow."""
    rig.inject("reset", connection=rig.market)
    rig.inject("reject_subscribe", count=0)
    rig.pass_s(60)
    assert 0 < rig.acted("reject_subscribe") < 60, f"{rig.acted('reject_subscribe')} requests in a minute"
    rig.over()


def flapping(rig: FaultRig) -> None:
    """Be there for two seconds and gone for two, for three minutes."""
    for _ in range(45):
        rig.inject("restart", down_s=2)
        rig.pass_s(2)
        rig.wait_for_port()
        rig.pass_s(2)
    assert rig.dials() < 100, f"{rig.dials()} attempts in three minutes"
    rig.over()


def snapshot_too_late(rig: FaultRig) -> None:
    """Let a snapshot be under way when its stream goes, which cannot be had again: a book that nothing follows is never live."""
    for kind, terms in (RESET, ("delay", {**SNAPSHOT, "delay_s": 3, "count": 0})):
        rig.inject(kind, **_placed(rig, terms))
    rig.pass_s(2)
    assert rig.streams(rig.spot.instrument_id) > 0, "the stream must be there, and its snapshot not yet"
    assert rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id) is None
    for kind in ("refuse_websockets", "reset"):
        rig.inject(kind, connection=rig.market)
    before = len(rig.heard)
    for _ in range(8):
        rig.pass_s(1)
        assert rig.adapter.get_order_book_from_websocket(rig.spot.instrument_id) is None
    assert {depth.source for depth in rig.heard.of(DepthData, before)} <= {REST}
    rig.over()


def frame(stream: str, text: str) -> Cause:
    """Put a text in the place of one frame of a stream."""
    return once("malformed_frame", stream=stream, text=text)


_NO_PRICE = '{"e":"trade","E":1700000000000,"s":"BTCUSDT","t":99999,"T":1700000000000,"m":true}'
_WORDS = '{"e":"trade","E":1,"s":"BTCUSDT","t":99999,"p":"dear","q":"1","T":1,"m":true}'
_UNKNOWN = '{"e":"moonPhase","E":1700000000000,"s":"BTCUSDT","phase":"full"}'
_STRANGER = '{"e":"trade","E":1,"s":"NOSUCHUSDT","t":1,"p":"1.0","q":"1.0","T":1,"m":true}'
_KLINE = (
    '{"e":"kline","E":1,"s":"BTCUSDT","k":{"t":0,"T":59999,"s":"BTCUSDT","i":"7m","f":1,"L":9,"o":"1","c":"1","h":"1",'
    '"l":"1","v":"1","n":9,"x":false,"q":"1","V":"1","Q":"1","B":"0"}}'
)
SHORT_LIFE = SurfaceSettings(limits=False, connection_life_s=40, shutdown_notice_s=10)

CASES = (
    Case("close frame 1001", "close", once("close", code=1001), 5),
    Case("close frame 1008", "close", once("close", code=1008, msg="policy"), 5),
    Case("close frame 1011", "close", once("close", code=1011), 5),
    Case("close frame 1001 on market data only", "close", once("close", code=1001, **MARKET), 5, True),
    Case("connection closed without a frame", "close_without_frame", once("close_without_frame"), 5),
    Case("TCP reset", "reset", once("reset"), 5),
    Case("TCP reset of market data only", "reset", once("reset", **MARKET), 5, True),
    Case("port refused for 10 s", "restart", restarted(down_s=10), 35),
    Case("handshakes refused with 503, Retry-After 20 s", "refuse_handshake", asked_to_wait, 35),
    Case("handshakes of market data refused for 60 s", "refuse_websockets", no_market_sockets, 35, True, slow=True),
    Case("pings are not answered", "stop_pongs", no_pongs, 10),
    Case("silence for 5 s, pings answered", "go_silent", lasting(5, ("go_silent", MARKET)), 2, True),
    Case("silence for good, pings answered", "go_silent", until_dropped("go_silent", **MARKET), 30, True),
    Case("one stream silent for 5 s: depth", "go_silent", lasting(5, ("go_silent", {"stream": DEPTH})), 3, True),
    Case("one stream silent for 5 s: trades", "go_silent", lasting(5, ("go_silent", {"stream": TRADES})), 3, True),
    Case("one stream silent for good: depth", "go_silent", until_dropped("go_silent", stream=DEPTH), 30, True),
    Case("one stream silent for good: trades", "go_silent", until_dropped("go_silent", stream=TRADES), 30, True),
    Case("one stream silent for good: quotes", "go_silent", until_dropped("go_silent", stream=QUOTES), 30, True),
    Case("diff gap", "gap", once("gap", stream=DEPTH), 2, True),
    Case("a print is swallowed", "gap", once("gap", stream=TRADES), 2, True),
    Case("a quote is swallowed", "gap", once("gap", stream=QUOTES), 2, True),
    Case(
        "gap, and the snapshot is refused three times",
        "error_code",
        lasting(1, GAP, ("error_code", {**SNAPSHOT, "code": -1000, "count": 3})),
        5,
        True,
    ),
    Case(
        "gap, and the snapshot is a page of a gateway",
        "http_status",
        lasting(1, GAP, ("http_status", {**SNAPSHOT, "status": 503, "count": 2})),
        5,
        True,
    ),
    Case("gap, and the snapshot is stale", "stale_snapshot", lasting(1, GAP, ("stale_snapshot", SNAPSHOT)), 3, True),
    Case(
        "gap, and the snapshot stays stale for 10 s",
        "stale_snapshot",
        lasting(10, GAP, ("stale_snapshot", {**SNAPSHOT, "count": 0, "lag": 50})),
        8,
        True,
    ),
    Case("gap, and half of a snapshot", "cut_answer", lasting(1, GAP, ("cut_answer", SNAPSHOT)), 3, True),
    Case(
        "gap, and no answer for the snapshot",
        "ack_lost",
        lasting(1, GAP, ("ack_lost", {**SNAPSHOT, "hang": True})),
        15,
        True,
    ),
    Case("gap, and a snapshot 5 s late", "delay", lasting(6, GAP, ("delay", {**SNAPSHOT, "delay_s": 5})), 3, True),
    Case("a snapshot is late, and its stream gone meanwhile", "delay", snapshot_too_late, 35, True),
    Case(
        "gap, and 429 with Retry-After 10 s",
        "too_many_requests",
        lasting(10, GAP, ("too_many_requests", {**SNAPSHOT, "retry_after_s": 10})),
        8,
        True,
    ),
    Case("SUBSCRIBE refused twice", "reject_subscribe", lasting(1, RESET, ("reject_subscribe", {"count": 2})), 8, True),
    Case("SUBSCRIBE refused for 60 s", "reject_subscribe", refused_subscriptions, 35, True, slow=True),
    Case(
        "SUBSCRIBE not answered",
        "drop_subscribe_reply",
        lasting(1, RESET, ("drop_subscribe_reply", {"stream": DEPTH})),
        15,
        True,
    ),
    Case(
        "SUBSCRIBE of all not answered",
        "drop_subscribe_reply",
        lasting(1, RESET, ("drop_subscribe_reply", {"count": 6})),
        20,
        True,
    ),
    Case("broken JSON in place of depth", "malformed_frame", frame(DEPTH, '{"e":"depthUpdate","E":1'), 2, True),
    Case("broken JSON in place of a print", "malformed_frame", frame(TRADES, '{"e":"tra'), 2, True),
    Case("[] in place of depth", "malformed_frame", frame(DEPTH, "[]"), 2, True),
    Case("[] in place of a print", "malformed_frame", frame(TRADES, "[]"), 2, True),
    Case("a number that is none in depth", "malformed_number", once("malformed_number", stream=DEPTH), 2, True),
    Case("a number that is none in a print", "malformed_number", once("malformed_number", stream=TRADES), 2, True),
    Case("a number that is none in a quote", "malformed_number", once("malformed_number", stream=QUOTES), 2, True),
    Case("a price in words", "malformed_frame", frame(TRADES, _WORDS), 2, True),
    Case("a print without price", "malformed_frame", frame(TRADES, _NO_PRICE), 2, True),
    Case("an unknown kline interval", "malformed_frame", frame(QUOTES, _KLINE), 2, True),
    Case("an unknown event", "malformed_frame", frame(QUOTES, _UNKNOWN), 2, True),
    Case("an unknown symbol", "malformed_frame", frame(QUOTES, _STRANGER), 2, True),
    Case("plain text", "malformed_frame", frame(QUOTES, "good morning"), 2, True),
    Case("one byte at a time for 3 s", "one_byte_writes", lasting(3, ("one_byte_writes", MARKET)), 3, True),
    Case("cut in the middle of a frame", "cut_mid_frame", once("cut_mid_frame", stream=DEPTH), 5, True),
    Case("half-open socket of market data", "half_open", until_dropped("half_open", **MARKET), 30, True),
    Case("all sockets half open", "half_open", until_dropped("half_open"), 50),
    Case("24 h are over, with a notice before", "life", lasting(45), 5, surface=SHORT_LIFE),
    Case("serverShutdown, and nothing more", "notice", told_to_go, 5),
    Case("restart with the same orders", "restart", restarted(), 5),
    Case("restart, update ids lower", "restart", restarted(lag=7), 5),
    Case("up for 2 s, down for 2 s, for 3 minutes", "restart", flapping, 35, slow=True),
)


LOSSES = {"close", "close_without_frame", "reset", "cut_mid_frame", "half_open", "restart"}
BY_CCXT = {
    "TCP reset of market data only",
    "silence for good, pings answered",
    "one stream silent for good: depth",
    "one stream silent for good: trades",
    "diff gap",
    "a print is swallowed",
    "SUBSCRIBE refused twice",
    "broken JSON in place of depth",
    "[] in place of a print",
    "a number that is none in depth",
    "a number that is none in a quote",
    "a print without price",
    "an unknown kline interval",
}
"""What ccxt itself makes of a message or connection, with the hot path switched off; spot alone."""


def _name_of(product: Product) -> str:
    return "spot" if product is SPOT else "USD-M"


def _pairs() -> Iterator[Any]:
    for case in CASES:
        for product in case.products:
            marks = [pytest.mark.slow] if case.slow else []
            yield pytest.param(case, product, id=f"{case.fault}-{_name_of(product)}", marks=marks)


@pytest.mark.parametrize(("case", "product"), list(_pairs()))
def test_everything_is_as_at_the_venue_after(case: Case, product: Product) -> None:
    with FaultRig(product, surface=case.surface) as rig:
        rig.begin()
        noticed_s = case.cause(rig) or 0.0
        recovered_s = noticed_s + rig.recovered_s(case.bound_s - noticed_s)
        rig.check()
        assert rig.judge.compared > 10
        if case.link_stays:
            assert rig.link_states() == [], "what concerns market data alone must not cost the link"
        if case.kind in LOSSES:
            assert "book stale" in rig.seen(), "a book whose stream is gone must not stay live"
        rig.record(STREAMS, case.fault, recovered_s, case.bound_s)


@pytest.mark.parametrize("case", [case for case in CASES if case.fault in BY_CCXT], ids=lambda case: str(case.fault))
def test_everything_is_as_at_the_venue_without_the_hot_path_too(case: Case) -> None:
    with FaultRig(SPOT, hot_path=False) as rig:
        rig.begin()
        noticed_s = case.cause(rig) or 0.0
        recovered_s = noticed_s + rig.recovered_s(case.bound_s - noticed_s)
        rig.check()
        assert rig.link_states() == []
        rig.record(STREAMS, case.fault, recovered_s, case.bound_s, by_ccxt=True)


@pytest.mark.parametrize("product", BOTH)
def test_a_market_that_is_quiet_while_another_trades_costs_no_connection(product: Product) -> None:
    with FaultRig(product) as rig:
        rig.begin()
        before = rig.connections_made()
        for _ in range(60):
            rig.take(Side.BUY, 100, rig.contract)
            rig.pass_s(1, trading=False)
        assert rig.connections_made() == before
        assert rig.link_states() == []
        rig.check()


@pytest.mark.parametrize("product", BOTH)
def test_a_connection_that_is_given_up_while_it_is_dialled_leaves_no_second_one(product: Product) -> None:
    with FaultRig(product) as rig:
        rig.begin()
        rig.give_up_twice()
        rig.recovered_s(10)
        rig.check()


def test_every_kind_of_fault_of_streams_and_connections_has_a_case() -> None:
    ours = (Scope.HANDSHAKE, Scope.INCOMING, Scope.FRAME, Scope.CONNECTION, Scope.STATE)
    of_accounts = {"reject_user_stream", "duplicate_fills", "reorder_fills", "clock_skew"}
    kinds = {name for name, kind in KINDS.items() if kind.scope in ours and BINANCE in kind.venues} - of_accounts
    assert kinds | {"restart", "stale_snapshot"} <= {case.kind for case in CASES}


def test_every_documented_row_has_a_case() -> None:
    cases = {(case.fault, _name_of(product)) for case in CASES for product in case.products}
    assert documented(STREAMS) == cases | {(fault, "spot, by ccxt") for fault in BY_CCXT}


@pytest.mark.parametrize("product", BOTH)
def test_what_is_unwanted_before_its_subscription_is_answered_does_not_stay(product: Product) -> None:
    with FaultRig(product) as rig:
        rig.begin()
        name = rig.contract.instrument_id
        rig.inject("reset", connection=rig.market)
        rig.inject("drop_subscribe_reply", count=0)
        rig.pass_s(2)
        rig.adapter.unsubscribe(name)
        rig.pass_s(3)
        rig.over()
        rig.pass_s(30)
        assert rig.streams(name) == 0
        before = len(rig.heard)
        rig.pass_s(2)
        assert [trade for trade in rig.heard.of(MarketTrade, before) if trade.instrument_id == name] == []
        rig.adapter.subscribe(SubscribeRequest(name, True, True, 5))
        rig.pass_s(1)
        rig.expect_prints_from_now(name)
        rig.recovered_s(10)
        rig.check()
