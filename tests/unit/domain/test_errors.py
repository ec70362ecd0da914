"""The exception tree: complete, drawn at the top of its module, and able to cross processes."""

import inspect
import pickle

import pytest

from foxtrot.domain import errors
from foxtrot.domain.errors import AdapterError, FoxtrotError, OffGrid, OrderRefused, RateLimited

TREE = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, FoxtrotError)]
ARGUMENTS = {OrderRefused: ("collar", "5 %", "7 %"), OffGrid: ("price", "1.5", "1", "2")}


def example(kind):
    """Return an error of a kind, built as its users build it."""
    if kind is RateLimited:
        return kind("BINANCE", "429", "slow down", 1.5)
    if issubclass(kind, AdapterError):
        return kind("BINANCE", "-1000", "unknown")
    return kind(*ARGUMENTS.get(kind, ("a text",)))


@pytest.mark.parametrize("kind", TREE)
def test_an_error_crosses_a_process_with_all_it_knows(kind):
    error = example(kind)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error)
    assert vars(back) == vars(error)


@pytest.mark.parametrize("kind", TREE)
def test_the_drawing_shows_every_error_under_its_parent(kind):
    lines = errors.__doc__.splitlines()
    depth = {line.split("── ")[-1].split()[0]: line.find("──") for line in lines if line.strip()}
    assert kind.__name__ in depth
    parent = kind.__mro__[1].__name__
    if kind is not FoxtrotError:
        assert depth[kind.__name__] == (depth[parent] + 4 if parent != "FoxtrotError" else 1)


def test_a_refusal_carries_rule_limit_and_value():
    error = OrderRefused("max_notional", "1000", "1500")
    assert (error.rule, error.limit, error.value) == ("max_notional", "1000", "1500")
    assert str(error) == "max_notional: 1500 is against the limit 1000"


def test_off_grid_names_the_nearest_once_where_there_is_only_one():
    assert str(OffGrid("price", "1.5", "1", "2")).endswith("nearest legal: 1 or 2")
    assert str(OffGrid("price", "nan", "a finite number", "a finite number")).endswith("nearest legal: a finite number")
