"""Every struct of the domain, found by walking the package, survives JSON and msgpack."""

import enum
import importlib
import inspect
import pkgutil
import typing
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import foxtrot.domain
from foxtrot.domain.account import AccountCharge
from foxtrot.domain.fees import FeeItem, FeeSchedule, FeeTier
from foxtrot.domain.instrument import Instrument, PriceBand

NANOSECONDS = st.integers(-(2**63), 2**63 - 1)
SCALARS = {
    str: st.text(),
    int: NANOSECONDS,
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False),
    date: st.dates(),
    time: st.times(),
    type(None): st.none(),
}


def structs():
    """Return every public struct that the modules of the domain define."""
    found = []
    for module_info in pkgutil.iter_modules(foxtrot.domain.__path__, "foxtrot.domain."):
        module = importlib.import_module(module_info.name)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if issubclass(kind, msgspec.Struct) and kind.__module__ == module.__name__:
                found.append(kind)
    return found


def values(hint):
    """Return a strategy of values of a type hint."""
    if hint in SCALARS:
        return SCALARS[hint]
    if inspect.isclass(hint) and issubclass(hint, enum.Enum):
        return st.sampled_from(list(hint))
    if inspect.isclass(hint) and issubclass(hint, msgspec.Struct):
        return instances(hint)
    return generic_values(typing.get_origin(hint), typing.get_args(hint))


def generic_values(origin, arguments):
    """Return a strategy of values of a generic type."""
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple and arguments[-1] is Ellipsis:
        return st.lists(values(arguments[0]), max_size=4).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values, arguments))
    if origin is frozenset:
        return st.frozensets(values(arguments[0]), max_size=4)
    if origin in (dict, Mapping):
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=4)
    return st.one_of(*map(values, arguments))


@st.composite
def instances(draw, kind):
    """Draw a struct; optional fields are left to their defaults at times."""
    hints = typing.get_type_hints(kind)
    special = CONSTRAINED.get(kind, dict)()
    fields = {}
    for field in msgspec.structs.fields(kind):
        if field.required or draw(st.booleans()):
            strategy = special[field.name] if field.name in special else values(hints[field.name])
            fields[field.name] = draw(strategy)
    return kind(**fields)


def fee_item_fields():
    rates = st.decimals(allow_nan=False, allow_infinity=False)
    return {
        "unit": st.sampled_from(["notional", "quantity"]),
        "tiers": rates.map(lambda rate: (FeeTier(Decimal(0), rate, rate),)),
        "of": st.just(""),
    }


def fee_schedule_fields():
    return {"items": st.lists(instances(FeeItem), max_size=3, unique_by=lambda item: item.name).map(tuple)}


def instrument_fields():
    return {
        "lot_units": st.integers(1, 2**40),
        "multiplier": st.decimals("0.001", "1000"),
        "price_bands": st.sampled_from([(PriceBand(0, 1),), (PriceBand(0, 1), PriceBand(250, 5), PriceBand(500, 10))]),
    }


CONSTRAINED = {FeeItem: fee_item_fields, FeeSchedule: fee_schedule_fields, Instrument: instrument_fields}
"""Structs that refuse some values, with strategies for the fields concerned."""


def test_the_walk_finds_the_facts():
    names = {kind.__name__ for kind in structs()}
    assert {"TickData", "DepthData", "DepthChange", "MarketTrade", "BarData", "FundingRate"} <= names
    assert {"OrderRequest", "ApprovedOrder", "CancelRequest", "OrderData", "TradeData"} <= names
    assert {"BalanceData", "AccountData", "PositionData", "AccountCharge", "Instrument", "Grid"} <= names
    assert {"FeeBasis", "FeeSchedule"} <= names


@pytest.mark.parametrize("kind", structs(), ids=lambda kind: kind.__name__)
@pytest.mark.parametrize("codec", [msgspec.json, msgspec.msgpack], ids=["json", "msgpack"])
def test_a_struct_survives_the_wire(kind, codec):
    @settings(max_examples=25)
    @given(fact=instances(kind))
    def survives(fact):
        back = codec.decode(codec.encode(fact), type=kind)
        assert back == fact
        assert type(back) is kind

    survives()


@pytest.mark.parametrize("kind", structs(), ids=lambda kind: kind.__name__)
def test_a_struct_is_frozen(kind):
    assert kind.__struct_config__.frozen


def test_money_leaves_as_text_and_not_as_a_float():
    charge = AccountCharge("main", "funding", "USDT", Decimal("0.10"), "BTCUSDT.BINANCE_USDM", "7", 1, 2)
    assert b'"amount":"0.10"' in msgspec.json.encode(charge)
