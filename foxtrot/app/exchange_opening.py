"""What the embedded exchange holds when it opens: what was saved, instruments, accounts, trading agents, a recorded market."""

from collections.abc import Mapping

from foxtrot.app.exchange_config import VENUES, ExchangeConfig
from foxtrot.app.exchange_feed import RecordedFeed
from foxtrot.app.exchange_store import VENUE_FILE, ExchangeStore
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, InputError
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.agents.fair_value import FairValue
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount
from foxtrot.exchange.dated_listings import activity_shares, ib_listings, opening_prices
from foxtrot.exchange.market_maker import Population
from foxtrot.exchange.past import HOUR_NS
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import IB, AccountSetup
from foxtrot.exchange.serving.venue_host import served_products


class VenueOpening:
    """Puts instruments, accounts and other traders into a server's venue before it starts.

    Thread: main.
    """

    def __init__(self, server: ExchangeServer, config: ExchangeConfig) -> None:
        self._host = server.host
        self._config = config
        served = served_products(server.settings.ports)
        dated = ib_listings(self._host.now_ns()) if IB in served else ()
        prices = opening_prices(dated)
        listed = {one.instrument_id: (one, prices[one.instrument_id]) for one in dated} | config.listings()
        self._listings = {name: row for name, row in listed.items() if not set(served).isdisjoint(VENUES[row[0].venue])}

    def open(
        self, accounts: tuple[AccountSetup, ...], store: ExchangeStore | None, replayed: RecordedFeed | None
    ) -> None:
        """Take up what was saved, then add what is missing.

        Raises:
            ConfigError: the saved venue cannot be read, or the venue refuses an instrument or a balance.
        """
        host = self._host
        saved = None if store is None else store.snapshot()
        if saved is not None:
            try:
                host.restore(saved)
            except InputError as error:
                raise ConfigError(f"--data: {VENUE_FILE}: {error}; name another folder, or remove the file") from None
        instruments = {name: one for name, (one, _) in self._listings.items()}
        if replayed is not None:
            instruments[replayed.instrument.instrument_id] = replayed.instrument
        known = {one.instrument_id for one in host.venue.instruments()}
        now_ns = host.now_ns()
        has_past = saved is None and replayed is None and self._config.exchange.agents > 0
        begin_ns = now_ns - int(self._config.exchange.past_hours * HOUR_NS) if has_past else now_ns
        for name, instrument in instruments.items():
            if name not in known:
                self._list(instrument, begin_ns)
        values = self._play_past(instruments, (begin_ns, now_ns)) if begin_ns < now_ns else {}
        for account in accounts:
            host.add_account(account)
        if replayed is not None:
            del instruments[replayed.instrument.instrument_id]
            host.feeds.append(replayed)
        self._populate(instruments, values)

    def _play_past(self, instruments: dict[str, Instrument], span: tuple[int, int]) -> Mapping[str, FairValue]:
        traded = tuple(instruments.values())
        prices = {name: self._listings[name][1] for name in instruments}
        return self._host.play_past((traded, prices, activity_shares(traded)), self._config.exchange.seed, span)

    def _list(self, instrument: Instrument, since_ns: int) -> None:
        fees = self._config.fee_schedule(instrument)
        mode = "received" if instrument.product in (Product.SPOT, Product.PERPETUAL) else "quote"
        result = self._host.execute(AddInstrument(since_ns, instrument, fees=fees, fee_asset_mode=mode))
        if not result.ok:
            raise ConfigError(f"instrument {instrument.instrument_id} cannot be listed: {result.message}")

    def _populate(self, instruments: dict[str, Instrument], values: Mapping[str, FairValue]) -> None:
        """Bring in the trading agents; they begin at the last price there was, and who was there before has his money."""
        host, told = self._host, self._config.exchange
        if not told.agents or not instruments:
            return
        prices = {}
        for name, instrument in instruments.items():
            last = host.venue.ticker(name).last_price
            prices[name] = instrument.price_grid.to_decimal(last) if last else self._listings[name][1]
        traded = tuple(instruments.values())
        shares = activity_shares(traded)
        people = Population(traded, prices, agents=told.agents, seed=told.seed, shares=shares, values=values)
        there = set(host.venue.accounts())
        for command in people.opening(host.now_ns()):
            if isinstance(command, OpenAccount | Deposit) and command.account not in there:
                host.execute(command)
        host.traders.update(people.account_kinds)
        host.feeds.append(lambda now_ns: people.act(host.venue, now_ns))
