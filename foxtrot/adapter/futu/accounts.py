"""Which of the accounts that OpenD lists is meant by the settings; pure."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

import msgspec

from foxtrot.adapter.futu.config import FIRMS, FutuSettings
from foxtrot.adapter.futu.errors import NotSetUp

MARKETS: Final[Mapping[tuple[str, bool], int]] = {
    ("HK", True): 1,
    ("HK", False): 1,
    ("US", True): 2,
    ("US", False): 2,
    ("CN", True): 4,
    ("CN", False): 3,
}
"""Futu's number of a market, with and without real money: China is traded through Hong Kong's connect with it.

Source: Futu OpenAPI, trade, TrdMarket.
"""
OPTION_ONLY: Final = 2
FUTURES: Final = 3
NO_STOCKS: Final = (OPTION_ONLY, FUTURES)
"""Kinds of simulated accounts that trade no stocks.

Source: Futu OpenAPI, trade, SimAccType.
"""
DISABLED: Final = 1
MARGIN: Final = 2


class FutuAccount(msgspec.Struct, frozen=True):
    """An account as OpenD lists it; `markets`, `firm` and `kind` are Futu's numbers."""

    account_id: int
    real: bool
    markets: tuple[int, ...]
    margin: bool = False
    firm: int = 0
    kind: int = 0
    """Of a simulated one: what it is for."""
    disabled: bool = False

    def __str__(self) -> str:
        return f"{self.account_id} ({'real' if self.real else 'simulate'}, {FIRMS[self.firm] or 'no firm'})"


def read_account(row: Any) -> FutuAccount:
    """Return an account of Trd_GetAccList's accList.

    Source: Futu OpenAPI, trade, TrdAcc.
    """
    return FutuAccount(
        int(row.accID),
        bool(row.trdEnv),
        tuple(row.trdMarketAuthList),
        margin=row.accType == MARGIN,
        firm=row.securityFirm if 0 <= row.securityFirm < len(FIRMS) else 0,
        kind=row.simAccType,
        disabled=row.accStatus == DISABLED,
    )


def choose_accounts(accounts: Iterable[FutuAccount], settings: FutuSettings) -> dict[str, FutuAccount]:
    """Return by market, "HK", the account that trades it; with real money it is mostly one, simulated ones are one for each market.

    Raises:
        NotSetUp: a market has no account that fits, or several; names them.
    """
    listed = tuple(accounts)
    fitting = [account for account in listed if _fits(account, settings)]
    return {market: _one(fitting, listed, settings, market) for market in settings.markets}


def _fits(account: FutuAccount, settings: FutuSettings) -> bool:
    if account.real is not settings.is_real or account.disabled or account.kind in NO_STOCKS:
        return False
    firm = FIRMS.index(settings.security_firm)
    return settings.account_id in (0, account.account_id) and (not account.real or firm in (0, account.firm))


def _one(
    fitting: list[FutuAccount], listed: tuple[FutuAccount, ...], settings: FutuSettings, market: str
) -> FutuAccount:
    number = MARKETS[market, settings.is_real]
    found = [account for account in fitting if number in account.markets]
    if len(found) == 1:
        return found[0]
    if found:
        names = ", ".join(map(str, found))
        raise NotSetUp(
            f"{len(found)} {settings.environment} accounts trade {market}: {names}; set account_id to one of them"
        )
    wanted = f" with account_id = {settings.account_id}" if settings.account_id else ""
    others = ", ".join(map(str, listed)) or "none"
    raise NotSetUp(
        f"no {settings.environment} account{wanted} trades {market}; OpenD lists {others}: mend account_id, environment or "
        f"security_firm, or take {market} out of markets"
    )
