"""Everything that hangs on an object, as far as attributes, items, closures and bound methods lead."""

import gc
from types import FrameType, FunctionType, ModuleType

MOST = 3_000_000


def reached(start: object) -> dict[int, object]:
    """Everything that hangs on an object, other than by modules, classes, frames and the globals of functions; by identity."""
    found: dict[int, object] = {}
    waiting = [start]
    while waiting and len(found) < MOST:
        one = waiting.pop()
        if id(one) in found or isinstance(one, ModuleType | type | FrameType):
            continue
        found[id(one)] = one
        waiting += (
            [*(one.__closure__ or ()), *(one.__defaults__ or ()), one.__dict__]
            if isinstance(one, FunctionType)
            else gc.get_referents(one)
        )
    assert len(found) < MOST
    return found
