"""Runs a hub: adapters of a configuration, their books shared with other local programs, no order ever."""

import os
from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter
from foxtrot.adapter.registry import make_adapter
from foxtrot.app.config import Config
from foxtrot.app.hub_tables import hub_settings
from foxtrot.app.port_file import HubFacts, PortFile
from foxtrot.app.secrets import plain_settings, secret_settings
from foxtrot.app.stop_signals import StopSignal
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import FoxtrotError
from foxtrot.hub.server import HubServer

Json = dict[str, object]
STOP_DEADLINE_S = 5.0


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
        settings = hub_settings(config.hub, config.accounts, os.environ)
        self.server = HubServer(settings, self.clock)
        permit = SendPermit()
        permit.close("a hub sends no orders")
        shared: dict[str, object] = {}
        used = {offer.account for offer in settings.offers}
        self.adapters: dict[str, BaseAdapter] = {}
        for name, account in config.accounts.items():
            if name not in used:
                continue
            context = AdapterContext(
                name,
                self.server.inlet,
                permit,
                self.clock,
                plain_settings(account.settings),
                shared,
                account.environment,
                account.position_mode,
                secret_settings(account.settings, os.environ),
            )
            self.adapters[name] = make_adapter(account.adapter, context)
            self.server.attach(self.adapters[name])

    def run(self, stopped: StopSignal, seconds: float | None = None) -> Json:
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
        return {
            "seconds": round((self.clock.monotonic_ns() - started_ns) / 1e9, 3),
            "url": self.server.url,
            **msgspec.to_builtins(figures),
        }

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
