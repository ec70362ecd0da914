"""First steps: config init and show, new strategy, strategies."""

import subprocess
import sys
from pathlib import Path

import pytest

from foxtrot.app.config import load_config
from foxtrot.app.config_text import default_config_text
from foxtrot.cli import main

EXAMPLES = Path(__file__).resolve().parents[4] / "config"


def test_config_init_writes_a_file_that_show_reads_and_never_overwrites(run, tmp_path: Path) -> None:
    assert run("config", "init", "my.toml") == (0, {"path": "my.toml"})
    assert (tmp_path / "my.toml").read_text("utf-8") == default_config_text()
    status, shown = run("config", "show", "my.toml")
    assert (status, shown["platform"]["mode"]) == (0, "paper")
    status, result = run("config", "init", "my.toml")
    assert (status, "not overwritten" in result["error"]["message"]) == (2, True)


def test_config_init_without_a_file_prints_what_it_would_write(run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("config", "init") == (0, {"text": default_config_text()})
    assert main(["config", "init"]) == 0
    assert capsys.readouterr().out == default_config_text()


def test_config_show_without_a_file_means_the_one_in_the_home_folder(run, home: Path) -> None:
    assert run("config", "show")[1]["account"] == {}
    run("config", "init", home / "config.toml")
    assert list(run("config", "show")[1]["account"]) == ["paper"]


def test_config_show_prints_toml_for_people_without_secrets(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "c.toml").write_text(
        '[account.a]\nadapter = "simulated"\nsettings = { api_secret = "hush hush" }\n', "utf-8"
    )
    assert main(["config", "show", "c.toml"]) == 0
    said = capsys.readouterr().out
    assert 'api_secret = "***"' in said
    assert "hush" not in said


def test_config_show_of_a_file_that_is_not_there_fails(run) -> None:
    assert run("config", "show", "none.toml")[0] == 2


@pytest.mark.parametrize(
    "path",
    sorted(set(EXAMPLES.glob("*.toml")) - {EXAMPLES / "ruff.toml", EXAMPLES / "exchange.toml"}),
    ids=lambda path: path.stem,
)
def test_every_example_loads_and_names_strategies_and_adapters_that_exist(path: Path) -> None:
    config = load_config(path)
    assert config.accounts
    assert config.strategies


def test_a_new_strategy_passes_its_own_test_and_backtests(run, bars: Path, tmp_path: Path) -> None:
    status, result = run("new", "strategy", "my_idea")
    assert (status, result) == (0, {"paths": ["my_idea.py", "test_my_idea.py"]})
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_my_idea.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout
    assert "3 passed" in ran.stdout
    status, result = run("backtest", "--strategy", "my_idea.py", "--bars", bars, "--param", "length=3")
    assert (status, result["trades"]) == (0, 2)


def test_a_new_strategy_imports_the_public_door_only(run, tmp_path: Path) -> None:
    run("new", "strategy", "my_idea")
    text = (tmp_path / "my_idea.py").read_text("utf-8")
    assert [line for line in text.splitlines() if "import" in line and "foxtrot" in line] == [
        "from foxtrot.api import BarData, Parameter, Strategy, TradeData"
    ]


def test_new_overwrites_neither_file_and_then_writes_none(run, tmp_path: Path) -> None:
    (tmp_path / "test_idea.py").write_text("mine", "utf-8")
    status, result = run("new", "strategy", "idea")
    assert (status, "not overwritten" in result["error"]["message"]) == (2, True)
    assert not (tmp_path / "idea.py").exists()
    assert (tmp_path / "test_idea.py").read_text("utf-8") == "mine"


@pytest.mark.parametrize("name", ["My", "1a", "class", "a-b", "../a", "test_a", ""])
def test_a_name_that_is_no_module_is_refused(name: str, run) -> None:
    assert run("new", "strategy", name)[0] == 2


def test_strategies_lists_parameters_with_defaults_of_installed_ones_and_those_in_a_folder(run, tmp_path: Path) -> None:
    run("new", "strategy", "idea", "--folder", "mine")
    _, result = run("strategies", "--folder", "mine")
    found = {entry["name"]: entry for entry in result["strategies"]}
    assert {parameter["name"]: parameter["default"] for parameter in found["double_ma"]["parameters"]} == {
        "fast": 20, "slow": 50, "size": 1.0,
    }  # fmt: skip
    assert [parameter["name"] for parameter in found["idea"]["parameters"]] == ["length", "size"]
    assert "test_idea" not in found


def test_a_strategy_that_does_not_load_is_named_with_status_1(run, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "broken.py").write_text("import no_such_module\n", "utf-8")
    status, result = run("strategies", "--folder", "mine")
    assert status == 1
    assert any(entry["name"] == "broken" and "no_such_module" in entry["error"] for entry in result["strategies"])


def test_a_folder_that_is_not_there_is_refused(run) -> None:
    assert run("strategies", "--folder", "nowhere")[0] == 2
