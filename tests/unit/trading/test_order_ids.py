"""Order ids: layout, uniqueness across restarts, and the way back to the strategy."""

import re

import pytest

from foxtrot.domain.errors import ConfigError, InvariantBroken
from foxtrot.trading.order_ids import OrderIds, StrategyIds, base36, is_ours, make_run_id, owner_of, strategy_tag

NAMES = ["a", "double_ma", "elevenchars", "a_rather_long_strategy", "grid-2", "Füchse", "two words", "x" * 200, ""]


@pytest.mark.parametrize("name", NAMES)
def test_an_id_has_prefix_tag_run_and_counter_in_at_most_32_characters(name: str) -> None:
    ids = OrderIds(make_run_id(1_700_000_000_000_000_000, 5))
    for _ in range(50):
        order_id = ids.next(name)
        assert re.fullmatch(r"[A-Za-z0-9_-]{1,32}", order_id)
        assert order_id.split("-") == ["F", strategy_tag(name), ids.run_id, order_id.rsplit("-", 1)[1]]


def test_the_longest_id_a_run_of_seventy_billion_orders_can_make_fits() -> None:
    ids = OrderIds("z" * 10)
    ids._counter = 36**7 - 2
    assert len(ids.next("x" * 11)) == 32


@pytest.mark.parametrize("name", NAMES)
def test_an_id_is_readable_back_to_its_strategy(name: str) -> None:
    known = StrategyIds()
    for other in NAMES:
        known.add(other)
    order_id = OrderIds("0123456789").next(name)
    assert known.owner_of(order_id) == name
    assert owner_of(order_id, NAMES) == name
    assert is_ours(order_id)


@pytest.mark.parametrize(
    "order_id", ["", "web_123", "F-a-0123456789", "F-a-0123456789-", "G-a-0123456789-1", "F-a-012345678-1"]
)
def test_a_foreign_id_belongs_to_nobody(order_id: str) -> None:
    known = StrategyIds()
    known.add("a")
    assert known.owner_of(order_id) is None
    assert not is_ours(order_id)


def test_an_id_of_a_strategy_that_is_not_here_belongs_to_nobody_but_is_ours() -> None:
    order_id = OrderIds("0123456789").next("gone")
    assert StrategyIds().owner_of(order_id) is None
    assert is_ours(order_id)


def test_runs_that_start_in_different_milliseconds_never_share_an_id() -> None:
    start = 1_700_000_000_000_000_000
    runs = [OrderIds(make_run_id(start + step * 1_000_000, 7)) for step in range(200)]
    made = [ids.next(name) for ids in runs for name in ("alpha", "beta") for _ in range(5)]
    assert len(set(made)) == len(made) == 2000


def test_runs_that_start_in_the_same_millisecond_differ_by_their_random_part() -> None:
    assert len({make_run_id(1_700_000_000_000_000_000, bits) for bits in range(1296)}) == 1296


def test_one_run_counts_over_all_strategies() -> None:
    ids = OrderIds("0123456789")
    assert [ids.next(name)[-1] for name in ("a", "b", "a")] == ["1", "2", "3"]


def test_two_strategies_that_would_share_a_tag_are_refused() -> None:
    known = StrategyIds()
    known.add("a_rather_long_strategy")
    known.add("a_rather_long_strategy")
    assert len(known) == 1
    with pytest.raises(ConfigError, match="rename one"):
        known.add(strategy_tag("a_rather_long_strategy"))
    assert list(known) == ["a_rather_long_strategy"]
    assert "a_rather_long_strategy" in known


@pytest.mark.parametrize("run_id", ["", "short", "0123456789a", "ABCDEFGHIJ"])
def test_a_run_id_of_another_shape_is_refused(run_id: str) -> None:
    with pytest.raises(InvariantBroken, match="make_run_id"):
        OrderIds(run_id)


def test_base_36_counts_in_digits_and_letters() -> None:
    assert [base36(number) for number in (0, 35, 36, 36**7 - 1)] == ["0", "z", "10", "zzzzzzz"]
