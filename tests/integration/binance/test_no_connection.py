"""Names that are not resolved and certificates that are not trusted: nothing is sent, and what was unknown stays so until it can be asked for."""

import socket
import ssl
from collections.abc import Iterator
from decimal import Decimal

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import AdapterStatus, OpenOrdersLoaded
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder, OrderData
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

ACCOUNT, KEY, SECRET = "ours", "far-key", "far-secret"
BACK_S = 20.0


class Names(AbstractResolver):
    """Every name leads to a port of this machine, or is not resolved.

    Thread: the adapter's; `works` is set by the test's.
    """

    def __init__(self, port: int) -> None:
        self.works = True
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Lead to the port."""
        if not self.works:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [
            ResolveResult(hostname=host, host="127.0.0.1", port=self._port, family=socket.AF_INET, proto=0, flags=0)
        ]

    async def close(self) -> None:
        """Have nothing to close."""


class Far:
    """An exchange behind TLS and an adapter that knows Binance's own addresses only.

    Thread: the test's.
    """

    def __init__(self) -> None:
        accounts = (AccountSetup(ACCOUNT, (ApiKey(KEY, ACCOUNT, SECRET),), {"USDT": Decimal(100_000)}),)
        surface = SurfaceSettings(limits=False)
        ports = ServerPorts(binance_spot_tls=0)
        self.server = ExchangeServer(ServerSettings(ports=ports, accounts=accounts, agents=0, surface=surface))
        self.server.start()
        self.heard = Recorder()
        self.names = Names(self.server.ports["binance_spot_tls"] or 0)
        self.trusted: ssl.SSLContext | bool = ssl.create_default_context(cafile=str(self.server.ca_file))
        secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
        context = AdapterContext(
            ACCOUNT, self.heard, SendPermit(), SystemClock(), {"product": "spot"}, {}, "live", secrets=secrets
        )
        self.adapter = BinanceAdapter(context, make_connector=self._connector)

    def _connector(self) -> aiohttp.TCPConnector:
        return aiohttp.TCPConnector(resolver=self.names, ssl=self.trusted, use_dns_cache=False)

    def close(self) -> None:
        assert self.adapter.close() == ""
        assert self.server.stop() == ""

    def wait_state(self, state: AdapterState, since: int = 0) -> AdapterStatus:
        wait_until(lambda: state in self.heard.states(since), BACK_S)
        return next(status for status in self.heard.of(AdapterStatus, since) if status.state is state)

    def send(self, order_id: str) -> None:
        listed = self.adapter.session.instruments["BTCUSDT.BINANCE"]
        units, price = listed.quantity_grid.from_decimal("0.01"), listed.price_grid.from_decimal("50000")
        self.adapter.send_order(
            ApprovedOrder(
                order_id, "tester", ACCOUNT, listed.instrument_id, Side.BUY, OrderType.LIMIT, units, price, 0,
                TimeInForce.GTC, False, False, PositionSide.NET, 0, 0, 0, self.adapter.clock.now_ns(), False,
            )
        )  # fmt: skip

    def told(self, order_id: str) -> list[OrderStatus]:
        """Return the statuses told of an order, by a report or in a list."""
        told = [event.orders if isinstance(event, OpenOrdersLoaded) else (event,) for event in self.heard.events()]
        orders = [one for many in told for one in many if isinstance(one, OrderData) and one.order_id == order_id]
        return [order.status for order in orders]

    def received(self) -> list[str]:
        return self.server.call(lambda server: [one.client_order_id for one in server._doors.shared.traffic.orders])


@pytest.fixture
def far() -> Iterator[Far]:
    made = Far()
    yield made
    made.close()


def test_a_name_that_is_not_resolved_keeps_what_is_unknown_until_it_can_be_asked_for(far: Far) -> None:
    far.adapter.connect()
    far.wait_state(AdapterState.READY)
    since = len(far.heard)
    far.server.inject(Fault(kind="go_silent", connection="user"))
    far.server.inject(Fault(kind="ack_lost", endpoint="POST /api/v3/order", count=1, hang=True))
    far.send("far-1")
    wait_until(lambda: far.received() == ["far-1"])
    far.names.works = False
    far.server.inject(Fault(kind="restart", down_s=0))
    backing_off = far.wait_state(AdapterState.BACKING_OFF, since)
    wait_until(lambda: far.told("far-1") == [OrderStatus.UNKNOWN])
    wait_until(lambda: far.adapter.failed_dials >= 2, BACK_S)
    far.send("far-2")
    wait_until(lambda: far.told("far-2") == [OrderStatus.DENIED])
    assert far.told("far-1") == [OrderStatus.UNKNOWN]
    assert SECRET not in backing_off.cause
    far.server.clear_faults()
    far.names.works = True
    far.wait_state(AdapterState.READY, since)
    wait_until(lambda: far.told("far-1")[-1] is OrderStatus.ACCEPTED, BACK_S)
    assert far.received() == ["far-1"]


def test_a_certificate_that_is_not_trusted_gets_no_request(far: Far) -> None:
    far.trusted = True
    far.adapter.connect()
    told = far.wait_state(AdapterState.BACKING_OFF)
    assert "certificate" in told.cause.lower()
    wait_until(lambda: far.adapter.failed_dials >= 2, BACK_S)
    assert AdapterState.READY not in far.heard.states()
    assert far.server.call(lambda server: sum(server._doors.shared.traffic.requests.values())) == 0
