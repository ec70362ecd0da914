"""Market data of the IB client against the served exchange, by the real ibapi: a session without trading, one clock for both."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.ib.config import read_settings
from foxtrot.adapter.ib.market_data import IbMarketData
from foxtrot.adapter.ib.session import IbSession
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AdapterStatus, BookStateChanged, ContractsLoaded, Gap, HistoryLoaded, RequestFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState, BookState
from foxtrot.domain.errors import FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_served_market import START_NS, ServedMarket, served_market
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

ACCOUNT = "ours"
AAPL, ES, EUR, HK = "AAPL.NASDAQ", "ESZ6.CME", "EURUSD.IDEALPRO", "00700.SEHK"


class Up:
    """The way up of market data alone, and what lives on the link: contracts and streams."""

    def __init__(self, sink: Recorder, clock: ManualClock) -> None:
        self.clock = clock
        self.data: IbMarketData | None = None
        self._sink = sink

    def on_contracts(self, instruments: tuple[Instrument, ...]) -> None:
        self._sink.put(ContractsLoaded(ACCOUNT, instruments))

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
        self._sink.put(BookStateChanged(ACCOUNT, instrument_id, state, cause, self.clock.now_ns()))

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        self._sink.put(RequestFailed(ACCOUNT, what, str(error), self.clock.now_ns()))

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        self._sink.put(AdapterStatus(ACCOUNT, "ib", state, cause, attempt, delay_s, self.clock.now_ns()))

    async def open_link(self) -> None:
        assert self.data is not None
        self.on_contracts(await self.data.load_contracts())
        await self.data.open()

    def link_cut(self, cause: str) -> None:
        assert self.data is not None
        self.data.cut(cause)

    def data_lost(self) -> None:
        assert self.data is not None
        self.data.data_lost()

    def link_lost(self) -> None:
        assert self.data is not None
        self.data.lost()


class IbMarketRig:
    """One served exchange and one client of its market data.

    Thread: the test's.
    """

    def __init__(self, market: ServedMarket, settings: dict[str, Setting], home: Path | None) -> None:
        self.market = market
        self.clock = market.clock
        self.heard = Recorder()
        all_settings: dict[str, Setting] = {
            "port": market.port, "always_open": True, "mute_after_s": 60.0, "instruments": AAPL, **settings,
        }  # fmt: skip
        context = AdapterContext(ACCOUNT, self.heard, SendPermit(), self.clock, all_settings, {}, home=home)
        self.session = IbSession(context, read_settings(context), Random(1))
        self.up = Up(self.heard, self.clock)
        self.data = self.up.data = IbMarketData(self.up, self.session, home)

    def start(self) -> "IbMarketRig":
        """Connect and wait for READY."""
        self.session.start(self.up)
        self.wait(lambda: AdapterState.READY in self.heard.states())
        return self

    def close(self) -> None:
        """End the session; no thread of it may overrun."""
        assert self.session.close(lambda: None, 5.0) == ""

    def do(self, job: Callable[[], object]) -> None:
        """Run something on ib-io and wait for it."""

        async def run() -> None:
            job()

        self.session.bridge.submit(run()).result(5.0)

    def subscribe(self, name: str = AAPL, **wishes: object) -> None:
        """Wish streams, none but those that are named, and wait until they are subscribed."""
        request = SubscribeRequest(name, **{"ticks": False, **wishes})  # type: ignore[arg-type]
        self.do(lambda: self.data.add(request))
        self.wait(lambda: not self.data.busy)

    def history(self, request: HistoryRequest) -> HistoryLoaded:
        """Ask for past bars and return the answer."""

        async def ask() -> None:
            await self.data.tell_history(request)

        asked = self.session.bridge.submit(ask())
        self.wait(asked.done)
        asked.result()
        return next(one for one in reversed(self.heard.of(HistoryLoaded)) if one.request_id == request.request_id)

    def wait(self, condition: Callable[[], bool], step_s: float = 0.02) -> None:
        """Wait for a condition while the clock goes on in steps, which both sides see."""

        def met() -> bool:
            if condition():
                return True
            self.market.wait(step_s)
            return condition()

        wait_until(met, 10.0)

    def fault(self, kind: str, **settings: object) -> int:
        """Let the served TWS do something wrong."""
        return self.market.server.inject(Fault(kind=kind, product="ib", **settings))  # type: ignore[arg-type]

    def failures(self) -> list[tuple[str, str]]:
        """What was told as failed."""
        return [(one.what, one.error) for one in self.heard.of(RequestFailed)]


@contextmanager
def ib_market(
    ib: IbSettings | None = None, home: Path | None = None, now_ns: int = START_NS, **settings: Setting
) -> Iterator[IbMarketRig]:
    """A market and a client of it that is not connected yet; both are ended, and nothing of the server may have failed."""
    with served_market(ib, now_ns) as market:
        rig = IbMarketRig(market, settings, home)
        try:
            yield rig
        finally:
            rig.close()
