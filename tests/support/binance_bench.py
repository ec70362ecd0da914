"""A bench for the Binance adapter: the embedded exchange on loopback, one adapter on it, and one clock for both."""

import threading
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Self

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderType, PositionMode, PositionSide, Side, TimeInForce
from foxtrot.domain.order import ApprovedOrder
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

START_NS = 1_700_000_040_000_000_000
KEY, SECRET = "bench-key", "bench-secret"


class BinanceBench:
    """One product, one account, nobody else unless `agents`; ends everything it started.

    Thread: the test's.
    """

    def __init__(self, product: str = "spot", *, can_withdraw: bool = False, settings: dict[str, Setting] | None = None,
                 mode: PositionMode = PositionMode.NETTING, secret: str = SECRET) -> None:  # fmt: skip
        self.product = product
        self.clock = ManualClock(START_NS)
        self.permit = SendPermit()
        self.heard = Recorder()
        self.server = ExchangeServer(_server_settings(can_withdraw), self.clock)
        self.server.start()
        self.adapter = self.new_adapter(settings or {}, mode, secret)
        self._orders = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.adapter.close()
        self.server.stop()
        assert self.server.failures == ()

    @property
    def port(self) -> int:
        port = self.server.ports["binance_spot" if self.product == "spot" else "binance_usdm"]
        assert port is not None
        return port

    @property
    def instrument_id(self) -> str:
        return "BTCUSDT.BINANCE" if self.product == "spot" else "BTCUSDT.BINANCE_USDM"

    def new_adapter(self, settings: dict[str, Setting], mode: PositionMode, secret: str = SECRET) -> BinanceAdapter:
        context = AdapterContext(
            "ours",
            self.heard,
            self.permit,
            self.clock,
            {"product": self.product, "port": self.port, **settings},
            {},
            environment="loopback",
            position_mode=mode,
            secrets={"api_key": Secret(KEY), "api_secret": Secret(secret)} if secret else {},
        )
        return BinanceAdapter(context, Random(1))

    def connect(self) -> BinanceAdapter:
        self.adapter.connect()
        self.wait_state(AdapterState.READY)
        return self.adapter

    def fault(self, kind: str, **settings: object) -> int:
        return self.server.inject(Fault(kind=kind, product=self.product, **settings))  # type: ignore[arg-type]

    def advance(self, seconds: float) -> None:
        self.clock.advance(int(seconds * 1e9))

    def wait(self, condition: Callable[[], bool]) -> None:
        wait_until(condition, 10.0)

    def wait_state(self, state: AdapterState, since: int = 0) -> AdapterStatus:
        self.wait(lambda: state in self.heard.states(since))
        return next(status for status in self.heard.of(AdapterStatus, since) if status.state is state)

    def come_back(self, since: int) -> None:
        """Let the pauses of back-off pass until it is READY again."""
        self.wait_state(AdapterState.BACKING_OFF, since)

        def ready() -> bool:
            self.advance(0.1)
            return AdapterState.READY in self.heard.states(since)

        self.wait(ready)

    def order(
        self, side: Side = Side.BUY, quantity: str = "0.01", price: str = "50000", *, reduces: bool = False
    ) -> ApprovedOrder:
        """Make an approved limit order; the contracts must be known, so only after connecting."""
        listed = self.adapter.session.instruments[self.instrument_id]
        units, price_units = listed.quantity_grid.from_decimal(quantity), listed.price_grid.from_decimal(price)
        self._orders += 1
        return ApprovedOrder(
            f"t-1-{self._orders}", "tester", "ours", self.instrument_id, side, OrderType.LIMIT, units, price_units, 0,
            TimeInForce.GTC, False, False, PositionSide.NET, 0, 0, 0, self.clock.now_ns(), reduces,
        )  # fmt: skip

    def threads(self) -> list[str]:
        return [thread.name for thread in threading.enumerate() if thread.name == "binance-io"]

    def open_orders(self) -> list[str]:
        return self.server.call(
            lambda server: [order.client_order_id for order in server.host.venue.open_orders("ours")]
        )


def _server_settings(can_withdraw: bool) -> ServerSettings:
    key = ApiKey(KEY, "ours", SECRET, can_withdraw=can_withdraw)
    balances = {"USDT": Decimal(100_000), "BTC": Decimal(10)}
    return ServerSettings(
        ports=ServerPorts(binance_spot=0, binance_usdm=0),
        accounts=(AccountSetup("ours", (key,), balances),),
        agents=0,
        surface=SurfaceSettings(limits=False),
    )
