"""What an exchange server serves: ports, accounts, instruments, other traders, limits of connections."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec

from foxtrot.domain.enums import PositionMode
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from foxtrot.exchange.wire.ib.surface_settings import IbSettings

SPOT, USDM, FUTU, IB = "spot", "usdm", "futu", "ib"
"""Products by the name that faults, accounts and the control port use."""


class ServerPorts(msgspec.Struct, frozen=True):
    """Ports wanted on 127.0.0.1: None for no such listener, 0 for one that is picked."""

    binance_spot: int | None = None
    binance_usdm: int | None = None
    binance_spot_tls: int | None = None
    binance_usdm_tls: int | None = None
    futu: int | None = None
    ib: int | None = None
    control: int | None = None


class AccountSetup(msgspec.Struct, frozen=True):
    """An account opened at the start: its keys, what it has, and the products on which it trades."""

    name: str
    keys: tuple[ApiKey, ...] = ()
    balances: Mapping[str, Decimal] = {}
    position_mode: PositionMode = PositionMode.NETTING
    products: tuple[str, ...] = (SPOT, USDM, FUTU, IB)


class ServerSettings(msgspec.Struct, frozen=True):
    """All that an ExchangeServer is told before it starts.

    Args:
        ports: the listeners wanted.
        accounts: opened at the first start.
        instruments: what is listed; None for the default listings of the products served.
        prices: where a living market begins, by instrument id; missing ones are those of the default listings.
        agents: other traders making the market, 0 for none; `seed` is theirs.
        longest_absence_s: how much of the time between two rounds they make up for: less makes a market that slows down on
            a busy machine, rather than one that acts in lumps.
        shares: which part of their activity each instrument gets, in the order of `instruments`; () for the usual.
        past_hours: hours of trading before the exchange opened, played in some seconds when the server is made; prices then have
            quiet and wild stretches and trends, before the opening and after it. 0 for none, and a price that wanders.
        surface: settings of both Binance surfaces: limits, lives, and how often the server pings.
        futu: settings of the Futu surface.
        ib: settings of the surface of TWS.
        queue_bytes: what may wait for a client that reads slowly; more closes its connection (Binance: with 1008).
        faults: what goes wrong from the start.
        tick_ms: the pause between two rounds of the venue, in real time; what is due is judged by the clock.
    """

    ports: ServerPorts = ServerPorts()
    accounts: tuple[AccountSetup, ...] = ()
    instruments: tuple[Instrument, ...] | None = None
    prices: Mapping[str, Decimal] = {}
    agents: int = 8
    seed: int = 1
    longest_absence_s: float = 1.0
    shares: tuple[Decimal, ...] = ()
    past_hours: float = 0.0
    surface: SurfaceSettings = SurfaceSettings()
    futu: FutuSettings = FutuSettings()
    ib: IbSettings = IbSettings()
    queue_bytes: int = 4_194_304
    faults: tuple[Fault, ...] = ()
    tick_ms: int = 10
