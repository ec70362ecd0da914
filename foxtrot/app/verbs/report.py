"""`foxtrot report`: one page on a running platform: gate, accounts, strategies, orders, positions, fees, differences."""

from argparse import Namespace
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from foxtrot.app.control_client import ControlClient, find_platform
from foxtrot.app.control_requests import (
    Blocks,
    ListBlocks,
    ListOrders,
    ListPositions,
    ListStrategies,
    ListTrades,
    Orders,
    Positions,
    Reconcile,
    Strategies,
    Taken,
    TradeRow,
    Trades,
)
from foxtrot.app.control_waits import wait_for
from foxtrot.app.verbs.command_parser import CommandParser
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome
from foxtrot.app.verbs.steering_arguments import MOST_ROWS, add_wait, add_who, who_of
from foxtrot.app.verbs.steering_outcome import asked
from foxtrot.app.verbs.steering_text import (
    accounts_text,
    blocks_text,
    differences_text,
    net_text,
    orders_text,
    positions_text,
    strategies_text,
)

DESCRIPTION = (
    "Everything that a person wants to know of the platform that runs in the home folder, on one page: what the gate blocks and why, how the\n"
    "accounts were reconciled, differences, strategies, open orders, positions, what fills came to. With --reconcile the accounts are compared\n"
    "with their venues first. The status is 3 when something is blocked, unknown or different."
)
EXAMPLE = "  foxtrot report\n  foxtrot report --reconcile --json"


def add_arguments(parser: CommandParser) -> None:
    """Declare the arguments."""
    parser.add_argument("--reconcile", action="store_true", help="compare every account with its venue first")
    add_who(parser, why_needed=False)
    add_wait(parser, 15)


def run(arguments: Namespace) -> Outcome:
    """Write it.

    Raises:
        FoxtrotError: no platform runs here.
    """
    return asked(lambda: _report(find_platform(arguments.home), arguments))


def _report(client: ControlClient, arguments: Namespace) -> Outcome:
    late = _reconciled(client, arguments) if arguments.reconcile else ""
    gate, strategies = client.ask(ListBlocks(), Blocks), client.ask(ListStrategies(), Strategies).strategies
    orders, positions = client.ask(ListOrders(), Orders).orders, client.ask(ListPositions(), Positions)
    trades = client.ask(ListTrades(limit=MOST_ROWS), Trades)
    fills = trades.trades
    result: dict[str, object] = {
        "gate": gate.gate,
        "gate_reason": gate.gate_reason,
        **{name: _rows(found) for name, found in (
            ("blocks", gate.blocks), ("differences", gate.differences), ("accounts", gate.accounts), ("unknown_orders", gate.unknown),
            ("strategies", strategies), ("orders", orders), ("positions", positions.positions), ("net", positions.net),
        )},
        "fills": len(fills),
        "more_fills": trades.more,
        "fees": fees_of(fills),
        "reconciling": late,
    }  # fmt: skip
    parts = [
        f"the gate is {gate.gate}{f': {gate.gate_reason}' if gate.gate_reason else ''}",
        blocks_text(gate.blocks),
        accounts_text(gate.accounts) if gate.accounts else "",
        differences_text(gate.differences),
        strategies_text(strategies),
        orders_text(orders),
        positions_text(positions.positions),
        net_text(positions.net) if positions.net else "",
        f"{'more than ' if trades.more else ''}{len(fills):,} fills; fees: {', '.join(f'{fee} {asset}' for asset, fee in fees_of(fills).items()) or 'none'}",
        late,
    ]
    needs = gate.gate != "active" or gate.blocks or gate.differences or gate.unknown or late
    return Outcome(result, "\n\n".join(part for part in parts if part), NEEDS_PERSON if needs else DONE)


def fees_of(fills: Sequence[TradeRow]) -> dict[str, Decimal]:
    """Return what fills cost, by asset."""
    fees: dict[str, Decimal] = {}
    for fill in fills:
        if fill.fee:
            fees[fill.fee_asset] = fees.get(fill.fee_asset, Decimal(0)) + fill.fee
    return fees


def _reconciled(client: ControlClient, arguments: Namespace) -> str:
    """Reconcile every account; returns which has not come to its end, or ""."""
    before = client.ask(Reconcile(who_of(arguments)), Taken).runs

    def behind(found: Blocks) -> list[str]:
        return [row.account for row in found.accounts if row.runs <= before.get(row.account, 0)] or (
            [] if found.accounts else ["every account"]
        )

    waited = wait_for(lambda: client.ask(ListBlocks(), Blocks), lambda found: not behind(found), arguments.wait)
    return "" if waited.done else f"not reconciled within {arguments.wait:g} s: {', '.join(behind(waited.found))}"


def _rows(found: Sequence[msgspec.Struct]) -> list[dict[str, object]]:
    return [msgspec.structs.asdict(row) for row in found]
