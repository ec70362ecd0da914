"""Which of a login's accounts is ours. Pure.

Source: TWS API, managedAccounts; IB's paper accounts begin with a D (DU, DF, DI), live ones with another letter.
"""

from foxtrot.adapter.ib.config import IbSettings
from foxtrot.adapter.ib.errors import NotSetUp


def choose_account(listed: str, settings: IbSettings) -> str:
    """Return the account of the settings, or the only one.

    Args:
        listed: the accounts of the login, as TWS tells them, with commas.
        settings: what the account is set to.

    Raises:
        NotSetUp: it is not there, several are, or it is not of the environment.
    """
    found = [part.strip() for part in listed.split(",") if part.strip()]
    names = ", ".join(found) or "none"
    if settings.account:
        if settings.account not in found:
            raise NotSetUp(f'account = "{settings.account}" is not of this login, which has {names}')
        chosen = settings.account
    elif len(found) != 1:
        raise NotSetUp(f'this login has {len(found)} accounts, {names}; say which by account = "…"')
    else:
        chosen = found[0]
    _check_environment(chosen, settings)
    return chosen


def _check_environment(account_id: str, settings: IbSettings) -> None:
    is_paper = account_id.upper().startswith("D")
    if is_paper and settings.is_live:
        raise NotSetUp(
            f"{account_id} is a paper account and the environment is live; log TWS in to the live account, or trade paper"
        )
    if not is_paper and not settings.is_live:
        raise NotSetUp(
            f"{account_id} is a live account and the environment is paper; log TWS in to the paper account (its port is 7497)"
        )
