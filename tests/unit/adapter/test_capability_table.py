"""The capability table of the documentation is that of the code."""

import re
from enum import Enum
from pathlib import Path

import pytest

from foxtrot.adapter.capabilities import Capabilities
from foxtrot.adapter.registry import adapter_names, load_adapter

PAGE = Path(__file__).resolve().parents[3] / "docs" / "adapters.md"


def _text(value: object) -> str:
    """A capability as the table shows it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, frozenset):
        return ", ".join(sorted(item.value for item in value))
    return str(value.value if isinstance(value, Enum) else value)


def _documented() -> dict[str, dict[str, str]]:
    rows = [line.strip("|").split("|") for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows if not re.fullmatch(r"[-| ]+", "".join(row))]
    head, *body = cells
    return {name: {row[0]: row[column] for row in body} for column, name in enumerate(head) if column}


def test_the_table_has_a_column_for_every_adapter() -> None:
    assert set(_documented()) == set(adapter_names())


@pytest.mark.parametrize("name", adapter_names())
def test_a_column_says_what_the_adapter_declares(name: str) -> None:
    capabilities = load_adapter(name).capabilities
    declared = {field: _text(getattr(capabilities, field)) for field in Capabilities.__struct_fields__}
    assert _documented()[name] == declared
