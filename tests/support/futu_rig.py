"""An exchange that serves FutuOpenD's protocol on loopback, for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from foxtrot.core.clock import Clock
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings

ACCOUNT = "main"
MONEY = {"HKD": Decimal(1_000_000), "USD": Decimal(100_000)}
REAL, SIMULATE = 281_756_000_000_000_001, 1_000_001
"""The account ids of the first account."""


@contextmanager
def served_futu(
    *,
    agents: int = 0,
    futu: FutuSettings | None = None,
    clock: Clock | None = None,
    queue_bytes: int = 4_194_304,
    faults: tuple[Fault, ...] = (),
) -> Iterator[ExchangeServer]:
    """A running server with one account, and without other traders unless told; nothing of it may have failed at the end."""
    settings = ServerSettings(
        ports=ServerPorts(futu=0),
        accounts=(AccountSetup(ACCOUNT, balances=MONEY),),
        agents=agents,
        futu=futu or FutuSettings(),
        queue_bytes=queue_bytes,
        faults=faults,
    )
    server = ExchangeServer(settings, clock)
    server.start()
    try:
        yield server
        assert server.failures == ()
    finally:
        assert server.stop() == ""


def futu_port(server: ExchangeServer) -> int:
    """Return the port that FutuOpenD's protocol is served on."""
    port = server.ports["futu"]
    assert port is not None
    return port
