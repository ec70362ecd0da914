"""Snapshots: what desk and portfolio hold, as one record that stands for all records before it."""

from foxtrot.domain.enums import PositionSide
from foxtrot.storage.journal_records import FillBooked
from foxtrot.trading.account_book import AccountBook
from foxtrot.trading.decisions import Decisions
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_record import OrderRecord
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import Position
from foxtrot.trading.restored_state import AccountTotals, OrderLife, PositionTotals, RestoredState

REMEMBERED_NS = 48 * 3600 * 1_000_000_000
"""How long an order that has ended is carried along, so that its fills, told once more, are known."""
TOLD_AGAIN_NS = 600_000_000_000
"""How long before the latest known fill of an account a start asks for fills again: of another market one may have come later.

Orders that were filled since then are carried along however long ago that was: their fills will be told once more.
"""


def state_of(desk: OrderDesk, portfolio: Portfolio, decisions: Decisions, since_ns: int) -> RestoredState:
    """Return what desk and portfolio hold, as a snapshot keeps it.

    Args:
        desk: the desk.
        portfolio: the portfolio.
        decisions: what stands until it is decided otherwise.
        since_ns: orders that ended before this time are left out, unless fills of theirs will be told once more.
    """
    state = RestoredState(decisions=decisions, forgotten_until_ns=dict(desk.early.forgotten_until_ns))
    for name, book in portfolio.accounts.items():
        state.accounts[name] = _account_of(book)
        fills = [trade.venue_time_ns for trade in desk.fills(name)]
        state.last_fill_ns[name] = max(fills, default=book.opening_time_ns)
    again_ns = {name: asked_since_ns(state, name) for name in state.last_fill_ns}
    _put_orders(state, desk, again_ns, since_ns)
    state.loose = [FillBooked(0, "", trade) for account in portfolio.accounts for trade in desk.early.all(account)]
    for (owner, account, instrument_id, side), position in portfolio.positions():
        recent_ns = min(since_ns, again_ns.get(account, since_ns))
        state.positions.append(_totals_of(position, owner, account, side, recent_ns))
        state.instruments[instrument_id] = position.instrument
    for (account, _, side), position in portfolio.net_positions():
        recent_ns = min(since_ns, again_ns.get(account, since_ns))
        state.positions.append(_totals_of(position, "", account, side, recent_ns))
    return state


def asked_since_ns(state: RestoredState, account: str) -> int:
    """Return the venue's time from which on a start asks for the fills of an account; 0 when none of it is known.

    It is never later than the fills were whole: while a venue lists no fills, others are heard by the stream.
    """
    since_ns = max(0, state.last_fill_ns.get(account, 0) - TOLD_AGAIN_NS)
    return min(since_ns, state.decisions.fills_whole.get(account, since_ns))


def _put_orders(state: RestoredState, desk: OrderDesk, again_ns: dict[str, int], since_ns: int) -> None:
    """Carry along the orders of which something may still be told, and note until when fills of the others go."""
    until_ns = state.forgotten_until_ns
    for key, record in desk.index.all.items():
        account = record.terms.account
        told_again = bool(record.fills) and record.venue_time_ns >= again_ns.get(account, 0)
        if record.is_open or told_again or key in desk.index.lacking or record.local_time_ns >= since_ns:
            state.orders[key] = _life_of(record)
            state.instruments[record.terms.instrument_id] = record.instrument
        elif record.fills:
            last_ns = max(trade.venue_time_ns for trade in record.fills.values())
            until_ns[account] = max(until_ns.get(account, 0), last_ns)


def _life_of(record: OrderRecord) -> OrderLife:
    approved = record.approved
    fills = list(record.fills.values())
    return OrderLife(
        record.owner,
        approved,
        record.to_order(),
        approved.created_time_ns if approved else 0,
        record.cancel_asked,
        None,
        fills,
        list(record.amends),
        record.changes,
    )


def _totals_of(position: Position, owner: str, account: str, side: PositionSide, recent_ns: int) -> PositionTotals:
    return PositionTotals(
        owner, account, position.instrument.instrument_id, side, position.quantity, position.cost, position.realised,
        position.flow, position.turnover, position.fills, position.found, position.found_value, dict(position.fees),
        dict(position.funding), *position.base_at(recent_ns),
    )  # fmt: skip


def _account_of(book: AccountBook) -> AccountTotals:
    opening = None if book.opening is None else dict(book.opening)
    return AccountTotals(
        opening, book.opening_time_ns, book.positions_found, dict(book.charges), dict(book.unshared),
        tuple(sorted(book.charge_ids)),
    )  # fmt: skip
