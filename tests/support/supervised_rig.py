"""A line with real threads under a supervisor: engine, durable journal, a simulated account, prices from a venue nobody serves."""

import ctypes
import gc
import threading
from collections.abc import Callable
from pathlib import Path

from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.app.part_halts import PartHalts
from foxtrot.app.supervision import Supervisor
from foxtrot.core.clock import SystemClock
from foxtrot.core.event_engine import EventEngine
from foxtrot.core.heartbeat import PartRegistry
from foxtrot.core.notices import AccountReconciled
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import AdapterState
from foxtrot.storage.durable_journal import DurableJournal
from foxtrot.strategy.line import Line, LineSettings
from tests.support.waiting import wait_until

PAPER, PRICES = "paper", "prices"


class Poke:
    """An event that lets the engine's thread run."""


class SupervisedRig:
    """Started when made; `look` is the main thread's."""

    def __init__(self, folder: Path, silent_s: float = 2.0) -> None:
        self.clock = SystemClock()
        self.permit = SendPermit()
        self.events = EventEngine(self.clock)
        # An exception that is sent into a thread may come up in one of these, Hypothesis's clock among them, and be swallowed there.
        self._gc_callbacks = gc.callbacks[:]
        gc.callbacks.clear()
        self.journal = DurableJournal(folder / "journal.db", self.events, self.clock)
        self.line = Line(
            self.events.dispatcher, self.permit, LineSettings(run_id="run0000001"), self.events, lambda _: self.journal
        )
        self.heard: list[object] = []
        self.events.dispatcher.add_tap(lambda _, event: self.heard.append(event))
        shared: dict[str, object] = {}
        quiet = {"instruments": "BTCUSDT.BINANCE", "agents": 0}
        paper = AdapterContext(PAPER, self.events, self.permit, self.clock, quiet, shared)
        prices = AdapterContext(PRICES, self.events, self.permit, self.clock, {"port": 1}, shared, "loopback")
        for adapter in (SimulatedAdapter(paper), BinanceAdapter(prices)):
            self.line.add_adapter(adapter)
        self.halts = PartHalts(self.line)
        self.registry = PartRegistry()
        self.supervisor = Supervisor(self.events, self.line, self.permit, self.registry, silent_s)
        self.lines: list[str] = []
        self._sink = logger.add(
            lambda message: self.lines.append(str(message)), level="INFO", format="{level} {message}"
        )
        self.events.start()
        for adapter in self.line.adapters.values():
            adapter.connect()
        wait_until(lambda: self.paper.state is AdapterState.READY)
        self.supervisor.start()

    @property
    def paper(self) -> BaseAdapter:
        return self.line.adapters[PAPER]

    @property
    def prices(self) -> BinanceAdapter:
        found = self.line.adapters[PRICES]
        assert isinstance(found, BinanceAdapter)
        return found

    def sends(self, *, reduces: bool = False) -> bool:
        return self.permit.send(lambda: None, reduces=reduces)

    def reconcile(self, account: str = PAPER, cause: str = "as asked", error: str = "") -> None:
        """Say what a reconciler says, and wait until it is heard."""
        told = AccountReconciled(account, cause, 0, error, self.clock.now_ns())
        self.events.put(told)
        wait_until(lambda: told in self.heard)
        self.settle()

    def settle(self) -> None:
        """Wait until the engine has handled everything that was put so far."""
        poke = Poke()
        self.events.put(poke)
        wait_until(lambda: poke in self.heard)

    def look_until(self, condition: Callable[[], bool], deadline_s: float = 10.0) -> None:
        def looked() -> bool:
            self.supervisor.look()
            return condition()

        wait_until(looked, deadline_s)

    def state_of(self, part: str) -> str:
        return next(state.state for state in self.supervisor.states if state.name == part)

    def kill(self, part: str) -> None:
        """Let a part end as silently as one can: SystemExit in its thread, or its task cancelled."""
        found = next(one for one in self.registry.parts() if one.name == part)
        ident = found.thread()
        if ident is None:
            session = self.prices.session
            wait_until(lambda: session._life.task is not None)
            session.call_soon(session._life.task.cancel)  # type: ignore[union-attr]
            return
        gc.disable()  # or the exception may come up in a callback of the collector, which swallows it, and the thread lives on
        try:
            assert ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(ident), ctypes.py_object(SystemExit)) == 1
            if part == self.events.name:
                self.events.put(Poke())
            wait_until(lambda: ident not in {thread.ident for thread in threading.enumerate()})
        finally:
            gc.enable()

    def close(self) -> None:
        self.supervisor.stop()
        logger.remove(self._sink)
        for adapter in self.line.adapters.values():
            adapter.close(0.5)
        self.events.stop(0.5)
        self.journal.close(0.5)
        gc.callbacks.extend(self._gc_callbacks)
