"""What a platform leaves behind when it stops: every position and open order, and what protects each position."""

from collections import Counter
from decimal import Decimal

import msgspec

from foxtrot.adapter.health import HealthFigures
from foxtrot.domain.enums import OrderStatus
from foxtrot.strategy.line import Line
from foxtrot.trading.audit import Difference
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import PositionKey
from foxtrot.trading.position import Position


class PositionLeft(msgspec.Struct, frozen=True):
    """A position that stays, and what protects it from now on: a stop at the venue, or nothing, for nobody watches it here."""

    owner: str
    account: str
    instrument_id: str
    quantity: float
    average_price: float
    protection: str


class OrderLeft(msgspec.Struct, frozen=True):
    """An order that stays open at the venue."""

    order_id: str
    owner: str
    account: str
    instrument_id: str
    side: str
    order_type: str
    remaining: float
    price: float
    status: str


class StrategyEnd(msgspec.Struct, frozen=True):
    """How a strategy ended."""

    strategy_id: str
    stage: str
    reason: str
    equity: Decimal | None


class Summary(msgspec.Struct, frozen=True):
    """State of trading at the end."""

    strategies: tuple[StrategyEnd, ...]
    positions: tuple[PositionLeft, ...]
    orders: tuple[OrderLeft, ...]
    order_count: int
    fill_count: int
    denied: dict[str, int]
    gate: str
    gate_reason: str


class StopReport(msgspec.Struct, frozen=True):
    """How the stop of a platform went. `differences` by account is empty tuples where venue and platform agree.

    `health` by account is how its connection did until it was closed; `prices_only` are the accounts that were not compared, for
    there are none behind them.
    """

    summary: Summary
    differences: dict[str, tuple[Difference, ...]]
    left: dict[str, int]
    overran: tuple[str, ...]
    failures: tuple[str, ...]
    health: dict[str, HealthFigures] = {}
    prices_only: tuple[str, ...] = ()

    @property
    def reconciled(self) -> bool:
        """Tell whether every account that there is was compared and every comparison agreed."""
        return bool(self.differences) and not any(self.differences.values())


def summarise(line: Line) -> Summary:
    """Return what there is at this moment.

    Thread: the dispatcher's, or any once it has stopped.
    """
    hosts = line.strategies.hosts.values()
    ends = tuple(
        StrategyEnd(h.strategy_id, str(h.stage), h.reason, line.portfolio.equity(h.strategy_id)) for h in hosts
    )
    positions = tuple(
        _position_left(line, key, position) for key, position in line.portfolio.positions() if position.quantity
    )
    records = list(line.desk.records())
    orders = tuple(_order_left(record) for record in line.desk.open_records())
    fills = sum(len(record.fills) for record in records)
    gate = line.gate
    return Summary(ends, positions, orders, len(records), fills, _denied(line, records), str(gate.state), gate.reason)


def _denied(line: Line, records: list[OrderRecord]) -> dict[str, int]:
    """Count by rule what was denied: at once, and after its intent was written, which gate and journal do."""
    late = [record.rule for record in records if record.status is OrderStatus.DENIED]
    return dict(Counter([*(order.rule for order in line.desk.denied.values()), *late]))


def _position_left(line: Line, key: PositionKey, position: Position) -> PositionLeft:
    cover = line.protections.cover_without_us(key)
    protection = f"{cover.protection} ({cover.reason})" if cover.reason else cover.protection
    owner, account, instrument_id, _ = key
    quantity = float(position.exact_quantity)
    return PositionLeft(owner, account, instrument_id, quantity, position.average_price, protection)


def _order_left(record: OrderRecord) -> OrderLeft:
    terms = record.terms
    remaining = record.instrument.quantity(record.remaining_units)
    return OrderLeft(
        terms.order_id, record.owner, terms.account, terms.instrument_id, str(terms.side), str(terms.order_type), remaining,
        terms.price, str(record.status),
    )  # fmt: skip
