"""Opening of the simulated venue: settings of an account → a session with instruments, balances and other traders.

Settings of an account (all optional):
    venue        accounts of one platform with the same name share a venue ("default")
    instruments  ids to list, separated by commas (all default listings); also EURUSD.IDEALPRO, the front two ES of CME, options on AAPL
    balances     what the account begins with, as "USDT=100000, BTC=1" (100000 USDT)
    fees         fee preset of all instruments ("binance_spot"), or "none"
    agents       how many other traders make the market, 0 for none (8)
    seed         of those traders (1)

The account's position mode is the venue's too; its environment is "" or "paper", for there is no other.
"""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount
from foxtrot.exchange.dated_listings import ib_listings, opening_prices
from foxtrot.exchange.listings import default_listings, listing
from foxtrot.exchange.market_maker import Population

ENVIRONMENTS = ("", "paper")
DEFAULTS: dict[str, Setting] = {
    "venue": "default",
    "instruments": "",
    "balances": "USDT=100000",
    "fees": "binance_spot",
    "agents": 8,
    "seed": 1,
}


def open_session(context: AdapterContext) -> SimulatedSession:
    """Return the session of an account, shared with the other accounts of the same venue, with the account opened.

    Raises:
        ConfigError: an unknown setting (with the nearest known one) or a wrong value.
    """
    settings = read_settings(context.account, context.settings)
    key = f"simulated:{settings['venue']}"
    session = context.shared.get(key)
    if not isinstance(session, SimulatedSession):
        session = SimulatedSession(context.clock, threaded=True)
        context.shared[key] = session
        list_instruments(session, context, settings)
    if context.environment not in ENVIRONMENTS:
        known = " or ".join(repr(name) for name in ENVIRONMENTS)
        raise ConfigError(
            f"account {context.account}: environment of a simulated account is {known}, not {context.environment!r}"
        )
    now_ns = context.clock.now_ns()
    balances = read_balances(context.account, str(settings["balances"]))
    if session.execute(
        OpenAccount(now_ns, context.account, context.position_mode)
    ).ok:  # one that trades again keeps what it has
        for asset, amount in balances.items():
            result = session.execute(Deposit(now_ns, context.account, asset, amount))
            if not result.ok:
                raise ConfigError(f"account {context.account}: balance {amount} {asset}: {result.message}")
    return session


def list_instruments(session: SimulatedSession, context: AdapterContext, settings: Mapping[str, Setting]) -> None:
    """List the instruments of a new venue and bring in the other traders."""
    names = [name.strip() for name in str(settings["instruments"]).split(",") if name.strip()]
    now_ns = context.clock.now_ns()
    dated = {one.instrument_id: one for one in ib_listings(now_ns)} if names else {}
    instruments: tuple[Instrument, ...] = (
        tuple(dated.get(name) or listing(name) for name in names) or default_listings()
    )
    fees = FeeSchedule.zero() if settings["fees"] == "none" else load_preset(str(settings["fees"]))
    for instrument in instruments:
        session.execute(AddInstrument(now_ns, instrument, "price_time", fees, "received"))
    agents = int(settings["agents"])
    if agents:
        prices = opening_prices(instruments)
        population = Population(instruments, prices, agents=agents, seed=int(settings["seed"]))
        for command in population.opening(now_ns):
            session.execute(command)
        session.traders.update(population.account_kinds)
        session.populace.append(lambda at_ns: population.act(session.venue, at_ns))


def read_settings(account: str, given: Mapping[str, Setting]) -> dict[str, Setting]:
    """Return the settings of an account with defaults filled in.

    Raises:
        ConfigError: an unknown key or a value of the wrong type.
    """
    for key, value in given.items():
        if key not in DEFAULTS:
            close = get_close_matches(key, DEFAULTS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(DEFAULTS)}"
            raise ConfigError(f"account {account}: setting {key} is not known; {hint}")
        if type(value) is not type(DEFAULTS[key]):
            kind = type(DEFAULTS[key]).__name__
            raise ConfigError(f"account {account}: setting {key} must be of type {kind}, not {value!r}")
    return {**DEFAULTS, **given}


def read_balances(account: str, text: str) -> dict[str, Decimal]:
    """Return balances from text such as "USDT=100000, BTC=1".

    Raises:
        ConfigError: not of that form, or an amount that is not a positive number.
    """
    balances: dict[str, Decimal] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        asset, equals, amount = part.partition("=")
        try:
            value = Decimal(amount.strip())
        except InvalidOperation:
            value = Decimal("NaN")
        if not equals or not asset.strip() or not value.is_finite() or value <= 0:
            raise ConfigError(f'account {account}: balances {part!r} must be like "USDT=100000, BTC=1"')
        balances[asset.strip()] = value
    return balances
