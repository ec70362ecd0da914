"""Protections: stops, take-profits, trailing stops and brackets, kept for the position they belong to.

One protection belongs to one position of one owner. Which leg rests at the venue says `venue_leg`; the others are watched here
and close the position when they are touched. Each change is written down before its orders leave, read back by the next run and
armed again before strategies start.
"""

from collections.abc import Callable, Iterable

import msgspec
from msgspec.structs import replace

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountReconciled
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.storage.journal_records import ProtectionKept
from foxtrot.trading.gate import Gate
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio, PositionKey
from foxtrot.trading.protection_cover import NAKED, Cover
from foxtrot.trading.protection_desk import ProtectionDesk
from foxtrot.trading.protection_refusals import OWNER
from foxtrot.trading.protection_restart import found_again
from foxtrot.trading.protection_state import (
    Cause,
    Protection,
    ProtectionTerms,
    Step,
    decode_protection,
    protection_id,
    terms_of,
    wished,
)
from foxtrot.trading.protection_ward import Ward
from foxtrot.trading.protection_wards import Wards


class ProtectionView(msgspec.Struct, frozen=True, gc=False):
    """How a position is protected now: in words, by which wishes, and by which orders at the venue.

    `trailing_stop` is the price a trailing stop that is watched here stands at, 0.0 where there is none.
    """

    protection: str
    reason: str
    terms: ProtectionTerms
    trailing_stop: float
    order_ids: tuple[str, ...]


class Protections:
    """Every protection of a platform, by position.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._dispatcher = dispatcher
        self._desk = desk
        self._portfolio = portfolio
        self._hands = ProtectionDesk(dispatcher, desk, portfolio)
        self._wards = Wards(dispatcher, self._hands)
        self._restored: dict[str, Protection] = {}
        dispatcher.subscribe(AccountReconciled, self.on_account_reconciled, owner=OWNER, core=True)

    @property
    def gate(self) -> Gate | None:
        """Return the gate that is asked before anything is withdrawn from the venue."""
        return self._hands.gate

    @gate.setter
    def gate(self, gate: Gate) -> None:
        self._hands.gate = gate

    # --- wishes -----------------------------------------------------------------------------------------------------

    def protect(self, key: PositionKey, terms: ProtectionTerms) -> None:
        """Protect a position that stands, or change how it is protected.

        Raises:
            OrderRefused: there is no position, it is being closed, or the terms are wrong.
        """
        position = self._portfolio.position(*key)
        if position is None or not position.whole_units:
            raise OrderRefused("protection", "a position to protect", f"{key[0]} holds no {key[2]}")
        ward = self._ward(key, long=position.quantity > 0)
        ward.take(wished(ward.state, terms, ward.instrument))
        self._take_in(ward)

    def enter(self, key: PositionKey, *, long: bool, terms: ProtectionTerms, send: Callable[[], str]) -> str:
        """Send an entry whose position is protected from its first fill on, and return the entry's id.

        Args:
            key: the position that the entry opens or adds to.
            long: whether it buys.
            terms: hold for all of the position; those of an earlier entry are replaced.
            send: sends the entry. When it is denied at once, or raises, nothing changes.

        Raises:
            OrderRefused: the terms are wrong, the position is being closed, or its protection is for the other side.
        """
        before = self._wards.all.get(key)
        was = before.state if before is not None else None
        ward = self._ward(key, long=long)
        ward.take(replace(wished(ward.state, terms, ward.instrument), enters=True))
        self._wards.all[key] = ward
        self._hands.keep(ward)  # the wish is on disk before its entry is
        order_id = ""
        try:
            order_id = send()
        finally:
            if order_id and order_id not in self._desk.denied:
                ward.take(replace(ward.state, entries=(*ward.state.entries, order_id), enters=False))
            else:
                ward.take(replace(ward.state, enters=False) if was is None else was)
            self._take_in(ward)
        return order_id

    def unprotect(self, key: PositionKey) -> bool:
        """Forget a protection and cancel its orders; False when there is none."""
        ward = self._wards.all.pop(key, None)
        if ward is None:
            return False
        self._hands.drop(ward)
        return True

    def close(self, key: PositionKey) -> bool:
        """Close a protected position: withdraw what rests at the venue, then sell; False when it is not protected."""
        ward = self._wards.all.get(key)
        if ward is None or not self._hands.held_units(key, ward.state.sign):
            return False
        if ward.state.step is not Step.EXITING or ward.state.cause is Cause.TAKE_PROFIT:
            self._hands.begin_exit(ward, Cause.CLOSE)
            self._wards.advance(ward)
        return True

    def release(self, owner: str = "", account: str = "") -> int:
        """Forget the protections of an owner, an account or all, because their positions are closed by somebody else."""
        keys = [key for key in self._wards.all if owner in ("", key[0]) and account in ("", key[1])]
        return sum(self.unprotect(key) for key in keys)

    # --- reading ----------------------------------------------------------------------------------------------------

    def may_withdraw(self, key: PositionKey) -> bool:
        """Tell whether a closing order would leave, for which a position gives up its protection; true where it has none."""
        ward = self._wards.all.get(key)
        return ward is None or self._hands.may_send(ward.state)

    def view(self, key: PositionKey) -> ProtectionView | None:
        """Return how a position is protected by a protection, or None when it has none."""
        ward = self._wards.all.get(key)
        if ward is None:
            return None
        state, cover = ward.state, self.cover(key)
        level = state.trail_level if Cause.TRAILING in ward.watches else 0
        trailing = ward.instrument.price_grid.to_float(level)
        return ProtectionView(cover.protection, cover.reason, terms_of(state, ward.instrument), trailing, state.legs)

    def cover(self, key: PositionKey) -> Cover:
        """Return in words how a position is protected, whoever protects it."""
        found = self._hands.cover(key, self._wards.all.get(key), self._portfolio.position(*key))
        if found.protection == NAKED and protection_id(key) in self._restored:
            return Cover(NAKED, "its protection is armed again once the account is reconciled")
        return found

    def cover_without_us(self, key: PositionKey) -> Cover:
        """Return in words how a position is protected once this process is gone: by what rests at the venue alone."""
        found = self._hands.cover(key, None, self._portfolio.position(*key))
        ward = self._wards.all.get(key)
        if found.protection == NAKED and ward is not None:
            kept = (
                "armed again at the next start" if self._desk.journal.keeps_reports else "forgotten with this process"
            )
            return Cover(NAKED, f"what was watched here is {kept}")
        return found

    def orders_of(self, owner: str) -> frozenset[str]:
        """Return the ids of the protective orders of an owner."""
        found = [ward.state for ward in self._wards.all.values() if ward.state.owner == owner]
        return frozenset(name for state in found for name in (*state.legs, state.exit_id) if name)

    # --- over a restart ---------------------------------------------------------------------------------------------

    def restore(self, records: Iterable[ProtectionKept]) -> None:
        """Take what an earlier run wrote down, oldest first.

        Raises:
            ConfigError: a record cannot be read.
        """
        for record in records:
            if record.state:
                self._restored[record.protection_id] = decode_protection(record.state)
            else:
                self._restored.pop(record.protection_id, None)

    def rearm(self, account: str = "") -> int:
        """Let restored protections of an account, or of all, stand again, and return how many.

        Its orders and positions must be known: call it once the account is reconciled, before strategies start.
        """
        due = [(name, state) for name, state in self._restored.items() if account in ("", state.account)]
        for name, state in due:
            instrument = self._portfolio.instruments.get(state.instrument_id)
            adapter = self._desk.adapters.get(state.account)
            if instrument is None or adapter is None:
                continue  # it stays written down; its account or instrument may come back
            del self._restored[name]
            ward = Ward(state, instrument, adapter.capabilities)
            ward.kept = state
            ward.take(found_again(ward, self._hands, self._desk))
            self._take_in(ward)
        return len(due)

    def on_account_reconciled(self, notice: AccountReconciled) -> None:
        """Arm what an earlier run wrote down, and look at every protection of an account that was compared with its venue.

        This is heard before strategies start, for they wait for the same notice.
        """
        if not notice.error:
            self.rearm(notice.account)
        for ward in self._wards.of(notice.account):
            self._hands.ask_again(ward)
            self._wards.advance(ward)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _ward(self, key: PositionKey, *, long: bool) -> Ward:
        owner, account, instrument_id, side = key
        ward = self._wards.all.get(key)
        if ward is None or (ward.state.long != long and not self._hands.held_units(key, ward.state.sign)):
            if ward is not None:
                self.unprotect(key)
            instrument: Instrument = self._portfolio.instruments[instrument_id]
            state = Protection(owner, account, instrument_id, side, long)
            return Ward(state, instrument, self._desk.adapters[account].capabilities)
        if ward.state.long != long:
            raise OrderRefused(
                "protection", "the position closed first", f"{instrument_id} is protected on the other side"
            )
        if ward.state.step is Step.EXITING:
            raise OrderRefused("protection", "a position that is not being closed", str(ward.state.cause))
        return ward

    def _take_in(self, ward: Ward) -> None:
        self._wards.all[ward.state.key] = ward
        self._wards.advance(ward)
