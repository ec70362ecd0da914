"""Connects accounts for a moment, to see whether their keys are accepted and what they may do; nothing can be traded meanwhile."""

import os
from pathlib import Path
from queue import Empty, SimpleQueue

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.key_rights import KeyRights
from foxtrot.app.account_adapters import AccountAdapters
from foxtrot.app.account_venues import account_venue
from foxtrot.app.config import Config, load_config
from foxtrot.app.secret_store import SecretStore
from foxtrot.app.verbs.outcome import DONE, FAILED, Outcome
from foxtrot.core.clock import Clock, SystemClock
from foxtrot.core.notices import AdapterStatus, RequestFailed
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import ConfigError

_NO_TRADES = "`foxtrot keys test` sends no orders"
_ENDED = (AdapterState.READY, AdapterState.FAILED)
_CLOSE_S = 5.0


class KeyTest(msgspec.Struct, frozen=True, kw_only=True):
    """What came of one account; `rights` is None where its venue did not tell."""

    account: str
    adapter: str
    environment: str
    real_money: bool
    ok: bool
    state: str
    cause: str
    assets: tuple[str, ...]
    rights: KeyRights | None
    warnings: tuple[str, ...]

    @property
    def text(self) -> str:
        """Return it as a person reads it."""
        money = "REAL MONEY" if self.real_money else "no real money"
        lines = [
            f"{self.account}: {self.adapter}, {self.environment or 'its safest environment'}, {money}: {self.state}"
        ]
        if self.cause:
            lines.append(f"  {self.cause}")
        if self.ok:
            lines.append(f"  assets: {', '.join(self.assets) or 'none'}")
        lines += [f"  {line}" for line in _rights_lines(self.rights)]
        return "\n".join([*lines, *(f"  warning: {warning}" for warning in self.warnings)])


class _Heard:
    """What an adapter told.

    Thread: `put` any; `wait` the one that made it.
    """

    def __init__(self, clock: Clock) -> None:
        self.state, self.cause = AdapterState.DISCONNECTED, ""
        self.assets: tuple[str, ...] = ()
        self.warnings: list[str] = []
        self._clock = clock
        self._waiting: SimpleQueue[object] = SimpleQueue()

    def put(self, event: object) -> None:
        """Keep an event."""
        self._waiting.put(event)

    def wait(self, seconds: float) -> None:
        """Hear until the account is ready or has failed, or the time is over.

        Blocks: at most `seconds`.
        """
        until_ns = self._clock.monotonic_ns() + int(seconds * 1e9)
        while self.state not in _ENDED and (left_ns := until_ns - self._clock.monotonic_ns()) > 0:
            try:
                self._hear(self._waiting.get(timeout=left_ns / 1e9))
            except Empty:
                return

    def _hear(self, event: object) -> None:
        if isinstance(event, AdapterStatus):
            self.state, self.cause = event.state, event.cause or self.cause
        elif isinstance(event, AccountData):
            self.assets = tuple(sorted(balance.asset for balance in event.balances if balance.total))
        elif isinstance(event, RequestFailed):
            self.warnings.append(f"{event.what}: {event.error}")


def try_keys(path: Path, account: str, seconds: float, store: SecretStore) -> Outcome:
    """Connect one account of a configuration, or all in turn; it failed when one of them did.

    Blocks: at most `seconds` for each, and for its end.

    Raises:
        ConfigError: the configuration is wrong, or a secret is missing.
    """
    config = load_config(path)
    if account and account not in config.accounts:
        raise ConfigError(f"{path} has no account {account}; it has: {', '.join(config.accounts) or 'none'}")
    found = [_tested(config, name, seconds, store) for name in ([account] if account else config.accounts)]
    ok = bool(found) and all(one.ok for one in found)
    text = "\n".join(one.text for one in found) or f"{path} has no account"
    return Outcome({"accounts": [msgspec.to_builtins(one) for one in found], "ok": ok}, text, DONE if ok else FAILED)


def _tested(config: Config, name: str, seconds: float, store: SecretStore) -> KeyTest:
    clock, permit = SystemClock(), SendPermit()
    permit.close(_NO_TRADES)
    heard = _Heard(clock)
    adapter = AccountAdapters(config, heard, permit, clock, os.environ, store).make(name)
    if adapter.trades:
        adapter.connect()
        try:
            heard.wait(seconds)
        finally:
            adapter.close(_CLOSE_S)
    return _outcome(config, name, adapter, heard)


def _outcome(config: Config, name: str, adapter: BaseAdapter, heard: _Heard) -> KeyTest:
    venue = account_venue(config, name)
    ok = heard.state is AdapterState.READY
    cause = "" if ok else heard.cause
    if not adapter.trades:
        missing = " and ".join(adapter.secret_names)
        cause = f"it has no keys: keep {missing} with `foxtrot keys set {name}`" if missing else "it takes no keys"
    elif heard.state not in _ENDED:
        cause = f"not ready in time{cause and f': {cause}'}"
    return KeyTest(
        account=name,
        adapter=venue.adapter,
        environment=venue.environment or adapter.safest_environment,
        real_money=venue.real_money,
        ok=ok,
        state=str(heard.state),
        cause=cause,
        assets=heard.assets,
        rights=adapter.key_rights,
        warnings=tuple(dict.fromkeys(heard.warnings)),
    )


def _rights_lines(rights: KeyRights | None) -> list[str]:
    if rights is None:
        return ["what the key may do: the venue did not tell"]
    transfers = None if rights.transfers is None else ", ".join(rights.transfers) or "no"
    return [
        f"may trade: {_word(rights.trades)}",
        f"may withdraw: {_word(rights.withdraws)}",
        f"may transfer: {'not told' if transfers is None else transfers}",
        f"bound to addresses: {_word(rights.address_bound)}",
    ]


def _word(told: bool | None) -> str:
    return "not told" if told is None else "yes" if told else "no"
