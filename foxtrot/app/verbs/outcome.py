"""What a verb gives back: one object for programs, a text for people, and an exit status."""

import enum
import json
import math
from collections.abc import Mapping
from decimal import Decimal

import msgspec

DONE, FAILED, BAD_INPUT, NEEDS_PERSON = 0, 1, 2, 3


class Outcome(msgspec.Struct, frozen=True):
    """The result of a verb; `text` is what a person reads, `result` what --json prints."""

    result: dict[str, object]
    text: str
    status: int = DONE


def json_text(result: Mapping[str, object]) -> str:
    """Return one RFC 8259 object on one line; NaN and infinities are null, decimals are numbers."""
    return json.dumps(_plain(result), allow_nan=False)


def error_object(error: BaseException) -> dict[str, object]:
    """Return a failure as --json prints it."""
    return {"error": {"type": type(error).__name__, "message": one_line(error)}}


def one_line(error: BaseException) -> str:
    """Return what an error says, on one line; its type when it says nothing."""
    return " ".join(str(error).split()) or type(error).__name__


def listed(rows: Mapping[str, object]) -> str:
    """Return names and values in two columns."""
    width = max((len(name) for name in rows), default=0)
    return "\n".join(f"{name:<{width}}  {_shown(value)}" for name, value in rows.items())


def _shown(value: object) -> str:
    if value is None:
        return "n/a"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.6g}" if abs(value) < 1000 else f"{value:,.2f}"
    if isinstance(value, int):
        return f"{value:,}"
    return json.dumps(_plain(value)) if isinstance(value, Mapping | list | tuple) else str(value)


def _plain(value: object) -> object:
    if isinstance(value, enum.Enum):
        value = value.value
    if isinstance(value, float | Decimal):
        number = float(value)
        return number if math.isfinite(number) else None
    if isinstance(value, msgspec.Struct):
        value = msgspec.structs.asdict(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | str):
        return value
    item = getattr(value, "item", None)  # numpy's scalars
    return _plain(item()) if callable(item) else str(value)
