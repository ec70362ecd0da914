"""Declared parameters and variables: typed, checked, all or none."""

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.parameters import (
    Parameter,
    Value,
    Variable,
    declared,
    fill_defaults,
    parameters_of,
    set_parameters,
    variables_of,
)


class Declared:
    fast = Parameter(20, "closes", minimum=1, maximum=100)
    width = Parameter(2.0, "deviations")
    name = Parameter("plain", "what it is called")
    eager = Parameter(False, "whether it hurries")
    trend = Variable(0.0, "last trend")

    def __init__(self) -> None:
        fill_defaults(self)


class Derived(Declared):
    fast = Parameter(5, "closes")
    width = 3.0


@pytest.mark.parametrize(
    ("name", "given", "kept"),
    [
        ("fast", "7", 7), ("fast", 7.0, 7), ("fast", 100, 100), ("width", 3, 3.0), ("width", "1e-1", 0.1), ("eager", "yes", True),
        ("eager", 0, False), ("name", "other", "other"), ("fast", " 8 ", 8),
    ],
)  # fmt: skip
def test_a_value_is_kept_in_its_declared_type(name: str, given: Value, kept: Value) -> None:
    instance = Declared()
    set_parameters(instance, {name: given})
    found = getattr(instance, name)
    assert (found, type(found)) == (kept, type(kept))


@pytest.mark.parametrize(
    ("name", "given", "message"),
    [
        ("fast", 0, "fast must be at least 1, not 0"), ("fast", 101, "at most 100"), ("fast", 1.5, "a whole number, not 1.5"),
        ("fast", "x", "a whole number"), ("fast", True, "a whole number"), ("width", "nan", "a number"),
        ("width", float("inf"), "a number"), ("eager", "maybe", "true or false"), ("name", 3, "text, not 3"),
        ("fats", 3, "did you mean fast"), ("zzz", 3, "it has: fast, width, name, eager"), ("trend", 1.0, "no parameter trend"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_refused_in_words_and_changes_nothing(name: str, given: Value, message: str) -> None:
    instance = Declared()
    with pytest.raises(ConfigError, match=message):
        set_parameters(instance, {"width": 9.0, name: given} if name != "width" else {"fast": 9, name: given})
    assert parameters_of(instance) == {"fast": 20, "width": 2.0, "name": "plain", "eager": False}


def test_whole_numbers_beyond_what_a_float_holds_stay_exact() -> None:
    class Large:
        count = Parameter(0, "a count")

    instance = Large()
    set_parameters(instance, {"count": "9007199254740993"})
    assert instance.count == 9007199254740993


def test_a_derived_class_declares_anew_or_fixes_a_value() -> None:
    instance = Derived()
    assert (instance.fast, instance.width) == (5, 3.0)
    assert list(declared(Derived, Parameter)) == ["fast", "name", "eager"]


def test_variables_are_told_apart_from_parameters() -> None:
    instance = Declared()
    instance.trend = 2.5
    assert variables_of(instance) == {"trend": 2.5}
    assert variables_of(Declared()) == {"trend": 0.0}
