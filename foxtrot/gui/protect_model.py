"""What a person wishes for the protection of a position: prices or distances, what is wrong with them, what they would lose or win."""

from collections.abc import Iterable
from enum import StrEnum

import msgspec

from foxtrot.app.blotter_requests import ProtectionLeg
from foxtrot.core.commands import ProtectPosition
from foxtrot.domain.instrument import Instrument
from foxtrot.gui.numbers import price_decimals, price_text
from foxtrot.gui.texts import tr


class Unit(StrEnum):
    """How a level is typed: as a price, as how far it is from the price now, or as that in percent."""

    PRICE = "price"
    DISTANCE = "distance"
    PERCENT = "percent"


class Guard(msgspec.Struct, frozen=True):
    """Stop and take-profit as prices, and how far a trailing stop follows; 0.0 is none."""

    stop: float = 0.0
    take_profit: float = 0.0
    trailing: float = 0.0


class Guarded(msgspec.Struct, frozen=True):
    """A position that is to be protected, how it is now, and the price that it stands at, 0.0 where none was heard."""

    owner: str
    account: str
    instrument_id: str
    held: float
    average: float
    mark: float
    guard: Guard = Guard()

    @property
    def sign(self) -> int:
        """Return 1 for a long position and -1 for a short one."""
        return 1 if self.held > 0 else -1

    def level(self, figure: float, unit: Unit, *, is_stop: bool) -> float:
        """Return the price that a figure means, 0.0 for none."""
        if not figure or unit is Unit.PRICE:
            return figure
        away = figure if unit is Unit.DISTANCE else self.mark * figure / 100
        return max(0.0, self.mark + away * self.sign * (-1 if is_stop else 1))

    def figure(self, level: float, unit: Unit) -> float:
        """Return how a price is typed in a unit."""
        if not level or unit is Unit.PRICE:
            return level
        away = abs(level - self.mark)
        return away if unit is Unit.DISTANCE else 100 * away / self.mark if self.mark else 0.0

    def outcome(self, level: float, instrument: Instrument | None) -> float:
        """Return what the position has made when it is closed at a price, from its average price on, without fees."""
        each = float(instrument.multiplier) if instrument is not None else 1.0
        return (level - self.average) * self.held * each

    def command(self, guard: Guard) -> ProtectPosition:
        """Return the command for a wish."""
        return ProtectPosition(
            self.owner, self.account, self.instrument_id, guard.stop, guard.take_profit, guard.trailing
        )


def guard_of(legs: Iterable[ProtectionLeg]) -> Guard:
    """Return how a position is protected by its legs; stops that somebody placed as orders of their own are none."""
    found = {leg.kind: leg for leg in legs if leg.kept}
    stop, take, trailing = (found.get(kind) for kind in ("stop", "take_profit", "trailing"))
    return Guard(
        0.0 if stop is None else stop.level, 0.0 if take is None else take.level, 0.0 if trailing is None else trailing.offset
    )  # fmt: skip


def is_of(leg: ProtectionLeg, owner: str, account: str, instrument_id: str, position_side: str) -> bool:
    """Tell whether a leg belongs to a position."""
    key = (leg.owner, leg.account, leg.instrument_id, leg.position_side)
    return key == (owner, account, instrument_id, position_side)


def why_not(one: Guarded, guard: Guard, instrument: Instrument | None) -> str:
    """Return why a position cannot be protected so, "" when it can."""
    if guard == one.guard:
        return tr("protect.nothing_changed")
    for name, level, sign in (("stop", guard.stop, one.sign), ("take_profit", guard.take_profit, -one.sign)):
        if level and one.mark and (one.mark - level) * sign <= 0.0:
            place = tr("protect.below" if sign > 0 else "protect.above")
            mark = price_text(one.mark, price_decimals(instrument))
            return tr("protect.wrong_side", name=tr(f"protect.{name}"), place=place, mark=mark)
    if guard.trailing and one.mark and guard.trailing >= one.mark:
        return tr("protect.too_far")
    return ""


def guard_text(guard: Guard, instrument: Instrument | None) -> str:
    """Return a protection in words."""
    decimals = price_decimals(instrument)
    parts = [
        f"{tr(f'protect.{name}')} {price_text(value, decimals)}"
        for name, value in (("stop", guard.stop), ("take_profit", guard.take_profit), ("trailing", guard.trailing))
        if value
    ]
    return ", ".join(parts) or tr("protect.none")
