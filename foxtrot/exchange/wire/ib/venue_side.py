"""What all parts of the surface share: the venue, its contracts, the accounts as IB's clients see them, the clock, the link upstream."""

from collections.abc import Callable
from typing import Final, Literal
from zoneinfo import ZoneInfo

import msgspec

from foxtrot.domain.calendar_presets import CALENDAR_NAMES, calendar_named
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.ib.contract_table import IbContracts
from foxtrot.exchange.wire.ib.ib_contract import IbContract
from foxtrot.exchange.wire.ib.surface_settings import IbSettings

__all__ = ["ACCOUNT_SUFFIX", "MARKET_FARM", "IbAccount", "IbContract", "IbContracts", "IbSide"]

FIRST_ACCOUNT: Final = 1_000_001
ACCOUNT_SUFFIX: Final = "-ib"
"""The account of the venue behind an account NAME that IB's clients see is NAME-ib."""
MARKET_FARM, HISTORY_FARM, DEFINITION_FARM = "usfarm", "ushmds", "secdefil"
_FIRST_PERM_ID: Final = 1_500_000_000
_IDS_IN_A_SECOND: Final = 16


class IbAccount(msgspec.Struct, frozen=True):
    """An account id, the account of the venue behind it, and the name its owner knows."""

    account_id: str
    account: str
    name: str


class IbSide:
    """The embedded venue as TWS's surface needs it.

    Thread: exchange-io.

    Args:
        venue: the venue, shared with other protocols.
        now_ns: the server's time of day, clock skew included.
        settings: switches of the surface; with `always_open` every market trades at any hour.
    """

    def __init__(self, venue: Venue, now_ns: Callable[[], int], settings: IbSettings | None = None) -> None:
        self.venue = venue
        self.now_ns = now_ns
        self.settings = settings or IbSettings()
        self.contracts = IbContracts(venue, now_ns)
        self.accounts: dict[str, IbAccount] = {}
        """What IB's clients see, by account id."""
        self.upstream: Literal["up", "lost"] = "up"
        """Whether TWS is linked to IB's servers. While it is not, requests get no data and nothing is told, yet orders go on."""
        self.farms: dict[str, bool] = {MARKET_FARM: True, HISTORY_FARM: True, DEFINITION_FARM: True}
        """Whether each data farm is connected; the first tells live data, the second history, the third contracts."""
        self._perm_id = _FIRST_PERM_ID + now_ns() // 1_000_000_000 % 20_000_000 * _IDS_IN_A_SECOND
        self._order_ids: dict[int, int] = {}

    @property
    def tells_data(self) -> bool:
        """Tell whether live market data flows: TWS is linked, and so is its market data farm."""
        return self.upstream == "up" and self.farms[MARKET_FARM]

    def add_account(self, name: str) -> IbAccount:
        """Let an account of the venue be seen; again returns the same."""
        for one in self.accounts.values():
            if one.name == name:
                return one
        account = IbAccount(f"DU{FIRST_ACCOUNT + len(self.accounts)}", name + ACCOUNT_SUFFIX, name)
        self.accounts[account.account_id] = account
        return account

    def account_of(self, venue_account: str) -> IbAccount | None:
        """Return what an account of the venue is seen as, None where IB's clients do not see it."""
        return next((one for one in self.accounts.values() if one.account == venue_account), None)

    def is_open(self, contract: IbContract, now_ns: int) -> bool:
        """Tell whether a contract trades at a moment; one that has expired never does.

        Raises:
            ConfigError: the moment lies outside the years that its calendar knows.
        """
        if 0 < contract.instrument.expiry_ns <= now_ns:
            return False
        name = contract.instrument.calendar
        return self.settings.always_open or name not in CALENDAR_NAMES or calendar_named(name).is_open(now_ns)

    def zone_of(self, contract: IbContract) -> ZoneInfo:
        """Return the timezone in which a contract's times are told."""
        return contract.zone

    def next_perm_id(self) -> int:
        """Return the next permanent id of an order; it grows with the clock, so that a later run gives none again."""
        self._perm_id += 1
        return self._perm_id

    def next_order_id(self, client_id: int) -> int:
        """Return what nextValidId tells a client: above every id that it has used."""
        return self._order_ids.get(client_id, 0) + 1

    def note_order_id(self, client_id: int, order_id: int) -> None:
        """Note that a client has used an order id."""
        self._order_ids[client_id] = max(self._order_ids.get(client_id, 0), order_id)

    def lower_order_ids(self, by: int) -> None:
        """Tell every client lower ids from now on, as after a restart of TWS that has forgotten the last ones."""
        self._order_ids = {client_id: max(0, last - by) for client_id, last in self._order_ids.items()}
