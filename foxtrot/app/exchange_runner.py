"""Runs the embedded exchange as a server: made from its configuration, told where it listens, saved at the end."""

import os
from collections import Counter
from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.app.exchange_config import VENUES, ExchangeConfig, account_setup
from foxtrot.app.exchange_feed import RecordedFeed
from foxtrot.app.exchange_store import ExchangeStore
from foxtrot.app.port_file import PortAccount, PortFacts, PortFile
from foxtrot.app.recording import read_recording
from foxtrot.app.stop_signals import StopSignal
from foxtrot.app.verbs.history_arguments import HistoryFile
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import AddInstrument, CancelAll, Deposit, OpenAccount
from foxtrot.exchange.events import OrderAccepted, OrderFilled, OrderRejected, TradePrinted, VenueEvent
from foxtrot.exchange.market_maker import Population
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.serving.venue_host import served_products
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings

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
        self._store = None if options.data is None else ExchangeStore(options.data)
        accounts = config.accounts if self._store is None else self._store.with_keys(config.accounts)
        self._accounts = tuple(account_setup(name, account) for name, account in accounts.items())
        self._counts: Counter[str] = Counter(dict.fromkeys((*_COUNTED.values(), "prints"), 0))
        self._names = {account.name for account in self._accounts}
        surface = SurfaceSettings(
            limits=config.exchange.limits,
            legacy_listen_key=config.exchange.legacy_listen_key,
            strict_routing=config.exchange.strict_routing,
        )
        settings = ServerSettings(ports=options.ports, instruments=(), agents=0, surface=surface)
        self._replayed = None if options.replay is None else _replay(config, options, options.replay)
        self.server = ExchangeServer(settings)
        self._started_ns = self.server.clock.monotonic_ns()
        _Furnisher(self.server, config).furnish(self._accounts, self._store, self._replayed)
        for number, fault in enumerate(config.faults, 1):  # after the accounts that they may name
            if error := self.server.faults.arm(fault).error:
                raise ConfigError(f"fault {number}: {fault.kind}: {error}")
        self.server.host.observers = (*self.server.host.observers, self._count)

    def run(self, stopped: StopSignal) -> Json:
        """Serve until the stop is asked for; returns what happened.

        Blocks: until then, and for the end of the server.

        Raises:
            ConfigError: a port is taken, or a file cannot be written.
            FoxtrotError: the server ended by itself.
        """
        try:
            self.server.start()
            self._port_file.write(self._facts())
            self._tell()
            while not stopped.wait(LOOK_S):
                if not self.server.is_running:
                    raise FoxtrotError("the exchange's thread ended by itself; the log says why")
        finally:
            self._port_file.remove()
            overran = self.server.stop(STOP_DEADLINE_S)
        if overran:
            raise FoxtrotError(f"thread {overran} did not end within {STOP_DEADLINE_S:.0f} s")
        return self._summary(self._save())

    # --- inside -----------------------------------------------------------------------------------------------------

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
        scheme = {name: "https" if name.endswith("_tls") else "http" for name in self.server.ports}
        listening = ", ".join(
            f"{name} {scheme[name]}://127.0.0.1:{port}" for name, port in self.server.ports.items() if port is not None
        )
        logger.info("exchange: {}; keys of {} in {}", listening, ", ".join(sorted(self._names)), self._port_file.path)

    def _count(self, event: VenueEvent) -> None:
        kind = type(event)
        if kind is TradePrinted:
            self._counts["prints"] += 1
        elif kind in _COUNTED and getattr(event, "account", "") in self._names:
            self._counts[_COUNTED[kind]] += 1

    def _save(self) -> str | None:
        """Keep the venue without the orders of the trading agents, which would not know them again."""
        if self._store is None:
            return None
        host = self.server.host
        for trader in host.traders:
            host.execute(CancelAll(host.now_ns(), trader))
        self._store.save_keys(
            {key.account: (key.api_key, key.secret) for account in self._accounts for key in account.keys}
        )
        return str(self._store.save(host.venue.snapshot()))

    def _summary(self, saved: str | None) -> Json:
        host, clock = self.server.host, self.server.clock
        return {
            "seconds": round((clock.monotonic_ns() - self._started_ns) / 1e9, 3),
            **self._counts,
            "open_orders": sum(len(host.venue.open_orders(name)) for name in self._names),
            "accounts": sorted(self._names),
            "agents": len(host.traders),
            "replay": None if self._replayed is None else {**self._replayed.counters, "ended": self._replayed.ended},
            "saved": saved,
            "failures": list(self.server.failures),
        }


def _replay(config: ExchangeConfig, options: ExchangeOptions, file: HistoryFile) -> RecordedFeed:
    listed = {name: one for name, (one, _) in config.listings().items()}
    recording, instrument = read_recording(file, listed)
    product = VENUES[instrument.venue]
    if product not in served_products(options.ports):
        raise ConfigError(f"--replay is of {instrument.instrument_id}; serve it with --binance-{product} 0")
    for warning in recording.warnings:
        logger.warning("replay: {}", warning)
    return RecordedFeed(recording, instrument, options.speed)


class _Furnisher:
    """Puts instruments, accounts and other traders into a server's venue before it starts.

    Thread: main.
    """

    def __init__(self, server: ExchangeServer, config: ExchangeConfig) -> None:
        self._host = server.host
        self._config = config
        served = served_products(server.settings.ports)
        self._listings = {name: row for name, row in config.listings().items() if VENUES[row[0].venue] in served}

    def furnish(
        self, accounts: tuple[AccountSetup, ...], store: ExchangeStore | None, replayed: RecordedFeed | None
    ) -> None:
        """Take up what was saved, then add what is missing."""
        host = self._host
        saved = None if store is None else store.snapshot()
        if saved is not None:
            host.restore(saved)
        instruments = {name: one for name, (one, _) in self._listings.items()}
        if replayed is not None:
            instruments[replayed.instrument.instrument_id] = replayed.instrument
        known = {one.instrument_id for one in host.venue.instruments()}
        for name, instrument in instruments.items():
            if name not in known:
                self._list(instrument)
        for account in accounts:
            host.add_account(account)
        if replayed is not None:
            del instruments[replayed.instrument.instrument_id]
            host.feeds.append(replayed)
        self._populate(instruments)

    def _list(self, instrument: Instrument) -> None:
        fees = self._config.fee_schedule(instrument)
        result = self._host.execute(
            AddInstrument(self._host.now_ns(), instrument, fees=fees, fee_asset_mode="received")
        )
        if not result.ok:
            raise ConfigError(f"instrument {instrument.instrument_id} cannot be listed: {result.message}")

    def _populate(self, instruments: dict[str, Instrument]) -> None:
        """Bring in the trading agents; they begin at the last price there was, and who was there before has his money."""
        host, told = self._host, self._config.exchange
        if not told.agents or not instruments:
            return
        prices = {}
        for name, instrument in instruments.items():
            last = host.venue.ticker(name).last_price
            prices[name] = instrument.price_grid.to_decimal(last) if last else self._listings[name][1]
        people = Population(tuple(instruments.values()), prices, agents=told.agents, seed=told.seed)
        there = set(host.venue.accounts())
        for command in people.opening(host.now_ns()):
            if isinstance(command, OpenAccount | Deposit) and command.account not in there:
                host.execute(command)
        host.traders.update(people.account_kinds)
        host.feeds.append(lambda now_ns: people.act(host.venue, now_ns))
