"""Order terms: what a strategy says beside side, quantity and price, as it becomes a request."""

from collections.abc import Mapping
from difflib import get_close_matches
from enum import StrEnum
from typing import TypeVar

from foxtrot.domain.enums import OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderRequest
from foxtrot.trading.protection_state import ProtectionTerms

TERMS = (
    "instrument", "trigger_price", "trailing_offset", "order_type", "time_in_force", "post_only", "reduce_only",
    "display_quantity", "expire_time_ns", "tag", "algo", "algo_params",
)  # fmt: skip
PROTECTION = ("stop_loss", "take_profit", "trailing_stop")
"""Terms of an entry that protect its position; see trading.protection."""
_PAIR = 2
Choice = TypeVar("Choice", bound=StrEnum)


def request_of(skeleton: OrderRequest, quantity: float, price: float, terms: Mapping[str, object]) -> OrderRequest:
    """Return a request with the terms filled in.

    Args:
        skeleton: has instrument, account, side and position side.
        quantity: as given by the strategy.
        price: as given by the strategy; 0.0 for none.
        terms: by name, see TERMS; the order type follows from prices and trigger unless it is told.

    Raises:
        ConfigError: an unknown term (the nearest one is named) or a value of the wrong type.
    """
    for name in terms:
        if name not in TERMS:
            known = TERMS + PROTECTION
            close = get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(known)}"
            raise ConfigError(f"order term {name} is not known; {hint}")
    trigger, trailing = _number(terms, "trigger_price"), _number(terms, "trailing_offset")
    return OrderRequest(
        skeleton.instrument_id, skeleton.account, skeleton.side,
        _choice(terms, "order_type", OrderType, _type_of(price, trigger, trailing)), float(quantity), float(price), trigger,
        _choice(terms, "time_in_force", TimeInForce, _time_of(terms)), _flag(terms, "reduce_only"), _flag(terms, "post_only"),
        skeleton.position_side, trailing, _number(terms, "display_quantity"), _whole(terms, "expire_time_ns"),
        str(terms.get("tag", "")), str(terms.get("algo") or ""), _pairs(terms, "algo_params"),
    )  # fmt: skip


def protection_of(terms: Mapping[str, object]) -> tuple[ProtectionTerms | None, dict[str, object]]:
    """Return what protects the position that an entry opens, or None, and the terms of the order itself.

    Raises:
        ConfigError: a value of the wrong type.
    """
    rest = {name: value for name, value in terms.items() if name not in PROTECTION}
    if len(rest) == len(terms):
        return None, rest
    stop, take, trail = (_number(terms, name) for name in PROTECTION)
    return ProtectionTerms(stop, take, trail), rest


def plain_request(
    instrument_id: str, account: str, side: Side, position_side: PositionSide, quantity: float, price: float
) -> OrderRequest:
    """Return a request without further terms: a limit with a price, else a market order."""
    kind = OrderType.LIMIT if price else OrderType.MARKET
    return OrderRequest(
        instrument_id,
        account,
        side,
        kind,
        float(quantity),
        float(price),
        0.0,
        TimeInForce.GTC,
        False,
        False,
        position_side,
    )


def _type_of(price: float, trigger: float, trailing: float) -> OrderType:
    if trailing:
        return OrderType.TRAILING_STOP
    if trigger:
        return OrderType.STOP_LIMIT if price else OrderType.STOP
    return OrderType.LIMIT if price else OrderType.MARKET


def _time_of(terms: Mapping[str, object]) -> TimeInForce:
    return TimeInForce.GTD if terms.get("expire_time_ns") else TimeInForce.GTC


def _number(terms: Mapping[str, object], name: str) -> float:
    value = terms.get(name, 0.0)
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise ConfigError(f"order term {name} must be a number, not {value!r}")
    return float(value)


def _whole(terms: Mapping[str, object], name: str) -> int:
    value = terms.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ConfigError(f"order term {name} must be a whole number of UTC nanoseconds, not {value!r}")
    return value


def _flag(terms: Mapping[str, object], name: str) -> bool:
    value = terms.get(name, False)
    if not isinstance(value, bool):
        raise ConfigError(f"order term {name} must be True or False, not {value!r}")
    return value


def _pairs(terms: Mapping[str, object], name: str) -> tuple[tuple[str, str], ...]:
    """Return parameters by name, of a mapping or of pairs; every value as text, which is what venues take."""
    value = terms.get(name) or ()
    found = tuple(value.items()) if isinstance(value, Mapping) else value
    if not isinstance(found, tuple | list) or not all(
        isinstance(one, tuple | list) and len(one) == _PAIR for one in found
    ):
        raise ConfigError(f"order term {name} must be names with their values, not {value!r}")
    return tuple((str(key), str(text)) for key, text in found)


def _choice(terms: Mapping[str, object], name: str, kind: type[Choice], default: Choice) -> Choice:
    value = str(terms.get(name) or default)
    try:
        return kind(value)
    except ValueError:
        close = get_close_matches(value, list(kind), n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(kind)}"
        raise ConfigError(f"order term {name} {value!r} is not known; {hint}") from None
