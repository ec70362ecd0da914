"""More symbols than Binance takes subscriptions of in a second, with its limits on: all stream over connections that stay."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import BookStateChanged
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderType, Product, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from tests.support.binance_rig import START_NS, perpetual_like, spot_like
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

BASES = ("BTC", "ETH", "SOL", "XRP", "ADA", "DOT", "LTC", "TRX", "UNI", "XLM", "ATOM", "LINK")
MAKER, TAKER = "maker", "taker"
STREAMS = 3
"""Prints, quotes and the book of each symbol."""


class Crowd:
    """An exchange with limits on, twelve symbols, and an adapter without keys that wants them all.

    Thread: the test's.
    """

    def __init__(self, product: Product, **settings: Setting) -> None:
        kind, name = (spot_like, "spot") if product is Product.SPOT else (perpetual_like, "usdm")
        self.listed: tuple[Instrument, ...] = tuple(kind(f"{base}USDT", base) for base in BASES)
        self.clock, self.heard, self._orders = ManualClock(START_NS), Recorder(), 0
        rich = dict.fromkeys(("USDT", *BASES), Decimal(10**9))
        accounts = (AccountSetup(MAKER, (), rich), AccountSetup(TAKER, (), rich))
        ports = ServerPorts(**{f"binance_{name}": 0})
        self.server = ExchangeServer(
            ServerSettings(ports=ports, accounts=accounts, instruments=self.listed, agents=0), self.clock
        )
        self.server.start()
        for one in self.listed:
            self.place(MAKER, one, Side.BUY, 9_900, 500)
            self.place(MAKER, one, Side.SELL, 10_100, 500)
        port = self.server.ports[f"binance_{name}"]
        given: dict[str, Setting] = {"product": name, "port": port or 0, **settings}
        self.adapter = BinanceAdapter(
            AdapterContext("ours", self.heard, SendPermit(), self.clock, given, {}, environment="loopback")
        )

    def place(self, account: str, listed: Instrument, side: Side, price: int, thousandths: int) -> None:
        self._orders += 1
        units = thousandths * (10**5 if listed.product is Product.SPOT else 1)
        kind = OrderType.LIMIT if price else OrderType.MARKET
        command = PlaceOrder(
            self.clock.now_ns(), account, listed.instrument_id, f"o{self._orders}", side, kind, units, price
        )
        assert self.server.call(lambda server: server.host.execute(command)).ok

    def second(self) -> None:
        """Let a second pass in steps; between two of them both sides do what is due."""
        for _ in range(10):
            self.clock.advance(100_000_000)
            self.server.step()
            self.adapter.session.bridge.submit(_turns()).result(10)

    def subscribed(self) -> int:
        return self.server.call(lambda server: sum(len(list(one.streams)) for one in server.faults.sockets.values()))

    def dialled(self) -> int:
        return sum(self.server.call(lambda server: dict(server.traffic.connections)).values())

    def close(self) -> None:
        self.adapter.close()
        self.server.stop()
        assert self.server.failures == ()


async def _turns() -> None:
    """Let the loop take its turn."""


def begin(crowd: Crowd) -> None:
    for one in crowd.listed:
        crowd.adapter.subscribe(SubscribeRequest(one.instrument_id, True, True, 5))
    crowd.adapter.connect()


@pytest.fixture(params=[Product.SPOT, Product.PERPETUAL], ids=["spot", "usdm"])
def crowd(request: pytest.FixtureRequest) -> Iterator[Crowd]:
    made = Crowd(request.param)
    try:
        yield made
    finally:
        made.close()


def test_all_symbols_stream_and_no_connection_is_closed(crowd: Crowd) -> None:
    begin(crowd)

    def all_up() -> bool:
        crowd.second()
        return crowd.subscribed() == STREAMS * len(BASES)

    wait_until(all_up, deadline_s=30.0)
    wait_until(lambda: [crowd.second(), crowd.heard.states()][1][-1] is AdapterState.READY, deadline_s=30.0)
    dialled, since = crowd.dialled(), len(crowd.heard)
    for one in crowd.listed:
        crowd.place(TAKER, one, Side.BUY, 0, 100)

    def all_told() -> bool:
        crowd.second()
        names = {one.instrument_id for one in crowd.listed}
        return all(
            {fact.instrument_id for fact in crowd.heard.of(kind, since)} == names
            for kind in (TickData, MarketTrade, DepthData)
        )

    wait_until(all_told, deadline_s=30.0)
    topics = crowd.adapter.market_data.topics
    assert (topics.restarts, topics.kicks) == (0, 0)
    assert crowd.dialled() == dialled == 1
    assert set(crowd.heard.states()) == {AdapterState.CONNECTING, AdapterState.CONNECTED, AdapterState.READY}


def test_a_connection_of_all_symbols_is_replaced_at_the_venues_pace(crowd: Crowd) -> None:
    begin(crowd)
    wait_until(lambda: [crowd.second(), crowd.subscribed()][1] == STREAMS * len(BASES), deadline_s=30.0)
    wait_until(lambda: [crowd.second(), crowd.heard.states()][1][-1] is AdapterState.READY, deadline_s=30.0)
    topics, since = crowd.adapter.market_data.topics, len(crowd.heard)
    topics.care.rotate_after_s = 1.0
    wait_until(lambda: [crowd.second(), crowd.dialled()][1] == 2, deadline_s=30.0)
    topics.care.rotate_after_s = 0.0
    wait_until(lambda: [crowd.second(), topics.care.counts.rotations][1] == 1, deadline_s=30.0)
    for one in crowd.listed:
        crowd.place(TAKER, one, Side.BUY, 0, 100)
    wait_until(
        lambda: [crowd.second(), len(crowd.heard.of(MarketTrade, since))][1] == len(crowd.listed), deadline_s=30.0
    )
    assert crowd.heard.of(BookStateChanged, since) == []
    assert (topics.restarts, topics.kicks, topics.care.counts.failed_replacements) == (0, 0, 0)
    assert crowd.dialled() == 2


def test_without_a_pace_binance_closes_the_connection() -> None:
    crowd = Crowd(Product.SPOT, subscriptions_per_s=0)
    try:
        begin(crowd)
        wait_until(lambda: [crowd.second(), crowd.adapter.market_data.topics.restarts][1] > 0, deadline_s=30.0)
    finally:
        crowd.close()
