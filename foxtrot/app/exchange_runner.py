"""Runs the embedded exchange as a server: made from its configuration, told where it listens, saved as it goes."""

import os
from collections import Counter
from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.app.exchange_config import VENUES, ExchangeConfig, account_setup
from foxtrot.app.exchange_feed import RecordedFeed
from foxtrot.app.exchange_opening import VenueOpening
from foxtrot.app.exchange_saving import VenueSaving
from foxtrot.app.exchange_store import ExchangeStore
from foxtrot.app.port_file import PortAccount, PortFacts, PortFile
from foxtrot.app.recording import read_recording
from foxtrot.app.stop_signals import StopSignal
from foxtrot.app.verbs.history_arguments import HistoryFile
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.exchange.events import OrderAccepted, OrderFilled, OrderRejected, TradePrinted, VenueEvent
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import FUTU, IB, ServerPorts, ServerSettings
from foxtrot.exchange.serving.venue_host import served_products
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.futu.surface_settings import DEMO_PASSWORD, FutuSettings
from foxtrot.exchange.wire.ib.surface_settings import IbSettings

Json = dict[str, object]
LOOK_S = 1.0
STOP_DEADLINE_S = 10.0
_COUNTED = {OrderAccepted: "orders", OrderRejected: "rejected", OrderFilled: "fills"}


class ExchangeOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the command line asks for beside the configuration."""

    ports: ServerPorts
    port_file: Path
    data: Path | None = None
    replay: HistoryFile | None = None
    speed: float = 1.0


class ExchangeRun:
    """One run of the exchange.

    Thread: main.

    Args:
        config: accounts, instruments, fees, behaviour.
        options: ports and files.

    Raises:
        ConfigError: something of it cannot be; nothing runs yet.
    """

    def __init__(self, config: ExchangeConfig, options: ExchangeOptions) -> None:
        self._options = options
        self._port_file = PortFile(options.port_file)
        self._told: PortFacts | None = None
        self._store = None if options.data is None else ExchangeStore(options.data)
        accounts = config.accounts if self._store is None else self._store.with_keys(config.accounts)
        served = served_products(options.ports)
        self._accounts = tuple(account_setup(name, account, served) for name, account in accounts.items())
        self._counts: Counter[str] = Counter(dict.fromkeys((*_COUNTED.values(), "prints"), 0))
        self._names = {account.name for account in self._accounts}
        surface = SurfaceSettings(
            limits=config.exchange.limits,
            legacy_listen_key=config.exchange.legacy_listen_key,
            strict_routing=config.exchange.strict_routing,
        )
        settings = ServerSettings(
            ports=options.ports,
            instruments=(),
            agents=0,
            surface=surface,
            futu=_futu_settings(config),
            ib=_ib_settings(config),
        )
        self._replayed = None if options.replay is None else _replay(config, options, options.replay)
        self.server = ExchangeServer(settings)
        self._started_ns = self.server.clock.monotonic_ns()
        VenueOpening(self.server, config).open(self._accounts, self._store, self._replayed)
        self._names |= self.server.host.accounts_of_others
        for number, fault in enumerate(config.faults, 1):  # after the accounts that they may name
            if error := self.server.faults.arm(fault).error:
                raise ConfigError(f"fault {number}: {fault.kind}: {error}")
        self._saving = None if self._store is None else VenueSaving(self.server, self._store, self._names)
        hearers = (self._count,) if self._saving is None else (self._count, self._saving.hear)
        self.server.host.observers = (*self.server.host.observers, *hearers)

    def run(self, stopped: StopSignal) -> Json:
        """Serve until the stop is asked for; returns what happened.

        Blocks: until then, and for the end of the server.

        Raises:
            ConfigError: a port is taken, or a file cannot be written.
            FoxtrotError: the server ended by itself.
        """
        try:
            self._save_keys()
            self.server.start()
            self._write_ports()
            self._tell()
            while not stopped.wait(LOOK_S):
                self._look()
        finally:
            self._port_file.remove()
            overran = self.server.stop(STOP_DEADLINE_S)
        if overran:
            raise FoxtrotError(f"thread {overran} did not end within {STOP_DEADLINE_S:.0f} s")
        return self._summary(None if self._saving is None else self._saving.save_at_end())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _look(self) -> None:
        """Do what the main thread has to do once a second."""
        if not self.server.is_running:
            raise FoxtrotError("the exchange's thread ended by itself; the log says why")
        self._write_ports()
        if self._saving is not None:
            self._saving.save_if_due()

    def _write_ports(self) -> None:
        """Write the port file; again when a port moved, which a restart does when somebody else took it meanwhile."""
        facts = self._facts()
        if facts != self._told:
            self._port_file.write(facts)
            self._told = facts

    def _facts(self) -> PortFacts:
        ca_file = self.server.ca_file
        return PortFacts(
            pid=os.getpid(),
            ca_file=None if ca_file is None else str(ca_file),
            accounts=tuple(
                PortAccount(account.name, key.api_key, key.secret or None)
                for account in self._accounts
                for key in account.keys
            ),
            control_token=msgspec.UNSET if self.server.ports.get("control") is None else self.server.control_token,
            **self.server.ports,
        )

    def _tell(self) -> None:
        listening = ", ".join(
            f"{name} {_address(name, port)}" for name, port in self.server.ports.items() if port is not None
        )
        names = ", ".join(sorted(account.name for account in self._accounts))
        logger.info("exchange: {}; keys of {} in {}", listening, names, self._port_file.path)

    def _count(self, event: VenueEvent) -> None:
        kind = type(event)
        if kind is TradePrinted:
            self._counts["prints"] += 1
        elif kind in _COUNTED and getattr(event, "account", "") in self._names:
            self._counts[_COUNTED[kind]] += 1

    def _save_keys(self) -> None:
        """Keep the keys before anybody uses them."""
        if self._store is not None:
            keys = [key for account in self._accounts for key in account.keys]
            self._store.save_keys({key.account: (key.api_key, key.secret) for key in keys})

    def _summary(self, saved: str | None) -> Json:
        host, clock = self.server.host, self.server.clock
        return {
            "seconds": round((clock.monotonic_ns() - self._started_ns) / 1e9, 3),
            **self._counts,
            "open_orders": sum(len(host.venue.open_orders(name)) for name in self._names),
            "accounts": sorted(account.name for account in self._accounts),
            "agents": len(host.traders),
            "replay": None if self._replayed is None else {**self._replayed.counters, "ended": self._replayed.ended},
            "saved": saved,
            "failures": list(self.server.failures),
        }


def _address(name: str, port: int) -> str:
    if name in (FUTU, IB):
        return f"127.0.0.1:{port}"
    return f"{'https' if name.endswith('_tls') else 'http'}://127.0.0.1:{port}"


def _futu_settings(config: ExchangeConfig) -> FutuSettings:
    told = config.futu
    return FutuSettings(
        always_open=told.always_open,
        limits=told.limits,
        password=told.trade_password or DEMO_PASSWORD,
        rsa_key=told.rsa_key,
    )


def _ib_settings(config: ExchangeConfig) -> IbSettings:
    told = config.ib
    return IbSettings(
        newest_version=told.newest_version,
        always_open=told.always_open,
        limits=told.limits,
        read_only=told.read_only,
        has_quotes=told.has_quotes,
        fees=told.fees,
        refuses_old_attributes=told.refuses_old_attributes,
        depth_lines=told.depth_lines,
        delay_s=told.delay_s,
    )


def _replay(config: ExchangeConfig, options: ExchangeOptions, file: HistoryFile) -> RecordedFeed:
    listed = {name: one for name, (one, _) in config.listings().items()}
    recording, instrument = read_recording(file, listed)
    product = VENUES[instrument.venue][0]
    if product not in served_products(options.ports):
        raise ConfigError(f"--replay is of {instrument.instrument_id}; serve it with --binance-{product} 0")
    for warning in recording.warnings:
        logger.warning("replay: {}", warning)
    return RecordedFeed(recording, instrument, options.speed)
