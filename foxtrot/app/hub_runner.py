"""Runs a hub: adapters of a configuration, their books shared with other local programs, no order ever."""

import os
from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.config import Config
from foxtrot.app.config_places import placed
from foxtrot.app.hub_tables import hub_settings
from foxtrot.app.port_file import HubFacts, PortFile
from foxtrot.app.stop_signals import StopSignal
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.hub.server import HubServer

Json = dict[str, object]
STOP_DEADLINE_S = 5.0


class HubResult(msgspec.Struct, frozen=True):
    """What a run was, and whether it was of no use to anybody: everything that it offers is known not to be had."""

    summary: Json
    shared_nothing: bool


class HubRun:
    """One run of a hub.

    Its send permit is closed before anything starts, so that no account, live ones included, can send an order.

    Thread: main.

    Args:
        config: accounts, and what is offered of them.
        port_file: where to write the address once it accepts; None for nowhere.
        clock: the system's by default.

    Raises:
        ConfigError: something of it cannot be; nothing runs yet.
    """

    def __init__(self, config: Config, port_file: Path | None = None, clock: Clock | None = None) -> None:
        self.clock: Clock = clock or SystemClock()
        self._port_file = None if port_file is None else PortFile(port_file)
        try:
            settings = hub_settings(config.hub, config.accounts, os.environ)
        except ConfigError as error:
            raise placed(config, ("hub",), error) from error
        self.server = HubServer(settings, self.clock)
        permit = SendPermit()
        permit.close("a hub sends no orders")
        used = {offer.account for offer in settings.offers}
        made = AccountAdapters(config, self.server.inlet, permit, self.clock)
        self.adapters: dict[str, BaseAdapter] = {}
        for name in config.accounts:
            if name in used:
                self.adapters[name] = made.make(name)
                self.server.attach(self.adapters[name])

    def run(self, stopped: StopSignal, seconds: float | None = None) -> HubResult:
        """Share until the stop is asked for, or for some seconds; returns what happened.

        Blocks: until then, and for the end of hub and adapters.

        Raises:
            ConfigError: the port is taken, or the port file cannot be written.
            FoxtrotError: a thread did not end in time.
        """
        started_ns = self.clock.monotonic_ns()
        try:
            self.server.start()
            for adapter in self.adapters.values():
                adapter.connect()
            self._tell()
            stopped.wait(seconds)
            figures = self.server.figures()
        finally:
            overran = self._end()
        if overran:
            raise FoxtrotError(f"threads {', '.join(overran)} did not end within {STOP_DEADLINE_S:.0f} s")
        summary = {
            "seconds": round((self.clock.monotonic_ns() - started_ns) / 1e9, 3),
            "url": self.server.url,
            **msgspec.to_builtins(figures),
        }
        shared_nothing = not figures.shared and len(figures.missing) == len(figures.books)
        if shared_nothing:
            logger.error(
                "hub: nothing of what it offers could be shared: {}", "; ".join(dict.fromkeys(figures.missing.values()))
            )
        return HubResult(summary, shared_nothing)

    def _tell(self) -> None:
        names = ", ".join(offer.instrument_id for offer in self.server.settings.offers)
        page = self.server.url.replace("ws://", "http://").removesuffix("ws")
        logger.info("hub: {} shares {}; its page: {}", self.server.url, names, page)
        if self._port_file is not None:
            self._port_file.write(HubFacts(os.getpid(), self.server.port, self.server.url, page))

    def _end(self) -> list[str]:
        if self._port_file is not None:
            self._port_file.remove()
        late = [adapter.close(STOP_DEADLINE_S) for adapter in self.adapters.values()]
        late.append(self.server.stop(STOP_DEADLINE_S))
        return [name for name in late if name]
