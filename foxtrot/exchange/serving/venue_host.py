"""The venue as the server runs it: surfaces, feeds and observers around it, one operation after the other."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar

from foxtrot.core.clock import Clock
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.agents.fair_value import FairValue
from foxtrot.exchange.agents.living_value import living_values
from foxtrot.exchange.commands import AddInstrument, AdvanceTime, Deposit, OpenAccount, SetFeePlan, VenueCommand
from foxtrot.exchange.dated_listings import activity_shares, ib_listings, opening_prices
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.listings import REFERENCE_PRICES, default_listings
from foxtrot.exchange.market_maker import Population
from foxtrot.exchange.past import HOUR_NS, Past
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.server_settings import FUTU, IB, SPOT, USDM, AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.serving.surface_port import EventHearer, Surface
from foxtrot.exchange.update_ids import lower_update_ids
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.venue_side import SUFFIX, ApiKey, VenueSide
from foxtrot.exchange.wire.futu.futu_hours import HK, US
from foxtrot.exchange.wire.futu.venue_side import MARKETS, FutuSide
from foxtrot.exchange.wire.ib.ib_contract import CASH, FUT, OPT, VENUES, IbContract
from foxtrot.exchange.wire.ib.venue_side import IbSide

Feed = Callable[[int], tuple[VenueCommand, ...]]
"""What comes in from outside at a moment (UTC ns): commands to execute."""
Market = tuple[tuple[Instrument, ...], Mapping[str, Decimal], Mapping[str, FairValue]]
"""What is traded, where it begins, and what it is worth where there was a past."""
PastMarket = tuple[tuple[Instrument, ...], Mapping[str, Decimal], tuple[Decimal, ...]]
"""What is traded, where it begins, and which part of the activity each instrument gets, () for equal ones."""
SurfaceFactory = Callable[[VenueSide], Surface]
Result = TypeVar("Result")
PRODUCTS = {SPOT: Product.SPOT, USDM: Product.PERPETUAL}
_FEES = {
    SUFFIX[Product.SPOT]: "binance_spot",
    SUFFIX[Product.PERPETUAL]: "binance_usdm",
    **{venue: {HK: "futu_hk", US: "futu_us"}[market] for venue, market in MARKETS.items() if market in (HK, US)},
    "CME": "ib_us_futures",
    "IDEALPRO": "ib_forex",
    "OPRA": "ib_us_options",
}
FEELESS = ("SSE", "SZSE")
"""Venues of which no schedule is known here: what is traded through Hong Kong's connect costs nothing."""
_IB_FEES = {FUT: "ib_us_futures", CASH: "ib_forex", OPT: "ib_us_options"}
IB_PLAN = "ib"
"""The fee plan of accounts that IB's clients see: the same instrument costs them what IB charges."""


class VenueHost:
    """Owns the venue, its sides, their surfaces and everybody else who trades.

    Events are told to the surfaces when the operation that made them has returned, never in its middle.

    Thread: exchange-io; made before it starts.

    Args:
        settings: what is listed, who has accounts, which products are served.
        clock: the server's time; `skew_ns` is added to it.
        surface: makes the surface of a side.
    """

    def __init__(self, settings: ServerSettings, clock: Clock, surface: SurfaceFactory) -> None:
        self.clock = clock
        self.skew_ns = 0
        self.feeds: list[Feed] = []
        self.observers: tuple[Callable[[VenueEvent], None], ...] = ()
        self.traders: dict[str, str] = {}
        self.venue = Venue(self._hear)
        self._heard: list[VenueEvent] = []
        self._busy = False
        served = served_products(settings.ports)
        self.sides = {name: VenueSide(PRODUCTS[name], self.venue, self.now_ns) for name in served if name in PRODUCTS}
        self.futu = FutuSide(self.venue, self.now_ns, settings.futu) if FUTU in served else None
        self.ib = IbSide(self.venue, self.now_ns, settings.ib) if IB in served else None
        self.surfaces: dict[str, Surface] = {}
        self._hearers: dict[str, EventHearer] = {}
        self._open(settings)
        self.surfaces = {name: surface(side) for name, side in self.sides.items()}
        self._hearers.update(self.surfaces)

    def now_ns(self) -> int:
        """Return the server's time of day, its skew included."""
        return self.clock.now_ns() + self.skew_ns

    def run(self, operation: Callable[[], Result]) -> Result:
        """Do something with the venue, then tell the surfaces what happened."""
        if self._busy:
            return operation()
        self._busy = True
        try:
            return operation()
        finally:
            self._busy = False
            self._deliver()

    def execute(self, command: VenueCommand) -> CommandResult:
        """Give the venue one command."""
        return self.run(lambda: self.venue.execute(command))

    def pass_time(self) -> None:
        """Let time pass at the venue, and the feeds act."""
        now_ns = self.now_ns()
        self.run(lambda: self._pass_time(now_ns))

    def publish(self, product: str) -> None:
        """Let the surface of a product do what it has due."""
        now_ns, hearer = self.now_ns(), self._hearers[product]
        self.run(lambda: hearer.tick(now_ns))

    def join(self, product: str, hearer: EventHearer) -> None:
        """Let a surface of another protocol hear the venue, and be told when to publish."""
        self._hearers[product] = hearer

    def reload(self, lower_by: int = 0) -> None:
        """Replace the venue by one restored from its snapshot, as after a restart; update and order ids may come back lower."""
        snapshot = self.venue.snapshot()
        if self.ib is not None:
            self.ib.lower_order_ids(lower_by)
        self.restore(lower_update_ids(snapshot, lower_by) if lower_by else snapshot)

    def restore(self, snapshot: bytes) -> None:
        """Let the venue go on from a snapshot, in place: surfaces hold on to it.

        Raises:
            InputError: the bytes are not a snapshot of this version.
        """
        self.venue.take_up(snapshot)

    def play_past(self, market: PastMarket, seed: int, span: tuple[int, int]) -> Mapping[str, FairValue]:
        """Let a market live from one moment to another, both UTC ns, and return the values it goes on with; nobody is told of it.

        The instruments are listed since the first of them, and nothing has happened at the venue after it.
        """
        traded, prices, shares = market
        values = living_values(traded, prices, seed)
        Past(traded, values, self.venue.execute, seed, shares).play(*span)
        self._heard.clear()
        return values

    def add_account(self, account: AccountSetup) -> None:
        """Open an account (one that is open keeps what it has), fill it and let its keys trade.

        Raises:
            ConfigError: a key of another account, a product that is not known, an amount that cannot be paid in.
        """
        for key in account.keys:
            if key.account != account.name:
                raise ConfigError(f"account {account.name} has a key of account {key.account}; they must be the same")
            self._let_trade(key, account)
        is_new = self.execute(OpenAccount(self.now_ns(), account.name, account.position_mode)).ok
        if is_new:
            self._fill(account.name, account.balances)
        if self.futu is not None and FUTU in account.products:
            self._join_futu(self.futu, account, is_new=is_new)
        if self.ib is not None and IB in account.products:
            self._join_ib(self.ib, account)

    @property
    def accounts_of_others(self) -> set[str]:
        """Return the accounts of the venue that Futu's and IB's clients see."""
        futu = () if self.futu is None else self.futu.accounts.values()
        ib = () if self.ib is None else self.ib.accounts.values()
        return {one.account for one in futu} | {one.account for one in ib}

    def deposit(self, account: str, asset: str, amount: Decimal) -> None:
        """Pay into an account.

        Raises:
            ConfigError: the venue refuses it; the message says why.
        """
        result = self.execute(Deposit(self.now_ns(), account, asset, amount))
        if not result.ok:
            raise ConfigError(f"account {account}: balance {amount} {asset}: {result.message}")

    def account_of(self, api_key: str) -> str:
        """Return the account of an API key, "" when there is none."""
        for side in self.sides.values():
            if api_key in side.keys:
                return side.keys[api_key].account
        return ""

    def _let_trade(self, key: ApiKey, account: AccountSetup) -> None:
        for name in account.products:
            if name not in (*PRODUCTS, FUTU, IB):
                raise ConfigError(f"account {account.name}: product {name!r} is not {SPOT}, {USDM}, {FUTU} or {IB}")
            if name in self.sides:
                self.sides[name].add_key(key)

    def _join_futu(self, side: FutuSide, account: AccountSetup, *, is_new: bool) -> None:
        """Let an account be seen by Futu's clients; its SIMULATE twin has the same money.

        An account that was open before Futu was served gets the money of stock markets now.
        """
        simulate = side.add_account(account.name)[1].account
        if not self.execute(OpenAccount(self.now_ns(), simulate)).ok:
            return
        self._fill(simulate, account.balances)
        if not is_new:
            currencies = {one.quote_asset for one in side.stocks().values()}
            self._fill(
                account.name, {asset: amount for asset, amount in account.balances.items() if asset in currencies}
            )

    def _join_ib(self, side: IbSide, account: AccountSetup) -> None:
        """Let an account be seen by IB's clients, on an account of its own that may sell short and pays IB's fees.

        The venue does not check what it can bear: money is lent in it, and TWS's surface checks its margin.
        """
        for contract in side.contracts.all():
            fees = load_preset(_ib_fees(contract, side.settings.fees))
            self.execute(SetFeePlan(self.now_ns(), contract.instrument_id, IB_PLAN, fees))
        own = side.add_account(account.name).account
        if self.execute(OpenAccount(self.now_ns(), own, margin_checked=False, allow_short=True, fee_plan=IB_PLAN)).ok:
            self._fill(own, account.balances)

    def _fill(self, account: str, balances: Mapping[str, Decimal]) -> None:
        for asset, amount in balances.items():
            self.deposit(account, asset, amount)

    def _open(self, settings: ServerSettings) -> None:
        now_ns = self.now_ns()
        begin_ns = now_ns - int(settings.past_hours * HOUR_NS)
        instruments = settings.instruments
        if instruments is None:
            venues = {SUFFIX[side.product] for side in self.sides.values()}
            venues.update(() if self.futu is None else MARKETS)
            venues.update(() if self.ib is None else VENUES)
            dated = () if self.ib is None else ib_listings(now_ns)
            instruments = (*(one for one in default_listings() if one.venue in venues), *dated)
        for instrument in instruments:
            fees = (
                FeeSchedule.zero()
                if instrument.venue in FEELESS
                else load_preset(_FEES.get(instrument.venue, "binance_spot"))
            )
            mode = "quote" if instrument.venue in (*MARKETS, *VENUES) else "received"
            result = self.venue.execute(AddInstrument(begin_ns, instrument, "price_time", fees, mode))
            if not result.ok:
                raise ConfigError(f"instrument {instrument.instrument_id} cannot be listed: {result.message}")
        dated = () if self.ib is None else tuple(one for one in instruments if one.venue in VENUES)
        prices = {**opening_prices(dated), **REFERENCE_PRICES, **settings.prices}
        traded = tuple(one for one in instruments if one.instrument_id in prices) if settings.agents else ()
        shares = settings.shares or activity_shares(traded)
        values = (
            self.play_past((traded, prices, shares), settings.seed, (begin_ns, now_ns)) if begin_ns < now_ns else {}
        )
        for account in settings.accounts:
            self.add_account(account)
        if traded:
            self._populate(settings, (traded, prices, values), now_ns)

    def _populate(self, settings: ServerSettings, market: Market, now_ns: int) -> None:
        traded, prices, values = market
        population = Population(
            traded,
            prices,
            agents=settings.agents,
            seed=settings.seed,
            longest_absence_ns=int(settings.longest_absence_s * 1e9),
            shares=settings.shares or activity_shares(traded),
            values=values,
        )
        for command in population.opening(now_ns):
            self.venue.execute(command)
        self.traders.update(population.account_kinds)
        self.feeds.append(lambda at_ns: population.act(self.venue, at_ns))

    def _pass_time(self, now_ns: int) -> None:
        self.venue.execute(AdvanceTime(now_ns))
        for feed in tuple(self.feeds):
            for command in feed(now_ns):
                self.venue.execute(command)

    def _hear(self, event: VenueEvent) -> None:
        self._heard.append(event)
        for observer in self.observers:
            observer(event)

    def _deliver(self) -> None:
        """Tell what was heard; what that makes the venue do is told after it."""
        self._busy = True
        try:
            while self._heard:
                heard, self._heard = self._heard, []
                for event in heard:
                    for hearer in self._hearers.values():
                        hearer.on_event(event)
        finally:
            self._busy = False


def served_products(ports: ServerPorts) -> tuple[str, ...]:
    """Return the products that some port serves."""
    wanted = {
        SPOT: (ports.binance_spot, ports.binance_spot_tls),
        USDM: (ports.binance_usdm, ports.binance_usdm_tls),
        FUTU: (ports.futu,),
        IB: (ports.ib,),
    }
    return tuple(name for name, any_of in wanted.items() if any(port is not None for port in any_of))


def _ib_fees(contract: IbContract, plan: str) -> str:
    """Return the name of the schedule by which IB charges a contract."""
    market = "hk" if contract.currency == "HKD" else "us"
    return _IB_FEES.get(contract.sec_type, f"ib_{market}_{plan}")
