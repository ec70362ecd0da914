"""The real adapter with Binance's real addresses, behind TLS, on this machine: only the resolver and the certificate differ."""

import ssl
from collections.abc import Iterator
from decimal import Decimal

import aiohttp
import pytest

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.adapter.binance.environments import ENVIRONMENTS
from foxtrot.core.clock import SystemClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import (
    AdapterState,
    OrderStatus,
    OrderType,
    PositionMode,
    PositionSide,
    Side,
    TimeInForce,
)
from foxtrot.domain.market import DepthData, MarketTrade, TickData
from foxtrot.domain.order import ApprovedOrder, CancelRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.real_names import Here
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

KEY = ApiKey("key-of-us", "us", "secret-of-us")
SETTINGS: dict[str, dict[str, Setting]] = {"spot": {"product": "spot"}, "usdm": {"product": "usdm", "leverage": 3}}
HOSTS = {
    "spot": {"api.binance.com", "stream.binance.com", "ws-api.binance.com"},
    "usdm": {"fapi.binance.com", "fstream.binance.com", "api.binance.com"},  # what a key may do is asked of spot's host
}
"""Whom the adapter of a product talks to."""


@pytest.fixture(scope="module")
def server() -> Iterator[ExchangeServer]:
    settings = ServerSettings(
        ports=ServerPorts(binance_spot_tls=0, binance_usdm_tls=0),
        accounts=(AccountSetup("us", (KEY,), {"USDT": Decimal(100_000), "BTC": Decimal(1)}),),
        agents=8,
    )
    made = ExchangeServer(settings)
    made.start()
    yield made
    assert made.stop() == ""
    assert made.failures == ()


class Link:
    """The adapter in environment "live" with nothing overridden, and what it tells."""

    def __init__(self, server: ExchangeServer, product: str) -> None:
        self.heard = Recorder()
        self.resolver = Here(server)
        trusted = ssl.create_default_context(cafile=str(server.ca_file))
        secrets = {"api_key": Secret(KEY.api_key), "api_secret": Secret(KEY.secret)}
        context = AdapterContext(
            "us",
            self.heard,
            SendPermit(),
            SystemClock(),
            SETTINGS[product],
            {},
            "live",
            PositionMode.NETTING,
            secrets,
        )
        self.adapter = BinanceAdapter(
            context, make_connector=lambda: aiohttp.TCPConnector(resolver=self.resolver, ssl=trusted)
        )
        self._product = product
        self.instrument_id = f"BTCUSDT.BINANCE{'' if product == 'spot' else '_USDM'}"
        self._orders = 0

    def send(self, side: Side, quantity: str, price: str = "") -> str:
        """Send an order and return its id."""
        self._orders += 1
        listed = self.adapter.session.instruments[self.instrument_id]
        order = ApprovedOrder(
            f"{self._product}-{self._orders}", "s", "us", self.instrument_id, side, OrderType.LIMIT if price else OrderType.MARKET,
            listed.quantity_units(quantity), listed.price_units(price) if price else 0, 0, TimeInForce.GTC, False, False,
            PositionSide.NET, 0, 0, 0, 0,
        )  # fmt: skip
        self.adapter.send_order(order)
        return order.order_id

    def status(self, order_id: str) -> OrderStatus | None:
        """Return the last that was said of an order."""
        said = self.heard.reports(order_id)
        return said[-1].status if said else None


@pytest.mark.parametrize("product", ["spot", "usdm"])
def test_the_adapter_trades_at_binances_own_addresses(server: ExchangeServer, product: str) -> None:
    link = Link(server, product)
    heard, name = link.heard, link.instrument_id
    assert link.adapter.session.settings.urls == ENVIRONMENTS["live"]
    link.adapter.subscribe(SubscribeRequest(name, trades=True, depth_levels=5))
    link.adapter.connect()
    try:
        wait_until(lambda: AdapterState.READY in heard.states())
        wait_until(lambda: bool(heard.of(DepthData)) and bool(heard.of(MarketTrade)) and bool(heard.of(TickData)))
        bought = link.send(Side.BUY, "0.010")
        resting = link.send(Side.BUY, "0.010", "50000.0")
        wait_until(lambda: link.status(bought) is OrderStatus.FILLED and link.status(resting) is OrderStatus.ACCEPTED)
        wait_until(lambda: sum(fill.quantity for fill in heard.fills(bought)) == pytest.approx(0.01))
        assert open_orders(server, name) == [resting]
        link.adapter.cancel_order(CancelRequest(resting, "us", name))
        wait_until(lambda: link.status(resting) is OrderStatus.CANCELLED)
        assert open_orders(server, name) == []
    finally:
        overran = link.adapter.close()
    assert overran == ""
    assert {fill.trade_id for fill in heard.fills(bought)} == fills(server, bought)
    assert heard.states() == [AdapterState.CONNECTING, AdapterState.CONNECTED, AdapterState.READY, AdapterState.CLOSED]
    assert link.resolver.asked == HOSTS[product]
    wait_until(lambda: server.call(lambda one: not one.faults.sockets))


def open_orders(server: ExchangeServer, instrument_id: str) -> list[str]:
    """Return the client ids of our open orders at the venue."""
    return server.call(lambda one: [order.client_order_id for order in one.host.venue.open_orders("us", instrument_id)])


def fills(server: ExchangeServer, order_id: str) -> set[str]:
    """Return the venue's ids of the trades of an order."""
    return server.call(
        lambda one: {str(fill.trade_id) for fill in one.host.venue.fills("us") if fill.client_order_id == order_id}
    )
