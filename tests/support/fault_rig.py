"""The Binance rig with everything streaming and an order resting, to which something is done; and the checks of what is left.

A test of a fault is: `begin`, `inject` (or anything that goes wrong), `pass_s` while it lasts, `over`, `recovered_s`, `check`,
`record`. While time passes other people trade, and every second what the adapter tells is held against what the venue did.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import msgspec

from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.notices import (
    BookStateChanged,
    Gap,
)
from foxtrot.domain.enums import AdapterState, BookState, Product, Side
from foxtrot.domain.market import DepthChange, DepthData, MarketTrade, TickData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.server_settings import ServerSettings
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from tests.support.binance_rig import Longest, _at_most
from tests.support.fault_document import FaultRow, record
from tests.support.fault_insight import FAULTY_S, NORMAL_S, FaultInsight, _come_to_rest
from tests.support.fault_judgement import FaultJudgement
from tests.support.venue_memory import BookJudge, VenueMemory

__all__ = ["FAULTY_S", "FaultRig", "_come_to_rest"]

LATE_S = 12
"""How long tasks that wait for something by the clock may outlive a recovery."""


class FaultRig(FaultInsight, FaultJudgement):
    """See the module; `spot` streams everything, `contract` ticks, trades and depth, and `resting` is our order.

    Thread: the test's.
    """

    def __init__(self, product: Product, *, hot_path: bool = True, surface: SurfaceSettings | None = None) -> None:
        self.patience_s = NORMAL_S
        self.resting = ""
        self.taken = 0
        self._surface = surface or SurfaceSettings(limits=False)
        self._pulses = 0
        self._old: list[int] = []
        self._judged = 0
        self._begun_at = 0
        self._streams: Counter[str] = Counter()
        self._tasks: Counter[str] = Counter()
        self._first_print: dict[str, int] = {}
        self._sent: list[str] = []
        super().__init__(product, hot_path=hot_path)
        self.memory = VenueMemory(self.server, self.side, (self.spot, self.contract))
        self.judge = BookJudge(self.memory)

    # --- the course of a test ---------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Connect, stream everything, rest an order of which a part is filled; all is well after it."""
        self.connect()
        session = self._session()
        session.backoff = Backoff(Longest())
        self._market_data().topics._random = Longest()
        self.adapter.subscribe(SubscribeRequest(self.spot.instrument_id, True, True, 5, True))
        self.adapter.subscribe(SubscribeRequest(self.contract.instrument_id, True, True, 5))
        self.settle()
        self.resting = self.place()
        self.hit_ours(100)
        self._first_print = {name: len(seen) for name, seen in self.memory.prints.items()}
        self.pass_s(2)
        assert set(self._heard_prints()) >= set(self._due_prints()), "prints were missing before anything was wrong"
        self._streams, self._tasks = self._served(), self._running()
        assert self.wrongs() == [], self.wrongs()
        self._begun_at = len(self.heard)

    def inject(self, kind: str, **terms: Any) -> int:
        """Set a fault; from now on a step waits but a moment for what may not come."""
        self.patience_s = FAULTY_S
        return self.server.inject(Fault(kind=kind, **terms))

    def expect_prints_from_now(self, instrument_id: str) -> None:
        """Let those that were printed before be nobody's business: they were not subscribed."""
        self._first_print[instrument_id] = len(self.memory.prints[instrument_id])

    def over(self) -> None:
        """Remove all faults."""
        self.server.clear_faults()

    def pass_s(self, seconds: float, *, trading: bool = True) -> None:
        """Let time pass a second at a time: others trade, the server does what is due, what is told is judged."""
        whole, rest = divmod(seconds, 1.0)
        for step_s in [1.0] * int(whole) + [rest] * bool(rest):
            self.step(step_s, trading=trading)

    def step(self, step_s: float, *, trading: bool = True) -> None:
        """Let one step of time pass."""
        if trading:
            self.pulse()
        self.clock.advance(int(step_s * 1e9))
        self.server.step()
        self._arrive()
        self._judge_news()

    def recovered_s(self, limit_s: float, *, trading: bool = True) -> float:
        """Let time pass until all is well, and return how many seconds that took; fails past the limit.

        Raises:
            AssertionError: with what is not well.
        """
        passed_s = 0.0
        while wrongs := self.wrongs():
            assert passed_s < limit_s, f"not well after {passed_s} s: {wrongs}; told: {self.seen()}"
            self.step(1.0, trading=trading)
            passed_s += 1.0
        self.patience_s = NORMAL_S
        return passed_s

    def check(self) -> None:
        """Hold everything that was told since the beginning against what the venue did; trade and order as before.

        Raises:
            AssertionError: with all that is wrong.
        """
        self.hit_ours(100)
        self.pass_s(2)
        later = self.place()
        self.pass_s(1)
        grown = self._grown()
        wrong = [
            *grown,
            *self.wrongs(),
            *self.judge.wrong,
            *self._missing_prints(),
            *self.orders_wrong(),
            *([] if self.heard.reports(later) else ["the order after recovery is not heard of"]),
        ]
        assert wrong == [], wrong

    def record(self, section: str, fault: str, recovered_s: float, bound_s: float, *, by_ccxt: bool = False) -> None:
        """Write or compare the row of the document."""
        product = ("spot" if self.side == "spot" else "USD-M") + (", by ccxt" if by_ccxt else "")
        record(section, FaultRow(fault, product, self.seen(), recovered_s, bound_s))

    # --- what others and we do --------------------------------------------------------------------------------------

    def pulse(self) -> None:
        """Let others trade once in each instrument and change its book."""
        self._pulses += 1
        for instrument in (self.spot, self.contract):
            self.rest(Side.SELL, 10_100 + self._pulses % 5, 100 + self._pulses % 3, instrument)
            self.take(Side.BUY, 100, instrument)
        self._old.append(self.rest(Side.BUY, 9_790 - self._pulses % 13, 300 + self._pulses % 7))
        if len(self._old) > 5:
            self.withdraw(self._old.pop(0))

    def hit_ours(self, quantity: int) -> None:
        """Let somebody else fill a part of our resting order, in thousandths."""
        self.take(Side.SELL, quantity)
        self.taken += quantity

    def place(self, **changes: Any) -> str:
        """Send a bid of ours that rests at the top of the book, and let its answer come."""
        order = self.order(quantity=5_000, price=9_950, **changes)
        self._sent.append(order.order_id)
        self.adapter.send_order(order)
        self._arrive()
        return order.order_id

    def wait_for_port(self) -> None:
        """Let time pass until a server that restarts listens again."""
        for _ in range(20):
            if self.server.call(lambda server: server._doors._restarting is None or server._doors._restarting.done()):
                return
            self.step(0.5)
        raise AssertionError("the server does not come back")

    def give_up_twice(self) -> None:
        """Let the adapter give its market connection up, and the next one too while it is being dialled."""

        async def give_up() -> None:
            session = self._session()
            exchange = session.door.exchange
            url = next(url for url, client in exchange.clients.items() if client.is_market)
            await session.kick(url, "a test wants it")
            dialling = lambda: getattr(exchange.clients.get(url), "connecting", False)  # noqa: E731
            await _at_most(5 * NORMAL_S, dialling)
            await session.kick(url, "a test wants it again")

        giving_up = self._session().bridge.submit(give_up())
        self.patience_s = FAULTY_S
        self.pass_s(3)
        giving_up.result(5 * NORMAL_S)

    # --- judgement --------------------------------------------------------------------------------------------------

    def wrongs(self) -> list[str]:
        """Return what is not as it should be now; nothing when all is well."""
        states = self.heard.states()
        if not states or states[-1] is not AdapterState.READY:
            return [f"the adapter is {states[-1:]}"]
        served = self._served()
        found = [] if not self._streams or served == self._streams else [f"streams: {served}, not {self._streams}"]
        for instrument in (self.spot, self.contract):
            name = instrument.instrument_id
            book, (update_id, _) = self.adapter.get_order_book_from_websocket(name), self.memory.now(name)
            if book is None or book.update_id != update_id:
                found.append(f"book of {name}: {book and book.update_id}, the venue's is {update_id}")
        return found

    def _judge_news(self) -> None:
        """Judge what was told since the last time, in order, and the books in memory."""
        self.memory.look()
        events = self.heard.events(self._judged)
        self._judged += len(events)
        for event in events:
            if isinstance(event, BookStateChanged) and event.state is not BookState.LIVE:
                self.judge.break_chain(event.instrument_id)
            elif isinstance(event, DepthData):
                full = self._is_whole(event)
                self.judge.hear_depth(event, full=full)
            elif isinstance(event, DepthChange):
                self.judge.hear_change(event)
            elif isinstance(event, TickData):
                self.judge.hear_tick(event)
        for name in self.memory.books:
            book = self.adapter.get_order_book_from_websocket(name)
            if book is not None:
                sides = (tuple((float(p), float(q)) for p, q in side) for side in (book.bids, book.asks))
                self.judge.judge("the book in memory", name, book.update_id, tuple(sides))  # type: ignore[arg-type]

    def _is_whole(self, depth: DepthData) -> bool:
        true = self.memory.books[depth.instrument_id].get(depth.update_id)
        return true is not None and (len(depth.bids), len(depth.asks)) == (len(true[0]), len(true[1]))

    def _due_prints(self) -> Iterator[tuple[str, str]]:
        for name, seen in self.memory.prints.items():
            yield from ((name, trade_id) for trade_id in list(seen)[self._first_print.get(name, 0) :])

    def _heard_prints(self) -> Counter[tuple[str, str]]:
        return Counter((trade.instrument_id, trade.trade_id) for trade in self.heard.of(MarketTrade))

    def _missing_prints(self) -> list[str]:
        """Return prints that were told twice, told wrongly, or neither told nor counted in a gap."""
        heard = self._heard_prints()
        found = [f"print {key} was told {times} times" for key, times in heard.items() if times > 1]
        for trade in self.heard.of(MarketTrade):
            true = self.memory.prints[trade.instrument_id].get(trade.trade_id)
            if true is not None and true != (trade.price, trade.size):
                found.append(f"print {trade} is not the venue's {true}")
        for name in self.memory.prints:
            missing = [key for key in self._due_prints() if key[0] == name and key not in heard]
            told = sum(gap.count for gap in self.heard.of(Gap) if gap.instrument_id == name)
            if len(missing) != told:
                found.append(f"{name}: {len(missing)} prints are missing {missing[:5]}, gaps tell of {told}")
        return found

    def filled_of_open(self) -> dict[str, float]:
        orders = self.server.call(lambda server: server.host.venue.open_orders(self.account))
        return {order.client_order_id: self.spot.quantity(order.filled) for order in orders}

    def _grown(self) -> list[str]:
        """Return what there is more of than before; what waits for something by the clock is given its time."""
        for _ in range(LATE_S):
            more = self._running(self._tasks) - self._tasks
            if not more:
                return []
            self.step(1.0)
        return [f"more than before: {dict(more)}"]

    def _server_settings(self) -> ServerSettings:
        return msgspec.structs.replace(super()._server_settings(), surface=self._surface)
