"""The page of the venue says what the code does: settings with their defaults and ranges, orders as they are sent, faults with tests that there are.

`FOXTROT_WRITE_DOCS=1 pytest tests/unit/adapter/futu/test_venue_page.py` writes the table of orders.
"""

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.futu.config import KNOWN, SECRETS, FutuSettings, read_settings
from foxtrot.adapter.futu.kline_types import KLINE_TYPES
from foxtrot.adapter.futu.order_codec import order_call
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder
from foxtrot.exchange.listings import default_listings
from tests.support.recorder import Recorder

REPOSITORY = Path(__file__).resolve().parents[4]
PAGE = REPOSITORY / "docs" / "venues" / "futu.md"
BEGIN, END = "<!-- orders: written by the test of this page -->", "<!-- end of orders -->"
GIVEN = {"environment", *SECRETS}
WHOLE = re.compile(r"(\d[\d,]*) to (\d[\d,]*)")
QUOTED = re.compile(r'`"([^"]*)"`')


# --- orders ---------------------------------------------------------------------------------------------------------


def approved(kind: OrderType, time_in_force: TimeInForce) -> ApprovedOrder:
    """Return an order with what its type needs."""
    return ApprovedOrder(
        "t-1-1", "tester", "ours", "", Side.SELL, kind, 100, 400_000 * kind.needs_price, 390_000 * kind.needs_trigger,
        time_in_force, False, False, PositionSide.NET, 0, 0, 0, 1,
    )  # fmt: skip


def listed(instrument_id: str) -> Instrument:
    return next(one for one in default_listings() if one.instrument_id == instrument_id)


def sent(order: ApprovedOrder, instrument_id: str, *, real: bool) -> str:
    """Return what is sent of an order, as the page shows it."""
    try:
        call = order_call(order, listed(instrument_id), real=real)
    except OrderRefused as refusal:
        return f"refused: `{refusal.rule}`"
    trigger = " aux_price" if call.trigger is not None else ""
    return f"`{call.kind} {call.time_in_force}{trigger}`"


def row(kind: OrderType, time_in_force: TimeInForce) -> tuple[str, str, str]:
    """Return how an order is sent: real in Hong Kong, real in the United States, on paper in either."""
    order = approved(kind, time_in_force)
    paper = {sent(order, one, real=False) for one in ("00700.SEHK", "AAPL.NASDAQ")}
    assert len(paper) == 1
    return sent(order, "00700.SEHK", real=True), sent(order, "AAPL.NASDAQ", real=True), paper.pop()


def orders_table() -> str:
    """Return the table of orders: times in force that are sent alike share a line, what no account takes has none."""
    lines = [
        "| order | time in force | real, Hong Kong | real, United States | simulate |",
        "|---|---|---|---|---|",
    ]
    for kind in OrderType:
        alike: dict[tuple[str, str, str], list[str]] = {}
        for time_in_force in TimeInForce:
            alike.setdefault(row(kind, time_in_force), []).append(time_in_force)
        lines += [
            f"| {kind} | {', '.join(times)} | {' | '.join(ways)} |"
            for ways, times in alike.items()
            if not all(way.startswith("refused") for way in ways)
        ]
    return "\n".join(lines)


def test_the_table_of_orders_is_what_is_sent() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("FOXTROT_WRITE_DOCS") == "1":
        PAGE.write_text(f"{before}{BEGIN}\n\n{orders_table()}\n\n{END}{after}", encoding="utf-8")
    else:
        assert written.strip() == orders_table()


# --- settings -------------------------------------------------------------------------------------------------------


def settings(**given: Any) -> FutuSettings:
    """Return the settings of a paper account."""
    return read_settings(AdapterContext("ours", Recorder(), SendPermit(), ManualClock(), given, {}))


def section(title: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, without its head."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:]]


def documented() -> dict[str, tuple[str, str]]:
    """Return default and allowed values of each setting."""
    return {name.strip("`"): (default.strip("`"), allowed) for name, default, allowed, _ in section("Settings")}


def ranges() -> list[str]:
    """Return the settings of numbers."""
    return sorted(name for name, (_, allowed) in documented().items() if WHOLE.match(allowed))


def test_every_setting_is_named_and_no_other() -> None:
    assert list(documented()) == list(KNOWN)
    assert set(FutuSettings.__struct_fields__) - GIVEN == set(KNOWN) - {"port_file"}


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"port_file"}))
def test_a_default_is_the_codes(name: str) -> None:
    value = getattr(settings(), name)
    shown = ", ".join(value) if isinstance(value, tuple) else value
    assert documented()[name][0] == msgspec.json.encode(shown).decode()


@pytest.mark.parametrize("name", ranges())
def test_the_ends_of_a_range_are_taken_and_what_lies_beyond_is_not(name: str) -> None:
    lowest, highest = (int(text.replace(",", "")) for text in WHOLE.match(documented()[name][1]).groups())  # type: ignore[union-attr]
    for value in (lowest, highest):
        settings(**{name: value})
    for value in (lowest - 1, highest + 1):
        with pytest.raises(ConfigError, match=f"{name} = "):
            settings(**{name: value})


@pytest.mark.parametrize("name", ["security_firm", "currency", "outside_session"])
def test_each_choice_that_is_named_is_taken_and_the_refusal_names_no_other(name: str) -> None:
    choices = QUOTED.findall(documented()[name][1])
    assert len(choices) > 2
    for choice in choices:
        assert getattr(settings(**{name: choice}), name) == choice
    with pytest.raises(ConfigError) as refused:
        settings(**{name: "nothing of that kind"})
    named = set(re.findall(r"\w+", str(refused.value).partition("one of")[2]))
    assert set(filter(None, choices)) == named


def test_the_bars_that_are_named_are_those_that_futu_has() -> None:
    told = PAGE.read_text(encoding="utf-8").partition("**Bars** are ")[2].partition(". Futu")[0]
    assert re.findall(r"\d+[a-z]", told) == [kind.interval.text for kind in KLINE_TYPES]


def test_every_fault_names_a_file_of_tests_that_there_is() -> None:
    folders = {"": "integration/futu", "unit": "unit/adapter/futu"}
    rows = section("What happens at a fault")
    assert len(rows) > 5
    for *_, tests in rows:
        prefix = "unit" if tests.startswith("unit ") else ""
        named = re.findall(r"`(test_\w+\.py)`", tests)
        assert named or tests == "faults"
        assert [file for file in named if not (REPOSITORY / "tests" / folders[prefix] / file).exists()] == []
