"""What a platform answers, as text for people."""

from collections.abc import Sequence

from foxtrot.app.control_requests import (
    AccountRow,
    BlockRow,
    DifferenceRow,
    NetRow,
    OrderRow,
    PositionRow,
    StrategyRow,
    TradeRow,
)
from foxtrot.app.verbs.text_table import text_table, time_text
from foxtrot.domain.account import EXTERNAL


def orders_text(rows: Sequence[OrderRow], none: str = "no order is open") -> str:
    """Return orders as a table, what is remarkable about each at its end."""
    if not rows:
        return none
    return text_table(
        ("order", "owner", "account", "instrument", "side", "type", "quantity", "filled", "price", "trigger", "status", "role", "since", ""),
        [
            (
                row.order_id, row.owner, row.account, row.instrument_id, row.side, row.order_type, row.quantity, row.filled, row.price or None,
                row.trigger_price or None, row.status, order_role(row), time_text(row.created_ns), order_note(row),
            )
            for row in rows
        ],
    )  # fmt: skip


def order_role(row: OrderRow) -> str:
    """Return whether an order may increase a position, can only reduce one, or is not ours to judge."""
    return "reducing" if row.reduces else "external" if row.owner == EXTERNAL else "entry"


def order_note(row: OrderRow) -> str:
    """Return what a person should know of an order besides its status."""
    if row.unknown_since_ns is not None:
        return f"UNKNOWN since {time_text(row.unknown_since_ns)} UTC: {row.reason or 'the venue has not said what became of it'}"
    asked = (
        "cancel asked"
        if row.cancel_asked and row.status in ("created", "submitted", "accepted", "partially_filled")
        else ""
    )
    return "; ".join(part for part in (asked, row.reason) if part)


def positions_text(rows: Sequence[PositionRow], none: str = "no position is open") -> str:
    """Return positions by owner as a table."""
    if not rows:
        return none
    return text_table(
        ("owner", "account", "instrument", "side", "quantity", "average", "profit", "protection", "why"),
        [
            (
                row.owner, row.account, row.instrument_id, row.position_side, row.quantity, row.average_price,
                None if row.profit is None else round(row.profit, 8), row.protection or "-", row.remark,
            )
            for row in rows
        ],
    )  # fmt: skip


def net_text(rows: Sequence[NetRow]) -> str:
    """Return what accounts hold over all owners as a table."""
    cells = [(row.account, row.instrument_id, row.position_side, row.quantity, row.average_price) for row in rows]
    return text_table(("account", "instrument", "side", "net quantity", "average"), cells)


def trades_text(rows: Sequence[TradeRow], none: str = "no fill yet") -> str:
    """Return fills as a table."""
    if not rows:
        return none
    return text_table(
        ("time", "owner", "account", "instrument", "side", "quantity", "price", "fee", "in", "liquidity", "slippage", "order", "trade"),
        [
            (
                time_text(row.time_ns), row.owner, row.account, row.instrument_id, row.side, row.quantity, row.price, row.fee, row.fee_asset,
                row.liquidity, row.slippage, row.order_id, row.trade_id,
            )
            for row in rows
        ],
    )  # fmt: skip


def strategies_text(rows: Sequence[StrategyRow]) -> str:
    """Return strategies as a table."""
    if not rows:
        return "no strategy is configured"
    return text_table(
        ("strategy", "class", "account", "state", "open orders", "positions", "equity", "re-arm needed", "reason"),
        [
            (
                row.strategy_id, row.class_name, row.account, f"{row.stage}, closing its position" if row.leaving else row.stage,
                row.open_orders, len(row.positions), None if row.equity is None else round(row.equity, 2), row.needs_rearm or "no", row.reason,
            )
            for row in rows
        ],
    )  # fmt: skip


def blocks_text(rows: Sequence[BlockRow]) -> str:
    """Return what the gate does not let through as a table."""
    if not rows:
        return "nothing is blocked"
    return text_table(
        ("account", "instrument", "lets through", "since", "by", "over a restart", "reason"),
        [
            (
                row.account or "all", row.instrument_id or "all", {"reducing": "reducing orders"}.get(row.state, "nothing"),
                time_text(row.since_ns), row.who or "the platform", row.lasting, f"KILLED: {row.reason}" if row.killed else row.reason,
            )
            for row in rows
        ],
    )  # fmt: skip


def block_line(row: BlockRow) -> str:
    """Return a block as one line."""
    where = " ".join(part for part in (row.account, row.instrument_id) if part) or "the platform"
    by = f" by {row.who}" if row.who else ""
    return f"{where} is {row.state} since {time_text(row.since_ns)} UTC{by}: {row.reason}"


def differences_text(rows: Sequence[DifferenceRow]) -> str:
    """Return differences as a table."""
    if not rows:
        return "no difference stands unexplained"
    cells = [
        (row.difference_id, row.account, row.kind, row.subject, row.ours, row.venue, row.halts, time_text(row.since_ns))
        for row in rows
    ]
    return text_table(("difference", "account", "kind", "subject", "ours", "venue", "halts", "since"), cells)


def accounts_text(rows: Sequence[AccountRow]) -> str:
    """Return how accounts were reconciled last, as a table."""
    cells = [
        (row.account, time_text(row.reconciled_ns), row.cause, row.runs, row.differences, row.error or "complete")
        for row in rows
    ]
    return text_table(("account", "reconciled", "cause", "runs", "differences", "end"), cells)
