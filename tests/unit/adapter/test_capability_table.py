"""The capability table of the documentation is that of the code."""

import re
from enum import Enum
from pathlib import Path

import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.config import PRODUCTS
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.adapter.futu.config import REAL, SIMULATE
from foxtrot.adapter.registry import adapter_names, load_adapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from tests.support.recorder import Recorder

PAGE = Path(__file__).resolve().parents[3] / "docs" / "adapters.md"
OF_PRODUCTS = {"binance": ("testnet", tuple(PRODUCTS))}
"""Adapters whose accounts are each one of several products: an environment to make them in, and the setting `product`."""
OF_ENVIRONMENTS = {"futu": (REAL, SIMULATE)}
"""Adapters whose accounts can do more in one environment than in another; the first is what the class declares."""


def _columns() -> dict[str, tuple[str, str]]:
    """Return the columns of the table: adapter and kind of account, "" for an adapter with one kind."""
    of_products = {name: products for name, (_, products) in OF_PRODUCTS.items()}
    kinds = {name: (of_products | OF_ENVIRONMENTS).get(name, ("",)) for name in adapter_names()}
    return {f"{name} {kind}".strip(): (name, kind) for name in kinds for kind in kinds[name]}


def _declared(name: str, kind: str) -> Capabilities:
    """Return what an account of an adapter declares."""
    if not kind:
        return load_adapter(name).capabilities
    environment, settings = (kind, {}) if name in OF_ENVIRONMENTS else (OF_PRODUCTS[name][0], {"product": kind})
    context = AdapterContext("ours", Recorder(), SendPermit(), ManualClock(), settings, {}, environment)
    return load_adapter(name)(context).capabilities


def _text(value: object) -> str:
    """A capability as the table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(item.value for item in value))
    if isinstance(value, tuple):
        return ", ".join(algo.name for algo in value)
    return str(value.value if isinstance(value, Enum) else value)


def _documented() -> dict[str, dict[str, str]]:
    rows = [line.strip("|").split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows if not re.fullmatch(r"[-| ]+", "".join(row))]
    first = next(number for number, row in enumerate(cells) if row[0] == "capability")
    head, *body = cells[first : first + 1 + len(Capabilities.__struct_fields__)]
    return {name: {row[0]: row[column] for row in body} for column, name in enumerate(head) if column}


def test_the_table_has_a_column_for_every_adapter_and_kind_of_account() -> None:
    assert set(_documented()) == set(_columns())


@pytest.mark.parametrize("column", list(_columns()))
def test_a_column_says_what_an_account_declares(column: str) -> None:
    capabilities = _declared(*_columns()[column])
    declared = {field: _text(getattr(capabilities, field)) for field in Capabilities.__struct_fields__}
    assert _documented()[column] == declared


def test_an_adapter_class_declares_what_its_first_product_or_environment_does() -> None:
    firsts = {name: products[0] for name, (_, products) in OF_PRODUCTS.items()}
    firsts |= {name: environments[0] for name, environments in OF_ENVIRONMENTS.items()}
    for name, kind in firsts.items():
        assert load_adapter(name).capabilities == _declared(name, kind)
