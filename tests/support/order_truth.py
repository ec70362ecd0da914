"""Orders, fills, balances and positions: what an adapter told, held against what the venue of a rig knows."""

from collections import Counter, defaultdict
from decimal import Decimal
from itertools import pairwise

from foxtrot.core.notices import OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import AccountData, PositionData
from foxtrot.domain.enums import AdapterState, OrderStatus, PositionSide, Product
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import OPEN, may_move
from tests.support.binance_rig import BinanceRig
from tests.support.recorder import Recorder

ZERO, EIGHTH = Decimal(0), Decimal("1E-8")
FIRST = frozenset(OrderStatus) - {OrderStatus.CREATED, OrderStatus.SUBMITTED}
LOST_ENDS = (AdapterState.READY, AdapterState.FAILED, AdapterState.CLOSED)


def statuses(heard: Recorder, order_id: str) -> list[OrderStatus]:
    """Return the statuses told of an order, in order, without repetitions."""
    told = [order.status for order in heard.reports(order_id)]
    return [status for n, status in enumerate(told) if n == 0 or told[n - 1] is not status]


def told_orders(heard: Recorder) -> dict[str, OrderData]:
    """Return the last state told of every order, by reports and by lists."""
    last: dict[str, OrderData] = {}
    for event in heard.events():
        if isinstance(event, OrderData):
            last[event.order_id] = event
        elif isinstance(event, OpenOrdersLoaded):
            last |= {order.order_id: order for order in event.orders}
    return last


def told_fills(heard: Recorder) -> dict[tuple[str, str, str], TradeData]:
    """Return every fill told, by reports and by lists; one that is reported twice is an error."""
    reported = Counter((trade.instrument_id, trade.trade_id, trade.order_id) for trade in heard.of(TradeData))
    assert not [key for key, times in reported.items() if times > 1], "a fill was told twice"
    listed = [trade for loaded in heard.of(TradesLoaded) for trade in loaded.trades]
    return {(trade.instrument_id, trade.trade_id, trade.order_id): trade for trade in (*listed, *heard.of(TradeData))}


def told_positions(heard: Recorder) -> dict[tuple[str, PositionSide], float]:
    """Return the positions told that are not flat."""
    held: dict[tuple[str, PositionSide], float] = {}
    for event in heard.events():
        if isinstance(event, PositionsLoaded):
            held = {(row.instrument_id, row.position_side): row.quantity for row in event.positions}
        elif isinstance(event, PositionData):
            held[(event.instrument_id, event.position_side)] = event.quantity
    return {key: quantity for key, quantity in held.items() if quantity}


def told_balances(heard: Recorder) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the balances told last."""
    rows = heard.of(AccountData)[-1].balances
    return {row.asset: (row.total, row.locked) for row in rows if row.total or row.locked}


def check_orders(rig: BinanceRig) -> None:
    """Hold everything told of the account against the venue's truth."""
    received, heard = rig.received(), rig.heard
    assert len(received) == len(set(received)), f"an order was sent twice: {received}"
    last, fills = told_orders(heard), told_fills(heard)
    assert {order_id for order_id, order in last.items() if order.status in OPEN} == rig.open_orders()
    truth = [(trade_id, order_id, fee, asset) for trade_id, order_id, fee, asset in rig.fills()]
    assert sorted((one.trade_id, one.order_id, one.fee, one.fee_asset) for one in fills.values()) == sorted(truth)
    made: defaultdict[str, Decimal] = defaultdict(Decimal)
    for fill in fills.values():
        made[fill.order_id] += Decimal(repr(fill.quantity))
    for order_id, order in last.items():
        counted = Decimal(repr(order.filled_quantity))
        assert counted == made[order_id], f"{order_id} says {counted} of {made[order_id]}"
    moves: defaultdict[str, list[OrderStatus]] = defaultdict(list)
    for report in heard.of(OrderData):
        moves[report.order_id].append(report.status)
    for order_id, told in moves.items():
        changes = [(a, b) for a, b in pairwise(told) if a is not b]
        assert all(may_move(a, b) for a, b in changes), f"{order_id} moved {told}"
        assert told[0] in FIRST
    check_account(rig)


def check_account(rig: BinanceRig) -> None:
    """Hold the balances and positions that were told against the venue's; a margin in use is known when it is asked for."""
    told, truth = told_balances(rig.heard), venue_balances(rig)
    if rig.product is not Product.SPOT:
        told, truth = ({asset: (total, ZERO) for asset, (total, _) in both.items()} for both in (told, truth))
    assert told == truth, f"{told} is told, the venue has {truth}"
    assert told_positions(rig.heard) == rig.positions()


def check_margin(rig: BinanceRig) -> None:
    """Ask for the account and hold all of it against the venue's."""
    rig.adapter.query_account()
    rig.settle()
    assert told_balances(rig.heard) == venue_balances(rig)


def venue_balances(rig: BinanceRig) -> dict[str, tuple[Decimal, Decimal]]:
    """Return the balances of the venue to the eighth decimal, which is all that its protocol can tell."""
    rows = {asset: (_told(total), _told(locked)) for asset, (total, locked) in rig.balances().items()}
    return {asset: both for asset, both in rows.items() if any(both)}


def _told(amount: Decimal) -> Decimal:
    return amount.quantize(EIGHTH)


def user_connections(rig: BinanceRig) -> int:
    """Return how many connections of user streams are open at the server, ours and nobody else's."""
    return rig.server.call(
        lambda server: sum("user" in one.kinds and one.account == rig.account for one in server.faults.sockets.values())
    )


def all_streams(rig: BinanceRig) -> list[str]:
    """Return every stream that the server serves us, as often as it does."""
    return sorted(
        rig.server.call(
            lambda server: [
                stream for one in server.faults.sockets.values() if "user" not in one.kinds for stream in one.streams
            ]
        )
    )


def requests(rig: BinanceRig) -> int:
    """Return how many REST requests have reached the server."""
    return rig.server.call(
        lambda server: sum(count for name, count in server._doors.shared.traffic.requests.items() if " /" in name)
    )


def requests_of(rig: BinanceRig, endpoint: str) -> int:
    """Return how many requests the server had whose name ends in "METHOD /path"."""
    return rig.server.call(
        lambda server: sum(
            count for name, count in server._doors.shared.traffic.requests.items() if name.endswith(endpoint)
        )
    )


def link_recovery_s(heard: Recorder, since: int = 0) -> float:
    """Return the longest time from a loss to the end that it had, by the adapter's clock; 0.0 without a loss."""
    from foxtrot.core.notices import AdapterStatus

    longest, lost_ns = 0.0, 0
    for status in heard.of(AdapterStatus, since):
        if status.state is AdapterState.LOST and not lost_ns:
            lost_ns = status.local_time_ns
        elif status.state in LOST_ENDS and lost_ns:
            longest, lost_ns = max(longest, (status.local_time_ns - lost_ns) / 1e9), 0
    return longest
