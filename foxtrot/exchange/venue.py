"""The embedded venue as one passive object: commands in, numbered events out, nothing else moves it."""

from collections.abc import Callable, Collection
from typing import Never

from foxtrot.exchange.account_settings import AccountSettings
from foxtrot.exchange.audit import validate
from foxtrot.exchange.cashier import Cashier
from foxtrot.exchange.clockwork import Clockwork
from foxtrot.exchange.commands import (
    AddInstrument,
    AdvanceTime,
    AmendOrder,
    CancelAll,
    CancelOrder,
    Deposit,
    ExpireOrder,
    FillOrder,
    OpenAccount,
    PlaceOrder,
    PlacePair,
    SetFeePlan,
    SetFundingRate,
    SetLeverage,
    SetMarginRates,
    SetMarkPrice,
    SetPositionMode,
    SetTradingState,
    TakeSnapshot,
    TriggerOrder,
    VenueCommand,
    Withdraw,
)
from foxtrot.exchange.event_stream import Sink
from foxtrot.exchange.events import SnapshotTaken
from foxtrot.exchange.external_fills import ExternalFills
from foxtrot.exchange.floor import Floor
from foxtrot.exchange.liquidation import Liquidation
from foxtrot.exchange.listing import Listing
from foxtrot.exchange.order_entry import OrderEntry
from foxtrot.exchange.order_life import OrderLife
from foxtrot.exchange.pair_entry import PairEntry
from foxtrot.exchange.queries import VenueQueries
from foxtrot.exchange.result import DONE, CommandResult
from foxtrot.exchange.snapshot import restore_state, take_snapshot
from foxtrot.exchange.state_hash import state_hash
from foxtrot.exchange.venue_state import VenueState

_Handler = Callable[[Never], CommandResult]


class Venue(VenueQueries):
    """Instruments, accounts and matching. Deterministic: the same commands give the same events and the same state.

    The sink is called in the middle of a command and must not call back into the venue.

    Thread: belongs to whoever made it; not shared.
    """

    def __init__(self, sink: Sink) -> None:
        state = VenueState(sink)
        life = OrderLife(state)
        super().__init__(state, life.margin)
        floor = Floor(life)
        self._liquidation = Liquidation(floor)
        self._clockwork = Clockwork(life, self._settle)
        self._handlers = self._table(floor, life)

    def execute(self, command: VenueCommand) -> CommandResult:
        """Let what is due by the command's time happen, then do the command.

        Returns:
            Whether it was done, or which part refused it and why. Nothing is raised for what a customer does.
        """
        stream = self._state.stream
        time_ns = command.time_ns
        if time_ns > stream.time_ns:
            timers = self._clockwork.timers
            if timers and timers[0][0] <= time_ns:
                self._clockwork.run(time_ns)
            stream.time_ns = time_ns
        result = self._handlers[type(command)](command)  # type: ignore[arg-type]  # the table pairs them
        state = self._state
        if state.moved_marks or state.touched_balances or state.touched_positions:
            self._settle()
        return result

    def next_timer_ns(self) -> int | None:
        """Return when something happens by itself next (expiry, funding, settlement), None when never."""
        return self._clockwork.next_ns()

    def state_hash(self) -> str:
        """Return the canonical hash of the state, the same for any implementation."""
        return state_hash(self._state)

    def validate(self) -> None:
        """Check every invariant: money conserved to the last unit, locks, books, positions.

        Raises:
            InvariantBroken: the first that does not hold.
        """
        validate(self._state)

    def snapshot(self, forgotten: Collection[str] = ()) -> bytes:
        """Return the whole state as MessagePack, without the past orders and fills of accounts to be forgotten."""
        return take_snapshot(self._state, forgotten)

    @classmethod
    def restore(cls, snapshot: bytes, sink: Sink) -> "Venue":
        """Return a venue that goes on exactly where the snapshot was taken.

        Raises:
            InputError: the bytes are not a snapshot of this version.
        """
        venue = cls(sink)
        restore_state(venue._state, snapshot)
        venue._clockwork.rebuild()
        return venue

    def take_up(self, snapshot: bytes) -> None:
        """Go on from a snapshot, in place: whoever holds this venue sees what it is now; its sink stays.

        Raises:
            InputError: the bytes are not a snapshot of this version; nothing has changed.
        """
        restored = Venue.restore(snapshot, self._state.stream.sink)
        # All parts of the restored venue share one state, which becomes this one's as well.
        vars(self).update(vars(restored))

    def _settle(self) -> None:
        state = self._state
        if state.moved_marks:
            self._liquidation.check_marks()
        if state.touched_balances or state.touched_positions:
            state.flush()

    def _table(self, floor: Floor, life: OrderLife) -> dict[type[VenueCommand], _Handler]:
        entry = OrderEntry(floor, self._clockwork)
        outside = ExternalFills(floor)
        cashier = Cashier(self._state, life.margin)
        settings = AccountSettings(self._state, life.margin)
        listing = Listing(life, self._clockwork)
        return {
            PlaceOrder: entry.place,
            PlacePair: PairEntry(entry).place,
            AmendOrder: entry.amend,
            CancelOrder: entry.cancel,
            CancelAll: entry.cancel_all,
            FillOrder: outside.fill,
            TriggerOrder: outside.trigger,
            ExpireOrder: outside.expire,
            OpenAccount: cashier.open_account,
            SetPositionMode: settings.set_position_mode,
            SetLeverage: settings.set_leverage,
            Deposit: cashier.deposit,
            Withdraw: cashier.withdraw,
            AddInstrument: listing.add,
            SetMarkPrice: listing.set_mark_price,
            SetFundingRate: listing.set_funding_rate,
            SetMarginRates: listing.set_margin_rates,
            SetFeePlan: listing.set_fee_plan,
            SetTradingState: listing.set_trading_state,
            AdvanceTime: _advance,
            TakeSnapshot: self._mark,
        }

    def _mark(self, _command: TakeSnapshot) -> CommandResult:
        stream = self._state.stream
        stream.sink(SnapshotTaken(stream.next(), stream.time_ns, self.state_hash()))
        return DONE


def _advance(_command: AdvanceTime) -> CommandResult:
    return DONE
