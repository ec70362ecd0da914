"""What a fill costs: fee schedules made of items, and the presets of venues and brokers.

An item is `rate * unit` inside a minimum and a maximum, for one side or both, per fill or per order. Whatever is bounded per
order is charged over its fills as "total after this fill minus total before it", so that the fills add up to the
order's fee whatever their number.
"""

from collections.abc import Iterator
from decimal import ROUND_CEILING, ROUND_HALF_UP, Decimal, InvalidOperation
from difflib import get_close_matches
from importlib import resources
from typing import Literal

import msgspec

from foxtrot.domain.enums import Liquidity, Side
from foxtrot.domain.errors import ConfigError

ZERO = Decimal(0)

FeeUnit = Literal["notional", "quantity", "order", "item"]
"""What a rate is multiplied by: trade value, shares or contracts, one per order, or the amount of another item."""

FeeScope = Literal["fill", "order"]
"""Over what the minimum, maximum and rounding of an item are taken."""

VolumeUnit = Literal["notional", "quantity"]
"""What the volume of the tiers counts."""

_ROUNDINGS = {"up": ROUND_CEILING, "nearest": ROUND_HALF_UP}
_FOLDER = resources.files("foxtrot.domain") / "data" / "fees"


class FeeBasis(msgspec.Struct, frozen=True, gc=False):
    """One fill as a fee schedule sees it, with what its order had done before.

    Quantities are shares, contracts or coins; notional and fees are money of the schedule's currency. The `before` figures
    exclude this fill. `volume_30d` is in the schedule's `volume_unit`, as it stood when the order was entered.
    `order_fees_before` is carried for whoever reports; items take what was charged before from the order's own totals.
    """

    side: Side
    liquidity: Liquidity
    quantity: Decimal
    notional: Decimal
    order_quantity_before: Decimal = ZERO
    order_notional_before: Decimal = ZERO
    order_fees_before: Decimal = ZERO
    volume_30d: Decimal = ZERO


class FeeTier(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Rates from a 30-day volume on (inclusive); negative is a rebate. `minimum` is the least fee, 0 for none."""

    from_volume: Decimal
    maker: Decimal
    taker: Decimal
    minimum: Decimal = ZERO

    def rate(self, liquidity: Liquidity) -> Decimal:
        """Return the maker or the taker rate."""
        return self.maker if liquidity is Liquidity.MAKER else self.taker


class FeeRounding(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """To how many decimals an amount is rounded, and which way (half goes away from zero)."""

    decimals: int
    mode: Literal["up", "nearest"] = "nearest"

    def apply(self, amount: Decimal) -> Decimal:
        """Return the rounded amount."""
        return amount.quantize(Decimal(1).scaleb(-self.decimals), _ROUNDINGS[self.mode])


class FeeItem(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of a fee schedule.

    `maximum` is an amount, `maximum_rate` a fraction of the trade value; 0 is none. Where the two contradict each other the
    maximum wins, unless `minimum_wins`. `side` empty means both. `of` names the earlier item that unit "item" is a
    share of. `verified` is false when a figure was not read from the source.

    Raises:
        ConfigError: the figures contradict each other.
    """

    name: str
    unit: FeeUnit
    tiers: tuple[FeeTier, ...]
    scope: FeeScope = "fill"
    side: Side | None = None
    maximum: Decimal = ZERO
    maximum_rate: Decimal = ZERO
    minimum_wins: bool = False
    rounding: FeeRounding | None = None
    of: str = ""
    verified: bool = True

    def __post_init__(self) -> None:
        """Refuse figures that cannot be charged."""
        for fault in self._faults():
            raise ConfigError(f"fee item {self.name}: {fault}")

    @property
    def is_zero(self) -> bool:
        """Tell whether the item never charges anything."""
        return not any(tier.maker or tier.taker or tier.minimum for tier in self.tiers)

    def tier(self, volume: Decimal) -> FeeTier:
        """Return the tier of a 30-day volume."""
        found = self.tiers[0]
        for tier in self.tiers:
            if tier.from_volume <= volume:
                found = tier
        return found

    def charge(self, basis: FeeBasis, of_amount: Decimal = ZERO) -> Decimal:
        """Return what the item charges for one fill; `of_amount` is what the item named by `of` charged."""
        if self.side is not None and self.side is not basis.side:
            return ZERO
        tier = self.tier(basis.volume_30d)
        if self.unit == "item":
            return self._rounded(of_amount * tier.rate(basis.liquidity))
        if self.scope == "fill":
            return self._total(tier, basis.liquidity, basis.quantity, basis.notional)
        quantity, notional = basis.order_quantity_before, basis.order_notional_before
        before = self._total(tier, basis.liquidity, quantity, notional)
        return self._total(tier, basis.liquidity, quantity + basis.quantity, notional + basis.notional) - before

    def _total(self, tier: FeeTier, liquidity: Liquidity, quantity: Decimal, notional: Decimal) -> Decimal:
        if not quantity:
            return ZERO
        units = {"notional": abs(notional), "quantity": abs(quantity), "order": Decimal(1)}[self.unit]
        return self._rounded(self._bounded(tier.rate(liquidity) * units, tier.minimum, abs(notional)))

    def _bounded(self, amount: Decimal, minimum: Decimal, notional: Decimal) -> Decimal:
        if minimum:
            amount = max(amount, minimum)
        if self.maximum:
            amount = min(amount, self.maximum)
        if self.maximum_rate:
            amount = min(amount, self.maximum_rate * notional)
        return max(amount, minimum) if self.minimum_wins else amount

    def _rounded(self, amount: Decimal) -> Decimal:
        return amount if self.rounding is None else self.rounding.apply(amount)

    def _faults(self) -> Iterator[str]:
        figures = [self.maximum, self.maximum_rate]
        for tier in self.tiers:
            figures += [tier.from_volume, tier.maker, tier.taker, tier.minimum]
        if not all(figure.is_finite() for figure in figures):
            yield "a figure is not finite; give plain decimals"
        volumes = [tier.from_volume for tier in self.tiers]
        if not volumes or volumes[0] != 0 or volumes != sorted(set(volumes)):
            yield f"tiers start at volumes {[str(volume) for volume in volumes]}; start at 0 and ascend"
        if (self.unit == "item") != bool(self.of):
            yield f"unit {self.unit} and of {self.of!r} do not fit; name an item for unit item, and only then"
        if self.of and (
            self.scope == "order" or self.maximum or self.maximum_rate or any(t.minimum for t in self.tiers)
        ):
            yield "a share of another item has no bounds and no scope of its own; leave them out"
        if self.unit == "order" and self.scope == "fill":
            yield 'unit order needs scope = "order"'
        if self.scope == "order" and any(tier.maker != tier.taker for tier in self.tiers):
            yield 'maker and taker rates differ, which a bound over the order cannot mix; use scope = "fill"'


class FeeSchedule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that is charged for a fill, in one currency (empty: the quote asset of whatever is traded).

    `source` names the documents and `date` (ISO) the day for which the figures hold.

    Raises:
        ConfigError: two items have one name, or an item is a share of one that does not stand before it.
    """

    name: str
    items: tuple[FeeItem, ...] = ()
    currency: str = ""
    volume_unit: VolumeUnit = "notional"
    source: str = ""
    date: str = ""

    def __post_init__(self) -> None:
        """Refuse names that are doubled or not yet defined."""
        seen: set[str] = set()
        for item in self.items:
            if item.name in seen:
                raise ConfigError(f"fee schedule {self.name}: item {item.name} appears twice; rename one")
            if item.of and item.of not in seen:
                raise ConfigError(
                    f"fee schedule {self.name}: {item.name} is a share of {item.of}, which must stand before it"
                )
            seen.add(item.name)

    @classmethod
    def zero(cls) -> "FeeSchedule":
        """Return the schedule that charges nothing."""
        return cls(name="zero")

    @classmethod
    def percentage(cls, maker: Decimal | float | str, taker: Decimal | float | str) -> "FeeSchedule":
        """Return a schedule of one maker and one taker fraction of the trade value (0.001 is 0.1 %).

        Raises:
            ConfigError: a rate is not a finite decimal.
        """
        try:
            tier = FeeTier(ZERO, Decimal(str(maker)), Decimal(str(taker)))
        except InvalidOperation:
            raise ConfigError(f"fee rates {maker} and {taker} must be plain decimals, such as 0.001") from None
        return cls(name="percentage", items=(FeeItem(name="commission", unit="notional", tiers=(tier,)),))

    @property
    def is_zero(self) -> bool:
        """Tell whether no fill is ever charged."""
        return all(item.is_zero for item in self.items)

    @property
    def is_verified(self) -> bool:
        """Tell whether every figure was read from the source."""
        return all(item.verified for item in self.items)

    def fee(self, basis: FeeBasis) -> Decimal:
        """Return what one fill is charged; negative is a rebate."""
        return sum((amount for _, amount in self.breakdown(basis)), ZERO)

    def breakdown(self, basis: FeeBasis) -> tuple[tuple[str, Decimal], ...]:
        """Return name and amount of every item for one fill; they add up to its fee."""
        amounts: dict[str, Decimal] = {}
        for item in self.items:
            amounts[item.name] = item.charge(basis, amounts.get(item.of, ZERO))
        return tuple(amounts.items())


def preset_names() -> tuple[str, ...]:
    """Return the names of the built-in schedules, sorted.

    Blocks: lists a folder of the package.
    """
    names = (entry.name for entry in _FOLDER.iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def load_preset(name: str) -> FeeSchedule:
    """Return a built-in schedule.

    Blocks: reads one small file of the package.

    Raises:
        ConfigError: there is no such preset; the nearest name is offered.
    """
    names = preset_names()
    if name not in names:
        near = get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(names)}"
        raise ConfigError(f"fee preset {name!r} is not known; {hint}")
    return msgspec.toml.decode((_FOLDER / f"{name}.toml").read_text("utf-8"), type=FeeSchedule)
