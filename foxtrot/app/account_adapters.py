"""Adapters of the accounts of a configuration: made in one way by the platform, the hub and doctor."""

import os
from collections.abc import Mapping

from foxtrot.adapter.base_adapter import AdapterContext, BaseAdapter, EventSink
from foxtrot.adapter.registry import make_adapter
from foxtrot.app.config import Config
from foxtrot.app.config_places import placed
from foxtrot.app.secrets import plain_settings, secret_settings
from foxtrot.core.clock import Clock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError


class AccountAdapters:
    """Makes adapters that share what one family of them shares.

    Thread: the caller's.
    """

    def __init__(
        self,
        config: Config,
        sink: EventSink,
        permit: SendPermit,
        clock: Clock,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._config = config
        self._sink = sink
        self._permit = permit
        self._clock = clock
        self._environment = environment
        self._shared: dict[str, object] = {}

    def make(self, name: str) -> BaseAdapter:
        """Make the adapter of an account, which does not connect yet.

        Blocks: imports the adapter, and reads what its settings name.

        Raises:
            ConfigError: names file and line of the setting that is wrong or of the secret that is missing.
        """
        account = self._config.accounts[name]
        try:
            context = AdapterContext(
                name,
                self._sink,
                self._permit,
                self._clock,
                plain_settings(account.settings),
                self._shared,
                account.environment,
                account.position_mode,
                secret_settings(account.settings, self._environment),
            )
            return make_adapter(account.adapter, context)
        except ConfigError as error:
            raise placed(self._config, ("account", name), error) from error
