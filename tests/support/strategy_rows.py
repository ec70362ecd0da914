"""Rows of strategies for tests of a desktop: what a platform would answer."""

from decimal import Decimal

import msgspec

from foxtrot.app.control_requests import PositionRow, Strategies, StrategyRow
from foxtrot.app.desktop_requests import DescribedStrategies, ParameterForm, StrategyForm

PARAMETERS = (
    ParameterForm("fast", "int", 20, 1, None, "closes in the fast average"),
    ParameterForm("size", "float", 1.0, 0.0, 10.0, "position to hold"),
    ParameterForm("both_ways", "bool", True, None, None, "whether it sells short"),
    ParameterForm("note", "str", "", None, None, "a word of yours"),
)
VALUES = {"fast": 20, "size": 0.0004, "both_ways": True, "note": "x"}
KEEPS = {"on_stop": ("cancel_entries", "keep"), "on_error": ("cancel_entries", "keep")}
FLATTENS = {"on_stop": ("cancel_all", "flatten")}
HELD = PositionRow("maker", "main", "BTCUSDT.PERP", "net", -0.04, 50_000.0, Decimal("-1.5"), "naked")


def a_row(name: str = "maker", stage: str = "stopped", **changes: object) -> StrategyRow:
    """A strategy without a position and with an equity of 1,250.50."""
    row = StrategyRow(
        name, "MarketMaking", "main", ("BTCUSDT.PERP",), stage, "", dict(VALUES), 0, (), Decimal("1250.50"), False, "", 0, ""
    )  # fmt: skip
    return msgspec.structs.replace(row, **changes)


def a_form(name: str = "maker", **changes: object) -> StrategyForm:
    """How it is set up: a capital of 1,000 and a policy that keeps its position."""
    form = StrategyForm(name, "market_making", "1m", Decimal(1_000), PARAMETERS, KEEPS)
    return msgspec.structs.replace(form, **changes)


def answers(*rows: StrategyRow, forms: tuple[StrategyForm, ...] = ()) -> dict[str, msgspec.Struct]:
    """What a platform answers to ListStrategies and to DescribeStrategies."""
    made = forms or tuple(a_form(row.strategy_id) for row in rows)
    return {"rows": Strategies(rows), "forms": DescribedStrategies("USDT", made)}
