"""What all parts of the surface share: the venue, its stocks, the accounts as Futu's clients see them, and the clock."""

import hashlib
from collections.abc import Callable
from zoneinfo import ZoneInfo

import msgspec

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.futu.futu_hours import HK, HOURS, SH, SZ, US, Phase, phase_at
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings

MARKETS = {"SEHK": HK, "NASDAQ": US, "NYSE": US, "ARCA": US, "AMEX": US, "SSE": SH, "SZSE": SZ}
"""The market of quotes by the venue part of an instrument id."""
HKCC = 4
"""Hong Kong's connect to the mainland, where REAL accounts alone trade."""
_TRD_MARKETS = {HK: 1, US: 2, SH: HKCC, SZ: HKCC}
_SEC_MARKETS = {HK: 1, US: 2, SH: 31, SZ: 32}
MAINLAND = ("SSE", "SZSE")
FIRST_REAL = 281_756_000_000_000_001
FIRST_SIMULATE = 1_000_001
SIMULATE_SUFFIX = "-simulate"


class FutuAccount(msgspec.Struct, frozen=True):
    """An account id and the account of the venue behind it; `markets` are the trade markets it may trade on."""

    acc_id: int
    account: str
    real: bool
    markets: tuple[int, ...]
    password_md5: str

    def __repr__(self) -> str:
        return f"FutuAccount(acc_id={self.acc_id}, account={self.account!r}, real={self.real})"


class FutuSide:
    """The embedded venue as FutuOpenD's surface needs it.

    Thread: exchange-io.

    Args:
        venue: the venue, shared with other protocols.
        now_ns: the server's time of day, clock skew included.
        settings: switches of the surface; with `always_open` every market is in its morning at any hour.
    """

    def __init__(self, venue: Venue, now_ns: Callable[[], int], settings: FutuSettings | None = None) -> None:
        self.venue = venue
        self.now_ns = now_ns
        self.settings = settings or FutuSettings()
        self.always_open = self.settings.always_open
        self.accounts: dict[int, FutuAccount] = {}
        self.quote_is_up = True
        self.trade_is_up = True
        """Whether OpenD is logged in upstream; set by faults."""
        self._stocks: dict[tuple[int, str], Instrument] = {}
        self._listed = -1

    def add_account(self, name: str) -> tuple[FutuAccount, FutuAccount]:
        """Let an account of the venue be seen as a REAL and a SIMULATE id; again returns the same two."""
        told = tuple(one for one in self.accounts.values() if one.account in (name, name + SIMULATE_SUFFIX))
        if len(told) == 2:
            return told
        number = len(self.accounts) // 2
        password = hashlib.md5(self.settings.password.encode(), usedforsecurity=False).hexdigest()
        markets = (_TRD_MARKETS[HK], _TRD_MARKETS[US])
        connect = (HKCC,) if any(one.venue in MAINLAND for one in self.venue.instruments()) else ()
        real = FutuAccount(FIRST_REAL + number, name, True, markets + connect, password)
        simulate = FutuAccount(FIRST_SIMULATE + number, name + SIMULATE_SUFFIX, False, markets, "")
        self.accounts |= {real.acc_id: real, simulate.acc_id: simulate}
        return real, simulate

    def stocks(self) -> dict[tuple[int, str], Instrument]:
        """Return what is listed, by quote market and code, oldest first."""
        listed = self.venue.instruments()
        if len(listed) != self._listed:
            self._stocks = {(MARKETS[one.venue], one.symbol): one for one in listed if one.venue in MARKETS}
            self._listed = len(listed)
        return self._stocks

    def market_of(self, instrument: Instrument) -> int:
        """Return the market of quotes (QotMarket): HK 1, US 11, SH 21, SZ 22."""
        return MARKETS[instrument.venue]

    def trd_market_of(self, instrument: Instrument) -> int:
        """Return the market of trading (TrdMarket): HK 1, US 2, the mainland 4."""
        return _TRD_MARKETS[MARKETS[instrument.venue]]

    def sec_market_of(self, instrument: Instrument) -> int:
        """Return the market that orders name (TrdSecMarket): HK 1, US 2, SH 31, SZ 32."""
        return _SEC_MARKETS[MARKETS[instrument.venue]]

    def zone_of(self, market: int) -> ZoneInfo:
        """Return the timezone in which a market's times are told."""
        return HOURS[market].zone

    def phase(self, market: int, now_ns: int) -> Phase:
        """Return the part of the day a market of quotes is in.

        Raises:
            ConfigError: the moment lies outside the years the market's calendar knows.
        """
        return "morning" if self.always_open else phase_at(market, now_ns)
