"""A fee schedule in words and figures, so that a reader need not look it up."""

from decimal import Decimal

from foxtrot.domain.fees import FeeItem, FeeSchedule

_PERCENTAGE = "percentage"
_BASES = {"notional": "of notional", "quantity": "per unit of quantity", "order": "per order"}


def fee_text(fees: FeeSchedule | None) -> str:
    """Return what is charged, such as "0.02 % maker / 0.05 % taker of notional"; a preset's name stands before its items."""
    if fees is None or not fees.items:
        return "none"
    text = "; ".join(_item_text(item, named=len(fees.items) > 1) for item in fees.items)
    name = "" if fees.name == _PERCENTAGE else f"{fees.name}: "
    doubt = "" if fees.is_verified else " (not every figure was read from the source)"
    return f"{name}{text}{doubt}"


def _item_text(item: FeeItem, *, named: bool) -> str:
    basis = f"of {item.of}" if item.of else _BASES[item.unit]
    parts = [f"{item.name} {_rates(item)} {basis}" if named else f"{_rates(item)} {basis}"]
    if item.tiers[0].minimum:
        parts.append(f"at least {_plain(item.tiers[0].minimum)}")
    if item.maximum:
        parts.append(f"at most {_plain(item.maximum)}")
    if item.maximum_rate:
        parts.append(f"at most {_percent(item.maximum_rate)} of notional")
    if item.scope == "order" and len(parts) > 1:
        parts[-1] += " per order"
    if item.side is not None:
        parts.append(f"{item.side} only")
    if len(item.tiers) > 1:
        parts.append(f"the first of {len(item.tiers)} tiers by 30-day volume")
    return ", ".join(parts)


def _rates(item: FeeItem) -> str:
    first = item.tiers[0]
    show = _percent if item.unit in ("notional", "item") else _plain
    if first.maker == first.taker:
        return f"{show(first.maker)} maker / taker"
    return f"{show(first.maker)} maker / {show(first.taker)} taker"


def _percent(rate: Decimal) -> str:
    return f"{_plain(rate * 100)} %"


def _plain(amount: Decimal) -> str:
    """Return a decimal without an exponent and without zeros at its end."""
    return f"{amount.normalize():f}"
