"""The page of the venue says what the code does: settings, addresses, orders as they are sent, codes and what they mean.

`FOXTROT_WRITE_DOCS=1 pytest tests/unit/adapter/binance/test_venue_page.py` writes the table of orders.
"""

import os
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.binance.config import OVERRIDES, SECRETS, BinanceSettings, read_settings
from foxtrot.adapter.binance.environments import ENVIRONMENTS
from foxtrot.adapter.binance.errors import kind_of_code
from foxtrot.adapter.binance.order_codec import order_call
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderType, PositionSide, Product, Side, TimeInForce
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder
from tests.support.recorder import Recorder
from tests.support.scripted_binance import btcusdt

PAGE = Path(__file__).resolve().parents[4] / "docs" / "venues" / "binance.md"
BEGIN, END = "<!-- orders: written by the test of this page -->", "<!-- end of orders -->"
SHOWN = (
    "type",
    "timeInForce",
    "stopPrice",
    "triggerPrice",
    "activatePrice",
    "trailingDelta",
    "callbackRate",
    "goodTillDate",
)
FIGURES = {"stopPrice", "triggerPrice", "activatePrice", "trailingDelta", "callbackRate", "goodTillDate"}
ENDPOINTS = {
    "privatePostOrder": "order",
    "fapiPrivatePostOrder": "order",
    "fapiPrivatePostAlgoOrder": "algoOrder",
}
GIVEN = {"product", "environment", "urls", "signer", *SECRETS}
WHOLE = re.compile(r"(\d[\d,]*) to (\d[\d,]*)")


# --- orders ---------------------------------------------------------------------------------------------------------


def approved(kind: OrderType, time_in_force: TimeInForce, **changes: Any) -> ApprovedOrder:
    """Return an order with what its type needs."""
    order = ApprovedOrder(
        "t-1-1", "tester", "ours", "", Side.SELL, kind, 100_000, 4_000_000 * kind.needs_price, 3_900_000 * kind.needs_trigger,
        time_in_force, False, False, PositionSide.NET, 40_000 * (kind is OrderType.TRAILING_STOP), 0,
        1_800_000_000_000_000_000 * (time_in_force is TimeInForce.GTD), 1,
    )  # fmt: skip
    return msgspec.structs.replace(order, **changes)


def sent(order: ApprovedOrder, instrument: Instrument) -> str:
    """Return what is sent of an order, as the page shows it."""
    try:
        call = order_call(order, instrument, 4_000_000)
    except OrderRefused as refusal:
        return f"refused: `{refusal.rule}`"
    parts = [f"{name}{'' if name in FIGURES else '=' + call.params[name]}" for name in SHOWN if name in call.params]
    return f"{ENDPOINTS[call.endpoint]}: `{' '.join(parts)}`"


def orders_table() -> str:
    """Return the table of orders: times in force that are sent alike share a line, one that neither product takes has none."""
    lines = ["| order | time in force | spot | USD-M |", "|---|---|---|---|"]
    for kind in OrderType:
        alike: dict[tuple[str, str], list[str]] = {}
        for time_in_force in TimeInForce:
            alike.setdefault(_both(approved(kind, time_in_force)), []).append(time_in_force)
        lines += [
            f"| {kind} | {', '.join(times)} | {spot} | {usdm} |"
            for (spot, usdm), times in alike.items()
            if not spot.startswith("refused") or not usdm.startswith("refused")
        ]
        post_only = _both(approved(kind, TimeInForce.GTC, post_only=True))
        if not all(text.startswith("refused") for text in post_only):
            lines.append(f"| {kind}, post-only | gtc | {' | '.join(post_only)} |")
    return "\n".join(lines)


def _both(order: ApprovedOrder) -> tuple[str, str]:
    return sent(order, btcusdt()), sent(order, btcusdt(Product.PERPETUAL))


def test_the_table_of_orders_is_what_is_sent() -> None:
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    written, _, after = rest.partition(END)
    if os.environ.get("FOXTROT_WRITE_DOCS") == "1":
        PAGE.write_text(f"{before}{BEGIN}\n\n{orders_table()}\n\n{END}{after}", encoding="utf-8")
    else:
        assert written.strip() == orders_table()


# --- settings -------------------------------------------------------------------------------------------------------


def settings(**given: Any) -> BinanceSettings:
    """Return the settings of an account on the testnet."""
    context = AdapterContext("ours", Recorder(), SendPermit(), ManualClock(), given, {}, environment="testnet")
    return read_settings(context)


def section(title: str) -> list[list[str]]:
    """Return the rows of the first table under a heading, without its head."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {title}\n")[2].partition("\n## ")[0]
    rows = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in rows[2:]]


def documented() -> dict[str, tuple[str, str]]:
    """Return default and allowed values of each setting."""
    return {name.strip("`"): (default.strip("`"), allowed) for name, default, allowed, _ in section("Settings")}


def test_every_setting_is_named_and_no_other() -> None:
    own = set(BinanceSettings.__struct_fields__) - GIVEN
    assert set(documented()) == own | {"product", *OVERRIDES}


@pytest.mark.parametrize("name", sorted(set(BinanceSettings.__struct_fields__) - GIVEN))
def test_a_default_is_the_codes(name: str) -> None:
    default, _ = documented()[name]
    value = getattr(settings(), name)
    shown = "" if value in (frozenset(), {}) else value
    assert default == msgspec.json.encode(shown).decode()


def ranges() -> list[str]:
    """Return the settings of whole numbers that every environment takes."""
    return sorted(
        name for name, (_, allowed) in documented().items() if WHOLE.fullmatch(allowed) and name not in OVERRIDES
    )


@pytest.mark.parametrize("name", ranges())
def test_the_ends_of_a_range_are_taken_and_what_lies_beyond_is_not(name: str) -> None:
    lowest, highest = (int(text.replace(",", "")) for text in WHOLE.fullmatch(documented()[name][1]).groups())  # type: ignore[union-attr]
    rest = {"max_leverage": 125} if name == "leverage" else {}
    for value in (lowest, highest):
        settings(**{name: value}, **rest)
    for value in (lowest - 1, highest + 1):
        with pytest.raises(ConfigError, match=f"from {lowest} to {highest}"):
            settings(**{name: value}, **rest)


# --- addresses and codes --------------------------------------------------------------------------------------------


def test_the_addresses_of_each_environment_are_the_codes() -> None:
    shown = {
        row[0].strip("`"): set(re.findall(r"[a-z-]+\.[a-z.]+", " ".join(row[1:3]))) for row in section("Environments")
    }
    for name, urls in ENVIRONMENTS.items():
        api: Any = urls
        used = [api[key] for key in ("public", "fapiPublic")]
        used += [api["ws"][key] for key in ("spot", "linear")] + [api["ws"]["ws-api"]["spot"]]
        assert shown[name] == {urlsplit(url).hostname for url in used}


def test_the_codes_in_the_table_of_troubles_mean_what_it_says() -> None:
    rows = section("When something is wrong")
    told = {code: meaning for _, codes, meaning, _ in rows for code in re.findall(r"-\d{4}", codes) if meaning}
    assert len(told) > 10
    assert {code: kind_of_code(code).value for code in told} == told
