"""The world of protections on a spot market whose venue keeps pairs: one's first fill or trigger ends the other."""

from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.instrument import Grid
from foxtrot.storage.journal_records import Intent, ProtectionKept, decode_record
from foxtrot.trading.protection_state import Protection, decode_protection
from tests.support.builders import a_spot, changed
from tests.support.pair_floor import PairAdapter, PairFloor
from tests.support.protection_world import AtVenue, ProtectionWorld

S = OrderStatus


class PairWorld(ProtectionWorld):
    """As its base; `disturbed` tells that something happened for which a stop may rightly stand without its take-profit."""

    floor_class = PairFloor

    def __init__(self) -> None:
        self.disturbed = False
        super().__init__(a_spot(price_grid=Grid.of("0.1"), quantity_grid=Grid.of("0.001")))

    def _begin(self) -> None:
        super()._begin()
        self._paired = 0

    def collect(self) -> None:
        """Let what was sent arrive at the venue, pairs as two orders that know each other."""
        self.floor.dispatcher.drain()
        adapter = self.floor.adapter
        assert isinstance(adapter, PairAdapter)
        for pair in adapter.pairs[self._paired :]:
            one, other = (AtVenue(order, self.instrument) for order in pair)
            one.partner, other.partner = other, one
            for order, leg in zip(pair, (one, other), strict=True):
                assert order.order_id not in self.orders, "a pair is sent once"
                self.orders[order.order_id] = leg
        self._paired = len(adapter.pairs)
        super().collect()

    # --- what the venue does ----------------------------------------------------------------------------------------

    def accept(self, one: AtVenue) -> None:
        super().accept(one)
        if one.partner is not None:
            super().accept(one.partner)

    def reject(self, one: AtVenue) -> None:
        """Refuse an order; of a pair both."""
        if one.partner is not None and one.status is S.SUBMITTED:
            self.disturbed = True
            super().reject(one.partner)
        super().reject(one)

    def end(self, one: AtVenue) -> None:
        """End an order, of a pair both, because it was asked for or because somebody else did it."""
        if one.left and one.partner is not None:
            self.disturbed |= not (one.cancel_wanted or one.partner.cancel_wanted)
            if one.partner.left:
                self._move(one.partner, S.CANCELLED)
        super().end(one)

    def trigger(self, one: AtVenue) -> None:
        """Let the market reach a stop: its partner is gone, and it sells from now on."""
        if one.left and one.order.order_type is OrderType.STOP and not one.triggered:
            self.accept(one)
            one.triggered = True
            self._end_partner(one)

    def fill(self, one: AtVenue, lots: int) -> None:
        """Fill an order; the first fill of one of a pair ends the other."""
        if one.left and lots > 0:
            self.trigger(one)
            self._end_partner(one)
        super().fill(one, lots)

    def tell(self, one: AtVenue, status: OrderStatus, rule: str = "") -> None:
        """Let an order end for no reason but a rule, and be told of at once; the other of its pair is another call."""
        self.disturbed = True
        one.status = status
        self.floor.put(changed(self.report(one), rule=rule))
        self.collect()

    def _end_partner(self, one: AtVenue) -> None:
        if one.partner is not None and one.partner.left:
            self._move(one.partner, S.EXPIRED)

    # --- what is heard ----------------------------------------------------------------------------------------------

    def crash(self, *, torn: bool) -> None:
        """As its base; what is `torn` may lack the second intent of a pair too, if no venue has done anything with it."""
        if torn:
            self._unsend_last_pair()
        super().crash(torn=torn)

    def _unsend_last_pair(self) -> None:
        """Let the last pair never have left, because the run ended before its second intent was durable."""
        records = [decode_record(line) for line in self.lines]
        last = max(at for at, record in enumerate(records) if isinstance(record, Intent))
        order = records[last].order  # type: ignore[union-attr]
        one = self.orders.get(order.order_id)
        if one is None or one.partner is None or {one.status, one.partner.status} != {S.SUBMITTED}:
            return
        del self.orders[order.order_id], self.orders[order.pair_id]
        self.lines[last:] = []

    def settle(self, rounds: int = 40) -> None:
        """As its base; and the market moves once more when every order has stood for a while."""
        super().settle(rounds)
        self.quote(100.0)
        super().settle(rounds // 3)

    # --- what is true -----------------------------------------------------------------------------------------------

    @property
    def kept(self) -> Protection:
        """The protection as it was written down last."""
        states = [r.state for r in map(decode_record, self.lines) if isinstance(r, ProtectionKept) and r.state]
        return decode_protection(states[-1])

    def check_settled(self) -> None:
        """As its base; and each stop has its take-profit beside it where one is wished for, or something happened to a pair."""
        super().check_settled()
        if not self.position:
            return
        state = self.kept
        targets = [one for one in self.closing if one.order.order_type is OrderType.LIMIT]
        assert all(one.partner is not None and one.partner.left == one.left for one in targets), self.story()
        assert {one.order.price_units for one in targets} <= {state.take_units}, self.story()
        assert self.disturbed or not state.apart, (state, self.story())
        assert not state.reached, (state, self.story())
        if state.take_units and not state.apart:
            assert sum(one.left for one in targets) == self.position, (state, self.story())
