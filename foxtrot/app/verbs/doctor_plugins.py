"""Doctor's checks of what is loaded by name: adapters, strategies, and what a configuration names."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from foxtrot.adapter.registry import adapter_names, load_adapter
from foxtrot.app.account_venues import venue_of
from foxtrot.app.config import Config, load_config
from foxtrot.app.secrets import secret_settings
from foxtrot.app.verbs.doctor import FAIL, OK, WARN, Check
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.loader import load_strategy, strategy_names
from foxtrot.strategy.parameters import set_parameters


def adapter_checks() -> Iterator[Check]:
    """Import every installed adapter; one whose SDK is missing is a warning, for nobody needs them all."""
    for name in adapter_names():
        try:
            found = load_adapter(name)
        except ConfigError as error:
            yield Check(f"adapter {name}", WARN, str(error))
        else:
            yield Check(f"adapter {name}", OK, found.__module__)


def strategy_checks() -> Iterator[Check]:
    """Import every installed strategy."""
    for name, source in strategy_names().items():
        try:
            load_strategy(name)
        except ConfigError as error:
            yield Check(f"strategy {name}", FAIL, str(error))
        else:
            yield Check(f"strategy {name}", OK, source)


def config_checks(path: Path, home: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """Check a configuration and everything it names."""
    try:
        config = load_config(path)
    except ConfigError as error:
        yield Check("configuration", FAIL, str(error))
        return
    said = f"{path}: mode {config.platform.mode}, {len(config.accounts)} accounts, {len(config.strategies)} strategies"
    yield Check("configuration", OK if config.strategies else WARN, said)
    yield from _account_checks(config, environment)
    yield from _strategy_checks(config, home)


def _account_checks(config: Config, environment: Mapping[str, str]) -> Iterator[Check]:
    for name, account in config.accounts.items():
        try:
            venue = venue_of(name, account)
            secrets = secret_settings(account.settings, environment)
        except ConfigError as error:
            yield Check(f"account {name}", FAIL, str(error))
            continue
        fault = venue.fault(config.platform.mode)
        yield Check(f"account {name}", FAIL if fault else OK, fault or f"{venue.text}; {len(secrets)} secrets found")


def _strategy_checks(config: Config, home: Path) -> Iterator[Check]:
    folder = config.strategies_dir(home)
    for settings in config.strategy_settings():
        try:
            kind = load_strategy(settings.class_name, folder if folder.is_dir() else None)
            set_parameters(kind.__new__(kind), settings.parameters)
        except ConfigError as error:
            yield Check(f"strategy {settings.strategy_id}", FAIL, str(error))
        else:
            yield Check(f"strategy {settings.strategy_id}", OK, f"{kind.__name__} on {', '.join(settings.symbols)}")
