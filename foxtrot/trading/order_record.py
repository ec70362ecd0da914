"""The desk's record of one order: its terms, and what messages in any order and number make of it."""

from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, OrderData, TradeData
from foxtrot.domain.order_state import OPEN, OUR_WORD, TERMINAL, TOLD_BY_VENUE, merge_status
from foxtrot.trading.order_ids import reduces_by_id

_ONE_SIZE: frozenset[float] = frozenset()
"""Of every order that was never changed: that of its terms."""
_CREATED, _FILLED, _PART = OrderStatus.CREATED, OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED


class OrderRecord:
    """One order, merged. `fills` are its fills by trade id; `key` is what the desk files it under.

    `partner` is the other order of a pair of which one ends the other: what one has filled, the other can fill no more. `amends` are
    changes under way of the `changes` that were asked for, for which `quantity_units` counts at its worst, and `sizes` the quantities that it had or may have; an order
    that is `set_aside` is judged anew and pends with nothing.

    `merge_report` and `add_fill` are commutative and idempotent: permuted and doubled messages end in the same state.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "amends", "approved", "average", "cancel_asked", "changes", "filled", "fills", "instrument", "key", "local_time_ns", "owner",
        "partner", "quantity_units", "reason", "reported", "rule", "set_aside", "sizes", "status", "terms", "value",
        "venue_order_id", "venue_time_ns",
    )  # fmt: skip

    def __init__(self, terms: OrderData, instrument: Instrument, owner: str, approved: ApprovedOrder | None) -> None:
        self.terms = terms
        self.key = terms.order_id
        self.instrument = instrument
        self.owner = owner
        self.approved = approved
        self.status = _CREATED
        grid = instrument.quantity_grid
        self.quantity_units = approved.quantity_units if approved else grid.from_float(terms.quantity)
        self.filled = 0
        self.value = 0
        self.reported = 0
        self.average = 0.0
        self.fills: dict[str, TradeData] = {}
        self.venue_order_id = ""
        self.venue_time_ns = 0
        self.local_time_ns = terms.local_time_ns
        self.rule = ""
        self.reason = ""
        self.cancel_asked = False
        self.partner: OrderRecord | None = None
        self.amends: tuple[ApprovedAmend, ...] = ()
        self.changes = 0
        self.sizes: frozenset[float] = _ONE_SIZE
        self.set_aside = False

    @property
    def is_open(self) -> bool:
        """Tell whether the order may still trade."""
        return self.status in OPEN

    @property
    def reduces(self) -> bool:
        """Tell whether the order was approved as one that can only reduce its owner's position; of an earlier run's its id tells."""
        return self.approved.reduces if self.approved is not None else reduces_by_id(self.terms.order_id)

    @property
    def filled_units(self) -> int:
        """Return the most that is known to be filled: by fills or by the venue's count."""
        return self.filled if self.filled >= self.reported else self.reported

    @property
    def legs(self) -> "tuple[OrderRecord, ...]":
        """Return the orders that leave and are refused together: this one, and its partner if it has one."""
        return (self,) if self.partner is None else (self, self.partner)

    @property
    def end_asked(self) -> bool:
        """Tell whether the end of the order was asked for.

        That of one order of a pair is the end of both, unless the venue has ended that one itself.
        """
        partner = self.partner
        if self.cancel_asked or partner is None or not partner.cancel_asked:
            return self.cancel_asked
        return partner.status in OPEN or partner.status is OrderStatus.CANCELLED

    @property
    def remaining_units(self) -> int:
        """Return what may still trade at worst; 0 once the order is done."""
        if self.status not in OPEN:
            return 0
        by_partner = 0 if self.partner is None else self.partner.filled_units
        return max(0, self.quantity_units - self.filled_units - by_partner)

    @property
    def missing_units(self) -> int:
        """Return what the venue counted as filled without a fill having come."""
        return max(0, self.reported - self.filled)

    @property
    def pending_units(self) -> int:
        """Return by how much the order may still change a position: what may trade and what traded without a fill yet.

        A pair of which both may trade counts once, at the one that waits for a trigger: what one fills is taken from both.
        """
        if self.set_aside:
            return 0
        if self.status not in OPEN:
            return self.missing_units
        if self.partner is None:
            return max(0, self.quantity_units - self.filled)
        if self.partner.status in OPEN and not self.terms.trigger_price:
            return self.missing_units
        return max(0, self.quantity_units - self.filled - self.partner.filled_units)

    @property
    def prices(self) -> tuple[float, ...]:
        """Return the limit prices at which the order may rest now; 0.0 for one without a limit."""
        if not self.amends:
            return (self.terms.price,)
        price = self.instrument.price
        return (self.terms.price, *(price(amend.order.price_units) for amend in self.amends if amend.order.price_units))

    @property
    def is_as_reported(self) -> bool:
        """Tell whether the venue's own count says already, or more, what the fills that came make of the order."""
        return self.filled < self.reported or (self.filled == self.reported and self._average_price() == self.average)

    def merge_report(self, data: OrderData) -> bool:
        """Merge a report of the venue; tells whether anything changed."""
        status, reason, average = self.status, self.reason, self.average
        if self.rule in OUR_WORD and data.rule not in OUR_WORD and data.status in TOLD_BY_VENUE:
            self._yield()
        reported = self.instrument.quantity_grid.from_float(data.filled_quantity) if data.filled_quantity else 0
        changed = reported > self.reported
        if changed:
            self.reported = reported
            self.average = data.average_price
        elif reported == self.reported and data.average_price > average:
            self.average = data.average_price
        if reported:
            self.advance()
        if data.status is not self.status or data.rule or data.reason:
            self._take(data.status, data.rule, data.reason)
        return (
            self._note_origin(data)
            or changed
            or status is not self.status
            or reason != self.reason
            or average != self.average
        )

    def add_fill(self, trade: TradeData, quantity_units: int, price_units: int) -> bool:
        """Add a fill; False when it was added before."""
        if trade.trade_id in self.fills:
            return False
        if self.rule in OUR_WORD:
            self._yield()
        self.fills[trade.trade_id] = trade
        self.filled += quantity_units
        self.value += quantity_units * price_units
        self._note_origin(trade)
        self.advance()
        return True

    def set_status(self, status: OrderStatus, rule: str = "", reason: str = "") -> bool:
        """Move by our own decision; tells whether the status changed."""
        before = self.status
        self._take(status, rule, reason)
        return self.status is not before

    def to_order(self) -> OrderData:
        """Return the order as a fact."""
        terms, grid = self.terms, self.instrument.quantity_grid
        filled = self.filled if self.filled >= self.reported else self.reported
        return OrderData(
            terms.order_id, terms.account, terms.instrument_id, terms.side, terms.order_type, terms.quantity, terms.price,
            self.status, filled * grid.numerator / grid.denominator, self._average_price(), self.venue_order_id,
            self.venue_time_ns, self.local_time_ns, self.owner, terms.trigger_price, terms.time_in_force, terms.reduce_only,
            terms.post_only, terms.position_side, self.rule, self.reason,
        )  # fmt: skip

    def _average_price(self) -> float:
        if self.filled and self.filled >= self.reported:
            grid = self.instrument.price_grid
            return self.value * grid.numerator / (self.filled * grid.denominator)
        return self.average

    def _note_origin(self, fact: OrderData | TradeData) -> bool:
        """Keep the venue's id and the latest times; tells whether the id is new. The comparisons are cheaper than max()."""
        venue_ns, local_ns = fact.venue_time_ns, fact.local_time_ns
        self.venue_time_ns = venue_ns if venue_ns > self.venue_time_ns else self.venue_time_ns
        self.local_time_ns = local_ns if local_ns > self.local_time_ns else self.local_time_ns
        if self.venue_order_id or not fact.venue_order_id:
            return False
        self.venue_order_id = fact.venue_order_id
        return True

    def _yield(self) -> None:
        """Take back what we said ourselves became of the order, now that the venue tells of it."""
        self.status, self.rule, self.reason = OrderStatus.UNKNOWN, "", ""
        if self.filled_units:
            self.advance()

    def _take(self, status: OrderStatus, rule: str, reason: str) -> None:
        """Merge a status with its reason; of two reasons for one status the greater stays, whichever came first.

        An end that the venue told is not replaced by one that is our word alone.
        """
        current = self.status
        if rule in OUR_WORD and current in TERMINAL and self.rule not in OUR_WORD:
            return
        if status is current:
            if (rule or reason) and status is not _FILLED and (rule, reason) > (self.rule, self.reason):
                self.rule, self.reason = rule, reason
        elif merge_status(current, status) is status:
            self.status = status
            self.rule, self.reason = ("", "") if status is _FILLED else (rule, reason)

    def advance(self) -> None:
        """Let the filled quantity move the status; a status that follows from fills needs no reason."""
        filled = self.filled if self.filled >= self.reported else self.reported
        status = _FILLED if filled >= self.quantity_units else _PART
        if status is not self.status:
            self._take(status, "", "")
