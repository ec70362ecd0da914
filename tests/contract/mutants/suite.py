"""The contract suite as plain calls, so that a broken adapter can be put through it inside one test."""

import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import product
from typing import NamedTuple

import pytest

from tests.support.contract_rig import ContractRig

MODULES = (
    "test_1_calls", "test_2_connecting", "test_3_reconnecting", "test_4_orders", "test_4_pairs",
    "test_5_bars", "test_5_depth", "test_6_books", "test_6_interface", "test_7_closing",
    "test_8_send_permit", "test_9_reconciling",
)  # fmt: skip


class Case(NamedTuple):
    """One contract test with its parameters."""

    name: str
    run: Callable[[ContractRig], object]


def cases(prefix: str = "test_") -> Iterator[Case]:
    """Every contract test whose name begins so, once for each set of parameters."""
    for module in MODULES:
        for name, function in vars(import_module(f"tests.contract.{module}")).items():
            if name.startswith(prefix) and callable(function):
                yield from _expanded(name, function)


def _expanded(name: str, function: Callable[..., object]) -> Iterator[Case]:
    marks = [mark for mark in getattr(function, "pytestmark", ()) if mark.name == "parametrize"]
    axes = [[dict(_named(mark.args[0], value)) for value in mark.args[1]] for mark in marks]
    for combination in product(*axes):
        given = {key: value for part in combination for key, value in part.items()}
        label = f"{name}[{', '.join(map(str, given.values()))}]" if given else name
        yield Case(label, lambda rig, given=given: function(rig, **given))


def _named(names: str | tuple[str, ...], value: object) -> list[tuple[str, object]]:
    keys = [key.strip() for key in names.split(",")] if isinstance(names, str) else list(names)
    return list(zip(keys, [value] if len(keys) == 1 else value, strict=True))  # type: ignore[arg-type]


def verdict(case: Case, make_rig: Callable[[], ContractRig]) -> str:
    """Run a case on a rig of its own; returns why it failed, or "" when it passed or was skipped."""
    unseen: list[str] = []
    previous, threading.excepthook = threading.excepthook, lambda raised: unseen.append(repr(raised.exc_value))
    try:
        with make_rig() as rig:
            case.run(rig)
    except pytest.skip.Exception:
        return ""
    except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001  (whatever it is, the suite has noticed)
        return f"{type(error).__name__}: {error}".splitlines()[0]
    finally:
        threading.excepthook = previous
    return unseen[0] if unseen else ""
