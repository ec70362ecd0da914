"""Where the accounts of a configuration trade, and whether that is real money: one judgement for the runner, doctor and summaries."""

import msgspec

from foxtrot.adapter.registry import load_adapter
from foxtrot.app.config import Config
from foxtrot.app.config_places import placed
from foxtrot.app.config_tables import AccountTable
from foxtrot.domain.errors import ConfigError


class AccountVenue(msgspec.Struct, frozen=True):
    """One account's adapter and environment ("" is the adapter's safest), and whether its orders spend real money."""

    account: str
    adapter: str
    environment: str
    real_money: bool

    @property
    def text(self) -> str:
        """Return it in words."""
        environment = f"environment {self.environment}" if self.environment else "its safest environment"
        return f"{self.adapter}, {environment}, {'REAL MONEY' if self.real_money else 'no real money'}"

    def fault(self, mode: str) -> str:
        """Return why a platform in this mode may not have the account, or ""."""
        if mode == "live" or not self.real_money:
            return ""
        return (
            f"account {self.account} is {self.text}, which paper mode refuses; choose an environment of the venue's own for "
            f'trying out, or adapter = "simulated"'
        )


def venue_of(name: str, account: AccountTable) -> AccountVenue:
    """Return where an account trades.

    Blocks: imports the adapter.

    Raises:
        ConfigError: the adapter is not known or cannot be imported.
    """
    environment = account.environment
    return AccountVenue(name, account.adapter, environment, load_adapter(account.adapter).real_money(environment))


def account_venues(config: Config) -> tuple[AccountVenue, ...]:
    """Return where each account trades, in the order of the configuration.

    Blocks: imports the adapters.

    Raises:
        ConfigError: an adapter is not known or cannot be imported.
    """
    return tuple(account_venue(config, name) for name in config.accounts)


def account_venue(config: Config, name: str) -> AccountVenue:
    """Return where one account trades.

    Blocks: imports the adapter.

    Raises:
        ConfigError: names file and line of an adapter that is not known or cannot be imported.
    """
    try:
        return venue_of(name, config.accounts[name])
    except ConfigError as error:
        raise placed(config, ("account", name), error, "adapter") from error
