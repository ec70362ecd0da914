"""The page of the venue says what the code does: settings with their defaults and ranges, orders as they are sent, faults with tests that there are.

`FOXTROT_WRITE_DOCS=1 pytest tests/unit/adapter/ib/test_venue_page.py` writes the table of orders.
"""

import os
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ib.bar_sizes import BAR_SIZES
from foxtrot.adapter.ib.config import KNOWN, IbSettings, read_settings
from foxtrot.adapter.ib.order_codec import order_terms
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.order import ApprovedOrder
from foxtrot.exchange.listings import listing
from tests.support.recorder import Recorder

REPOSITORY = Path(__file__).resolve().parents[4]
PAGE = REPOSITORY / "docs" / "venues" / "ib.md"
BEGIN, END = "<!-- orders: written by the test of this page -->", "<!-- end of orders -->"
WHOLE = re.compile(r"(\d[\d,]*) to (\d[\d,]*)")
QUOTED = re.compile(r'`"([^"]*)"`')
APPLE = listing("AAPL.NASDAQ")


# --- orders ---------------------------------------------------------------------------------------------------------


def approved(kind: OrderType, time_in_force: TimeInForce) -> ApprovedOrder:
    """Return an order with what its type needs."""
    expires = 2_000_000_000 * 10**9 if time_in_force is TimeInForce.GTD else 0
    trailing = 10_000 * (kind is OrderType.TRAILING_STOP)
    return ApprovedOrder(
        "t-1-1", "tester", "ours", APPLE.instrument_id, Side.SELL, kind, 100, 2_000_000 * kind.needs_price,
        1_900_000 * kind.needs_trigger, time_in_force, False, False, PositionSide.NET, trailing, 0, expires, 1,
    )  # fmt: skip


def sent(kind: OrderType, time_in_force: TimeInForce) -> str:
    """Return what is sent of an order, as the page shows it: IB's type and time, and which prices go along."""
    try:
        terms = order_terms(approved(kind, time_in_force), APPLE, "DU1")
    except OrderRefused as refusal:
        return f"refused: `{refusal.rule}`"
    prices = (
        ("lmtPrice", terms.limit), ("auxPrice", terms.trigger), ("trailStopPrice", terms.first_stop), ("goodTillDate", terms.good_till),
    )  # fmt: skip
    return f"`{' '.join((terms.kind, terms.tif, *(name for name, value in prices if value)))}`"


def orders_table() -> str:
    """Return the table of orders: a line for each type, with its times in force."""
    times = list(TimeInForce)
    lines = [f"| order | {' | '.join(times)} |", f"|{'---|' * (len(times) + 1)}"]
    lines += [f"| {kind} | {' | '.join(sent(kind, time) for time in times)} |" for kind in OrderType]
    return "\n".join(lines)


def test_the_table_of_orders_is_what_is_sent() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("FOXTROT_WRITE_DOCS") == "1":
        PAGE.write_text(f"{before}{BEGIN}\n\n{orders_table()}\n\n{END}{after}", encoding="utf-8")
    else:
        assert written.strip() == orders_table()


# --- settings -------------------------------------------------------------------------------------------------------


def settings(**given: Any) -> IbSettings:
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


def shown(value: object) -> str:
    """Return a setting as it stands in a configuration."""
    if isinstance(value, tuple):
        return msgspec.json.encode(", ".join(value)).decode()
    return msgspec.json.encode(getattr(value, "text", value)).decode()


def test_every_setting_is_named_and_no_other() -> None:
    assert list(documented()) == list(KNOWN)
    assert set(IbSettings.__struct_fields__) - {"environment"} == set(KNOWN) - {"port_file"}


@pytest.mark.parametrize("name", sorted(set(KNOWN) - {"port_file"}))
def test_a_default_is_the_codes(name: str) -> None:
    assert documented()[name][0] == shown(getattr(settings(), name))


@pytest.mark.parametrize("name", ranges())
def test_the_ends_of_a_range_are_taken_and_what_lies_beyond_is_not(name: str) -> None:
    lowest, highest = (int(text.replace(",", "")) for text in WHOLE.match(documented()[name][1]).groups())  # type: ignore[union-attr]
    for value in (lowest, highest):
        settings(**{name: value})
    for value in (lowest - 1, highest + 1):
        with pytest.raises(ConfigError, match=f"{name} = "):
            settings(**{name: value})


@pytest.mark.parametrize("name", ["routing", "market_data", "outside_session"])
def test_each_choice_that_is_named_is_taken_and_the_refusal_names_no_other(name: str) -> None:
    choices = QUOTED.findall(documented()[name][1])
    assert len(choices) > 1
    for choice in choices:
        assert getattr(settings(**{name: choice}), name) == choice
    with pytest.raises(ConfigError) as refused:
        settings(**{name: "nothing of that kind"})
    named = set(re.findall(r"\w+", str(refused.value).partition("one of")[2]))
    assert set(choices) <= named


def test_the_bars_that_are_named_are_those_that_ib_has() -> None:
    told = PAGE.read_text(encoding="utf-8").partition("**Bars** are ")[2].partition(". From")[0]
    assert re.findall(r"\d+[a-z]", told) == [size.interval.text for size in BAR_SIZES]


def test_every_fault_names_a_file_of_tests_that_there_is() -> None:
    folders = {"": "integration/ib", "unit ": "unit/adapter/ib"}
    rows = section("What happens at a fault")
    assert len(rows) > 10
    for *_, tests in rows:
        named = re.findall(r"(unit )?`(test_\w+\.py)`", tests)
        assert named
        assert [file for kind, file in named if not (REPOSITORY / "tests" / folders[kind] / file).exists()] == []
