"""What is shown of a strategy: stage, parameters, variables, positions. Frozen, so that any thread may read it."""

from decimal import Decimal

import msgspec

from foxtrot.strategy.host import Stage, StrategyHost
from foxtrot.strategy.parameters import Value, parameters_of, variables_of


class HeldView(msgspec.Struct, frozen=True):
    """One virtual position; `is_dust` marks what is too little to sell and counts as flat."""

    instrument_id: str
    position_side: str
    quantity: float
    average_price: float
    is_dust: bool


class StrategyView(msgspec.Struct, frozen=True):
    """One strategy at one moment."""

    strategy_id: str
    class_name: str
    account: str
    symbols: tuple[str, ...]
    interval: str
    stage: str
    reason: str
    parameters: dict[str, Value]
    variables: dict[str, Value]
    positions: tuple[HeldView, ...]
    open_orders: int
    equity: Decimal | None


def view_of(host: StrategyHost) -> StrategyView:
    """Return a strategy as it stands.

    Thread: the dispatcher's.
    """
    seat, strategy = host.seat, host.strategy
    positions = tuple(
        HeldView(instrument_id, str(side), float(held.exact_quantity), held.average_price, seat.is_dust(held))
        for (_, _, instrument_id, side), held in seat.portfolio.positions(host.strategy_id)
        if held.exact_quantity
    )
    stage = Stage.READY if host.starting else host.stage
    return StrategyView(
        host.strategy_id, type(strategy).__name__, seat.account, seat.symbols, seat.interval, str(stage), host.reason,
        parameters_of(strategy), variables_of(strategy), positions, len(seat.open_orders("")), seat.equity(),
    )  # fmt: skip
