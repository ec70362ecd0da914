"""Saved variables: whole files, exact values, no silent loss."""

import math
from pathlib import Path

import pytest

from foxtrot.api import Strategy, Variable
from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.parameters import fill_defaults
from foxtrot.strategy.variables import VariableFiles, restore_variables, variables_to_save
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig


class Saved:
    trend = Variable(0.0, "last trend")
    count = Variable(0, "rounds")
    mood = Variable("calm", "mood")

    def __init__(self) -> None:
        fill_defaults(self)


class Counting(Strategy):
    rounds = Variable(0, "starts so far")

    def on_init(self) -> None:
        """Tell what was restored."""
        self.seen = self.rounds

    def on_start(self) -> None:
        """Count."""
        self.rounds += 1


def test_values_come_back_as_they_were(tmp_path: Path) -> None:
    store, saved, fresh = VariableFiles(tmp_path / "deep" / "er"), Saved(), Saved()
    saved.trend, saved.count, saved.mood = 0.1 + 0.2, 7, "wild"
    store.save("one", variables_to_save(saved))
    assert restore_variables(fresh, store.load("one")) == []
    assert vars(fresh) == vars(saved)
    assert [path.name for path in store.folder.iterdir()] == ["one.json"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_survives_too(tmp_path: Path, value: float) -> None:
    store, saved, fresh = VariableFiles(tmp_path), Saved(), Saved()
    saved.trend = value
    store.save("one", variables_to_save(saved))
    restore_variables(fresh, store.load("one"))
    assert repr(fresh.trend) == repr(value)


def test_before_the_first_time_there_is_nothing(tmp_path: Path) -> None:
    assert VariableFiles(tmp_path).load("one") == {}


@pytest.mark.parametrize("content", [b"{", b"[1]", b'{"trend": [1]}', b"\xff"])
def test_a_broken_file_is_named_and_not_taken_for_empty(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "one.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"one\.json cannot be used"):
        VariableFiles(tmp_path).load("one")


def test_a_value_of_another_type_changes_nothing() -> None:
    fresh = Saved()
    with pytest.raises(ConfigError, match="variable count must be a whole number"):
        restore_variables(fresh, {"trend": 3.0, "count": "many"})
    assert fresh.trend == 0.0


def test_names_no_longer_declared_are_told() -> None:
    assert restore_variables(Saved(), {"trend": 1.0, "gone": 2}) == ["gone"]


def test_a_variable_that_holds_something_else_is_not_saved() -> None:
    saved = Saved()
    saved.count = "seven"  # type: ignore[assignment]
    with pytest.raises(ConfigError, match="count must be a whole number, not 'seven'"):
        variables_to_save(saved)


@pytest.mark.parametrize("name", ["../one", "a/b", "", ".one"])
def test_an_id_cannot_lead_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="no file name"):
        VariableFiles(tmp_path).save(name, {})


def test_a_strategy_finds_its_variables_before_on_init_and_leaves_them_at_its_stop(tmp_path: Path) -> None:
    store = VariableFiles(tmp_path)
    for round_number in range(3):
        rig = LineRig(a_perpetual(), variables=store)
        strategy = rig.start(Counting)
        assert (strategy.seen, strategy.position) == (round_number, 0.0)
        rig.stop()
    assert store.load("one") == {"rounds": 3}


def test_unusable_saved_variables_keep_a_strategy_from_starting(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_bytes(b"{")
    rig = LineRig(a_perpetual(), variables=VariableFiles(tmp_path))
    rig.start(Counting)
    assert rig.stages() == ["initialising", "failed"]
    assert "cannot be used" in rig.line.strategies.hosts["one"].reason


def test_variables_that_cannot_be_written_are_an_error_in_the_log_and_stop_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    rig = LineRig(a_perpetual(), variables=VariableFiles(tmp_path / "file"))
    rig.line.adapters["main"]
    rig.line.strategies._variables.load = lambda _: {}  # type: ignore[union-attr,method-assign]
    rig.start(Counting)
    rig.stop()
    assert rig.stages()[-1] == "stopped"
    assert "variables were not saved" in rig.lines()[-1]
