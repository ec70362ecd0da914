"""A served exchange on which shares of Shanghai and Shenzhen are listed beside those of Hong Kong, and who trades them."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from random import Random

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.futu.adapter import FutuAdapter
from foxtrot.core.clock import Clock, ManualClock, SystemClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, OrderType, PositionMode, Side
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.listings import default_listings, stock
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_rig import REAL
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

MOUTAI, PINGAN = "600519.SSE", "000001.SZSE"
MONEY = {"HKD": Decimal(1_000_000), "CNH": Decimal(10_000_000)}


@contextmanager
def connect_exchange(clock: Clock | None = None, *, always_open: bool = True) -> Iterator[ExchangeServer]:
    """Serve both shares, one account for us and one that owns them."""
    held = {"600519": Decimal(100_000), "000001": Decimal(100_000)}
    mainland = (stock("600519", "SSE", 100, "Moutai"), stock("000001", "SZSE", 100, "Ping An Bank"))
    server = ExchangeServer(
        ServerSettings(
            ports=ServerPorts(futu=0),
            accounts=(AccountSetup("main", balances=MONEY), AccountSetup("bob", balances=MONEY | held)),
            instruments=(*(one for one in default_listings() if one.venue == "SEHK"), *mainland),
            agents=0,
            futu=FutuSettings(limits=False, always_open=always_open),
        ),
        clock or SystemClock(),
    )
    server.start()
    try:
        yield server
        assert server.failures == ()
    finally:
        assert server.stop() == ""


def sell(server: ExchangeServer, instrument_id: str, shares: int, price_cents: int) -> None:
    """Let bob offer shares."""

    def place(running: ExchangeServer) -> bool:
        name = f"bob {instrument_id} {price_cents}"
        now_ns = running.host.now_ns()
        order = PlaceOrder(now_ns, "bob", instrument_id, name, Side.SELL, OrderType.LIMIT, shares, price_cents)
        return running.host.execute(order).ok

    assert server.call(place)


@contextmanager
def connected(
    server: ExchangeServer, clock: ManualClock, **settings: Setting
) -> Iterator[tuple[FutuAdapter, Recorder]]:
    """Run an adapter of the real account for the mainland until READY."""
    heard = Recorder()
    given: dict[str, Setting] = {
        "port": server.ports["futu"] or 0, "account_id": REAL, "markets": "CN", "currency": "CNH", **settings,
    }  # fmt: skip
    context = AdapterContext(
        "ours", heard, SendPermit(), clock, given, {}, "real", PositionMode.NETTING, {"unlock_password": Secret("foxtrot")}
    )  # fmt: skip
    adapter = FutuAdapter(context, Random(1))
    adapter.connect()
    try:
        wait_until(lambda: AdapterState.READY in heard.states(), 20.0)
        yield adapter, heard
    finally:
        adapter.close(5.0)
