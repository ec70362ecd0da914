"""The desk's record of one order: terms that never change, and what messages in any order and number make of it."""

from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, OrderData
from foxtrot.domain.order_state import OPEN, TERMINAL, merge_status


class OrderRecord:
    """One order, merged.

    `merge_report` and `add_fill` are commutative and idempotent: permuted and doubled messages end in the same state.

    Thread: the dispatcher's.
    """

    __slots__ = (
        "approved", "average", "cancel_asked", "filled", "instrument", "local_time_ns", "owner", "quantity_units", "reason",
        "reported", "rule", "status", "terms", "trade_keys", "value", "venue_order_id", "venue_time_ns",
    )  # fmt: skip

    def __init__(self, terms: OrderData, instrument: Instrument, owner: str, approved: ApprovedOrder | None) -> None:
        self.terms = terms
        self.instrument = instrument
        self.owner = owner
        self.approved = approved
        self.status = OrderStatus.CREATED
        grid = instrument.quantity_grid
        self.quantity_units = approved.quantity_units if approved else grid.from_float(terms.quantity)
        self.filled = 0
        self.value = 0
        self.reported = 0
        self.average = 0.0
        self.trade_keys: set[str] = set()
        self.venue_order_id = ""
        self.venue_time_ns = 0
        self.local_time_ns = terms.local_time_ns
        self.rule = ""
        self.reason = ""
        self.cancel_asked = False

    @property
    def is_open(self) -> bool:
        """Tell whether the order may still trade."""
        return self.status in OPEN

    @property
    def filled_units(self) -> int:
        """Return the most that is known to be filled: by fills or by the venue's count."""
        return self.filled if self.filled >= self.reported else self.reported

    @property
    def remaining_units(self) -> int:
        """Return what may still trade at worst; 0 once the order is done."""
        return max(0, self.quantity_units - self.filled_units) if self.status in OPEN else 0

    @property
    def missing_units(self) -> int:
        """Return what the venue counted as filled without a fill having come."""
        return max(0, self.reported - self.filled)

    def merge_report(self, data: OrderData) -> bool:
        """Merge a report of the venue; tells whether anything changed."""
        before = (self.status, self.reported, self.venue_order_id)
        reported = self.instrument.quantity_grid.from_float(data.filled_quantity) if data.filled_quantity else 0
        if reported > self.reported:
            self.reported = reported
            self.average = data.average_price
        status = merge_status(self.status, data.status)
        if status is not self.status:
            self.status = status
            self.rule, self.reason = data.rule, data.reason
        if data.venue_order_id and not self.venue_order_id:
            self.venue_order_id = data.venue_order_id
        self.venue_time_ns = max(self.venue_time_ns, data.venue_time_ns)
        self.local_time_ns = max(self.local_time_ns, data.local_time_ns)
        self._advance()
        return before != (self.status, self.reported, self.venue_order_id)

    def add_fill(self, trade_key: str, quantity_units: int, price_units: int) -> bool:
        """Add a fill; False when it was added before."""
        if trade_key in self.trade_keys:
            return False
        self.trade_keys.add(trade_key)
        self.filled += quantity_units
        self.value += quantity_units * price_units
        self._advance()
        return True

    def set_status(self, status: OrderStatus, rule: str = "", reason: str = "") -> bool:
        """Move by our own decision; tells whether the status changed."""
        merged = merge_status(self.status, status)
        if merged is self.status:
            return False
        self.status, self.rule, self.reason = merged, rule, reason
        return True

    def to_order(self) -> OrderData:
        """Return the order as a fact."""
        terms, grid = self.terms, self.instrument.quantity_grid
        filled = self.filled_units
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

    def _advance(self) -> None:
        """Let the filled quantity move the status."""
        filled = self.filled_units
        if filled >= self.quantity_units > 0:
            self.status = merge_status(self.status, OrderStatus.FILLED)
        elif filled and self.status not in TERMINAL:
            self.status = merge_status(self.status, OrderStatus.PARTIALLY_FILLED)
