"""Market data of the Futu client against the served exchange: a session without trading, one clock for both, everybody else by hand."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from itertools import count
from random import Random
from typing import Self
from zoneinfo import ZoneInfo

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.futu.config import read_settings
from foxtrot.adapter.futu.market_data import FutuMarketData
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus, BookStateChanged, ContractsLoaded, Gap, HistoryLoaded, RequestFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, BookState, OrderType, Side
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.market import BarData, DepthData, MarketTrade, TickData
from foxtrot.exchange.commands import CancelAll, PlaceOrder
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.listings import listing
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

HK = "00700.SEHK"
US = "AAPL.NASDAQ"
RICH = {name: Decimal(10**9) for name in ("HKD", "USD", "00700", "AAPL")}


def hong_kong(text: str) -> int:
    """A local time of Hong Kong in ns."""
    local = datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("Asia/Hong_Kong"))
    return int(local.timestamp()) * 1_000_000_000


MORNING_NS = hong_kong("2026-03-10 10:00:20")
"""A Tuesday morning in Hong Kong."""


class Up:
    """The way up of market data alone, and what lives on the link: contracts and streams."""

    def __init__(self, sink: Recorder, clock: ManualClock) -> None:
        self.clock = clock
        self.data: FutuMarketData | None = None
        self.session: FutuSession | None = None
        self._sink = sink

    def on_tick(self, tick: TickData) -> None:
        self._sink.put(tick)

    def on_depth(self, depth: DepthData) -> None:
        self._sink.put(depth)

    def on_market_trade(self, trade: MarketTrade) -> None:
        self._sink.put(trade)

    def on_bar(self, bar: BarData) -> None:
        self._sink.put(bar)

    def on_gap(self, gap: Gap) -> None:
        self._sink.put(gap)

    def on_history(self, history: HistoryLoaded) -> None:
        self._sink.put(history)

    def on_book_state(self, instrument_id: str, state: BookState, cause: str = "") -> None:
        self._sink.put(BookStateChanged("ours", instrument_id, state, cause, self.clock.now_ns()))

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        self._sink.put(RequestFailed("ours", what, str(error), self.clock.now_ns()))

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        self._sink.put(AdapterStatus("ours", "futu", state, cause, attempt, delay_s, self.clock.now_ns()))

    async def open_link(self) -> None:
        assert self.data is not None
        assert self.session is not None
        found = await self.data.load_contracts()
        self.session.instruments = {one.instrument_id: one for one in found}
        self._sink.put(ContractsLoaded("ours", found))
        await self.data.open()

    def link_lost(self) -> None:
        assert self.data is not None
        self.data.lost()


class FutuMarketRig:
    """One served exchange and one client of its quotes; ends everything it started.

    Thread: the test's.
    """

    def __init__(self, now_ns: int = MORNING_NS, *, limits: bool = False, **settings: Setting) -> None:
        self.clock = ManualClock(now_ns)
        self.heard = Recorder()
        self.server = ExchangeServer(
            ServerSettings(
                ports=ServerPorts(futu=0),
                accounts=tuple(AccountSetup(name, balances=RICH) for name in ("main", "alice", "bob")),
                agents=0,
                futu=FutuSettings(limits=limits),
            ),
            self.clock,
        )
        self.server.start()
        context = AdapterContext(
            "ours", self.heard, SendPermit(), self.clock,
            {"port": self.server.ports["futu"] or 0, "account_id": 1_000_001, "mute_after_s": 30.0, **settings}, {},
        )  # fmt: skip
        self.session = FutuSession(context, read_settings(context), Random(1))
        self.up = Up(self.heard, self.clock)
        self.data = FutuMarketData(self.up, self.session)
        self.up.data, self.up.session = self.data, self.session
        self._orders = count(1)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        overran = self.session.close(lambda: None, 5.0)
        stuck = self.server.stop()
        assert (overran, stuck) == ("", "")
        assert self.server.failures == ()

    def start(self) -> Self:
        """Connect and wait for READY."""
        self.session.start(self.up)
        self.wait(lambda: AdapterState.READY in self.heard.states())
        return self

    def do(self, job: Callable[[], object]) -> None:
        """Run something on futu-io and wait for it."""

        async def run() -> None:
            job()

        self.session.bridge.submit(run()).result(5.0)

    def wait(self, condition: Callable[[], bool]) -> None:
        wait_until(condition, 10.0)

    def idle(self) -> None:
        """Wait until what was wished is subscribed."""
        self.wait(lambda: not self.data.busy and not self.session.busy)

    def advance(self, seconds: float, step_s: float = 0.5) -> None:
        """Let time pass in steps, each of which is seen by both sides."""
        left_ns = int(seconds * 1e9)
        while left_ns > 0:
            step_ns = min(left_ns, int(step_s * 1e9))
            self.clock.advance(step_ns)
            left_ns -= step_ns
            self.settle()

    def settle(self) -> None:
        """Wait until what was asked before is answered, the beats of the link among them."""
        link = self.session.dialling._link
        if link is not None and self.session.linked:
            for context in ("quote", "trade"):
                self.session.bridge.submit(link.state(context)).result(5.0)
        self.idle()

    def order(self, side: Side, price: str, quantity: int, account: str = "alice", name: str = HK) -> None:
        """Let somebody place a limit order."""
        units = listing(name).price_grid.from_decimal(price)
        command = PlaceOrder(
            self.clock.now_ns(), account, name, f"o-{next(self._orders)}", side, OrderType.LIMIT, quantity, units
        )
        assert self.server.call(lambda server: server.host.execute(command)).ok

    def trade(self, price: str, quantity: int, side: Side = Side.BUY, name: str = HK) -> None:
        """Let two others trade at a price at which nothing rests."""
        self.order(side.opposite, price, quantity, "bob", name)
        self.order(side, price, quantity, "alice", name)

    def clear(self, name: str = HK) -> None:
        """Take everything off the book."""
        for account in ("alice", "bob"):
            self.server.call(lambda server, a=account: server.host.execute(CancelAll(self.clock.now_ns(), a, name)))

    def fault(self, kind: str, **settings: object) -> int:
        return self.server.inject(Fault(kind=kind, product="futu", **settings))  # type: ignore[arg-type]

    def requests(self, name: str) -> int:
        """How many requests of a protocol the server counted."""
        return self.server.call(lambda server: server.traffic.requests.get(f"futu {name}", 0))

    def come_back(self, since: int) -> None:
        """Let the pauses of back-off pass until it is READY again."""

        def ready() -> bool:
            self.clock.advance(100_000_000)
            return AdapterState.READY in self.heard.states(since)

        self.wait(ready)
