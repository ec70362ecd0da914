"""What went wrong so far, counted: every event that was dropped, refused, missed or not explained shows in a figure."""

from foxtrot.core.notices import (
    DifferenceFound,
    Gap,
    GateChanged,
    OrderChanged,
    PartFailed,
    RequestFailed,
    StrategyStatus,
)
from foxtrot.domain.enums import GateState, OrderStatus
from foxtrot.strategy.line import Line

OWNER = "health"
COUNTED = (
    "orders_denied", "orders_rejected", "orders_unknown", "gaps", "events_shed", "requests_failed", "differences", "parts_failed",
    "strategies_failed",
)  # fmt: skip
_ENDS = {OrderStatus.DENIED: "orders_denied", OrderStatus.REJECTED: "orders_rejected"}


class HealthCounts:
    """Counts on the engine's thread what others read.

    Thread: made by main before the engine starts; the handlers, foxtrot-engine; `counts`, `unknown` and `blocks` are read by any:
        each value is replaced whole.
    """

    def __init__(self, line: Line) -> None:
        self.counts: dict[str, int] = dict.fromkeys(COUNTED, 0)
        self.unknown: dict[str, frozenset[str]] = {}
        self.blocks: dict[tuple[str, str], str] = {
            (move.account, move.instrument_id): move.reason
            for move in line.gate.blocks()
            if move.account or move.instrument_id
        }
        for record in line.desk.open_records():
            if record.status is OrderStatus.UNKNOWN:
                self._note_unknown(record.terms.account, record.terms.order_id, is_unknown=True)
        dispatcher = line.dispatcher
        dispatcher.subscribe(OrderChanged, self.on_order_changed, owner=OWNER)
        dispatcher.subscribe(GateChanged, self.on_gate_changed, owner=OWNER)
        dispatcher.subscribe(Gap, self.on_gap, owner=OWNER)
        dispatcher.subscribe(RequestFailed, lambda _: self._count("requests_failed"), owner=OWNER)
        dispatcher.subscribe(DifferenceFound, lambda _: self._count("differences"), owner=OWNER)
        dispatcher.subscribe(PartFailed, lambda _: self._count("parts_failed"), owner=OWNER)
        dispatcher.subscribe(StrategyStatus, self.on_strategy_status, owner=OWNER)

    def on_order_changed(self, changed: OrderChanged) -> None:
        """Count how orders end badly, and know those of unknown outcome."""
        order = changed.order
        if name := _ENDS.get(order.status):
            self._count(name)
        is_unknown = order.status is OrderStatus.UNKNOWN
        known = order.order_id in self.unknown.get(order.account, frozenset())
        if is_unknown is not known:
            self._note_unknown(order.account, order.order_id, is_unknown=is_unknown)
            self._count("orders_unknown", int(is_unknown))

    def on_gate_changed(self, changed: GateChanged) -> None:
        """Know what is blocked beside the platform itself."""
        place = (changed.account, changed.instrument_id)
        if place == ("", ""):
            return
        left = {key: reason for key, reason in self.blocks.items() if key != place}
        self.blocks = left if changed.state is GateState.ACTIVE else left | {place: changed.reason}

    def on_gap(self, gap: Gap) -> None:
        """Count what was shed because the engine was too slow."""
        self._count("gaps")
        self._count("events_shed", gap.count)

    def on_strategy_status(self, status: StrategyStatus) -> None:
        """Count strategies that failed."""
        self._count("strategies_failed", int(status.state == "failed"))

    def _count(self, name: str, more: int = 1) -> None:
        self.counts[name] += more

    def _note_unknown(self, account: str, order_id: str, *, is_unknown: bool) -> None:
        known = self.unknown.get(account, frozenset())
        changed = known | {order_id} if is_unknown else known - {order_id}
        self.unknown = {**self.unknown, account: changed}
