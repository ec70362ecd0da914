"""Closing what strategies own without a platform: a line of its own, in one thread, that does nothing else.

Who owns what comes from the journal, which is only read; without one from our fills at the venue, by the ids of their orders.
"""

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.app.config import Config
from foxtrot.app.platform_journal import NAME, accounts_that_end
from foxtrot.core.clock import Clock
from foxtrot.core.commands import KillSwitch
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import RequestFailed, StrategyStatus
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import PEOPLE
from foxtrot.domain.errors import ConfigError, FoxtrotError, InputError
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.storage.journal_reader import JournalView, read_only
from foxtrot.storage.journal_records import JournalRecord, Snapshot
from foxtrot.strategy.exits import is_sellable
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.trading.dust import why_dust
from foxtrot.trading.order_ids import make_run_id
from foxtrot.trading.portfolio import PositionKey
from foxtrot.trading.position import Position
from foxtrot.trading.restored_state import RestoredState, fold
from foxtrot.trading.snapshots import asked_since_ns

WITHOUT_JOURNAL_NS = 7 * 86_400 * 1_000_000_000
"""How far back fills are asked for where no journal tells what strategies own."""
Json = dict[str, object]


class Ownership(msgspec.Struct, frozen=True):
    """What is known of who owns what before the venues are asked, and where it comes from."""

    restored: RestoredState | None
    source: str
    now_ns: int

    def fills_since_ns(self, account: str) -> int:
        """Return from when on the fills of an account are needed."""
        if self.restored is None or not self.restored.last_fill_ns.get(account, 0):
            return max(0, self.now_ns - WITHOUT_JOURNAL_NS)
        return asked_since_ns(self.restored, account)


def ownership_of(config: Config, home: Path, clock: Clock) -> Ownership:
    """Return who owns what by the journal of a platform; a damaged one is as good as none, and `source` says so.

    Blocks: for the disk.
    """
    path, now_ns = config.data_dir(home) / NAME, clock.now_ns()
    cause = f"there is no journal {path}"
    if path.exists():
        try:
            return Ownership(_by_journal(config, path), f"the journal {path}", now_ns)
        except InputError as error:
            cause = f"the journal cannot be used ({error})"
    days = WITHOUT_JOURNAL_NS // 86_400_000_000_000
    source = f"{cause}: our fills of the last {days} days, by the ids of their orders; what is older is not known"
    return Ownership(None, source, now_ns)


def _by_journal(config: Config, path: Path) -> RestoredState:
    view = read_only(path)
    try:
        state = fold(_since_snapshot(view)).without(accounts_that_end(config))
    except msgspec.MsgspecError as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    finally:
        view.close()
    state.decisions.protections.clear()  # whose stops would act beside the closing
    return state


class ColdFlatten:
    """Closes positions by the same kill switch that a platform has.

    Thread: the caller's.
    """

    def __init__(
        self, config: Config, owned: Ownership, adapters: Mapping[str, BaseAdapter], permit: SendPermit, clock: Clock
    ) -> None:
        self._dispatcher = dispatcher = Dispatcher(clock)
        self._clock = clock
        self._source = owned.source
        self._told: list[str] = []
        self._begun = False
        self._run_id = make_run_id(clock.now_ns(), secrets.randbits(16))
        settings = LineSettings(
            run_id=self._run_id,
            base_currency=config.platform.base_currency,
            limits=config.limit_table(),
            modes={name: account.position_mode for name, account in config.accounts.items()},
            reconcile=config.reconcile.settings(),
        )
        try:
            self._line = Line(dispatcher, permit, settings, restored=owned.restored)
            for name in config.strategies:
                self._line.desk.strategy_ids.add(name)
        except FoxtrotError as error:
            raise ConfigError(f"what strategies own cannot be told: {error}") from None
        for adapter in adapters.values():
            self._line.add_adapter(adapter)
        dispatcher.subscribe(RequestFailed, self._on_failure, owner="cold_flatten")
        dispatcher.subscribe(StrategyStatus, self._on_status, owner="cold_flatten")
        self._line.start_housekeeping()

    @property
    def is_done(self) -> bool:
        """Tell whether every position that was to be closed is closed."""
        standing = self._line.kill.standing()
        done = standing is not None and not (
            standing.closing or standing.waiting or standing.entries or standing.not_ready
        )
        return self._begun and done and not self._unreconciled()

    def begin(self, reason: str, who: str, *, everything: bool) -> None:
        """Close the gate; positions follow as soon as every account is reconciled."""
        self._line.gate.close(reason, who, lasting=True, killed=True)
        self._wish = KillSwitch(reason, who, flatten=True, everything=everything)
        self.step()

    def put(self, event: object) -> None:
        """Take what an adapter tells."""
        self._dispatcher.put(event)

    def step(self) -> None:
        """Handle what has come and is due; the closing begins when positions are certain everywhere."""
        self._dispatcher.drain()
        self._dispatcher.fire_timers(self._clock.monotonic_ns())
        if not self._unreconciled():
            self.sell()

    def sell(self) -> None:
        """Begin to close, once: where positions are not certain yet it waits for its account."""
        if not self._begun:
            self._begun = True
            self._watch_prices()
            self._dispatcher.put(self._wish)
            self._dispatcher.drain()

    def result(self) -> Json:
        """Return what came of it: what is held still, by whom, and why; `dust` is what was to be closed and no order can close."""
        held = [_told_of(key, position) for key, position in self._held()]
        dust = [
            {**_told_of(key, position), "why": why_dust(position, self._line.view)}
            for key, position in self._held()
            if self._is_meant(key[0]) and why_dust(position, self._line.view)
        ]
        fills = [trade for name in self._line.adapters for trade in self._line.desk.fills(name)]
        sold = [
            {
                "instrument_id": t.instrument_id,
                "account": t.account,
                "side": str(t.side),
                "quantity": t.quantity,
                "price": t.price,
            }
            for t in fills
            if f"-{self._run_id}-" in t.order_id
        ]
        left = self._left()
        return {
            "owned_by": self._source,
            "held": held,
            "dust": dust,
            "sold": sold,
            "left": left,
            "told": self._told[-20:],
        }

    def _left(self) -> list[str]:
        standing = self._line.kill.standing()
        if standing is None:
            return []
        closing = [f"the position of {name} is not closed yet" for name in standing.closing]
        unsold = [
            f"{position.exact_quantity.normalize():f} {key[2]} of {key[0]} on {key[1]} could be closed and was not"
            for key, position in self._held()
            if self._is_meant(key[0]) and key[0] not in standing.closing and not why_dust(position, self._line.view)
        ]
        return [*closing, *unsold, *standing.waiting, *self._unreconciled()]

    def _held(self) -> Iterator[tuple[PositionKey, Position]]:
        for key, position in self._line.portfolio.positions():
            if position.exact_quantity and is_sellable(position):
                yield key, position

    def _is_meant(self, owner: str) -> bool:
        """Tell whether positions of an owner are to be closed."""
        return self._wish.everything or owner not in PEOPLE

    def _unreconciled(self) -> list[str]:
        gate = self._line.gate
        return [
            f"account {name} is not reconciled" for name in self._line.adapters if gate.blocked(name, "", "reconcile")
        ]

    def _watch_prices(self) -> None:
        """Let prices be told of what is held: an order at the market is checked against them."""
        for (_, account, instrument_id, _), position in self._line.portfolio.positions():
            if position.exact_quantity and account in self._line.adapters:
                self._line.adapters[account].subscribe(SubscribeRequest(instrument_id))

    def _on_failure(self, failure: RequestFailed) -> None:
        self._told.append(f"{failure.account}: {failure.what}: {failure.error}")

    def _on_status(self, status: StrategyStatus) -> None:
        if status.reason:
            self._told.append(f"{status.strategy_id}: {status.reason}")


def _told_of(key: PositionKey, position: Position) -> dict[str, str]:
    owner, account, instrument_id, _ = key
    return {
        "owner": owner,
        "account": account,
        "instrument_id": instrument_id,
        "quantity": str(position.exact_quantity),
    }


def _since_snapshot(view: JournalView) -> list[JournalRecord]:
    """Return the records that a start needs, oldest first."""
    found: list[JournalRecord] = []
    for one in view.newest_first():
        found.append(one.record)
        if type(one.record) is Snapshot:
            break
    found.reverse()
    return found
