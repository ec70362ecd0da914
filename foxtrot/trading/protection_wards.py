"""Every protection in memory, and what each hears: orders, fills, prices, timers, the gate, connections."""

from collections import deque
from collections.abc import Iterator

from msgspec.structs import replace

from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import AccountAdjusted, AdapterStatus, GateChanged, OrderChanged, TimerFired, TradeBooked
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.domain.market import BarData, MarketTrade, TickData
from foxtrot.trading.portfolio import PositionKey
from foxtrot.trading.protection_desk import ProtectionDesk
from foxtrot.trading.protection_refusals import OWNER
from foxtrot.trading.protection_state import Cause, Step
from foxtrot.trading.protection_ward import Ward
from foxtrot.trading.protection_watch import Prices, better_mark, prices_of, prices_of_tick, touched

PAST = 1000
"""So many entries are remembered after their protection is over, for fills that are heard late."""


class Wards:
    """Protected positions by key.

    Thread: the dispatcher's.
    """

    def __init__(self, dispatcher: Dispatcher, hands: ProtectionDesk) -> None:
        self.all: dict[PositionKey, Ward] = {}
        self._dispatcher = dispatcher
        self._hands = hands
        self._heard: set[str] = set()
        self._past: deque[tuple[str, Ward]] = deque(maxlen=PAST)
        dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER, core=True)
        dispatcher.subscribe(TradeBooked, self.on_trade_booked, owner=OWNER, core=True)
        dispatcher.subscribe(TimerFired, self.on_timer, owner=OWNER, key=OWNER, core=True)
        dispatcher.subscribe(GateChanged, self.on_gate_changed, owner=OWNER, core=True)
        dispatcher.subscribe(AdapterStatus, self.on_adapter_status, owner=OWNER, core=True)
        dispatcher.subscribe(AccountAdjusted, self.on_account_adjusted, owner=OWNER, core=True)

    def advance(self, ward: Ward) -> None:
        """Let a protection take what steps it can; one that is over is forgotten, one that watches prices hears them from now on."""
        if not self._hands.advance(ward):
            self.all.pop(ward.state.key, None)
            self._past.extend((order_id, ward) for order_id in ward.entered)
        elif ward.watches and ward.state.instrument_id not in self._heard:
            name = ward.state.instrument_id
            self._heard.add(name)
            self._dispatcher.subscribe(TickData, self.on_price, owner=OWNER, key=name, core=True)
            self._dispatcher.subscribe(MarketTrade, self.on_price, owner=OWNER, key=name, core=True)
            self._dispatcher.subscribe(BarData, self.on_price, owner=OWNER, key=name, core=True)

    def _look(self, key: PositionKey) -> None:
        ward = self.all.get(key)
        if ward is not None:
            self.advance(ward)

    def _try_again(self, ward: Ward) -> None:
        self._hands.unpause(ward)
        self.advance(ward)

    def of(self, account: str) -> Iterator[Ward]:
        """Yield the protections of an account, or of all for ""."""
        for ward in list(self.all.values()):
            if account in ("", ward.state.account):
                yield ward

    # --- what happens -----------------------------------------------------------------------------------------------

    def on_order_changed(self, change: OrderChanged) -> None:
        """Take the next step when an order of a protected position changed."""
        order = change.order
        if self.all:
            self._look((change.strategy_id, order.account, order.instrument_id, order.position_side))

    def on_trade_booked(self, booked: TradeBooked) -> None:
        """Follow the filled quantity."""
        trade = booked.trade
        key = (booked.strategy_id, trade.account, trade.instrument_id, trade.position_side)
        if booked.late and key not in self.all:
            self._revive(key, trade.order_id)
        elif self.all:
            self._look(key)

    def _revive(self, key: PositionKey, order_id: str) -> None:
        """Protect what an entry brings that was thought to be over."""
        ward = next((ward for name, ward in self._past if name == order_id and ward.state.key == key), None)
        if ward is not None and self._hands.held_units(key, ward.state.sign):
            ward.kept = None
            ward.take(replace(ward.state, step=Step.ARMED, cause=Cause.NONE, mark_units=0, refusals=0, reason=""))
            self.all[key] = ward
            self.advance(ward)

    def on_timer(self, timer: TimerFired) -> None:
        """Try again what was refused."""
        for ward in list(self.all.values()):
            if ward.timer_id == timer.timer_id:
                self._try_again(ward)

    def on_gate_changed(self, change: GateChanged) -> None:
        """Try again what a closed gate refused, once it lets reducing orders through."""
        if change.state is not GateState.HALTED:
            for ward in self.of(change.account):
                if change.instrument_id in ("", ward.state.instrument_id):
                    self._try_again(ward)

    def on_adapter_status(self, status: AdapterStatus) -> None:
        """Try again what a lost connection refused."""
        if status.state is AdapterState.READY:
            for ward in self.of(status.account):
                self._try_again(ward)

    def on_account_adjusted(self, notice: AccountAdjusted) -> None:
        """Follow a position that moved without a fill."""
        for ward in self.of(notice.account):
            self.advance(ward)

    def on_price(self, fact: TickData | MarketTrade | BarData) -> None:
        """Touch the legs that are watched here."""
        for ward in list(self.all.values()):
            if ward.state.instrument_id == fact.instrument_id and ward.watches:
                self._see(ward, fact)

    def _see(self, ward: Ward, fact: TickData | MarketTrade | BarData) -> None:
        state = ward.state
        if state.step is not Step.ARMED or not self._hands.held_units(state.key, state.sign):
            return
        to_units, prices = ward.instrument.price_grid.round, _prices_of(ward, fact)
        worst, best, now = (to_units(price) if price > 0.0 else 0 for price in (prices.worst, prices.best, prices.now))
        cause = touched(state, ward.watches, worst, now)
        if not cause and Cause.TRAILING in ward.watches:
            mark = better_mark(state, best)
            if mark != state.mark_units:
                ward.state = replace(state, mark_units=mark)
                cause = touched(ward.state, ward.watches, now if isinstance(fact, BarData) else 0, 0)
                self._hands.keep(ward)
        early = cause is Cause.TAKE_PROFIT and self._dispatcher.clock.monotonic_ns() < ward.take_after_ns
        kept_at_venue = bool(state.legs) and not self._hands.may_send(state)
        if cause and not early and not kept_at_venue:
            self._hands.begin_exit(ward, cause)
            self.advance(ward)
        elif not cause and self._hands.pair_again(ward):
            self.advance(ward)


def _prices_of(ward: Ward, fact: TickData | MarketTrade | BarData) -> Prices:
    long = ward.state.long
    if not isinstance(fact, TickData):
        return prices_of(fact, long=long)
    tape, ward.tape = ward.tape, (fact.last_price, fact.volume)
    return prices_of_tick(fact, fact.last_price if tape not in ((0.0, 0.0), ward.tape) else 0.0, long=long)
