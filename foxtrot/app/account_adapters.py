"""Adapters of the accounts of a configuration: made in one way by the platform, the hub and doctor."""

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, EventSink
from foxtrot.adapter.registry import load_adapter, make_adapter
from foxtrot.app.config import Config
from foxtrot.app.config_places import placed
from foxtrot.app.config_tables import AccountTable
from foxtrot.app.secret_store import SecretPlace, SecretStore
from foxtrot.app.secrets import account_secrets, plain_settings
from foxtrot.core.clock import Clock
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError


class AccountAdapters:
    """Makes adapters that share what one family of them shares.

    Thread: the caller's.

    Args:
        config: the accounts.
        sink: hears what the adapters tell.
        permit: whether orders may leave.
        clock: tells the time.
        environment: where settings that end in _env lead to.
        store: has the secrets that no setting names; None where there is no home.
    """

    def __init__(
        self,
        config: Config,
        sink: EventSink,
        permit: SendPermit,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
        store: SecretStore | None = None,
    ) -> None:
        self._config = config
        self._sink = sink
        self._permit = permit
        self._clock = clock
        self._environment = environment
        self._store = store
        self.home: Path | None = None
        """Where adapters keep what must outlive the process; set before the first is made."""
        self._shared: dict[str, object] = {}
        self.secrets_found: dict[str, int] = {}
        """How many secrets each account that was made has."""

    def make(self, name: str, fills_since_ns: int = 0) -> BaseAdapter:
        """Make the adapter of an account, which does not connect yet.

        Args:
            name: of the account.
            fills_since_ns: as in AdapterContext.

        Blocks: imports the adapter, and reads what its settings name; for the key store, which may ask a person for its passphrase.

        Raises:
            ConfigError: names file and line of the setting that is wrong or of the secret that is missing.
        """
        account = self._config.accounts[name]
        try:
            kind = load_adapter(account.adapter)
            hidden = self._secrets(name, account, kind)
            context = AdapterContext(
                name,
                self._sink,
                self._permit,
                self._clock,
                plain_settings(account.settings),
                self._shared,
                account.environment,
                account.position_mode,
                hidden,
                fills_since_ns,
                self.home,
            )
            return make_adapter(account.adapter, context)
        except ConfigError as error:
            raise placed(self._config, ("account", name), error) from error

    def _secrets(self, name: str, account: AccountTable, kind: type[BaseAdapter]) -> dict[str, Secret]:
        look_up = partial(self._kept, name, account, kind)
        found = account_secrets(account.settings, self._environment, kind.secret_names, look_up, self._config.accounts)
        self.secrets_found[name] = len(found)
        return found

    def _kept(self, name: str, account: AccountTable, kind: type[BaseAdapter], secret: str) -> Secret | None:
        if self._store is None:
            return None
        return self._store.get(secret_place(kind, account.adapter, account.environment, name, secret))


def secret_place(kind: type[BaseAdapter], adapter: str, environment: str, account: str, secret: str) -> SecretPlace:
    """Return under what the key store has a secret; an environment of "" is the adapter's safest by its own name."""
    return SecretPlace(adapter, environment or kind.safest_environment, account, secret)
