"""What closes a position: how much of it, what becomes of its stop, in words and as a command."""

import msgspec

from foxtrot.core.commands import ClosePosition
from foxtrot.domain.enums import PositionSide
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.blotter_cells import name_of
from foxtrot.gui.numbers import size_decimals, size_text
from foxtrot.gui.position_rows import Holding
from foxtrot.gui.protect_model import Guard, guard_text
from foxtrot.gui.texts import tr


class Closing(msgspec.Struct, frozen=True):
    """A position that is to be closed: the size that is sold or bought in whole lots, how it is protected, its command."""

    holding: Holding
    quantity: float
    guard: Guard
    command: ClosePosition

    @property
    def is_part(self) -> bool:
        """Tell whether something of the position is left."""
        return bool(self.command.quantity)


def closing_of(
    one: Holding, instrument: Instrument | None, guard: Guard, share: float = 1.0, *, reverse: bool = False
) -> Closing:
    """Return what closes a share of a position; what a fee took of a lot stays."""
    row = one.row
    quantity = abs(row.quantity) * share
    if instrument is not None:
        quantity = instrument.quantity(instrument.round_quantity_units(quantity))
    part = quantity if share < 1.0 else 0.0
    side = PositionSide(row.position_side)
    command = ClosePosition(row.owner, row.account, row.instrument_id, side, part, reverse)
    return Closing(one, quantity, guard, command)


def closing_text(closing: Closing, instrument: Instrument | None) -> str:
    """Return what will be sent in words, and what becomes of the stop."""
    row = closing.holding.row
    side = name_of("sell" if row.quantity > 0 else "buy")
    decimals = size_decimals(instrument)
    size, market, place = size_text(closing.quantity, decimals), name_of("market"), f"({row.account})"
    lines = [f"{side} {size} {row.instrument_id} {market}, {tr('positions.reduce_only')}  {place}"]
    if closing.command.reverse:
        lines.append(f"{side} {size} {row.instrument_id} {market}, {tr('positions.opens')}  {place}")
    if closing.guard != Guard():
        key = "reversed" if closing.command.reverse else "part" if closing.is_part else "all"
        left = size_text(max(0.0, abs(row.quantity) - closing.quantity), decimals)
        lines.append(tr(f"positions.guard_{key}", guard=guard_text(closing.guard, instrument), left=left))
    elif closing.command.reverse:
        lines.append(tr("positions.no_guard"))
    return "\n".join(lines)
