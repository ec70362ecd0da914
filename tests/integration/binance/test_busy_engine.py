"""The interpreter is held up by strategies that only compute: pings of the venue are answered all the same."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from random import Random

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import SystemClock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

KEY, SECRET = "busy-key", "busy-secret"
EVERY_S, WITHIN_S = 0.1, 5.0
"""How often the venue pings, and how long it waits: a 200th and a 12th of Binance's own 20 s and 60 s."""
PONGS = 2


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Let threads compute without end."""
    over = threading.Event()

    def compute() -> None:
        while not over.is_set():
            sum(range(10_000))

    threads = [threading.Thread(target=compute) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


def test_pings_are_answered_while_three_threads_hog_the_interpreter() -> None:
    clock, heard = SystemClock(), Recorder()
    surface = SurfaceSettings(limits=False, ping_interval_s=EVERY_S, pong_timeout_s=WITHIN_S)
    account = AccountSetup("ours", (ApiKey(KEY, "ours", SECRET),), {})
    server = ExchangeServer(
        ServerSettings(ports=ServerPorts(binance_spot=0), accounts=(account,), surface=surface), clock
    )
    server.start()
    secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
    settings = {"product": "spot", "port": server.ports["binance_spot"] or 0}
    context = AdapterContext("ours", heard, SendPermit(), clock, settings, {}, "loopback", secrets=secrets)
    adapter = BinanceAdapter(context, Random(1))

    def pongs() -> list[int]:
        return server.call(lambda made: [one.pongs for one in made.faults.sockets.values()])

    try:
        adapter.subscribe(SubscribeRequest("BTCUSDT.BINANCE"))
        adapter.connect()
        wait_until(lambda: AdapterState.READY in heard.states() and len(pongs()) >= 2)
        since, before = len(heard), pongs()
        with busy(3):
            began_s = time.monotonic()
            wait_until(lambda: all(now - then >= PONGS for now, then in zip(pongs(), before, strict=True)), 30.0)
            print(f"{PONGS} pongs of each connection in {time.monotonic() - began_s:.1f} s")
        assert heard.states(since) == [], "a connection was given up"
        assert len(pongs()) == len(before)
    finally:
        assert adapter.close() == ""
        server.stop()
