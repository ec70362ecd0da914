"""Plugins by name, module, folder and file; code that changes under a running platform."""

from pathlib import Path

import pytest

from foxtrot.api import Side
from foxtrot.core.commands import ReloadStrategy, SetParameters, StartStrategy
from foxtrot.core.notices import StrategyStatus
from foxtrot.domain.errors import ConfigError
from foxtrot.samples.double_ma import DoubleMa
from foxtrot.strategy.host import Stage
from foxtrot.strategy.loader import load_strategy, reload_strategy, strategies_in, strategy_names
from foxtrot.strategy.settings import ExitPolicy, OrderExit
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig
from tests.support.recording import Recording

PLUGIN = """
from foxtrot.api import Parameter, Strategy

class Plugin(Strategy):
    size = Parameter({size}, "size")

    def on_start(self):
        self.log("version {size}")
"""


def write(folder: Path, text: str, name: str = "plugin") -> Path:
    path = folder / f"{name}.py"
    path.write_text(text, "utf-8")
    return path


def test_every_sample_is_found_by_its_name() -> None:
    samples = {"double_ma", "bollinger_breakout", "rsi_reversion", "grid", "spread"}
    assert samples <= set(strategy_names())
    for name in samples:
        assert load_strategy(name).__module__ == f"foxtrot.samples.{name}"


def test_the_same_class_comes_by_name_and_by_module() -> None:
    assert load_strategy("double_ma") is load_strategy("foxtrot.samples.double_ma:DoubleMa") is DoubleMa


def test_a_file_is_loaded_by_path_and_by_its_name_in_a_folder(tmp_path: Path) -> None:
    path = write(tmp_path, PLUGIN.format(size=1))
    for found in (load_strategy(str(path)), load_strategy(f"{path}:Plugin"), load_strategy("plugin", tmp_path)):
        assert found.__name__ == "Plugin"


def test_files_of_one_name_in_two_folders_do_not_meet(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    one = load_strategy(str(write(tmp_path / "a", PLUGIN.format(size=1))))
    two = load_strategy(str(write(tmp_path / "b", PLUGIN.format(size=2))))
    assert (reload_strategy("plugin", one).size.default, reload_strategy("plugin", two).size.default) == (1, 2)


def test_a_folder_lists_strategies_and_not_their_tests(tmp_path: Path) -> None:
    for name in ("one", "test_one", "_private", "conftest_x"):
        write(tmp_path, "", name)
    assert list(strategies_in(tmp_path)) == ["conftest_x", "one"]
    with pytest.raises(ConfigError, match="does not exist"):
        strategies_in(tmp_path / "none")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("duoble_ma", "did you mean double_ma"),
        ("qqqqqq", "there are: bollinger_breakout, double_ma"),
        ("nowhere.py", "nowhere.py does not exist"),
        ("foxtrot.nowhere:X", "cannot be imported: ModuleNotFoundError"),
        ("foxtrot.samples.double_ma:Other", "no strategy class Other; there are: DoubleMa"),
    ],
)
def test_a_name_that_leads_nowhere_is_refused_with_a_hint(name: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_strategy(name)


@pytest.mark.parametrize(
    "text",
    [
        "def",
        "1 / 0",
        "import nothing_of_this_name",
        "{}['x']",
        "raise RuntimeError('x')",
        "assert False",
        "open('/none')",
    ],
)
def test_code_that_does_not_load_is_a_clear_error_and_leaves_nothing_behind(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="does not load"):
        load_strategy(str(write(tmp_path, text)))


@pytest.mark.parametrize("text", ["x = 1", PLUGIN.format(size=1) + "\nclass Second(Strategy): pass"])
def test_a_file_without_exactly_one_class_needs_its_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="name one as"):
        load_strategy(str(write(tmp_path, text)))


@pytest.mark.parametrize("by_folder", [False, True])
def test_the_code_of_one_is_reloaded_while_another_runs(tmp_path: Path, by_folder: bool) -> None:
    path = write(tmp_path, PLUGIN.format(size=1))
    name = "plugin" if by_folder else str(path)
    rig = LineRig(a_perpetual())
    other = rig.start(Recording, "two")
    rig.add(load_strategy(name, tmp_path), class_name=name)
    rig.put(StartStrategy("one"))
    write(tmp_path, PLUGIN.format(size=2))
    rig.put(ReloadStrategy("one"))
    assert "stop it first" in rig.told(StrategyStatus)[-1].reason
    rig.stop("one")
    rig.put(ReloadStrategy("one"))
    rig.put(StartStrategy("one"))
    assert [line for line in rig.lines() if "version" in line] == ["version 1", "version 2"]
    assert rig.line.strategies.hosts["one"].strategy.size == 2
    assert (rig.line.strategies.hosts["two"].stage, other.calls()) == (Stage.RUNNING, ["on_init", "on_start"])


@pytest.mark.parametrize(
    "text",
    [
        "def",
        "x = 1",
        PLUGIN.format(size=1).replace("size = Parameter", "length = Parameter"),
        PLUGIN.format(size=1) + "\n    def __init__(self, seat):\n        raise KeyError('x')\n",
    ],
)
def test_when_reloading_fails_the_old_code_stays_and_the_reason_is_told(tmp_path: Path, text: str) -> None:
    path = write(tmp_path, PLUGIN.format(size=1))
    rig = LineRig(a_perpetual())
    host = rig.add(load_strategy(str(path)), class_name=str(path), parameters={"size": 5})
    rig.start(Recording, "two")
    before = host.strategy
    write(tmp_path, text)
    rig.put(ReloadStrategy("one"))
    assert host.strategy is before
    assert rig.told(StrategyStatus)[-1].reason
    assert str(rig.line.gate.state) == "active"
    rig.put(StartStrategy("one"))
    assert (host.stage, before.size) == (Stage.RUNNING, 5)


def test_parameters_set_since_the_start_survive_a_reload(tmp_path: Path) -> None:
    path = write(tmp_path, PLUGIN.format(size=1))
    rig = LineRig(a_perpetual())
    host = rig.add(load_strategy(str(path)), class_name=str(path))
    rig.put(SetParameters("one", (("size", 9),)))
    rig.put(ReloadStrategy("one"))
    assert host.strategy.size == 9


def test_fresh_code_hears_nothing_before_its_own_on_init(tmp_path: Path) -> None:
    text = PLUGIN.format(size=1) + "\n    def on_init(self):\n        self.heard = 0\n"
    text += "\n    def on_order(self, order):\n        self.heard += 1\n"
    path = write(tmp_path, text)
    rig = LineRig(a_perpetual())
    host = rig.add(load_strategy(str(path)), class_name=str(path), exit_policy=ExitPolicy({"on_stop": OrderExit.KEEP}))
    rig.quote(99.0, 101.0)
    rig.put(StartStrategy("one"))
    rig.settle()
    host.strategy.buy(1.0, 100.0)
    rig.stop()
    rig.put(ReloadStrategy("one"))
    rig.hit(Side.SELL, 1.0, 100.0)
    assert (host.stage, host.strategy.position) == (Stage.STOPPED, 1.0)
    assert not hasattr(host.strategy, "heard")
