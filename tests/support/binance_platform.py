"""A platform's line with the real Binance adapter on the embedded exchange: what goes in wrong, and what is told and logged of it."""

from collections import deque
from collections.abc import Callable
from decimal import Decimal
from random import Random
from typing import Any, Self

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.app.event_log import EventLog
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AdapterStatus, OrderChanged, RequestFailed
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderStatus, OrderType, Product, Side
from foxtrot.domain.market import TickData
from foxtrot.domain.order import OrderData, OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.reconcile_settings import ReconcileSettings
from tests.support.binance_rig import START_NS, perpetual_like, spot_like
from tests.support.waiting import wait_until

ACCOUNT, OWNER = "ours", "tester"
KEY, SECRET = "canary-key-5b1e", "canary-secret-77aa"
BEAT_NS = 100_000_000
GOOD = ApiKey(KEY, ACCOUNT, SECRET)


class Inbox:
    """Where the adapter puts events until the test's thread takes them.

    Thread: any.
    """

    def __init__(self) -> None:
        self._waiting: deque[object] = deque()

    def put(self, event: object) -> None:
        """Keep an event."""
        self._waiting.append(event)

    def take(self) -> list[object]:
        """Return what waits."""
        return [self._waiting.popleft() for _ in range(len(self._waiting))]


class BinancePlatform:
    """One account of one product. Everything that is told and every line of the log is kept.

    Thread: the test's, except what its parts start.
    """

    def __init__(self, product: str, *, key: ApiKey = GOOD, products: tuple[str, ...] = ("spot", "usdm"),
                 settings: dict[str, Setting] | None = None, secrets: tuple[str, str] = (KEY, SECRET),
                 check_funds: bool = True, reconcile: ReconcileSettings | None = None) -> None:  # fmt: skip
        self.product = product
        self.clock = ManualClock(START_NS)
        self.lines: list[str] = []
        self.loud: list[str] = []
        self.events: list[object] = []
        self.instrument = (spot_like if product == "spot" else perpetual_like)("BTCUSDT", "BTC")
        self._log = logger.add(self._hear_line, level="DEBUG", format="{level} {message} {extra} {exception}")
        self.server = ExchangeServer(_server_settings(self.instrument, key, products), self.clock)
        self.server.start()
        self.dispatcher = Dispatcher(self.clock)
        permit = SendPermit()
        line_settings = LineSettings(run_id="run0000001", limits=_limits(check_funds), reconcile=reconcile)
        self.line = Line(self.dispatcher, permit, line_settings)
        EventLog(self.dispatcher)
        self.dispatcher.add_tap(lambda _, event: self.events.append(event))
        self._inbox = Inbox()
        given = {"product": product, "port": self.server.ports[f"binance_{product}"], **(settings or {})}
        if product == "usdm":
            given["max_leverage"] = 20
        hidden = {name: Secret(text) for name, text in zip(("api_key", "api_secret"), secrets, strict=True)}
        context = AdapterContext(ACCOUNT, self._inbox, permit, self.clock, given, {}, "loopback", secrets=hidden)
        self.adapter = BinanceAdapter(context, Random(1))
        self.line.add_adapter(self.adapter)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        overran = self.adapter.close()
        self.server.stop()
        self.pump()
        logger.remove(self._log)
        if exception == (None, None, None):
            assert overran == ""
            assert self.server.failures == ()

    # --- driving ----------------------------------------------------------------------------------------------------

    def connect(self) -> Self:
        """Connect to a market with a price, and wait until that is known or the adapter has given up."""
        self._quote()
        self.adapter.subscribe(SubscribeRequest(self.instrument.instrument_id))
        self.adapter.connect()
        self.wait(lambda: AdapterState.FAILED in self.states() or (self.is_ready and bool(self.of(TickData))))
        self.settle()
        return self

    def fault(self, kind: str, **settings: Any) -> None:
        """Set a fault."""
        self.server.inject(Fault(kind=kind, product=self.product, **settings))

    def refuse_orders(self, code: int, text: str) -> None:
        """Let the venue refuse the next order with a code."""
        path = "/api/v3/order" if self.product == "spot" else "/fapi/v1/order"
        self.fault("error_code", endpoint=f"POST {path}", code=code, msg=text)

    def order(self, quantity: float, price: float = 0.0, symbol: str = "", **terms: Any) -> OrderData:
        """Send a wish for an order down the line and return how it ended."""
        kind = OrderType.LIMIT if price else OrderType.MARKET
        name = symbol or self.instrument.instrument_id
        order_id = self.line.desk.submit(OrderRequest(name, ACCOUNT, Side.BUY, kind, quantity, price, **terms), OWNER)
        ended = (
            OrderStatus.REJECTED,
            OrderStatus.DENIED,
            OrderStatus.UNKNOWN,
            OrderStatus.ACCEPTED,
            OrderStatus.FILLED,
        )

        def last() -> OrderData | None:
            told = [one.order for one in self.of(OrderChanged) if one.order.order_id == order_id]
            return told[-1] if told and told[-1].status in ended else None

        self.wait(lambda: last() is not None)
        self.settle()
        found = last()
        assert found is not None
        return found

    @property
    def is_ready(self) -> bool:
        """Tell whether the link stands and everything was told."""
        return self.states()[-1:] == [AdapterState.READY]

    def _quote(self) -> None:
        """Let a maker stand at 99.00 and 101.00."""
        for side, price in ((Side.BUY, 9_900), (Side.SELL, 10_100)):
            units = self.instrument.quantity_grid.from_decimal(Decimal(50))
            name, now_ns = self.instrument.instrument_id, self.clock.now_ns()
            command = PlaceOrder(now_ns, "maker", name, f"wall{price}", side, OrderType.LIMIT, units, price)
            result = self.server.call(lambda server, placed=command: server.host.execute(placed))
            assert result.ok, result

    def wait(self, condition: Callable[[], bool]) -> None:
        """Let both sides go on until a condition holds."""

        def met() -> bool:
            self.clock.advance(BEAT_NS)
            self.pump()
            return condition()

        wait_until(met, 10.0)

    def settle(self) -> None:
        """Let what follows at once follow: a second of the clock."""
        beats = iter(range(10))
        self.wait(lambda: next(beats, None) is None)

    def pump(self) -> None:
        """Hand over what the adapter has told, and handle it."""
        for event in self._inbox.take():
            self.dispatcher.put(event)
        self.dispatcher.drain()
        if self.line.reconciler is not None:
            self.dispatcher.fire_timers(self.clock.now_ns())

    # --- reading ----------------------------------------------------------------------------------------------------

    def of(self, kind: type[Any]) -> list[Any]:
        """Return the events of a class, oldest first."""
        return [event for event in self.events if type(event) is kind]

    def states(self) -> list[AdapterState]:
        """Return the states of the connection, oldest first."""
        return [status.state for status in self.of(AdapterStatus)]

    def warnings(self) -> list[tuple[str, str]]:
        """Return what is told of requests that failed, and of checks that found something."""
        return [(failed.what, failed.error) for failed in self.of(RequestFailed)]

    def _hear_line(self, message: Any) -> None:
        self.lines.append(str(message))
        if message.record["level"].no >= logger.level("WARNING").no:
            self.loud.append(str(message))


def _limits(check_funds: bool) -> LimitTable:
    """Return limits that let through whatever the contract and, if so told, the funds allow."""
    free = Limits(quote_age_s=0.0, messages_per_s=0, duplicate_window_s=0.0, price_collar=0.0, check_funds=check_funds)
    return LimitTable(platform=free)


def _server_settings(instrument: Any, key: ApiKey, products: tuple[str, ...]) -> ServerSettings:
    spot = instrument.product is Product.SPOT
    rich = {"USDT": Decimal(10**7)} | ({"BTC": Decimal(10**3)} if spot else {})
    return ServerSettings(
        ports=ServerPorts(binance_spot=0, binance_usdm=0),
        accounts=(
            AccountSetup(ACCOUNT, (key,), {"USDT": Decimal(1_000)}, products=products),
            AccountSetup("maker", (), rich),
        ),
        instruments=(instrument,),
        agents=0,
        surface=SurfaceSettings(limits=False),
    )
