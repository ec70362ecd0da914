"""Doctor's checks of what is loaded by name: adapters, strategies, and what a configuration names."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from foxtrot.adapter.registry import adapter_names, load_adapter
from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.account_venues import account_venue
from foxtrot.app.config import Config, load_config
from foxtrot.app.config_places import placed
from foxtrot.app.secret_store import open_store
from foxtrot.app.verbs.doctor import FAIL, OK, WARN, Check
from foxtrot.core.clock import SystemClock
from foxtrot.core.send_permit import SendPermit
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
    yield from _account_checks(config, home, environment)
    yield from _strategy_checks(config, home)


class _Inbox:
    """Keeps what adapters tell that are made to be checked only; nobody reads it.

    Thread: the caller's.
    """

    def __init__(self) -> None:
        self._events: list[object] = []

    def put(self, event: object) -> None:
        self._events.append(event)


def _account_checks(config: Config, home: Path, environment: Mapping[str, str]) -> Iterator[Check]:
    """Make each account's adapter as a run does, and do not connect it."""
    permit = SendPermit()
    permit.close("doctor sends no orders")
    made = AccountAdapters(config, _Inbox(), permit, SystemClock(), environment, open_store(home, environment))
    for name in config.accounts:
        try:
            venue = account_venue(config, name)
            fault = venue.fault(config.platform.mode)
            made.make(name)
        except ConfigError as error:
            yield Check(f"account {name}", FAIL, str(error))
            continue
        text = f"{venue.text}; {made.secrets_found[name]} secrets found"
        yield Check(f"account {name}", FAIL if fault else OK, fault or text)


def _strategy_checks(config: Config, home: Path) -> Iterator[Check]:
    folder = config.strategies_dir(home)
    for settings in config.strategy_settings():
        table, key = ("strategy", settings.strategy_id), "class"
        try:
            kind = load_strategy(settings.class_name, folder if folder.is_dir() else None)
            key = ""
            set_parameters(kind.__new__(kind), settings.parameters)
        except ConfigError as error:
            yield Check(f"strategy {settings.strategy_id}", FAIL, str(placed(config, table, error, key)))
        else:
            yield Check(f"strategy {settings.strategy_id}", OK, f"{kind.__name__} on {', '.join(settings.symbols)}")
