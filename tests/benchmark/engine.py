"""The engine beside vn.py's: throughput, bursts, control events behind a backlog, and the cost of a tick."""

import statistics
import sys
import threading
import time
import tracemalloc
from collections.abc import Callable

from foxtrot.core.commands import CancelOrder
from foxtrot.core.event_engine import EventEngine
from foxtrot.domain.market import TickData
from tests.benchmark.harness import Row, Sample, peer_or_none

EVENTS = 100_000
BURSTS = 20
BURST = 1_000
TICKS = 20_000
PEER = "vn.py 4.5"
READY_MADE = (
    "Throughput, bursts and backlog measure the queue alone: TickData and the peer's Event objects are made beforehand. "
    "One producer thread, one handler of the class and one of every class; counters, lag samples, stopwatch, back-pressure "
    "and isolation are on."
)
BY_PROCESSOR = (
    "By processor time the wait for a busy machine does not count, nor do the peer's threads' waits for each other's lock, "
    "which are most of its time: compare on the wall, on a quiet machine."
)
BUILT = "A tick with all its fields given: ours by position, the peer's by keyword, as their adapters do."


def ready_ticks(count: int) -> list[TickData]:
    """Ticks made beforehand."""
    return [TickData("BTCUSDT.BINANCE", number, number, 1.0, 2.0, 3.0, 4.0) for number in range(count)]


class Listeners:
    """One handler that notes when the last event came, and one that does nothing: the least that can be measured."""

    def __init__(self, last: object) -> None:
        self.last = last
        self.done = threading.Event()

    def typed(self, event: object) -> None:
        """Notice the last event."""
        if event is self.last:
            self.done.set()

    def general(self, _event: object) -> None:
        """Hear and do nothing."""


def seconds_for(
    timer: Callable[[], float], put: Callable[[object], None], events: list[object], done: threading.Event
) -> float:
    """Put all, wait until the last is handled, and return what that took on a timer."""
    began = timer()
    for event in events:
        put(event)
    done.wait(60)
    return timer() - began


def our_throughput(timer: Callable[[], float]) -> float:
    """Events a second through our engine, by the clock on the wall or by the processor's."""
    events: list[object] = list(ready_ticks(EVENTS))
    engine, listeners = EventEngine(high_water=2 * EVENTS), Listeners(events[-1])
    engine.dispatcher.subscribe(TickData, listeners.typed, owner="typed")
    engine.dispatcher.subscribe(object, listeners.general, owner="general")
    engine.start()
    seconds = seconds_for(timer, engine.put, events, listeners.done)
    engine.stop()
    return EVENTS / seconds


def peer_throughput(timer: Callable[[], float]) -> Sample:
    """The same through the peer's."""
    from vnpy.event import Event

    def sample() -> float:
        events: list[object] = [Event("eTick.BTC", number) for number in range(EVENTS)]
        listeners = Listeners(events[-1])
        engine, _ = peer_engine(listeners.typed, listeners.general)
        try:
            return EVENTS / seconds_for(timer, engine.put, events, listeners.done)
        finally:
            stop_peer(engine)

    return sample


def peer_engine(typed: Callable[[object], None], general: Callable[[object], None]):  # type: ignore[no-untyped-def]
    """A running engine of the peer, without its timer thread, which has no part in this and takes a second to stop."""
    from vnpy.event import Event
    from vnpy.event import EventEngine as PeerEngine

    engine = PeerEngine()
    engine.register("eTick.BTC", typed)
    engine.register_general(general)
    engine._active = True
    engine._thread.start()
    return engine, Event


def stop_peer(engine) -> None:  # type: ignore[no-untyped-def]
    """End the peer's thread."""
    engine._active = False
    engine._thread.join()


class BurstTimes:
    """Notes when each event of a burst was put and handled; the waits are worked out afterwards."""

    def __init__(self, events: list[object]) -> None:
        self.events = events
        self.put_s: list[float] = []
        self.handled_s: list[float] = []
        self.done = threading.Event()

    def typed(self, event: object) -> None:
        """Note the time, and the end of the burst."""
        self.handled_s.append(time.perf_counter())
        if event is self.events[-1]:
            self.done.set()

    def general(self, _event: object) -> None:
        """Hear and do nothing."""

    def run(self, put: Callable[[object], None]) -> float:
        """Put bursts with pauses between; return the median of their 99th percentiles, microseconds."""
        pause, note, now = threading.Event(), self.put_s.append, time.perf_counter
        for _ in range(BURSTS):
            self.done.clear()
            pause.wait(0.02)
            for event in self.events:
                note(now())
                put(event)
            self.done.wait(10)
        waits = [after - before for before, after in zip(self.put_s, self.handled_s, strict=True)]
        bursts = [sorted(waits[start : start + BURST]) for start in range(0, len(waits), BURST)]
        return statistics.median(burst[int(0.99 * BURST)] for burst in bursts) * 1e6


def our_burst() -> float:
    """99th percentile of the wait within a burst, microseconds."""
    engine, times = EventEngine(), BurstTimes(list(ready_ticks(BURST)))
    engine.dispatcher.subscribe(TickData, times.typed, owner="typed")
    engine.dispatcher.subscribe(object, times.general, owner="general")
    engine.start()
    result = times.run(engine.put)
    engine.stop()
    return result


def peer_burst() -> Sample:
    """The same through the peer's."""
    from vnpy.event import Event

    def sample() -> float:
        times = BurstTimes([Event("eTick.BTC", number) for number in range(BURST)])
        engine, _ = peer_engine(times.typed, times.general)
        try:
            return times.run(engine.put)
        finally:
            stop_peer(engine)

    return sample


def our_control_wait() -> float:
    """How long control events put behind at least 100,000 queued ticks wait, milliseconds: 99th percentile."""
    waits: list[float] = []
    engine, answered, pause = EventEngine(high_water=4 * EVENTS), threading.Event(), threading.Event()
    engine.dispatcher.subscribe(TickData, lambda _event: None, owner="typed")
    engine.dispatcher.subscribe(object, lambda _event: None, owner="general")

    def on_cancel(command: CancelOrder) -> None:
        waits.append((time.perf_counter() - float(command.order_id)) * 1e3)
        answered.set()

    engine.dispatcher.subscribe(CancelOrder, on_cancel, owner="desk")
    for tick in ready_ticks(3 * EVENTS):
        engine.put(tick)
    engine.start()
    while engine.depth > EVENTS:
        answered.clear()
        engine.put(CancelOrder(str(time.perf_counter())))
        answered.wait(10)
        pause.wait(0.0002)
    engine.stop(60)
    return sorted(waits)[int(0.99 * len(waits))]


def peer_control_wait() -> Sample:
    """How long an order event put behind 100,000 ticks waits in the peer's one queue, milliseconds."""
    from vnpy.event import Event

    def sample() -> float:
        waits: list[float] = []
        answered = threading.Event()

        def on_order(event: Event) -> None:
            waits.append((time.perf_counter() - event.data) * 1e3)
            answered.set()

        engine, event_type = peer_engine(lambda _event: None, lambda _event: None)
        engine.register("eOrder", on_order)
        for number in range(EVENTS):
            engine.put(event_type("eTick.BTC", number))
        engine.put(event_type("eOrder", time.perf_counter()))
        answered.wait(60)
        stop_peer(engine)
        return waits[0]

    return sample


def our_tick(number: int) -> TickData:
    """A tick with every field, by position."""
    at = number * 1_000_000
    price = 100.0 + number % 7
    return TickData(
        "BTCUSDT.BINANCE", at, at + 5_000, price, 1.5, price + 0.1, 2.5, price, 0.25, 1e3, 1e5, 99.0, 110.0, 90.0, 98.0, 0.0, price,
    )  # fmt: skip


def peer_tick_maker() -> Callable[[int], object]:
    """The peer's tick with the same content."""
    from datetime import UTC, datetime

    from vnpy.trader.constant import Exchange
    from vnpy.trader.object import TickData as PeerTick

    moment = datetime(2026, 1, 1, tzinfo=UTC)

    def make(number: int) -> object:
        price = 100.0 + number % 7
        return PeerTick(
            gateway_name="BINANCE", symbol="BTCUSDT", exchange=Exchange.GLOBAL, datetime=moment, localtime=moment,
            volume=1e3, turnover=1e5, open_interest=0.0, last_price=price, last_volume=0.25, open_price=99.0,
            high_price=110.0, low_price=90.0, pre_close=98.0, bid_price_1=price, bid_volume_1=1.5,
            ask_price_1=price + 0.1, ask_volume_1=2.5,
        )  # fmt: skip

    return make


def ticks_per_second(make: Callable[[int], object]) -> float:
    """How many ticks are made and kept in a second."""
    began = time.perf_counter()
    kept = [make(number) for number in range(TICKS)]
    seconds = time.perf_counter() - began
    return len(kept) / seconds


def bytes_per_tick(make: Callable[[int], object]) -> float:
    """How much memory a kept tick takes, with the values it alone holds."""
    kept: list[object] = [None] * 2_000
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for number in range(len(kept)):
        kept[number] = make(number)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return (after - before) / len(kept)


def peer_making(measure: Callable[[Callable[[int], object]], float]) -> Sample:
    """A measure of the peer's tick."""
    make = peer_tick_maker()
    return lambda: measure(make)


def rows() -> list[Row]:
    """The rows of this benchmark."""
    sys.setswitchinterval(0.005)
    return [
        Row(
            name="events through the engine",
            unit="events/s",
            ours=lambda: our_throughput(time.perf_counter),
            peer=peer_or_none(lambda: peer_throughput(time.perf_counter)),
            peer_name=PEER,
            repeats=15,
            goal=6.0,
            note=READY_MADE,
        ),
        Row(
            name="the same by processor time",
            unit="events/s",
            ours=lambda: our_throughput(time.process_time),
            peer=peer_or_none(lambda: peer_throughput(time.process_time)),
            peer_name=PEER,
            note=BY_PROCESSOR,
        ),
        Row(name="burst of 1000, p99 put to handler", unit="µs", ours=our_burst, peer=peer_or_none(peer_burst),
            peer_name=PEER, repeats=7, higher_is_better=False, goal=3.0),
        Row(name="control event behind 100,000 ticks, p99", unit="ms", ours=our_control_wait,
            peer=peer_or_none(peer_control_wait), peer_name=PEER, repeats=5, higher_is_better=False, limit=1.0),
        Row(name="tick construction", unit="ticks/s", ours=lambda: ticks_per_second(our_tick),
            peer=peer_or_none(lambda: peer_making(ticks_per_second)), peer_name=PEER, goal=6.0, note=BUILT),
        Row(name="memory of a tick", unit="bytes", ours=lambda: bytes_per_tick(our_tick),
            peer=peer_or_none(lambda: peer_making(bytes_per_tick)), peer_name=PEER, repeats=3,
            higher_is_better=False, goal=4.0),
    ]  # fmt: skip
